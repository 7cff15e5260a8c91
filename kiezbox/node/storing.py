"""The store's own work: put what was added onto the card in time, fold the journal now and then."""

from __future__ import annotations

from kiezbox.clock import Clock
from kiezbox.settings import StoreSettings
from kiezbox.store import Store

#: Seconds between two steps of making means, as long as there is a backlog of them.
TEND_S = 1.0


class Storing:
    """The task of the store's worker. Vital: if it dies, so does the process."""

    def __init__(self, store: Store, settings: StoreSettings, clock: Clock) -> None:
        self._store = store
        self._flush_s = settings.flush_s
        self._clock = clock
        self._was_trusted = clock.is_trusted()
        self._offset_s = clock.now() - clock.monotonic()

    def step(self) -> float:
        self._watch_clock()
        self._store.flush()
        if self._store.is_fold_due():
            self._store.fold()
        # Much is to do only after an update or a salvage: a bounded step a second then.
        return min(TEND_S, self._flush_s) if self._store.tend() else self._flush_s

    def _watch_clock(self) -> None:
        """Note when the wall clock is set or jumps, so that older rows can be corrected."""
        is_trusted = self._clock.is_trusted()
        offset_s = self._clock.now() - self._clock.monotonic()
        # 2 s: NTP slews smaller errors away; what is larger was a jump.
        if is_trusted != self._was_trusted or abs(offset_s - self._offset_s) > 2.0:
            self._store.mark_clock()
            self._was_trusted = is_trusted
            self._offset_s = offset_s

    def interrupt(self) -> None:
        """No step takes long."""

    def close(self) -> None:
        """The node closes the store, after the last worker."""
