"""Growing old: readings become means, and what is too old goes, a bounded step at a time.

A step runs inside the transaction of a fold, so it costs the card no flush of its own; where much
has to be done (after an update, a salvage), the node takes more of them between two readings.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterable
from typing import Any, NamedTuple

from kiezbox.model import Cursor
from kiezbox.settings import StoreSettings
from kiezbox.store import blocks, changes, queries, tiers

#: Old readings deleted with one step: more than come in, few enough for a card.
RETIRED_AT_ONCE = 5000

_OLDEST = "SELECT max(serial) FROM (SELECT serial FROM readings ORDER BY serial LIMIT ?)"
#: The same of blocks, ten at a time.
_OLDEST_BLOCKS = "SELECT max(last) FROM (SELECT last FROM blocks ORDER BY last LIMIT 10)"
_OLD_BLOCKS = (
    "SELECT max(last) FROM"
    " (SELECT last, taken_ms, clock_trusted FROM blocks ORDER BY last LIMIT 10)"
    " WHERE clock_trusted AND taken_ms < ?"
)
_OLD_TIER = "DELETE FROM tiers WHERE id IN (SELECT id FROM tiers WHERE id >= ? AND id < ? LIMIT ?)"


class Tended(NamedTuple):
    """What a step did. ``overrun``: readings that went although somebody still waits for them."""

    is_more: bool
    overrun: int = 0
    waiting_for: str = ""
    #: Everything up to here has gone, and up to there everybody has everything.
    retired: int = 0
    delivered: int = 0


def step(
    db: sqlite3.Connection,
    settings: StoreSettings,
    now_s: float | None,
    publishers: Collection[str] | None,
) -> Tended:
    """One step, within the caller's transaction.

    ``now_s``: Unix seconds; None where the clock must not decide what is old. ``publishers``:
    whose progress counts; None: of all that ever had any.
    """
    if tiers.advance(db):
        return Tended(True)

    def query(sql: str, row: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
        return db.execute(sql, tuple(row)).fetchall()

    if now_s is not None:
        _forget_old(db, settings, now_s)
    tended = _retire(db, query, settings, now_s, publishers)
    if now_s is None:
        return tended
    cutoff_ms = int((now_s - blocks.AFTER_S) * 1000)
    is_more = blocks.pack(db, cutoff_ms, tiers.first_unsafe(query) - 1)
    return tended._replace(is_more=tended.is_more or is_more)


def _forget_old(db: sqlite3.Connection, settings: StoreSettings, now_s: float) -> None:
    kept_days = settings.keep_days
    db.execute(changes.DELETE_FAULTS, (now_s - kept_days * 86400,))
    for tier, days in zip(
        tiers.TIERS,
        (settings.keep_10min_days, settings.keep_hourly_days, settings.keep_daily_days),
        strict=True,
    ):
        # A coarse one that went before the finer would leave a hole in every chart.
        kept_days = max(kept_days, days)
        cutoff_ms = max(0, int((now_s - kept_days * 86400) * 1000))
        db.execute(_OLD_TIER, (tier.id_of(0), tier.id_of(cutoff_ms), RETIRED_AT_ONCE))


def _retire(
    db: sqlite3.Connection,
    query: queries.Query,
    settings: StoreSettings,
    now_s: float | None,
    publishers: Collection[str] | None,
) -> Tended:
    """Delete single readings: those too old that nobody needs; for want of room also others."""
    folded = tiers.first_unsafe(query) - 1
    delivered, who = slowest(query, publishers)
    serial, is_more = 0, False
    if now_s is not None:
        cutoff_ms = int((now_s - settings.keep_days * 86400) * 1000)
        (found,) = query(changes.OLD_READINGS, (RETIRED_AT_ONCE, cutoff_ms))[0]
        (packed,) = query(_OLD_BLOCKS, (cutoff_ms,))[0]
        serial = min(max(found or 0, packed or 0), folded, delivered)
    overrun = 0
    if used_bytes(query) > settings.most_mib << 20:
        (packed,) = query(_OLDEST_BLOCKS)[0]
        found = packed or query(_OLDEST, (RETIRED_AT_ONCE,))[0][0]
        serial = max(serial, min(found or 0, folded))
        is_more = serial > 0
        if serial > delivered:
            overrun = queries.count_stored(query, delivered, serial)
    if serial:
        db.execute(changes.DELETE_READINGS, (serial,))
        db.execute("DELETE FROM blocks WHERE last <= ?", (serial,))
    return Tended(is_more, overrun, who, serial, delivered)


def slowest(query: queries.Query, publishers: Collection[str] | None) -> tuple[int, str]:
    """Up to which serial everybody has everything, and who is last."""
    there = queries.cursors(query, ())
    names = there if publishers is None else publishers
    found = [(delivered_to(there.get(name, Cursor(name))), name) for name in names]
    return min(found, default=(queries.END, ""))


def delivered_to(cursor: Cursor) -> int:
    """Everything up to this serial is confirmed."""
    return cursor.backlog if cursor.backlog < cursor.live_from else cursor.live


def used_bytes(query: Callable[..., list[tuple[Any, ...]]]) -> int:
    """Of the database, without the pages that are free again."""
    pages, free, size = (
        query(f"PRAGMA {name}")[0][0] for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)
