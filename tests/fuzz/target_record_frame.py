"""Frames of records: bytes from any box, by radio, by mesh, by USB."""

from __future__ import annotations

from records.golden import GOLDEN

from kiezbox.records import KINDS, BadRecord, pack, unpack, unpack_body
from kiezbox.records.folds import Told, fold

SEEDS = [golden.frame for golden in GOLDEN]


def one(data: bytes) -> None:
    """A record or BadRecord; what is one has this frame and no other, and can be folded."""
    try:
        record = unpack(data)
    except BadRecord:
        return
    assert pack(record) == data
    kind = KINDS.get(record.kind)
    if kind is None:
        return
    try:
        body, _ = unpack_body(kind, record.body)
    except BadRecord:
        return
    told = Told(record, body, record.written_at, record.written_at + record.lifetime_s)
    fold(told, [told] if kind.changes else [])
