"""What may leave the box: asked for every reading on its way out, by every publisher's worker."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from kiezbox import sensors as drivers
from kiezbox.clock import Clock
from kiezbox.errors import StoreError
from kiezbox.model import Batch, Series
from kiezbox.privacy.consent import EVERYTHING
from kiezbox.privacy.shown import Shown, shown_of
from kiezbox.quality import SUFFIX
from kiezbox.settings import PUBLIC_PLACES
from kiezbox.store.consents import ConsentFile, keep_shown

log = logging.getLogger("kiezbox")

__all__ = ["Filter", "Privacy", "public_sensors"]


def public_sensors(sensors: Mapping[str, Mapping[str, Any]]) -> frozenset[str]:
    """Those whose readings are nobody's private life, of kiezbox.toml's tables."""
    public = {name for name, table in sensors.items() if table.get("where") in PUBLIC_PLACES}
    return frozenset(public | {name + SUFFIX for name in public})


class Privacy:
    """For all publishers of a node. Thread-safe as long as each has one of its own (``of``)."""

    def __init__(self, sensors: Mapping[str, Mapping[str, Any]], path: str, clock: Clock) -> None:
        """``sensors``: the tables of kiezbox.toml; ``path``: of the ledger."""
        self._sensors = sensors
        self._public = public_sensors(sensors)
        self._path = path
        self._ledger = ConsentFile(path)
        self._shown: Shown | None = None
        self._clock = clock

    def of(self, recipient: str) -> Filter:
        """The filter of one publisher, by its name in kiezbox.toml."""
        ledger = ConsentFile(self._path)
        return Filter(self._public, ledger, recipient, self._clock, self._sensors)

    def tell_the_portal(self) -> None:
        """Keep the table of what the public pages may show; written only if it is another one."""
        shown = shown_of(self._public, self._ledger.read(), self._clock.now())
        if shown != self._shown:
            try:
                keep_shown(self._path, shown)
            except StoreError as error:
                # Tried again with the next now.json, which comes within a minute.
                log.warning("privacy: %s", error)
            else:
                self._shown = shown


class Filter:
    """For one recipient, in one thread."""

    def __init__(
        self,
        public: frozenset[str],
        ledger: ConsentFile,
        recipient: str,
        clock: Clock,
        sensors: Mapping[str, Mapping[str, Any]],
    ) -> None:
        self._sensors = sensors
        self._intervals: dict[str, dict[str, float]] = {}
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
        # A corrected series (bedroom_corrected) says what its sensor's own says.
        sensor = series.sensor.removesuffix(SUFFIX)
        return consents.covers(sensor, series.quantity, self._recipient, taken_at, now)

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

    def told(self) -> dict[str, Any]:
        """What a publisher is told as "sensors": of each whose readings may go out now, how often
        it is read, and which of its quantities (None: all).
        """
        consents, now = self._ledger.read(), self._clock.now()
        holding = [] if consents.is_damaged else consents.holding(now)
        quantities: dict[str, set[str]] = {}
        for each in holding:
            if each.recipient == self._recipient:
                quantities.setdefault(each.sensor, set()).update(each.quantities)
        found: dict[str, Any] = {}
        for name in self._sensors:
            agreed = {EVERYTHING} if name in self._public else quantities.get(name)
            if agreed:
                found[name] = {
                    **self._intervals_of(name),
                    "quantities": None if EVERYTHING in agreed else sorted(agreed),
                }
        return {"sensors": found}

    def _intervals_of(self, name: str) -> dict[str, float]:
        """Its ``interval_s``, and in mode saving its ``saving_interval_s`` where that is longer."""
        if name not in self._intervals:
            table = self._sensors[name]
            kind = drivers.load(str(table.get("driver") or name)).Settings
            known: dict[str, Any] = {field.name: field.default for field in fields(kind)}
            known.update(table)
            found = {"interval_s": float(known["interval_s"])}
            # 0: it is not read then.
            saving_s = float(known.get("saving_interval_s", 0))
            if saving_s > found["interval_s"]:
                found["saving_interval_s"] = saving_s
            self._intervals[name] = found
        return self._intervals[name]
