"""What the node remembers beside readings: cursors, documents, faults, transitions."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from typing import Any

import kiezbox
from kiezbox.clock import Clock
from kiezbox.model import Cursor, Fault, Reading
from kiezbox.settings import StoreSettings
from kiezbox.store import queries
from kiezbox.store.card import Card
from kiezbox.store.packing import Change
from kiezbox.store.queries import DeadLetter, Order, Transition

#: Kept for each publisher.
DEAD_LETTERS_MOST = 1000

#: What the store calls itself in the table of faults.
SOURCE = "store"

#: A wall clock that moves so far against the monotonic one was set, and gets a mark.
_JUMP_MS = 1000


class Ledger:
    """The base of ``Store``, which adds the readings and the way to the card."""

    def __init__(self, settings: StoreSettings, box: str, clock: Clock) -> None:
        """Use ``Store.open``."""
        #: Number of this start of the node; unique for ever on this box.
        self.boot = 0
        self._settings = settings
        self._box = box
        self._clock = clock
        self._lock = threading.RLock()
        self._card = Card(settings, box, clock, self._refill)
        #: What is durable with the next flush: readings not yet packed, and changes.
        self._fresh: list[Reading] = []
        self._changes: list[Change] = []
        self._last_mark = (0, 0, 0, 0)
        self._last_number = 0
        self._is_loaded = False

    def _load(self) -> None:
        """What is asked for often is held here; it is small."""
        query, frames = self._card.query, self._card.tail
        #: Highest serial ever added, and the highest known to be on the card.
        self.newest_serial = self.stored_serial = queries.newest_serial(query, frames)
        self._series = queries.series(query, frames)
        self._numbers = {series: number for number, series in self._series.items()}
        self._cursors = queries.cursors(query, frames)
        self._kept = queries.kept(query, frames)
        self._faults = queries.faults(query, frames, only_open=True)
        newest = queries.transitions(query, frames, None, 1)
        #: Faults, transitions and versions of kept documents are numbered together.
        self._last_number = max(
            [
                query("SELECT coalesce(max(id), 0) FROM faults")[0][0],
                query("SELECT coalesce(max(id), 0) FROM dead_letters")[0][0],
                *self._faults,
                *(transition.id for transition in newest),
                *(version for version, _ in self._kept.values()),
            ]
        )
        # Asked once now, so that a schema that has rotted shows before somebody relies on it.
        queries.stored_rows(query, 0, 1, queries.END)
        queries.clock_marks(query, frames)
        queries.orders(query, frames)
        self._is_loaded = True

    def _refill(self, knows_more: bool) -> list[Change]:
        """Another database is there: take from it what it knows, tell it what it may not."""
        if not self._is_loaded:
            return []
        query = self._card.query
        if knows_more:
            self.newest_serial = max(self.newest_serial, queries.newest_serial(query, []))
            self._series = queries.Names(queries.series(query, []) | self._series)
            self._cursors |= queries.cursors(query, [])
            self._kept = queries.kept(query, []) | self._kept
            open_here = {(fault.source, fault.kind) for fault in self._faults.values()}
            for number, fault in queries.faults(query, [], only_open=True).items():
                if (fault.source, fault.kind) not in open_here:
                    self._faults[number] = fault
            return []
        return [
            *self._about_boot(),
            *(("series", [number, *series]) for number, series in self._series.items()),
            *(("cursor", list(cursor)) for cursor in self._cursors.values()),
            *(("kept", [name, *kept]) for name, kept in self._kept.items()),
            *(("fault_opened", [number, *fault]) for number, fault in self._faults.items()),
        ]

    def _report(self) -> None:
        """The card's troubles are faults; they ride with the next flush."""
        known = {f.kind: n for n, f in self._faults.items() if f.source == SOURCE}
        for kind, (message, hint) in self._card.troubles.items():
            if kind in known:
                fault = self._faults[known[kind]]
                self._faults[known[kind]] = fault._replace(message=message)
            else:
                self._changes.append(self._opened(SOURCE, kind, message, hint))
        for kind, number in known.items():
            is_unknown = kind == "overrun" and not self._card.has_tended
            if kind not in self._card.troubles and not is_unknown:
                self._changes.append(self._closed(number))

    # --- what is written at once ---------------------------------------------------------

    def _write(self, change: Change) -> None:
        self._card.write(*change)
        if self._card.troubles or any(f.source == SOURCE for f in self._faults.values()):
            self._report()

    # --- cursors and kept documents ------------------------------------------------------

    def cursor(self, name: str) -> Cursor:
        """How far a publisher is; a new name starts at 0."""
        with self._lock:
            return self._cursors.get(name, Cursor(name))

    def set_cursor(self, cursor: Cursor) -> None:
        """At once in memory, durable with the next flush."""
        with self._lock:
            if cursor == self._cursors.get(cursor.name):
                return
            self._cursors[cursor.name] = cursor
            # A stand-in does not know what the real database still has to deliver.
            if not self._card.is_makeshift:
                self._ride("cursor", list(cursor))

    def _ride(self, name: str, parameters: list[Any]) -> None:
        """Let a change wait for the next flush; a later one of the same thing replaces it."""
        self._changes = [
            change for change in self._changes if change[0] != name or change[1][0] != parameters[0]
        ]
        self._changes.append((name, parameters))

    def keep(self, name: str, document: Mapping[str, Any]) -> None:
        """A small document that must survive; durable when this returns."""
        with self._lock:
            self._write(("kept", self._next_kept(name, document)))

    def keep_lazily(self, name: str, document: Mapping[str, Any]) -> None:
        """The same, durable with the next flush."""
        with self._lock:
            self._ride("kept", self._next_kept(name, document))

    def _next_kept(self, name: str, document: Mapping[str, Any]) -> list[Any]:
        body = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
        self._kept[name] = (self._number(), body)
        return [name, *self._kept[name]]

    def kept(self, name: str) -> dict[str, Any] | None:
        with self._lock:
            found = self._kept.get(name)
            return queries.document(found[1]) if found else None

    def _number(self) -> int:
        self._last_number += 1
        return self._last_number

    # --- faults --------------------------------------------------------------------------

    def open_fault(self, source: str, kind: str, message: str, hint: str = "") -> bool:
        """True if newly opened; a repeat only counts (written when the fault closes)."""
        with self._lock:
            for number, fault in self._faults.items():
                if (fault.source, fault.kind) == (source, kind):
                    self._faults[number] = fault._replace(times=fault.times + 1)
                    return False
            self._write(self._opened(source, kind, message, hint))
            return True

    def close_fault(self, source: str, kind: str | None = None) -> bool:
        """True if one was open. Without ``kind`` all of that source."""
        with self._lock:
            numbers = [
                number
                for number, fault in self._faults.items()
                if fault.source == source and kind in (None, fault.kind)
            ]
            for number in numbers:
                self._write(self._closed(number))
            return bool(numbers)

    def _opened(self, source: str, kind: str, message: str, hint: str) -> Change:
        fault = Fault(source, kind, message, hint, self._clock.now(), None, 1)
        number = self._number()
        self._faults[number] = fault
        return "fault_opened", [number, *fault]

    def _closed(self, number: int) -> Change:
        fault = self._faults.pop(number)
        return "fault_closed", [self._clock.now(), fault.times, fault.message, number]

    def faults(self, *, only_open: bool = True) -> list[Fault]:
        """Oldest first."""
        with self._lock:
            if only_open:
                return list(self._faults.values())
            stored = queries.faults(self._card.query, self._card.frames, only_open=False)
            return list((stored | self._faults).values())

    # --- transitions ---------------------------------------------------------------------

    def put_transition(
        self, machine: str, before: str, event: str, after: str, detail: Mapping[str, Any]
    ) -> int:
        """Store a step of a state machine before it is carried out; its number."""
        with self._lock:
            number = self._number()
            _, monotonic_ms, _, trusted = self._mark()
            row = [number, self._clock.now(), monotonic_ms, self.boot, machine]
            row += [before, event, after, json.dumps(detail, ensure_ascii=False), None, trusted]
            self._write(("transition", row))
            return number

    def carried_out(self, transition: int) -> None:
        """The step has been taken: a box that dies now need not take it again."""
        with self._lock:
            self._write(("carried_out", [self._clock.now(), transition]))

    def transitions(self, machine: str | None = None, limit: int = 50) -> list[Transition]:
        """Newest first."""
        with self._lock:
            frames = self._card.frames if self._card.has_deferred else []
            return queries.transitions(self._card.query, frames, machine, limit)

    # --- orders --------------------------------------------------------------------------

    def orders(self) -> list[Order]:
        """The operator's orders not yet taken, oldest first."""
        with self._lock:
            frames = self._card.frames if self._card.has_deferred else []
            return queries.orders(self._card.query, frames)

    def order_taken(self, order: int) -> None:
        with self._lock:
            self._write(("order_taken", [self._clock.now(), order]))

    def changed(self) -> int:
        """A number that is another one after another process wrote."""
        with self._lock:
            return int(self._card.query("PRAGMA data_version")[0][0])

    # --- dead letters --------------------------------------------------------------------

    def put_dead_letter(self, publisher: str, serial: int, why: str) -> None:
        """A reading nobody took; durable when this returns. Of many the oldest go."""
        with self._lock:
            row = [self._number(), publisher, serial, self._clock.now(), why[:500], 0]
            self._write(("dead_letter", row))
            self._write(("dead_letters_bounded", [publisher, DEAD_LETTERS_MOST]))

    def dead_letters(self, publisher: str, *, only_retried: bool = False) -> list[DeadLetter]:
        """Oldest first."""
        with self._lock:
            frames = self._card.frames if self._card.has_deferred else []
            letters = queries.dead_letters(self._card.query, frames, publisher)
            return [each for each in letters if each.is_retried or not only_retried]

    def dead_letter_gone(self, number: int) -> None:
        """It was taken after all, or is not to be sent."""
        with self._lock:
            self._write(("dead_letter_gone", [number]))

    # --- time ----------------------------------------------------------------------------

    def mark_clock(self) -> None:
        """Keep what the clocks say if trust was gained or lost or the wall clock was set."""
        with self._lock:
            self._mark()

    def _mark(self) -> tuple[int, int, int, int]:
        mark = self._moment()
        _, last_monotonic, last_wall, last_trusted = self._last_mark
        moved_ms = (mark[2] - last_wall) - (mark[1] - last_monotonic)
        if mark[3] != last_trusted or abs(moved_ms) >= _JUMP_MS:
            self._last_mark = mark
            self._changes.append(("clock_mark", list(mark)))
        return mark

    def _moment(self) -> tuple[int, int, int, int]:
        """(boot, monotonic ms, wall ms, whether the wall clock is trusted)."""
        clock = self._clock
        monotonic_ms, wall_ms = int(clock.monotonic() * 1000), int(clock.now() * 1000)
        return self.boot, monotonic_ms, wall_ms, int(clock.is_trusted())

    def _about_boot(self) -> list[Change]:
        boot, monotonic_ms, wall_ms, trusted = self._last_mark
        return [
            ("boot", [boot, wall_ms, monotonic_ms, trusted, kiezbox.__version__]),
            ("clock_mark", list(self._last_mark)),
        ]
