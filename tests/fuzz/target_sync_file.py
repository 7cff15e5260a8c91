"""The file of ``kiezbox sync``: a stick that was anybody's."""

from __future__ import annotations

from io import BytesIO

from records.golden import GOLDEN

from kiezbox.exchange import Item
from kiezbox.peers.stick import BadFile, Stick, write
from kiezbox.records import MOST_FRAME, Ref


def _file(count: int) -> bytes:
    out = BytesIO()
    items = [Item(Ref("kb-a", 1), 5, bytes(64) + golden.frame) for golden in GOLDEN[:count]]
    assert sum(1 for _ in write(out, "kb-a", 1_780_000_000, items)) == len(items)
    return out.getvalue()


SEEDS = [_file(0), _file(1), _file(3)]


def one(data: bytes) -> None:
    """BadFile, or records of a length that can be; and a whole file is these and nothing else."""
    try:
        stick = Stick(BytesIO(data))
    except BadFile:
        return
    bodies = list(stick)
    assert all(64 <= len(body) <= 64 + MOST_FRAME for body in bodies)
    assert stick.read_bytes <= len(data)
