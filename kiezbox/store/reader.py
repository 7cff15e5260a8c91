"""The store as other processes see it: the database and the journal, not the node's memory."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self

from kiezbox.clock import Clock, SystemClock
from kiezbox.errors import StoreError
from kiezbox.model import Batch, Cursor, Fault, Series
from kiezbox.store import blocks, history, journal, orders, queries, tiers
from kiezbox.store.boots import ClockMarks, corrected_ms
from kiezbox.store.database import TROUBLE, connect, is_behind, store_error
from kiezbox.store.packing import Frame
from kiezbox.store.queries import END, DeadLetter, Order, Transition


class StoreReader:
    """A read-only view. Each call sees one moment. Not for several threads at once.

    Raises (every method):
        StoreError: no store there, or made by a newer Kiezbox.
        StoreDamaged: the file cannot be read.
    """

    _is_writable = False

    def __init__(self, path: str, *, clock: Clock | None = None) -> None:
        self.path = path
        self._clock = clock or SystemClock()
        self._db: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None
        self._is_frozen = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Idempotent; the next call opens again."""
        if self._db is not None:
            self._db.close()
            self._db = None

    # --- opening -------------------------------------------------------------------------

    def _connection(self) -> sqlite3.Connection:
        """The open database; opened anew when another file took the name."""
        try:
            found = os.stat(self.path)
        except OSError as error:
            raise StoreError(
                f"no store at {self.path}",
                hint="The node makes it when it starts first: `kiezbox run`.",
            ) from error
        identity = (found.st_dev, found.st_ino)
        if self._db is not None and identity == self._identity:
            return self._db
        self.close()
        db = self._open()
        try:
            if is_behind(db, self.path):
                raise StoreError(
                    f"{self.path} is of an older Kiezbox",
                    hint="Start the node once; it renews the file.",
                )
        except BaseException:
            db.close()
            raise
        self._identity = identity
        if not self._is_frozen:
            self._db = db
        return db

    def _open(self) -> sqlite3.Connection:
        self._is_frozen = False
        try:
            return connect(self.path, is_writable=self._is_writable)
        except sqlite3.OperationalError:
            # A reader without rights in the folder cannot make the -shm that WAL wants, and where
            # none is, nobody writes: for this one call the file is taken as it stands.
            if self._is_writable:
                raise
            self._is_frozen = True
            return connect(self.path, is_writable=False, is_frozen=True)

    @contextmanager
    def _view(self) -> Iterator[tuple[queries.Query, list[Frame]]]:
        """One moment: the database's rows and exactly the frames it does not have."""
        try:
            db = self._connection()
            try:
                frames = self._begin(db)
                yield (lambda sql, row=(): db.execute(sql, row).fetchall()), frames
            finally:
                if db.in_transaction:
                    db.execute("COMMIT")
                if self._is_frozen:
                    db.close()
        except TROUBLE as error:
            raise store_error(error, self.path) from error

    def _begin(self, db: sqlite3.Connection) -> list[Frame]:
        # The journal first, the database second: what a fold takes from the one in between is
        # in the other then, and a frame is only overwritten after a fold has taken it.
        found = self.scan_journal(folded_sequence(db))
        db.execute("BEGIN")
        folded = folded_sequence(db)
        return [frame for sequence, frame in found.frames if sequence > folded]

    def scan_journal(self, folded: int) -> journal.Scan:
        """What the journal holds above a sequence.

        Raises:
            StoreError: it cannot be read.
        """
        try:
            return journal.scan(journal.read(self.path + ".journal"), folded)
        except OSError as error:
            raise StoreError(
                f"cannot read the journal: {error}", hint="Is the user in the store's group?"
            ) from error

    # --- reading -------------------------------------------------------------------------

    def after(self, position: int, limit: int, until: int | None = None) -> Batch:
        """Readings with position < serial <= until, oldest first."""
        with self._view() as (query, frames):
            end = END if until is None else until
            rows = queries.stored_rows(query, position, limit, end)
            queries.append_rows(rows, frames, position, limit, end)
            return Batch(_box(query), queries.series(query, frames), rows)

    def count_after(self, position: int, until: int | None = None) -> int:
        end = END if until is None else until
        with self._view() as (query, frames):
            return queries.count_stored(query, position, end) + queries.count_in(
                frames, position, end
            )

    @property
    def newest_serial(self) -> int:
        """Highest serial on the card (0: none yet)."""
        with self._view() as view:
            return queries.newest_serial(*view)

    def series(self) -> dict[int, Series]:
        with self._view() as view:
            return queries.series(*view)

    def cursor(self, name: str) -> Cursor:
        with self._view() as view:
            return queries.cursors(*view).get(name, Cursor(name))

    def faults(self, *, only_open: bool = True) -> list[Fault]:
        with self._view() as (query, frames):
            return list(queries.faults(query, frames, only_open=only_open).values())

    def transitions(self, machine: str | None = None, limit: int = 50) -> list[Transition]:
        """Newest first."""
        with self._view() as (query, frames):
            return queries.transitions(query, frames, machine, limit)

    def kept(self, name: str) -> dict[str, Any] | None:
        with self._view() as view:
            found = queries.kept(*view).get(name)
            return queries.document(found[1]) if found else None

    def orders(self) -> list[Order]:
        """What the node has not taken yet."""
        with self._view() as view:
            return queries.orders(*view)

    def dead_letters(self, publisher: str | None = None) -> list[DeadLetter]:
        """What a publisher's other side would not take, oldest first."""
        with self._view() as view:
            return queries.dead_letters(*view, publisher)

    def clock_marks(self) -> ClockMarks:
        """The moments at which the clock was trusted, to correct times by."""
        with self._view() as view:
            return queries.clock_marks(*view)

    def corrected_ms(self, boot: int, monotonic_ms: int, taken_ms: int, clock_trusted: int) -> int:
        """Unix milliseconds at which a reading was taken; see ``boots.corrected_ms``."""
        marks = self.clock_marks()
        return corrected_ms(marks, boot, monotonic_ms, taken_ms, clock_trusted)

    def spans(self, since_ms: int, width_ms: int) -> dict[Series, list[history.Span]]:
        """Means of good readings over spans so wide, oldest first; see ``store.history``."""
        with self._view() as (query, frames):
            return history.spans(query, frames, since_ms, width_ms)

    def means(self, above: int, last: int, limit: int) -> list[tuple[Any, ...]]:
        """Rows of the tiers with above < number <= last; see ``store.tiers``.

        With what was measured since the last fold, as far as its time is sure.
        """
        with self._view() as (query, frames):
            return tiers.rows(query, frames, above, last, limit)

    def newest_mean(self, last: int) -> int:
        """The number of the newest row of the tiers that is not above."""
        with self._view() as (query, _):
            return int(query("SELECT coalesce(max(id), 0) FROM tiers WHERE id <= ?", (last,))[0][0])

    @property
    def box(self) -> str:
        with self._view() as (query, _):
            return _box(query)

    def position_since(self, since_ms: int) -> int:
        """Where ``after`` begins, to give everything that is not older (and some that is)."""
        with self._view() as (query, _):
            return history.position_since(query, since_ms)

    def info(self) -> dict[str, Any]:
        """The facts of `kiezbox store info`."""
        with self._view() as (query, frames):
            count, newest = queries.count_stored(query, 0, END), queries.newest_stored(query)
            (packed,) = query("SELECT coalesce(sum(readings), 0) FROM blocks")[0]
            oldest = min((row[0] for row in queries.stored_rows(query, 0, 1, END)), default=None)
            waiting = queries.count_in(frames, 0, END)
            return {
                "path": self.path,
                "box": _box(query),
                "schema": query("PRAGMA user_version")[0][0],
                "boots": query("SELECT count(*) FROM boots")[0][0],
                "readings": count + waiting,
                "readings_in_journal": waiting,
                "readings_packed": packed,
                "oldest_serial": oldest or (frames[0].first if frames else 0),
                "newest_serial": max([newest, *(frame.last for frame in frames)]),
                "series": {str(n): str(s) for n, s in queries.series(query, frames).items()},
                "cursors": {n: c._asdict() for n, c in queries.cursors(query, frames).items()},
                "dead_letters": len(queries.dead_letters(query, frames)),
                "open_faults": len(queries.faults(query, frames, only_open=True)),
                "database_bytes": os.path.getsize(self.path),
                "journal_bytes": _size(self.path + ".journal"),
                "journal_frames": len(frames),
            }

    # --- upkeep --------------------------------------------------------------------------

    def folded_sequence(self) -> int:
        """Frames up to this one are in the database, not only in the journal."""
        with self._view() as (query, _):
            return int(query("SELECT folded_sequence FROM meta")[0][0])

    def integrity(self) -> list[str]:
        """What SQLite finds wrong with the file; reads all of it."""
        with self._view() as (query, _):
            found = [str(row[0]) for row in query("PRAGMA integrity_check")]
            return [] if found == ["ok"] else found

    def rotten_blocks(self) -> int:
        """How many blocks of packed readings cannot be unpacked; reads all of them."""
        with self._view() as (query, _):
            return blocks.rotten(query)

    def copy_to(self, target: sqlite3.Connection) -> None:
        """One moment of the database, without the journal, into an empty one."""
        with self._view():
            self._connection().backup(target)


class StoreWriter(StoreReader):
    """The command line's view: adds orders beside the running node."""

    _is_writable = True

    def order(
        self, verb: str, until: float | None = None, detail: Mapping[str, Any] | None = None
    ) -> int:
        """Tell the node; its number."""
        with self._writing() as db:
            return orders.order(db, self._clock.now(), verb, until, detail or {})

    def decide_dead_letters(self, publisher: str, *, is_retried: bool) -> int:
        """Have the node try a publisher's dead letters again, or forget them; how many."""
        what = (
            "UPDATE dead_letters SET is_retried = 1" if is_retried else "DELETE FROM dead_letters"
        )
        with self._writing() as db:
            return db.execute(f"{what} WHERE publisher = ?", (publisher,)).rowcount

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        try:
            yield self._connection()
        except TROUBLE as error:
            raise store_error(error, self.path) from error


def folded_sequence(db: sqlite3.Connection) -> int:
    """Frames up to this one are in the database, not only in the journal."""
    return int(db.execute("SELECT folded_sequence FROM meta").fetchone()[0])


def _box(query: queries.Query) -> str:
    return str(query("SELECT box FROM meta")[0][0])


def _size(path: str) -> int:
    try:
        return os.path.getsize(path)
    except OSError:
        return 0
