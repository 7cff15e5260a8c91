"""Make, renew or salvage the database: ``python -m kiezbox.store.migrate TASK PATH``.

The node runs this as a short-lived child, so that it never carries sqlite-utils (10 MiB) itself;
where sqlite-utils is loaded anyway (tests, tools) no child is needed.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import time
from contextlib import suppress

from kiezbox.errors import StoreError
from kiezbox.store.journal import belong_to_folder, sync_folder

#: On a Pi Zero the imports alone take seconds; past this something hangs.
CHILD_TIMEOUT_S = 60

#: A damaged database must not keep the box from starting. What is not read by then stays in the
#: old file; `kiezbox store salvage` fetches it later.
SALVAGE_S = 20


class ChildFailed(StoreError):
    """The database could not be made or renewed."""


def run(path: str, task: str = "make") -> None:
    """Do one of three things to the database at ``path``.

    "make": make it if it is missing, else take the steps it lacks. "salvage": make a new one of
    what can be read of it, and put it aside (``asides`` has the name). "replace": the same, but
    the new one is empty.

    Raises:
        ChildFailed: its message says how.
        OSError, sqlite3.Error: the same, where no child was needed.
    """
    if "sqlite_utils" in sys.modules:
        apply(path, task)
        return
    import subprocess

    try:
        done = subprocess.run(
            [sys.executable, "-m", "kiezbox.store.migrate", task, path],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=CHILD_TIMEOUT_S,
        )
    except subprocess.TimeoutExpired as error:
        raise ChildFailed(f"{path}: the schema change took over {CHILD_TIMEOUT_S} s") from error
    if done.returncode:
        reason = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
        raise ChildFailed(f"{path}: the schema change failed: {reason[0]}")


def apply(path: str, task: str = "make") -> None:
    """The work itself, in this process."""
    if task != "make":
        _replace(path, is_salvage=task == "salvage")
        return
    if os.path.exists(path + ".salvaged"):
        _put_in_place(path)
    if not is_missing(path):
        _renew(path)
    elif is_missing(path + "-wal"):
        _create(path)
    else:
        _replace(path, is_salvage=True)  # Somebody took the file and left its log.


def is_missing(path: str) -> bool:
    """Whether a database has to be made: no file, or one that holds nothing."""
    try:
        return os.path.getsize(path) == 0
    except FileNotFoundError:
        return True


def needs_run(path: str) -> bool:
    """Whether ``run`` has to be called before the file can be opened."""
    return is_missing(path) or os.path.exists(path + ".salvaged")


def empty() -> sqlite3.Connection:
    """A database in memory, for a box whose card gives none."""
    from sqlite_utils.db import Database

    from kiezbox.store.schema import MIGRATIONS

    db = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    MIGRATIONS.apply(Database(db))
    return db


def _create(path: str) -> None:
    """Under another name first, then renamed: a power cut leaves a whole database or none.

    In place, the deleted rollback journal of the very first transaction can come back after the
    cut and roll back what was confirmed since (seen in 3 of 100 cuts).
    """
    fresh = _build(path)
    os.rename(fresh, path)
    sync_folder(path)


def _build(path: str, *, salvage_from: str = "") -> str:
    """A whole, durable new database beside ``path``; its name."""
    from sqlite_utils.db import Database

    from kiezbox.store.schema import MIGRATIONS

    fresh = path + ".new"
    for leftover in (fresh, fresh + "-journal", fresh + "-wal", fresh + "-shm"):
        with suppress(FileNotFoundError):
            os.remove(leftover)
    db = Database(sqlite3.connect(fresh, isolation_level=None))
    try:
        # Nothing of it counts before it is synced and renamed, so it need not be safe by itself.
        db.execute("PRAGMA synchronous = OFF")
        db.execute("PRAGMA journal_mode = MEMORY")
        MIGRATIONS.apply(db)
        if salvage_from:
            from kiezbox.store.salvage import salvage

            salvage(salvage_from, db.conn, deadline=time.monotonic() + SALVAGE_S)
        db.execute("PRAGMA journal_mode = WAL")
    finally:
        db.close()
    with open(fresh, "rb") as file:
        belong_to_folder(fresh, file.fileno())
        os.fsync(file.fileno())
    return fresh


def _renew(path: str) -> None:
    from sqlite_utils.db import Database

    from kiezbox.store.schema import MIGRATIONS

    db = Database(sqlite3.connect(path, isolation_level=None))
    try:
        db.execute("PRAGMA synchronous = EXTRA")
        MIGRATIONS.apply(db)
    finally:
        db.close()


def _replace(path: str, *, is_salvage: bool) -> None:
    fresh = _build(path, salvage_from=path if is_salvage else "")
    os.rename(fresh, path + ".salvaged")
    sync_folder(path)
    _put_in_place(path)


def _put_in_place(path: str) -> None:
    """Put the damaged file aside and the salvaged one in its place; goes on after a power cut.

    The WAL first: SQLite would apply an old one to whatever file has the name.
    """
    stamp = f".damaged-{_stamp(path)}"
    for side in ("-wal", "-shm", ""):
        with suppress(FileNotFoundError):
            os.rename(path + side, path + stamp + side)
    sync_folder(path)
    os.rename(path + ".salvaged", path)
    sync_folder(path)


def _stamp(path: str) -> int:
    stamp = int(time.time())
    while os.path.exists(f"{path}.damaged-{stamp}"):
        stamp += 1
    return stamp


def asides(path: str) -> list[str]:
    """Damaged files put aside, oldest first."""
    folder, name = os.path.split(os.path.abspath(path))
    return sorted(
        os.path.join(folder, found)
        for found in os.listdir(folder)
        if found.startswith(name + ".damaged-") and not found.endswith(("-wal", "-shm"))
    )


if __name__ == "__main__":
    apply(sys.argv[2], sys.argv[1])
