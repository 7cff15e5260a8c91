"""What pages show of a record: a fold over it and all that was said about it since.

A file per kind that has something to show, found by the kind's name: ``fold(first, changes)`` takes
the record and its changes in the order of their stamps, whichever came first by radio, and returns
the ``Thing``. Pure, and the same on every box that holds the same records.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from typing import Any, NamedTuple

from kiezbox.records.bodies import Body
from kiezbox.records.kinds import KINDS
from kiezbox.records.record import Record
from kiezbox.records.things import Thing

__all__ = ["ERASED", "MODERATED", "REPORTS_TO_HIDE", "Told", "fold", "thing_of"]

#: So many reports from different neighbours hide something until a moderator has looked.
REPORTS_TO_HIDE = 3

#: What neighbours' reports and a moderator can hide: what neighbours write for everybody, and
#: questions. Nobody reports an authority's words away.
MODERATED = ("post", "observation", "ticket", "place_report", "question")

#: A thing of this state is none any more, and its record goes from the card.
ERASED = "erased"

#: Kinds of which nothing is shown by themselves.
_SILENT = frozenset(("certificate", "revocation"))


class Told(NamedTuple):
    """A record as this box holds it. ``written_at``: of its clock, or of the receipt where that
    clock was not to be believed. ``issuer``: who vouches for it, as far as this box believes it.
    """

    record: Record
    body: Body
    written_at: float
    expires_at: float
    issuer: str = ""


def fold(first: Told, changes: Sequence[Told]) -> Thing | None:
    """The thing; None: there is nothing to show of such a record."""
    kind = KINDS.get(first.record.kind)
    if kind is None or kind.changes or kind.name in _SILENT:
        return None
    ordered = sorted(changes, key=lambda told: (told.record.stamp, told.record.ref))
    thing: Thing | None = _module(kind.name).fold(first, ordered)
    if thing is None or kind.name not in MODERATED:
        return thing
    return replace(thing, is_hidden=_is_hidden(ordered, is_hidden=thing.is_hidden))


def thing_of(first: Told, changes: Sequence[Told] = (), **more: Any) -> Thing:
    """A thing with what all kinds have, for the files here to begin with."""
    changed_at = max([first.written_at, *(told.written_at for told in changes)])
    return Thing(
        origin=first.record.origin,
        sequence=first.record.sequence,
        kind=first.record.kind,
        written_at=first.written_at,
        changed_at=changed_at,
        expires_at=first.expires_at,
        issuer=first.issuer,
        language=str(first.body.get("language", "")),
        **more,
    )


def _is_hidden(changes: Sequence[Told], *, is_hidden: bool) -> bool:
    """A moderator's last word; before there is one, enough neighbours' reports."""
    reporters: set[bytes] = set()
    verdicts = {}
    for told in changes:
        name = KINDS[told.record.kind].name
        if name == "moderation" and told.issuer and told.body["verdict"] in ("hide", "restore"):
            verdicts[told.body.get("decided_at", 0)] = told.body["verdict"]
        elif name == "report":
            reporters.add(told.body.get("reporter", b""))
    if verdicts:
        return bool(verdicts[max(verdicts)] == "hide")
    return is_hidden or len(reporters) >= REPORTS_TO_HIDE


def _module(name: str) -> Any:
    return import_module(f"kiezbox.records.folds.{name}")
