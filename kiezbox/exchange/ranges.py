"""Sets of whole numbers that come mostly in rows: which numbers of a box somebody holds.

A box counts its records from 1, so whoever has them all has one range, however many there are. What
was lost on the way are holes between ranges.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator

__all__ = ["Ranges"]


class Ranges:
    """A set of whole numbers, kept as ranges. Changes in place only by ``add`` and ``update``.

    >>> held = Ranges([(1, 5), (8, 9)])
    >>> held.add(6)
    >>> held, len(held), 7 in held
    (Ranges([(1, 6), (8, 9)]), 8, False)
    >>> Ranges([(1, 9)]) - held
    Ranges([(7, 7)])
    """

    __slots__ = ("_firsts", "_lasts")

    def __init__(self, pairs: Iterable[tuple[int, int]] = ()) -> None:
        """``pairs``: first and last of each range, both in it; in any order, touching or not."""
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        for first, last in pairs:
            self.add(first, last)

    def add(self, first: int, last: int | None = None) -> None:
        """One number, or all from ``first`` to ``last``; nothing if ``last`` is smaller."""
        last = first if last is None else last
        if last < first:
            return
        # Whatever overlaps or touches becomes one.
        begin = bisect_left(self._lasts, first - 1)
        end = bisect_right(self._firsts, last + 1)
        if begin < end:
            first = min(first, self._firsts[begin])
            last = max(last, self._lasts[end - 1])
        self._firsts[begin:end] = [first]
        self._lasts[begin:end] = [last]

    def update(self, other: Ranges) -> None:
        """All of another's."""
        for first, last in other.pairs():
            self.add(first, last)

    def pairs(self) -> Iterator[tuple[int, int]]:
        """First and last of each range, upwards; none touches the next."""
        return zip(self._firsts, self._lasts, strict=True)

    @property
    def count(self) -> int:
        """How many ranges."""
        return len(self._firsts)

    @property
    def newest(self) -> int:
        """The highest number; 0 if there is none."""
        return self._lasts[-1] if self._lasts else 0

    @property
    def oldest(self) -> int:
        """The lowest number; 0 if there is none."""
        return self._firsts[0] if self._firsts else 0

    def holes(self) -> Ranges:
        """What is missing below ``newest``, counting from 1."""
        return Ranges([(1, self.newest)]) - self

    def first_numbers(self, most: int) -> Ranges:
        """The lowest numbers, so many at most."""
        found = Ranges()
        for first, last in self.pairs():
            if most <= 0:
                break
            found.add(first, min(last, first + most - 1))
            most -= last - first + 1
        return found

    def first_ranges(self, most: int) -> Ranges:
        """The lowest ranges, so many at most."""
        found = Ranges()
        found._firsts, found._lasts = self._firsts[:most], self._lasts[:most]
        return found

    def last_ranges(self, most: int) -> Ranges:
        """The highest ranges, so many at most."""
        found = Ranges()
        found._firsts, found._lasts = self._firsts[-most:], self._lasts[-most:]
        return found

    def __contains__(self, number: int) -> bool:
        at = bisect_left(self._lasts, number)
        return at < len(self._firsts) and self._firsts[at] <= number

    def __iter__(self) -> Iterator[int]:
        for first, last in self.pairs():
            yield from range(first, last + 1)

    def __reversed__(self) -> Iterator[int]:
        for first, last in zip(reversed(self._firsts), reversed(self._lasts), strict=True):
            yield from range(last, first - 1, -1)

    def __len__(self) -> int:
        return sum(self._lasts) - sum(self._firsts) + len(self._firsts)

    def __bool__(self) -> bool:
        return bool(self._firsts)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Ranges):
            return NotImplemented
        return self._firsts == other._firsts and self._lasts == other._lasts

    __hash__ = None  # type: ignore[assignment]

    def __or__(self, other: Ranges) -> Ranges:
        found = self.copy()
        found.update(other)
        return found

    def __sub__(self, other: Ranges) -> Ranges:
        found = Ranges()
        for first, last in self.pairs():
            at = bisect_left(other._lasts, first)
            while at < len(other._firsts) and other._firsts[at] <= last:
                found.add(first, other._firsts[at] - 1)
                first = other._lasts[at] + 1
                at += 1
            found.add(first, last)
        return found

    def __and__(self, other: Ranges) -> Ranges:
        return self - (self - other)

    def copy(self) -> Ranges:
        """Another one with the same numbers."""
        return self.first_ranges(self.count)

    def __repr__(self) -> str:
        return f"Ranges({list(self.pairs())})"
