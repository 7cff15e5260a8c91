"""Make or renew the database: ``python -m kiezbox.store.migrate PATH``.

The node runs this as a short-lived child, so that it never carries sqlite-utils itself; where
sqlite-utils is loaded anyway (tests, tools) no child is needed.
"""

from __future__ import annotations

import os
import sys

from kiezbox.errors import StoreError
from kiezbox.store.journal import sync_folder

#: The steps there are; ``schema.MIGRATIONS`` holds as many (a test says so).
SCHEMA_VERSION = 1

#: On a Pi Zero the imports alone take seconds; past this something hangs.
CHILD_TIMEOUT_S = 60


def run(path: str) -> None:
    """Make the database at ``path`` if it is missing, else take the steps it lacks.

    Raises:
        StoreError: the child failed; its message says how.
        OSError, sqlite3.Error: the same, where no child was needed.
    """
    if "sqlite_utils" in sys.modules:
        apply(path)
        return
    import subprocess

    try:
        done = subprocess.run(
            [sys.executable, "-m", "kiezbox.store.migrate", path],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=CHILD_TIMEOUT_S,
        )
    except subprocess.TimeoutExpired as error:
        raise StoreError(f"{path}: the schema change took over {CHILD_TIMEOUT_S} s") from error
    if done.returncode:
        reason = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
        raise StoreError(f"{path}: the schema change failed: {reason[0]}")


def apply(path: str) -> None:
    """The work itself, in this process."""
    if os.path.exists(path):
        _renew(path)
    else:
        _create(path)


def _create(path: str) -> None:
    """Under another name first, then renamed: a power cut leaves a whole database or none.

    In place, the deleted rollback journal of the very first transaction can come back after the
    cut and roll back what was confirmed since (seen in 3 of 100 cuts).
    """
    from sqlite_utils.db import Database

    from kiezbox.store.schema import MIGRATIONS

    fresh = path + ".new"
    for leftover in (fresh, fresh + "-journal", fresh + "-wal", fresh + "-shm"):
        if os.path.exists(leftover):
            os.remove(leftover)
    db = Database(fresh)
    try:
        # Nothing of it counts before the rename, so it need not be safe on its own.
        db.execute("PRAGMA synchronous = OFF")
        db.execute("PRAGMA journal_mode = MEMORY")
        MIGRATIONS.apply(db)
        db.execute("PRAGMA journal_mode = WAL")
    finally:
        db.close()
    with open(fresh, "rb") as file:
        os.fsync(file.fileno())
    os.rename(fresh, path)
    sync_folder(path)


def _renew(path: str) -> None:
    from sqlite_utils.db import Database

    from kiezbox.store.schema import MIGRATIONS

    db = Database(path)
    try:
        db.execute("PRAGMA synchronous = EXTRA")
        MIGRATIONS.apply(db)
    finally:
        db.close()


if __name__ == "__main__":
    apply(sys.argv[1])
