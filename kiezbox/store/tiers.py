"""Means over ten minutes, hours and days: what stays when the single readings have gone.

Every reading goes into all three tiers once, in the order of the serials. How far that came stands
in ``tier_state`` and moves in the same transaction as the sums, so a power cut leaves both or none.

What was flagged is counted, but is in no mean: ``mean``, ``least`` and ``most`` are of the good
ones only, and NULL where there was none. A reading whose clock was not trusted belongs to no span
before it is sure to which: until its clock is trusted again or its start of the node is over.
Until then its place is kept in ``undated``. Where nobody ever learned the time, it is in no tier.

Days are UTC's. A level in decibels is averaged by its energy (DIN 45641), everything else plainly.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from kiezbox.model import Flag, Quantity
from kiezbox.store import queries
from kiezbox.store.boots import ClockMarks, boot_of, corrected_ms
from kiezbox.store.levels import level, power, register
from kiezbox.store.packing import Frame, rows_of


class Tier(NamedTuple):
    """One resolution. ``code`` is the uppermost part of a row's number."""

    name: str
    code: int
    width_ms: int

    def id_of(self, at_ms: int, series: int = 0) -> int:
        """The number of the row a moment (Unix ms) falls into; rising with time, then series."""
        return self.code << _TIER_AT | at_ms // self.width_ms << _SPAN_AT | series


_SPAN_AT, _TIER_AT = 24, 56

#: Finest first.
TIERS = (
    Tier("10min", 1, 600_000),
    Tier("hourly", 2, 3_600_000),
    Tier("daily", 3, 86_400_000),
)
_FINEST_MS = TIERS[0].width_ms
_SERIES = (1 << _SPAN_AT) - 1
BY_NAME = {tier.name: tier for tier in TIERS}

#: Quantities that are averaged by energy.
LEVELS = frozenset({Quantity.LAEQ_DB.value})

#: Readings in one transaction, when there is much to do.
AT_ONCE = 5000

#: Moments outside are no time a box measured at (1970 to 2106): a card has changed a bit.
_LATEST_MS = 1 << 42

_NEXT = (
    "SELECT serial, series, taken_ms, monotonic_ms, value, flag, clock_trusted FROM readings"
    " WHERE serial > ? AND serial <= ? ORDER BY serial LIMIT ?"
)
_MERGE = (
    "INSERT INTO tiers VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (id) DO UPDATE SET"
    " mean = CASE WHEN good = 0 THEN ?2 WHEN ?5 = 0 THEN mean"
    " ELSE mean + (?2 - mean) * ?5 / (good + ?5) END,"
    " least = CASE WHEN good = 0 THEN ?3 WHEN ?5 = 0 THEN least ELSE min(least, ?3) END,"
    " most = CASE WHEN good = 0 THEN ?4 WHEN ?5 = 0 THEN most ELSE max(most, ?4) END,"
    " good = good + ?5, suspect = suspect + ?6, bad = bad + ?7"
)
_MERGE_LEVEL = _MERGE.replace(
    "mean + (?2 - mean) * ?5 / (good + ?5)",
    "level((power(mean) * good + power(?2) * ?5) / (good + ?5))",
)


class Sums:
    """Readings on their way into the tiers: [sum, least, most, good, suspect, bad] per ten minutes
    and series; the coarser tiers are made of these.
    """

    def __init__(self, levels: frozenset[int] | set[int]) -> None:
        """``levels``: numbers of the series that are averaged by energy."""
        self._levels = levels
        self._rows: dict[int, list[float]] = {}

    def add(self, series: int, at_ms: int, value: float, flag: int) -> None:
        if not 0 <= at_ms < _LATEST_MS:
            return
        number = at_ms // _FINEST_MS << _SPAN_AT | series
        row = self._rows.get(number)
        if row is None:
            row = self._rows[number] = [0.0, math.inf, -math.inf, 0, 0, 0]
        if flag == Flag.GOOD:
            row[0] += power(value) if series in self._levels else value
            if value < row[1]:
                row[1] = value
            if value > row[2]:
                row[2] = value
            row[3] += 1
        else:
            row[5 if flag > 1 else 4] += 1

    def rows(self) -> dict[int, tuple[Any, ...]]:
        """The table's rows by their number, as if it had no others."""
        sums: dict[int, list[float]] = {}
        for fine, row in self._rows.items():
            series, at_ms = fine & _SERIES, (fine >> _SPAN_AT) * _FINEST_MS
            for tier in TIERS:
                there = sums.get(number := tier.id_of(at_ms, series))
                if there is None:
                    sums[number] = list(row)
                    continue
                there[1], there[2] = min(there[1], row[1]), max(there[2], row[2])
                for column in (0, 3, 4, 5):
                    there[column] += row[column]
        found: dict[int, tuple[Any, ...]] = {}
        for number, (total, least, most, *counts) in sorted(sums.items()):
            good, suspect, bad = map(int, counts)
            if not good:
                found[number] = (number, None, None, None, good, suspect, bad)
                continue
            mean = level(total / good) if self._is_level(number) else total / good
            found[number] = (number, mean, least, most, good, suspect, bad)
        return found

    def _is_level(self, number: int) -> bool:
        return (number & _SERIES) in self._levels

    def joined(self, one: tuple[Any, ...], other: tuple[Any, ...]) -> tuple[Any, ...]:
        """Two rows of one number as one, as ``_MERGE`` does it."""
        counts = tuple(map(sum, zip(one[4:], other[4:], strict=True)))
        if not (one[4] and other[4]):
            return (*(one if one[4] else other)[:4], *counts)
        first, second = one[1], other[1]
        if self._is_level(one[0]):
            mean = level((power(first) * one[4] + power(second) * other[4]) / counts[0])
        else:
            mean = first + (second - first) * other[4] / counts[0]
        return (one[0], mean, min(one[2], other[2]), max(one[3], other[3]), *counts)

    def put(self, db: sqlite3.Connection) -> None:
        """Into the table, within the caller's transaction."""
        register(db)
        rows = self.rows()
        db.executemany(_MERGE, (row for n, row in rows.items() if not self._is_level(n)))
        db.executemany(_MERGE_LEVEL, (row for n, row in rows.items() if self._is_level(n)))


def state(query: queries.Query) -> dict[str, int]:
    """``position``: readings up to this serial are in the tiers, or in ``undated``.

    ``not_before_ms``: what was taken before is in them already (a salvaged database).
    """
    found = {"position": 0, "not_before_ms": 0}
    return found | dict(query("SELECT name, value FROM tier_state"))


def set_state(db: sqlite3.Connection, name: str, value: int) -> None:
    db.execute("INSERT OR REPLACE INTO tier_state (name, value) VALUES (?, ?)", (name, value))


def undated(query: queries.Query) -> dict[int, tuple[int, int]]:
    """Start of the node → first and last serial between which unsure clocks are not placed yet."""
    return {boot: (first, last) for boot, first, last in query("SELECT * FROM undated")}


def level_series(query: queries.Query) -> set[int]:
    return {row[0] for row in query("SELECT id, quantity FROM series") if row[1] in LEVELS}


def rows(
    query: queries.Query, frames: Sequence[Frame], above: int, last: int, limit: int
) -> list[tuple[Any, ...]]:
    """Rows with above < number <= last, by number, with what the table does not have yet."""
    found = query(
        "SELECT * FROM tiers WHERE id > ? AND id <= ? ORDER BY id LIMIT ?", (above, last, limit)
    )
    if len(found) == limit:
        last = found[-1][0]
    now = state(query)
    names = queries.series(query, frames)
    sums = Sums({number for number, series in names.items() if series.quantity in LEVELS})
    fresh: list[Any] = query(
        "SELECT * FROM readings WHERE serial > ? AND clock_trusted = 1", (now["position"],)
    )
    for frame in frames:
        fresh += rows_of(frame.payload)
    for _, series, taken_ms, _, value, _, flag, _, trusted in fresh:
        if trusted:
            sums.add(series, taken_ms, value, flag)
    there = {row[0]: row for row in found}
    for number, row in sums.rows().items():
        if above < number <= last:
            there[number] = sums.joined(there[number], row) if number in there else row
    return [there[number] for number in sorted(there)][:limit]


def advance(db: sqlite3.Connection, most: int = AT_ONCE) -> bool:
    """Take so many readings into the tiers, within the caller's transaction; True if more wait."""

    def query(sql: str, row: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
        return db.execute(sql, tuple(row)).fetchall()

    now = state(query)
    sums = Sums(level_series(query))
    waiting = undated(query)
    fresh = _next(query, now["position"], queries.END, most)
    for serial, series, taken_ms, _, value, flag, trusted in fresh:
        if trusted:
            if taken_ms >= now["not_before_ms"]:
                sums.add(series, taken_ms, value, flag)
        else:
            boot = boot_of(serial)
            waiting[boot] = (waiting[boot][0] if boot in waiting else serial, serial)
            db.execute("INSERT OR REPLACE INTO undated VALUES (?, ?, ?)", (boot, *waiting[boot]))
    if fresh:
        set_state(db, "position", fresh[-1][0])
    left = most - len(fresh)
    if waiting and left > 0:
        left = _place(db, query, sums, waiting, now["not_before_ms"], left)
    sums.put(db)
    return left <= 0


def _next(query: queries.Query, above: int, last: int, most: int) -> list[Any]:
    """From the table; from blocks, too, where means are made once more (``doubting``)."""
    if not queries.has_blocks(query, above):
        return query(_NEXT, (above, last, most))
    rows = queries.stored_rows(query, above, most, last)
    return [(*row[:5], row[6], row[8]) for row in rows]


def _place(
    db: sqlite3.Connection,
    query: queries.Query,
    sums: Sums,
    waiting: dict[int, tuple[int, int]],
    not_before_ms: int,
    left: int,
) -> int:
    """Take in those of unsure clocks whose time is known for good; how many more may come."""
    marks = queries.clock_marks(query, ())
    (newest_boot,) = query("SELECT coalesce(max(boot), 0) FROM boots")[0]
    for boot, (first, last) in sorted(waiting.items()):
        until_ms = settled_until_ms(marks, boot, is_over=boot < newest_boot)
        if left <= 0 or until_ms is None:
            continue
        some = _next(query, first - 1, last, left)
        for serial, series, taken_ms, monotonic_ms, value, flag, trusted in some:
            if not trusted:
                if monotonic_ms > until_ms:
                    db.execute("UPDATE undated SET first = ? WHERE boot = ?", (serial, boot))
                    break
                at_ms = corrected_ms(marks, boot, monotonic_ms, taken_ms, trusted)
                if boot in marks and at_ms >= not_before_ms:
                    sums.add(series, at_ms, value, flag)
        else:
            if len(some) < left:
                db.execute("DELETE FROM undated WHERE boot = ?", (boot,))
            else:
                db.execute("UPDATE undated SET first = ? WHERE boot = ?", (some[-1][0] + 1, boot))
        left -= len(some)
    return left


def settled_until_ms(marks: ClockMarks, boot: int, *, is_over: bool) -> int | None:
    """Up to this monotonic time no later mark can move a reading; None: nothing is sure.

    A reading goes by the mark nearest to it, so one mark behind it settles it.
    """
    if is_over:
        return queries.END
    return max((mark[0] for mark in marks.get(boot, ())), default=None)


def first_unsafe(query: queries.Query) -> int:
    """From this serial on the tiers still need the single readings."""
    position: int = state(query)["position"]
    return min([position + 1, *(first for first, _ in undated(query).values())])


def take_late(db: sqlite3.Connection, rows: Iterable[Sequence[Any]]) -> None:
    """Readings just put below the position (a damaged file was brought in), same transaction."""

    def query(sql: str, row: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
        return db.execute(sql, tuple(row)).fetchall()

    now, waiting, marks = state(query), undated(query), queries.clock_marks(query, ())
    sums = Sums(level_series(query))
    for serial, series, taken_ms, monotonic_ms, value, _, flag, _, trusted in rows:
        boot = boot_of(serial)
        first, last = waiting.get(boot, (0, -1))
        if serial > now["position"] or (not trusted and first <= serial <= last):
            continue  # The next steps come to it by themselves.
        if not trusted and boot not in marks:
            continue  # Nobody knows when that was.
        at_ms = corrected_ms(marks, boot, monotonic_ms, taken_ms, trusted)
        if at_ms >= now["not_before_ms"]:
            sums.add(series, at_ms, value, flag)
    sums.put(db)


def begin_again(db: sqlite3.Connection) -> None:
    """In a salvaged database, within the caller's transaction: what the readings tell is told anew.

    Pages may be missing of either. So the means of the days the readings do not reach back to stay
    as they were found, and all later ones are made once more.
    """
    oldest = db.execute(
        "SELECT taken_ms FROM readings WHERE clock_trusted ORDER BY serial LIMIT 1"
    ).fetchone()
    edge_ms = 0
    if oldest is not None and 0 <= oldest[0] < _LATEST_MS:
        day_ms = TIERS[-1].width_ms
        edge_ms = -(-oldest[0] // day_ms) * day_ms
        drop_since(db, edge_ms)
        # Of the first day there may be no means: then the readings are better than nothing.
        if not db.execute(
            "SELECT 1 FROM tiers WHERE id >= ? AND id < ?",
            (TIERS[-1].id_of(edge_ms - day_ms), TIERS[-1].id_of(edge_ms)),
        ).fetchone():
            edge_ms -= day_ms
            drop_since(db, edge_ms)
    db.execute("DELETE FROM undated")
    set_state(db, "position", 0)
    set_state(db, "not_before_ms", edge_ms)


def drop_since(db: sqlite3.Connection, edge_ms: int) -> None:
    for tier in TIERS:
        db.execute(
            "DELETE FROM tiers WHERE id >= ? AND id < ?",
            (tier.id_of(edge_ms), (tier.code + 1) << _TIER_AT),
        )
