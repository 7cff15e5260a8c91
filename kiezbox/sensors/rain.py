"""RAIN: a tipping-bucket gauge, rain in millimetres. A contact on a GPIO pin.

Wiring (Raspberry Pi header): the gauge's two wires, in either order, to the pin you name in `pin`
(BCM number; 27 is header pin 13) and to GND (pin 14). Nothing else: the Pi's own resistor pulls the
line up, and the contact, a reed that a magnet on the bucket passes, pulls it down for a tenth of a
second at each tip. For more than 5 m of cable add 1 kΩ in line and 100 nF from the pin to GND, and
for a roof a lightning protector.
Supply: none.
Current: 66 µA while the contact is closed (3.3 V over 50 kΩ).
Place: free sky, twice as far from a wall as the wall is high; exactly level; no mast that sways.

Pitfalls: `mm_per_tip` is printed on the gauge or on its sheet: 0.2794 (Misol, Fine Offset, most
cheap ones, 0.011 inch), 0.2 (Davis, metric), 0.254 (Davis, inch), 0.1. Check it once: 100 ml poured
slowly into a funnel of 110 x 50 mm are 18.2 mm, 65 tips of 0.2794.
A clogged funnel and a torn wire look like a dry day; nothing at the box can tell, but neighbours
that measure rain can. A contact that stays closed (a bucket that stopped half-way, a squeezed
cable) is seen and is a fault.
Contacts bounce: a tip counts when the contact had been still for `bounce_s` before it closed. Two
tips that follow each other faster than the heaviest rain ever measured (31.2 mm in a minute) could
fill a bucket are the wind's: the second does not count, and the sum is flagged SUSPECT with the
reason "shaken" while `raw` has them all.
How it is read: between reads tips are counted as they come; a reading is the sum since the one
before. A read that fails takes nothing away, and the next has it all; a node that is started anew
loses what fell since its last reading, with `interval_s` = 60 less than a minute's rain.
Package: gpiozero and gpiod.
Source: the contact's time and bounce, Misol MS-WH-SP-RG and Davis 6466 as described by their users;
World Meteorological Organization, Weather and Climate Extremes Archive (Unionville, 4 July 1956).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gpiozero

from kiezbox.errors import SensorGarbled, SensorMissing
from kiezbox.hardware import SensorHardware
from kiezbox.model import Flag, Measurement, Quantity
from kiezbox.sensors._border import translated
from kiezbox.settings import SensorSettings, setting

__all__ = ["QUANTITIES", "Rain", "Settings", "Tips", "open"]

QUANTITIES = (Quantity.RAIN_MM,)

#: The heaviest minute ever measured on earth (see "Source").
MOST_MM_A_MINUTE = 31.2
#: A contact closed for so long, from one read to another, is no tip.
STUCK_S = 5.0

HINT = (
    "Look at `pin` (a BCM number, not the header's) and whether another program has the line:"
    " `gpioinfo`."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(SensorSettings):
    """``[sensors.NAME]`` with ``driver = "rain"``."""

    pin: int = setting(27, help="BCM number of the line.", least=0, most=53)
    mm_per_tip: float = setting(
        0.2794, help="Printed on the gauge or its sheet.", unit="mm", least=0.01, most=2
    )
    bounce_s: float = setting(
        0.05,
        help="The contact must have been still for so long before a tip counts.",
        unit="s",
        least=0.001,
        most=0.5,
    )


class Tips:
    """What fell since the last reading. Outlives the open sensor."""

    def __init__(self, bounce_s: float, shortest_s: float) -> None:
        """Times in seconds; see ``Settings.bounce_s``, ``MOST_MM_A_MINUTE``."""
        self._bounce_s = bounce_s
        self._shortest_s = shortest_s
        self._lock = threading.Lock()
        self._counted = self._shaken = 0
        self._moved_at = self._tipped_at = -float("inf")
        #: Changes of the contact so far.
        self.moves = 0

    def moved(self, is_closed: bool, at: float) -> None:
        """The contact closed or opened. ``at`` is monotonic."""
        with self._lock:
            self.moves += 1
            was_still = at - self._moved_at >= self._bounce_s
            self._moved_at = at
            if not is_closed or not was_still:
                return
            is_rain = at - self._tipped_at >= self._shortest_s
            self._tipped_at = at
            if is_rain:
                self._counted += 1
            else:
                self._shaken += 1

    def take(self) -> tuple[int, int]:
        """(tips that are rain, tips that are shaking) since it was last called."""
        with self._lock:
            taken = self._counted, self._shaken
            self._counted = self._shaken = 0
            return taken

    def still_s(self, now: float) -> float:
        """Since when the contact has not moved."""
        with self._lock:
            return now - self._moved_at


class Rain:
    """An open gauge."""

    def __init__(self, settings: Settings, hardware: SensorHardware) -> None:
        self._settings = settings
        self._part = f"the rain gauge at GPIO{settings.pin}"
        shortest_s = settings.mm_per_tip / MOST_MM_A_MINUTE * 60
        self.tips: Tips = hardware.kept.setdefault("tips", Tips(settings.bounce_s, shortest_s))
        self._closed_since: float | None = None
        self._opened_at = time.monotonic()
        with translated(self._part, HINT), _gpiozero(self._part):
            device = gpiozero.DigitalInputDevice(
                settings.pin, pull_up=True, pin_factory=hardware.pin_factory()
            )
        self._device: Any = device
        device.when_activated = lambda: self.tips.moved(True, time.monotonic())
        device.when_deactivated = lambda: self.tips.moved(False, time.monotonic())

    def read(self) -> Sequence[Measurement]:
        with translated(self._part, HINT):
            is_closed = bool(self._device.is_active)
        self._check(is_closed, time.monotonic())
        counted, shaken = self.tips.take()
        per_tip = self._settings.mm_per_tip
        value = round(counted * per_tip, 4)
        if not shaken:
            return (Measurement(Quantity.RAIN_MM, value),)
        raw = round((counted + shaken) * per_tip, 4)
        return (Measurement(Quantity.RAIN_MM, value, raw, Flag.SUSPECT, "shaken"),)

    def close(self) -> None:
        """Give the line back. What was counted stays for the next who opens it."""
        self._device.close()

    def _check(self, is_closed: bool, now: float) -> None:
        """Raises SensorGarbled when the contact has been closed for too long to be a tip."""
        if not is_closed:
            self._closed_since = None
            return
        if self._closed_since is None:
            # How long before this read, only the last movement says, if there was one.
            self._closed_since = max(now - self.tips.still_s(now), self._opened_at)
        if now - self._closed_since >= STUCK_S:
            raise SensorGarbled(
                f"{self._part}: its contact stays closed",
                hint="The bucket has stopped half-way, or the two wires touch: tip it by hand,"
                " look at the cable.",
            )


class _gpiozero:
    """gpiozero's own errors (a line in use by us, a pin that is none) as a SensorError."""

    def __init__(self, part: str) -> None:
        self._part = part

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, gpiozero.GPIOZeroError):
            raise SensorMissing(f"{self._part}: {error}", hint=HINT) from error


def open(settings: Settings, hardware: SensorHardware) -> Rain:
    """The gauge, counting from now on.

    Raises:
        SensorMissing: no such chip or line.
        SensorError: somebody else has the line.
    """
    return Rain(settings, hardware)
