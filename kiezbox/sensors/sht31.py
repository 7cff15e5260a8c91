"""SHT31: also SHT30 and SHT35: temperature and relative humidity. I²C address 0x44 or 0x45.

Wiring (Raspberry Pi header): VIN to 3.3 V (pin 1), GND to pin 6, SDA to pin 3, SCL to pin 5.
Address: ADR to GND or left open (boards pull it down) gives 0x44, to VIN 0x45. [3]
Supply: 2.15 to 5.5 V; VIN decides the level of SDA and SCL, so 3.3 V on a Pi. [2]
Current: 0.6 mA while it measures (13 ms), below 1 µA asleep.
Pull-ups: the Pi has 1.8 kΩ on pins 3 and 5; nothing to add. On a long cable (as the "outdoor"
SHT31 in a metal cap has it) use a slower bus (`dtparam=i2c_arm_baudrate=10000`).
Place: shade, free air, away from the Pi. Measured once per read it does not warm itself (the
sheet warns of its ten-a-second mode [4.5]); a warm box does.

Pitfalls: in fog and after rain a wet chip reads 100 % until it has dried. Its heater is for tests
and warms the reading by some degrees [4.10]; it is switched off when the sensor is opened. An
SHT40 and an HDC302x have the same address; the first takes no command of this driver, which says
so, the second the same ones, and is read rightly. Outside -40 to 125 °C values are flagged; a word
of only zeros or ones is no measurement ("raw-sentinel").
Every word has a checksum [4.12], so a disturbed line ends in an error and never in a value.
Package: adafruit-circuitpython-sht31d, unchanged; asked here so that both values are of one
measurement, where its properties would measure twice.
Source: Sensirion, data sheet SHT3x-DIS, version 5 (May 2018); sections in square brackets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from adafruit_sht31d import SHT31D

from kiezbox.hardware import SensorHardware
from kiezbox.model import Measurement, Quantity
from kiezbox.sensors._border import translated
from kiezbox.sensors._i2c import address_setting, wiring_hint
from kiezbox.sensors._sensirion import climate, introduced
from kiezbox.settings import SensorSettings

__all__ = ["QUANTITIES", "Settings", "Sht31", "open"]

QUANTITIES = (Quantity.TEMPERATURE_C, Quantity.HUMIDITY_PERCENT)

#: What the chip can do [1, tables 1 and 2].
LEAST_C, MOST_C = -40.0, 125.0

HINT = wiring_hint("VIN (3.3 V)")
STRANGER_HINT = (
    'An SHT40, SHT41 or SHT45 has the same address: then it is driver = "sht4x". If it is an'
    " SHT31, one of SDA (pin 3) and SCL (pin 5) has a bad contact."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(SensorSettings):
    """``[sensors.NAME]`` with ``driver = "sht31"``."""

    address: int = address_setting(0x44, range(0x44, 0x46))


class Sht31:
    """An open SHT31."""

    def __init__(self, settings: Settings, hardware: SensorHardware) -> None:
        self._part = f"the SHT31 at 0x{settings.address:02x}"
        bus = hardware.i2c()
        with (
            translated(self._part, HINT),
            introduced(bus, settings.address, "SHT31", STRANGER_HINT),
        ):
            # Breaks off a periodic mode and resets it, which also ends a heater left on.
            self._chip = SHT31D(bus, settings.address)

    def read(self) -> Sequence[Measurement]:
        with translated(self._part, HINT):
            # Not the properties: each of them measures anew.
            celsius, percent = self._chip._read()
        return climate(celsius, percent, LEAST_C, MOST_C)

    def close(self) -> None:
        """Nothing to give back: the bus is shared, and the chip sleeps by itself."""


def open(settings: Settings, hardware: SensorHardware) -> Sht31:
    """The sensor, ready to read.

    Raises:
        SensorMissing: nobody answers at the address.
        SensorGarbled: another chip.
    """
    return Sht31(settings, hardware)
