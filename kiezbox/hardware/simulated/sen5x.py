"""A simulated SEN50, SEN54 or SEN55, word by word.

Modelled: idle, measuring with and without particulates, changing between the two (from firmware 2.0
on), a measurement a second and its ready flag, the ten seconds in which the NOx index is not known,
values that a model does not have, fan cleaning and its 10 s without values, product name, serial
number, version, status register and its clearing, reset.
Not modelled: the indices' own algorithm (they are what ``set`` says) and their beginning anew, that
the first seconds' particulates are too low, offsets, tuning and state of the algorithms.
Source: commands, lengths, times and "not known" values as in sensirion-i2c-sen5x 0.1.1
(commands/generated.py, which Sensirion generates from the sensor's description).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import ClassVar

from kiezbox.hardware.simulated import _sensirion
from kiezbox.hardware.simulated._sensirion import Done, SensirionChip, nack

__all__ = ["SimulatedSen5x"]

START, START_WITHOUT_PM, STOP = 0x0021, 0x0037, 0x0104
READY, READ, CLEAN = 0x0202, 0x03C4, 0x5607
PRODUCT, SERIAL, VERSION = 0xD014, 0xD033, 0xD100
STATUS, READ_AND_CLEAR_STATUS, RESET = 0xD206, 0xD210, 0xD304
FAN, LASER, RHT, GAS, CLEANING, SPEED = 1 << 4, 1 << 5, 1 << 6, 1 << 7, 1 << 19, 1 << 21
CLEANING_S = 10.0
#: "During the first 10..11 seconds after power-on or device reset, this value will be 0x7FFF".
NOX_BLANK_S = 10.0
UNKNOWN_MASS, UNKNOWN = 0xFFFF, 0x7FFF
#: Model -> how many of the eight values it has.
HAS = {"SEN50": 4, "SEN54": 7, "SEN55": 8}


class SimulatedSen5x(SensirionChip):
    """The sensor. ``set()`` is the air, ``fault`` what is wrong, ``status`` its register."""

    FAULTS: ClassVar[dict[str, str]] = {
        **_sensirion.FAULTS,
        **_sensirion.RAW_FAULTS,
        "fan_blocked": "the fan stands still: status bit 4",
        "laser_broken": "the laser's current is off: status bit 5",
        "fan_slow": "the fan turns too slowly: status bit 21",
        "climate_broken": "humidity and temperature sensor: status bit 6",
        "gas_broken": "gas sensor: status bit 7",
        "unknown": "all values are those that say: not known",
        "never_ready": "it never has a new measurement",
        "wrong_id": "an SPS30 at the same address: it does not know the question",
    }
    STATUS_OF: ClassVar[dict[str, int]] = {
        "fan_blocked": FAN,
        "laser_broken": LASER,
        "fan_slow": SPEED,
        "climate_broken": RHT,
        "gas_broken": GAS,
    }

    def __init__(
        self,
        *,
        model: str = "SEN55",
        firmware: tuple[int, int] = (2, 0),
        **detail: object,
    ) -> None:
        self.model = model
        self.firmware = firmware
        self._masses = (5.0, 8.0, 9.0, 10.0)
        self._climate = (50.0, 20.0)
        self._gases = (100.0, 1.0)
        super().__init__(**detail)  # type: ignore[arg-type]

    def set(
        self,
        masses: tuple[float, float, float, float],
        humidity_percent: float = 50.0,
        temperature_c: float = 20.0,
        voc_index: float = 100.0,
        nox_index: float = 1.0,
    ) -> None:
        """The air from now on; masses (PM1, PM2.5, PM4, PM10) in µg/m³."""
        self._masses = masses
        self._climate = (humidity_percent, temperature_c)
        self._gases = (voc_index, nox_index)

    def start(self) -> None:
        #: "idle", "measuring", or "gas": measuring without fan and laser.
        self.state = "idle"
        self.status = 0
        #: How often the gas sensor has begun anew.
        self.gas_starts = 0
        self._ready_at = float("inf")
        self._on_since = self.clock()

    def carry_out(self, command: int, arguments: list[int]) -> Done:
        handle = _COMMANDS.get(command)
        if handle is None or (self._fault == "wrong_id" and command in (PRODUCT, READ)):
            raise nack()
        return handle(self, arguments)

    def _start_measuring(self, arguments: list[int]) -> Done:
        return self._change("measuring")

    def _start_without_pm(self, arguments: list[int]) -> Done:
        if self.model == "SEN50":
            raise nack()
        return self._change("gas")

    def _change(self, state: str) -> Done:
        if self.state == state:
            return Done(0.05)
        if self.state != "idle" and self.firmware < (2, 0):
            return Done(0.05)  # "supported only in idle mode": it goes on as it was
        self.gas_starts += self.state == "idle"
        self.state = state
        self._ready_at = self.clock() + 1.0
        return Done(0.05)

    def _stop_measuring(self, arguments: list[int]) -> Done:
        self.state, self._ready_at = "idle", float("inf")
        return Done(0.16)

    def _tell_ready(self, arguments: list[int]) -> Done:
        is_ready = self.clock() >= self._ready_at and self._fault != "never_ready"
        return Done(0.02, [int(is_ready)])

    def _tell_values(self, arguments: list[int]) -> Done:
        self._ready_at = self.clock() + 1.0
        unknown = [UNKNOWN_MASS] * 4 + [UNKNOWN] * 4
        if self._fault == "unknown" or self.state == "idle":
            return Done(0.02, unknown)
        masses = [min(0xFFFE, round(mass * 10)) for mass in self._masses]
        humidity, celsius = (round(self._climate[0] * 100), round(self._climate[1] * 200))
        voc, nox = (round(index * 10) for index in self._gases)
        known = [*masses, humidity, celsius & 0xFFFF, voc, nox]
        if self.clock() - self._on_since < NOX_BLANK_S:
            known[7] = UNKNOWN
        if self.state == "gas":
            known[:4] = unknown[:4]
        count = HAS[self.model]
        return Done(0.02, known[:count] + unknown[count:])

    def _clean(self, arguments: list[int]) -> Done:
        if self.state == "measuring":
            self._ready_at = self.clock() + CLEANING_S
        return Done(0.02)

    def _tell_product(self, arguments: list[int]) -> Done:
        return Done(0.02, _text(self.model))

    def _tell_serial(self, arguments: list[int]) -> Done:
        return Done(0.02, _text("0123456789ABCDEF"))

    def _tell_version(self, arguments: list[int]) -> Done:
        # Firmware, debug, hardware, protocol, padding.
        return Done(0.02, list(struct.unpack(">4H", bytes((*self.firmware, 0, 4, 0, 1, 0, 0)))))

    def _tell_status(self, arguments: list[int]) -> Done:
        register = self.status | self.STATUS_OF.get(self._fault or "", 0)
        return Done(0.02, [register >> 16, register & 0xFFFF])

    def _clear_status(self, arguments: list[int]) -> Done:
        told = self._tell_status(arguments)
        self.status = 0
        return told

    def _reset(self, arguments: list[int]) -> Done:
        self.start()
        return Done(0.1)


def _text(text: str) -> list[int]:
    return list(struct.unpack(">16H", text.encode().ljust(32, b"\0")))


_COMMANDS: dict[int, Callable[[SimulatedSen5x, list[int]], Done]] = {
    START: SimulatedSen5x._start_measuring,
    START_WITHOUT_PM: SimulatedSen5x._start_without_pm,
    STOP: SimulatedSen5x._stop_measuring,
    READY: SimulatedSen5x._tell_ready,
    READ: SimulatedSen5x._tell_values,
    CLEAN: SimulatedSen5x._clean,
    PRODUCT: SimulatedSen5x._tell_product,
    SERIAL: SimulatedSen5x._tell_serial,
    VERSION: SimulatedSen5x._tell_version,
    STATUS: SimulatedSen5x._tell_status,
    READ_AND_CLEAR_STATUS: SimulatedSen5x._clear_status,
    RESET: SimulatedSen5x._reset,
}
