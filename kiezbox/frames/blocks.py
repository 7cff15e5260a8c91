"""What is larger than a frame, in frames of which any so many are enough (``erasure``).

=======  =====================================================================
bytes    meaning
=======  =====================================================================
0        version and kind
1-4      which thing: the first of SHA-256 over a fixed prefix and the thing
5-6      how many bytes the thing has
7        the block's number, 0 to 255
8 …      the block: all blocks of a thing are of one length
last 8   the seal (``header``)
=======  =====================================================================

How many blocks the thing has is its bytes divided by a block's, rounded up. The first blocks are
the thing itself, zeros behind its end; each further one is a sum of them all.

A thing is one frame or several (``bundle``), each with its length in two bytes in front of it. No
block is in a block.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import NamedTuple

from kiezbox.frames.erasure import MOST_BLOCKS, MOST_COUNT, block, blocks_of, joined
from kiezbox.frames.header import SEAL_BYTES, BadFrame, Kind, first_byte, kind_of, sealed, unsealed

__all__ = ["DATA_BYTES", "MOST_THING_BYTES", "Gathering", "bundle", "count_of", "cut", "thing_id",
           "unbundle"]  # fmt: skip

ID_BYTES = 4
_HEAD_BYTES = 1 + ID_BYTES + 2 + 1

#: Of a block in a frame of 200 bytes (``kiezbox.frames.MOST_BYTES``).
DATA_BYTES = 200 - _HEAD_BYTES - SEAL_BYTES
MOST_THING_BYTES = MOST_COUNT * DATA_BYTES

_SALT = b"kiezbox thing 1\0"
_LENGTH_BYTES = 2

#: A thing that was whole is not gathered again as long as it is among the last so many.
_REMEMBERED = 64


def thing_id(thing: bytes) -> bytes:
    """Which thing it is: of 1,000 things at once two share an id with a chance of 1 in 8,600."""
    return sha256(_SALT + thing).digest()[:ID_BYTES]


def bundle(frames: Sequence[bytes]) -> bytes:
    """A thing made of frames.

    >>> unbundle(bundle([b"\\x24eins", b"\\x24zwei"]))
    [b'$eins', b'$zwei']

    Raises:
        ValueError: there is none, one is empty or a block, or together they are too long.
    """
    if not frames or any(not frame or kind_of(frame) == Kind.BLOCK for frame in frames):
        raise ValueError("a thing is made of one frame or more that are no blocks")
    thing = b"".join(len(frame).to_bytes(_LENGTH_BYTES, "big") + frame for frame in frames)
    if len(thing) > MOST_THING_BYTES:
        raise ValueError(f"a thing of {len(thing)} bytes; {MOST_THING_BYTES} is the most")
    return thing


def unbundle(thing: bytes) -> list[bytes]:
    """The frames of a thing.

    Raises:
        BadFrame: it is not made of whole frames, or one is of no kind that is known, or a block.
    """
    found, at = [], 0
    while at < len(thing):
        begin = at + _LENGTH_BYTES
        at = begin + int.from_bytes(thing[at:begin], "big")
        frame = thing[begin:at]
        if at > len(thing) or kind_of(frame) == Kind.BLOCK:
            raise BadFrame("a thing that is not made of whole frames")
        found.append(frame)
    return found


def count_of(size_bytes: int) -> int:
    """How many blocks a thing of so many bytes has, as ``cut`` makes them."""
    return -(-size_bytes // DATA_BYTES)


def cut(thing: bytes, key: bytes, numbers: Iterable[int] | None = None) -> list[bytes]:
    """The sealed frames of a thing, as alike in length as can be.

    ``numbers``: of the blocks that are wanted, 0 to 255; None: the thing itself and no more, which
    is ``range(count_of(len(thing)))``. Who sends anew after losses takes higher ones.

    Raises:
        ValueError: it is empty or too long, or a number is none of a block.
    """
    if not 1 <= len(thing) <= MOST_THING_BYTES:
        raise ValueError(f"a thing of {len(thing)} bytes; it has 1 to {MOST_THING_BYTES}")
    count = count_of(len(thing))
    parts = blocks_of(thing, -(-len(thing) // count))
    head = first_byte(Kind.BLOCK) + thing_id(thing) + len(thing).to_bytes(2, "big")
    found = []
    for number in range(len(parts)) if numbers is None else numbers:
        if not 0 <= number < MOST_BLOCKS:
            raise ValueError(f"{number} is no block's number")
        found.append(sealed(head + bytes((number,)) + block(parts, number), key))
    return found


class _Which(NamedTuple):
    """Blocks that agree in this are of one thing."""

    id: bytes
    size_bytes: int
    block_bytes: int

    @property
    def needed(self) -> int:
        return -(-self.size_bytes // self.block_bytes)


@dataclass(slots=True)
class _Begun:
    heard_at: float
    blocks: dict[int, bytes] = field(default_factory=dict)


class Gathering:
    """Blocks that came, until they are things. Bounded, whatever comes.

    ``most_things`` at once, ``most_bytes`` of blocks in all, and a thing of which nothing was heard
    for ``most_age_s`` is forgotten. Where there is no room, that one goes of which least is there:
    whoever invents things (which needs the Kiez's key) pushes out his own.
    """

    def __init__(
        self,
        key: bytes,
        *,
        most_things: int = 16,
        most_bytes: int = 128 * 1024,
        most_age_s: float = 6 * 3600,
    ) -> None:
        self._key = key
        self._most_things, self._most_bytes = most_things, most_bytes
        self._most_age_s = most_age_s
        self._begun: OrderedDict[_Which, _Begun] = OrderedDict()
        self._whole: OrderedDict[_Which, None] = OrderedDict()
        #: Bytes of all blocks that are kept.
        self.size_bytes = 0

    def missing(self) -> dict[bytes, int]:
        """Of each thing that has begun, by its id: how many blocks it still needs."""
        return {which.id: which.needed - len(one.blocks) for which, one in self._begun.items()}

    def take(self, frame: bytes, now_s: float) -> bytes | None:
        """The thing, if it is whole with this block; ``now_s``: monotonic.

        Raises:
            BadFrame: no block, or not of this Kiez; or it was enough, and some block was false:
                then all of that thing are dropped, and it may come again.
        """
        which, number, data = self._opened(frame)
        self._forget(now_s)
        if which in self._whole:
            return None
        one = self._begun.setdefault(which, _Begun(now_s))
        one.heard_at = now_s
        self._begun.move_to_end(which)
        if number not in one.blocks:
            one.blocks[number] = data
            self.size_bytes += len(data)
        if len(one.blocks) >= which.needed:
            return self._joined(which)
        while len(self._begun) > self._most_things or self.size_bytes > self._most_bytes:
            others = [each for each in self._begun if each != which] or [which]
            # Of equals the one that was not heard of for longest.
            self._drop(min(others, key=lambda each: len(self._begun[each].blocks)))
        return None

    def _opened(self, frame: bytes) -> tuple[_Which, int, bytes]:
        if kind_of(frame) != Kind.BLOCK:
            raise BadFrame("no block")
        inner = unsealed(frame, self._key)
        id_, size = inner[1 : 1 + ID_BYTES], int.from_bytes(inner[1 + ID_BYTES : 3 + ID_BYTES])
        data = inner[_HEAD_BYTES:]
        if not data or not 1 <= size <= len(data) * MOST_COUNT or size > MOST_THING_BYTES:
            raise BadFrame("a block of which there is no thing")
        return _Which(id_, size, len(data)), inner[_HEAD_BYTES - 1], data

    def _joined(self, which: _Which) -> bytes:
        blocks = self._begun[which].blocks
        self._drop(which)
        thing = joined(which.needed, blocks, which.size_bytes)
        if thing_id(thing) != which.id:
            raise BadFrame("blocks that together are not the thing they say")
        self._whole[which] = None
        if len(self._whole) > _REMEMBERED:
            self._whole.popitem(last=False)
        return thing

    def _forget(self, now_s: float) -> None:
        """What nothing was heard of for too long; the longest silent is the first."""
        while self._begun:
            which, one = next(iter(self._begun.items()))
            if now_s - one.heard_at <= self._most_age_s:
                break
            self._drop(which)

    def _drop(self, which: _Which) -> None:
        one = self._begun.pop(which)
        self.size_bytes -= sum(map(len, one.blocks.values()))
