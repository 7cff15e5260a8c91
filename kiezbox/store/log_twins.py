"""Records that say they have a number that another one has.

A record's number is the word of whoever hands it on: on a link between boxes, somebody can send his
own words under another box's next number before that box does. So two records are the same only if
they are the same bytes (``record_id``), and both are kept and handed on. One of them is *shown*,
stands in ``log``, and is what changes are about; the others wait in ``twins``:

- this box's own numbers are its own: no other record ever has one of them;
- what is signed and believed goes before what is not, whichever came first;
- else the first that came is shown.
"""

from __future__ import annotations

import sqlite3
from _blake2 import blake2s
from typing import Any

__all__ = ["MOST", "clock_was_set", "end_personal", "forget", "keep", "promote", "record_id",
           "signed"]  # fmt: skip

#: So many wait for one number; what is signed goes before what is not.
MOST = 8

_ONE = "SELECT 1 FROM twins WHERE origin = ? AND sequence = ? AND id = ?"

_COLUMNS = (
    "number, origin, sequence, stamp, kind, of_origin, of_sequence, received_at, expires_at,"
    " is_personal, is_trusted, is_receipt_sure, is_signed, once, frame, issuer"
)


def record_id(frame: bytes) -> bytes:
    """What names a record for good, whatever it says of itself."""
    return blake2s(frame, digest_size=16, person=b"kbrecord").digest()


def keep(db: sqlite3.Connection, row: tuple[Any, ...], *, is_believed: bool) -> bool | None:
    """``row``: all columns of ``log`` but the number; its number is taken there. None: it is to be
    shown instead of that, which waits from now on; else whether it is new and waits.
    """
    origin, sequence, frame = row[0], row[1], row[13]
    other, issuer = db.execute(
        "SELECT frame, issuer FROM log WHERE origin = ? AND sequence = ?", (origin, sequence)
    ).fetchone()
    (box,) = db.execute("SELECT box FROM meta").fetchone()
    if other == frame or origin == box:
        return False
    if is_believed and not issuer:
        _step_back(db, origin, sequence)
        return None
    waiting = origin, sequence, record_id(frame)
    if db.execute(_ONE, waiting).fetchone():
        return False
    _insert(db, (_next_number(db), *row))
    _drop_the_last(db, origin, sequence)
    return bool(db.execute(_ONE, waiting).fetchone())


def signed(db: sqlite3.Connection) -> list[tuple[int, bytes]]:
    """Number and frame of those that wait and may be believed one day."""
    return db.execute("SELECT number, frame FROM twins WHERE is_signed").fetchall()


def promote(db: sqlite3.Connection, number: int, issuer: str) -> bool:
    """Show one that waits and is believed by now; False: another that is believed is shown."""
    row = db.execute(f"SELECT {_COLUMNS} FROM twins WHERE number = ?", (number,)).fetchone()
    origin, sequence = ref = row[1:3]
    shown = db.execute("SELECT issuer FROM log WHERE origin = ? AND sequence = ?", ref).fetchone()
    if shown and shown[0]:
        return False
    db.execute("DELETE FROM twins WHERE number = ?", (number,))
    if shown:
        _step_back(db, origin, sequence)
    marks = ", ".join("?" * len(row))
    db.execute(f"INSERT INTO log ({_COLUMNS}) VALUES ({marks})", (*row[:-1], issuer))
    return True


def _step_back(db: sqlite3.Connection, origin: str, sequence: int) -> None:
    ref = origin, sequence
    row = db.execute(
        f"SELECT {_COLUMNS} FROM log WHERE origin = ? AND sequence = ?", ref
    ).fetchone()
    db.execute("DELETE FROM log WHERE origin = ? AND sequence = ?", ref)
    _insert(db, row)
    _drop_the_last(db, origin, sequence)


def _insert(db: sqlite3.Connection, row: tuple[Any, ...]) -> None:
    marks = ", ".join("?" * (len(row) + 1))
    db.execute(f"INSERT INTO twins ({_COLUMNS}, id) VALUES ({marks})", (*row, record_id(row[14])))


def _next_number(db: sqlite3.Connection) -> int:
    """Of the log's own, so that whoever asks what came after a number sees it, too."""
    db.execute("UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = 'log'")
    (number,) = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'log'").fetchone()
    return int(number)


def _drop_the_last(db: sqlite3.Connection, origin: str, sequence: int) -> None:
    """Of too many."""
    db.execute(
        "DELETE FROM twins WHERE origin = ?1 AND sequence = ?2 AND number NOT IN (SELECT number"
        " FROM twins WHERE origin = ?1 AND sequence = ?2 ORDER BY is_signed DESC, number LIMIT ?3)",
        (origin, sequence, MOST),
    )


# --- as ``log_forgetting`` does with the others --------------------------------------------------


def forget(db: sqlite3.Connection, now: float, until: float) -> int:
    """Erase those that have expired; how many. Their ids are remembered."""
    db.execute(
        "INSERT OR REPLACE INTO gone SELECT origin, sequence, id, ? FROM twins"
        " WHERE expires_at <= ?",
        (until, now),
    )
    return db.execute("DELETE FROM twins WHERE expires_at <= ?", (now,)).rowcount


def end_personal(db: sqlite3.Connection, since: float, at: float) -> None:
    """Personal ones received until then end at this time."""
    db.execute(
        "UPDATE twins SET expires_at = min(expires_at, ?) WHERE is_personal AND received_at <= ?",
        (at, since),
    )


def clock_was_set(db: sqlite3.Connection, by_s: float) -> None:
    """What was received by an unsure clock is as old as it was."""
    db.execute(
        "UPDATE twins SET received_at = received_at + ?1, expires_at = expires_at + ?1,"
        " is_receipt_sure = 1 WHERE NOT is_receipt_sure",
        (by_s,),
    )
