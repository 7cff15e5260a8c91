"""The log of words: every record this box holds, and what pages show of them.

A database of its own (``words.db``), beside the node's: residents' words are written by the portal,
which may not touch the readings, and an operator's orders are none of its business. Two tables
matter: ``log`` has the frames, ``things`` the folds over them, which can be made anew from the
first at any time (``rebuild``). Several processes may write; each call is one transaction, durable
when it returns.

What is erased is erased: deleted rows are overwritten, and the WAL is emptied (``log_forgetting``).
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from kiezbox import __version__
from kiezbox.clock import Clock
from kiezbox.errors import StoreDamaged, StoreError
from kiezbox.records import (
    KINDS,
    MOST_STAMP,
    BadRecord,
    Kind,
    Record,
    Ref,
    Scope,
    is_too_far_ahead,
    kind_named,
    next_stamp,
    pack,
    pack_body,
    unpack,
    unpack_body,
)
from kiezbox.records.folds import ERASED, Told, fold
from kiezbox.store import log_forgetting, log_mending, log_twins
from kiezbox.store.database import HINTS, TROUBLE, store_error
from kiezbox.store.log_counting import is_counted
from kiezbox.store.log_forgetting import PERSONAL_AFTER_POWER_S
from kiezbox.store.log_judging import Judge, LogJudging, nobody
from kiezbox.store.log_reading import THING_COLUMNS, TOLD, row_of_thing, thing_of_row
from kiezbox.store.log_writing import NotStored

__all__ = ["PERSONAL_AFTER_POWER_S", "Added", "Draft", "Log", "NotStored", "thing_of_row"]

#: What a newer box's kinds may ask for here, where nobody knows what they are.
UNKNOWN_MOST_S = 31 * 86400

#: Records whose folds are made anew in one transaction.
FOLDED_AT_ONCE = 500

_INSERT = (
    "INSERT INTO log (origin, sequence, stamp, kind, of_origin, of_sequence, received_at,"
    " expires_at, is_personal, is_trusted, is_receipt_sure, is_signed, once, frame, issuer)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
)
_THING = f"SELECT {THING_COLUMNS} FROM things WHERE origin = ? AND sequence = ?"
_INSERT_THING = (
    f"INSERT OR REPLACE INTO things ({THING_COLUMNS})"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What shall become a record of this box.

    ``once``: the same bytes give the same record of this kind, however often they are added: a form
    that was sent twice. ``key`` and ``signature`` come from ``trust`` for what is signed; then
    ``body`` is what was signed, and ``fields`` are not looked at.
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


class Log(LogJudging):
    """Thread-safe. Use ``open``, once per process that writes words."""

    @classmethod
    def open(cls, path: str, clock: Clock, *, box: str = "", judge: Judge | None = None) -> Log:
        """``box`` makes the file if it is not there; without, it must be. A box that was renamed
        goes on under the new name.

        Raises:
            StoreError: no log there, none of ours, or of a newer Kiezbox; or the card says no.
        """
        try:
            log = cls(path, clock, log_mending.open_file(path, box), judge or nobody)
        except (OSError, *TROUBLE) as error:
            raise error if isinstance(error, StoreError) else store_error(error, path) from error
        # A card that cannot be written can still be read.
        with suppress(StoreError):
            log._fold_if_need_be()
        return log

    def close(self) -> None:
        """Idempotent."""
        with self._lock:
            self._db.close()

    # --- adding ----------------------------------------------------------------------------------

    def add(self, *drafts: Draft) -> list[Added]:
        """Take in this box's own words; durable when this returns, all of them or none.

        Raises:
            UsageError: a draft says what its kind does not have.
            StoreError: the card does not take it.
        """
        with self._writing():
            return [self._add(draft) for draft in drafts]

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
                    if self._take(record, frame):
                        taken.append(record.ref)
        return taken

    def _add(self, draft: Draft) -> Added:
        db, kind = self._db, kind_named(draft.kind)
        if draft.once:
            found = db.execute(
                "SELECT origin, sequence FROM log WHERE once = ? AND kind = ?",
                (draft.once, kind.number),
            ).fetchone()
            if found:
                return Added(Ref(*found), False)
        box, newest, newest_stamp = db.execute(
            "SELECT box, coalesce((SELECT newest FROM heads WHERE origin = box), 0), newest_stamp"
            " FROM meta"
        ).fetchone()
        packed = draft.body or pack_body(kind, draft.fields)
        body, _ = unpack_body(kind, packed)
        lifetime_s = draft.lifetime_s or kind.lifetime_s
        if kind.changes:
            # It lives as long as what it changes, and comes after all that was said about it.
            ends_at, stamp = db.execute(
                "SELECT max(expires_at), max(coalesce(max(stamp), 0), coalesce((SELECT max(stamp)"
                " FROM log WHERE of_origin = ?1 AND of_sequence = ?2), 0)) FROM log"
                " WHERE origin = ?1 AND sequence = ?2",
                body["of"],
            ).fetchone()
            newest_stamp = max(newest_stamp, stamp or 0)
            if ends_at is not None and not draft.lifetime_s:
                lifetime_s = max(1, math.ceil(ends_at - self._now()))
        record = Record(
            origin=box,
            sequence=newest + 1,
            stamp=min(next_stamp(newest_stamp, self._now()), MOST_STAMP),
            kind=kind.number,
            priority=kind.priority if draft.priority is None else draft.priority,
            scope=draft.scope,
            lifetime_s=min(lifetime_s, kind.most_s),
            is_clock_trusted=self._clock.is_trusted(),
            body=packed,
            key=draft.key,
            signature=draft.signature,
        )
        if not self._put(record, pack(record), kind, body, draft.once):
            raise StoreError(
                f"{self.path}: {record.ref} is taken", hint="Is this box's name two's?"
            )
        return Added(record.ref, True)

    def _take(self, record: Record, frame: bytes) -> bool:
        """False: it is there already, was erased here, or must not be believed.

        Raises:
            BadRecord: its kind is known and its body is none.
        """
        kind = KINDS.get(record.kind)
        body: dict[str, Any] = {}
        if kind is not None:
            body, _ = unpack_body(kind, record.body)
        of = body["of"] if kind is not None and kind.changes else record.ref
        (own_head, gone, first_gone) = self._db.execute(
            "SELECT (SELECT newest FROM heads, meta WHERE origin = box AND origin = ?1),"
            " EXISTS (SELECT 1 FROM gone WHERE origin = ?1 AND sequence = ?2"
            " AND (id IN (?5, x'') OR origin = (SELECT box FROM meta))),"
            " EXISTS (SELECT 1 FROM gone WHERE origin = ?3 AND sequence = ?4) AND NOT EXISTS"
            " (SELECT 1 FROM log WHERE origin = ?3 AND sequence = ?4)",
            (*record.ref, *of, log_twins.record_id(frame)),
        ).fetchone()
        is_own = record.origin == self.box
        # Others may bring back what this box has lost, but give it no numbers it never gave.
        if gone or (is_own and record.sequence > (own_head or 0)):
            return False
        is_change = kind is not None and kind.changes and kind.is_personal
        if first_gone and is_change and record.kind != kind_named("erasure").number:
            return False
        return self._put(record, frame, kind, body, b"")

    def _put(
        self, record: Record, frame: bytes, kind: Kind | None, body: dict[str, Any], once: bytes
    ) -> bool:
        """False: it is there already, or has expired. ``body``: of a kind that is known."""
        db, now, is_clock_sure = self._db, self._now(), self._clock.is_trusted()
        of = body["of"] if kind is not None and kind.changes else None
        most_s = UNKNOWN_MOST_S if kind is None else kind.most_s
        # What nobody here knows may be about somebody.
        is_personal = kind is None or kind.is_personal
        is_trusted = is_clock_sure and record.is_clock_trusted
        # Nothing was written after it came in, whatever its box's clock says.
        written_at = min(record.written_at, now) if is_trusted else now
        expires_at = written_at + min(record.lifetime_s, most_s)
        newest_stamp, power_back_at = db.execute(
            "SELECT newest_stamp, power_back_at FROM meta"
        ).fetchone()
        if is_personal and written_at <= power_back_at:
            expires_at = min(expires_at, power_back_at + PERSONAL_AFTER_POWER_S)
        if expires_at <= now:
            return False
        issuer = self._judge(record, body) if record.key and kind is not None else ""
        row = (
            record.origin, record.sequence, record.stamp, record.kind,
            of and of.origin, of and of.sequence, now, expires_at, int(is_personal),
            int(is_trusted), int(is_clock_sure), int(bool(record.key)), once or None, frame,
            issuer,
        )  # fmt: skip
        if not db.execute(_INSERT, row).rowcount:
            waits = log_twins.keep(db, row, is_believed=bool(issuer))
            if waits is not None:
                return waits
            db.execute(_INSERT, row)
        # A stamp far ahead of all clocks orders its own thread and pushes nobody else's.
        if record.stamp > newest_stamp and not is_too_far_ahead(record.stamp, newest_stamp, now):
            db.execute("UPDATE meta SET newest_stamp = ?", (record.stamp,))
        db.execute(
            "INSERT INTO heads VALUES (?, ?) ON CONFLICT (origin) DO UPDATE"
            " SET newest = max(newest, excluded.newest)",
            record.ref,
        )
        if of is not None and not is_counted(db, of, kind, body, written_at):
            self._refold(of)
        elif of is None and kind is not None:
            self._refold(record.ref, Told(record, body, written_at, expires_at, issuer))
        return True

    # --- folding ---------------------------------------------------------------------------------

    def _refold(self, ref: Ref, first: Told | None = None) -> None:
        """``first``: the record itself, if it is at hand."""
        if first is None:
            rows = self._db.execute(
                f"SELECT {TOLD} FROM log WHERE origin = ? AND sequence = ?", ref
            ).fetchall()
            if not rows:
                # What it changes has not come yet, or is gone.
                self._db.execute("DELETE FROM things WHERE origin = ? AND sequence = ?", ref)
                return
            first = self._told(rows[0])
        changes = self._db.execute(
            f"SELECT {TOLD} FROM log WHERE of_origin = ? AND of_sequence = ?", ref
        ).fetchall()
        thing = first and _folded(first, [told for row in changes if (told := self._told(row))])
        if thing is not None and thing.state == ERASED:
            # What was said about it stays, so that it goes again if another box still sends it.
            until = log_forgetting.gone_until(self._now())
            self._db.execute(
                "INSERT OR REPLACE INTO gone SELECT origin, sequence, record_id(frame), ?3 FROM log"
                " WHERE origin = ?1 AND sequence = ?2",
                (*ref, until),
            )
            self._db.execute("DELETE FROM log WHERE origin = ? AND sequence = ?", ref)
            self._db.execute("UPDATE meta SET is_rewrite_due = 1")
            self._has_erased, thing = True, None
        self._stands(ref, thing)
        row = thing and row_of_thing(thing)
        if row is None:
            self._db.execute("DELETE FROM things WHERE origin = ? AND sequence = ?", ref)
        # Judging folds anew what is mostly as it was: that costs the card nothing.
        elif not (row[10] and row == self._db.execute(_THING, ref).fetchone()):
            self._db.execute(_INSERT_THING, row)

    def rebuild(self) -> int:
        """Make all folds anew from the frames; how many there are. In parts, so that whoever writes
        meanwhile waits for one of them only: 50,000 take ten seconds on a computer.
        """
        last: int | None = 0
        while last is not None:
            with self._writing():
                last = self._fold_some(last)
        return int(self._read("SELECT count(*) FROM things")[0][0])

    def _fold_some(self, after: int) -> int | None:
        """Those that came next; the last one's number, None at the end of all."""
        rows = self._db.execute(
            f"SELECT number, origin, sequence, kind, {TOLD} FROM log WHERE number > ?"
            " ORDER BY number LIMIT ?",
            (after, FOLDED_AT_ONCE),
        ).fetchall()
        for _, origin, sequence, number, *row in rows:
            kind = KINDS.get(number)
            if kind is None or not kind.changes:
                self._refold(Ref(origin, sequence), self._told(row))
        if len(rows) == FOLDED_AT_ONCE:
            return int(rows[-1][0])
        self._db.execute(
            "DELETE FROM things WHERE NOT EXISTS (SELECT 1 FROM log WHERE"
            " log.origin = things.origin AND log.sequence = things.sequence)"
        )
        self._db.execute("UPDATE meta SET folded_by = ?", (__version__,))
        return None

    def _fold_if_need_be(self) -> None:
        """A log that was mended has no folds, and another Kiezbox may have folded otherwise."""
        if self._read("SELECT folded_by FROM meta") != [(__version__,)]:
            self.rebuild()

    # --- forgetting ------------------------------------------------------------------------------

    def erase(self) -> int:
        """Erase what has expired, from the card and the WAL; how many records. To be called once an
        hour; it also looks whether the file is whole (StoreDamaged: it was not, and was mended).
        """
        now = self._now()
        if self._read("PRAGMA quick_check(1)") != [("ok",)]:
            raise self._trouble(StoreDamaged(f"{self.path} is damaged", hint=HINTS["damaged"]))
        with self._writing():
            if self._clock.is_trusted():
                for ref in log_forgetting.from_the_future(self._db, now):
                    self._refold(ref)
            done = log_forgetting.forget(self._db, now, kind_named("erasure").number)
            # Also what a reader kept in the WAL the last time.
            self._has_erased = True
        with self._lock, suppress(*TROUBLE):
            if log_forgetting.is_rewrite_due(self._db, now):
                log_forgetting.rewrite(self._db, now)
                self._empty_wal()
        log_mending.sweep(self.path, now)
        return done

    def power_is_back(self, since: float) -> int:
        """Personal things from before end 72 h after; how many records that shortens."""
        with self._writing():
            return log_forgetting.end_personal(self._db, since)

    def clock_was_set(self, by_s: float) -> None:
        """The clock, not to be believed until now, was put forward by so many seconds: what was
        received meanwhile is as old as it was.
        """
        with self._writing():
            for ref in log_forgetting.clock_was_set(self._db, by_s):
                self._refold(ref)


def _folded(first: Told, changes: list[Told]) -> Any:
    try:
        return fold(first, changes)
    except Exception:
        # A mistake of ours, met by somebody's odd record: that one is not shown, the log goes on.
        sys.excepthook(*sys.exc_info())
        return None
