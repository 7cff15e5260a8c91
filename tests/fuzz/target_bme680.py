"""The BME680 driver over registers that hold anything: 256 bytes, the data again and again."""

from __future__ import annotations

import math
import time
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import adafruit_bme680

from kiezbox.clock import SystemClock
from kiezbox.errors import SensorError
from kiezbox.hardware import Deadline
from kiezbox.hardware.simulated._bosch680 import EXAMPLE
from kiezbox.model import Flag, Quantity
from kiezbox.sensors import bme680
from kiezbox.sensors._bosch import RANGES

SETTINGS = bme680.Settings(driver="bme680")
LIMITS = {**RANGES, Quantity.GAS_RESISTANCE_OHM: bme680.GAS_OHM}
SLOW = 4


def healthy_but(register: int, *values: int) -> bytes:
    """The registers of a chip that has measured, and some others instead."""
    registers = bytearray(256)
    for at, value in EXAMPLE.registers().items():
        registers[at] = value
    registers[0xD0] = 0x61
    registers[0x5A] = 0x73
    registers[0x1D:0x2E] = bytes.fromhex("8000 66a440 7b7ba0 59df 800000 7fb4 0004")
    registers[register : register + len(values)] = values
    return bytes(registers)


SEEDS = [
    healthy_but(0),
    healthy_but(0xD0, 0x60),
    healthy_but(0xF0, 0x01),
    healthy_but(0x1D, 0x20),
    healthy_but(0x1F, *bytes(15)),
    healthy_but(0x1F, 0x80, 0, 0, 0x80, 0, 0, 0x80, 0),
    healthy_but(0x2A, 0xFF, 0xE1),
    healthy_but(0x8A, *bytes(23)),
    healthy_but(0xE1, *bytes(14)),
]


class Registers:
    """A bus with one chip that keeps what it has; writes are forgotten."""

    deadline = Deadline(SystemClock())

    def __init__(self, data: bytes) -> None:
        self._registers = data.ljust(256, data[-1:] or b"\0")[:256]

    def i2c(self) -> Any:
        return self

    scan = readfrom_into = None

    def try_lock(self) -> bool:
        return True

    def unlock(self) -> None:
        pass

    def writeto(self, address: int, buffer: bytes) -> None:
        pass

    def writeto_then_readfrom(
        self, address: int, out: bytes, into: bytearray, **slices: Any
    ) -> None:
        into[:] = (self._registers[out[0] :] + self._registers)[: len(into)]


def one(data: bytes) -> None:
    """Measurements, good ones within what can be, or a SensorError with a hint."""
    hasty = SimpleNamespace(sleep=lambda seconds: None, monotonic=time.monotonic)
    with patch.object(adafruit_bme680, "time", hasty):
        try:
            sensor = bme680.open(SETTINGS, Registers(data))  # type: ignore[arg-type]
            measurements = sensor.read()
        except SensorError as error:
            assert str(error) and error.hint
            return
    assert [each.quantity for each in measurements] == list(bme680.QUANTITIES)
    for each in measurements:
        assert math.isfinite(each.value)
        least, most = LIMITS[each.quantity]
        assert each.flag is Flag.BAD or least <= each.value <= most, each
        assert (each.flag is Flag.BAD) == bool(each.reason)
