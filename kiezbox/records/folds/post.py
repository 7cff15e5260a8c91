"""The board: what neighbours seek, offer and tell one another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kiezbox.records.folds import ERASED, Told, thing_of
from kiezbox.records.kinds import KINDS
from kiezbox.records.things import Thing
from kiezbox.records.wording import clean, seems_official

TOPICS = ("seek", "offer", "info")

#: Bytes of UTF-8 that a post may have: 280 characters of most alphabets.
MOST_BYTES = 1400


def fold(first: Told, changes: Sequence[Told]) -> Thing:
    """``state``: "open" or "solved", by whoever knows the post's own word; one that its writer took
    away is erased, with its record.
    """
    from kiezbox.sealing import is_proof_of

    body, state = first.body, "open"
    for told in changes:
        kind = KINDS[told.record.kind].name
        if kind not in ("post_state", "erasure") or state == ERASED:
            continue
        if is_proof_of(told.body.get("proof", b""), body.get("solve", b"")):
            is_solved = kind == "post_state" and told.body["event"] == "solved"
            state = ERASED if kind == "erasure" else "solved" if is_solved else state
    # Once more: what came from another box was cleaned by who knows what.
    text = clean(body["text"], MOST_BYTES)
    data: dict[str, Any] = {"is_exercise": 1} if body.get("is_exercise") else {}
    if seems_official(text):
        data["seems_official"] = 1
    return thing_of(first, changes, topic=TOPICS[body["topic"]], state=state, text=text, data=data)
