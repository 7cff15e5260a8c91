"""A thing: what pages show of a record and all that was said about it since."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["Thing"]


@dataclass(frozen=True, slots=True)
class Thing:
    """One row of the table ``things``: a fold over a record and its changes.

    ``topic`` sorts within a kind (a board's "seek"), ``state`` is a word of the kind's machine,
    ``text`` what somebody wrote. ``issuer`` is the name of who vouches for it, "" for neighbours.
    ``lookup`` finds what is not listed. ``data`` is the rest, as JSON knows it: only what may be
    shown; sealed parts stay in the record.
    """

    origin: str
    sequence: int
    kind: int
    written_at: float
    changed_at: float
    expires_at: float
    topic: str = ""
    state: str = ""
    text: str = ""
    language: str = ""
    issuer: str = ""
    is_hidden: bool = False
    lookup: bytes = b""
    data: dict[str, Any] = field(default_factory=dict)
