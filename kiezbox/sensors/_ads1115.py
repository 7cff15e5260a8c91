"""One input of an ADS1115, which several sensors share: read whole, under its own settings."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from adafruit_ads1x15 import ADS1115, AnalogIn

from kiezbox.errors import SensorGarbled, SensorTimeout
from kiezbox.hardware import Deadline, SensorHardware
from kiezbox.sensors._i2c import Doubted, Registers

__all__ = ["CHANNELS", "Converter", "Sample"]

#: Input -> pin, pin it is measured against (None: ground), and the multiplexer's code
#: (Texas Instruments SBAS444D, table 8-3).
CHANNELS: dict[str, tuple[int, int | None, int]] = {
    "A0": (0, None, 0b100),
    "A1": (1, None, 0b101),
    "A2": (2, None, 0b110),
    "A3": (3, None, 0b111),
    "A0-A1": (0, 1, 0b000),
    "A0-A3": (0, 3, 0b001),
    "A1-A3": (1, 3, 0b010),
    "A2-A3": (2, 3, 0b011),
}
#: Full scale in volts, the package's name of it, and its code (the same table). The widest, 6.144,
#: is for supplies of 5 V.
RANGES = (
    (0.256, 16, 0b101),
    (0.512, 8, 0b100),
    (1.024, 4, 0b011),
    (2.048, 2, 0b010),
    (4.096, 1, 0b001),
    (6.144, 2 / 3, 0b000),
)
#: Eight samples a second: each is the mean of 125 ms, in which the mains' hum is six whole waves
#: and a quarter, and nearly nothing.
SAMPLES_A_SECOND, RATE = 8, 0b000
LOOK_S = 0.01

CONFIGURATION = 0x01
#: Idle, single conversions, comparator off.
IDLE, SINGLE, NO_COMPARATOR = 0x8000, 0x0100, 0x0003
LEAST, MOST = -0x8000, 0x7FFF

#: By address: between the start of a conversion and its result the chip belongs to one sensor.
_TURNS: defaultdict[int, threading.Lock] = defaultdict(threading.Lock)


class Sample(NamedTuple):
    """Volts, and whether they stand at an end of the range: then the truth is beyond."""

    volts: float
    is_clipped: bool


class _Patient(ADS1115):
    """The package's chip, which asks a hundred times a second whether it is done, not thousands."""

    def _conversion_complete(self) -> int:
        time.sleep(LOOK_S)
        return int(super()._conversion_complete())


class Converter:
    """The chip, in one range. All its sensors may use it at once, each by its own object.

    Raises:
        SensorError, OSError: see ``translated``.
    """

    def __init__(self, hardware: SensorHardware, address: int, most_v: float) -> None:
        """``most_v``: the narrowest range that holds so many volts is taken."""
        bus = Doubted(hardware.i2c())
        self.part = f"the ADS1115 at 0x{address:02x}"
        self._address = address
        self._deadline = hardware.deadline
        self._registers = Registers(bus, address)
        gain, self._range_code = next(
            ((gain, code) for full_scale_v, gain, code in RANGES if full_scale_v >= most_v),
            RANGES[-1][1:],
        )
        with _turn(address, self._deadline, self.part):
            self._chip = _Patient(bus, gain=gain, data_rate=SAMPLES_A_SECOND, address=address)

    def sample(self, channel: str) -> Sample:
        """One conversion, of which the chip says afterwards that it was this one.

        Raises:
            SensorGarbled: three conversions, and each time it was another.
        """
        pin, against, mux = CHANNELS[channel]
        wanted = IDLE | mux << 12 | self._range_code << 9 | SINGLE | RATE << 5 | NO_COMPARATOR
        one = AnalogIn(self._chip, pin, against)
        for _ in range(3):
            with _turn(self._address, self._deadline, self.part):
                code = one.value
                found = int.from_bytes(self._registers.read_register(CONFIGURATION, 2), "big")
            if found == wanted:
                return Sample(one.convert_to_voltage(code), code in (LEAST, MOST))
        raise SensorGarbled(
            f"{self.part} forgets what it was told to measure",
            hint="Its supply dips, or another program uses it: give VDD its own wire to the 3.3 V"
            " pin; `kiezbox read` beside a running node is such a program, so try again.",
        )


@contextmanager
def _turn(address: int, deadline: Deadline, part: str) -> Iterator[None]:
    if not _TURNS[address].acquire(timeout=min(deadline.remaining_s(), threading.TIMEOUT_MAX)):
        raise SensorTimeout(f"{part} is busy with other sensors", hint="A longer deadline_s helps.")
    try:
        yield
    finally:
        _TURNS[address].release()
