"""Whom the log of words believes: verdicts by whoever knows the roots, and the list of what is
vouched for (``kiezbox.vouched``).

A verdict stands in the log beside its record, for whoever folds without knowing a root: the portal,
which may write there. So nobody who can judge takes a verdict from there: it is always worked out
anew from the record's own bytes, and what came out is written where the portal cannot write.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from kiezbox import vouched
from kiezbox.clock import Clock
from kiezbox.records import KINDS, BadRecord, Record, Ref, Thing, unpack, unpack_body
from kiezbox.records.folds import Told
from kiezbox.store import log_twins
from kiezbox.store.log_reading import THING_COLUMNS, row_of_thing, thing_of_row, told_of_row
from kiezbox.store.log_writing import LogWriting

__all__ = ["Judge", "LogJudging", "nobody"]

#: Who vouches for a record, as far as this box believes it: a name, or "" for nobody.
Judge = Callable[[Record, Mapping[str, Any]], str]

_COLUMNS = THING_COLUMNS.split(", ")


def nobody(_: Record, __: Mapping[str, Any]) -> str:
    """The judge of whoever cannot judge."""
    return ""


class LogJudging(LogWriting):
    """The judging part of ``log.Log``."""

    def __init__(self, path: str, clock: Clock, db: sqlite3.Connection, judge: Judge) -> None:
        super().__init__(path, clock, db)
        self._judge = judge
        self._vouched_path = vouched.beside(path, vouched.FILE)
        #: What this process has vouched for, should the list not be its to write; and what is to
        #: be added to the list, or taken from it (""), with the transaction.
        self._own_digests: dict[str, str] = {}
        self._news: dict[str, str] = {}

    def _refold(self, ref: Ref, first: Told | None = None) -> None:
        raise NotImplementedError

    def judge_by(self, judge: Judge) -> int:
        """Believe by these rules from now on, and judge anew whatever is signed, or says that it is
        vouched for; how many verdicts are others. Whoever opens the log without a judge (the
        portal, which knows no root) leaves them as they are.
        """
        changed = 0
        with self._lock:
            self._judge = judge
            with self._writing():
                believed, anew = set[Ref](), set[Ref]()
                for number, frame, issuer in self._db.execute(
                    "SELECT number, frame, issuer FROM log WHERE is_signed OR issuer <> ''"
                ).fetchall():
                    ref, verdict, is_first = self._judged(frame)
                    if verdict and ref and is_first:
                        believed.add(ref)
                    if verdict == issuer:
                        continue
                    self._db.execute(
                        "UPDATE log SET issuer = ? WHERE number = ?", (verdict, number)
                    )
                    changed += 1
                    if ref:
                        anew.add(ref)
                for number, frame in log_twins.signed(self._db):
                    ref, verdict, is_first = self._judged(frame)
                    if ref and verdict and log_twins.promote(self._db, number, verdict):
                        anew.add(ref)
                        believed |= {ref} if is_first else set()
                        changed += 1
                said = self._db.execute("SELECT origin, sequence FROM things WHERE issuer <> ''")
                for ref in anew | believed | {Ref(*row) for row in said}:
                    self._refold(ref)
                # Each of these was folded just now, by verdicts of this judge.
                rows = self._db.execute(
                    f"SELECT {THING_COLUMNS} FROM things WHERE issuer <> ''"
                    " ORDER BY written_at DESC LIMIT ?",
                    (vouched.MOST,),
                )
                self._vouch({f"{row[0]}/{row[1]}": _digest(row) for row in rows})
        return changed

    def _judged(self, frame: bytes) -> tuple[Ref | None, str, bool]:
        """What is to be folded anew if the verdict is another, the verdict, and whether it is about
        the record itself.
        """
        try:
            record = unpack(frame)
            kind = KINDS[record.kind]
            body, _ = unpack_body(kind, record.body)
        except (BadRecord, KeyError):
            return None, "", False
        verdict = self._judge(record, body) if record.key else ""
        return body["of"] if kind.changes else record.ref, verdict, not kind.changes

    # --- what is read ----------------------------------------------------------------------------

    def _told(self, row: Sequence[Any]) -> Told | None:
        told = told_of_row(row)
        if told is None or not told.issuer or self._judge is nobody:
            return told
        verdict = self._judge(told.record, told.body) if told.record.key else ""
        return told if verdict == told.issuer else told._replace(issuer=verdict)

    def _thing(self, row: Sequence[Any]) -> Thing:
        thing = thing_of_row(row)
        if not thing.issuer or self._judge is nobody:
            return thing
        name, digest = f"{thing.origin}/{thing.sequence}", _digest(row)
        if digest in (self._own_digests.get(name), self._news.get(name)):
            return thing
        # Another process may have judged since.
        is_vouched = self._listed().get(name) == digest
        return thing if is_vouched else replace(thing, issuer="")

    # --- what is vouched for ---------------------------------------------------------------------

    def _stands(self, ref: Ref, thing: Thing | None) -> None:
        """This is what is shown of the record from now on."""
        if self._judge is nobody:
            return
        digest = _digest(row_of_thing(thing)) if thing and thing.issuer else ""
        if digest or self._own_digests.get(str(ref)):
            self._news[str(ref)] = digest

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._lock:
            is_outermost = not self._is_writing
            try:
                with super()._writing():
                    yield
                    if is_outermost and self._news:
                        found = {**self._news, **self._listed(), **self._news}
                        self._vouch({name: digest for name, digest in found.items() if digest})
            finally:
                if is_outermost:
                    self._news.clear()

    def _vouch(self, digests: dict[str, str]) -> None:
        """This is the list. Inside a transaction, so that no two write it at once. Where it is not
        this process's to write, the node does it at its next look.
        """
        self._news.clear()
        self._own_digests = digests
        if digests != self._listed():
            with suppress(OSError):
                _put(self._vouched_path, vouched.packed(digests))

    def _listed(self) -> dict[str, str]:
        try:
            with open(self._vouched_path, "rb") as file:
                return vouched.unpacked(file.read(vouched.MOST_BYTES))
        except OSError:
            return {}


def _put(path: str, data: bytes) -> None:
    """Whole, and durable when this returns."""
    aside = f"{path}.{os.getpid()}"
    file = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    try:
        os.write(file, data)
        os.fsync(file)
        if os.geteuid() == 0:
            # By hand, and as root: it must be the node's all the same.
            owner = os.stat(os.path.dirname(path))
            os.fchown(file, owner.st_uid, owner.st_gid)
    finally:
        os.close(file)
    os.replace(aside, path)


def _digest(row: Sequence[Any]) -> str:
    named = dict(zip(_COLUMNS, row, strict=True))
    for name in ("written_at", "expires_at"):
        named[name] = float(named[name])
    found = (named[name] for name in vouched.COLUMNS)
    return vouched.digest_of(
        *(each.encode("utf-8", "replace") if isinstance(each, str) else each for each in found)
    )
