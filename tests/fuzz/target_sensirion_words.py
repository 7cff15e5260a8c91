"""The drivers of SPS30, SEN5x and DNMS over a chip that answers any words, with right checksums."""

from __future__ import annotations

import math
import struct
import time
from contextlib import ExitStack
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import patch

from sensirion_i2c_driver import connection

from kiezbox.clock import SystemClock
from kiezbox.errors import SensorError
from kiezbox.hardware import Deadline
from kiezbox.hardware.simulated._sensirion import checked
from kiezbox.model import Flag, Quantity
from kiezbox.sensors import _sensirion_bus, laeq, sen5x, sps30

DRIVERS: tuple[ModuleType, ...] = (sps30, sen5x, laeq)
NO_WAIT = {"sps30": {"warm_up_s": 0.0}, "sen5x": {"warm_up_s": 0.0}, "laeq": {"listen_s": 0.0}}
#: What a good value of theirs can be; the rest are particulates.
RANGES = {
    Quantity.HUMIDITY_PERCENT: (0.1, 100.0),
    Quantity.TEMPERATURE_C: (-20.0, 60.0),
    Quantity.VOC_INDEX: (1.0, 500.0),
    Quantity.NOX_INDEX: (1.0, 500.0),
    Quantity.LAEQ_DB: (20.0, 130.0),
}
SLOW = 4

_SPS30 = struct.pack(">10f", 4.2, 6.75, 8.1, 9.4, *[1.0] * 6)
_SEN5X = struct.pack(">8H", 42, 67, 81, 94, 4550, 0xFA24, 1020, 10)
#: First byte: whose conversation; then the words of its answers, one after the other.
SEEDS = [
    b"\0" + b"00080000" + b"\2\2" + (b"\0\1" + _SPS30) * 5 + bytes(4),
    b"\0" + b"00080000" + b"\2\2" + (b"\0\1" + bytes(40)) * 5 + b"\0\x20\0\x30",
    b"\1" + b"SEN55".ljust(32, b"\0") + b"\2\0\0\4\0\1\0\0" + b"\0\0" + (b"\0\1" + _SEN5X) * 3
    + bytes(4),
    b"\1" + b"SEN50".ljust(32, b"\0") + b"\1\0\0\4\0\1\0\0" + b"\0\1" + (b"\0\1" + b"\xff" * 16) * 3
    + b"\0\x20\0\xf0",
    b"\2" + b"DNMS" + b"\0\1" + struct.pack(">3f", 48.5, 40.0, 60.0),
    b"\2" + b"DNMS" + b"\0\1" + struct.pack(">3f", float("nan"), float("-inf"), 1e38),
]  # fmt: skip


class Words:
    """A bus with one chip."""

    def __init__(self, data: bytes) -> None:
        self._left = data
        self.deadline = Deadline(SystemClock())
        self.deadline.start(10)

    def i2c(self) -> Any:
        return self

    def try_lock(self) -> bool:
        return True

    def unlock(self) -> None:
        pass

    def writeto(self, address: int, buffer: bytes, **_: Any) -> None:
        pass

    def readfrom_into(self, address: int, buffer: bytearray, **_: Any) -> None:
        size = len(buffer) // 3 * 2
        answer, self._left = self._left[:size].ljust(size, b"\0"), self._left[size:]
        buffer[:] = checked(*struct.unpack(f">{size // 2}H", answer))


def one(data: bytes) -> None:
    """Measurements, good ones finite and within what can be, or a SensorError with a hint."""
    driver = DRIVERS[data[0] % 3] if data else sps30
    name = driver.__name__.rpartition(".")[2]
    hasty = SimpleNamespace(sleep=lambda seconds: None, monotonic=time.monotonic)
    with ExitStack() as stack:
        for module in (connection, _sensirion_bus):
            stack.enter_context(patch.object(module, "time", hasty))
        stack.enter_context(patch.object(driver, "PATIENCE_S", -1.0))
        if driver is sps30:
            stack.enter_context(patch.object(driver, "BUSY_S", 0.0))
        try:
            sensor = driver.open(driver.Settings(driver=name, **NO_WAIT[name]), Words(data[1:]))
            measurements = sensor.read()
        except SensorError as error:
            assert str(error) and error.hint
            return
    for measurement in measurements:
        assert math.isfinite(measurement.value)
        least, most = RANGES.get(measurement.quantity, (0.0, 1000.0))
        assert measurement.flag is Flag.BAD or least <= measurement.value <= most, measurement
