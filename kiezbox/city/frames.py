"""Real frames of what boxes write: posts from a fixed corpus, and one of each other kind.

The signatures are zeros: nobody here verifies, and no signature is shorter or longer for that.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from kiezbox.frames.words import SIGNATURE_BYTES, pack_record
from kiezbox.records import Record, Scope, kind_named, pack_body
from kiezbox.records.kinds import Priority

__all__ = ["READINGS_BYTES", "frame_of", "post_frame", "posts"]

#: An hour of readings in one block, header and seal included (docs/frames.md): so many by plan.
READINGS_BYTES = 72

#: 2026-01-09, a night; times are said from there.
_NOW_MS = 1_768_000_000_000

_SIGNATURE = bytes(SIGNATURE_BYTES)


@lru_cache(maxsize=1)
def posts() -> list[tuple[str, str]]:
    """The corpus: (language, text), two hundred of a night, mean 100 characters. Written for this,
    without a look at what texts are compressed by.
    """
    lines = (Path(__file__).parent / "posts.tsv").read_text(encoding="utf-8").splitlines()
    return [(language, text) for language, _, text in (line.partition("\t") for line in lines)]


@lru_cache(maxsize=512)
def post_frame(place: int, sequence: int = 300) -> bytes:
    """The frame of the post at this place of the corpus."""
    language, text = posts()[place]
    fields = {"topic": place % 3, "text": text, "language": language}
    return _frame("post", fields, sequence, Scope.KIEZ)


def _sealed(size: int, name: str) -> bytes:
    """Bytes that look like what is sealed."""
    return hashlib.shake_128(name.encode()).digest(size)


#: Class → kind, its fields. A message of two lines, sealed; somebody safe; a ticket's next state; a
#: bulletin in codes, and an official alert.
_OTHERS: dict[int, tuple[str, dict[str, Any]]] = {
    Priority.OFFICIAL: ("bulletin", {"code": 30, "issued_at": 1_767_999_800, "serial": 17}),
    Priority.LIFE: ("ticket", {"what": 0, "needs": [1, 4], "block": "Hof 3", "language": "de"}),
    Priority.SAFE: ("observation", {"code": 3, "level": 2, "block": "Lindenstraße"}),
    Priority.BULLETIN: (
        "bulletin",
        {"code": 41, "issued_at": 1_767_999_900, "serial": 18, "parameters": {"until": "18:00"}},
    ),
    Priority.MESSAGE: ("message", {"lookup": _sealed(16, "l"), "sealed": _sealed(60, "s")}),
}


@lru_cache(maxsize=64)
def frame_of(priority: int) -> bytes:
    """A frame of this class: an hour's readings, a post, or the kind that is usual for it."""
    if priority == Priority.NUMBERS:
        return bytes(READINGS_BYTES)
    if priority == Priority.BOARD:
        return post_frame(0)
    name, fields = _OTHERS[priority]
    is_official = priority == Priority.OFFICIAL
    return _frame(
        name, fields, 300, Scope.CITY if is_official else Scope.KIEZ,
        priority=priority, is_coded=name == "bulletin",
    )  # fmt: skip


def _frame(
    name: str,
    fields: dict[str, Any],
    sequence: int,
    scope: Scope,
    *,
    priority: int | None = None,
    is_coded: bool = False,
) -> bytes:
    kind = kind_named(name)
    urgency = kind.priority if priority is None else priority
    record = Record(
        "kb-0", sequence, _NOW_MS << 16, kind.number, urgency, scope, kind.lifetime_s, True,
        pack_body(kind, fields), key=bytes(8) if is_coded else b"",
        signature=_SIGNATURE if is_coded else b"",
    )  # fmt: skip
    return pack_record(record, b"" if is_coded else _SIGNATURE)
