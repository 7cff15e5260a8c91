"""The INA219 driver over registers that hold anything and keep some of what is written."""

from __future__ import annotations

from typing import Any

from kiezbox.clock import SystemClock
from kiezbox.errors import SensorError
from kiezbox.hardware import Deadline
from kiezbox.model import Flag
from kiezbox.sensors import ina219

SETTINGS = ina219.Settings(driver="ina219")

#: First byte: which registers keep what is written (bits); then the six registers.
SEEDS = [
    bytes.fromhex("21 399F 1388 6402 0C80 1388 1000"),
    bytes.fromhex("21 399F EC78 6402 0C80 EC78 1000"),
    bytes.fromhex("21 399F 7D00 6403 FFFF 7D00 1000"),
    bytes.fromhex("00 3FFF 1388 6402 0C80 1388 1000"),
    bytes.fromhex("21 4127 1388 6402 0C80 1388 1000"),
    bytes.fromhex("00 FFFF FFFF FFFF FFFF FFFF FFFF"),
]


class Registers:
    """A bus with one chip."""

    deadline = Deadline(SystemClock())

    def __init__(self, data: bytes) -> None:
        data = data.ljust(13, data[-1:] or b"\0")
        self._keeps = data[0]
        self._words = [data[1 + 2 * n : 3 + 2 * n] for n in range(6)]

    def i2c(self) -> Any:
        return self

    scan = None

    def try_lock(self) -> bool:
        return True

    def unlock(self) -> None:
        pass

    def readfrom_into(self, address: int, buffer: bytearray, **_: Any) -> None:
        pass

    def writeto(self, address: int, buffer: bytes, *, start: int = 0, end: int = 0) -> None:
        if end - start == 3 and self._keeps >> buffer[start] & 1:
            self._words[buffer[start]] = bytes(buffer[start + 1 : end])

    def writeto_then_readfrom(
        self,
        address: int,
        out: bytes,
        into: bytearray,
        *,
        out_start: int = 0,
        in_start: int = 0,
        in_end: int | None = None,
        **_: Any,
    ) -> None:
        into[in_start:in_end] = self._words[out[out_start]]


def one(data: bytes) -> None:
    """Measurements, good ones within what the chip can see, or a SensorError with a hint."""
    conversion_s, ina219.CONVERSION_S = ina219.CONVERSION_S, 0.0  # these registers need no time
    try:
        sensor = ina219.open(SETTINGS, Registers(data))  # type: ignore[arg-type]
        measurements = sensor.read()
    except SensorError as error:
        assert str(error) and error.hint
        return
    finally:
        ina219.CONVERSION_S = conversion_s
    volts, amperes, watts = measurements
    assert [one.quantity for one in measurements] == list(ina219.QUANTITIES)
    assert volts.flag is Flag.BAD or 0 <= volts.value <= 26
    assert amperes.flag is Flag.BAD or abs(amperes.value) < 3.2
    assert watts.flag is Flag.BAD or abs(watts.value) <= 26 * 3.2
