"""SHT4X: SHT40, SHT41, SHT45: temperature and relative humidity. I²C address 0x44, 0x45 or 0x46.

Wiring (Raspberry Pi header): VIN to 3.3 V (pin 1), GND to pin 6, SDA to pin 3, SCL to pin 5.
Address: printed on the chip's reel and not to be chosen: 0x44 nearly always (…-A…), 0x45 (…-B…)
or 0x46 (…-C…). [SHT4x: device overview]
Supply: 1.08 to 3.6 V for the bare chip, 5 V kills it; boards with a regulator take 5 V.
Current: 0.4 µA at one measurement a second, 80 nA asleep. [SHT4x: page 1]
Pull-ups: the Pi has 1.8 kΩ on pins 3 and 5; nothing to add.
Place: shade, free air, away from the Pi, the hole not painted over. For a damp flat hang it at
the wall that is worst, a hand's width from it. At these currents it does not warm itself; a warm
box does.

Pitfalls: in fog and after rain a wet chip reads 100 % until it has dried, which is true of the
air at the chip. Its heater (for drying it) is never used here: it would warm what is measured. An
SHT31 and an HDC302x have the same address and other commands; this driver says so. Outside -40 to
125 °C values are flagged; a word of only zeros or ones is no measurement ("raw-sentinel").
Every word has a checksum, so a disturbed line ends in an error and never in a value.
Package: adafruit-circuitpython-sht4x, unchanged; both values are of one measurement.
Source: Sensirion, data sheet SHT4x (versions of April 2022 and later; read as excerpts, and
through Sensirion's own driver sensirion-i2c-sht4x 1.1.0).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from adafruit_sht4x import SHT4x

from kiezbox.hardware import SensorHardware
from kiezbox.model import Measurement, Quantity
from kiezbox.sensors._border import translated
from kiezbox.sensors._i2c import address_setting, wiring_hint
from kiezbox.sensors._sensirion import climate, introduced
from kiezbox.settings import SensorSettings

__all__ = ["QUANTITIES", "Settings", "Sht4x", "open"]

QUANTITIES = (Quantity.TEMPERATURE_C, Quantity.HUMIDITY_PERCENT)

#: What the chip can do [SHT4x: 2.1 and 2.2].
LEAST_C, MOST_C = -40.0, 125.0

HINT = wiring_hint("VIN (3.3 V)")
STRANGER_HINT = (
    'An SHT30, SHT31 or SHT35 has the same address: then it is driver = "sht31". If it is an'
    " SHT4x, one of SDA (pin 3) and SCL (pin 5) has a bad contact."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(SensorSettings):
    """``[sensors.NAME]`` with ``driver = "sht4x"``."""

    address: int = address_setting(0x44, range(0x44, 0x47))


class Sht4x:
    """An open SHT4x."""

    def __init__(self, settings: Settings, hardware: SensorHardware) -> None:
        self._part = f"the SHT4x at 0x{settings.address:02x}"
        bus = hardware.i2c()
        with (
            translated(self._part, HINT),
            introduced(bus, settings.address, "SHT4x", STRANGER_HINT),
        ):
            # Resets it, which also ends a heater that somebody left on.
            self._chip = SHT4x(bus, settings.address)
            self._chip.serial_number  # noqa: B018 (its checksums are the proof of identity)

    def read(self) -> Sequence[Measurement]:
        with translated(self._part, HINT):
            celsius, percent = self._chip.measurements
        return climate(celsius, percent, LEAST_C, MOST_C)

    def close(self) -> None:
        """Nothing to give back: the bus is shared, and the chip sleeps by itself."""


def open(settings: Settings, hardware: SensorHardware) -> Sht4x:
    """The sensor, ready to read.

    Raises:
        SensorMissing: nobody answers at the address.
        SensorGarbled: another chip.
    """
    return Sht4x(settings, hardware)
