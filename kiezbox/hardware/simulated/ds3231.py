"""A simulated DS3231, register by register.

Written from what Maxim's sheet 19-5170 is quoted to say (the sheet itself was not at hand), and
judged by Adafruit's driver. Modelled: the seven time registers in BCD, 24 and 12 hours, running
with a clock from outside and set by writing; control, status with the oscillator-stop flag, aging;
temperature in quarters of a degree; the pointer that goes on and wraps at 0x12; reading freezes the
time at the start of a transaction; loss of supply with and without a cell.
Not modelled: alarms, square wave, drift, the century bit.
"""

from __future__ import annotations

import calendar
import errno
import random
import time
from collections.abc import Callable

__all__ = ["FAULTS", "SimulatedDs3231"]

FAULTS = {
    "empty_cell": "the supply was away and the cell is empty: 2000-01-01, and the flag says so",
    "raw_zero": "every register reads 0x00",
    "stuck_high": "the data line is never pulled down: every register reads 0xff",
    "not_bcd": "the minutes are no decimal number",
    "other_chip": "a DS1307: its clock is halted, where the status should be is memory",
    "garbage": "every byte read is any byte",
    "silence": "no acknowledge",
}

CONTROL, STATUS, TEMPERATURE, COUNT = 0x0E, 0x0F, 0x11, 0x13
STOPPED = 0x80
#: After the first power-up: 8.192 kHz, interrupts instead of a square wave; stopped, 32 kHz on.
CONTROL_AT_FIRST, STATUS_AT_FIRST = 0x1C, 0x88
FIRST = float(calendar.timegm((2000, 1, 1, 0, 0, 0)))


class SimulatedDs3231:
    """The chip on its bus; ``set()`` is the air in the box."""

    FAULTS = FAULTS

    def __init__(self, clock: Callable[[], float] = time.monotonic, seed: int = 1) -> None:
        self.fault: str | None = None
        self._random = random.Random(seed)
        self._clock = clock
        self._celsius = 25.0
        self._pointer = 0
        self._rest = bytearray(COUNT)
        self.is_twelve_hours = False
        self.power_cycle(has_cell=False)

    def power_cycle(self, *, has_cell: bool) -> None:
        """The supply goes and comes back."""
        if not has_cell:
            self._rest[:] = bytes(COUNT)
            self._rest[CONTROL], self._rest[STATUS] = CONTROL_AT_FIRST, STATUS_AT_FIRST
            self.set_time(FIRST)

    def set(self, temperature_c: float) -> None:
        self._celsius = temperature_c

    def set_time(self, unix_s: float) -> None:
        """What it believes the time is, from now on. Says nothing of the flag."""
        self._offset = unix_s - self._clock()

    def clear_stopped(self) -> None:
        """As whoever set it does."""
        self._rest[STATUS] &= ~STOPPED & 0xFF

    @property
    def time(self) -> float:
        """What it believes the time is, Unix seconds."""
        return self._clock() + self._offset

    @property
    def is_stopped(self) -> bool:
        return bool(self._rest[STATUS] & STOPPED)

    def write(self, data: bytes) -> None:
        if self.fault == "silence":
            raise OSError(errno.EREMOTEIO, "no acknowledge")
        if not data:
            return
        self._pointer, values = data[0] % COUNT, data[1:]
        if values and self._pointer < 7:
            registers = bytearray(self._registers())
            registers[self._pointer : self._pointer + len(values)] = values
            self._adopt(registers)
        for value in values:
            if self._pointer >= 7 and self._pointer not in (TEMPERATURE, TEMPERATURE + 1):
                # The flag can be cleared, never set ("Status register").
                keep = self._rest[STATUS] & STOPPED if self._pointer == STATUS else 0xFF
                self._rest[self._pointer] = value & (keep | 0x7F)
            self._pointer = (self._pointer + 1) % COUNT

    def read(self, count: int) -> bytes:
        if self.fault == "silence":
            raise OSError(errno.EREMOTEIO, "no acknowledge")
        registers = self._registers()
        data = bytes(registers[(self._pointer + n) % COUNT] for n in range(count))
        self._pointer = (self._pointer + count) % COUNT
        return data

    def _adopt(self, registers: bytearray) -> None:
        numbers = [value // 16 * 10 + value % 16 for value in registers[:7]]
        second, minute, _, _, day, month, year = numbers
        hour = registers[2]
        self.is_twelve_hours = bool(hour & 0x40)
        if self.is_twelve_hours:
            twelve = (hour >> 4 & 1) * 10 + (hour & 0xF)
            hours = twelve % 12 + (12 if hour & 0x20 else 0)
        else:
            hours = numbers[2]
        self.set_time(calendar.timegm((2000 + year, month, day, hours, minute, second)))

    def _registers(self) -> bytes:
        if self.fault == "raw_zero":
            return bytes(COUNT)
        if self.fault == "stuck_high":
            return b"\xff" * COUNT
        if self.fault == "garbage":
            return self._random.randbytes(COUNT)
        is_empty = self.fault == "empty_cell"
        now = time.gmtime(FIRST if is_empty else self.time)
        registers = bytearray(self._rest)
        hour = now.tm_hour
        fields = (now.tm_sec, now.tm_min, hour, now.tm_wday + 1, now.tm_mday, now.tm_mon)
        for at, field in enumerate((*fields, now.tm_year % 100)):
            registers[at] = field // 10 * 16 + field % 10
        if self.is_twelve_hours:
            twelve = hour % 12 or 12
            registers[2] = 0x40 | (0x20 if hour >= 12 else 0) | twelve // 10 << 4 | twelve % 10
        code = round(self._celsius * 4)
        registers[TEMPERATURE : TEMPERATURE + 2] = (code << 6 & 0xFFFF).to_bytes(2, "big")
        if is_empty:
            registers[STATUS] |= STOPPED
        if self.fault == "not_bcd":
            registers[1] = 0x5C
        if self.fault == "other_chip":
            registers[0] |= 0x80
            registers[7:] = bytes(range(0xA0, 0xA0 + COUNT - 7))
        return bytes(registers)
