"""The tables, as numbered steps that only go forward.

Imported only where the schema has to change (``migrate`` does that in a process of its own):
sqlite-utils costs 10 MiB that the node need not carry. A step, once released, never changes;
``tests/recordings`` holds a database of every release.
"""

from __future__ import annotations

from sqlite_utils.db import Database
from sqlite_utils.migrations import Migrations

from kiezbox.store.database import APPLICATION_ID

MIGRATIONS = Migrations("kiezbox")


@MIGRATIONS(name="1")
def first_tables(db: Database) -> None:
    # One row: what the file is.
    db.table("meta").create(
        {"id": int, "box": str, "folded_sequence": int, "is_backup": int},
        pk="id",
        not_null={"box", "folded_sequence", "is_backup"},
        strict=True,
    )
    db.execute("INSERT INTO meta VALUES (1, '', 0, 0)")
    # A boot is a start of the node.
    db.table("boots").create(
        {"boot": int, "started_ms": int, "monotonic_ms": int, "clock_trusted": int, "version": str},
        pk="boot",
        not_null={"started_ms", "monotonic_ms", "clock_trusted", "version"},
        strict=True,
    )
    db.table("clock_marks").create(
        {"boot": int, "monotonic_ms": int, "wall_ms": int, "trusted": int},
        pk=("boot", "monotonic_ms"),
        not_null={"wall_ms", "trusted"},
        strict=True,
    )
    db.table("series").create(
        {"id": int, "sensor": str, "quantity": str},
        pk="id",
        not_null={"sensor", "quantity"},
        strict=True,
    ).create_index(["sensor", "quantity"], unique=True)
    # In the order of model.Reading. The serial is the row's number, so there is no index beside
    # the table and a reading costs 42 bytes.
    db.table("readings").create(
        {
            "serial": int,
            "series": int,
            "taken_ms": int,
            "monotonic_ms": int,
            "value": float,
            "raw": float,
            "flag": int,
            "reason": str,
            "clock_trusted": int,
        },
        pk="serial",
        not_null={
            "series",
            "taken_ms",
            "monotonic_ms",
            "value",
            "flag",
            "reason",
            "clock_trusted",
        },
        strict=True,
    )
    db.table("cursors").create(
        {"name": str, "backlog": int, "live_from": int, "live": int},
        pk="name",
        not_null={"backlog", "live_from", "live"},
        strict=True,
    )
    db.table("faults").create(
        {
            "id": int,
            "source": str,
            "kind": str,
            "message": str,
            "hint": str,
            "opened_at": float,
            "closed_at": float,
            "times": int,
        },
        pk="id",
        not_null={"source", "kind", "message", "hint", "opened_at", "times"},
        strict=True,
    )
    db.table("transitions").create(
        {
            "id": int,
            "at": float,
            "monotonic_ms": int,
            "boot": int,
            "machine": str,
            "before": str,
            "event": str,
            "after": str,
            "detail": str,
            "carried_out_at": float,
            "clock_trusted": int,
        },
        pk="id",
        not_null={
            "at",
            "monotonic_ms",
            "boot",
            "machine",
            "before",
            "event",
            "after",
            "detail",
            "clock_trusted",
        },
        strict=True,
    )
    db.table("kept").create(
        {"name": str, "version": int, "body": str},
        pk="name",
        not_null={"version", "body"},
        strict=True,
    )
    # Bulletins of 0.1.0. Words have a database of their own now (``log``), and nobody reads this.
    db.table("records").create(
        {
            "origin": str,
            "sequence": int,
            "kind": str,
            "written_at": float,
            "expires_at": float,
            "body": str,
        },
        pk=("origin", "sequence"),
        not_null={"kind", "written_at", "expires_at", "body"},
        strict=True,
    )
    db.table("orders").create(
        {"id": int, "at": float, "verb": str, "until": float, "detail": str, "taken_at": float},
        pk="id",
        not_null={"at", "verb", "detail"},
        strict=True,
    )
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.execute("PRAGMA user_version = 1")


@MIGRATIONS(name="2")
def tiers(db: Database) -> None:
    """Means over ten minutes, hours and days; see ``store.tiers`` for what a number is made of."""
    db.table("tiers").create(
        {
            "id": int,
            "mean": float,
            "least": float,
            "most": float,
            "good": int,
            "suspect": int,
            "bad": int,
        },
        pk="id",
        not_null={"good", "suspect", "bad"},
        strict=True,
    )
    db.table("tier_state").create(
        {"id": int, "name": str, "value": int},
        pk="id",
        not_null={"name", "value"},
        strict=True,
    ).create_index(["name"], unique=True)
    db.table("undated").create(
        {"boot": int, "first": int, "last": int},
        pk="boot",
        not_null={"first", "last"},
        strict=True,
    )
    # For people with an SQLite shell of their own.
    db.create_view(
        "means",
        "SELECT CASE tiers.id >> 56 WHEN 1 THEN '10min' WHEN 2 THEN 'hourly' ELSE 'daily' END"
        " AS tier, series.sensor, series.quantity,"
        " datetime(((tiers.id >> 24) & 4294967295)"
        " * CASE tiers.id >> 56 WHEN 1 THEN 600 WHEN 2 THEN 3600 ELSE 86400 END, 'unixepoch')"
        " AS starts_utc, mean, least, most, good, suspect, bad"
        " FROM tiers JOIN series ON series.id = tiers.id & 16777215",
    )
    db.execute("PRAGMA user_version = 2")


@MIGRATIONS(name="3")
def dead_letters(db: Database) -> None:
    """What a publisher's other side would not take, until a person decides."""
    db.table("dead_letters").create(
        {"id": int, "publisher": str, "serial": int, "at": float, "why": str, "is_retried": int},
        pk="id",
        not_null={"publisher", "serial", "at", "why", "is_retried"},
        strict=True,
    ).create_index(["publisher", "serial"], unique=True)
    db.execute("PRAGMA user_version = 3")


@MIGRATIONS(name="4")
def blocks(db: Database) -> None:
    """Older readings, packed; see ``store.blocks``. The times are those of the last one."""
    db.table("blocks").create(
        {
            "last": int,
            "first": int,
            "readings": int,
            "taken_ms": int,
            "monotonic_ms": int,
            "clock_trusted": int,
            "body": bytes,
        },
        pk="last",
        not_null={"first", "readings", "taken_ms", "monotonic_ms", "clock_trusted", "body"},
        strict=True,
    )
    db.execute("PRAGMA user_version = 4")
