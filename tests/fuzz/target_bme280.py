"""The BME280 driver over registers that hold anything: 256 bytes, the data again and again."""

from __future__ import annotations

from typing import Any

from adafruit_bme280 import basic

from kiezbox.clock import SystemClock
from kiezbox.errors import SensorError
from kiezbox.hardware import Deadline
from kiezbox.hardware.simulated._bosch import EXAMPLE
from kiezbox.model import Flag
from kiezbox.sensors import bme280
from kiezbox.sensors._bosch import RANGES

SETTINGS = bme280.Settings(driver="bme280")


def image(**changes: int) -> bytes:
    """The registers of a healthy chip."""
    registers = bytearray(256)
    for register, value in EXAMPLE.registers().items():
        registers[register] = value
    registers[0xD0] = 0x60
    registers[0xF4] = 0x34
    registers[0xF7:0xFF] = bytes.fromhex("655A C0 7EED 00 6C80")
    return bytes(registers)


def healthy_but(register: int, *values: int) -> bytes:
    registers = bytearray(image())
    registers[register : register + len(values)] = values
    return bytes(registers)


SEEDS = [
    image(),
    healthy_but(0xD0, 0x58),
    healthy_but(0xF3, 0xFF),
    healthy_but(0xF7, *bytes(8)),
    healthy_but(0xF7, 0x80, 0, 0, 0x80, 0, 0, 0x80, 0),
    healthy_but(0x88, *bytes(26)),
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
    """Measurements, good ones within the sheet's ranges, or a SensorError with a hint."""
    sleep, basic.sleep = basic.sleep, lambda seconds: None  # these registers need no time
    try:
        sensor = bme280.open(SETTINGS, Registers(data))  # type: ignore[arg-type]
        measurements = sensor.read()
    except SensorError as error:
        assert str(error) and error.hint
        return
    finally:
        basic.sleep = sleep
    assert [one.quantity for one in measurements] == list(bme280.QUANTITIES)
    for measurement in measurements:
        least, most = RANGES[measurement.quantity]
        assert measurement.flag is Flag.BAD or least <= measurement.value <= most
        assert (measurement.flag is Flag.BAD) == bool(measurement.reason)
