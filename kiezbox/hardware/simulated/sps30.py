"""A simulated SPS30 on I²C (PM1, PM2.5, PM4, PM10), word by word.

Modelled: idle, measuring and sleep, waking up by two commands within 100 ms, values as floats and
as whole numbers, a measurement a second and its ready flag, fan cleaning and its 10 s without
values, its interval, product type, serial number, firmware version, status register and its
clearing, reset.
Not modelled: that the first seconds' values are too low, number concentrations and particle size
that fit the masses (they are made up in proportion), the speed bit's own coming and going.
Source: Sensirion, "Datasheet SPS30" 1.0 (March 2020), sections 4 and 6; the commands' numbers and
lengths also in sensirion-i2c-sps30 1.0.0, commands.py.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import ClassVar

from kiezbox.hardware.simulated import _sensirion
from kiezbox.hardware.simulated._sensirion import Done, SensirionChip, nack

__all__ = ["SimulatedSps30"]

START, STOP, READY, READ = 0x0010, 0x0104, 0x0202, 0x0300
SLEEP, WAKE, CLEAN, INTERVAL = 0x1001, 0x1103, 0x5607, 0x8004
PRODUCT, SERIAL, VERSION = 0xD002, 0xD033, 0xD100
STATUS, CLEAR_STATUS, RESET = 0xD206, 0xD210, 0xD304
AS_FLOAT, AS_INTEGER = 0x0300, 0x0500
FAN, LASER, SPEED = 1 << 4, 1 << 5, 1 << 21
CLEANING_S = 10.0
#: The interface of one that sleeps stays open so long after the first word.
NUDGE_S = 0.1
MEASURES_S = 1.0
WEEK_S = 604800


class SimulatedSps30(SensirionChip):
    """The sensor. ``set()`` is the air, ``fault`` what is wrong, ``status`` its register."""

    FAULTS: ClassVar[dict[str, str]] = {
        **_sensirion.FAULTS,
        **_sensirion.RAW_FAULTS,
        "fan_blocked": "the fan stands still: status bit 4",
        "laser_broken": "the laser's current is off: status bit 5",
        "fan_slow": "the fan turns too slowly: status bit 21",
        "never_ready": "it never has a new measurement",
        "empty": "all ten values are 0",
        "wrong_id": "an SEN5x at the same address: another product type",
    }
    STATUS_OF: ClassVar[dict[str, int]] = {
        "fan_blocked": FAN,
        "laser_broken": LASER,
        "fan_slow": SPEED,
    }

    def __init__(
        self, *, firmware: tuple[int, int] = (2, 2), nudge_s: float = NUDGE_S, **detail: object
    ) -> None:
        """``nudge_s``: how long a nudge lasts, which tests with a fast clock must stretch."""
        self.firmware = firmware
        self.nudge_s = nudge_s
        self.interval_s = WEEK_S
        self._air = (5.0, 8.0, 9.0, 10.0)
        super().__init__(**detail)  # type: ignore[arg-type]

    def set(self, pm1: float, pm2_5: float, pm4: float, pm10: float) -> None:
        """The air from now on, in µg/m³."""
        self._air = (pm1, pm2_5, pm4, pm10)

    def start(self) -> None:
        self.state = "idle"
        self._format = AS_FLOAT
        self._ready_at = float("inf")
        self._nudged_at = float("-inf")
        self.status = 0

    # --- the bus's side -----------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        if self.state == "asleep" and self._fault != "silence":
            is_open = self.clock() - self._nudged_at < self.nudge_s
            if not is_open or data[:2] != WAKE.to_bytes(2, "big"):
                self._nudged_at = self.clock()
                raise nack()
        super().write(data)

    def read(self, count: int) -> bytes:
        if self.state == "asleep":
            raise nack()
        return super().read(count)

    # --- inside -------------------------------------------------------------------------------

    def carry_out(self, command: int, arguments: list[int]) -> Done:
        handle = _COMMANDS.get(command)
        if handle is None:
            raise nack()
        return handle(self, arguments)

    def _start_measuring(self, arguments: list[int]) -> Done:
        if self.state == "idle" and arguments and arguments[0] in (AS_FLOAT, AS_INTEGER):
            self.state, self._format = "measuring", arguments[0]
            self._ready_at = self.clock() + MEASURES_S
        return Done(0.02)

    def _stop_measuring(self, arguments: list[int]) -> Done:
        self.state, self._ready_at = "idle", float("inf")
        return Done(0.02)

    def _tell_ready(self, arguments: list[int]) -> Done:
        is_ready = self.clock() >= self._ready_at and self._fault != "never_ready"
        return Done(0.0, [int(is_ready)])

    def _tell_values(self, arguments: list[int]) -> Done:
        if self.state != "measuring":
            raise nack()
        self._ready_at = self.clock() + MEASURES_S
        masses = (0.0,) * 4 if self._fault == "empty" else self._air
        values = (
            *masses,
            *(7.0 * mass for mass in (masses[0], *masses)),
            0.6 if any(masses) else 0.0,
        )
        if self._format == AS_INTEGER:
            return Done(0.0, [round(value) for value in values])
        return Done(0.0, list(struct.unpack(">20H", struct.pack(">10f", *values))))

    def _fall_asleep(self, arguments: list[int]) -> Done:
        if self.state != "idle" or self.firmware < (2, 0):
            raise nack()
        self.state = "asleep"
        return Done(0.005)

    def _wake_up(self, arguments: list[int]) -> Done:
        if self.state == "asleep":
            self.state = "idle"
        return Done(0.005)

    def _clean(self, arguments: list[int]) -> Done:
        if self.state == "measuring":
            self._ready_at = self.clock() + CLEANING_S
        return Done(0.005)

    def _interval(self, arguments: list[int]) -> Done:
        if arguments:
            self.interval_s = arguments[0] << 16 | arguments[1]
            return Done(0.02)
        return Done(0.005, [self.interval_s >> 16, self.interval_s & 0xFFFF])

    def _tell_product(self, arguments: list[int]) -> Done:
        name = b"\0\0SEN55\0" if self._fault == "wrong_id" else b"00080000"
        return Done(0.0, list(struct.unpack(">4H", name)))

    def _tell_serial(self, arguments: list[int]) -> Done:
        return Done(0.0, list(struct.unpack(">16H", b"A1B2C3D4E5F60718".ljust(32, b"\0"))))

    def _tell_version(self, arguments: list[int]) -> Done:
        return Done(0.0, [self.firmware[0] << 8 | self.firmware[1]])

    def _tell_status(self, arguments: list[int]) -> Done:
        register = self.status | self.STATUS_OF.get(self._fault or "", 0)
        return Done(0.0, [register >> 16, register & 0xFFFF])

    def _clear_status(self, arguments: list[int]) -> Done:
        self.status = 0
        return Done(0.005)

    def _reset(self, arguments: list[int]) -> Done:
        self.start()
        return Done(0.1)


_COMMANDS: dict[int, Callable[[SimulatedSps30, list[int]], Done]] = {
    START: SimulatedSps30._start_measuring,
    STOP: SimulatedSps30._stop_measuring,
    READY: SimulatedSps30._tell_ready,
    READ: SimulatedSps30._tell_values,
    SLEEP: SimulatedSps30._fall_asleep,
    WAKE: SimulatedSps30._wake_up,
    CLEAN: SimulatedSps30._clean,
    INTERVAL: SimulatedSps30._interval,
    PRODUCT: SimulatedSps30._tell_product,
    SERIAL: SimulatedSps30._tell_serial,
    VERSION: SimulatedSps30._tell_version,
    STATUS: SimulatedSps30._tell_status,
    CLEAR_STATUS: SimulatedSps30._clear_status,
    RESET: SimulatedSps30._reset,
}
