"""Which database a node can have: the real one, a salvaged one, or a stand-in."""

from __future__ import annotations

import os
import sqlite3

from kiezbox.errors import StoreReadOnly
from kiezbox.store import migrate
from kiezbox.store.database import TROUBLE, connect, is_behind


def for_writing(path: str) -> sqlite3.Connection:
    """The real one, made or renewed where needed.

    Raises:
        StoreError: it is none of ours, or a newer Kiezbox made it.
        TROUBLE, OSError, migrate.ChildFailed: it cannot be had now.
    """
    if migrate.needs_run(path):
        migrate.run(path)
    for name in (path, os.path.dirname(os.path.abspath(path))):
        if not os.access(name, os.W_OK):
            raise StoreReadOnly(f"{name} cannot be written")
    db = connect(path, is_writable=True)
    try:
        if is_behind(db, path):
            db.close()
            migrate.run(path)
            db = connect(path, is_writable=True)
        db.execute("PRAGMA journal_mode = WAL")  # A backup is a single file without it.
    except BaseException:
        db.close()
        raise
    return db


def replaced(path: str) -> sqlite3.Connection | None:
    """A new one in the damaged one's place, with what can be read of it; None if that fails.

    Where there is no room or no time to salvage, an empty one has to do: the old file stays, and
    `kiezbox store salvage` can fetch the rest from it later.
    """
    for task in ("salvage", "replace"):
        try:
            migrate.run(path, task)
            return connect(path, is_writable=True)
        except (OSError, *TROUBLE, migrate.ChildFailed):
            continue
    return None


def stand_in(path: str) -> sqlite3.Connection:
    """The file as it can be read, or an empty one in memory."""
    for is_frozen in (False, True):
        # With its log; or without, where not even the -shm can be made beside it.
        try:
            return connect(path, is_writable=False, is_frozen=is_frozen)
        except TROUBLE:
            continue
    return migrate.empty()
