"""What does not fit a frame, in blocks (``frames.erasure``), and what was a thing, from them.

Frames of kind 7:

=======  =====================================================================
bytes    meaning
=======  =====================================================================
0        version and kind
1-4      who sends it: origin id
5-8      the thing's: BLAKE2b, digest of four bytes, unkeyed
9        how many blocks are enough, less one
10       the block's number
11-12    the thing's size
13       what it is: 0: a frame of another kind, 1: a proof and a record
14 …     the block; the last one of the thing is filled up with zeros
last 8   the seal
=======  =====================================================================

All blocks of a thing have one size. Numbers from the count on are sums (``erasure.block``).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from enum import IntEnum
from hashlib import blake2b
from typing import NamedTuple

from kiezbox.frames import MOST_BYTES, BadFrame, Kind, origin_id, sealed, unsealed
from kiezbox.frames.erasure import MOST_BLOCKS, block, blocks_of, joined
from kiezbox.frames.header import SEAL_BYTES, first_byte
from kiezbox.frames.messages import Named

__all__ = ["Blocks", "Thing", "What", "blocks_needed", "cut"]

_HEAD_BYTES = 14
MOST_PART = MOST_BYTES - _HEAD_BYTES - SEAL_BYTES

#: Blocks more than are needed, so that one is lost and nobody need ask.
_MORE = 0.2

#: Things that are waited for at once, of all and of one box; how many bytes they may have; how
#: long. Those that are whole are remembered, so many.
MOST_THINGS, MOST_OF_ONE, MOST_TABLE_BYTES, MOST_AGE_S = 16, 4, 1 << 18, 3600.0
MOST_DONE = 64


class What(IntEnum):
    """What a thing is."""

    FRAME = 0
    BODY = 1


class Thing(NamedTuple):
    """Something that came whole."""

    sender: str
    what: What
    data: bytes


def blocks_needed(size_bytes: int) -> int:
    """How many blocks a thing has."""
    return -(-size_bytes // MOST_PART)


def cut(
    thing: bytes, what: What, sender: str, key: bytes, *, first: int = 0
) -> Iterator[tuple[int, bytes]]:
    """Sealed frames with their blocks' numbers, from ``first`` on: those that are enough, and some
    more. Who sends the thing again goes on where he was.

    Raises:
        ValueError: it is empty, or too large.
    """
    count = blocks_needed(len(thing))
    parts = blocks_of(thing, -(-len(thing) // max(1, count)))
    head = (
        first_byte(Kind.BLOCK) + origin_id(sender) + _id_of(thing) + bytes((len(parts) - 1,))
    )  # fmt: skip
    tail = len(thing).to_bytes(2, "big") + bytes((what,))
    for turn in range(count + max(1, round(count * _MORE))):
        index = (first + turn) % MOST_BLOCKS
        yield index, sealed(head + bytes((index,)) + tail + block(parts, index), key)


class _Waiting:
    __slots__ = ("blocks", "size", "since")

    def __init__(self, size: int, since: float) -> None:
        self.blocks: dict[int, bytes] = {}
        self.size, self.since = size, since


class _Key(NamedTuple):
    """All that blocks of one thing share."""

    sender: str
    id: bytes
    enough: int
    size: int
    what: What
    part_bytes: int


class Blocks:
    """The table of things that are not whole yet. Bounded, whatever comes."""

    def __init__(self, key: bytes, named: Named) -> None:
        self._key, self._named = key, named
        self._waiting: OrderedDict[_Key, _Waiting] = OrderedDict()
        self._done: OrderedDict[_Key, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._waiting)

    def take(self, frame: bytes, now: float) -> Thing | None:
        """The thing, if this block makes it whole.

        Raises:
            BadFrame: not sealed by this Kiez, from nobody of it, or no block; or the blocks of this
                thing were not all of it, and have gone.
        """
        found, index, part = self._read(frame)
        if found in self._done:
            return None
        for old in [key for key, each in self._waiting.items() if now - each.since > MOST_AGE_S]:
            del self._waiting[old]
        waiting = self._waiting.get(found)
        if waiting is None:
            self._make_room(found)
            waiting = self._waiting[found] = _Waiting(found.enough * found.part_bytes, now)
        self._waiting.move_to_end(found)
        waiting.blocks.setdefault(index, part)
        if len(waiting.blocks) < found.enough:
            return None
        del self._waiting[found]
        data = joined(found.enough, waiting.blocks, found.size)
        if _id_of(data) != found.id:
            raise BadFrame("blocks that make no whole")
        self._done[found] = None
        if len(self._done) > MOST_DONE:
            self._done.popitem(last=False)
        return Thing(found.sender, found.what, data)

    def _read(self, frame: bytes) -> tuple[_Key, int, bytes]:
        inner = unsealed(frame, self._key)
        if len(inner) <= _HEAD_BYTES or inner[:1] != first_byte(Kind.BLOCK):
            raise BadFrame("a block that was cut short")
        sender = self._named(inner[1:5])
        if sender is None:
            raise BadFrame("a block of a box that is not of this Kiez")
        count, index, part = inner[9] + 1, inner[10], inner[_HEAD_BYTES:]
        size = int.from_bytes(inner[11:13], "big")
        if inner[13] >= len(What) or count != blocks_needed(size):
            raise BadFrame("a block of nothing that this box knows")
        if len(part) != -(-size // count):
            raise BadFrame("a block of another size")
        return _Key(sender, inner[5:9], count, size, What(inner[13]), len(part)), index, part

    def _make_room(self, found: _Key) -> None:
        of_one = [key for key in self._waiting if key.sender == found.sender]
        if len(of_one) >= MOST_OF_ONE:
            del self._waiting[of_one[0]]
        size = found.enough * found.part_bytes
        while self._waiting and (
            len(self._waiting) >= MOST_THINGS
            or size + sum(each.size for each in self._waiting.values()) > MOST_TABLE_BYTES
        ):
            self._waiting.popitem(last=False)


def _id_of(thing: bytes) -> bytes:
    return blake2b(thing, digest_size=4).digest()
