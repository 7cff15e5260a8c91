"""The drivers of SHTs, SCDs and the SGP40 over a chip that answers any words, checksums right."""

from __future__ import annotations

import math
import struct
import time
from contextlib import ExitStack
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import patch

import adafruit_scd4x
import adafruit_scd30
import adafruit_sgp40
import adafruit_sht4x
import adafruit_sht31d

from kiezbox.clock import SystemClock
from kiezbox.errors import SensorError, SensorTimeout
from kiezbox.hardware import Deadline
from kiezbox.hardware.simulated._sensirion import checked
from kiezbox.model import Flag, Quantity
from kiezbox.sensors import scd4x, scd30, sgp40, sht4x, sht31

DRIVERS: tuple[ModuleType, ...] = (sht31, sht4x, scd4x, scd30, sgp40)
WAITING = (adafruit_sht31d, adafruit_sht4x, adafruit_scd4x, adafruit_scd30, scd4x, scd30, sgp40)
#: What a good value can be.
RANGES = {
    Quantity.CO2_PPM: (0.05, 40_000.0),
    Quantity.TEMPERATURE_C: (-40.0, 125.0),
    Quantity.HUMIDITY_PERCENT: (0.1, 100.0),
    Quantity.VOC_INDEX: (0.0, 500.0),
}
#: After so many transactions the deadline has passed.
MOST_TRANSACTIONS = 60
SLOW = 4

_CLIMATE = b"\x66\x66\x80\x00"
_SCD4X = b"\0\1" + b"\x01\xf4" + _CLIMATE
_SCD30 = struct.pack(">3f", 439.1, 27.2, 48.8)
_SGP40 = b"\0\0\1\x23\x45\x67" + b"\x32\x20" + b"\xd4\x00"
#: First byte: whose conversation; then the words of its answers, one after the other.
SEEDS = [
    b"\0" + _CLIMATE,
    b"\0" + b"\xff" * 4,
    b"\1" + b"\x12\x34\x56\x78" + _CLIMATE,
    b"\1" + b"\x12\x34\x56\x78" + bytes(4),
    b"\2" + b"\xf8\x96\x9f\x07\x3b\xbe" + _SCD4X * 3,
    b"\2" + b"\xf8\x96\x9f\x07\x3b\xbe" + (b"\0\1" + bytes(2) + _CLIMATE) * 3,
    b"\3" + b"\0\x0a\0\0\0\0\0\0" + (b"\0\1\0\1" + _SCD30) * 3,
    b"\3" + b"\0\2\0\1\0\x64\0\x64" + (b"\0\1\0\1" + struct.pack(">3f", math.nan, -1e38, 1e9)) * 3,
    b"\4" + _SGP40 + b"\0\0" + b"\x75\x30" * 3,
    b"\4" + _SGP40 + b"\0\0" + b"\0\0" * 3,
]


class Words:
    """A bus with one chip, and nobody beside it."""

    def __init__(self, data: bytes) -> None:
        self._left = data
        self._transactions = 0
        self.deadline = Deadline(SystemClock())

    def i2c(self) -> Any:
        return self

    def neighbour(self, series: str) -> float | None:
        return None

    def try_lock(self) -> bool:
        return True

    def unlock(self) -> None:
        pass

    def writeto(self, address: int, buffer: bytes, **_: Any) -> None:
        self._transactions += 1
        if self._transactions > MOST_TRANSACTIONS:
            raise SensorTimeout("the deadline has passed", hint="It always does.")

    def readfrom_into(
        self, address: int, buffer: bytearray, *, end: int | None = None, **_: Any
    ) -> None:
        size = (len(buffer) if end is None else end) // 3 * 2
        answer, self._left = self._left[:size].ljust(size, b"\0"), self._left[size:]
        buffer[: size // 2 * 3] = checked(*struct.unpack(f">{size // 2}H", answer))


def one(data: bytes) -> None:
    """Measurements, good ones within what can be, or a SensorError with a hint."""
    driver = DRIVERS[data[0] % len(DRIVERS)] if data else sht31
    name = driver.__name__.rpartition(".")[2]
    table: dict[str, Any] = {"interval_s": 1.0} if driver is sgp40 else {}
    hasty = SimpleNamespace(sleep=lambda seconds: None, monotonic=time.monotonic, time=time.time)
    with ExitStack() as stack:
        for module in WAITING:
            stack.enter_context(patch.object(module, "time", hasty))
        stack.enter_context(patch.object(adafruit_sgp40, "sleep", hasty.sleep))
        try:
            sensor = driver.open(driver.Settings(driver=name, **table), Words(data[1:]))
            measurements = sensor.read()
        except SensorError as error:
            assert str(error) and error.hint
            return
    assert [each.quantity for each in measurements] == list(driver.QUANTITIES)
    for each in measurements:
        assert math.isfinite(each.value)
        least, most = RANGES[each.quantity]
        assert each.flag is Flag.BAD or least <= each.value <= most, each
        assert (each.flag is Flag.BAD) == bool(each.reason)
