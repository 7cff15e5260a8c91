"""What is true just now, picked from a batch: for carriers of the latest values
(``publishers.Latest``).
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any, NamedTuple

from kiezbox.clock import Clock
from kiezbox.model import Batch, Flag, Reading, Series
from kiezbox.publishers import SUMMED
from kiezbox.quality import SUFFIX
from kiezbox.sparing import SPARING

__all__ = ["Newest", "Value"]

#: Seconds between two readings of a sensor of which nobody said its interval (the default of
#: ``interval_s``).
INTERVAL_S = 60.0


class Value(NamedTuple):
    """The newest good reading of a series. Of what is ``SUMMED``, ``value`` is the sum of all good
    ones since this start; a lower one than before means that it began again.

    ``taken_s`` is when it was measured on the monotonic clock, so that no step of the wall clock
    makes it older or younger.
    """

    value: float
    taken_at: float
    taken_s: float
    serial: int


class Newest:
    """Knows how old a sensor's reading may be, and what may leave the box. For one thread."""

    def __init__(self, clock: Clock, intervals: float) -> None:
        """A reading is too old after so many ``intervals`` of its sensor."""
        self._clock = clock
        self._intervals = intervals
        self._sensors: Mapping[str, Any] | None = None
        self._is_saving = False
        self._sums: dict[Series, float] = {}
        self._counted: dict[Series, int] = {}

    def announced(self, kind: str, document: Mapping[str, Any]) -> bool:
        """Heed what ``announce`` was called with: which sensors there are, and whether this mode
        reads them at another pace than the one before: True if it does.
        """
        was_saving = self._is_saving
        if kind == "sensors":
            self._sensors = document["sensors"]
        elif kind == "state":
            self._is_saving = (document.get("mode") or {}).get("name") in SPARING
        return self._is_saving != was_saving

    def interval_s(self, sensor: str) -> float:
        """Between two readings of this sensor."""
        # A corrected series (roof_corrected) is its sensor's.
        told = (self._sensors or {}).get(sensor.removesuffix(SUFFIX)) or {}
        interval_s = float(told.get("interval_s", INTERVAL_S))
        return float(told.get("saving_interval_s", interval_s)) if self._is_saving else interval_s

    def limit_s(self, sensor: str) -> float:
        """Seconds after which its reading is too old."""
        return self._intervals * self.interval_s(sensor)

    def is_told(self, series: Series) -> bool:
        """Whether it may leave the box as far as we were told; nobody told us: whatever was
        handed over may.
        """
        if self._sensors is None:
            return True
        told = self._sensors.get(series.sensor.removesuffix(SUFFIX))
        if told is None:
            return False
        quantities = told.get("quantities")
        return quantities is None or series.quantity in quantities

    def is_fresh(self, series: Series, value: Value) -> bool:
        return self._clock.monotonic() - value.taken_s <= self.limit_s(series.sensor)

    def take(self, batch: Batch) -> dict[Series, Value]:
        """The newest good reading of each series that is not too old."""
        found: dict[Series, Value] = {}
        now, up = self._clock.now(), self._clock.monotonic()
        for reading in batch:
            series = batch.series[reading.series]
            if reading.flag != Flag.GOOD or not isfinite(reading.value):
                continue
            value = self._value(series, reading)
            known = found.get(series)
            if known is not None and known.serial > reading.serial:
                continue
            age_s = max(0.0, now - reading.taken_at)
            found[series] = Value(value, reading.taken_at, up - age_s, reading.serial)
        return {
            series: value
            for series, value in found.items()
            if self.is_told(series) and self.is_fresh(series, value)
        }

    def _value(self, series: Series, reading: Reading) -> float:
        if series.quantity not in SUMMED:
            return float(reading.value)
        # A batch may come twice; each reading counts once.
        if reading.serial > self._counted.get(series, 0):
            self._counted[series] = reading.serial
            self._sums[series] = self._sums.get(series, 0.0) + reading.value
        return self._sums.get(series, 0.0)
