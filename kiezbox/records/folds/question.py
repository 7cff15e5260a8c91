"""Questions: an operator asks the street, and everybody has one voice without a name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kiezbox.records.folds import Told, thing_of
from kiezbox.records.kinds import KINDS
from kiezbox.records.things import Thing
from kiezbox.records.wording import clean

#: As many as a voice can name (``kinds.voice.answer``).
MOST_ANSWERS = 20


def answers_of(body: Mapping[str, Any]) -> list[str]:
    """What can be answered, in its order."""
    lines = (clean(line, 100, lines=False) for line in str(body["answers"]).split("\n"))
    return [line for line in lines if line][:MOST_ANSWERS]


def fold(first: Told, changes: Sequence[Told]) -> Thing | None:
    """Only what somebody with the right asks is a question. ``state``: "open", or "closed" by a
    moderator. ``data``: ``answers``, and ``counts`` in the same order; more voices are added by
    ``store.log_counting`` without folding all of them again.
    """
    if not first.issuer:
        return None
    answers, state = answers_of(first.body), "open"
    counts = [0] * len(answers)
    for told in changes:
        name = KINDS[told.record.kind].name
        if name == "voice" and told.body["answer"] < len(counts):
            counts[told.body["answer"]] += 1
        elif name == "moderation" and told.issuer and told.body["verdict"] == "close":
            state = "closed"
    data = {"answers": answers, "counts": counts, "issued_at": first.body.get("issued_at", 0)}
    text = clean(str(first.body["text"]), 400)
    return thing_of(first, changes, state=state, text=text, data=data)
