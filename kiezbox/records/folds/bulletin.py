"""Bulletins: what an issuer or the operator of a box tells everybody."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kiezbox.records.codes import CODES, severity_of
from kiezbox.records.folds import Told, thing_of
from kiezbox.records.kinds import KINDS
from kiezbox.records.things import Thing

_SHOWN = (
    "parameters", "is_all_clear", "headline", "is_exercise", "issued_at", "serial", "supersedes",
)  # fmt: skip


def fold(first: Told, changes: Sequence[Told]) -> Thing:
    """``state`` is "up" or "withdrawn". ``data["code"]`` is the code's name, or its number in
    digits where this box does not know it; ``severity`` what the code means at least.

    ``data`` has for signed ones ``is_signed`` and ``until`` (Unix seconds by the issuer's clock):
    a signature that nobody here vouches for is worth less than none, and what is vouched for is so
    no longer than its issuer said, whichever box it came from.
    """
    body, record = first.body, first.record
    state = "withdrawn" if any(_takes_back(told, first) for told in changes) else "up"
    data: dict[str, Any] = {name: body[name] for name in _SHOWN if name in body}
    data["severity"] = severity_of(body)
    if "code" in body:
        code = CODES.get(body["code"])
        data["code"] = code.name if code else str(body["code"])
        if code and code.is_all_clear:
            data["is_all_clear"] = 1
    if record.key:
        data["is_signed"] = 1
        data["until"] = body.get("issued_at", 0) + record.lifetime_s
    return thing_of(first, changes, state=state, text=str(body.get("text", "")), data=data)


def _takes_back(told: Told, first: Told) -> bool:
    """Only whoever put it up takes it back: the issuer, or the operator of the same box."""
    if KINDS[told.record.kind].name != "withdrawal":
        return False
    if first.record.key:
        is_believed = bool(told.issuer) and told.issuer == first.issuer
        return is_believed and told.record.key == first.record.key
    return not told.record.key and told.record.origin == first.record.origin
