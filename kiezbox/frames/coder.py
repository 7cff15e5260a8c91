"""Bits that cost what they tell: a binary range coder, and small numbers of unknown spread in it.

Both directions are one description. ``Writer`` and ``Reader`` have the same two methods; each takes
the bit that is to be written and returns the bit that is there, so what is written once is read by
the same lines (a reader's caller passes anything).

The coder is that of LZMA without its first byte (which is always 0), with chances of sixteen bits
of which twelve are used, and with rates that fall with experience. docs/frames.md says it for C.
"""

from __future__ import annotations

from typing import Protocol

from kiezbox.frames.chances import MANTISSA, MORE, MOST_LEVEL, NOT_ZERO
from kiezbox.frames.header import BadFrame

__all__ = ["Chance", "Coder", "Differences", "Reader", "Writer", "gamma", "level_of"]

_TOP = 1 << 24
_FULL = (1 << 32) - 1

#: Experience of a chance that was never used, and at most: the older ones fade.
_BEGIN, _KNOWING = 12, 40

#: Longer runs of "more" go on as a number.
_RUN_MOST = 12


class Chance:
    """How likely a bit is 1, in 1/65536, and how sure of it we are."""

    __slots__ = ("of_one", "uses")

    def __init__(self, of_256: int, uses: int = _BEGIN) -> None:
        self.of_one = of_256 << 8
        self.uses = uses

    def _learn(self, bit: int) -> None:
        if bit:
            self.of_one += (65536 - self.of_one) // self.uses
        else:
            self.of_one -= self.of_one // self.uses
        if self.uses < _KNOWING:
            self.uses += 1

    def _share(self, span: int) -> int:
        return (span >> 12) * max(32, min(4064, self.of_one >> 4))


class Coder(Protocol):
    """A ``Writer`` or a ``Reader``."""

    def bit(self, chance: Chance, bit: int) -> int:
        """One bit; the chance learns from it."""
        ...

    def direct(self, width: int, number: int) -> int:
        """So many bits, all equally likely, the highest first."""
        ...


class Writer:
    """Bits into bytes."""

    def __init__(self) -> None:
        self._low, self._span, self._bytes = 0, _FULL, 4

    def bit(self, chance: Chance, bit: int) -> int:
        share = chance._share(self._span)
        self._take(share, bit)
        chance._learn(bit)
        return bit

    def direct(self, width: int, number: int) -> int:
        if not 0 <= number < 1 << width:
            raise ValueError(f"{number} does not fit into {width} bits")
        for place in range(width - 1, -1, -1):
            self._take(self._span >> 1, number >> place & 1)
        return number

    def _take(self, share: int, bit: int) -> None:
        if bit:
            self._span = share
        else:
            self._low += share
            self._span -= share
        while self._span < _TOP:
            self._span <<= 8
            self._low <<= 8
            self._bytes += 1

    def getvalue(self) -> bytes:
        """The shortest bytes that say it: zeros at the end are left out."""
        for width in range(8 * self._bytes, -1, -1):
            rounded = (self._low + (1 << width) - 1) >> width << width
            if rounded < self._low + self._span:
                return rounded.to_bytes(self._bytes, "big").rstrip(b"\0")
        raise AssertionError("the span holds at least one number")


class Reader:
    """Bits out of bytes; behind their end it reads zeros."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at, self._span = data, 4, _FULL
        self._code = int.from_bytes(data[:4].ljust(4, b"\0"), "big")
        if self._code == _FULL:
            raise BadFrame("bits that nothing writes")

    def bit(self, chance: Chance, bit: int) -> int:
        bit = self._take(chance._share(self._span))
        chance._learn(bit)
        return bit

    def direct(self, width: int, number: int) -> int:
        number = 0
        for _ in range(width):
            number = number << 1 | self._take(self._span >> 1)
        return number

    def _take(self, share: int) -> int:
        if self._code < share:
            bit, self._span = 1, share
        else:
            bit, self._span = 0, self._span - share
            self._code -= share
        while self._span < _TOP:
            self._span <<= 8
            following = self._data[self._at] if self._at < len(self._data) else 0
            self._code = self._code << 8 | following
            self._at += 1
        return bit

    def end(self) -> None:
        """All bytes must have been used, and none be left out in vain.

        Raises:
            BadFrame: there are more, or zeros at the end that a writer leaves out.
        """
        if self._at < len(self._data) or self._data.endswith(b"\0"):
            raise BadFrame("a frame with something behind its end")


def gamma(coder: Coder, number: int, width: int = 5) -> int:
    """A number from 0 on: first how many bits it has (in ``width`` bits), then those."""
    size = coder.direct(width, number.bit_length())
    if size < 2:
        return size
    return 1 << size - 1 | coder.direct(size - 1, number & (1 << size - 1) - 1)


def level_of(spread: int) -> int:
    """In half octaves, how large differences are: 7 where they are 1 in the mean, 9 where 2.

    ``spread``: mean of the differences' sizes, in 1/256.

    >>> [level_of(n) for n in (0, 128, 256, 384, 512)]
    [0, 5, 7, 8, 9]
    """
    sixteenths = spread >> 4
    if sixteenths < 2:
        return 0
    place = sixteenths.bit_length() - 1
    return min(MOST_LEVEL, 2 * place - 1 + (sixteenths >> place - 1 & 1))


class Differences:
    """Signed numbers around 0, with chances that are those of their spread (Rice's code, but every
    bit of it costs what it tells).
    """

    def __init__(self) -> None:
        self._chances: dict[tuple[int, int], Chance] = {}

    def one(self, coder: Coder, number: int, spread: int) -> int:
        """``number`` is about as large as ``spread`` / 256."""
        level = level_of(spread)
        if not coder.bit(self._chance(level, 0), int(number != 0)):
            return 0
        is_negative = coder.direct(1, int(number < 0))
        size = self._size(coder, max(0, abs(number) - 1), level) + 1
        return -size if is_negative else size

    def _size(self, coder: Coder, size: int, level: int) -> int:
        width = max(0, level - 7 >> 1)
        run = 0
        while run < _RUN_MOST and coder.bit(
            self._chance(level, 1 + min(run, 3)), int(size >> width > run)
        ):
            run += 1
        if run == _RUN_MOST:
            run += gamma(coder, max(0, (size >> width) - _RUN_MOST))
        rest = 0
        if width:
            highest = coder.bit(self._chance(level, 5), size >> width - 1 & 1)
            rest = highest << width - 1 | coder.direct(width - 1, size & (1 << width - 1) - 1)
        return run << width | rest

    def _chance(self, level: int, what: int) -> Chance:
        found = self._chances.get((level, what))
        if found is None:
            table = NOT_ZERO if what == 0 else MANTISSA if what == 5 else MORE[what - 1]
            found = self._chances[level, what] = Chance(table[level])
        return found
