"""Bulletins: what an issuer or the operator of a box tells everybody."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kiezbox.records.folds import Told, thing_of
from kiezbox.records.kinds import KINDS
from kiezbox.records.things import Thing


def fold(first: Told, changes: Sequence[Told]) -> Thing:
    """``state`` is "up" or "withdrawn"; only whoever put it up takes it back."""
    body = first.body
    state = "up"
    for told in changes:
        is_own = told.issuer == first.issuer
        if KINDS[told.record.kind].name == "withdrawal" and is_own:
            state = "withdrawn"
    shown = ("code", "parameters", "severity", "is_all_clear", "headline", "is_exercise",
             "issued_at", "serial", "supersedes")  # fmt: skip
    data: dict[str, Any] = {name: body[name] for name in shown if name in body}
    return thing_of(first, changes, state=state, text=str(body.get("text", "")), data=data)
