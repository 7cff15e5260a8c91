"""The simulated rain gauge for the contract suite. Whole tips: no tolerance.

A gauge measures what happens between two reads, so it is opened before anything falls. Its time
passes when the twin lets it, and the twin goes on when the box has heard of the last change.
"""

from __future__ import annotations

import time
from typing import Any

from contracts.haste import Watch

from kiezbox.hardware.simulated.rain import SimulatedRain
from kiezbox.model import Measurement, Quantity
from kiezbox.sensors import rain

MM = Quantity.RAIN_MM

PIN = 27
SETTINGS: dict[str, object] = {}
WORLDS: tuple[dict[Quantity, float], ...] = ({MM: 1.3970}, {MM: 0.5588}, {MM: 0.0})
TOLERANCE = {MM: 0.0}
#: A bucket that bounces is counted right; one that is shaken or stopped has measured nothing yet.
HARMLESS_ONCE_OPEN = {"bounce"}
HARMLESS = {"bounce", "shaken", "stuck_closed"}


class _Gauge(SimulatedRain):
    """Counts its changes, and lets time pass when the box has heard of them."""

    def __init__(self) -> None:
        super().__init__(self._pause)
        self.watch = Watch()
        setattr(rain, "time", self.watch)  # noqa: B010  mypy would want it exported
        self.wired: Any = None
        self._level = True

    def connect(self, drive: Any) -> None:
        def driven(high: bool) -> None:
            before = self._heard()
            is_change, self._level = high != self._level, high
            drive(high)
            if before is None or not is_change:
                return
            until = time.monotonic() + 5.0
            while self._heard() == before and time.monotonic() < until:
                time.sleep(0.0002)

        super().connect(driven)

    def _pause(self, seconds: float) -> None:
        self.watch.sleep(seconds)

    def _heard(self) -> int | None:
        """Changes that the open sensor knows of; None: nobody listens."""
        sensor = self.wired and self.wired.reader.sensor
        if not sensor or self.wired.bench.pins.is_gone(PIN):
            return None
        return int(sensor.tips.moves)


make = _Gauge


def show(part: _Gauge, world: dict[Quantity, float]) -> None:
    part.fall(world[MM])


def prepare(wired: Any) -> None:
    wired.part.wired = wired
    wired.reader.read()


def is_true(world: dict[Quantity, float], one: Measurement) -> bool:
    """What fell, or nothing: it may have fallen while nobody listened, or was told already; or one
    tip, of the bucket that stopped half-way and so did tip."""
    return one.value in (world[MM], 0.0, 0.2794)
