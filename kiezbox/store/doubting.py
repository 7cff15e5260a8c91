"""A clock that was believed and turned out to be wrong: the readings dated by it are dated anew.

They lose the trust in their time (``clock_trusted`` 0), and the marks of that clock are moved to
where it should have been. So they are what readings of a box without the time are: everybody who
shows, exports or sends them corrects them by the nearest mark. What the clock said stays stored.
Single readings at once; what is packed, and the means of the days from then on, in bounded steps
(``tending``): three weeks of twenty readings a minute are 600,000, and the power must not wait.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any

from kiezbox.model import COUNTER_BITS
from kiezbox.store import blocks, history, queries, tiers
from kiezbox.store.boots import boot_of, corrected_ms

__all__ = ["CHANGE", "last_wrong", "moved_marks", "step", "withdraw"]

#: What it is called in the journal: [first serial, last serial, ms by which the clock was ahead].
CHANGE = "clock_doubted"

#: Blocks looked at in one transaction.
BLOCKS_AT_ONCE = 10

#: What is still to be done, in ``tier_state``: the next serial, the first, the last, ms ahead.
_LEFT = ("doubt_next", "doubt_first", "doubt_last", "doubt_ahead_ms")


def moved_marks(
    query: queries.Query, first: int, last: int, ahead_ms: int, right_ms: int, until_ms: int
) -> list[list[int]]:
    """The wrong clock's marks as they should have been: rows of ``clock_marks``.

    ``right_ms``: wall minus monotonic of the clock that is right now; ``until_ms``: the monotonic
    time at which the wrong one was last seen. A mark behind that is by whom it fits better.
    """
    found = query(
        "SELECT boot, monotonic_ms, wall_ms FROM clock_marks"
        " WHERE trusted = 1 AND boot >= ? AND boot <= ?",
        (boot_of(first), boot_of(last)),
    )
    return [
        [boot, monotonic_ms, wall_ms - ahead_ms, 1]
        for boot, monotonic_ms, wall_ms in found
        if monotonic_ms < until_ms or abs(wall_ms - monotonic_ms - right_ms) > abs(ahead_ms) / 2
    ]


def last_wrong(query: queries.Query, last: int, ahead_ms: int, right_ms: int) -> int:
    """The last serial dated by the wrong clock, of those behind ``last`` as well."""
    (found,) = query(
        "SELECT max(serial) FROM readings WHERE serial > ? AND clock_trusted = 1"
        " AND abs(taken_ms - monotonic_ms - ?) > ?",
        (last, right_ms, abs(ahead_ms) // 2),
    )[0]
    return max(last, found or 0)


def withdraw(db: sqlite3.Connection, first: int, last: int, ahead_ms: int) -> None:
    """Within the caller's transaction; the marks have been moved before."""
    while step(db):
        pass  # An earlier one first.
    db.execute(
        "UPDATE readings SET clock_trusted = 0"
        " WHERE serial >= ? AND serial <= ? AND clock_trusted = 1",
        (first, last),
    )
    for name, value in zip(_LEFT, (first, first, last, ahead_ms), strict=True):
        tiers.set_state(db, name, value)


def step(db: sqlite3.Connection) -> bool:
    """Some of what ``withdraw`` has left, within the caller's transaction; True if that was any."""
    left = dict(db.execute("SELECT name, value FROM tier_state WHERE name LIKE 'doubt%'"))
    if not left:
        return False
    next_one, first, last, ahead_ms = (left[name] for name in _LEFT)
    done = blocks.doubt(db, next_one, last, BLOCKS_AT_ONCE)
    if done:
        tiers.set_state(db, _LEFT[0], done + 1)
        return True
    db.execute("DELETE FROM tier_state WHERE name LIKE 'doubt%'")
    _means_again(db, first, ahead_ms)
    return True


def _means_again(db: sqlite3.Connection, first: int, ahead_ms: int) -> None:
    """What was measured in that start of the node went into spans it does not belong to."""

    def query(sql: str, row: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
        return db.execute(sql, tuple(row)).fetchall()

    marks = queries.clock_marks(query, ())

    def after(serial: int) -> int | None:
        """When the next one was measured; None: nobody knows, or there is none."""
        for row in queries.stored_rows(query, serial, 1, queries.END):
            if row[8] or boot_of(row[0]) in marks:
                return corrected_ms(marks, boot_of(row[0]), row[3], row[2], row[8])
        return None

    begun_ms = after((boot_of(first) << COUNTER_BITS) - 1)
    if begun_ms is None:
        return
    day_ms = tiers.TIERS[-1].width_ms
    # A day more, and nothing is cut in two.
    edge_ms = (min(begun_ms, begun_ms + ahead_ms) // day_ms - 1) * day_ms
    edge_ms = max(edge_ms, tiers.state(query)["not_before_ms"])
    if not _has_all(query):
        # Where the readings have gone, their means are all there is.
        edge_ms = max(edge_ms, -(-(after(0) or 0) // day_ms) * day_ms)
    position = history.position_since(query, edge_ms)
    tiers.drop_since(db, edge_ms)
    db.execute("DELETE FROM undated WHERE last > ?", (position,))
    tiers.set_state(db, "position", position)
    tiers.set_state(db, "not_before_ms", edge_ms)


def _has_all(query: queries.Query) -> bool:
    """Whether the very first reading of this box is still there."""
    oldest = queries.stored_rows(query, 0, 1, queries.END)
    ((first_boot,),) = query("SELECT min(boot) FROM boots")
    return bool(oldest) and oldest[0][0] == (first_boot << COUNTER_BITS | 1)
