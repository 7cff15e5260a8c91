"""The newest value of every series: the one thing workers share besides the store."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

from kiezbox.model import Flag, Reading


class Latest:
    """Thread-safe. ``on_change`` is called after every update, from the updating thread."""

    def __init__(self, on_change: Callable[[], None]) -> None:
        self._lock = threading.Lock()
        self._readings: dict[str, Reading] = {}
        self._on_change = on_change

    def update(self, sensor: str, quantities: Iterable[str], readings: Iterable[Reading]) -> None:
        """What a sensor said just now, one reading per quantity."""
        with self._lock:
            for quantity, reading in zip(quantities, readings, strict=True):
                self._readings[f"{sensor}/{quantity}"] = reading
        self._on_change()

    def forget(self, sensor: str) -> None:
        """The sensor has failed: its last values are no longer what is true now."""
        with self._lock:
            for name in [name for name in self._readings if name.startswith(f"{sensor}/")]:
                del self._readings[name]
        self._on_change()

    def snapshot(self) -> dict[str, Reading]:
        """A copy: {"roof/temperature_c": reading}."""
        with self._lock:
            return dict(self._readings)

    def good(self, series: str) -> Reading | None:
        """The newest reading of a series, if there is one and it is good."""
        with self._lock:
            reading = self._readings.get(series)
        return reading if reading is not None and reading.flag == Flag.GOOD else None
