"""The file of the log of words: its tables, and how it is made and opened (``log_mending`` decides
which of the two, and what becomes of a damaged one).
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress

from kiezbox.errors import StoreDamaged, StoreError
from kiezbox.store.database import BUSY_MS, transaction
from kiezbox.store.log_twins import record_id

__all__ = ["APPLICATION_ID", "SCHEMA_VERSION", "identity", "made", "opened", "remove", "share"]

#: "Wort".
APPLICATION_ID = 0x576F7274

#: Plain SQL and not sqlite-utils: the portal and the command line open this file, too, and need not
#: carry 10 MiB for that. A step, once released, never changes. What must survive a damaged page
#: stands in tables with row numbers, which ``salvage`` can read page by page.
_STEPS = (
    """
    CREATE TABLE meta (id INTEGER PRIMARY KEY CHECK (id = 1), box TEXT NOT NULL,
      newest_stamp INTEGER NOT NULL, folded_by TEXT NOT NULL, power_back_at REAL NOT NULL,
      looked_at REAL NOT NULL, rewritten_at REAL NOT NULL, is_rewrite_due INTEGER NOT NULL) STRICT;
    CREATE TABLE heads (origin TEXT PRIMARY KEY, newest INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE log (
      number INTEGER PRIMARY KEY AUTOINCREMENT,
      origin TEXT NOT NULL, sequence INTEGER NOT NULL, stamp INTEGER NOT NULL,
      kind INTEGER NOT NULL, of_origin TEXT, of_sequence INTEGER,
      received_at REAL NOT NULL, expires_at REAL NOT NULL,
      is_personal INTEGER NOT NULL, is_trusted INTEGER NOT NULL, is_receipt_sure INTEGER NOT NULL,
      is_signed INTEGER NOT NULL, once BLOB, frame BLOB NOT NULL, issuer TEXT NOT NULL,
      UNIQUE (origin, sequence)
    ) STRICT;
    CREATE UNIQUE INDEX log_once ON log (once, kind) WHERE once IS NOT NULL;
    CREATE INDEX log_of ON log (of_origin, of_sequence, stamp) WHERE of_origin IS NOT NULL;
    CREATE INDEX log_kind ON log (kind, stamp);
    CREATE INDEX log_expires ON log (expires_at);
    CREATE TABLE gone (origin TEXT NOT NULL, sequence INTEGER NOT NULL, until REAL NOT NULL,
      PRIMARY KEY (origin, sequence)) STRICT;
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
      STRICT;
    CREATE TABLE holders (
      number INTEGER PRIMARY KEY AUTOINCREMENT, who BLOB NOT NULL UNIQUE, role TEXT NOT NULL,
      made_at REAL NOT NULL, expires_at REAL, tries INTEGER NOT NULL, locked BLOB NOT NULL
    ) STRICT;
    CREATE TABLE switches (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
    """,
    # Records of one number (``log_twins``); and what is gone is named by its bytes, so that nobody
    # keeps a record out by sending another one of its number that soon expires.
    """
    CREATE TABLE twins (
      number INTEGER PRIMARY KEY, origin TEXT NOT NULL, sequence INTEGER NOT NULL,
      stamp INTEGER NOT NULL, kind INTEGER NOT NULL, of_origin TEXT, of_sequence INTEGER,
      received_at REAL NOT NULL, expires_at REAL NOT NULL,
      is_personal INTEGER NOT NULL, is_trusted INTEGER NOT NULL, is_receipt_sure INTEGER NOT NULL,
      is_signed INTEGER NOT NULL, once BLOB, frame BLOB NOT NULL, issuer TEXT NOT NULL,
      id BLOB NOT NULL, UNIQUE (origin, sequence, id)
    ) STRICT;
    CREATE TABLE gone_by_id (origin TEXT NOT NULL, sequence INTEGER NOT NULL, id BLOB NOT NULL,
      until REAL NOT NULL, PRIMARY KEY (origin, sequence, id)) STRICT;
    INSERT INTO gone_by_id SELECT origin, sequence, x'', until FROM gone;
    DROP TABLE gone;
    ALTER TABLE gone_by_id RENAME TO gone
    """,
)

SCHEMA_VERSION = len(_STEPS)


def opened(path: str, box: str) -> sqlite3.Connection:
    """The log that is there. ``box``: the name by which it goes on, if not "".

    Raises:
        StoreError: it is none of ours, or of a newer Kiezbox.
        StoreDamaged: it is empty.
        TROUBLE: it cannot be read.
    """
    name = os.path.abspath(path).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    # "rw": where there is none, none is made.
    db = sqlite3.connect(
        f"file:{name}?mode=rw",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=BUSY_MS / 1000,
    )
    try:
        db.create_function("record_id", 1, record_id, deterministic=True)
        # FULL: what was confirmed survives a power cut.
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA secure_delete = ON")
        db.execute("PRAGMA cache_size = -512")
        version = _checked_version(db, path)
        if version < SCHEMA_VERSION:
            with transaction(db):
                _step_up(db)
        (found,) = db.execute("SELECT box FROM meta").fetchone()
        if box and box != found:
            # It was renamed; what it wrote before stays under the name it had.
            db.execute("UPDATE meta SET box = ?", (box,))
    except BaseException:
        db.close()
        raise
    return db


def _checked_version(db: sqlite3.Connection, path: str) -> int:
    (version,) = db.execute("PRAGMA user_version").fetchone()
    (application,) = db.execute("PRAGMA application_id").fetchone()
    (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if not tables and not application:
        raise StoreDamaged(f"{path} is empty", hint="The log is never left so; look at the card.")
    if application != APPLICATION_ID:
        raise StoreError(f"{path} is not Kiezbox's log of words", hint="Look at store.words.")
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"{path} has schema {version}, this Kiezbox knows {SCHEMA_VERSION}",
            hint="A newer Kiezbox made it: install that version.",
        )
    return int(version)


def _step_up(db: sqlite3.Connection) -> None:
    # Asked inside the transaction: somebody else may have been quicker.
    (version,) = db.execute("PRAGMA user_version").fetchone()
    for step in _STEPS[version:]:
        for statement in step.split(";"):
            db.execute(statement)
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def made(path: str, box: str) -> sqlite3.Connection:
    """A new, empty log, to be put in its place when it is whole; closed, it is a single file."""
    remove(path)
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        db.create_function("record_id", 1, record_id, deterministic=True)
        db.execute("PRAGMA synchronous = FULL")
        with transaction(db):
            _step_up(db)
            db.execute("INSERT INTO meta VALUES (1, ?, 0, '', 0, 0, 0, 0)", (box,))
        # Last: a rollback journal that a power cut brings back would undo the first transaction.
        # It has another name than the log will have.
        db.execute("PRAGMA journal_mode = WAL")
    except BaseException:
        db.close()
        raise
    return db


def remove(path: str) -> None:
    """The file and those beside it."""
    for side in ("", "-journal", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            os.unlink(path + side)


def share(path: str) -> None:
    """Whoever may write into the folder may write the file; SQLite gives -wal and -shm its mode."""
    folder = os.stat(os.path.dirname(os.path.abspath(path)))
    if folder.st_mode & 0o020:
        for side in ("", "-wal", "-shm"):
            # Somebody else's file has the right mode already.
            with suppress(OSError):
                os.chmod(path + side, 0o660)
                # In a folder with the bit for it (2770), the group is right already; in the node's
                # sandbox chown is forbidden even to say the same.
                if os.stat(path + side).st_gid != folder.st_gid:
                    os.chown(path + side, -1, folder.st_gid)


def identity(path: str) -> tuple[int, int] | None:
    """Which file is there now; None: none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino
