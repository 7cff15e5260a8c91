"""The board: what neighbours seek, offer and tell one another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kiezbox.records.folds import Told, thing_of
from kiezbox.records.kinds import KINDS
from kiezbox.records.proofs import is_proof
from kiezbox.records.things import Thing
from kiezbox.records.wording import clean, seems_official

TOPICS = ("seek", "offer", "info")

#: Bytes of UTF-8 that a post may have: 280 characters of most alphabets.
MOST_BYTES = 1400

#: What its writer can say of it.
EVENTS = ("solved", "withdrawn")


def fold(first: Told, changes: Sequence[Told]) -> Thing:
    """``state``: "open", "solved" or "withdrawn", by whoever knows the post's own word. A post that
    was withdrawn shows nothing of itself any more.
    """
    body, state = first.body, "open"
    for told in changes:
        if KINDS[told.record.kind].name != "post_state" or state == "withdrawn":
            continue
        is_author = is_proof(told.body.get("proof", b""), body.get("solve", b""))
        if is_author and told.body["event"] in EVENTS:
            state = told.body["event"]
    # Once more: what came from another box was cleaned by who knows what.
    text = clean(body["text"], MOST_BYTES) if state != "withdrawn" else ""
    data: dict[str, Any] = {"is_exercise": 1} if body.get("is_exercise") else {}
    if seems_official(text):
        data["seems_official"] = 1
    return thing_of(first, changes, topic=TOPICS[body["topic"]], state=state, text=text, data=data)
