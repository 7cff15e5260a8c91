"""DS3231: a clock that runs on through a blackout; temperature in the box. I²C address 0x68.

Wiring (Raspberry Pi header): VCC to 3.3 V (pin 1), GND to pin 6, SDA to pin 3, SCL to pin 5. Small
boards sit right on pins 1, 3, 5, 7, 9. A fresh CR2032 in the holder, plus side up: without it the
chip forgets with the supply. Boards of the type "ZS-042" charge their cell through a resistor and a
diode; with a CR2032, which must not be charged, run them at 3.3 V, never 5 V.
Supply: 2.3 to 5.5 V; on a Pi 3.3 V, because the board's pull-ups follow it.
Current: 0.2 mA; 3 µA from the cell, which lasts for years.
Pull-ups: most boards bring 4.7 kΩ.

Do not switch on `dtoverlay=i2c-rtc,ds3231` as well: the kernel then keeps the chip for itself, and
the address is in use. Kiezbox reads the chip itself because it must know what the kernel does not
tell: whether the chip's word may be believed (docs/clock.md).
Pitfalls: a cell that was empty or never in leaves the oscillator-stop flag, which the chip keeps
until somebody sets it: then it says a time, and it is not believed. The chip is set, in UTC, by
this driver, and only while the box's clock is right by GPS or NTP. DS1307 boards look similar, have
the same address, drift by minutes a month and have no such flag: refused, as is a DS3232 or an
MPU-6050.
What is said: the chip's own temperature (±3 °C, once in 64 s). It is the box's inside: say
`where = "box"`. The time stands in ``last_time``, for the box's own clock.
The data have no checksum, so all registers are read until two readings agree.
Package: none; adafruit-circuitpython-ds3231 reads register by register and knows no century.
Source: Maxim Integrated 19-5170 (DS3231), as adafruit_ds3231 2.4.28 and Linux's rtc-ds1307.c have
its registers; the sheet itself was not at hand: which bits are always zero is from quotations.
"""

from __future__ import annotations

import calendar
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

from kiezbox.clock import EARLIEST_PLAUSIBLE, SystemClock, Told
from kiezbox.errors import SensorGarbled
from kiezbox.hardware import SensorHardware
from kiezbox.model import Flag, Measurement, Quantity
from kiezbox.sensors._border import translated
from kiezbox.sensors._i2c import Doubted, Registers, address_setting, locked, wiring_hint
from kiezbox.settings import SensorSettings

__all__ = ["QUANTITIES", "Ds3231", "Settings", "open", "time_of"]

log = logging.getLogger("kiezbox")

QUANTITIES = (Quantity.TEMPERATURE_C,)

SECONDS, STATUS, TEMPERATURE, COUNT = 0x00, 0x0F, 0x11, 0x13
#: Bit 7 of the status: the oscillator has stopped since somebody last cleared it.
STOPPED = 0x80
#: Bits that are always zero in a DS3231 (figure 1), by register.
ZEROS = {
    0x00: 0x80,
    0x01: 0x80,
    0x02: 0x80,
    0x03: 0xF8,
    0x04: 0xC0,
    0x05: 0x60,
    0x0F: 0x70,
    0x12: 0x3F,
}
RANGE_C = (-40.0, 85.0)

#: A chip that is off by more than that is set; finer it does not say.
SET_FROM_S = 2.0

HINT = wiring_hint("VCC (3.3 V)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(SensorSettings):
    """``[sensors.NAME]`` with ``driver = "ds3231"``."""

    address: int = address_setting(0x68, range(0x68, 0x69))


class Ds3231:
    """A DS3231. ``last_time`` is what it said when it was last read."""

    def __init__(self, settings: Settings, hardware: SensorHardware) -> None:
        self._part = f"the DS3231 at 0x{settings.address:02x}"
        self._bus = hardware.i2c()
        self._registers = Registers(Doubted(self._bus), settings.address)
        self._true_time = hardware.true_time
        self._clock = SystemClock()
        #: None: it has none to be believed.
        self.last_time: Told | None = None
        #: Whether it lost its time, and nobody has set it since.
        self.is_stopped = False

    def read(self) -> Sequence[Measurement]:
        with translated(self._part, HINT):
            registers = self._read()
            self._take(registers)
            true = self._true_time()
            if true is not None and self._is_wrong(true):
                self._set(registers[STATUS])
                self._take(self._read())
        celsius = int.from_bytes(registers[TEMPERATURE : TEMPERATURE + 2], "big", signed=True) / 256
        if RANGE_C[0] <= celsius <= RANGE_C[1]:
            return (Measurement(Quantity.TEMPERATURE_C, celsius),)
        return (Measurement(Quantity.TEMPERATURE_C, celsius, None, Flag.BAD, "range"),)

    def close(self) -> None:
        """Nothing to give back: the bus is shared."""

    def _read(self) -> bytes:
        registers = bytes(self._registers.read_register(SECONDS, COUNT))
        if any(registers[at] & bits for at, bits in ZEROS.items()):
            raise SensorGarbled(
                f"{self._part} has bits that a DS3231 has not",
                hint="A DS1307, a DS3232 or an MPU-6050 has the same address; or a loose SDA.",
            )
        return registers

    def _take(self, registers: bytes) -> None:
        heard_at = self._clock.monotonic()
        said = time_of(registers)
        if said is None:
            self.last_time = None
            raise SensorGarbled(f"{self._part} says a time that there is not", hint=HINT)
        self.is_stopped = bool(registers[STATUS] & STOPPED)
        is_sure = not self.is_stopped and said > EARLIEST_PLAUSIBLE
        # It says whole seconds, and has been in this one for half of one on average.
        self.last_time = Told(heard_at, said + 0.5) if is_sure else None

    def _is_wrong(self, true: float) -> bool:
        return self.last_time is None or abs(self.last_time.time - true) > SET_FROM_S

    def _set(self, status: int) -> None:
        """Set the time to the box's, then say that it can be believed. UTC, 24 hours."""
        true = self._true_time()
        if true is None:
            return
        # The second begins when it is written, so it is written when one begins.
        time.sleep(1 - true % 1)
        now = time.gmtime(round(true - true % 1 + 1))
        fields = (now.tm_sec, now.tm_min, now.tm_hour, now.tm_wday + 1, now.tm_mday, now.tm_mon)
        data = bytes(_bcd(field) for field in (*fields, now.tm_year % 100))
        with locked(self._bus):
            self._bus.writeto(self._registers.address, bytes((SECONDS,)) + data)
        self._registers.write_register_byte(STATUS, status & ~STOPPED & 0xFF)
        log.info("%s: set to %s", self._part, time.strftime("%Y-%m-%dT%H:%M:%SZ", now))


def time_of(registers: bytes) -> float | None:
    """Unix seconds of the first seven registers; None: no such moment. The century is the 21st.

    >>> time_of(bytes.fromhex("15 14 15 01 29 10 17"))
    1509290055.0
    """
    second, minute, hour, _, day, month, year = registers[:7]
    if hour & 0x40:  # 12 hours, and bit 5 is "PM"
        twelve = _number(hour & 0x1F)
        if twelve is None or not 1 <= twelve <= 12:
            return None
        hours: int | None = twelve % 12 + 12 * bool(hour & 0x20)
    else:
        hours = _number(hour)
    numbers = [_number(second), _number(minute), hours, _number(day), _number(month & 0x1F)]
    years = _number(year)
    if None in numbers or years is None:
        return None
    seconds, minutes, hours, days, months = (number or 0 for number in numbers)
    if seconds > 59 or minutes > 59 or hours > 23 or not 1 <= months <= 12:
        return None
    if not 1 <= days <= calendar.monthrange(2000 + years, months)[1]:
        return None
    return float(calendar.timegm((2000 + years, months, days, hours, minutes, seconds)))


def _number(bcd: int) -> int | None:
    high, low = bcd >> 4, bcd & 0xF
    return None if high > 9 or low > 9 else 10 * high + low


def _bcd(number: int) -> int:
    return number // 10 << 4 | number % 10


def open(settings: Settings, hardware: SensorHardware) -> Ds3231:
    """The chip; whether it is there shows the first read."""
    return Ds3231(settings, hardware)
