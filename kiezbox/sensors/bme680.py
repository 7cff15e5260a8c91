"""BME680: also BME688: temperature, humidity, air pressure, gas. I²C address 0x76 or 0x77.

Wiring (Raspberry Pi header): VCC to 3.3 V (pin 1), GND to pin 6, SDA to pin 3, SCL to pin 5.
Address: SDO to GND gives 0x76, SDO to VDDIO gives 0x77 (Adafruit's and Pimoroni's second one); CSB
goes to VDDIO, or the chip may wake up in SPI mode. A board with four pins has settled both.
Supply: 1.71 to 3.6 V; 5 V kills the bare chip, boards with a regulator take it.
Current: 12 mA while its gas plate is heated (0.15 s a reading), 0.15 µA asleep; at a reading a
minute 0.03 mA on average.
Pull-ups: the Pi has 1.8 kΩ on pins 3 and 5, and most boards bring 10 kΩ; nothing to add.
Place: free air, away from the Pi. Outside -40 to 85 °C and 300 to 1100 hPa values are flagged.

Pitfalls: its gas plate is heated to 320 °C beside the thermometer. Asked every second it reads 3
to 4 K too much (pimoroni/bme680-python, issue 11), and too dry; at a reading a minute it is less,
and the box around it counts more. Compare with a thermometer, and do not look for mould with it
(a BME280 or SHT4x beside it costs little).
The gas is given in ohms and nothing else: less is more to burn in the air (solvents, breath,
cooking). It drifts for two days when new and for half an hour after each start, and with
humidity, so it is to be compared with itself only. An index ("IAQ") would need Bosch's closed
library, which is not used here. Until the plate was hot enough the gas is flagged ("warm-up").
A chip that was reset answers with plausible numbers: such codes are flagged BAD with the reason
"raw-sentinel". A BMP280 or BME280 at the same address is named. The data have no checksum, so
every register is read until two readings agree.
Package: adafruit-circuitpython-bme680. Its registers are ours (read twice), one conversion a read,
and four trimming values that it takes apart wrongly (3.7.16) are put right here: the lower halves
of H1 and H2, which share a register the other way round (up to 2 % of humidity), and two signs,
without which the plate is heated to another temperature and the ohms are up to 6 % off.
Source: Bosch Sensortec, BST-BME680-DS001 revision 1.1, read as excerpts; the trimming values as in
Bosch's own BME68x_SensorAPI and in pimoroni's bme680 2.0.0. Not checked: BST-BME688-DS000.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite

from adafruit_bme680 import Adafruit_BME680

from kiezbox.errors import SensorGarbled, SensorTimeout
from kiezbox.hardware import SensorHardware
from kiezbox.model import Flag, Measurement, Quantity
from kiezbox.sensors._border import translated
from kiezbox.sensors._bosch import CLIMATE, check_id, judged
from kiezbox.sensors._i2c import Doubted, Registers, address_setting, wiring_hint
from kiezbox.settings import SensorSettings

__all__ = ["QUANTITIES", "Bme680", "Settings", "open"]

QUANTITIES = (*CLIMATE, Quantity.GAS_RESISTANCE_OHM)

#: What the gas plate draws while it is heated, in A.
DRAWS_A = 0.012

#: Which ohms a plate in air has; beyond, a wire is broken or shorted.
GAS_OHM = (1e3, 1e8)

RES_HEAT, CTRL_MEAS, STATUS = 0x5A, 0x74, 0x1D
#: The Adafruit driver reads so much from STATUS on: status, index, then the data.
FIELD_LENGTH = 17
#: Where in it pressure, temperature and humidity stand, and the gas of BME680 and BME688.
CLIMATE_AT, GAS_AT = slice(2, 10), {0: 14, 1: 16}
NEW_DATA, MODE = 0x80, 0x03
#: Both must be set: a real conversion, with the plate at its temperature [5.3.5.5, 5.3.5.6].
GAS_VALID, HEATER_STABLE = 0x20, 0x10

#: So often the Adafruit driver may ask: 20 times to set up, and while a conversion lasts (0.2 s
#: with its settings) every 5 ms or more. It would wait for ever until the chip is asleep.
MOST_POLLS = 250

DECIMALS = 3

HINT = wiring_hint("VCC (3.3 V)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(SensorSettings):
    """``[sensors.NAME]`` with ``driver = "bme680"``."""

    address: int = address_setting(0x76, range(0x76, 0x78))


class _Chip(Adafruit_BME680):  # type: ignore[misc]  # the package has no types
    """The Adafruit driver over registers that are doubted, one conversion for all values.

    It has no bus of its own: ``_read`` and ``_write`` are what its kinds for I²C and SPI say, too.
    """

    def __init__(self, doubted: Registers, plain: Registers) -> None:
        self._registers = doubted
        self._plain = plain
        self._polls = 0
        #: The last conversion's registers, from STATUS on.
        self.field = bytes(FIELD_LENGTH)
        # Nearly never anew by itself: ``forget`` says when.
        super().__init__(refresh_rate=1e-9)
        # Its filter would mix in the readings of the minutes before.
        self.filter_size = 0

    @property
    def variant(self) -> int:
        """0: BME680, 1: BME688."""
        return int(self._chip_variant)

    def forget(self) -> None:
        """The next value is a new conversion's."""
        self._last_reading = -inf
        self._polls = 0

    def set_gas_heater(self, heater_temp: int, heater_time: int) -> bool:
        """As the Adafruit driver's, which takes a bus that failed for a False nobody looks at."""
        self._set_heatr_conf(heater_temp, heater_time)
        return True

    def _read(self, register: int, length: int) -> bytearray:
        self._polls += 1
        if self._polls > MOST_POLLS:
            raise SensorTimeout(
                f"the BME680 at 0x{self._registers.address:02x} never finishes measuring",
                hint=HINT,
            )
        if register == STATUS:
            return self._conversion()
        return self._registers.read_register(register, length)

    def _write(self, register: int, values: Sequence[int]) -> None:
        for n, value in enumerate(values):
            self._registers.write_register_byte(register + n, value)

    def _conversion(self) -> bytearray:
        """Status and data; the status once, for it may be cleared by reading, the data doubted.

        That the chip has gone to sleep again says without doubt that the data are new.
        """
        not_yet = bytearray(FIELD_LENGTH)
        if not self._plain.read_register(STATUS, 1)[0] & NEW_DATA:
            return not_yet
        if self._registers.read_register(CTRL_MEAS, 1)[0] & MODE:
            return not_yet
        data = self._registers.read_register(STATUS + 1, FIELD_LENGTH - 1)
        self.field = bytes((NEW_DATA, *data))
        return bytearray(self.field)

    def _read_calibration(self) -> None:
        super()._read_calibration()
        shared, h1_high = self._read(0xE2, 2)
        self._humidity_calibration[0] = h1_high << 4 | shared & 0x0F
        self._humidity_calibration[1] = self._read_byte(0xE1) << 4 | shared >> 4
        self._heat_val = _signed(self._read_byte(0x00), 8)
        self._sw_err = _signed(self._read_byte(0x04) >> 4, 4)


def _signed(value: int, bits: int) -> int:
    """Two's complement.

    >>> _signed(0xD, 4)
    -3
    """
    return value - (1 << bits) if value >> bits - 1 else value


class Bme680:
    """An open BME680 or BME688."""

    def __init__(self, settings: Settings, hardware: SensorHardware) -> None:
        bus = hardware.i2c()
        self._plain = Registers(bus, settings.address)
        self._registers = Registers(Doubted(bus), settings.address)
        self._part = f"the BME680 at 0x{settings.address:02x}"
        with translated(self._part, HINT):
            self._start()

    def read(self) -> Sequence[Measurement]:
        with translated(self._part, HINT):
            check_id(self._registers, "BME680")
            # The heater's resistance is 0 in a chip that was reset; another one plugged in has
            # other trimming values.
            if not self._registers.read_register(RES_HEAT, 1)[0]:
                self._start()
            self._chip.forget()
            values = {
                Quantity.TEMPERATURE_C: round(float(self._chip.temperature), DECIMALS),
                Quantity.HUMIDITY_PERCENT: round(float(self._chip.humidity), DECIMALS),
                Quantity.PRESSURE_HPA: round(float(self._chip.pressure), DECIMALS),
            }
            ohm = float(self._chip.gas)
        if not all(map(isfinite, (*values.values(), ohm))):
            raise SensorGarbled(f"{self._part} answers nonsense", hint=HINT)
        field = self._chip.field
        climate = judged(values, field[CLIMATE_AT])
        return [*climate, _gas(ohm, field[GAS_AT[self._chip.variant]], climate)]

    def close(self) -> None:
        """Nothing to give back: the bus is shared, and the chip sleeps by itself."""

    def _start(self) -> None:
        """Reset the chip, read its trimming values, make its settings (the Adafruit driver)."""
        check_id(self._registers, "BME680")
        self._chip = _Chip(self._registers, self._plain)
        if self._chip.variant not in GAS_AT:
            raise SensorGarbled(
                f"{self._part} is of a kind that is not known ({self._chip.variant})", hint=HINT
            )
        trimming = self._registers.read_register(0x8A, 23)
        if not any(trimming) or all(byte == 0xFF for byte in trimming):
            raise SensorGarbled(
                f"{self._part} has no trimming values",
                hint="Cut its supply once; if it stays so, the chip is broken.",
            )


def _gas(ohm: float, status: int, climate: Sequence[Measurement]) -> Measurement:
    if not status & GAS_VALID or not status & HEATER_STABLE:
        reason = "warm-up"
    elif climate[0].reason == "raw-sentinel":
        reason = "cross"
    else:
        reason = "" if GAS_OHM[0] <= ohm <= GAS_OHM[1] else "range"
    flag = Flag.BAD if reason else Flag.GOOD
    return Measurement(Quantity.GAS_RESISTANCE_OHM, ohm, None, flag, reason)


def open(settings: Settings, hardware: SensorHardware) -> Bme680:
    """The sensor, ready to read.

    Raises:
        SensorMissing: nobody answers at the address.
        SensorGarbled: another chip, or one without trimming values.
    """
    return Bme680(settings, hardware)
