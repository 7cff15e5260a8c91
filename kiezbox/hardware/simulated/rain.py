"""A simulated tipping-bucket gauge: a reed contact that closes for a moment at each tip.

Modelled: the contact, its bounce, a bucket that stops under the magnet, wind. Not modelled: water,
and that a bucket loses some in heavy rain. No sheet gives the bounce; it is what users of such
gauges show on oscilloscopes (a few closures within 5 ms).
"""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["FAULTS", "SimulatedRain"]

FAULTS = {
    "bounce": "each closing is five, within some milliseconds",
    "shaken": "wind tips the bucket five times a second",
    "stuck_closed": "the bucket has stopped half-way, the magnet before the contact",
}

#: How long the contact is closed, and the shortest time between two tips of real rain, seconds.
CLOSED_S, APART_S, SHAKEN_APART_S, BOUNCE_S = 0.12, 1.5, 0.2, 0.001
#: A bucket that stopped has stood there for a while before anybody asks.
STUCK_S = 10.0


class SimulatedRain:
    FAULTS = FAULTS

    def __init__(
        self, sleep: Callable[[float], object] = time.sleep, mm_per_tip: float = 0.2794
    ) -> None:
        """``sleep`` lets time pass between two changes of the line."""
        self._sleep = sleep
        self._mm_per_tip = mm_per_tip
        self._fault: str | None = None
        self._drive: Callable[[bool], object] = lambda high: None

    def connect(self, drive: Callable[[bool], object]) -> None:
        """``drive(high)`` sets the line; the box's resistor holds it high."""
        self._drive = drive
        drive(True)

    @property
    def fault(self) -> str | None:
        return self._fault

    @fault.setter
    def fault(self, kind: str | None) -> None:
        self._fault = kind
        self._drive(kind != "stuck_closed")
        self._sleep(STUCK_S if kind == "stuck_closed" else APART_S)

    def fall(self, mm: float) -> None:
        """So much rain, as whole tips."""
        for _ in range(round(mm / self._mm_per_tip)):
            self.tip()

    def tip(self) -> None:
        """One tip, and the pause after it."""
        if self._fault == "stuck_closed":
            return
        for _ in range(4 if self._fault == "bounce" else 0):
            self._drive(False)
            self._sleep(BOUNCE_S)
            self._drive(True)
            self._sleep(BOUNCE_S)
        self._drive(False)
        self._sleep(CLOSED_S)
        self._drive(True)
        self._sleep((SHAKEN_APART_S if self._fault == "shaken" else APART_S) - CLOSED_S)
