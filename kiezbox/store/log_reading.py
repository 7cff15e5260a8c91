"""What is in the log of words, asked by kind, lookup, id or arrival."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Sequence
from typing import Any

from kiezbox.clock import Clock
from kiezbox.records import KINDS, BadRecord, Ref, Thing, kind_named, unpack, unpack_body
from kiezbox.records.folds import Told
from kiezbox.store.database import TROUBLE

__all__ = ["THING_COLUMNS", "TOLD", "LogReading", "row_of_thing", "thing_of_row", "told_of_row"]

#: Columns of ``things``, in the order of ``Thing``'s fields.
THING_COLUMNS = (
    "origin, sequence, kind, written_at, changed_at, expires_at, topic, state, text, language,"
    " issuer, is_hidden, lookup, data"
)

#: What ``told_of_row`` needs of a row of ``log``.
TOLD = "frame, received_at, expires_at, is_trusted, issuer"


class LogReading:
    """The reading half of ``log.Log``."""

    _clock: Clock
    _db: sqlite3.Connection
    _lock: threading.RLock

    def thing(self, ref: Ref) -> Thing | None:
        """What is shown of a record, expired or not as long as it is there."""
        rows = self._read(
            f"SELECT {THING_COLUMNS} FROM things WHERE origin = ? AND sequence = ?", ref
        )
        return self._thing(rows[0]) if rows else None

    def things(
        self, kind: str, *, topic: str = "", limit: int = 100, is_hidden: bool | None = False
    ) -> list[Thing]:
        """Those not expired, newest first. ``is_hidden``: None for both."""
        conditions = ["kind = ?", "expires_at > ?"]
        values: list[Any] = [kind_named(kind).number, self._now()]
        if topic:
            conditions.append("topic = ?")
            values.append(topic)
        if is_hidden is not None:
            conditions.append("is_hidden = ?")
            values.append(int(is_hidden))
        rows = self._read(
            f"SELECT {THING_COLUMNS} FROM things WHERE {' AND '.join(conditions)}"
            " ORDER BY written_at DESC, origin, sequence DESC LIMIT ?",
            (*values, limit),
        )
        return [self._thing(row) for row in rows]

    def found(self, kind: str, lookup: bytes) -> list[Thing]:
        """Those not expired that have this lookup, newest first."""
        # In these words, so that the index of those that have one is taken.
        rows = self._read(
            f"SELECT {THING_COLUMNS} FROM things WHERE lookup = ? AND lookup <> x'' AND kind = ?"
            " AND expires_at > ? ORDER BY written_at DESC LIMIT 100",
            (lookup, kind_named(kind).number, self._now()),
        )
        return [self._thing(row) for row in rows]

    def told(self, ref: Ref) -> tuple[Told, list[Told]] | None:
        """A record and its changes as they are, sealed parts included; None: not here."""
        with self._lock:
            rows = self._read(f"SELECT {TOLD} FROM log WHERE origin = ? AND sequence = ?", ref)
            first = self._told(rows[0]) if rows else None
            if first is None:
                return None
            rows = self._read(
                f"SELECT {TOLD} FROM log WHERE of_origin = ? AND of_sequence = ? ORDER BY stamp",
                ref,
            )
            return first, [told for row in rows if (told := self._told(row))]

    def records(self, kind: str) -> list[Told]:
        """All records of a kind that have not expired, oldest first."""
        rows = self._read(
            f"SELECT {TOLD} FROM log WHERE kind = ? AND expires_at > ? ORDER BY stamp",
            (kind_named(kind).number, self._now()),
        )
        return [told for row in rows if (told := self._told(row))]

    def after(self, number: int, limit: int = 100) -> list[tuple[int, bytes]]:
        """(arrival number, frame) of what came after a number, oldest first."""
        return self._read(
            "SELECT number, frame FROM log WHERE number > ?1 UNION ALL"
            " SELECT number, frame FROM twins WHERE number > ?1 ORDER BY number LIMIT ?2",
            (number, limit),
        )

    def frames(self, ref: Ref) -> list[tuple[bytes, str]]:
        """(frame, who vouches for it) of all records that say they have this number."""
        return self._read(
            "SELECT frame, issuer FROM log WHERE origin = ?1 AND sequence = ?2 AND expires_at > ?3"
            " UNION ALL SELECT frame, issuer FROM twins WHERE origin = ?1 AND sequence = ?2"
            " AND expires_at > ?3",
            (*ref, self._now()),
        )

    def ids(self) -> list[tuple[Ref, bytes]]:
        """Number and id (``log_twins.record_id``) of every record that is here."""
        rows = self._read(
            "SELECT origin, sequence, record_id(frame) FROM log WHERE expires_at > ?1 UNION ALL"
            " SELECT origin, sequence, id FROM twins WHERE expires_at > ?1",
            (self._now(),),
        )
        return [(Ref(*row[:2]), row[2]) for row in rows]

    def gone(self) -> list[tuple[Ref, bytes]]:
        """Number and id of what was here and must not come back; with b"" for an id nothing of this
        number may.
        """
        rows = self._read("SELECT origin, sequence, id FROM gone")
        return [(Ref(*row[:2]), row[2]) for row in rows]

    def has_claims(self) -> bool:
        """Whether anything says that somebody vouches for it."""
        sql = " OR ".join(
            f"EXISTS (SELECT 1 FROM {table} WHERE issuer <> '')" for table in ("log", "things")
        )
        return bool(self._read(f"SELECT {sql}")[0][0])

    def heads(self) -> dict[str, int]:
        """The highest sequence held of each origin, erased ones included."""
        return dict(self._read("SELECT origin, newest FROM heads ORDER BY origin"))

    def now(self) -> float:
        """Unix seconds, by the clock that records are written by."""
        return self._clock.now()

    _now = now

    def _told(self, row: Sequence[Any]) -> Told | None:
        """A row of ``TOLD``; None: nobody here can read it."""
        return told_of_row(row)

    def _thing(self, row: Sequence[Any]) -> Thing:
        """A row of ``THING_COLUMNS``."""
        return thing_of_row(row)

    def _read(self, sql: str, row: Sequence[Any] = ()) -> list[Any]:
        with self._lock:
            self._stay_with_the_file()
            try:
                return self._db.execute(sql, row).fetchall()
            except TROUBLE as error:
                raise self._trouble(error) from error

    def _stay_with_the_file(self) -> None:
        """Before each look: another process may have put another file there."""
        raise NotImplementedError

    def _trouble(self, error: Exception) -> Exception:
        """The error of our tree."""
        raise NotImplementedError


def told_of_row(row: Sequence[Any]) -> Told | None:
    """A row of ``TOLD``; None: nobody can read it, or nobody here knows its kind."""
    frame, received_at, expires_at, is_trusted, issuer = row
    try:
        record = unpack(frame)
        body, _ = unpack_body(KINDS[record.kind], record.body)
    except (BadRecord, KeyError):
        return None
    # Nothing was written after it was received.
    written_at = min(record.written_at, received_at) if is_trusted else received_at
    return Told(record, body, written_at, expires_at, issuer)


def thing_of_row(row: Sequence[Any]) -> Thing:
    """A row of ``THING_COLUMNS``."""
    origin, sequence, kind, *rest = row[:11]
    shown, data = bool(row[11]), json.loads(row[13])
    return Thing(origin, sequence, kind, *rest, shown, row[12], data)  # type: ignore[call-arg]


def row_of_thing(thing: Thing) -> tuple[Any, ...]:
    """The way back."""
    data = json.dumps(thing.data, ensure_ascii=False, sort_keys=True) if thing.data else "{}"
    return (
        thing.origin, thing.sequence, thing.kind, thing.written_at, thing.changed_at,
        thing.expires_at, thing.topic, thing.state, thing.text, thing.language, thing.issuer,
        int(thing.is_hidden), thing.lookup, data,
    )  # fmt: skip
