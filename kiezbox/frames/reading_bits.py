"""The body of a frame of readings, as bits: one description for both directions (``coder``).

Everything here is a whole number. What a writer is given is right (``readings`` has seen to it);
what a reader finds is hostile, and every number of it is looked at before it is used. Work is
bounded by ``TRACKS_MOST`` × ``STEPS_MOST``, whatever the bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd

from kiezbox.frames.coder import Chance, Coder, Differences, gamma
from kiezbox.frames.fields import BY_CODE, SETS, SHORT_SETS
from kiezbox.frames.header import BadFrame
from kiezbox.frames.reading_values import Body, Flags, Line, at, numbers
from kiezbox.model import COUNTER_BITS

__all__ = ["INTERVALS", "STEPS_MOST", "TRACKS_MOST", "body", "span_s"]

STEPS_MOST, TRACKS_MOST, SLOTS = 64, 32, 32
BOOT_BITS, BOOT_STEP_S = 27, 10

#: Seconds between two steps, and how many steps are usual then. Others are written out.
INTERVALS = (
    (10, 60), (30, 60), (60, 60), (120, 30), (300, 12), (600, 6), (900, 8), (1200, 6), (1800, 6),
    (3600, 24), (7200, 12), (10800, 8), (21600, 8), (43200, 14), (86400, 7),
)  # fmt: skip
_INTERVAL_BITS, _WRITTEN_OUT = 17, 15
#: Other numbers of steps that are written shortly.
_STEPS = (6, 12, 24, 30, 36, 48, 60)
_USUAL_OF_ROWS, _USUAL_OF_MEANS = 2, 5

#: Letters of a sensor's name, six bits each.
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789_"

_NO_SET = SHORT_SETS + 15
_MASK_BITS = 32


def span_s(is_unsure: bool) -> int:
    """So many seconds from the epoch on have a time: 34 years from 2025, or 136 from 1970."""
    return 1 << 32 if is_unsure else 1 << 30


def body(coder: Coder, given: Body) -> Body:
    """Write ``given``, or read what is there (``given``: an empty ``Body``)."""
    there = _head(coder, given)
    there.lines = _list_of_lines(coder, given.lines)
    if coder.bit(Chance(24), int(bool(given.names))):
        there.names = _names(coder, there.lines, given.names)
    places = _Places()
    of_lines = [
        places.one(coder, _given(given, n).numbers, there.steps) for n in range(len(there.lines))
    ]
    if not there.is_means:
        _ids(coder, given, there, of_lines)
    flags = Flags()
    for n, line in enumerate(there.lines):
        mine = _given(given, n)
        line.flags = flags.one(coder, mine, line.slot, of_lines[n], there.steps)
    for n, line in enumerate(there.lines):
        line.numbers = numbers(coder, _given(given, n).numbers, of_lines[n], line.code, there)
    return there


def _given(given: Body, n: int) -> Line:
    return given.lines[n] if n < len(given.lines) else Line()


# --- what, when --------------------------------------------------------------------------------


def _head(coder: Coder, given: Body) -> Body:
    is_means = coder.bit(Chance(128), int(given.is_means))
    is_fine = coder.bit(Chance(16), int(given.is_fine))
    is_unsure = coder.bit(Chance(16), int(given.is_unsure))
    known = [interval_s for interval_s, _ in INTERVALS]
    index = known.index(given.interval_s) if given.interval_s in known else _WRITTEN_OUT
    usual_index = _USUAL_OF_MEANS if is_means else _USUAL_OF_ROWS
    if coder.bit(Chance(160), int(index == usual_index)):
        index = usual_index
    else:
        index = coder.direct(4, index)
        if index == usual_index:
            raise BadFrame("a usual interval, written out")
    if index == _WRITTEN_OUT:
        interval_s = coder.direct(_INTERVAL_BITS, given.interval_s)
        if not interval_s or interval_s in known:
            raise BadFrame(f"an interval of {interval_s} s, written out")
        usual = 0
    else:
        interval_s, usual = INTERVALS[index]
    if coder.bit(Chance(160), int(given.steps == usual)):
        steps = usual
    else:
        steps = _STEPS.index(given.steps) if given.steps in _STEPS else len(_STEPS)
        steps = coder.direct(3, steps)
        steps = _STEPS[steps] if steps < len(_STEPS) else coder.direct(6, given.steps - 1 & 63) + 1
    highest = (span_s(bool(is_unsure)) - 1) // interval_s
    base = coder.direct(highest.bit_length(), given.base)
    if not steps or base > highest:
        raise BadFrame("a block of no steps, or of no time")
    phase = coder.direct(6, given.phase) if coder.bit(Chance(32), int(given.phase > 0)) else 0
    return Body(bool(is_means), bool(is_fine), bool(is_unsure), interval_s, steps, base, phase)


def _list_of_lines(coder: Coder, given: Sequence[Line]) -> list[Line]:
    slots = sorted({line.slot for line in given})
    found: list[Line] = []
    more, following, expected, count = Chance(200), Chance(224), 0, 0
    while count == 0 or coder.bit(more, int(count < len(slots))):
        slot = slots[count] if count < len(slots) else 0
        if not coder.bit(following, int(slot == expected)):
            slot = coder.direct(5, slot)
            if slot <= expected:
                raise BadFrame("sensors that are not in order")
        else:
            slot = expected
        if slot >= SLOTS:
            raise BadFrame("more sensors than there can be")
        codes = _codes(coder, tuple(line.code for line in given if line.slot == slot))
        found += [Line(slot, code) for code in codes]
        if len(found) > TRACKS_MOST:
            raise BadFrame(f"more than {TRACKS_MOST} series")
        expected, count = slot + 1, count + 1
    return found


def _codes(coder: Coder, codes: tuple[int, ...]) -> tuple[int, ...]:
    index = SETS.index(codes) if codes in SETS else _NO_SET
    short = coder.direct(3, min(index, SHORT_SETS))
    if short < SHORT_SETS:
        return SETS[short]
    index = coder.direct(4, index - SHORT_SETS) + SHORT_SETS
    if index < len(SETS):
        return SETS[index]
    if index != _NO_SET:
        raise BadFrame("a set of quantities that this box does not know")
    mask = coder.direct(_MASK_BITS, sum(1 << code - 1 for code in codes))
    codes = tuple(code for code in range(1, _MASK_BITS + 1) if mask >> code - 1 & 1)
    if not codes or codes in SETS:
        raise BadFrame("a set of quantities that is written otherwise")
    for code in codes:
        if code not in BY_CODE:
            raise BadFrame(f"a quantity {code} that this box does not know")
    return codes


def _names(coder: Coder, lines: Sequence[Line], given: dict[int, str]) -> dict[int, str]:
    found: dict[int, str] = {}
    for slot in dict.fromkeys(line.slot for line in lines):
        name = given.get(slot, "")
        length = coder.direct(5, len(name))
        letters = []
        for n in range(length):
            index = coder.direct(6, LETTERS.index(name[n]) if n < len(name) else 0)
            if index >= len(LETTERS):
                raise BadFrame("a name with a letter that is none")
            letters.append(LETTERS[index])
        if letters:
            found[slot] = "".join(letters)
    if not found:
        raise BadFrame("names without a name")
    return found


class _Places:
    """Which steps a series has."""

    def __init__(self) -> None:
        self._all, self._every = Chance(240), Chance(100)
        #: Whether a step is there, after one that is not, after one that is.
        self._next = (Chance(60), Chance(235))

    def one(self, coder: Coder, numbers: Sequence[int | None], steps: int) -> list[int]:
        there = [n for n, number in enumerate(numbers) if number is not None]
        if coder.bit(self._all, int(len(there) == steps)):
            return list(range(steps))
        every = (gcd(*(n - there[0] for n in there)) or steps) if there else 1
        first = there[0] % every if there else 0
        if coder.bit(self._every, int(every > 1)):
            every = coder.direct(6, every - 1 & 63) + 1
            first = coder.direct(6, first)
            if every == 1 or first >= every:
                raise BadFrame("a rhythm that is none")
        else:
            every, first = 1, 0
        found, before = [], 1
        for n in range(first, steps, every):
            before = coder.bit(self._next[before], int(n in there))
            if before:
                found.append(n)
        if not found:
            raise BadFrame("a series without a value")
        return found


# --- ids ---------------------------------------------------------------------------------------


def _ids(coder: Coder, given: Body, there: Body, places: Sequence[list[int]]) -> None:
    """Boot, and of every row the counter: a straight line per series, and where it bends."""
    start_s = there.base * there.interval_s
    age = start_s // BOOT_STEP_S - given.boot
    if coder.bit(Chance(240), int(0 <= age and not there.is_unsure)):
        age = gamma(coder, age)
        there.boot = start_s // BOOT_STEP_S - age
    else:
        there.boot, age = coder.direct(BOOT_BITS, given.boot), 0
    if not 0 <= there.boot < 1 << BOOT_BITS:
        raise BadFrame("a start of the node before there were any")
    stride = gamma(coder, _stride(given.lines))
    # As many rows since the node's start as now: what is written is how far off that is.
    expected = age * BOOT_STEP_S * stride // there.interval_s
    bends = _Bends(stride)
    offsets = Differences()
    for n, line in enumerate(there.lines):
        counters = _given(given, n).counters
        first = at(counters, places[n][0]) - places[n][0] * stride
        if n == 0:
            is_less = coder.direct(1, int(first < expected))
            off = gamma(coder, abs(first - expected), 6)
            if is_less and not off:
                raise BadFrame("a nought with a sign")
            first = expected - off if is_less else expected + off
        else:
            first = expected + offsets.one(coder, first - expected, 128)
        line.counters = bends.one(coder, counters, places[n], first, there.steps)
        expected = first + 1


def _stride(lines: Sequence[Line]) -> int:
    """Rows between two steps: the most frequent of all series."""
    seen: dict[int, int] = {}
    for line in lines:
        for one, following in zip(line.places, line.places[1:], strict=False):
            stride = (at(line.counters, following) - at(line.counters, one)) // (following - one)
            seen[stride] = seen.get(stride, 0) + 1
    return min(max(0, max(seen, key=lambda n: (seen[n], -n), default=0)), (1 << 31) - 1)


class _Bends:
    """Counters that leave the straight line, mostly all series of a box at once."""

    def __init__(self, stride: int) -> None:
        self._stride = stride
        self._is_like = Chance(224)
        self._differences = Differences()
        #: How far the series before was off its line, at every step.
        self._before: list[int] | None = None

    def one(
        self, coder: Coder, given: Sequence[int | None], places: list[int], first: int, steps: int
    ) -> list[int | None]:
        before = self._before or [0] * steps
        start = places[0]
        offs = [at(given, n) - first - n * self._stride for n in places]
        likes = [before[n] - before[start] for n in places]
        found = likes
        if not coder.bit(self._is_like, int(offs == likes)):
            found = [0]
            for n in range(1, len(places)):
                like = likes[n] - likes[n - 1]
                step = offs[n] - offs[n - 1] - like
                found.append(found[-1] + like + self._differences.one(coder, step, 64))
        counters: list[int | None] = [None] * steps
        self._before, off = [], 0
        for n in range(steps):
            if n in places:
                off = found[places.index(n)]
                counter = counters[n] = first + n * self._stride + off
                if not 0 <= counter < 1 << COUNTER_BITS:
                    raise BadFrame("a counter that no row has")
            self._before.append(off)
        return counters
