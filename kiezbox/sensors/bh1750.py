"""BH1750: brightness in lux, from a lit night to full sun. I²C address 0x23 or 0x5C.

Wiring (Raspberry Pi header): VCC to 3.3 V (pin 1), GND to pin 6, SDA to pin 3, SCL to pin 5.
Address: ADDR to GND or open gives 0x23, to VCC 0x5C.
Supply: 2.4 to 3.6 V for the bare chip; boards with a regulator (GY-302) take 5 V, and then their
pull-ups may lift SDA to 5 V, which kills the Pi: give them 3.3 V.
Current: 0.19 mA at most, all the time.
Place: under a clear or milky dome, level, out of the shadow of its own box. A dome takes some of
the light; the chip's own tolerance is ±20 %.

Range: two, chosen by itself. Up to 27,306 lx in steps of 0.42 lx; above, up to 121,557 lx in steps
of 1.9 lx (a summer's noon has 100,000). What is still more is flagged BAD with the reason
"overflow": the value is the end of the range.
Pitfalls: the chip has no id, no checksum and no register that reads back. So each read empties its
register first, and takes what does not become 0 for another chip, or for one that stands still;
then it measures anew. A register that is always 0 nobody can tell from a dark night: 0 lx by day
means look. Six readings must agree before one counts.
Package: adafruit-circuitpython-bh1750. It has no words for the measuring time, which widens the
range, and it waits 180 ms after each word of its own; so the words are sent from here, and it reads
and converts.
Source: Rohm, BH1750FVI technical note 2009.04 revision B and 11046EDT01: "Electrical
characteristics", "Instruction set", "Adjust measurement result for influence of optical window".
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from adafruit_bh1750 import BH1750, Resolution

from kiezbox.errors import SensorGarbled
from kiezbox.hardware import SensorHardware
from kiezbox.model import Flag, Measurement, Quantity
from kiezbox.sensors._border import translated
from kiezbox.sensors._i2c import address_setting, locked, wiring_hint
from kiezbox.settings import SensorSettings

__all__ = ["QUANTITIES", "Bh1750", "Settings", "open"]

QUANTITIES = (Quantity.ILLUMINANCE_LX,)

#: Counts at which the converter stands still, and counts of one lux at the usual measuring time
#: ("Electrical characteristics").
FULL_SCALE, COUNTS_PER_LX = 0xFFFF, 1.2
USUAL_TIME, SHORTEST_TIME = 69, 31
#: The longest conversion at the usual measuring time.
CONVERSION_S = 0.180
LOOK_S = 0.01
#: "Continuously H-Resolution Mode"; the resolution is in the two lowest bits.
POWER_DOWN, POWER_ON, RESET, CONTINUOUS = 0x00, 0x01, 0x07, 0x10
#: Out of the bright range again, so far below the fine range's end that a cloud's edge changes
#: nothing.
DIM_LX = 20_000.0
#: A flipped bit hits the same one of 16 twice in a row once in 16 times; six times in a row, once
#: in a million.
READINGS = 6

HINT = wiring_hint("VCC (3.3 V)")


class _Range(NamedTuple):
    resolution: int
    measuring_time: int

    @property
    def stretch(self) -> float:
        """What the package's lux are to be multiplied by; it knows the usual time only."""
        return USUAL_TIME / self.measuring_time

    @property
    def most_lx(self) -> float:
        halved = 2 if self.resolution == Resolution.HIGH else 1
        return FULL_SCALE / COUNTS_PER_LX / halved * self.stretch


FINE = _Range(Resolution.HIGH, USUAL_TIME)
BRIGHT = _Range(Resolution.MID, SHORTEST_TIME)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(SensorSettings):
    """``[sensors.NAME]`` with ``driver = "bh1750"``."""

    #: A range of just the two.
    address: int = address_setting(0x23, range(0x23, 0x5D, 0x39))


class _Chip(BH1750):  # type: ignore[misc]
    """The package's chip; what it is told, and when, is this driver's."""

    def initialize(self) -> None:
        """Two words and two waits, which ``Bh1750`` makes one of."""

    def assume(self, mode: int) -> None:
        """It has been told this mode; ``lux`` converts accordingly."""
        self._settings_byte = mode


class Bh1750:
    """An open BH1750."""

    def __init__(self, settings: Settings, hardware: SensorHardware) -> None:
        self._bus = hardware.i2c()
        self._address = settings.address
        self._part = f"the BH1750 at 0x{settings.address:02x}"
        self._range = FINE
        with translated(self._part, HINT):
            self._chip = _Chip(self._bus, settings.address)

    def read(self) -> Sequence[Measurement]:
        with translated(self._part, HINT):
            lux = self._measured(self._range)
            if self._range is FINE and lux >= FINE.most_lx:
                lux = self._measured(BRIGHT)
            elif self._range is BRIGHT and lux < DIM_LX:
                lux = self._measured(FINE)
        is_over = lux >= self._range.most_lx
        return (
            Measurement(
                Quantity.ILLUMINANCE_LX,
                round(lux, 2),
                None,
                Flag.BAD if is_over else Flag.GOOD,
                "overflow" if is_over else "",
            ),
        )

    def close(self) -> None:
        """Nothing to give back: the bus is shared, and the chip needs 0.2 mA."""

    def _measured(self, range_: _Range) -> float:
        """A conversion that was begun just now, in this range."""
        self._range = range_
        # "Reset" is not taken asleep, and a conversion that goes on would fill the register again.
        self._tell(POWER_DOWN, POWER_ON, RESET)
        if self._lux() != 0.0:
            raise SensorGarbled(
                f"what answers at 0x{self._address:02x} does not obey as a BH1750 does",
                hint="Another chip at this address, or one that is dead: exchange it.",
            )
        mode = CONTINUOUS | range_.resolution
        self._tell(0x40 | range_.measuring_time >> 5, 0x60 | range_.measuring_time & 0x1F, mode)
        self._chip.assume(mode)
        self._await_light()
        return self._lux()

    def _tell(self, *instructions: int) -> None:
        with locked(self._bus):
            for instruction in instructions:
                self._bus.writeto(self._address, bytes((instruction,)))

    def _await_light(self) -> None:
        """Return at the first value that is not 0; a 0 counts after a whole conversion only."""
        until = time.monotonic() + CONVERSION_S
        while self._chip.lux == 0.0 and time.monotonic() < until:
            time.sleep(LOOK_S)

    def _lux(self) -> float:
        """The last conversion's.

        Raises:
            SensorGarbled: it reads differently each time.
        """
        for _ in range(3):  # a conversion may end between two readings
            readings = {self._chip.lux for _ in range(READINGS)}
            if len(readings) == 1:
                return float(readings.pop()) * self._range.stretch
        raise SensorGarbled(
            f"{self._part} reads differently each time",
            hint="The line is disturbed: shorten the cable, keep it away from switching supplies,"
            " add pull-ups of 4.7 kΩ.",
        )


def open(settings: Settings, hardware: SensorHardware) -> Bh1750:
    """The sensor, ready to read.

    Raises:
        SensorMissing: nobody answers at the address.
    """
    return Bh1750(settings, hardware)
