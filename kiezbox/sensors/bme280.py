"""BME280: temperature, relative humidity and air pressure. I²C address 0x76 or 0x77.

Wiring (Raspberry Pi header): VCC to 3.3 V (pin 1), GND to pin 6, SDA to pin 3, SCL to pin 5.
Address: SDO to GND gives 0x76 (most cheap boards), SDO to VDDIO gives 0x77 (Adafruit's); SDO
left open gives neither reliably. CSB goes to VDDIO, or the chip may wake up in SPI mode. A board
with four pins has settled both. [6.2, 7.2]
Supply: 1.71 to 3.6 V; 5 V kills the bare chip, boards with a regulator take it. [1.1]
Current: 3.6 µA at one measurement a second, 0.1 µA asleep: measured in forced mode, it sleeps
between two reads. [1.1]
Pull-ups: the Pi has 1.8 kΩ on pins 3 and 5, and most boards bring 10 kΩ; nothing to add. More
than a metre of cable wants a slower bus (`dtparam=i2c_arm_baudrate=10000`).
Place: shade, free air, away from the Pi: it measures its own temperature, and a warm box reads
3 to 5 K too much and too dry. Keep the hole free of glue and flux. Outside -40 to 85 °C and 300
to 1100 hPa values are flagged. [1.2, 1.3, 1.4]

Pitfalls: a BMP280 is often sold as a BME280 (no humidity; its id is 0x58, this driver says so).
A chip that was reset answers with plausible numbers, 26 °C and 820 hPa: such codes are flagged
BAD with the reason "raw-sentinel", all three values of that moment. A true value can hit one of
these codes by chance; then one reading is flagged, and nothing wrong goes out.
The data have no checksum, so every register is read until two readings agree.
Package: adafruit-circuitpython-bme280, unchanged; it does one conversion per read here, and not
one per value.
Source: Bosch Sensortec, BST-BME280-DS002 revision 1.6; sections in square brackets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from adafruit_bme280 import basic

from kiezbox.errors import SensorGarbled, SensorTimeout
from kiezbox.hardware import SensorHardware
from kiezbox.model import Measurement, Quantity
from kiezbox.sensors._border import translated
from kiezbox.sensors._bosch import CLIMATE, check_id, judged
from kiezbox.sensors._i2c import Doubted, Registers, address_setting, wiring_hint
from kiezbox.settings import SensorSettings

__all__ = ["QUANTITIES", "Bme280", "Settings", "open"]

QUANTITIES = CLIMATE

TRIMMING, STATUS, CTRL_MEAS, DATA = 0x88, 0xF3, 0xF4, 0xF7
DATA_LENGTH = 8
MEASURING = 0x08
#: So often the status may say "measuring". The Adafruit driver asks every 2 ms and a conversion
#: takes at most 113 ms, with all oversampling at 16 [9.1]; without an end it would ask for ever.
MOST_POLLS = 250

#: Steps of the chip: 0.005 K, 0.008 %, 0.0018 hPa at our oversampling [1.2 to 1.4, 3.4]. More
#: digits would be noise that every message carries.
DECIMALS = 3

HINT = wiring_hint("VCC (3.3 V)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(SensorSettings):
    """``[sensors.NAME]`` with ``driver = "bme280"``."""

    address: int = address_setting(0x76, range(0x76, 0x78))


class _OneConversion(Registers):
    """The chip's registers, standing still once a conversion was fetched.

    The Adafruit driver starts a conversion for each value it is asked for. Here the first value
    fetches all data registers in one burst, as the sheet wants it [4]; the other values are
    computed from that, and their conversions never reach the bus.
    """

    held: bytearray | None = None
    _polls = 0

    def forget(self) -> None:
        """The next value is a new conversion's."""
        self.held = None
        self._polls = 0

    def read_register(self, register: int, length: int) -> bytearray:
        if register == STATUS:
            return self._status()
        if not DATA <= register < DATA + DATA_LENGTH:
            return super().read_register(register, length)
        if self.held is None:
            self.held = super().read_register(DATA, DATA_LENGTH)
        return self.held[register - DATA : register - DATA + length]

    def write_register_byte(self, register: int, value: int) -> None:
        if self.held is None:
            super().write_register_byte(register, value)

    def _status(self) -> bytearray:
        if self.held is not None:
            return bytearray(1)
        self._polls += 1
        if self._polls > MOST_POLLS:
            raise SensorTimeout(
                f"the BME280 at 0x{self.address:02x} never finishes measuring", hint=HINT
            )
        return super().read_register(STATUS, 1)


class Bme280:
    """An open BME280."""

    def __init__(self, settings: Settings, hardware: SensorHardware) -> None:
        self._registers = _OneConversion(Doubted(hardware.i2c()), settings.address)
        self._part = f"the BME280 at 0x{settings.address:02x}"
        with translated(self._part, HINT):
            self._start()

    def read(self) -> Sequence[Measurement]:
        with translated(self._part, HINT):
            self._registers.forget()
            check_id(self._registers, "BME280")
            # The driver leaves its settings in this register; zero is the reset state [5.3]. A
            # chip that was reset, or another one plugged in, has other trimming values.
            if not self._registers.read_register(CTRL_MEAS, 1)[0]:
                self._start()
            values = {
                Quantity.TEMPERATURE_C: round(float(self._chip.temperature), DECIMALS),
                Quantity.HUMIDITY_PERCENT: round(float(self._chip.relative_humidity), DECIMALS),
                Quantity.PRESSURE_HPA: round(float(self._chip.pressure), DECIMALS),
            }
        assert self._registers.held is not None
        if not all(map(isfinite, values.values())):
            raise SensorGarbled(f"{self._part} answers nonsense", hint=HINT)
        return judged(values, bytes(self._registers.held))

    def close(self) -> None:
        """Nothing to give back: the bus is shared, and the chip sleeps by itself."""

    def _start(self) -> None:
        """Reset the chip, read its trimming values, make its settings (the Adafruit driver)."""
        check_id(self._registers, "BME280")
        self._chip = basic.Adafruit_BME280(self._registers)
        trimming = self._registers.read_register(TRIMMING, 24)
        if not any(trimming) or all(byte == 0xFF for byte in trimming):
            raise SensorGarbled(
                f"{self._part} has no trimming values",
                hint="It would read 0.0 °C for ever. Cut its supply once; if it stays so, the"
                " chip is broken.",
            )


def open(settings: Settings, hardware: SensorHardware) -> Bme280:
    """The sensor, ready to read.

    Raises:
        SensorMissing: nobody answers at the address.
        SensorGarbled: another chip, or one without trimming values.
    """
    return Bme280(settings, hardware)
