"""A simulated INA226 (bus voltage, current, power), register by register.

Modelled: configuration, shunt, bus, power, current, calibration, mask/enable (conversion-ready and
overflow flags), alert limit, both ids, reset, averaging and conversion times, continuous and
triggered modes, power-down, how shunt and bus registers clip.
Not modelled: ADC noise, the alert pin and its functions, that bus and shunt are converted one
after the other (both are taken at the end of a cycle).
Source: Texas Instruments SBOS547B; sections are named where they are used.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from kiezbox.hardware.simulated import _chip
from kiezbox.hardware.simulated._chip import WordRegisters, nack

__all__ = ["FAULTS", "SimulatedIna226"]

#: What can go wrong inside the chip (what goes wrong on the bus is ``simulated.bus.FAULTS``).
FAULTS = {
    "silence": "no acknowledge: unplugged; plugged in again it starts from power-on",
    "brown_out": "the supply dips under every load: each write is forgotten at once",
    "wrong_id": "an INA219, sold as an INA226: other register layout",
    **_chip.FAULTS,
}

CONFIG, SHUNT, BUS, POWER, CURRENT, CALIBRATION, MASK_ENABLE, ALERT_LIMIT = range(8)
MANUFACTURER, DIE = 0xFE, 0xFF
#: Section 7.1.1, and the INA219's (SBOS448G 8.6.2.1).
POWER_ON, POWER_ON_INA219 = 0x4127, 0x399F
#: Sections 7.1.9 and 7.1.10.
IDS = {MANUFACTURER: 0x5449, DIE: 0x2260}
CONVERSION_READY, OVERFLOW = 0x0008, 0x0004
#: Samples in a mean, and seconds a conversion takes (section 7.1.1, tables 7-3 to 7-5).
AVERAGES = (1, 4, 16, 64, 128, 256, 512, 1024)
CONVERSIONS_S = (140e-6, 204e-6, 332e-6, 588e-6, 1.1e-3, 2.116e-3, 4.156e-3, 8.244e-3)


class SimulatedIna226(WordRegisters):
    """The chip on its bus. ``set()`` is the cable it measures, ``fault`` what is wrong with it."""

    FAULTS = FAULTS
    FORGETS = frozenset({"silence", "brown_out"})

    def __init__(
        self,
        *,
        shunt_ohm: float = 0.1,
        clock: Callable[[], float] = time.monotonic,
        seed: int = 1,
    ) -> None:
        super().__init__(clock, seed)
        self.shunt_ohm = shunt_ohm
        self._cable: tuple[float, float] | None = (12.8, 0.5)
        self.power_cycle()

    def set(self, bus_v: float | None, current_a: float | None) -> None:
        """Volts at VBUS and amperes through the shunt; None: unplugged."""
        self._cable = None if bus_v is None or current_a is None else (bus_v, current_a)

    def power_cycle(self) -> None:
        """The supply was away: all registers are at their reset values (table 7-1)."""
        self._pointer = CONFIG
        self._words = dict.fromkeys(range(8), 0)
        self._configure(POWER_ON)

    def _answer(self) -> None:
        if self._fault == "silence" or self._cable is None:
            raise nack()
        if self._done_at is not None and self._clock() >= self._done_at:
            self._convert(*self._cable)

    def _get(self, register: int) -> int:
        if self._fault == "wrong_id" and register in (CONFIG, *IDS):
            return POWER_ON_INA219 if register == CONFIG else 0
        if register in IDS:
            return IDS[register]
        word = self._words.get(register, 0)
        if register == MASK_ENABLE:
            self._words[MASK_ENABLE] &= ~CONVERSION_READY  # reading it clears it (section 7.1.7)
        return word & 0xFFFF

    def _put(self, register: int, value: int) -> None:
        if register == CONFIG and value & 0x8000:
            self.power_cycle()  # RST
        elif register == CONFIG:
            self._configure(value)
        elif register == CALIBRATION:
            self._words[CALIBRATION] = value & 0x7FFF
        elif register in (MASK_ENABLE, ALERT_LIMIT):
            self._words[register] = value
        if self._fault == "brown_out":
            self.power_cycle()

    def _configure(self, value: int) -> None:
        self._words[CONFIG] = value & 0x0FFF | 0x4000  # bits 14 to 12 always read 100
        self._words[MASK_ENABLE] &= ~CONVERSION_READY  # section 7.1.7, except power-down
        self._done_at = self._clock() + self._cycle_s() if value & 3 else None

    def _cycle_s(self) -> float:
        """How long a cycle takes: shunt and bus, as far as the mode has them, averaged."""
        config = self._words[CONFIG]
        bus_s = CONVERSIONS_S[config >> 6 & 7] if config & 2 else 0.0
        shunt_s = CONVERSIONS_S[config >> 3 & 7] if config & 1 else 0.0
        return AVERAGES[config >> 9 & 7] * (bus_s + shunt_s)

    def _convert(self, bus_v: float, current_a: float) -> None:
        words, config = self._words, self._words[CONFIG]
        if config & 1:
            steps = round(current_a * self.shunt_ohm / 2.5e-6)
            words[SHUNT] = max(-0x8000, min(0x7FFF, steps))
        if config & 2:
            words[BUS] = max(0, min(0x7FFF, round(bus_v / 1.25e-3)))
        # Equations 3 and 4 of section 6.5.2.
        current = int(words[SHUNT] * words[CALIBRATION] / 2048)
        power = int(abs(current) * words[BUS] / 20000)
        is_overflow = abs(current) > 0x7FFF or power > 0xFFFF
        words[CURRENT], words[POWER] = current, min(power, 0xFFFF)
        words[MASK_ENABLE] &= ~OVERFLOW
        words[MASK_ENABLE] |= CONVERSION_READY | (OVERFLOW if is_overflow else 0)
        self._done_at = self._clock() + self._cycle_s() if config & 4 else None
