"""The file of the log of words: its tables, how it is opened, what becomes of a damaged one."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import suppress

from kiezbox.errors import StoreError
from kiezbox.store.database import BUSY_MS, transaction

__all__ = ["APPLICATION_ID", "SCHEMA_VERSION", "open_file"]

#: "Wort".
APPLICATION_ID = 0x576F7274

#: Plain SQL and not sqlite-utils: the portal and the command line open this file, too, and need not
#: carry 10 MiB for that. A step, once released, never changes.
_STEPS = (
    """
    CREATE TABLE meta (id INTEGER PRIMARY KEY CHECK (id = 1), box TEXT NOT NULL,
      newest_stamp INTEGER NOT NULL) STRICT;
    CREATE TABLE heads (origin TEXT PRIMARY KEY, newest INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE log (
      number INTEGER PRIMARY KEY AUTOINCREMENT,
      origin TEXT NOT NULL, sequence INTEGER NOT NULL, stamp INTEGER NOT NULL,
      kind INTEGER NOT NULL, of_origin TEXT, of_sequence INTEGER,
      received_at REAL NOT NULL, expires_at REAL NOT NULL,
      is_personal INTEGER NOT NULL, is_trusted INTEGER NOT NULL, is_signed INTEGER NOT NULL,
      once BLOB UNIQUE, frame BLOB NOT NULL,
      UNIQUE (origin, sequence)
    ) STRICT;
    CREATE INDEX log_of ON log (of_origin, of_sequence) WHERE of_origin IS NOT NULL;
    CREATE INDEX log_kind ON log (kind, stamp);
    CREATE INDEX log_expires ON log (expires_at);
    CREATE TABLE things (
      origin TEXT NOT NULL, sequence INTEGER NOT NULL, kind INTEGER NOT NULL,
      written_at REAL NOT NULL, changed_at REAL NOT NULL, expires_at REAL NOT NULL,
      topic TEXT NOT NULL, state TEXT NOT NULL, text TEXT NOT NULL, language TEXT NOT NULL,
      issuer TEXT NOT NULL, is_hidden INTEGER NOT NULL, lookup BLOB NOT NULL, data TEXT NOT NULL,
      PRIMARY KEY (origin, sequence)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX things_shown ON things (kind, is_hidden, written_at);
    CREATE INDEX things_board ON things (kind, state, is_hidden, written_at, origin, sequence,
      topic, expires_at);
    CREATE INDEX things_lookup ON things (lookup) WHERE lookup <> x'';
    CREATE INDEX things_expires ON things (expires_at);
    """,
    # Who may open what is sealed (``keyring``): no records, because a key that came by radio from
    # anybody would be one that anybody can read.
    """
    CREATE TABLE role_keys (role TEXT PRIMARY KEY, public BLOB NOT NULL, made_at REAL NOT NULL)
      STRICT, WITHOUT ROWID;
    CREATE TABLE holders (
      number INTEGER PRIMARY KEY AUTOINCREMENT, who BLOB NOT NULL UNIQUE, role TEXT NOT NULL,
      made_at REAL NOT NULL, expires_at REAL, tries INTEGER NOT NULL, locked BLOB NOT NULL
    ) STRICT;
    CREATE TABLE switches (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    """,
    # Who vouches for a signed record, as whoever could judge it found.
    """
    ALTER TABLE log ADD COLUMN issuer TEXT NOT NULL DEFAULT '';
    """,
)

SCHEMA_VERSION = len(_STEPS)


def open_file(path: str, box: str) -> sqlite3.Connection:
    """The open database, made or renewed if need be. A damaged one is put aside, and what can be
    read of it is taken over.

    Raises:
        StoreError: there is none and ``box`` is empty, or it is not ours to open.
        sqlite3.Error: the card says no.
    """
    try:
        return _opened(path, box)
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise
    aside = _put_aside(path)
    db = _opened(path, box or _box_of(aside))
    _take_over(aside, db)
    return db


def _opened(path: str, box: str) -> sqlite3.Connection:
    if not os.path.exists(path):
        if not box:
            from kiezbox.store.log import no_log

            raise no_log(path)
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    db = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, timeout=BUSY_MS / 1000
    )
    try:
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA secure_delete = ON")
        db.execute("PRAGMA cache_size = -1024")
        _prepare(db, path, box)
    except BaseException:
        db.close()
        raise
    return db


def _prepare(db: sqlite3.Connection, path: str, box: str) -> None:
    (version,) = db.execute("PRAGMA user_version").fetchone()
    (application,) = db.execute("PRAGMA application_id").fetchone()
    if version and application != APPLICATION_ID:
        raise StoreError(f"{path} is not Kiezbox's log of words", hint="Look at store.words.")
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"{path} has schema {version}, this Kiezbox knows {SCHEMA_VERSION}",
            hint="A newer Kiezbox made it: install that version.",
        )
    if version == SCHEMA_VERSION:
        return
    if not box and not version:
        raise StoreError(f"{path} is empty", hint="The node makes it: `kiezbox run`.")
    db.execute("PRAGMA journal_mode = WAL")
    with transaction(db):
        # Somebody else may have been quicker.
        (version,) = db.execute("PRAGMA user_version").fetchone()
        for step in _STEPS[version:]:
            for statement in step.split(";"):
                db.execute(statement)
        if not version:
            db.execute("INSERT INTO meta VALUES (1, ?, 0)", (box,))
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    _share(path)


def _share(path: str) -> None:
    """Whoever may write into the folder may write the file; SQLite gives -wal and -shm its mode."""
    folder = os.stat(os.path.dirname(os.path.abspath(path)))
    if folder.st_mode & 0o020:
        for side in ("", "-wal", "-shm"):
            with suppress(OSError):
                os.chmod(path + side, 0o660)
                os.chown(path + side, -1, folder.st_gid)


def _put_aside(path: str) -> str:
    stamp = int(time.time())
    while os.path.exists(f"{path}.damaged-{stamp}"):
        stamp += 1
    for side in ("-wal", "-shm", ""):
        with suppress(FileNotFoundError):
            os.rename(path + side, f"{path}.damaged-{stamp}{side}")
    return f"{path}.damaged-{stamp}"


def _box_of(aside: str) -> str:
    with suppress(sqlite3.Error):
        db = sqlite3.connect(f"file:{aside}?mode=ro", uri=True)
        try:
            return str(db.execute("SELECT box FROM meta").fetchone()[0])
        finally:
            db.close()
    return ""


def _take_over(aside: str, db: sqlite3.Connection) -> None:
    """Every row of ``log`` that can still be read, from both ends of the damage."""
    columns = (
        "number, origin, sequence, stamp, kind, of_origin, of_sequence, received_at, expires_at,"
        " is_personal, is_trusted, is_signed, once, frame"
    )
    source = sqlite3.connect(f"file:{aside}?mode=ro", uri=True)
    try:
        with transaction(db):
            for order in ("ASC", "DESC"):
                with suppress(sqlite3.Error):
                    for row in source.execute(f"SELECT {columns} FROM log ORDER BY number {order}"):
                        db.execute(
                            f"INSERT OR IGNORE INTO log ({columns})"
                            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                            row,
                        )
            for table in ("heads", "role_keys", "holders", "switches"):
                with suppress(sqlite3.Error):
                    for row in source.execute(f"SELECT * FROM {table}"):
                        marks = ", ".join("?" * len(row))
                        db.execute(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", row)
            db.execute(
                "INSERT INTO heads SELECT origin, max(sequence) FROM log WHERE true"
                " GROUP BY origin ON CONFLICT (origin) DO UPDATE"
                " SET newest = max(newest, excluded.newest)"
            )
            db.execute("UPDATE meta SET newest_stamp = coalesce((SELECT max(stamp) FROM log), 0)")
    finally:
        source.close()
