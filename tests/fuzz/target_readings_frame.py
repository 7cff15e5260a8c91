"""A frame of readings from the air, sealed by somebody of the Kiez who means no good."""

from __future__ import annotations

import json
from pathlib import Path

from kiezbox.frames import BadFrame, kind_of, sealed
from kiezbox.frames.readings import decode, encode

_KEY = bytes(range(32))
_VECTORS = Path(__file__).resolve().parents[2] / "docs" / "frames" / "readings.json"

SLOW = 5


def SEEDS() -> list[bytes]:
    vectors = json.loads(_VECTORS.read_text(encoding="utf-8"))
    return [bytes.fromhex(vector["frame"])[:-8] for vector in vectors]


def one(data: bytes) -> None:
    """A bad frame, or a block that this box could have sent itself."""
    data = data[:192]
    for frame in (data, sealed(data, _KEY)):
        try:
            kind_of(frame)
            block = decode(frame, _KEY)
        except BadFrame:
            continue
        assert decode(encode(block, _KEY), _KEY) == block
        assert all(one.value == one.value and one.at_ms >= 0 for one in block)
