"""The node's store: the one writer of readings."""

from __future__ import annotations

import fcntl
import json
import math
import os
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import kiezbox
from kiezbox.clock import Clock
from kiezbox.errors import SensorGarbled, StoreError
from kiezbox.model import Batch, Bulletin, Cursor, Fault, Measurement, Reading, Series, serial_of
from kiezbox.settings import StoreSettings
from kiezbox.store import boots, journal, migrate, packing, queries, words
from kiezbox.store.changes import CHANGES, INSERT_READING
from kiezbox.store.database import connect, schema_version, state_of, store_error, transaction
from kiezbox.store.packing import Frame
from kiezbox.store.queries import END, Order, Transition


class Store:
    """Thread-safe. One per database and machine: a second one is refused."""

    def __init__(self, settings: StoreSettings, box: str, clock: Clock) -> None:
        self._settings = settings
        self._path = settings.path
        self._box = box
        self._clock = clock
        self._lock = threading.RLock()
        self._is_closed = False
        self.state = "ok"
        # Readings go from _fresh (not packed) over _waiting (packed, not on the card) to _tail
        # (in the journal, not in the database).
        self._fresh: list[Reading] = []
        self._changes: list[packing.Change] = []
        self._waiting: list[Frame] = []
        self._tail: list[Frame] = []
        self._last_mark = (0, 0, 0, 0)

    @classmethod
    def open(cls, settings: StoreSettings, box: str, clock: Clock) -> Store:
        """Create, renew or salvage what is needed, and draw the boot number.

        Raises:
            StoreError: another node uses this database, or a newer Kiezbox made it.
        """
        store = cls(settings, box, clock)
        store._open()
        return store

    def _open(self) -> None:
        os.makedirs(os.path.dirname(os.path.abspath(self._path)), exist_ok=True)
        self._lock_file = open(self._path + ".lock", "w")
        try:
            fcntl.flock(self._lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._lock_file.close()
            raise StoreError(
                f"another node uses {self._path}", hint="Stop it first: systemctl stop kiezbox."
            ) from error
        if not os.path.exists(self._path):
            migrate.run(self._path)
        self._db = connect(self._path, is_writable=True)
        if schema_version(self._db) < migrate.SCHEMA_VERSION:
            self._db.close()
            migrate.run(self._path)
            self._db = connect(self._path, is_writable=True)
        self._journal = journal.Journal(self._path + ".journal", self._settings.journal_kib * 1024)
        folded, is_backup = self._query("SELECT folded_sequence, is_backup FROM meta")[0]
        scan = self._journal.load(folded)
        self._tail = [frame for _, frame in scan.frames]
        self._load()
        last_boot = max(
            self._query("SELECT coalesce(max(boot), 0) FROM boots")[0][0],
            boots.boot_of(max(scan.newest_serial, self.newest_serial)),
        )
        now = self._clock.now()
        is_first = bool(is_backup) or last_boot == 0
        self.boot = boots.draw(last_boot, now, is_first=is_first)
        self._counter = 0
        mark = self._mark(force=True)
        self._changes.insert(
            0, ("boot", [self.boot, mark[2], mark[1], mark[3], kiezbox.__version__])
        )
        self.fold()

    def _load(self) -> None:
        """What is asked for often is held here; it is small."""
        query, frames = self._query, self._tail
        self.newest_serial = self.stored_serial = queries.newest_serial(query, frames)
        self._series = queries.series(query, frames)
        self._numbers = {series: number for number, series in self._series.items()}
        self._cursors = queries.cursors(query, frames)
        self._kept = queries.kept(query, frames)
        self._faults = queries.faults(query, frames, only_open=True)
        newest = queries.transitions(query, frames, None, 1)
        self._last_transition = newest[0].id if newest else 0
        self._last_fault = max(
            [query("SELECT coalesce(max(id), 0) FROM faults")[0][0], *self._faults]
        )
        self._last_version = max([0, *(version for version, _ in self._kept.values())])
        self._deferred = 0

    def _query(self, sql: str, row: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        try:
            return self._db.execute(sql, row).fetchall()
        except sqlite3.Error as error:
            raise store_error(error, self._path) from error

    # --- readings ------------------------------------------------------------------------

    def add(self, sensor: str, measurements: Sequence[Measurement]) -> list[Reading]:
        """Stamp and take in one read's measurements; in memory until the next flush.

        Raises:
            SensorGarbled: a value is no finite number; nothing of the read is taken in.
        """
        for quantity, value, raw, _, _ in measurements:
            if not math.isfinite(value) or not (raw is None or math.isfinite(raw)):
                raise SensorGarbled(f"{sensor}/{quantity.value}: {value!r} is not a number")
        with self._lock:
            _, monotonic_ms, taken_ms, trusted = self._mark()
            added = []
            for quantity, value, raw, flag, reason in measurements:
                self._counter += 1
                added.append(
                    Reading(
                        serial_of(self.boot, self._counter),
                        self._series_number(sensor, quantity.value),
                        taken_ms,
                        monotonic_ms,
                        float(value),
                        None if raw is None else float(raw),
                        int(flag),
                        _shortened(reason),
                        trusted,
                    )
                )
            self._fresh += added
            if added:
                self.newest_serial = added[-1].serial
            return added

    def _series_number(self, sensor: str, quantity: str) -> int:
        key = Series(sensor, quantity)
        number = self._numbers.get(key)
        if number is None:
            number = max(self._series, default=0) + 1
            self._series[number] = key
            self._numbers[key] = number
            self._changes.append(("series", [number, sensor, quantity]))
        return number

    @property
    def buffered(self) -> int:
        """Readings not yet durable."""
        with self._lock:
            return len(self._fresh) + sum(frame.readings for frame in self._waiting)

    def after(self, position: int, limit: int, until: int | None = None) -> Batch:
        """Readings with position < serial <= until, oldest first, the newest included."""
        end = END if until is None else until
        with self._lock:
            rows = queries.rows_after(
                self._query, [*self._tail, *self._waiting], position, limit, end
            )
            for row in self._fresh:
                if len(rows) >= limit:
                    break
                if position < row[0] <= end:
                    rows.append(row)
            return Batch(self._box, dict(self._series), rows)

    def count_after(self, position: int, until: int | None = None) -> int:
        """How many readings ``after`` would give without a limit."""
        end = END if until is None else until
        with self._lock:
            stored = self._query(
                "SELECT count(*) FROM readings WHERE serial > ? AND serial <= ?", (position, end)
            )[0][0]
            return (
                int(stored)
                + queries.count_in(self._tail, position, end)
                + queries.count_in(self._waiting, position, end)
                + sum(position < row[0] <= end for row in self._fresh)
            )

    # --- to the card ---------------------------------------------------------------------

    def flush(self) -> int:
        """Make everything durable with one flush of the card; the highest durable serial."""
        with self._lock:
            self._pack()
            if self._waiting:
                if self._journal.has_room(self._waiting):
                    self._journal.append(self._waiting)
                    self._tail += self._waiting
                    self._waiting = []
                    self.stored_serial = self.newest_serial
                else:
                    self.fold()
            return self.stored_serial

    def _pack(self) -> None:
        if self._fresh or self._changes:
            self._waiting += packing.pack(self._fresh, self._changes, self._journal.frame_bytes)
            self._fresh, self._changes = [], []

    def fold(self) -> int:
        """Move everything into the database in one transaction; how many readings that were."""
        with self._lock:
            self._pack()
            self._folded_at = self._clock.monotonic()
            frames = [*self._tail, *self._waiting]
            if not frames:
                return 0
            with transaction(self._db) as db:
                for frame in frames:
                    db.executemany(INSERT_READING, packing.rows_of(frame.payload))
                    for name, parameters in packing.changes_of(frame.payload):
                        db.execute(CHANGES[name], parameters)
                db.execute(
                    "UPDATE meta SET folded_sequence = ?, box = ?, is_backup = 0",
                    (self._journal.restart(), self._box),
                )
            self._tail, self._waiting = [], []
            self._deferred = 0
            self.stored_serial = self.newest_serial
            return sum(frame.readings for frame in frames)

    def is_fold_due(self) -> bool:
        return self._clock.monotonic() - self._folded_at >= self._settings.fold_s

    def _write(self, name: str, parameters: Sequence[Any]) -> None:
        """A small change, durable when this returns."""
        with transaction(self._db) as db:
            db.execute(CHANGES[name], parameters)

    # --- cursors and kept documents ------------------------------------------------------

    def cursor(self, name: str) -> Cursor:
        with self._lock:
            return self._cursors.get(name, Cursor(name))

    def set_cursor(self, cursor: Cursor) -> None:
        """At once in memory, durable with the next flush."""
        with self._lock:
            self._cursors[cursor.name] = cursor
            self._ride("cursor", list(cursor))

    def _ride(self, name: str, parameters: list[Any]) -> None:
        """Let a change wait for the next flush; a later one of the same thing replaces it."""
        self._changes = [
            change for change in self._changes if change[0] != name or change[1][0] != parameters[0]
        ]
        self._changes.append((name, parameters))

    def keep(self, name: str, document: Mapping[str, Any]) -> None:
        with self._lock:
            self._write("kept", self._next_kept(name, document))

    def keep_lazily(self, name: str, document: Mapping[str, Any]) -> None:
        with self._lock:
            self._ride("kept", self._next_kept(name, document))

    def _next_kept(self, name: str, document: Mapping[str, Any]) -> list[Any]:
        self._last_version += 1
        body = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
        self._kept[name] = (self._last_version, body)
        return [name, self._last_version, body]

    def kept(self, name: str) -> dict[str, Any] | None:
        with self._lock:
            found = self._kept.get(name)
            return json.loads(found[1]) if found else None

    # --- faults --------------------------------------------------------------------------

    def open_fault(self, source: str, kind: str, message: str, hint: str = "") -> bool:
        with self._lock:
            for number, fault in self._faults.items():
                if (fault.source, fault.kind) == (source, kind):
                    self._faults[number] = fault._replace(times=fault.times + 1)
                    return False
            self._last_fault += 1
            fault = Fault(source, kind, message, hint, self._clock.now(), None, 1)
            self._faults[self._last_fault] = fault
            self._write("fault_opened", [self._last_fault, *fault])
            return True

    def close_fault(self, source: str, kind: str | None = None) -> bool:
        with self._lock:
            closing = [
                number
                for number, fault in self._faults.items()
                if fault.source == source and kind in (None, fault.kind)
            ]
            for number in closing:
                fault = self._faults.pop(number)
                self._write("fault_closed", [self._clock.now(), fault.times, number])
            return bool(closing)

    def faults(self, *, only_open: bool = True) -> list[Fault]:
        with self._lock:
            if only_open:
                return list(self._faults.values())
            frames = [*self._tail, *self._waiting]
            return list(
                (queries.faults(self._query, frames, only_open=False) | self._faults).values()
            )

    # --- transitions ---------------------------------------------------------------------

    def put_transition(
        self, machine: str, before: str, event: str, after: str, detail: Mapping[str, Any]
    ) -> int:
        with self._lock:
            self._last_transition += 1
            _, monotonic_ms, _, trusted = self._mark()
            self._write(
                "transition",
                [
                    self._last_transition,
                    self._clock.now(),
                    monotonic_ms,
                    self.boot,
                    machine,
                    before,
                    event,
                    after,
                    json.dumps(detail, ensure_ascii=False),
                    None,
                    trusted,
                ],
            )
            return self._last_transition

    def carried_out(self, transition: int) -> None:
        with self._lock:
            self._write("carried_out", [self._clock.now(), transition])

    def transitions(self, machine: str | None = None, limit: int = 50) -> list[Transition]:
        with self._lock:
            frames = [*self._tail, *self._waiting] if self._deferred else []
            return queries.transitions(self._query, frames, machine, limit)

    # --- words and orders ----------------------------------------------------------------

    def post(self, text: str, expires_at: float) -> Bulletin:
        with self._lock:
            return words.post(self._db, self._box, text, self._clock.now(), expires_at)

    def bulletins(self) -> list[Bulletin]:
        with self._lock:
            return queries.bulletins(self._query, self._clock.now())

    def withdraw(self, origin: str, sequence: int) -> bool:
        with self._lock:
            return words.withdraw(self._db, self._box, origin, sequence, self._clock.now())

    def orders(self) -> list[Order]:
        with self._lock:
            return queries.orders(self._query, [])

    def order_taken(self, order: int) -> None:
        with self._lock:
            self._write("order_taken", [self._clock.now(), order])

    def changed(self) -> int:
        """A number that is another one after another process wrote."""
        with self._lock:
            return int(self._query("PRAGMA data_version")[0][0])

    # --- time ----------------------------------------------------------------------------

    def mark_clock(self) -> None:
        with self._lock:
            self._mark()

    def _mark(self, *, force: bool = False) -> tuple[int, int, int, int]:
        """(boot, monotonic ms, wall ms, trusted); kept where the clock did what it should not."""
        wall_ms = int(self._clock.now() * 1000)
        monotonic_ms = int(self._clock.monotonic() * 1000)
        trusted = int(self._clock.is_trusted())
        mark = (self.boot, monotonic_ms, wall_ms, trusted)
        if not force:
            _, last_monotonic, last_wall, last_trusted = self._last_mark
            drift = (wall_ms - last_wall) - (monotonic_ms - last_monotonic)
            if trusted == last_trusted and abs(drift) < 1000:
                return mark
        self._last_mark = mark
        self._changes.append(("clock_mark", list(mark)))
        return mark

    # --- the end -------------------------------------------------------------------------

    def close(self) -> None:
        """Flush and let go. Idempotent."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
            self.flush()
            self._journal.close()
            self._db.close()
            self._lock_file.close()


def _shortened(reason: str) -> str:
    body = reason.encode("utf-8")
    if len(body) <= packing.REASON_BYTES:
        return reason
    return body[: packing.REASON_BYTES].decode("utf-8", "ignore")
