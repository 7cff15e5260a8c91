"""What the small changes do to the tables: one statement per name.

A change is written to SQLite at once (what must be durable now), or rides in the journal and
meets its statement when the journal is folded (what may wait, and everything while the card is
full). Both ways use this table, so they cannot differ.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from kiezbox.store import doubting
from kiezbox.store.packing import Frame, changes_of, rows_of

CHANGES: dict[str, str] = {
    "boot": "INSERT OR REPLACE INTO boots VALUES (?, ?, ?, ?, ?)",
    "clock_mark": "INSERT OR REPLACE INTO clock_marks VALUES (?, ?, ?, ?)",
    "series": "INSERT OR IGNORE INTO series VALUES (?, ?, ?)",
    "cursor": "INSERT OR REPLACE INTO cursors VALUES (?, ?, ?, ?)",
    # A document kept lazily may be folded after a newer one was kept at once.
    "kept": (
        "INSERT INTO kept VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE"
        " SET version = excluded.version, body = excluded.body"
        " WHERE excluded.version > kept.version"
    ),
    "fault_opened": "INSERT OR REPLACE INTO faults VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    "fault_closed": "UPDATE faults SET closed_at = ?, times = ?, message = ? WHERE id = ?",
    "transition": "INSERT OR REPLACE INTO transitions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "carried_out": "UPDATE transitions SET carried_out_at = ? WHERE id = ?",
    "order_taken": "UPDATE orders SET taken_at = ? WHERE id = ?",
    "dead_letter": "INSERT OR REPLACE INTO dead_letters VALUES (?, ?, ?, ?, ?, ?)",
    "dead_letter_gone": "DELETE FROM dead_letters WHERE id = ?",
    "dead_letters_bounded": (
        "DELETE FROM dead_letters WHERE publisher = ?1 AND id <= (SELECT id FROM dead_letters"
        " WHERE publisher = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)"
    ),
}

INSERT_READING = "INSERT OR IGNORE INTO readings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"

_OLDEST = (
    "(SELECT serial, taken_ms, clock_trusted FROM readings ORDER BY serial LIMIT ?1)"
    " WHERE clock_trusted AND"
)
#: Of so many of the oldest rows: the first that was taken between two moments, and the last one
#: before a moment and a serial. Only a sure clock says when a reading was taken.
FIRST_YOUNG = f"SELECT min(serial) FROM {_OLDEST} taken_ms >= ?2 AND taken_ms < ?3"
LAST_OLD = f"SELECT max(serial) FROM {_OLDEST} taken_ms < ?2 AND serial < ?3"
DELETE_READINGS = "DELETE FROM readings WHERE serial <= ?"
DELETE_FAULTS = "DELETE FROM faults WHERE closed_at < ?"


def put_frames(db: sqlite3.Connection, frames: Iterable[Frame]) -> None:
    """Into the tables, within the caller's transaction; what is there already stays."""
    for frame in frames:
        db.executemany(INSERT_READING, rows_of(frame.payload))
        for name, parameters in changes_of(frame.payload):
            _apply(db, name, parameters)


def _apply(db: sqlite3.Connection, name: str, parameters: Sequence[Any]) -> None:
    if name == doubting.CHANGE:
        # More than a statement; it only ever rides in the journal.
        doubting.withdraw(db, *parameters)
        return
    statement = CHANGES.get(name)
    if statement is None:
        return  # A newer Kiezbox wrote it.
    try:
        db.execute(statement, parameters)
    except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
        # Sealed by its checksum and still not for our tables: our mistake of another day. One
        # change lost is better than a box that never folds again.
        return
