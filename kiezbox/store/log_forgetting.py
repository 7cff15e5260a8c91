"""What the log of words forgets, and when. Each is called inside a transaction of the log.

What is deleted is overwritten (``secure_delete``), but a page that SQLite splits or joins keeps
stray copies of rows that have moved (seen: of 1,250 deleted texts, 10 were still in the file). So
after an erasure the whole file is written anew, at most every six hours.
"""

from __future__ import annotations

import sqlite3

from kiezbox.records import Ref
from kiezbox.store import log_twins

__all__ = [
    "PERSONAL_AFTER_POWER_S", "clock_was_set", "end_personal", "forget", "from_the_future",
    "gone_until", "is_rewrite_due", "rewrite",
]  # fmt: skip

#: Personal things are erased so long after the power is back.
PERSONAL_AFTER_POWER_S = 72 * 3600.0

#: That a record was here is remembered for as long as most records live: another box may still
#: hold it and send it again. Only its number stays.
REMEMBERED_S = 31 * 86400.0

#: A clock that has gone further than this since the last look may be wrong. Then nothing is erased
#: until the next look says the same.
LEAP_S = 86400.0

#: The file is written anew at most so often: that costs the card twice its size.
REWRITE_S = 6 * 3600.0

#: Bytes of a log that is written anew by way of memory (a week of a busy Kiez is 9 MB); of a larger
#: one what has *not* expired goes through a temporary file.
REWRITTEN_IN_MEMORY = 32 << 20

_EXPIRED = """
INSERT OR REPLACE INTO gone SELECT origin, sequence, record_id(frame), ?2 FROM log
WHERE expires_at <= ?1
AND NOT EXISTS (
  SELECT 1 FROM log AS first WHERE first.origin = log.of_origin
  AND first.sequence = log.of_sequence AND first.expires_at > ?1
)"""

#: What neighbours said about something that is gone. What officials did stays until its own time.
_ORPHANED = """
INSERT OR REPLACE INTO gone SELECT origin, sequence, record_id(frame), ?2 FROM log
WHERE is_personal AND EXISTS (
  SELECT 1 FROM gone WHERE gone.origin = log.of_origin AND gone.sequence = log.of_sequence
) AND kind <> ?1 AND NOT EXISTS (
  SELECT 1 FROM log AS first WHERE first.origin = log.of_origin
  AND first.sequence = log.of_sequence AND NOT EXISTS (
    SELECT 1 FROM gone WHERE gone.origin = first.origin AND gone.sequence = first.sequence
    AND gone.id IN (record_id(first.frame), x'')
  )
)"""

_SWEPT = (
    "DELETE FROM log WHERE EXISTS (SELECT 1 FROM gone"
    " WHERE gone.origin = log.origin AND gone.sequence = log.sequence"
    " AND gone.id IN (record_id(log.frame), x''))",
    "DELETE FROM things WHERE NOT EXISTS (SELECT 1 FROM log"
    " WHERE log.origin = things.origin AND log.sequence = things.sequence)",
)


def gone_until(now: float) -> float:
    """How long that a record was here is remembered."""
    return now + REMEMBERED_S


def forget(db: sqlite3.Connection, now: float, erasure: int) -> int:
    """Erase what has expired; how many records. What changes something lives as long as that.
    ``erasure``: the kind that takes others away, and is needed as long as they may come again.
    """
    (looked_at,) = db.execute("SELECT looked_at FROM meta").fetchone()
    db.execute("UPDATE meta SET looked_at = ?", (now,))
    if looked_at and now - looked_at > LEAP_S:
        return 0
    waiting = log_twins.forget(db, now, gone_until(now))
    (before,) = db.execute("SELECT count(*) FROM log").fetchone()
    db.execute(_EXPIRED, (now, gone_until(now)))
    db.execute(_ORPHANED, (erasure, gone_until(now)))
    for statement in _SWEPT:
        db.execute(statement)
    db.execute("DELETE FROM things WHERE expires_at <= ?", (now,))
    db.execute("DELETE FROM gone WHERE until <= ?", (now,))
    (after,) = db.execute("SELECT count(*) FROM log").fetchone()
    done = int(before - after) + waiting
    if done:
        db.execute("UPDATE meta SET is_rewrite_due = 1")
    return done


def end_personal(db: sqlite3.Connection, since: float) -> int:
    """Personal things received until the power was back end 72 h later; how many that shortens."""
    at = since + PERSONAL_AFTER_POWER_S
    log_twins.end_personal(db, since, at)
    db.execute("UPDATE meta SET power_back_at = max(power_back_at, ?)", (since,))
    done = db.execute(
        "UPDATE log SET expires_at = ? WHERE is_personal AND received_at <= ? AND expires_at > ?",
        (at, since, at),
    ).rowcount
    db.execute(
        "UPDATE things SET expires_at = ?1 WHERE expires_at > ?1 AND (origin, sequence) IN"
        " (SELECT origin, sequence FROM log WHERE is_personal AND received_at <= ?2)",
        (at, since),
    )
    return int(done)


def clock_was_set(db: sqlite3.Connection, by_s: float) -> list[Ref]:
    """What was received by an unsure clock is as old as it was; the records that concerns."""
    log_twins.clock_was_set(db, by_s)
    refs = db.execute("SELECT origin, sequence FROM log WHERE NOT is_receipt_sure").fetchall()
    db.execute(
        "UPDATE log SET received_at = received_at + ?1, expires_at = expires_at + ?1,"
        " is_receipt_sure = 1 WHERE NOT is_receipt_sure",
        (by_s,),
    )
    db.execute("UPDATE meta SET looked_at = looked_at + ? WHERE looked_at > 0", (by_s,))
    return [Ref(*ref) for ref in refs]


def from_the_future(db: sqlite3.Connection, now: float) -> list[Ref]:
    """What a clock that was wrong has received "later than now" is of now; the records."""
    rows = db.execute(
        "SELECT origin, sequence FROM log WHERE received_at > ?", (now + LEAP_S,)
    ).fetchall()
    if rows:
        db.execute(
            "UPDATE log SET expires_at = min(expires_at, ?1 + expires_at - received_at),"
            " received_at = ?1, is_trusted = 0 WHERE received_at > ?2",
            (now, now + LEAP_S),
        )
    return [Ref(*row) for row in rows]


# --- stray copies ------------------------------------------------------------------------------


def is_rewrite_due(db: sqlite3.Connection, now: float) -> bool:
    """Whether something was erased since the file was written anew, and that is long enough ago."""
    (at, is_due) = db.execute("SELECT rewritten_at, is_rewrite_due FROM meta").fetchone()
    return bool(is_due) and not 0 <= now - at < REWRITE_S


def rewrite(db: sqlite3.Connection, now: float) -> None:
    """Write the whole file anew; outside of transactions. 5 MB take 30 ms on a computer."""
    ((pages,), (page_bytes,)) = (
        db.execute(f"PRAGMA {name}").fetchone() for name in ("page_count", "page_size")
    )
    # Not by way of a file of its own, which nobody would overwrite, if what stays fits in memory:
    # the box is to live on.
    is_small = pages * page_bytes <= REWRITTEN_IN_MEMORY
    db.execute(f"PRAGMA temp_store = {'MEMORY' if is_small else 'FILE'}")
    try:
        db.execute("VACUUM")
    finally:
        db.execute("PRAGMA temp_store = DEFAULT")
    db.execute("UPDATE meta SET rewritten_at = ?, is_rewrite_due = 0", (now,))
