"""What is larger than a frame, in blocks of which any so many are enough.

A systematic code: the first blocks are the thing itself, and each further one is a sum of them all,
in the field of 256 elements (polynomial x⁸ + x⁴ + x³ + x² + 1, as Reed-Solomon codes have it) by a
row of a Cauchy matrix, whose every square part can be inverted. So with any ``count`` blocks of all
there are, the thing is there, whichever were lost.

Source: Blömer and others, "An XOR-Based Erasure-Resilient Coding Scheme", 1995, section 3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kiezbox.frames.header import BadFrame

__all__ = ["MOST_BLOCKS", "block", "blocks_of", "joined"]

#: Blocks that a thing has, and blocks in all. A Cauchy matrix over this field has no more than 256
#: rows and columns together.
MOST_COUNT = 128
MOST_BLOCKS = 256


def _tables() -> tuple[list[int], list[int]]:
    """Powers of 2, twice round, and their exponents."""
    powers, exponents = [1] * 510, [0] * 256
    value = 1
    for exponent in range(255):
        powers[exponent] = powers[exponent + 255] = value
        exponents[value] = exponent
        value <<= 1
        if value > 255:
            value ^= 0x11D
    return powers, exponents


_POWERS, _EXPONENTS = _tables()


def blocks_of(thing: bytes, size_bytes: int) -> list[bytes]:
    """The thing in blocks of that size, the last one filled up with zeros.

    Raises:
        ValueError: it is empty, or has more blocks than there may be.
    """
    found = [
        thing[at : at + size_bytes].ljust(size_bytes, b"\0")
        for at in range(0, len(thing), size_bytes)
    ]
    if not 1 <= len(found) <= MOST_COUNT:
        raise ValueError(f"{len(found)} blocks; a thing has 1 to {MOST_COUNT}")
    return found


def block(parts: Sequence[bytes], index: int) -> bytes:
    """The block of this number: one of the parts, or from ``len(parts)`` on a sum of all.

    >>> parts = blocks_of(b"Wasser am Platz", 5)
    >>> block(parts, 1)
    b'r am '
    >>> joined(3, {1: block(parts, 1), 4: block(parts, 4), 9: block(parts, 9)}, 15)
    b'Wasser am Platz'
    """
    if index < len(parts):
        return parts[index]
    return _sum([_cauchy(index, column) for column in range(len(parts))], parts)


def joined(count: int, got: Mapping[int, bytes], size_bytes: int) -> bytes:
    """The thing of ``size_bytes``, from at least ``count`` blocks by their numbers.

    Raises:
        BadFrame: these cannot be blocks of one thing, or are too few.
    """
    chosen = sorted(got)[:count]
    sizes = {len(got[index]) for index in chosen}
    if len(chosen) < count or len(sizes) != 1 or not 1 <= count <= MOST_COUNT:
        raise BadFrame(f"{len(chosen)} of {count} blocks, of {len(sizes)} sizes")
    if not 0 <= chosen[0] <= chosen[-1] < MOST_BLOCKS or size_bytes > count * sizes.pop():
        raise BadFrame("blocks of which there is no thing")
    rows = [
        [int(index == column) for column in range(count)]
        if index < count
        else [_cauchy(index, column) for column in range(count)]
        for index in chosen
    ]
    parts = [_sum(row, [got[index] for index in chosen]) for row in _inverted(rows)]
    return b"".join(parts)[:size_bytes]


def _cauchy(row: int, column: int) -> int:
    """1 / (row + column) in the field; no row is a column."""
    return _POWERS[255 - _EXPONENTS[row ^ column]]


def _sum(factors: Sequence[int], parts: Sequence[bytes]) -> bytes:
    total = 0
    for factor, part in zip(factors, parts, strict=True):
        if factor:
            total ^= int.from_bytes(part.translate(_times(factor)), "big")
    return total.to_bytes(len(parts[0]), "big")


def _times(factor: int) -> bytes:
    """What each byte is when multiplied."""
    exponent = _EXPONENTS[factor]
    return bytes([0, *(_POWERS[exponent + _EXPONENTS[value]] for value in range(1, 256))])


def _inverted(rows: list[list[int]]) -> list[list[int]]:
    """Gauss and Jordan's way; every matrix of ``joined`` has an inverse."""
    size = len(rows)
    work = [[*row, *(int(n == place) for place in range(size))] for n, row in enumerate(rows)]
    for column in range(size):
        pivot = next(n for n in range(column, size) if work[n][column])
        work[column], work[pivot] = work[pivot], work[column]
        scale = _times(_POWERS[255 - _EXPONENTS[work[column][column]]])
        work[column] = [scale[value] for value in work[column]]
        for n in range(size):
            factor = work[n][column]
            if n != column and factor:
                scaled = _times(factor)
                work[n] = [
                    value ^ scaled[other]
                    for value, other in zip(work[n], work[column], strict=True)
                ]
    return [row[size:] for row in work]
