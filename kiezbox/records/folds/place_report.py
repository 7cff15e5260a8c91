"""What somebody said of a point on the map. Whose word counts, ``place.reports`` says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kiezbox.place.reports import STATES
from kiezbox.records.folds import Told, thing_of
from kiezbox.records.things import Thing


def fold(first: Told, changes: Sequence[Told]) -> Thing | None:
    """``topic`` is the point's id, ``state`` a word of ``STATES``, ``lookup`` the same for reports
    of one guest. ``data["is_by_operator"]`` is the record's own claim: it holds for this box's
    records and for those that an issuer vouches for.
    """
    body = first.body
    if body["state"] >= len(STATES):
        return None
    data: dict[str, Any] = {name: 1 for name in ("is_by_operator", "is_exercise") if body.get(name)}
    return thing_of(
        first,
        changes,
        topic=body["place"],
        state=STATES[body["state"]],
        lookup=body.get("reporter", b""),
        data=data,
    )
