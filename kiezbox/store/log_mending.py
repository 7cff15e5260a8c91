"""Opening the log of words, whatever a power cut, a bad card or another process has left.

A new log is made aside and put in its place whole, so that nobody ever finds half of one. A damaged
one is moved aside first, and what its pages still hold is copied into a new one. Both happen under
a lock, in a file beside it that also says whose log it is, and both are finished by whoever opens
the log next if the power goes in between.

    words.db            the log
    words.db.lock       the box's name; locked while a log is made or mended
    words.db.new        one that is being made
    words.db.mending    the damaged one, until all of it was copied that can be
    words.db.damaged-…  the damaged one afterwards; ``Log.erase`` removes it after a week
"""

from __future__ import annotations

import fcntl
import glob
import os
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any

from kiezbox.errors import StoreDamaged, StoreError
from kiezbox.model import is_box_id
from kiezbox.records import BadRecord, unpack
from kiezbox.store import log_file
from kiezbox.store.database import TROUBLE, state_of, transaction

__all__ = ["is_damage", "mend", "no_log", "open_file", "sweep"]

#: So long a damaged log is kept: as long as anything personal lives.
ASIDE_S = 7 * 86400.0

#: Numbers that a mended log leaves out: the damage may have taken records that others hold.
SKIPPED = 1000


def no_log(path: str) -> StoreError:
    """Said where there should be one."""
    return StoreError(
        f"there is no log of words at {path}",
        hint="The node makes it when it starts first: `kiezbox run`.",
    )


def is_damage(error: Exception, path: str) -> bool:
    """Whether this says that the file is not what was written."""
    return isinstance(error, StoreDamaged) or state_of(error, path) == "damaged"


def open_file(path: str, box: str) -> sqlite3.Connection:
    """The open log, made, finished, renewed or mended if need be.

    Raises:
        StoreError: there is none and ``box`` is empty, or it is not ours to open.
        TROUBLE, OSError: the card says no.
    """
    if os.path.exists(path):
        seen = log_file.identity(path)
        try:
            return log_file.opened(path, box)
        except (StoreDamaged, *TROUBLE) as error:
            if not is_damage(error, path):
                raise
        mend(path, seen, box)
        return log_file.opened(path, box)
    if box:
        _make_folder(os.path.dirname(os.path.abspath(path)))
    elif not _is_interrupted(path):
        raise no_log(path)
    with _alone(path, box) as name:
        if not os.path.exists(path):
            if not name:
                raise no_log(path)
            _make(path, name)
    return log_file.opened(path, box)


def mend(path: str, seen: tuple[int, int] | None, box: str = "") -> None:
    """Put a damaged log aside and make another of what can be read of it. ``seen``: which file the
    damage was met in; if it is another by now, somebody has mended it.

    Raises:
        StoreError: nothing says that this was a log of ours.
        TROUBLE, OSError: the card says no.
    """
    if not os.path.exists(path + ".lock"):
        raise StoreError(f"{path} is not Kiezbox's log of words", hint="Look at store.words.")
    with _alone(path, box) as name:
        if log_file.identity(path) not in (seen, None):
            return
        if not name:
            raise StoreError(f"{path} is damaged, and nothing says whose it is")
        print(f"kiezbox: {path} is damaged; reading what can be read …", file=sys.stderr)
        if os.path.exists(path):
            _put_away(path)
            os.rename(path, path + ".mending")
        _make(path, name)


def sweep(path: str, now: float) -> None:
    """Remove damaged logs that are older than anything in them may be."""
    for aside in [*glob.glob(glob.escape(path) + ".damaged-*"), path + ".mending"]:
        with suppress(OSError):
            if now - os.stat(aside).st_mtime > ASIDE_S and os.path.exists(path):
                os.unlink(aside)


def _is_interrupted(path: str) -> bool:
    return any(os.path.exists(path + end) for end in (".mending", "-wal"))


@contextmanager
def _alone(path: str, box: str) -> Iterator[str]:
    """Nobody else makes or mends this log meanwhile. The name of its box, as far as known."""
    lock = path + ".lock"
    file = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        log_file.share(lock)
        fcntl.flock(file, fcntl.LOCK_EX)
        found = os.pread(file, 64, 0).decode("ascii", "replace").strip()
        if box and box != found:
            os.ftruncate(file, 0)
            os.pwrite(file, f"{box}\n".encode(), 0)
            os.fsync(file)
        yield box or (found if is_box_id(found) else "")
    finally:
        os.close(file)


def _make(path: str, box: str) -> None:
    """Where none is: a new log, with all that can be read of the one being mended."""
    aside, new = path + ".mending", path + ".new"
    if _is_interrupted(path):
        for side in ("-wal", "-shm"):
            with suppress(FileNotFoundError):
                os.rename(path + side, aside + side)
        _sync_folder_of(path)
    with closing(log_file.made(new, box)) as db:
        if _is_interrupted(path) or os.path.exists(aside + "-wal"):
            _take_over(aside, db, box)
    log_file.share(new)
    os.rename(new, path)
    _sync_folder_of(path)
    _put_away(path)


def _put_away(path: str) -> None:
    """A log that was mended gets the name under which it is kept."""
    aside, stamp = path + ".mending", int(time.time())
    while os.path.exists(f"{path}.damaged-{stamp}"):
        stamp += 1
    for side in ("-shm", "-wal", ""):
        with suppress(FileNotFoundError):
            os.rename(aside + side, f"{path}.damaged-{stamp}{side}")


def _make_folder(folder: str) -> None:
    """With its name on the card: else a power cut takes it, and all that was synced in it."""
    if not os.path.isdir(folder):
        _make_folder(os.path.dirname(folder))
        with suppress(FileExistsError):
            os.mkdir(folder)
        _sync_folder_of(folder)


def _sync_folder_of(path: str) -> None:
    folder = os.open(os.path.dirname(os.path.abspath(path)), os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


# --- what can be read of a damaged one ---------------------------------------------------------


def _log_row(db: sqlite3.Connection, row: tuple[Any, ...]) -> None:
    """A record that is one, under the columns it says itself."""
    record = unpack(row[14])
    if (record.origin, record.sequence, record.stamp, record.kind) == row[1:5]:
        marks = ", ".join("?" * len(row))
        db.execute(f"INSERT OR IGNORE INTO log VALUES ({marks})", row)


def _meta_row(db: sqlite3.Connection, row: tuple[Any, ...]) -> None:
    db.execute(
        "UPDATE meta SET newest_stamp = ?, power_back_at = ?, looked_at = ?", (row[2], *row[4:6])
    )


def _gone_row(db: sqlite3.Connection, row: tuple[Any, ...]) -> None:
    db.execute("INSERT OR IGNORE INTO gone VALUES (?, ?, x'', ?)", row)


def _into(table: str) -> Callable[[sqlite3.Connection, tuple[Any, ...]], None]:
    def insert(db: sqlite3.Connection, row: tuple[Any, ...]) -> None:
        marks = ", ".join("?" * len(row))
        db.execute(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", row)

    return insert


_WHOLE, _NUMBER, _NONE = (int,), (int, float), type(None)

#: The types of a table's columns → what to do with such a row. SQLite keeps its own row numbers of
#: two tables in a table that looks like ``switches``: those come by themselves.
_ROWS: tuple[tuple[tuple[tuple[type, ...], ...], Any], ...] = (
    (
        (_WHOLE, (str,), _WHOLE, _WHOLE, _WHOLE, (str, _NONE), (int, _NONE), _NUMBER, _NUMBER,
         _WHOLE, _WHOLE, _WHOLE, _WHOLE, (bytes, _NONE), (bytes,), (str,)),
        _log_row,
    ),
    ((_WHOLE, (str,), _WHOLE, (str,), _NUMBER, _NUMBER, _NUMBER, _WHOLE), _meta_row),
    (
        (_WHOLE, (str,), _WHOLE, _WHOLE, _WHOLE, (str, _NONE), (int, _NONE), _NUMBER, _NUMBER,
         _WHOLE, _WHOLE, _WHOLE, _WHOLE, (bytes, _NONE), (bytes,), (str,), (bytes,)),
        _into("twins"),
    ),
    (((str,), _WHOLE, (bytes,), _NUMBER), _into("gone")),
    # Of a log before schema 3.
    (((str,), _WHOLE, _NUMBER), _gone_row),
    (((str,), (bytes,), _NUMBER), _into("role_keys")),
    (
        (_WHOLE, (bytes,), (str,), _NUMBER, (*_NUMBER, _NONE), _WHOLE, (bytes,)),
        _into("holders"),
    ),
    (((str,), _WHOLE), _into("switches")),
)  # fmt: skip


def _take_over(aside: str, db: sqlite3.Connection, box: str) -> None:
    """Every row that can still be read, wherever the damage is."""
    # Rarely needed, and 0.4 MiB.
    from kiezbox.store.salvage import rows_of

    with transaction(db):
        for row in rows_of(aside):
            for types, take in _ROWS:
                if len(row) == len(types) and all(map(isinstance, row, types)):
                    # One bad row costs no other.
                    with suppress(BadRecord, sqlite3.Error, OverflowError):
                        take(db, row)
                    break
        db.execute(
            "DELETE FROM log WHERE EXISTS (SELECT 1 FROM gone"
            " WHERE gone.origin = log.origin AND gone.sequence = log.sequence"
            " AND gone.id IN (record_id(log.frame), x''))"
        )
        db.execute("DELETE FROM switches WHERE name IN ('log', 'holders')")
        db.execute("INSERT INTO heads SELECT origin, max(sequence) FROM log GROUP BY origin")
        db.execute(
            "INSERT INTO heads VALUES (?1, ?2) ON CONFLICT DO UPDATE SET newest = newest + ?2",
            (box, SKIPPED),
        )
        db.execute("UPDATE sqlite_sequence SET seq = seq + ? WHERE name = 'log'", (SKIPPED,))
        db.execute(
            "UPDATE meta SET newest_stamp ="
            " max(newest_stamp, coalesce((SELECT max(stamp) FROM log), 0))"
        )
