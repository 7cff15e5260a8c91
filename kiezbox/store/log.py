"""The log of words: every record this box holds, and what pages show of them.

A database of its own (``words.db``), beside the node's: residents' words are written by the portal,
which may not touch the readings, and an operator's orders are none of its business. Two tables
matter: ``log`` has the frames, ``things`` the folds over them, which can be made anew from the
first at any time (``rebuild``). Several processes may write; each call is one transaction, durable
when it returns.

What is erased is erased: freed pages are overwritten (``secure_delete``), and the WAL with them.
"""

from __future__ import annotations

import json
import math
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from kiezbox.clock import Clock
from kiezbox.errors import StoreError
from kiezbox.records import (
    KINDS,
    BadRecord,
    Kind,
    Record,
    Ref,
    Scope,
    Thing,
    is_too_far_ahead,
    kind_named,
    next_stamp,
    pack,
    pack_body,
    unpack,
    unpack_body,
)
from kiezbox.records.folds import ERASED, Told, fold
from kiezbox.store import log_file
from kiezbox.store.database import TROUBLE, store_error, transaction

__all__ = ["PERSONAL_AFTER_POWER_S", "Added", "Draft", "Log", "thing_of_row"]

#: Personal things are erased so long after the power is back.
PERSONAL_AFTER_POWER_S = 72 * 3600.0

#: Who vouches for a record, as far as this box believes it: a name, or "" for nobody.
Judge = Callable[[Record, Mapping[str, Any]], str]

#: Columns of ``things``, in the order of ``Thing``'s fields.
THING_COLUMNS = (
    "origin, sequence, kind, written_at, changed_at, expires_at, topic, state, text, language,"
    " issuer, is_hidden, lookup, data"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What shall become a record of this box.

    ``once``: the same bytes give the same record, however often they are added: a form that was
    sent twice. ``key`` and ``signature`` come from ``trust`` for what is signed; then ``body`` is
    what was signed, and ``fields`` are not looked at.
    """

    kind: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    lifetime_s: int = 0
    scope: Scope = Scope.KIEZ
    priority: int | None = None
    once: bytes = b""
    body: bytes = b""
    key: bytes = b""
    signature: bytes = b""


class Added(NamedTuple):
    """``is_new``: False if it was there already (``Draft.once``)."""

    ref: Ref
    is_new: bool


class Log:
    """Thread-safe. Open it once per process that writes words."""

    def __init__(self, path: str, clock: Clock, db: sqlite3.Connection, judge: Judge) -> None:
        """Use ``open``."""
        self.path = path
        self.box = str(db.execute("SELECT box FROM meta").fetchone()[0])
        self._clock = clock
        self._db = db
        self._judge = judge
        self._lock = threading.RLock()
        #: Something was deleted that the WAL still holds.
        self._has_erased = False

    @classmethod
    def open(cls, path: str, clock: Clock, *, box: str = "", judge: Judge | None = None) -> Log:
        """``box`` makes the file if it is not there; without, it must be.

        Raises:
            StoreError: no log there, of a newer Kiezbox, or of another box.
        """
        try:
            db = log_file.open_file(path, box)
        except TROUBLE as error:
            raise store_error(error, path) from error
        return cls(path, clock, db, judge or _nobody)

    def close(self) -> None:
        """Idempotent."""
        with self._lock:
            self._db.close()

    def judge_by(self, judge: Judge) -> int:
        """Believe by these rules from now on, and judge anew what is signed; how many verdicts are
        others. A verdict is kept beside its record: whoever opens the log without a judge (the
        portal, which knows no root) leaves it as it is.
        """
        changed = 0
        with self._lock:
            self._judge = judge
            with self._writing():
                for number, frame, issuer in self._db.execute(
                    "SELECT number, frame, issuer FROM log WHERE is_signed"
                ).fetchall():
                    found = self._judged(frame)
                    if found is None or found[1] == issuer:
                        continue
                    ref, verdict = found
                    self._db.execute(
                        "UPDATE log SET issuer = ? WHERE number = ?", (verdict, number)
                    )
                    self._refold(ref)
                    changed += 1
        return changed

    def _judged(self, frame: bytes) -> tuple[Ref, str] | None:
        """What is to be folded anew if the verdict is another, and the verdict."""
        try:
            record = unpack(frame)
            kind = KINDS[record.kind]
            body, _ = unpack_body(kind, record.body)
        except (BadRecord, KeyError):
            return None
        return body["of"] if kind.changes else record.ref, self._judge(record, body)

    # --- adding ----------------------------------------------------------------------------------

    def add(self, *drafts: Draft) -> list[Added]:
        """Take in this box's own words; durable when this returns, all of them or none.

        Raises:
            UsageError: a draft says what its kind does not have.
            StoreError: the card does not take it.
        """
        with self._writing():
            return [self._add(draft) for draft in drafts]

    @contextmanager
    def group(self) -> Iterator[None]:
        """Everything added inside becomes durable together, at the end."""
        with self._writing():
            yield

    @contextmanager
    def undoing(self) -> Iterator[None]:
        """Inside ``group``: if this part raises, only this part is taken back."""
        self._db.execute("SAVEPOINT part")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK TO part")
            raise
        finally:
            self._db.execute("RELEASE part")

    def take(self, frames: Sequence[bytes]) -> list[Ref]:
        """Take in another box's records; those that are new. A bad one is left out.

        Raises:
            StoreError: the card does not take it.
        """
        taken = []
        with self._writing():
            for frame in frames:
                with suppress(BadRecord):
                    record = unpack(frame)
                    if self._put(record, frame, b""):
                        taken.append(record.ref)
        return taken

    def _add(self, draft: Draft) -> Added:
        if draft.once:
            found = self._db.execute(
                "SELECT origin, sequence FROM log WHERE once = ?", (draft.once,)
            ).fetchone()
            if found:
                return Added(Ref(*found), False)
        kind = kind_named(draft.kind)
        newest, stamp = self._db.execute(
            "SELECT coalesce((SELECT newest FROM heads WHERE origin = ?), 0), newest_stamp"
            " FROM meta",
            (self.box,),
        ).fetchone()
        body = draft.body or pack_body(kind, draft.fields)
        lifetime_s = draft.lifetime_s or self._lifetime_s(kind, body)
        record = Record(
            origin=self.box,
            sequence=newest + 1,
            stamp=next_stamp(stamp, self._clock.now()),
            kind=kind.number,
            priority=kind.priority if draft.priority is None else draft.priority,
            scope=draft.scope,
            lifetime_s=min(lifetime_s, kind.most_s),
            is_clock_trusted=self._clock.is_trusted(),
            body=body,
            key=draft.key,
            signature=draft.signature,
        )
        self._put(record, pack(record), draft.once)
        return Added(record.ref, True)

    def _lifetime_s(self, kind: Kind, body: bytes) -> int:
        """What is said about a thing lives as long as the thing."""
        if kind.changes:
            of = unpack_body(kind, body)[0]["of"]
            found = self._db.execute(
                "SELECT expires_at FROM log WHERE origin = ? AND sequence = ?", of
            ).fetchone()
            if found:
                return max(1, int(math.ceil(found[0] - self._now())))
        return kind.lifetime_s

    def _put(self, record: Record, frame: bytes, once: bytes) -> bool:
        """False: it is there already, or must not be believed.

        Raises:
            BadRecord: its kind is known and its body is none.
        """
        db, now = self._db, self._clock.now()
        (newest_stamp,) = db.execute("SELECT newest_stamp FROM meta").fetchone()
        if record.origin != self.box and is_too_far_ahead(record.stamp, newest_stamp, now):
            return False
        kind = KINDS.get(record.kind)
        of: Ref | None = None
        issuer = ""
        if kind is not None:
            body, _ = unpack_body(kind, record.body)
            of = body.get("of") if kind.changes else None
            issuer = self._judge(record, body) if record.key else ""
        is_trusted = self._clock.is_trusted() and record.is_clock_trusted
        expires_at = (record.written_at if is_trusted else now) + record.lifetime_s
        if expires_at <= now:
            return False
        done = db.execute(
            "INSERT INTO log (origin, sequence, stamp, kind, of_origin, of_sequence, received_at,"
            " expires_at, is_personal, is_trusted, is_signed, once, frame, issuer)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (
                record.origin, record.sequence, record.stamp, record.kind,
                of and of.origin, of and of.sequence, now, expires_at,
                int(kind is not None and kind.is_personal), int(is_trusted),
                int(bool(record.key)), once or None, frame, issuer,
            ),
        )  # fmt: skip
        if not done.rowcount:
            return False
        db.execute("UPDATE meta SET newest_stamp = max(newest_stamp, ?)", (record.stamp,))
        db.execute(
            "INSERT INTO heads VALUES (?, ?) ON CONFLICT (origin) DO UPDATE"
            " SET newest = max(newest, excluded.newest)",
            (record.origin, record.sequence),
        )
        self._refold(of or record.ref)
        return True

    # --- folding ---------------------------------------------------------------------------------

    def _refold(self, ref: Ref) -> None:
        rows = self._db.execute(
            f"SELECT {_TOLD} FROM log WHERE origin = ? AND sequence = ?", ref
        ).fetchall()
        if not rows:
            return  # What it changes has not come yet, or is gone.
        first = self._told(rows[0])
        changes = self._db.execute(
            f"SELECT {_TOLD} FROM log WHERE of_origin = ? AND of_sequence = ?", ref
        ).fetchall()
        thing = first and fold(first, [told for row in changes if (told := self._told(row))])
        if thing is not None and thing.state == ERASED:
            # What was said about it stays, so that it goes again if another box still sends it.
            self._db.execute("DELETE FROM log WHERE origin = ? AND sequence = ?", ref)
            self._has_erased, thing = True, None
        if thing is None:
            self._db.execute("DELETE FROM things WHERE origin = ? AND sequence = ?", ref)
        else:
            self._db.execute(
                f"INSERT OR REPLACE INTO things ({THING_COLUMNS})"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                _row_of_thing(thing),
            )

    def _told(self, row: tuple[bytes, float, float, int, str]) -> Told | None:
        frame, received_at, expires_at, is_trusted, issuer = row
        try:
            record = unpack(frame)
            body, _ = unpack_body(KINDS[record.kind], record.body)
        except (BadRecord, KeyError):
            return None
        written_at = record.written_at if is_trusted else received_at
        return Told(record, body, written_at, expires_at, issuer)

    def rebuild(self) -> int:
        """Make all folds anew from the frames; how many there are."""
        with self._writing():
            self._db.execute("DELETE FROM things")
            refs = self._db.execute("SELECT origin, sequence FROM log").fetchall()
            for ref in refs:
                self._refold(Ref(*ref))
            return int(self._db.execute("SELECT count(*) FROM things").fetchone()[0])

    # --- reading ---------------------------------------------------------------------------------

    def thing(self, ref: Ref) -> Thing | None:
        """What is shown of a record, expired or not as long as it is there."""
        rows = self._read(
            f"SELECT {THING_COLUMNS} FROM things WHERE origin = ? AND sequence = ?", ref
        )
        return thing_of_row(rows[0]) if rows else None

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
        return [thing_of_row(row) for row in rows]

    def found(self, kind: str, lookup: bytes) -> list[Thing]:
        """Those not expired that have this lookup, newest first."""
        rows = self._read(
            f"SELECT {THING_COLUMNS} FROM things WHERE kind = ? AND lookup = ? AND expires_at > ?"
            " ORDER BY written_at DESC LIMIT 100",
            (kind_named(kind).number, lookup, self._now()),
        )
        return [thing_of_row(row) for row in rows]

    def told(self, ref: Ref) -> tuple[Told, list[Told]] | None:
        """A record and its changes as they are, sealed parts included; None: not here."""
        with self._lock:
            rows = self._read(f"SELECT {_TOLD} FROM log WHERE origin = ? AND sequence = ?", ref)
            first = self._told(rows[0]) if rows else None
            if first is None:
                return None
            rows = self._read(
                f"SELECT {_TOLD} FROM log WHERE of_origin = ? AND of_sequence = ? ORDER BY stamp",
                ref,
            )
            return first, [told for row in rows if (told := self._told(row))]

    def records(self, kind: str) -> list[Told]:
        """All records of a kind that have not expired, oldest first."""
        with self._lock:
            rows = self._read(
                f"SELECT {_TOLD} FROM log WHERE kind = ? AND expires_at > ? ORDER BY stamp",
                (kind_named(kind).number, self._now()),
            )
            return [told for row in rows if (told := self._told(row))]

    def after(self, number: int, limit: int = 100) -> list[tuple[int, bytes]]:
        """(arrival number, frame) of what came after a number, oldest first."""
        return self._read(
            "SELECT number, frame FROM log WHERE number > ? ORDER BY number LIMIT ?",
            (number, limit),
        )

    def heads(self) -> dict[str, int]:
        """The highest sequence held of each origin, erased ones included."""
        return dict(self._read("SELECT origin, newest FROM heads ORDER BY origin"))

    # --- forgetting ------------------------------------------------------------------------------

    def erase(self) -> int:
        """Erase what has expired, from the card and the WAL; how many records."""
        now = self._now()
        with self._writing():
            done = self._db.execute("DELETE FROM log WHERE expires_at <= ?", (now,)).rowcount
            self._db.execute("DELETE FROM things WHERE expires_at <= ?", (now,))
            self._has_erased = self._has_erased or done > 0
        return int(done)

    def power_is_back(self, since: float) -> int:
        """Personal things from before end 72 h after; how many records that shortens."""
        return self._end_personal(since, since + PERSONAL_AFTER_POWER_S)

    def _end_personal(self, before: float, at: float) -> int:
        with self._writing():
            done = self._db.execute(
                "UPDATE log SET expires_at = ? WHERE is_personal AND received_at <= ?"
                " AND expires_at > ?",
                (at, before, at),
            ).rowcount
            self._db.execute(
                "UPDATE things SET expires_at = ?1 WHERE expires_at > ?1 AND (origin, sequence) IN"
                " (SELECT origin, sequence FROM log WHERE is_personal AND received_at <= ?2)",
                (at, before),
            )
        return int(done)

    def clock_was_set(self, by_s: float) -> None:
        """The clock, not to be believed until now, was put forward by so many seconds: what was
        received until now is as old as it was.
        """
        with self._writing():
            self._db.execute(
                "UPDATE things SET written_at = written_at + ?1, changed_at = changed_at + ?1,"
                " expires_at = expires_at + ?1 WHERE (origin, sequence) IN"
                " (SELECT origin, sequence FROM log WHERE NOT is_trusted)",
                (by_s,),
            )
            self._db.execute(
                "UPDATE log SET received_at = received_at + ?1, expires_at = expires_at + ?1"
                " WHERE NOT is_trusted",
                (by_s,),
            )

    # --- inside ----------------------------------------------------------------------------------

    def now(self) -> float:
        """Unix seconds, by the clock that records are written by."""
        return self._clock.now()

    _now = now

    def _read(self, sql: str, row: Sequence[Any] = ()) -> list[Any]:
        with self._lock:
            try:
                return self._db.execute(sql, row).fetchall()
            except TROUBLE as error:
                raise store_error(error, self.path) from error

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """One transaction; inside another one, a part of it."""
        with self._lock:
            if self._db.in_transaction:
                yield
                return
            try:
                with transaction(self._db):
                    yield
            except TROUBLE as error:
                raise store_error(error, self.path) from error
            if self._has_erased:
                self._empty_wal()

    def _empty_wal(self) -> None:
        """What was erased leaves the WAL, too. A reader may hold it; then the next time."""
        with suppress(sqlite3.OperationalError):
            (is_busy, _, _) = self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            self._has_erased = bool(is_busy)


#: What ``_told`` needs of a row.
_TOLD = "frame, received_at, expires_at, is_trusted, issuer"


def thing_of_row(row: Sequence[Any]) -> Thing:
    """A row of ``THING_COLUMNS``."""
    origin, sequence, kind, *rest = row[:11]
    shown, data = bool(row[11]), json.loads(row[13])
    return Thing(origin, sequence, kind, *rest, shown, row[12], data)  # type: ignore[call-arg]


def _row_of_thing(thing: Thing) -> tuple[Any, ...]:
    data = json.dumps(thing.data, ensure_ascii=False, sort_keys=True)
    return (
        thing.origin, thing.sequence, thing.kind, thing.written_at, thing.changed_at,
        thing.expires_at, thing.topic, thing.state, thing.text, thing.language, thing.issuer,
        int(thing.is_hidden), thing.lookup, data,
    )  # fmt: skip


def _nobody(_: Record, __: Mapping[str, Any]) -> str:
    return ""


def no_log(path: str) -> StoreError:
    """Said where there should be one."""
    return StoreError(
        f"there is no log of words at {path}",
        hint="The node makes it when it starts first: `kiezbox run`.",
    )
