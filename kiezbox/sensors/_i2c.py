"""What drivers of I²C sensors share: the setting ``address``, and a bus that doubts."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kiezbox.errors import SensorGarbled
from kiezbox.hardware import I2C
from kiezbox.settings import setting

__all__ = [
    "ADAFRUIT_REGISTER",
    "Doubted",
    "Registers",
    "address_setting",
    "locked",
    "wiring_hint",
]

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
        least, most = allowed[0], allowed[-1]
        return f"(0x{value:02x}) is not one this chip can have: 0x{least:02x} to 0x{most:02x}"

    return setting(
        _Address(default),
        help="Its address on the bus; `kiezbox scan` shows who answers.",
        check=check,
    )


def wiring_hint(supply: str) -> str:
    """What to look at when a chip does not answer, in the order in which it usually helps."""
    return (
        f"Look at {supply}, GND, SDA (pin 3) and SCL (pin 5); with the node stopped `kiezbox scan`"
        " shows who answers at which address. The box tries again by itself."
    )


class Doubted:
    """A bus on which a register counts when two readings in a row agree.

    For chips without a checksum: it is all there is against a flipped bit, and costs half a
    millisecond a register at 100 kHz. Only combined transactions (``writeto_then_readfrom``)
    are repeated; the rest goes through as it is.
    """

    def __init__(self, bus: I2C) -> None:
        self._bus = bus
        self.try_lock, self.unlock, self.scan = bus.try_lock, bus.unlock, bus.scan
        self.writeto, self.readfrom_into = bus.writeto, bus.readfrom_into

    def writeto_then_readfrom(
        self,
        address: int,
        buffer_out: Any,
        buffer_in: Any,
        *,
        out_start: int = 0,
        out_end: int | None = None,
        in_start: int = 0,
        in_end: int | None = None,
        stop: bool = False,
    ) -> None:
        """Read up to three times: a register may change between two readings.

        Raises:
            SensorGarbled: three readings, no two in a row alike.
            OSError: no acknowledge (121), no end (110).
        """
        # Slices in numbers, as Adafruit's I2CDevice gives them: a bus may not know None.
        out_end = len(buffer_out) if out_end is None else out_end
        in_end = len(buffer_in) if in_end is None else in_end
        before = None
        for _ in range(3):
            self._bus.writeto_then_readfrom(
                address,
                buffer_out,
                buffer_in,
                out_start=out_start,
                out_end=out_end,
                in_start=in_start,
                in_end=in_end,
                stop=stop,
            )
            now = bytes(buffer_in[in_start:in_end])
            if now == before:
                return
            before = now
        raise SensorGarbled(
            f"the chip at 0x{address:02x} reads differently each time",
            hint="The line is disturbed: shorten the cable, keep it away from switching supplies,"
            " add pull-ups of 4.7 kΩ.",
        )


class Registers:
    """8-bit registers, in the shape that ``adafruit_bme280`` calls a bus implementation."""

    def __init__(self, bus: I2C, address: int) -> None:
        self._bus = bus
        self.address = address

    def read_register(self, register: int, length: int) -> bytearray:
        """So many bytes from the register on."""
        data = bytearray(length)
        with locked(self._bus):
            self._bus.writeto_then_readfrom(self.address, bytes((register,)), data)
        return data

    def write_register_byte(self, register: int, value: int) -> None:
        with locked(self._bus):
            self._bus.writeto(self.address, bytes((register, value)))


@contextmanager
def locked(bus: I2C) -> Iterator[None]:
    """The bus to ourselves; it raises SensorTimeout when the deadline passes before that."""
    while not bus.try_lock():
        pass  # the bus waits inside
    try:
        yield
    finally:
        bus.unlock()
