"""What drivers of I²C sensors share: the setting ``address``, and registers read twice."""

from __future__ import annotations

import threading
from typing import Any

from kiezbox.errors import SensorGarbled
from kiezbox.hardware import I2C
from kiezbox.settings import setting

__all__ = ["ADAFRUIT_REGISTER", "Registers", "address_setting", "wiring_hint"]

#: Held while an Adafruit driver made of ``adafruit_register`` descriptors (the INA219's) talks.
#: All of them, in all threads, share one module-wide byte buffer and fill in the register's
#: number before they lock the bus (adafruit_register 1.13.0, ``__init__._BUFFER``): without
#: this, one sensor's register comes back as another's value.
ADAFRUIT_REGISTER = threading.Lock()


class _Address(int):
    """An I²C address, shown as data sheets and ``i2cdetect`` show it."""

    def __str__(self) -> str:
        return f"0x{self:02x}"


def address_setting(default: int, allowed: range) -> Any:
    """Declare the setting ``address`` of a chip whose pins choose one of ``allowed``."""

    def check(value: int) -> str:
        if value in allowed:
            return ""
        return f"is not one this chip can have: 0x{allowed[0]:02x} to 0x{allowed[-1]:02x}"

    return setting(
        _Address(default),
        help="Its address on the bus; `i2cdetect -y 1` shows who answers.",
        check=check,
    )


def wiring_hint(supply: str) -> str:
    """What to look at when a chip does not answer, in the order in which it usually helps."""
    return (
        f"Look at {supply}, GND, SDA (pin 3) and SCL (pin 5); `i2cdetect -y 1` shows which"
        " addresses answer. The box tries again by itself."
    )


class Registers:
    """8-bit registers on a bus without a checksum: each is read twice and must read the same.

    It has the two methods that ``adafruit_bme280`` calls a bus implementation. Reading twice
    costs a millisecond at 100 kHz, and is all there is against a flipped bit: the chip has no
    checksum for its data.
    """

    def __init__(self, bus: I2C, address: int) -> None:
        self._bus = bus
        self.address = address

    def read_register(self, register: int, length: int) -> bytearray:
        """So many bytes from the register on.

        Raises:
            SensorGarbled: the two readings differ.
            OSError: no acknowledge (121), no end (110).
        """
        first, second = self.read_twice(register, length)
        if first != second:
            raise SensorGarbled(
                f"the chip at 0x{self.address:02x} reads differently twice in a row"
                f" (register 0x{register:02x})",
                hint="The line is disturbed: shorten the cable, keep it away from switching"
                " supplies, add pull-ups of 4.7 kΩ.",
            )
        return first

    def read_twice(self, register: int, length: int) -> tuple[bytearray, bytearray]:
        """The same bytes, two readings: for registers that may change in between."""
        first, second = bytearray(length), bytearray(length)
        self._lock()
        try:
            for buffer in (first, second):
                self._bus.writeto_then_readfrom(self.address, bytes((register,)), buffer)
        finally:
            self._bus.unlock()
        return first, second

    def write_register_byte(self, register: int, value: int) -> None:
        self._lock()
        try:
            self._bus.writeto(self.address, bytes((register, value)))
        finally:
            self._bus.unlock()

    def _lock(self) -> None:
        # The bus waits inside and raises SensorTimeout when the deadline has passed.
        while not self._bus.try_lock():
            pass
