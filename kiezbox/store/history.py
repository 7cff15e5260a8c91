"""What was measured lately, as means over short spans: for charts and indices.

A boot's readings are in the order of their serials, and their monotonic times tell how far apart
they are. So the first one of the last day is found by halving, and the database does the sums; what
only the journal has is added here. One clock mark places a whole boot in time, so that a chart is
right also where the clock was set later.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from kiezbox.model import COUNTER_BITS, Series
from kiezbox.store import queries
from kiezbox.store.boots import ClockMarks, boot_of, corrected_ms
from kiezbox.store.packing import Frame, rows_of

if TYPE_CHECKING:
    from kiezbox.store.queries import Query

__all__ = ["Span", "position_since", "spans"]

#: Readings looked at: of a sensor that speaks each second a week is not shown in full.
MOST_READINGS = 400_000

#: Starts of the node looked at.
MOST_BOOTS = 300

#: Series → number of the span (Unix ms divided by its width) → [lowest, highest, sum, count].
_Sums = dict[int, dict[int, list[float]]]


class Span(NamedTuple):
    """One series' good readings between ``starts_at`` (Unix seconds) and a width later."""

    starts_at: float
    low: float
    high: float
    mean: float
    readings: int


def spans(
    query: Query, frames: Sequence[Frame], since_ms: int, width_ms: int
) -> dict[Series, list[Span]]:
    """Oldest first; spans without any good reading are left out."""
    marks = queries.clock_marks(query, frames)
    sums: _Sums = {}
    _from_database(query, marks, sums, since_ms, width_ms)
    _from_journal(frames, marks, sums, since_ms, width_ms)
    names = queries.series(query, frames)
    return {
        names[number]: [
            Span(n * width_ms / 1000, low, high, total / count, int(count))
            for n, (low, high, total, count) in sorted(found.items())
        ]
        for number, found in sums.items()
    }


def _from_database(
    query: Query, marks: ClockMarks, sums: _Sums, since_ms: int, width_ms: int
) -> None:
    left, end = MOST_READINGS, queries.END
    for _ in range(MOST_BOOTS):
        newest = query(
            "SELECT serial, monotonic_ms, taken_ms, clock_trusted FROM readings"
            " WHERE serial < ? ORDER BY serial DESC LIMIT 1",
            (end,),
        )
        if not newest or left <= 0:
            return
        serial, monotonic_ms, taken_ms, clock_trusted = newest[0]
        boot = boot_of(serial)
        end = boot << COUNTER_BITS
        at_ms = corrected_ms(marks, boot, monotonic_ms, taken_ms, clock_trusted)
        if not clock_trusted and boot not in marks:
            continue  # Nobody knows when that was.
        if at_ms < since_ms:
            return
        offset_ms = at_ms - monotonic_ms
        first = max(_first_since(query, end, serial, since_ms - offset_ms), serial - left)
        left -= serial - first + 1
        rows = query(
            "SELECT series, (monotonic_ms + ?) / ? AS span, min(value), max(value), sum(value),"
            " count(*) FROM readings WHERE serial BETWEEN ? AND ? AND flag = 0"
            " AND monotonic_ms + ? >= ? GROUP BY series, span",
            (offset_ms, width_ms, first, serial, offset_ms, since_ms),
        )
        for series, span, *found in rows:
            _add(sums, series, span, found)


def position_since(query: Query, since_ms: int) -> int:
    """A serial after which every stored reading comes that is not older, and few that are.

    A start of the node whose time nobody knows is taken in.
    """
    marks = queries.clock_marks(query, ())
    position, end = 0, queries.END
    for _ in range(MOST_BOOTS):
        newest = query(
            "SELECT serial, monotonic_ms, taken_ms, clock_trusted FROM readings"
            " WHERE serial < ? ORDER BY serial DESC LIMIT 1",
            (end,),
        )
        if not newest:
            break
        serial, monotonic_ms, taken_ms, clock_trusted = newest[0]
        boot = boot_of(serial)
        end = boot << COUNTER_BITS
        if not clock_trusted and boot not in marks:
            continue
        at_ms = corrected_ms(marks, boot, monotonic_ms, taken_ms, clock_trusted)
        if at_ms < since_ms:
            return position or serial
        position = _first_since(query, end, serial, since_ms - (at_ms - monotonic_ms)) - 1
    return position


def _first_since(query: Query, low: int, high: int, monotonic_ms: int) -> int:
    """The lowest serial of a boot (low to high) whose reading is not older than that."""
    while low < high:
        middle = (low + high) // 2
        found = query(
            "SELECT serial, monotonic_ms FROM readings WHERE serial >= ? ORDER BY serial LIMIT 1",
            (middle,),
        )
        if found and found[0][0] <= high and found[0][1] < monotonic_ms:
            low = found[0][0] + 1
        else:
            high = middle
    return low


def _from_journal(
    frames: Sequence[Frame], marks: ClockMarks, sums: _Sums, since_ms: int, width_ms: int
) -> None:
    for frame in frames:
        for serial, series, taken_ms, monotonic_ms, value, _, flag, _, trusted in rows_of(
            frame.payload
        ):
            boot = boot_of(serial)
            if flag or not (trusted or boot in marks):
                continue
            at_ms = corrected_ms(marks, boot, monotonic_ms, taken_ms, trusted)
            if at_ms >= since_ms:
                _add(sums, series, at_ms // width_ms, (value, value, value, 1))


def _add(sums: _Sums, series: int, span: int, more: Sequence[float]) -> None:
    low, high, total, count = more
    found = sums.setdefault(series, {}).setdefault(span, [low, high, 0.0, 0])
    found[0], found[1] = min(found[0], low), max(found[1], high)
    found[2] += total
    found[3] += count
