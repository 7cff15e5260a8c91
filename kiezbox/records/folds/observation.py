"""Observations: what somebody sees in the street, as a code that every language has words for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kiezbox.records.folds import Told, thing_of
from kiezbox.records.things import Thing
from kiezbox.records.wording import clean

#: What ``code`` says; numbers keep their meaning for ever.
CODES = {1: "water", 2: "heat", 3: "smoke", 4: "pump"}

#: Up to where the water stands: ankle, knee, hip.
MOST_LEVEL = 3


def fold(first: Told, changes: Sequence[Told]) -> Thing | None:
    """``topic``: what was seen; ``text``: where, in the words of who saw it. A code of a newer
    Kiezbox shows nothing here.
    """
    body = first.body
    if body["code"] not in CODES:
        return None
    data: dict[str, Any] = {}
    if body["code"] == 1 and 1 <= body.get("level", 0) <= MOST_LEVEL:
        data["level"] = body["level"]
    if body.get("place"):
        data["place"] = clean(body["place"], 60, lines=False)
    if body.get("is_exercise"):
        data["is_exercise"] = 1
    return thing_of(
        first,
        changes,
        topic=CODES[body["code"]],
        state="up",
        text=clean(body.get("block", ""), 120, lines=False),
        data=data,
    )
