"""The board: what neighbours seek, offer and tell one another."""

from __future__ import annotations

from collections.abc import Sequence

from kiezbox.records.folds import Told, thing_of
from kiezbox.records.kinds import KINDS
from kiezbox.records.things import Thing

TOPICS = ("seek", "offer", "info")


def fold(first: Told, changes: Sequence[Told]) -> Thing:
    """``state``: "open", "solved" or "withdrawn", by whoever knows the post's own word."""
    body, state = first.body, "open"
    for told in changes:
        if KINDS[told.record.kind].name != "post_state":
            continue
        is_author = bool(body.get("solve")) and told.body.get("proof") == body["solve"]
        if is_author and told.body["event"] in ("solved", "withdrawn"):
            state = told.body["event"]
    return thing_of(
        first,
        changes,
        topic=TOPICS[body["topic"]],
        state=state,
        text=body["text"],
        data={"is_exercise": 1} if body.get("is_exercise") else {},
    )
