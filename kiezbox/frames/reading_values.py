"""What a body of readings says of its values: how far they can be believed, and the numbers.

As ``reading_bits``: whole numbers, one description for both directions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import gcd

from kiezbox.frames.coder import Chance, Coder, Differences
from kiezbox.frames.fields import BY_CODE, Field
from kiezbox.frames.header import BadFrame

__all__ = ["Body", "Flags", "Line", "at", "numbers"]

_GRAIN_MOST = 16


@dataclass
class Line:
    """One series: whole numbers per step; what is not there is None."""

    slot: int = 0
    code: int = 0
    numbers: Sequence[int | None] = ()
    flags: Sequence[int] = ()
    #: Of rows only, as ``numbers``.
    counters: Sequence[int | None] = ()

    @property
    def places(self) -> list[int]:
        return [n for n, number in enumerate(self.numbers) if number is not None]


@dataclass
class Body:
    """A block as whole numbers. ``base``: intervals since the epoch; ``boot``: of rows only."""

    is_means: bool = False
    is_fine: bool = False
    is_unsure: bool = False
    interval_s: int = 1
    steps: int = 1
    base: int = 0
    #: In 1/64 of the interval.
    phase: int = 0
    boot: int = 0
    lines: list[Line] = field(default_factory=list)
    names: dict[int, str] = field(default_factory=dict)


def at(numbers: Sequence[int | None], place: int) -> int:
    """The number at a step; 0 where there is none, as for a reader."""
    found = numbers[place] if place < len(numbers) else None
    return 0 if found is None else found


class Flags:
    """How far each value can be believed: mostly as the one before it, and as its neighbour."""

    def __init__(self) -> None:
        #: Whether all are the same, and which, by the flag that the series before had throughout
        #: (3: by turns).
        self._is_same = Chance(232, uses=4)
        self._same = [_Flag(230, 40), _Flag(128, 40), _Flag(128, 200), _Flag(160, 60)]
        #: By the flag before and that of the same sensor's last series at this step.
        self._next = [
            [_Flag(*(_STAYS if flag == 0 == beside else _TURNS[max(flag, beside)]))
             for beside in range(3)]
            for flag in range(3)
        ]  # fmt: skip
        self._before: tuple[int, int, list[int]] = (-1, 0, [])

    def one(self, coder: Coder, given: Line, slot: int, places: list[int], steps: int) -> list[int]:
        flags = [given.flags[n] for n in places] if given.flags else [0] * len(places)
        last_slot, last_same, beside = self._before
        found = [0] * steps
        if coder.bit(self._is_same, int(len(set(flags)) == 1)):
            same = self._same[last_same].one(coder, flags[0])
            for n in places:
                found[n] = same
            self._before = (slot, same, found)
            return found
        before = 0
        for n, flag in zip(places, flags, strict=True):
            neighbour = beside[n] if slot == last_slot and last_same == 3 else before
            before = found[n] = self._next[before][neighbour].one(coder, flag)
        self._before = (slot, 3, found)
        if len({found[n] for n in places}) == 1:
            raise BadFrame("flags by turns that are all the same")
        return found


#: In 1/256: that it is good; if not, that it is bad.
_STAYS = (240, 40)
_TURNS = ((240, 40), (50, 20), (50, 220))


class _Flag:
    """The chances of one flag."""

    def __init__(self, good: int, bad: int) -> None:
        self._good, self._bad = Chance(good, uses=5), Chance(bad, uses=5)

    def one(self, coder: Coder, flag: int) -> int:
        if coder.bit(self._good, int(flag == 0)):
            return 0
        return 1 + coder.bit(self._bad, int(flag == 2))


def numbers(
    coder: Coder, given: Sequence[int | None], places: list[int], code: int, there: Body
) -> list[int | None]:
    field = BY_CODE[code][1]
    highest = field.highest(is_fine=there.is_fine)
    fineness = field.fineness if there.is_fine else 1
    usual = field.number(field.usual, is_fine=there.is_fine) or 0
    values = [at(given, n) for n in places]
    first = usual + Differences().one(coder, values[0] - usual, int(256 * field.spread) * fineness)
    grain = gcd(*(value - first for value in values)) or 1
    if grain > _GRAIN_MOST:
        grain = 1
    if coder.bit(Chance(8 if there.is_means else 48), int(grain > 1)):
        if coder.bit(Chance(150), int(grain == 2)):
            grain = 2
        else:
            grain = coder.direct(4, grain - 1 & 15) + 1
        if grain == 1:
            raise BadFrame("a grain of one, written out")
    else:
        grain = 1
    course = _Course(_calm(field, there.interval_s) * fineness // grain)
    found: list[int | None] = [None] * there.steps
    found[places[0]] = first
    for n, place in enumerate(places[1:], 1):
        found[place] = first + grain * course.one(coder, (values[n] - first) // grain)
    for number in found:
        if number is not None and not 0 <= number <= highest:
            raise BadFrame("a number outside its field")
    return found


def _calm(field: Field, interval_s: int) -> int:
    """How much it changes from step to step, in 1/256 of a step."""
    if interval_s <= 120:
        return int(256 * field.calm)
    return int(256 * field.calm_ten) * (1 if interval_s < 3600 else 2)


class _Course:
    """The numbers of one series after its first, which is 0 here: each is guessed from those
    before, by the last one or by their fading mean, whichever was nearer so far.
    """

    def __init__(self, spread: int) -> None:
        self._spread, self._weight = spread, 3
        self._last = 0
        #: The mean, in 1/256; and how far both guesses were off, in 1/16, the older ones fading.
        self._mean = self._off_last = self._off_mean = 0
        self._differences = Differences()

    def one(self, coder: Coder, number: int) -> int:
        mean = self._mean + 128 >> 8
        guess = mean if self._off_mean < self._off_last else self._last
        difference = self._differences.one(coder, number - guess, self._spread)
        number = guess + difference
        self._off_last += (abs(number - self._last) << 4) - (self._off_last >> 4)
        self._off_mean += (abs(number - mean) << 4) - (self._off_mean >> 4)
        self._mean += ((number << 8) - self._mean) * 3 >> 3
        self._last = number
        self._weight = min(self._weight + 1, 12)
        change = (abs(difference) << 8) - self._spread
        self._spread += change // self._weight if change > 0 else -(-change // self._weight)
        return number
