"""The package of the surroundings as a file: written whole and put in place, then only read."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress

from kiezbox.errors import StoreError
from kiezbox.place.package import (
    APPLICATION_ID,
    POINT_COLUMNS,
    SCHEMA,
    VERSION,
    line_row,
    meta_rows,
    package_of,
    point_row,
)
from kiezbox.place.points import Package

__all__ = ["read_meta", "read_package", "write_package"]


def write_package(package: Package, path: str) -> int:
    """Write it aside and put it in the place of what was there; its size in bytes. The same
    package gives the same bytes.

    Raises:
        StoreError: it cannot be written.
    """
    aside = path + ".new"
    try:
        with suppress(FileNotFoundError):
            os.unlink(aside)
        with closing(sqlite3.connect(aside, isolation_level=None)) as db:
            db.execute("PRAGMA page_size = 4096")
            db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            db.execute("BEGIN")
            for statement in SCHEMA.split(";"):
                db.execute(statement)
            db.executemany("INSERT INTO meta VALUES (?, ?)", meta_rows(package))
            db.executemany("INSERT INTO sources VALUES (?, ?, ?, ?, ?)", sorted(package.sources))
            db.executemany(
                f"INSERT INTO points ({POINT_COLUMNS}) VALUES ({', '.join('?' * 10)})",
                map(point_row, package.points),
            )
            db.executemany(
                "INSERT INTO lines (kind, name, south, west, north, east, corners, source)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                map(line_row, package.lines),
            )
            db.execute("COMMIT")
            db.execute("VACUUM")
        # Everybody may read it: the portal has a user of its own.
        os.chmod(aside, 0o644)
        os.replace(aside, path)
        return os.stat(path).st_size
    except (sqlite3.Error, OSError) as error:
        with suppress(OSError):
            os.unlink(aside)
        raise StoreError(f"cannot write {path}: {error}") from error


def read_meta(path: str) -> dict[str, str]:
    """What a package says of itself (``place.package.meta_rows``); {} where there is none, or none
    that can be read: whoever asks only for this can do without.
    """
    try:
        with closing(_opened(path)) as db:
            return {str(key): str(value) for key, value in db.execute("SELECT * FROM meta")}
    except (sqlite3.Error, OSError):
        return {}


def _opened(path: str) -> sqlite3.Connection:
    name = os.path.abspath(path)
    for sign in "%?#":
        name = name.replace(sign, f"%{ord(sign):02x}")
    return sqlite3.connect(f"file:{name}?mode=ro&immutable=1", uri=True)


def read_package(path: str) -> Package:
    """The whole of it.

    Raises:
        StoreError: there is none, it is damaged, or a newer Kiezbox made it.
    """
    hint = "Make one with `kiezbox place build` (docs/place.md)."
    if not os.path.isfile(path):
        raise StoreError(f"there is no package {path}", hint=hint)
    try:
        with closing(_opened(path)) as db:
            meta = dict(db.execute("SELECT key, value FROM meta"))
            if int(meta["schemaVersion"]) > VERSION:
                raise StoreError(
                    f"{path} is of version {meta['schemaVersion']}, and this Kiezbox knows"
                    f" {VERSION}",
                    hint="Update Kiezbox, or build the package with this one.",
                )
            return package_of(
                meta,
                db.execute("SELECT key, name, licence, url, as_of FROM sources").fetchall(),
                db.execute(f"SELECT {POINT_COLUMNS} FROM points ORDER BY id").fetchall(),
                db.execute(
                    "SELECT kind, name, corners, source FROM lines ORDER BY number"
                ).fetchall(),
            )
    except (sqlite3.Error, OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise StoreError(f"{path} is no package of Kiezbox: {error}", hint=hint) from error
