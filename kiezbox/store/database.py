"""SQLite as the store uses it: how a file is opened, and what its errors mean for a box."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from kiezbox.errors import StoreDamaged, StoreError, StoreFull, StoreReadOnly
from kiezbox.store import levels

#: How many steps ``schema.MIGRATIONS`` has (a test says so).
SCHEMA_VERSION = 4

#: "Kiez": what makes a SQLite file ours (sqlite.org/pragma.html#pragma_application_id).
APPLICATION_ID = 0x4B69657A

#: How long a write waits for another process's small transaction.
BUSY_MS = 5000

#: What SQLite's result codes (https://sqlite.org/rescode.html) mean for the box.
_STATES = {
    sqlite3.SQLITE_FULL: "full",
    sqlite3.SQLITE_READONLY: "read-only",
    sqlite3.SQLITE_CANTOPEN: "read-only",
    sqlite3.SQLITE_PERM: "read-only",
    sqlite3.SQLITE_IOERR: "read-only",
    sqlite3.SQLITE_CORRUPT: "damaged",
    sqlite3.SQLITE_NOTADB: "damaged",
    sqlite3.SQLITE_TOOBIG: "damaged",
    # What was written cannot be read: the card forgets.
    sqlite3.SQLITE_IOERR_READ: "damaged",
    sqlite3.SQLITE_IOERR_SHORT_READ: "damaged",
    sqlite3.SQLITE_IOERR_CORRUPTFS: "damaged",
}

HINTS = {
    "full": "Free space on the card; the box goes on by itself then.",
    "read-only": "Look at the card and the file's owner (`kiezbox store check`); readings stay in"
    " memory until the box can write again.",
    "damaged": "The damaged file stays beside the new one; `kiezbox store check` says more. A card"
    " that does this twice should be replaced.",
    "busy": "Another program holds the database; close it.",
}

#: What a call to SQLite can raise. Where a damaged file has put its bytes into the message of an
#: error or into a text, Python fails to decode them.
TROUBLE = (sqlite3.Error, UnicodeDecodeError)

_ERRORS: dict[str, type[StoreError]] = {
    "full": StoreFull,
    "read-only": StoreReadOnly,
    "damaged": StoreDamaged,
}


def state_of(error: Exception, path: str) -> str:
    """ "full", "read-only", "damaged", "busy", or "" where the error is a mistake of ours."""
    if isinstance(error, UnicodeDecodeError) or "decode to UTF-8" in str(error):
        return "damaged"
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return ""
    if code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return "busy"
    state = _STATES.get(code) or _STATES.get(code & 0xFF, "")
    if state == "read-only" and is_full(path):
        return "full"
    return state


def is_full(path: str) -> bool:
    """Whether the file system has no room for even a few pages."""
    try:
        disk = os.statvfs(os.path.dirname(os.path.abspath(path)))
    except OSError:
        return False
    return disk.f_bavail * disk.f_frsize < 65536


def store_error(error: Exception, path: str) -> StoreError:
    """The error of our tree for one of SQLite's."""
    state = state_of(error, path)
    return _ERRORS.get(state, StoreError)(f"{path}: {error}", hint=HINTS.get(state, ""))


def connect(path: str, *, is_writable: bool, is_frozen: bool = False) -> sqlite3.Connection:
    """Open, without creating. ``is_frozen``: nobody writes, so no lock and no -shm is needed.

    Raises:
        TROUBLE: see ``state_of``.
    """
    mode = "rw" if is_writable else "ro"
    name = os.path.abspath(path).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    address = f"file:{name}?mode={mode}" + ("&immutable=1" if is_frozen else "")
    db = sqlite3.connect(
        address,
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=BUSY_MS / 1000,
    )
    try:
        # FULL: what was confirmed survives a power cut, which is this box's main event.
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA cache_size = -512")
        db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        levels.register(db)
    except TROUBLE:
        db.close()
        raise
    return db


def is_behind(db: sqlite3.Connection, path: str) -> bool:
    """Whether the schema lacks steps.

    Raises:
        StoreError: not our file, or a newer Kiezbox made it.
    """
    (version,) = db.execute("PRAGMA user_version").fetchone()
    (application,) = db.execute("PRAGMA application_id").fetchone()
    if application != APPLICATION_ID:
        raise StoreError(f"{path} is not Kiezbox's database", hint="Look at store.path.")
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"{path} has schema {version}, this Kiezbox knows {SCHEMA_VERSION}",
            hint="A newer Kiezbox made it: install that version.",
        )
    return bool(version < SCHEMA_VERSION)


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """All or nothing, durable when left."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield db
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
