"""What reaches the card, and what to do when the card says no.

Everything durable goes through here: packed readings and changes wait in memory, go into the
journal with the next flush, and into the database with the next fold. Each step has the others
behind it: without room in the database the journal holds what comes, without a journal the
database takes it at once, and without both it stays in memory, within bounds. Every flush tries
again what went wrong before.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Callable, Collection, Sequence
from typing import Any

from kiezbox.clock import Clock
from kiezbox.errors import StoreError
from kiezbox.settings import StoreSettings
from kiezbox.store import changes, migrate, opening, packing, tending
from kiezbox.store.counting import Counter
from kiezbox.store.database import HINTS, TROUBLE, is_full, state_of, store_error, transaction
from kiezbox.store.journal import Journal
from kiezbox.store.packing import Change, Frame, Row

#: What may wait in memory while nothing can be written: four days at seven readings a minute.
WAITING_BYTES = 1 << 20

#: Troubles that say what ``state`` is; the others ("journal", "busy", "lost") are faults only.
_STATES = ("full", "read-only", "damaged")


class Card:
    """Journal and database of the one writer. The caller holds a lock around every call."""

    def __init__(
        self,
        settings: StoreSettings,
        box: str,
        clock: Clock,
        refill: Callable[[bool], list[Change]],
    ) -> None:
        """``refill`` is called when another database has taken the place of the one we had.

        Its argument says whether the new one knows what we do not; it returns the changes that
        tell the new one what we know.
        """
        self.path = settings.path
        self.folded_at = clock.monotonic()
        #: Kind of trouble → (what happened, what to do). The store makes faults of them.
        self.troubles: dict[str, tuple[str, str]] = {}
        #: Packed, but not on the card.
        self.waiting: list[Frame] = []
        #: In the journal, but not in the database.
        self.tail: list[Frame] = []
        #: Whether changes that belong into the database at once are among them.
        self.has_deferred = False
        #: Whether the database is only a view or a stand-in until the real one can be opened.
        self.is_makeshift = False
        self.is_backup = False
        #: Whether old readings wait to become means, or to go: see ``tend``.
        self.is_behind = True
        #: Whether folds do: after the first ``tend``, and not before it is known whose progress
        #: counts, which whoever opens the store says before that.
        self.has_tended = False
        #: Whose progress keeps readings from going; None: of all that ever had any.
        self.publishers: Collection[str] | None = None
        self.counter = Counter(self.query)
        self.db: sqlite3.Connection
        self._settings = settings
        self._box = box
        self._clock = clock
        self._refill = refill
        self._journal = Journal(self.path + ".journal", settings.journal_kib * 1024)
        self._folded = 0
        self._lost = 0
        self._lock_fd = -1

    @property
    def state(self) -> str:
        """ "ok", "full", "read-only" or "damaged"."""
        return next((state for state in _STATES if state in self.troubles), "ok")

    @property
    def frames(self) -> list[Frame]:
        """What the database does not have yet, oldest first."""
        return [*self.tail, *self.waiting]

    @property
    def unwritten(self) -> int:
        """How many readings wait in memory."""
        return sum(frame.readings for frame in self.waiting)

    # --- opening and closing -------------------------------------------------------------

    def open(self) -> int:
        """Lock, create, renew or salvage; the highest serial the journal has ever seen.

        Raises:
            StoreError: another node has the lock, or the file is no database of this version.
        """
        try:
            os.makedirs(os.path.dirname(os.path.abspath(self.path)), exist_ok=True)
            self._take_lock()
        except OSError:
            pass  # Not writable, which _connect will say; then there is no other node either.
        try:
            self._connect()
            if not self._is_meta_read():
                self.renew(ValueError("its first row is not what was written"))
                self._is_meta_read()
            return self._open_journal()
        except BaseException:
            self.close()
            raise

    def _take_lock(self) -> None:
        flags = os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC
        self._lock_fd = os.open(self.path + ".lock", flags, 0o644)
        try:
            fcntl.flock(self._lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self.close()
            raise StoreError(
                f"another node uses {self.path}", hint="Stop it first: systemctl stop kiezbox-node."
            ) from error

    def _is_meta_read(self) -> bool:
        try:
            rows = self.query("SELECT folded_sequence, is_backup FROM meta")
        except StoreError:
            return False
        if len(rows) != 1 or not all(isinstance(value, int) for value in rows[0]):
            return False
        self._folded, self.is_backup = rows[0][0], bool(rows[0][1])
        return True

    def _open_journal(self) -> int:
        try:
            found = self._journal.load(self._folded)
        except OSError as error:
            self._trouble("journal", f"the journal cannot be read: {error}", HINTS["damaged"])
            return 0
        self.tail = [frame for _, frame in found.frames]
        self.has_deferred = bool(self.tail)  # It may hold any change, from a card that was full.
        if found.damaged_sectors:
            self._trouble(
                "forgotten",
                f"{found.damaged_sectors} sectors of the journal cannot be read",
                "The other frames are safe. A card that does this twice should be replaced.",
            )
        self._try_journal(self._journal.open)
        return found.newest_serial

    def _try_journal(self, act: Callable[..., None], *arguments: Any) -> bool:
        try:
            act(*arguments)
        except OSError as error:
            state = "full" if is_full(self.path) else "read-only"
            self._trouble("journal", f"the journal cannot be written: {error}", HINTS[state])
            return False
        return True

    def close(self) -> None:
        """Idempotent. Writes nothing."""
        self._journal.close()
        if hasattr(self, "db"):
            self.db.close()
        if self._lock_fd != -1:
            os.close(self._lock_fd)
            self._lock_fd = -1

    # --- which database ------------------------------------------------------------------

    def _connect(self) -> None:
        """The real database, or the best that can stand in for it."""
        try:
            self.db = opening.for_writing(self.path)
            self.is_makeshift = False
            for state in ("full", "read-only"):
                self.troubles.pop(state, None)
            return
        except TROUBLE as error:
            state = state_of(error, self.path) or "damaged"  # A constant question fails.
            if state == "damaged" and self._replace(error):
                return
            self._trouble(state, f"{self.path}: {error}")
        except (OSError, migrate.ChildFailed) as error:
            self._trouble("full" if is_full(self.path) else "read-only", str(error))
        self.db = opening.stand_in(self.path)
        self.is_makeshift = True

    def _replace(self, error: Exception) -> bool:
        """Put the damaged file aside and go on with what could be read of it."""
        db = opening.replaced(self.path)
        if db is None:
            return False
        self.db = db
        self.is_makeshift = False
        aside = migrate.asides(self.path)[-1]
        self._trouble("damaged", f"the database was damaged ({error}); it is now {aside}")
        return True

    def renew(self, error: Exception) -> None:
        """Go on with another database: the one in use has turned out to be damaged."""
        self.db.close()
        if not self._replace(error):
            self.is_makeshift = True
            self.db = migrate.empty()
            self._trouble("read-only", f"{self.path} is damaged and cannot be replaced: {error}")
        self.counter.forget()
        self.put([], self._refill(False))

    def _reconnect(self) -> bool:
        """Try the real database again; True if it is there."""
        self.db.close()
        self._connect()
        self.counter.forget()
        if not self.is_makeshift:
            self.put([], self._refill(True))
        return not self.is_makeshift

    # --- reading -------------------------------------------------------------------------

    def query(self, sql: str, row: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows. A damaged file is replaced, and the answer is the salvaged one's.

        Raises:
            StoreError: cannot be read.
        """
        try:
            try:
                return self.db.execute(sql, row).fetchall()
            except TROUBLE as error:
                if state_of(error, self.path) != "damaged":
                    raise
                self.renew(error)
                return self.db.execute(sql, row).fetchall()
        except TROUBLE as error:
            raise store_error(error, self.path) from error

    # --- writing -------------------------------------------------------------------------

    def put(self, rows: Sequence[Row], some: Sequence[Change]) -> None:
        """Take over what is to be durable with the next flush."""
        self.waiting += packing.pack(rows, some, self._journal.frame_bytes)

    def write(self, name: str, parameters: Sequence[Any]) -> None:
        """One change, durable when this returns: in the database, or else in the journal.

        With neither it stays in memory and ``state`` says so: a box whose card has died must
        still open its WLAN in a blackout.
        """
        if not self.has_deferred and not self.is_makeshift:
            try:
                with transaction(self.db) as db:
                    db.execute(changes.CHANGES[name], parameters)
                return
            except TROUBLE as error:
                self._is_new_after(error)
        self.put([], [(name, parameters)])
        self.has_deferred = True
        self.flush()

    def flush(self) -> None:
        """Journal what waits; try again what failed before."""
        if self.waiting and not self._to_journal():
            self.fold()
        elif self.has_deferred or self.is_makeshift or self.state in ("full", "read-only"):
            if not (self.state == "full" and is_full(self.path)):
                self.fold()
        self._shed()

    def _to_journal(self) -> bool:
        if not (self._journal.is_in_place() and self._journal.has_room(self.waiting)):
            return False
        if not self._try_journal(self._journal.append, self.waiting):
            return False
        self.troubles.pop("journal", None)
        self.tail += self.waiting
        self.waiting = []
        return True

    def fold(self) -> int:
        """Journal and memory → database, in one transaction; how many readings that were.

        What fails leaves everything where it was.
        """
        self.folded_at = self._clock.monotonic()
        if self.is_makeshift and not self._reconnect():
            return 0
        for _ in range(2):
            try:
                frames = self._fold()
                break
            except TROUBLE as error:
                if not self._is_new_after(error):
                    return 0
        else:
            return 0
        self._lost = 0
        self.has_deferred = False
        for state in ("full", "read-only", "busy", "lost"):
            self.troubles.pop(state, None)
        self._restart_journal()
        return sum(frame.readings for frame in frames)

    def _restart_journal(self) -> None:
        was_open = self._journal.is_in_place()
        if was_open or not is_full(self.path):
            if self._try_journal(self._journal.restart) and not was_open:
                self.troubles.pop("journal", None)

    def _fold(self) -> list[Frame]:
        frames = self.frames
        if not frames:
            return frames
        with transaction(self.db) as db:
            changes.put_frames(db, frames)
            tended = self._tend(db) if self.has_tended else None
            db.execute(
                "UPDATE meta SET box = ?, folded_sequence = ?, is_backup = 0",
                (self._box, self._journal.next_sequence - 1),
            )
        self.tail, self.waiting = [], []
        self.counter.forget()
        if tended is not None:
            self._note(tended)
        return frames

    def tend(self) -> None:
        """One more step of what a fold has left to do (``is_behind``)."""
        self.is_behind = False
        if self.is_makeshift or self.state in ("full", "read-only"):
            return
        try:
            with transaction(self.db) as db:
                tended = self._tend(db)
            self.counter.forget()
            self._note(tended)
        except TROUBLE as error:
            self._is_new_after(error)

    def _tend(self, db: sqlite3.Connection) -> tending.Tended:
        # A clock that was never set must not decide what is old.
        now_s = self._clock.now() if self._clock.is_trusted() else None
        return tending.step(db, self._settings, now_s, self.publishers)

    def _note(self, tended: tending.Tended) -> None:
        self.is_behind, self.has_tended = tended.is_more, True
        if tended.overrun:
            self._trouble(
                "overrun",
                f"{tended.overrun} readings went that {tended.waiting_for} has not confirmed: the"
                f" database has reached store.most_mib = {self._settings.most_mib}, or the card"
                " is full",
                "Mend the way to that publisher, or take it out of kiezbox.toml; their means stay.",
            )
        else:
            self.troubles.pop("overrun", None)

    # --- trouble -------------------------------------------------------------------------

    def _is_new_after(self, error: Exception) -> bool:
        """Note what went wrong; True where a new database has taken the damaged one's place."""
        state = state_of(error, self.path)
        if not state:
            raise error
        if state == "damaged":
            self.renew(error)
            return not self.is_makeshift
        self._trouble(state, f"{self.path}: {error}")
        return False

    def _trouble(self, kind: str, message: str, hint: str = "") -> None:
        self.troubles[kind] = (message, hint or HINTS.get(kind, ""))

    def _shed(self) -> None:
        """Keep what waits in memory within bounds: the oldest readings go, the changes stay."""
        size = sum(len(frame.payload) for frame in self.waiting)
        if size <= WAITING_BYTES:
            return
        kept: list[Frame] = []
        for frame in self.waiting:
            if size > WAITING_BYTES:
                size -= len(frame.payload)
                self._lost += frame.readings
                if frame.readings:
                    some = list(packing.changes_of(frame.payload))
                    kept += packing.pack([], some, self._journal.frame_bytes)
            else:
                kept.append(frame)
        self.waiting = kept
        self._trouble("lost", f"no place for {self._lost} readings", HINTS["read-only"])
