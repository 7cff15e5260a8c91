"""How long frames of what boxes say of their holdings are, without packing them: a box tries many
digests before it says one. ``tests/city`` holds this against ``frames.pack_message``.
"""

from __future__ import annotations

from kiezbox.exchange import Digest, Give, Message, Ranges, Want
from kiezbox.frames import MOST_BYTES

__all__ = ["fits", "frame_bytes"]

#: Version and kind, sender, seal.
_AROUND_BYTES = 1 + 4 + 8
_ID_BITS = 32


def fits(message: Message) -> bool:
    """Whether it is one frame: a record is one for itself."""
    if isinstance(message, Give) and len(message.items) > 1:
        return False
    return frame_bytes(message) <= MOST_BYTES


def frame_bytes(message: Message) -> int:
    """As long as what ``frames.pack_message`` makes of it; a record's own frame."""
    if isinstance(message, Give):
        return len(message.items[0].body)
    if isinstance(message, Digest):
        bits = 48
        for _, floor, newest, holes in message.entries:
            # Twice the bits of each number and 1, less one: ``_gamma``, three times.
            bits += _ID_BITS + 2 * (newest + 1).bit_length() + 2 * (newest - floor + 1).bit_length()
            bits += 2 * (holes.count + 1).bit_length() - 3
            if holes:
                bits += _ranges(holes, floor - 1)
    else:
        bits = _ID_BITS if isinstance(message, Want) else 0
        for _, numbers in message.entries:
            bits += _ID_BITS + _gamma(numbers.count - 1) + _ranges(numbers, 0)
    return _AROUND_BYTES + (bits + 7) // 8


def _gamma(value: int) -> int:
    return 2 * (value + 1).bit_length() - 1


def _ranges(numbers: Ranges, above: int) -> int:
    bits = 0
    for first, last in numbers.pairs():
        bits += _gamma(first - above - 1) + _gamma(last - first)
        above = last
    return bits
