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
from kiezbox.model import Flag, Measurement, Quantity
from kiezbox.sensors._border import translated
from kiezbox.sensors._i2c import Doubted, Registers, address_setting, wiring_hint
from kiezbox.settings import SensorSettings

__all__ = ["QUANTITIES", "Bme280", "Settings", "open"]

QUANTITIES = (Quantity.TEMPERATURE_C, Quantity.HUMIDITY_PERCENT, Quantity.PRESSURE_HPA)

#: What the chip is specified for [1.2 to 1.4]; beyond, it is guessing. The Adafruit driver cuts
#: humidity to 0 and 100: fog is 100, but 0 comes from a wrong code or wrong trimming values.
RANGES = {
    Quantity.TEMPERATURE_C: (-40.0, 85.0),
    Quantity.HUMIDITY_PERCENT: (0.1, 100.0),
    Quantity.PRESSURE_HPA: (300.0, 1100.0),
}

#: Chip id -> what it is. 0x58: BST-BMP280-DS001 4.3.1; 0x55 and 0x61: the BMP180's and the
#: BME680's sheet, register "id".
CHIPS = {0x60: "BME280", 0x58: "BMP280", 0x56: "BMP280", 0x57: "BMP280", 0x55: "BMP180",
         0x61: "BME680"}  # fmt: skip

TRIMMING, ID, STATUS, CTRL_MEAS, DATA = 0x88, 0xD0, 0xF3, 0xF4, 0xF7
DATA_LENGTH = 8
MEASURING = 0x08
#: So often the status may say "measuring". The Adafruit driver asks every 2 ms and a conversion
#: takes at most 113 ms, with all oversampling at 16 [9.1]; without an end it would ask for ever.
MOST_POLLS = 250

#: Codes that are no measurement: skipped [5.4.3, 5.4.5], and all bits equal, at 16 and 20 bits.
NO_20_BITS = frozenset((0x80000, 0x00000, 0xFFFF0, 0xFFFFF))
NO_16_BITS = frozenset((0x8000, 0x0000, 0xFFFF))

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
            self._check_id()
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
        return _judged(values, bytes(self._registers.held))

    def close(self) -> None:
        """Nothing to give back: the bus is shared, and the chip sleeps by itself."""

    def _start(self) -> None:
        """Reset the chip, read its trimming values, make its settings (the Adafruit driver)."""
        self._check_id()
        self._chip = basic.Adafruit_BME280(self._registers)
        trimming = self._registers.read_register(TRIMMING, 24)
        if not any(trimming) or all(byte == 0xFF for byte in trimming):
            raise SensorGarbled(
                f"{self._part} has no trimming values",
                hint="It would read 0.0 °C for ever. Cut its supply once; if it stays so, the"
                " chip is broken.",
            )

    def _check_id(self) -> None:
        found = self._registers.read_register(ID, 1)[0]
        if CHIPS.get(found) == "BME280":
            return
        name = CHIPS.get(found)
        if name is None:
            raise SensorGarbled(
                f"what answers at 0x{self._registers.address:02x} is no BME280 (its id reads"
                f" 0x{found:02x})",
                hint="An id of 0x00 or 0xff is a short circuit or a loose SDA; any other is"
                " another chip.",
            )
        raise SensorGarbled(
            f"the chip at 0x{self._registers.address:02x} is a {name}, not a BME280 (its id reads"
            f" 0x{found:02x})",
            hint="A BMP280 looks the same and is often sold as a BME280, but has no humidity"
            " sensor. Exchange it."
            if name == "BMP280"
            else "Choose the driver that belongs to this chip.",
        )


def _judged(values: dict[Quantity, float], data: bytes) -> list[Measurement]:
    """Values with flags: what the chip cannot have measured is BAD, and what was computed from it.

    Temperature and pressure drag the others down: the three are one conversion, and a pressure
    that cannot be is often the only sign of a chip that was reset.
    """
    pressure = int.from_bytes(data[0:3], "big") >> 4
    temperature = int.from_bytes(data[3:6], "big") >> 4
    humidity = int.from_bytes(data[6:8], "big")
    if pressure in NO_20_BITS or temperature in NO_20_BITS or humidity in NO_16_BITS:
        reasons = dict.fromkeys(QUANTITIES, "raw-sentinel")
    else:
        reasons = {
            q: "range" for q, (least, most) in RANGES.items() if not least <= values[q] <= most
        }
        if reasons.keys() - {Quantity.HUMIDITY_PERCENT}:
            reasons = dict.fromkeys(QUANTITIES, "cross") | reasons
    return [
        Measurement(q, values[q], None, Flag.BAD if q in reasons else Flag.GOOD, reasons.get(q, ""))
        for q in QUANTITIES
    ]


def open(settings: Settings, hardware: SensorHardware) -> Bme280:
    """The sensor, ready to read.

    Raises:
        SensorMissing: nobody answers at the address.
        SensorGarbled: another chip, or one without trimming values.
    """
    return Bme280(settings, hardware)
