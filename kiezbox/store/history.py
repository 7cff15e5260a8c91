"""What was measured lately, as means over short spans: for charts and indices.

Where the spans asked for are made of whole ten minutes, hours or days, the tiers have them, and
only what is not in the tiers yet is summed up from the readings. A boot's readings are in the order
of their serials, and their monotonic times tell how far apart they are: so the first one of the
last day is found by halving, and the database does the sums. What only the journal has is added
here. A clock mark places a whole boot in time, so that a chart is right also where the clock was
set later.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from kiezbox.model import COUNTER_BITS, Series
from kiezbox.store import blocks, queries, tiers
from kiezbox.store.boots import ClockMarks, boot_of, corrected_ms
from kiezbox.store.levels import level, power
from kiezbox.store.packing import Frame, rows_of

if TYPE_CHECKING:
    from kiezbox.store.queries import Query

__all__ = ["Span", "position_since", "spans"]

#: Readings looked at: of a sensor that speaks each second a week is not shown in full.
MOST_READINGS = 400_000

#: Starts of the node looked at.
MOST_BOOTS = 300

#: A clock that is set while it is trusted is not set back by more.
_SLACK_MS = 3_600_000

#: After every moment a box measures at (2109).
_LATEST_MS = 1 << 42

_NEWEST_BELOW = (
    "SELECT * FROM (SELECT serial, monotonic_ms, taken_ms, clock_trusted FROM readings"
    " WHERE serial < ?1 ORDER BY serial DESC LIMIT 1) UNION ALL"
    " SELECT * FROM (SELECT last, monotonic_ms, taken_ms, clock_trusted FROM blocks"
    " WHERE last < ?1 ORDER BY last DESC LIMIT 1) ORDER BY 1 DESC LIMIT 1"
)
#: Of a block only its last reading is looked at: its others are a little older.
_OLDEST_FROM = (
    "SELECT * FROM (SELECT serial, monotonic_ms FROM readings WHERE serial >= ?1"
    " ORDER BY serial LIMIT 1) UNION ALL SELECT * FROM (SELECT last, monotonic_ms FROM blocks"
    " WHERE last >= ?1 ORDER BY last LIMIT 1) ORDER BY 1 LIMIT 1"
)
#: Series, then what a ``Span`` has.
_OF_TIER = (
    "SELECT id & 16777215, ((id >> 24) & 4294967295) * ?1, least, most, mean, good FROM tiers"
    " WHERE id >= ?2 AND id < ?3 AND good > 0 ORDER BY id"
)


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
    """Oldest first; spans without any good reading are left out.

    From the coarsest tier whose spans fit into these, and from the readings it does not have yet.
    """
    marks = queries.clock_marks(query, frames)
    names = queries.series(query, frames)
    sums = _Sums(width_ms, {n for n, each in names.items() if each.quantity in tiers.LEVELS})
    fitting = [tier for tier in tiers.TIERS if width_ms % tier.width_ms == 0]
    position = 0
    if fitting:
        position = tiers.state(query)["position"]
        edge_ms = _next_edge(since_ms, fitting[0].width_ms)
        if since_ms < edge_ms:
            begin = position_since(query, since_ms)
            # Where a clock was set back, later moments come first; not by hours.
            end = min(position, position_since(query, edge_ms + _SLACK_MS) or position)
            for (last,) in query(
                "SELECT last FROM blocks WHERE last > ? ORDER BY 1 LIMIT 1", (end,)
            ):
                end = min(position, last)  # A block is looked at as a whole.
            _from_readings(query, sums, begin, end, since_ms, edge_ms)
            settled = [(begin, end)]
            for first, last in tiers.undated(query).values():
                settled = [part for each in settled for part in _without(each, first - 1, last)]
            for part in settled:
                _from_unsure(query, marks, sums, *part, since_ms, edge_ms)
        _from_tiers(query, sums, fitting, edge_ms)
        for first, last in tiers.undated(query).values():
            _from_unsure(query, marks, sums, first - 1, min(last, position), since_ms)
    else:
        position = position_since(query, since_ms)
    if _is_more_than(query, position, tiers.AT_ONCE):  # The tiers are behind, after an update.
        position = max(position, position_since(query, since_ms))
        if _is_more_than(query, position, MOST_READINGS):
            position = query(
                "SELECT serial FROM readings ORDER BY serial DESC LIMIT 1 OFFSET ?",
                (MOST_READINGS,),
            )[0][0]
    _from_readings(query, sums, position, queries.END, since_ms, _LATEST_MS)
    _from_unsure(query, marks, sums, position, queries.END, since_ms)
    _from_journal(frames, marks, sums, since_ms)
    return sums.spans(names)


class _Sums:
    """Sums on their way to be means."""

    def __init__(self, width_ms: int, levels: set[int]) -> None:
        self.width_ms = width_ms
        self._levels = levels
        #: Series → number of the span (Unix ms / its width) → [lowest, highest, sum, count].
        self._found: dict[int, dict[int, list[Any]]] = {}
        #: Series → spans of which more may stand in ``_found``; oldest first.
        self._ready: dict[int, list[Span]] = defaultdict(list)

    def add(self, series: int, at_ms: int, value: float) -> None:
        weight = power(value) if series in self._levels else value
        self.merge(series, at_ms // self.width_ms, value, value, weight, 1)

    def merge(
        self, series: int, span: int, low: float, high: float, total: float, count: int
    ) -> None:
        spans_of = self._found.get(series)
        if spans_of is None:
            spans_of = self._found[series] = {}
        found = spans_of.get(span)
        if found is None:
            spans_of[span] = [low, high, total, count]
            return
        found[0], found[1] = min(found[0], low), max(found[1], high)
        found[2] += total
        found[3] += count

    def take(self, tier: tiers.Tier, rows: Iterable[tuple[Any, ...]]) -> None:
        """Rows of a tier (``_OF_TIER``), by time."""
        if tier.width_ms == self.width_ms:
            # Most charts are nothing else, so these are whole spans and stay as they are.
            ready, make = self._ready, tuple.__new__
            for series, starts_s, low, high, mean, good in rows:
                ready[series].append(make(Span, (starts_s, low, high, mean, good)))
            return
        for series, starts_s, low, high, mean, good in rows:
            total = (power(mean) if series in self._levels else mean) * good
            self.merge(series, int(starts_s * 1000) // self.width_ms, low, high, total, good)

    def total_of(self, mean: str) -> str:
        """SQL of what is summed up."""
        if not self._levels:
            return mean
        some = ", ".join(str(int(number)) for number in sorted(self._levels))
        return f"CASE WHEN series IN ({some}) THEN power({mean}) ELSE {mean} END"

    def spans(self, names: queries.Names) -> dict[Series, list[Span]]:
        width_s = self.width_ms / 1000
        for series in self._found.keys() & self._ready.keys():
            is_level = series in self._levels
            for starts_s, low, high, mean, good in self._ready.pop(series):
                total = (power(mean) if is_level else mean) * good
                self.merge(series, int(starts_s / width_s), low, high, total, good)
        result = {names[series]: found for series, found in self._ready.items()}
        for series, sums in self._found.items():
            mean_of = level if series in self._levels else float
            result[names[series]] = [
                Span(n * width_s, low, high, mean_of(total / count), count)
                for n, (low, high, total, count) in sorted(sums.items())
            ]
        return result


def _from_tiers(query: Query, sums: _Sums, fitting: Sequence[tiers.Tier], edge_ms: int) -> None:
    """Finer ones up to where a span of the next coarser one begins, then the coarsest."""
    for tier, coarser in zip(fitting, [*fitting[1:], None], strict=True):
        until_ms = _LATEST_MS
        if coarser is not None:
            until_ms = _next_edge(edge_ms, coarser.width_ms)
        bounds = tier.id_of(edge_ms), tier.id_of(until_ms)
        edge_ms = until_ms
        if bounds[0] == bounds[1]:
            continue
        sums.take(tier, query(_OF_TIER, (tier.width_ms / 1000, *bounds)))


def _from_readings(
    query: Query, sums: _Sums, above: int, last: int, since_ms: int, until_ms: int
) -> None:
    """Readings of a sure clock with above < serial <= last, taken between two moments."""
    for _, series, taken_ms, _, value, _, flag, _, trusted in blocks.between(
        query, above, last, MOST_READINGS
    ):
        if flag == 0 and trusted and since_ms <= taken_ms < until_ms:
            sums.add(series, taken_ms, value)
    for row in query(
        "SELECT series, taken_ms / ?1 AS span, min(value), max(value),"
        f" sum({sums.total_of('value')}), count(*) FROM readings"
        " WHERE serial > ?2 AND serial <= ?3 AND flag = 0 AND clock_trusted = 1"
        " AND taken_ms >= ?4 AND taken_ms < ?5 GROUP BY series, span",
        (sums.width_ms, above, last, since_ms, until_ms),
    ):
        sums.merge(*row)


def _from_unsure(
    query: Query,
    marks: ClockMarks,
    sums: _Sums,
    above: int,
    last: int,
    since_ms: int,
    until_ms: int = _LATEST_MS,
) -> None:
    """Readings of a clock that was not sure then, but of which something is known now."""
    for serial, series, taken_ms, monotonic_ms, value in query(
        "SELECT serial, series, taken_ms, monotonic_ms, value FROM readings"
        " WHERE serial > ? AND serial <= ? AND clock_trusted = 0 AND flag = 0"
        " ORDER BY serial DESC LIMIT ?",
        (above, last, MOST_READINGS),
    ) + [
        row[:5]
        for row in blocks.between(query, above, last, MOST_READINGS)
        if row[6] == 0 and not row[8]
    ]:
        boot = boot_of(serial)
        if boot in marks:
            at_ms = corrected_ms(marks, boot, monotonic_ms, taken_ms, 0)
            if since_ms <= at_ms < until_ms:
                sums.add(series, at_ms, value)


def _is_more_than(query: Query, position: int, count: int) -> bool:
    return bool(
        query(
            "SELECT 1 FROM readings WHERE serial > ? ORDER BY serial LIMIT 1 OFFSET ?",
            (position, count),
        )
    )


def _next_edge(at_ms: int, width_ms: int) -> int:
    """Where the next span begins; itself where one begins there."""
    return -(-at_ms // width_ms) * width_ms


def _without(part: tuple[int, int], above: int, last: int) -> list[tuple[int, int]]:
    """What is left of above < serial <= last without another such range."""
    left = [(part[0], min(part[1], above)), (max(part[0], last), part[1])]
    return [each for each in left if each[0] < each[1]]


def position_since(query: Query, since_ms: int) -> int:
    """A serial after which every stored reading comes that is not older, and few that are.

    A start of the node whose time nobody knows is taken in.
    """
    marks = queries.clock_marks(query, ())
    position, end = 0, queries.END
    for _ in range(MOST_BOOTS):
        newest = query(_NEWEST_BELOW, (end,))
        if not newest:
            break
        serial, monotonic_ms, taken_ms, clock_trusted = newest[0]
        boot = boot_of(serial)
        end = boot << COUNTER_BITS
        if not clock_trusted and boot not in marks:
            position = end - 1
            continue
        at_ms = corrected_ms(marks, boot, monotonic_ms, taken_ms, clock_trusted)
        if at_ms < since_ms:
            return position or serial
        position = _first_since(query, end, serial, since_ms - (at_ms - monotonic_ms)) - 1
    return position


def _first_since(query: Query, low: int, high: int, monotonic_ms: int) -> int:
    """The lowest serial of a boot (low to high) whose reading is not older than that."""
    first = query(_OLDEST_FROM, (low,))
    if first and first[0][0] <= high and first[0][1] >= monotonic_ms:
        return low
    while low < high:
        middle = (low + high) // 2
        found = query(_OLDEST_FROM, (middle,))
        if found and found[0][0] <= high and found[0][1] < monotonic_ms:
            low = found[0][0] + 1
        else:
            high = middle
    return low


def _from_journal(frames: Sequence[Frame], marks: ClockMarks, sums: _Sums, since_ms: int) -> None:
    for frame in frames:
        for serial, series, taken_ms, monotonic_ms, value, _, flag, _, trusted in rows_of(
            frame.payload
        ):
            boot = boot_of(serial)
            if flag or not (trusted or boot in marks):
                continue
            at_ms = corrected_ms(marks, boot, monotonic_ms, taken_ms, trusted)
            if at_ms >= since_ms:
                sums.add(series, at_ms, value)
