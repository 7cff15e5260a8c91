"""Transactions of the log of words, parts of them, and which file it is just now."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from kiezbox.clock import Clock
from kiezbox.errors import StoreDamaged, StoreError, StoreFull, StoreReadOnly
from kiezbox.store import log_file, log_mending
from kiezbox.store.database import TROUBLE, state_of, store_error, transaction
from kiezbox.store.log_reading import LogReading

__all__ = ["LogWriting", "NotStored"]


class NotStored(StoreError):
    """The card did not take it: nothing of the whole transaction is stored."""


class LogWriting(LogReading):
    """Where another process has mended or replaced the file, this one goes on with the new one;
    what it was just writing into the old one is reported as not stored.
    """

    def __init__(self, path: str, clock: Clock, db: sqlite3.Connection) -> None:
        self.path = path
        self._clock = clock
        self._lock = threading.RLock()
        #: Inside a transaction.
        self._is_writing = False
        #: Something was deleted that the WAL still holds.
        self._has_erased = False
        self._use(db)

    def _fold_if_need_be(self) -> None:
        """After another file was opened."""
        raise NotImplementedError

    @contextmanager
    def group(self) -> Iterator[None]:
        """Everything added inside becomes durable together, at the end.

        Raises:
            StoreError: the card does not take it; none of it is stored.
        """
        with self._writing():
            yield

    @contextmanager
    def undoing(self) -> Iterator[None]:
        """Inside ``group``: if this part raises, only this part is taken back.

        Raises:
            NotStored: the card does not take it; then the whole group fails.
        """
        if not self._db.in_transaction:
            raise NotStored(f"{self.path}: the transaction is gone")
        self._db.execute("SAVEPOINT part")
        try:
            yield
            self._db.execute("RELEASE part")
        except BaseException as error:
            # On a full or broken card SQLite takes back everything by itself, this point included.
            is_there = self._db.in_transaction
            if is_there:
                self._db.execute("ROLLBACK TO part")
                self._db.execute("RELEASE part")
            if not is_there or self._is_the_cards(error):
                raise NotStored(f"{self.path}: {error}") from error
            raise

    def _is_the_cards(self, error: BaseException) -> bool:
        if isinstance(error, TROUBLE):
            return bool(state_of(error, self.path))
        return isinstance(error, (NotStored, StoreFull, StoreReadOnly, StoreDamaged))

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """One transaction; inside another one, a part of it."""
        with self._lock:
            # Not ``in_transaction``: one that a broken card left open would never be ended.
            if self._is_writing:
                yield
                return
            self._stay_with_the_file()
            self._is_writing = True
            try:
                with transaction(self._db):
                    yield
                if log_file.identity(self.path) != self._identity:
                    raise StoreError(f"{self.path} was replaced just now", hint="Try again.")
            except (NotStored, StoreDamaged, *TROUBLE) as error:
                self._is_writing = False
                raise self._trouble(error) from error
            finally:
                self._is_writing = False
            if self._has_erased:
                self._empty_wal()

    def _stay_with_the_file(self) -> None:
        """Go on with the file that is there now, and with a connection that is in no transaction.

        Raises:
            StoreError: there is none, or it cannot be opened.
        """
        if self._is_writing or self._db_is_good():
            return
        self._db.close()
        try:
            # By name, should nobody have made another yet: it was there.
            self._use(log_mending.open_file(self.path, ""))
        except (OSError, *TROUBLE) as error:
            raise (
                error if isinstance(error, StoreError) else store_error(error, self.path)
            ) from error
        self._fold_if_need_be()

    def _db_is_good(self) -> bool:
        try:
            return not self._db.in_transaction and (log_file.identity(self.path) == self._identity)
        except sqlite3.ProgrammingError:
            return False  # Closed, because the last attempt to open another failed.

    def _use(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._identity = log_file.identity(self.path)
        self.box = str(db.execute("SELECT box FROM meta").fetchone()[0])

    def _trouble(self, error: Exception) -> StoreError:
        """The error of our tree. What turns out to be damaged is mended for whoever comes next."""
        cause = error.__cause__ if isinstance(error, NotStored) else error
        is_damage = isinstance(cause, Exception) and log_mending.is_damage(cause, self.path)
        if is_damage and not self._is_writing:
            # What cannot be mended now stays as it is, and is said all the same.
            with suppress(OSError, StoreError, *TROUBLE):
                self._db.close()
                log_mending.mend(self.path, self._identity)
        return error if isinstance(error, StoreError) else store_error(error, self.path)

    def _empty_wal(self) -> None:
        """What was erased leaves the WAL, too. A reader may hold it; then the next time."""
        with suppress(sqlite3.OperationalError):
            (is_busy, _, _) = self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            self._has_erased = bool(is_busy)
