"""What became of a sensor's days: how many values were good, suspect, bad or missing, and why.

Missing is what was expected and is not there. How often a sensor was meant to be read on some day
of the past is not stored, so: it is what kiezbox.toml says now, unless the day itself speaks
against it. Nine tenths of its pauses within a tenth of one length, and that longer, are a rhythm
that somebody had set; a shorter rhythm always counts, because nothing is read more often than told.
In modes saving and dark a sensor is read more seldom, or not at all (kiezbox/sparing.py): those
hours are expected and counted by themselves, and make no rhythm.
A day is expected from the first reading of the series on that was looked at, today until now.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import ceil
from typing import NamedTuple

from kiezbox.mode import Mode
from kiezbox.model import Fault, Flag, Series
from kiezbox.sparing import Stretch

__all__ = ["Day", "Days"]

#: So many readings at least show a rhythm.
RHYTHM_COUNT = 10
RHYTHM_SHARE, RHYTHM_WIDTH = 0.9, 0.1


class Day(NamedTuple):
    """One series' one day. ``starts_at`` is Unix seconds; None: nobody knows when that was."""

    series: Series
    starts_at: float | None
    good: int
    suspect: int
    bad: int
    missing: int
    #: Reason → so many values.
    reasons: Mapping[str, int]
    #: Kinds of the sensor's faults that were open in that day, where something is missing.
    faults: tuple[str, ...]
    #: The seconds between two readings that ``missing`` was counted with; 0: it was not.
    rhythm_s: float


class _Tally:
    """One series' one day, while it is counted: a few numbers, however many readings."""

    __slots__ = ("flags", "last_at", "pauses", "reasons", "spared")

    def __init__(self) -> None:
        self.flags = [0, 0, 0]
        self.reasons: Counter[str] = Counter()
        self.pauses: Counter[int] = Counter()
        self.last_at: float | None = None
        #: How many of them fell into hours in which the sensor was to be read more seldom.
        self.spared = 0


class Days:
    """Takes readings one by one, oldest first, and says what their days were."""

    def __init__(
        self,
        midnight: Callable[[float], tuple[float, float]],
        stretches: Sequence[Stretch] = (),
    ) -> None:
        """``midnight``: beginning and end of the day in which a moment lies, both Unix seconds;
        ``stretches``: when the box saved, oldest first.
        """
        self._midnight = midnight
        self._stretches = stretches
        self._begins = [stretch.begins_at for stretch in stretches]
        self._day = (0.0, 0.0)
        self._tallies: dict[tuple[Series, float | None], _Tally] = {}
        self._first_at: dict[Series, float] = {}
        self._last_at: dict[Series, float] = {}
        self._spared: Mapping[Mode, Mapping[str, float]] = {}

    def add(self, series: Series, at: float, flag: int, reason: str, *, is_sure: bool) -> None:
        """``is_sure``: the time is, from a clock that was right or was corrected."""
        day = self._start(at) if is_sure else None
        tally = self._tallies.get((series, day))
        if tally is None:
            tally = self._tallies[series, day] = _Tally()
        if not is_sure and flag == Flag.GOOD:
            flag, reason = Flag.SUSPECT, "clock-unsure"
        tally.flags[min(flag, 2)] += 1
        if flag:
            tally.reasons[reason or "unknown"] += 1
        if not is_sure:
            return
        self._first_at.setdefault(series, at)
        self._last_at[series] = at
        if self._is_spared(at):
            # What lies beside such an hour is no pause of the usual rhythm either.
            tally.spared += 1
            tally.last_at = None
            return
        if tally.last_at is not None:
            tally.pauses[round(at - tally.last_at)] += 1
        tally.last_at = at

    def _is_spared(self, at: float) -> bool:
        number = bisect_right(self._begins, at) - 1
        return number >= 0 and at < self._stretches[number].ends_at

    def _start(self, at: float) -> float:
        if not self._day[0] <= at < self._day[1]:
            self._day = self._midnight(at)
        return self._day[0]

    def report(
        self,
        since: float,
        now: float,
        intervals: Mapping[str, float],
        faults: Iterable[Fault] = (),
        spared: Mapping[Mode, Mapping[str, float]] | None = None,
    ) -> list[Day]:
        """Every day from that of ``since`` on, oldest first; days of unknown time come last.

        ``intervals``: sensor → seconds between two readings, of those that are read today;
        ``spared``: the same in each mode that ``stretches`` names, 0 where it is not read then.
        """
        known = list(faults)
        self._spared = spared or {}
        found = []
        for series in sorted(self._first_at):
            interval_s = intervals.get(series.sensor, 0.0)
            start, end = self._midnight(max(since, self._first_at[series]))
            last = now if interval_s else self._last_at[series]
            while start <= last:
                found.append(self._day_of(series, start, min(end, last), interval_s, known))
                start, end = self._midnight(end + 1)
        found.sort(key=lambda day: (day.starts_at or 0.0, day.series))
        unknown = [(series, None) for series, day in self._tallies if day is None]
        return found + [self._counted(key, 0, (), 0.0) for key in sorted(unknown)]

    def _day_of(
        self, series: Series, start: float, end: float, interval_s: float, faults: list[Fault]
    ) -> Day:
        tally = self._tallies.get((series, start)) or _Tally()
        rhythm_s = _rhythm(tally.pauses, interval_s)
        begin = max(start, self._first_at[series])
        edges, spared_s, spared_count = self._seldom(series.sensor, begin, end, rhythm_s)
        expected = ceil((end - begin - spared_s) / rhythm_s) if rhythm_s else 0
        missing = max(0, expected - (sum(tally.flags) - tally.spared))
        missing += max(0, spared_count - tally.spared)
        # Two may fall over the edges of a day, or be late; two more over those of each mode.
        missing = missing if missing > 2 + 2 * edges else 0
        kinds = {
            fault.kind
            for fault in faults
            if fault.source == f"sensors.{series.sensor}"
            and fault.opened_at < end
            and (fault.closed_at is None or fault.closed_at > start)
        }
        return self._counted(
            (series, start), missing, tuple(sorted(kinds)) if missing else (), rhythm_s
        )

    def _seldom(
        self, sensor: str, begin: float, end: float, rhythm_s: float
    ) -> tuple[int, float, int]:
        """How often the box saved between these moments, for how long, and how many readings of
        this sensor that makes, which is never read more often than by its usual rhythm.
        """
        edges, seconds, count = 0, 0.0, 0
        for stretch in self._stretches:
            lasted_s = min(end, stretch.ends_at) - max(begin, stretch.begins_at)
            if lasted_s > 0:
                edges, seconds = edges + 1, seconds + lasted_s
                interval_s = self._spared.get(stretch.mode, {}).get(sensor, 0.0)
                if interval_s and rhythm_s:
                    count += int(lasted_s / max(interval_s, rhythm_s))
        return edges, seconds, count

    def _counted(
        self,
        key: tuple[Series, float | None],
        missing: int,
        faults: tuple[str, ...],
        rhythm_s: float,
    ) -> Day:
        tally = self._tallies.get(key) or _Tally()
        good, suspect, bad = tally.flags
        reasons = dict(tally.reasons.most_common())
        return Day(*key, good, suspect, bad, missing, reasons, faults, rhythm_s)


def _rhythm(pauses: Counter[int], interval_s: float) -> float:
    """The seconds between two readings on that day."""
    count = sum(pauses.values())
    if count < RHYTHM_COUNT:
        return interval_s
    middle = sorted(pauses.elements())[count // 2]
    near = sum(n for s, n in pauses.items() if abs(s - middle) <= max(1, RHYTHM_WIDTH * middle))
    is_steady = near >= RHYTHM_SHARE * count
    if not interval_s or middle < interval_s or is_steady:
        return float(middle)
    return interval_s
