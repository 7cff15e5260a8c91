"""What may leave the box: asked for every reading on its way out, by every publisher's worker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kiezbox.clock import Clock
from kiezbox.model import Batch, Series
from kiezbox.privacy import PORTAL
from kiezbox.settings import PUBLIC_PLACES
from kiezbox.store.consents import ConsentFile

__all__ = ["Privacy"]


class Privacy:
    """For all publishers of a node. Thread-safe as long as each has one of its own (``of``)."""

    def __init__(self, sensors: Mapping[str, Mapping[str, Any]], path: str, clock: Clock) -> None:
        """``sensors``: the tables of kiezbox.toml; ``path``: of the ledger."""
        self._public = frozenset(
            name for name, table in sensors.items() if table.get("where") in PUBLIC_PLACES
        )
        self._path = path
        self._clock = clock

    def of(self, recipient: str) -> Filter:
        """The filter of one publisher, by its name in kiezbox.toml."""
        return Filter(self._public, ConsentFile(self._path), recipient, self._clock)

    def portal(self) -> Filter:
        """That of the box's own public pages."""
        return self.of(PORTAL)


class Filter:
    """For one recipient, in one thread."""

    def __init__(
        self, public: frozenset[str], ledger: ConsentFile, recipient: str, clock: Clock
    ) -> None:
        self._public = public
        self._ledger = ledger
        self._recipient = recipient
        self._clock = clock

    def allows(self, series: Series, taken_at: float) -> bool:
        """Whether this reading may go out now."""
        if series.sensor in self._public:
            return True
        consents = self._ledger.read()
        now = self._clock.now()
        return consents.covers(series.sensor, series.quantity, self._recipient, taken_at, now)

    def passed(self, batch: Batch) -> Batch:
        """The batch without what may not go; itself if all of it may."""
        private = {
            number for number, series in batch.series.items() if series.sensor not in self._public
        }
        if not private:
            return batch
        kept = [
            row
            for row in batch.readings
            if row[1] not in private or self.allows(batch.series[row[1]], row[2] / 1000)
        ]
        return batch if len(kept) == len(batch.readings) else Batch(batch.box, batch.series, kept)
