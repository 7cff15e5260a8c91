"""The node's store: the one writer of readings."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from zlib import crc32

from kiezbox.clock import Clock
from kiezbox.errors import SensorGarbled, StoreError
from kiezbox.model import Batch, Measurement, Reading, Series, serial_of
from kiezbox.settings import StoreSettings
from kiezbox.store import boots, doubting, packing, queries
from kiezbox.store.ledger import Ledger
from kiezbox.store.packing import Frame, Row
from kiezbox.store.queries import END


class Store(Ledger):
    """Thread-safe. One per database: a second one is refused.

    It never fails for want of a card. ``state`` says what is the matter, an open fault of the
    source "store" says it to people, and what could not be written waits in memory.
    """

    def __init__(self, settings: StoreSettings, box: str, clock: Clock) -> None:
        """Use ``open``."""
        super().__init__(settings, box, clock)
        self._counter = 0
        self._is_closed = False

    @classmethod
    def open(cls, settings: StoreSettings, box: str, clock: Clock) -> Store:
        """Create, renew or salvage what is needed, and draw the boot number.

        Raises:
            StoreError: another node uses this database, it is none of ours, or a newer Kiezbox
                made it.
        """
        store = cls(settings, box, clock)
        with store._lock:
            store._open()
        return store

    def _open(self) -> None:
        card = self._card
        journal_serial = card.open()
        try:
            try:
                self._load()
            except (TypeError, ValueError, StoreError) as error:
                # SQLite has no checksums: rows and schema may have rotted unseen.
                card.renew(error)
                self._load()
            known = max(
                card.query("SELECT coalesce(max(boot), 0) FROM boots")[0][0],
                boots.boot_of(max(journal_serial, self.newest_serial)),
            )
            now = self._clock.now()
            is_first = card.is_backup or card.is_makeshift or known == 0
            self._begin(boots.draw(known, now, is_first=is_first))
            if card.waiting and not boots.is_by_clock(self.boot, now):
                # Not durable and not unique by itself: the next start could draw it again.
                self._begin(boots.draw(known, now, is_first=True))
        except BaseException:
            card.close()
            raise

    def _begin(self, boot: int) -> None:
        self.boot = boot
        if self._card.is_makeshift:
            # Numbers that the real database, not readable now, cannot have given.
            self._last_number = max(self._last_number, boot << 20)
        self._last_mark = self._moment()
        self._changes += self._about_boot()
        self.fold()
        if self._card.waiting:
            self.flush()

    # --- the card ------------------------------------------------------------------------

    @property
    def state(self) -> str:
        """ "ok", "full", "read-only" or "damaged" (in this start, and salvaged)."""
        return self._card.state

    @property
    def buffered(self) -> int:
        """Readings not yet durable."""
        with self._lock:
            return len(self._fresh) + self._card.unwritten

    def flush(self) -> int:
        """Make everything durable with one flush of the card; the highest durable serial."""
        with self._lock:
            self._hand_over()
            self._card.flush()
            return self._settled()

    def fold(self) -> int:
        """Move everything into the database in one transaction; how many readings that were."""
        with self._lock:
            self._hand_over()
            count = self._card.fold()
            self._settled()
            return count

    def tend(self) -> bool:
        """One bounded step of making means and deleting what is old; True if more is to do.

        Each fold does one, too. A step is one transaction.
        """
        with self._lock:
            if self._card.is_behind:
                self._card.tend()
                self._report()
            return self._card.is_behind

    def doubt_clock(self, first: int, last: int, ahead_s: float, until_s: float) -> None:
        """The clock that was trusted from one serial to another was so far ahead of the right one.

        Call it when the right one has been set. ``until_s``: the monotonic time at which the
        wrong one was last seen. What it has dated is corrected from now on (``doubting``).
        """
        ahead_ms, until_ms = round(ahead_s * 1000), round(until_s * 1000)
        with self._lock:
            self.mark_clock()
            # Whatever rides in the journal first: what follows asks the tables.
            self.fold()
            query, now = self._card.query, self._moment()
            right_ms = now[2] - now[1]
            last = doubting.last_wrong(query, last, ahead_ms, right_ms)
            marks = doubting.moved_marks(query, first, last, ahead_ms, right_ms, until_ms)
            self._changes += [("clock_mark", mark) for mark in marks]
            self._changes.append((doubting.CHANGE, [first, last, ahead_ms]))
            self.fold()

    def keep_for(self, publishers: Collection[str]) -> None:
        """Readings stay until these have confirmed them, or the disk limit is reached."""
        self._card.publishers = frozenset(publishers)

    def is_fold_due(self) -> bool:
        return self._clock.monotonic() - self._card.folded_at >= self._settings.fold_s

    def _hand_over(self) -> None:
        if self._fresh or self._changes:
            if self._fresh and not self._card.frames:
                # The first frame after a fold names the series, so that the journal can be
                # understood without the database.
                named = [("series", [n, *series]) for n, series in self._series.items()]
                self._changes = named + [c for c in self._changes if c[0] != "series"]
            self._card.put(self._fresh, self._changes)
            self._fresh, self._changes = [], []

    def _settled(self) -> int:
        if not self._card.waiting:
            self.stored_serial = max(self.stored_serial, self.newest_serial)
        self._report()
        return self.stored_serial

    # --- readings ------------------------------------------------------------------------

    def add(self, sensor: str, measurements: Sequence[Measurement]) -> list[Reading]:
        """Stamp and take in one read's measurements; in memory until the next flush.

        Raises:
            SensorGarbled: a value is no finite number; nothing of the read is taken in.
        """
        for quantity, value, raw, _, _ in measurements:
            if not math.isfinite(value) or not (raw is None or math.isfinite(raw)):
                raise SensorGarbled(
                    f"{sensor}/{quantity.value}: {value!r} is not a number",
                    hint="The driver should have said so itself; please report it.",
                )
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
                        packing.shortened(reason),
                        trusted,
                    )
                )
            self._fresh += added
            if added:
                self.newest_serial = added[-1].serial
            return added

    def _series_number(self, sensor: str, quantity: str) -> int:
        """Made of the name, so that a journal that outlives its database still means the same."""
        series = Series(sensor, quantity)
        number = self._numbers.get(series)
        if number is None:
            number = crc32(str(series).encode()) >> 8
            while number in self._series:
                number = (number + 1) % (1 << 24)
            self._series[number] = series
            self._numbers[series] = number
            self._changes.append(("series", [number, sensor, quantity]))
        return number

    def after(
        self, position: int, limit: int, until: int | None = None, *, brief: bool = False
    ) -> Batch:
        """Readings with position < serial <= until, oldest first, the newest included.

        ``brief``: rows may stop after ``value`` (see Batch).
        """
        end = END if until is None else until
        with self._lock:
            rows: list[Row] = []
            frames = self._card.frames
            if position < self._newest_folded(frames):
                fetch = queries.brief_rows if brief else queries.stored_rows
                rows = fetch(self._card.query, position, limit, end)
            queries.append_rows(rows, frames, position, limit, end)
            for row in self._fresh:
                if len(rows) >= limit or row[0] > end:
                    break
                if row[0] > position:
                    rows.append(row)
            return Batch(self._box, queries.Names(self._series), rows)

    def _newest_folded(self, frames: Sequence[Frame]) -> int:
        """No reading in the database lies above this serial."""
        for frame in frames:
            if frame.first:
                return frame.first - 1
        return self._fresh[0].serial - 1 if self._fresh else self.newest_serial

    def count_after(self, position: int, until: int | None = None) -> int:
        """How many readings ``after`` would give without a limit; cheap, also with a backlog."""
        end = END if until is None else until
        with self._lock:
            return (
                self._card.counter.between(position, end)
                + queries.count_in(self._card.frames, position, end)
                + sum(position < row[0] <= end for row in self._fresh)
            )

    # --- the end -------------------------------------------------------------------------

    def close(self) -> None:
        """Flush and let go. Idempotent."""
        with self._lock:
            if not self._is_closed:
                self._is_closed = True
                try:
                    self.flush()
                finally:
                    self._card.close()
