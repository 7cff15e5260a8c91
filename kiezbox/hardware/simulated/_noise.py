"""What a disturbed line does to bytes, whatever goes over it."""

from __future__ import annotations

import random

__all__ = ["one_bit_flipped"]


def one_bit_flipped(data: bytes, chance: random.Random) -> bytes:
    """The same with one bit the other way; nothing is nothing."""
    if not data:
        return data
    flipped = bytearray(data)
    bit = chance.randrange(8 * len(data))
    flipped[bit // 8] ^= 1 << bit % 8
    return bytes(flipped)
