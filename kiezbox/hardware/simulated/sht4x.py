"""A simulated SHT40, SHT41 or SHT45 (temperature, relative humidity), command by command.

Modelled: the commands (one byte each), how long they take, serial number, soft reset, heater
(which warms while it measures), checksums, no acknowledge while it works.
Not modelled: the three precisions differ in time only, noise, condensation, that a heater warms
on afterwards.
Source: Sensirion, data sheet SHT4x; sections are named where they are used.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from kiezbox.hardware.simulated._climate import heated, humidity_word_sht4x, temperature_word
from kiezbox.hardware.simulated._sensirion import FAULTS, RAW_FAULTS, Done, SensirionChip, nack

__all__ = ["SimulatedSht4x"]

SOFT_RESET, SERIAL = 0x94, 0x89


class Measure(NamedTuple):
    """How long a measurement takes, and how warm the heater makes the chip meanwhile."""

    takes_s: float
    kelvin: float = 0.0


#: Command -> measurement (table 8; typical durations of table 5, heater pulses of section 4.9).
#: How much 200, 110 and 20 mW warm depends on the board; these are the right order.
MEASUREMENTS = {
    0xFD: Measure(0.0069),
    0xF6: Measure(0.0037),
    0xE0: Measure(0.0013),
    0x39: Measure(1.0, 60.0),
    0x32: Measure(0.1, 60.0),
    0x2F: Measure(1.0, 33.0),
    0x24: Measure(0.1, 33.0),
    0x1E: Measure(1.0, 6.0),
    0x15: Measure(0.1, 6.0),
}


class SimulatedSht4x(SensirionChip):
    """The chip on its bus. ``set()`` is the air around it."""

    FAULTS = {
        **FAULTS,
        **RAW_FAULTS,
        "wrong_id": "an SHT31, sold as an SHT40: it takes no command of one byte",
    }
    COMMAND_BYTES = 1

    air = (20.0, 50.0)
    serial_number = 0x0F4A_1B2C

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
            takes_s, kelvin = MEASUREMENTS[command]
            return Done(takes_s, lambda: self._measured(kelvin))
        if command == SERIAL:
            return Done(0.0, divmod(self.serial_number, 1 << 16))
        if command == SOFT_RESET:
            return Done(0.001)  # table 5, "Soft reset time"
        raise nack()

    def _measured(self, kelvin: float) -> Sequence[int]:
        celsius, percent = heated(*self.air, kelvin)
        return temperature_word(celsius), humidity_word_sht4x(percent)
