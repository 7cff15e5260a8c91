"""A real log of words, what neighbours write into it, and records of other boxes."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kiezbox.clock import ManualClock
from kiezbox.records import Record, Ref, kind_named, next_stamp, pack, pack_body
from kiezbox.store.log import Added, Draft, Log

BOX, OTHER = "kb-musterplatz-1", "kb-anderswo-2"
HOUR_S, DAY_S = 3600.0, 86400.0


def open_log(folder: Path, clock: ManualClock, *, box: str = BOX) -> Log:
    return Log.open(str(folder / "words" / "words.db"), clock, box=box)


def post(text: str = "Biete Suppe", *, once: bytes = b"", **more: Any) -> Draft:
    return Draft(kind="post", fields={"topic": 1, "text": text, **more}, once=once)


def report(of: Ref, reporter: bytes) -> Draft:
    return Draft(kind="report", fields={"of": of, "reason": 1, "reporter": reporter})


def texts(log: Log, kind: str = "post") -> list[str]:
    return [thing.text for thing in log.things(kind, limit=10**6)]


def record(
    kind: str,
    fields: Mapping[str, Any],
    *,
    origin: str = OTHER,
    sequence: int = 1,
    at: float = 1_780_000_000.0,
    lifetime_s: int | None = None,
    trusted: bool = True,
    **changes: Any,
) -> Record:
    """Of another box, written at that moment by its clock."""
    found = kind_named(kind)
    values: dict[str, Any] = {
        "origin": origin, "sequence": sequence, "stamp": next_stamp(0, at), "kind": found.number,
        "priority": int(found.priority), "scope": 1,
        "lifetime_s": found.lifetime_s if lifetime_s is None else lifetime_s,
        "is_clock_trusted": trusted, "body": pack_body(found, fields), **changes,
    }  # fmt: skip
    return Record(**values)


def frame(kind: str, fields: Mapping[str, Any], **more: Any) -> bytes:
    return pack(record(kind, fields, **more))


def foreign_post(text: str, **more: Any) -> bytes:
    return frame("post", {"topic": 0, "text": text}, **more)


def everything_of(path: str) -> tuple[list[Any], list[Any]]:
    """The rows of log and things, as they lie there."""
    db = sqlite3.connect(path)
    try:
        log = db.execute(
            "SELECT origin, sequence, stamp, expires_at, frame FROM log ORDER BY 1, 2"
        ).fetchall()
        return log, db.execute("SELECT * FROM things ORDER BY origin, sequence").fetchall()
    finally:
        db.close()


def bytes_of(log: Log) -> bytes:
    """All that is in the files of a log."""
    folder = Path(log.path).parent
    return b"".join(file.read_bytes() for file in sorted(folder.iterdir()) if file.is_file())


__all__ = ["BOX", "DAY_S", "HOUR_S", "OTHER", "Added", "bytes_of", "everything_of", "foreign_post",
           "frame", "open_log", "post", "record", "report", "texts"]  # fmt: skip
