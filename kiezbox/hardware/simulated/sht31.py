"""A simulated SHT30, SHT31 or SHT35 (temperature, relative humidity), command by command.

Modelled: single shot in three repeatabilities, with how long it takes; status register, heater,
soft reset, break, serial number, checksums, no acknowledge while it works.
Not modelled: periodic mode and its fetching, alerts, clock stretching (its commands answer as
those without), noise.
Source: Sensirion, data sheet SHT3x-DIS, version 5; sections are named where they are used.
"""

from __future__ import annotations

from collections.abc import Sequence

from kiezbox.hardware.simulated._climate import heated, humidity_word, temperature_word
from kiezbox.hardware.simulated._sensirion import FAULTS, RAW_FAULTS, Done, SensirionChip, nack

__all__ = ["SimulatedSht31"]

#: Command -> seconds: single shot with and without clock stretching (tables 4 and 9, typical).
MEASUREMENTS = {
    0x2C06: 0.0125, 0x2C0D: 0.0045, 0x2C10: 0.0025,
    0x2400: 0.0125, 0x240B: 0.0045, 0x2416: 0.0025,
}  # fmt: skip
STATUS, CLEAR_STATUS, SERIAL = 0xF32D, 0x3041, 0x3780
HEATER_ON, HEATER_OFF, SOFT_RESET, BREAK = 0x306D, 0x3066, 0x30A2, 0x3093
#: Bits of the status register (table 18).
ALERT, HEATER, WAS_RESET = 0x8000, 0x2000, 0x0010
#: "The temperature is increased by a few degrees" (section 4.10).
HEATER_K = 4.0


class SimulatedSht31(SensirionChip):
    """The chip on its bus. ``set()`` is the air around it."""

    FAULTS = {
        **FAULTS,
        **RAW_FAULTS,
        "wrong_id": "an SHT40, sold as an SHT31: it takes no command of two bytes",
    }

    air = (20.0, 50.0)
    serial_number = 0x1234_5678

    def start(self) -> None:
        self.is_heating = False
        self._status = ALERT | WAS_RESET

    @property
    def conversions(self) -> int:
        """How often it has measured."""
        return sum(command in MEASUREMENTS for command in self.commands)

    def set(self, temperature_c: float | None, humidity_percent: float | None) -> None:
        """Air of so many °C and %RH from now on; None (a gap in a recording): unplugged."""
        self.is_away = temperature_c is None or humidity_percent is None
        if temperature_c is not None and humidity_percent is not None:
            self.air = (temperature_c, humidity_percent)

    def carry_out(self, command: int, arguments: list[int]) -> Done:
        if self.fault == "wrong_id" or arguments:
            raise nack()
        if command in MEASUREMENTS:
            return Done(MEASUREMENTS[command], self._measured)
        if command == STATUS:
            return Done(0.0, (self._status | HEATER * self.is_heating,))
        if command == SERIAL:
            return Done(0.0, divmod(self.serial_number, 1 << 16))
        if command == CLEAR_STATUS:
            self._status &= ~(ALERT | WAS_RESET)
            return Done()
        if command in (HEATER_ON, HEATER_OFF):
            self.is_heating = command == HEATER_ON
            return Done()
        if command == SOFT_RESET:
            self.start()
            return Done(0.0005)  # table 4, "Soft reset time"
        if command == BREAK:
            return Done(0.001)  # section 4.8
        raise nack()

    def _measured(self) -> Sequence[int]:
        celsius, percent = heated(*self.air, HEATER_K if self.is_heating else 0.0)
        return temperature_word(celsius), humidity_word(percent)
