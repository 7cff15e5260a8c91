"""Growing old: readings become means, and what is too old goes, a bounded step at a time.

A step runs inside the transaction of a fold, so it costs the card no flush of its own; where much
has to be done (after an update, a salvage), the node takes more of them between two readings.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Collection, Iterable
from typing import Any, NamedTuple

from kiezbox.model import Cursor
from kiezbox.settings import StoreSettings
from kiezbox.store import blocks, changes, doubting, queries, tiers

#: Old readings deleted with one step: more than come in, few enough for a card.
RETIRED_AT_ONCE = 5000

_OLDEST = "SELECT max(serial) FROM (SELECT serial FROM readings ORDER BY serial LIMIT ?)"
#: The same of blocks, ten at a time.
_OLDEST_BLOCKS = "SELECT max(last) FROM (SELECT last FROM blocks ORDER BY last LIMIT 10)"
_FIRST_BLOCKS = "SELECT last, taken_ms, clock_trusted, body FROM blocks ORDER BY last LIMIT ?"
_BLOCKS_AT_ONCE = 10
_HOURS = "SELECT count(DISTINCT id >> 24) FROM tiers WHERE id > ? AND id <= ?"

#: A clock may say what is old when the box has measured by it in so many hours of the last two
#: days. One that was set to another year by mistake, or by somebody who forges NTP, would else
#: have everything deleted with the next fold. Half a day of daylight is enough.
LEAST_HOURS, IN_THE_LAST_S = 12, 2 * 86_400.0
#: Less room than this for new readings on the card is none, for a database that large: months of
#: readings. SQLite's log takes 4 MiB of it.
_ROOM_BYTES, _LARGE_BYTES = 8 << 20, 32 << 20
#: What is dated further ahead was taken by a wrong clock, and says nothing of its age.
_AHEAD_MS = 86_400_000
_OLD_TIER = "DELETE FROM tiers WHERE id IN (SELECT id FROM tiers WHERE id >= ? AND id < ? LIMIT ?)"


class Tended(NamedTuple):
    """What a step did. ``overrun``: readings that went although somebody still waits for them,
    since everybody last had everything.
    """

    is_more: bool
    overrun: int = 0
    waiting_for: str = ""


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
    is_more = doubting.step(db) or tiers.advance(db)

    def query(sql: str, row: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
        return db.execute(sql, tuple(row)).fetchall()

    delivered, who = slowest(query, publishers)
    if not is_more:
        believed_s = now_s if now_s is not None and is_believed(query, now_s) else None
        if believed_s is not None:
            _forget_old(db, settings, believed_s)
        is_more = _retire(db, query, settings, believed_s, delivered)
        if now_s is not None:
            cutoff_ms = int((now_s - blocks.AFTER_S) * 1000)
            is_more |= blocks.pack(db, cutoff_ms, tiers.first_unsafe(query) - 1)
    state = tiers.state(query)
    if state.get("overrun") and delivered >= state["overrun_to"]:
        tiers.set_state(db, "overrun", 0)
        return Tended(is_more)
    return Tended(is_more, state.get("overrun", 0), who)


def is_believed(query: queries.Query, now_s: float) -> bool:
    """Whether the box has measured by this clock for long enough, see ``LEAST_HOURS``."""
    hourly = tiers.BY_NAME["hourly"]
    bounds = [
        hourly.id_of(max(0, int(at_s * 1000)), series)
        for at_s, series in ((now_s - IN_THE_LAST_S, 0), (now_s, (1 << 24) - 1))
    ]
    return bool(query(_HOURS, bounds)[0][0] >= LEAST_HOURS)


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
    delivered: int,
) -> bool:
    """Delete single readings: those too old that nobody needs; for want of room also others.

    True if more have to go at once.
    """
    folded = tiers.first_unsafe(query) - 1
    serial, is_more = 0, False
    if now_s is not None:
        cutoff_ms = int((now_s - settings.keep_days * 86400) * 1000)
        serial = min(_too_old(query, cutoff_ms, int(now_s * 1000) + _AHEAD_MS), folded, delivered)
    if is_short_of_room(query, settings):
        (packed,) = query(_OLDEST_BLOCKS)[0]
        found = packed or query(_OLDEST, (RETIRED_AT_ONCE,))[0][0]
        serial = max(serial, min(found or 0, folded))
        is_more = serial > 0
        if serial > delivered:
            gone = queries.count_stored(query, delivered, serial)
            gone += tiers.state(query).get("overrun", 0)
            tiers.set_state(db, "overrun", gone)
            tiers.set_state(db, "overrun_to", serial)
    if serial:
        db.execute(changes.DELETE_READINGS, (serial,))
        db.execute("DELETE FROM blocks WHERE last <= ?", (serial,))
    return is_more


def is_short_of_room(query: queries.Query, settings: StoreSettings) -> bool:
    """Whether the oldest readings have to go, so that new ones find a place.

    Also where the card is smaller than ``most_mib`` allows, or others fill it: a full card would
    cost every new reading. Pages that are free again count as room, so that others cost a large
    database ``_ROOM_BYTES`` of its oldest readings, and a small one nothing.
    """
    used = used_bytes(query)
    if used > settings.most_mib << 20:
        return True
    if used < _LARGE_BYTES:
        return False
    try:
        disk = os.statvfs(settings.path)
    except OSError:
        return False
    free, size = (query(f"PRAGMA {name}")[0][0] for name in ("freelist_count", "page_size"))
    return bool(disk.f_bavail * disk.f_frsize + free * size < _ROOM_BYTES)


def _too_old(query: queries.Query, cutoff_ms: int, soon_ms: int) -> int:
    """Up to which serial all is older than a moment: some of it, from the oldest on; 0: none.

    Serials rise with time, whatever a clock said. So what lies before an old reading is old, also
    where its own time is not sure; but what lies behind a young one is young, also where a clock
    that was wrong for an hour calls it old.
    """
    serial = 0
    found = query(_FIRST_BLOCKS, (_BLOCKS_AT_ONCE,))
    for last, taken_ms, trusted, body in found:
        times = [row[2] for row in blocks.readable(body) if row[8]] or [taken_ms] * trusted
        if any(cutoff_ms <= at_ms < soon_ms for at_ms in times):
            return serial
        if any(at_ms < cutoff_ms for at_ms in times):
            serial = last
    if len(found) == _BLOCKS_AT_ONCE:
        return serial
    window = RETIRED_AT_ONCE, cutoff_ms, soon_ms
    (young,) = query(changes.FIRST_YOUNG, window)[0]
    (old,) = query(changes.LAST_OLD, (*window[:2], queries.END if young is None else young))[0]
    return max(serial, old or 0)


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
