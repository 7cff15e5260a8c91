"""Bodies of every kind, and what is folded of them and shown."""

from __future__ import annotations

import json

from records.golden import BOX, GOLDEN, STAMP

from kiezbox.records import KINDS, BadRecord, Record, Ref, pack_body, unpack_body
from kiezbox.records.folds import Told, fold

_NUMBERS = sorted(KINDS)


def _record(number: int, body: bytes, sequence: int = 1) -> Record:
    kind = KINDS[number]
    return Record(BOX, sequence, STAMP, number, kind.priority, 1, 3600, True, body)


def _seed(number: int) -> bytes:
    kind = KINDS[number]
    values = {
        "text": "Text", "bytes": b"\x01" * 8, "count": 1, "ref": Ref(BOX, 1), "codes": [1, 2],
        "parameters": {"place": "Platz"},
    }  # fmt: skip
    fields = {field.name: values[field.type] for field in kind.fields}
    return bytes([_NUMBERS.index(number)]) + pack_body(kind, fields)


SEEDS = [_seed(number) for number in _NUMBERS]


def one(data: bytes) -> None:
    """The first byte chooses the kind. Fields or BadRecord; what can be used is folded into a thing
    that can be kept: as a first word, and as a change of a post.
    """
    if not data:
        return
    number = _NUMBERS[data[0] % len(_NUMBERS)]
    kind, packed = KINDS[number], data[1:]
    try:
        body, _ = unpack_body(kind, packed)
    except BadRecord:
        return
    told = Told(_record(number, packed), body, 1.0, 3601.0)
    if kind.changes:
        fields = GOLDEN[0].fields
        first = Told(_record(7, pack_body(KINDS[7], fields), 2), fields, 0.5, 3600.5)
        thing = fold(first, [told])
    else:
        thing = fold(told, [])
    if thing is not None:
        json.dumps(thing.data)
        assert isinstance(thing.text, str) and isinstance(thing.lookup, bytes)
        assert thing.written_at <= thing.changed_at
        thing.text.encode()
