"""A simulated INA219 (bus voltage, current, power), register by register.

Modelled: the six registers, reset, both bus ranges, the four shunt ranges and how they clip,
conversion times with averaging, continuous and triggered modes, power-down, conversion-ready
and overflow flags, current and power from the calibration register, which way the shunt sits.
Not modelled: ADC noise, that bus and shunt are converted one after the other (both are taken at
the end of a cycle), high-speed mode, the reset by a held-down bus.
Source: Texas Instruments SBOS448G; sections are named where they are used.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from kiezbox.hardware.simulated import _chip
from kiezbox.hardware.simulated._chip import WordRegisters, nack

__all__ = ["FAULTS", "SimulatedIna219"]

#: What can go wrong inside the chip (what goes wrong on the bus is ``simulated.bus.FAULTS``).
FAULTS = {
    "silence": "no acknowledge: unplugged; plugged in again it starts from power-on",
    "brown_out": "the supply dips under every load: each write is forgotten at once",
    "overflow": "the math overflow flag is set: current and power mean nothing",
    "wrong_id": "an INA226, sold as an INA219: other register layout",
    **_chip.FAULTS,
}

CONFIG, SHUNT, BUS, POWER, CURRENT, CALIBRATION = range(6)
#: Section 8.6.2.1, "reset = 399Fh": 32 V, ±320 mV, 12 bits, continuous.
POWER_ON = 0x399F
#: The INA226's configuration register after power-on (SBOS547, table "Configuration Register").
POWER_ON_INA226 = 0x4127
CONVERSION_READY, OVERFLOW = 0x0002, 0x0001


class SimulatedIna219(WordRegisters):
    """The chip on its bus. ``set()`` is the cable it measures, ``fault`` what is wrong with it."""

    FAULTS = FAULTS
    FORGETS = frozenset({"silence", "brown_out"})

    def __init__(
        self,
        *,
        shunt_ohm: float = 0.1,
        is_reversed: bool = False,
        clock: Callable[[], float] = time.monotonic,
        seed: int = 1,
    ) -> None:
        """``is_reversed``: the shunt's two ends are swapped, so currents change their sign."""
        super().__init__(clock, seed)
        self.shunt_ohm = shunt_ohm
        self.is_reversed = is_reversed
        self._cable: tuple[float, float] | None = (12.8, 0.5)
        self.power_cycle()

    def set(self, bus_v: float | None, current_a: float | None) -> None:
        """Volts at the load's side and amperes through the shunt; None: unplugged."""
        self._cable = None if bus_v is None or current_a is None else (bus_v, current_a)

    def power_cycle(self) -> None:
        """The supply was away: all registers are at their reset values (table 2)."""
        self._pointer = CONFIG
        self._calibration = self._shunt = self._bus = self._current = self._power = 0
        self._flags = 0
        self._configure(POWER_ON)

    def _answer(self) -> None:
        if self._fault == "silence" or self._cable is None:
            raise nack()
        if self._done_at is not None and self._clock() >= self._done_at:
            self._convert(*self._cable)

    def _get(self, register: int) -> int:
        if register == CONFIG:
            return POWER_ON_INA226 if self._fault == "wrong_id" else self._config
        if register == SHUNT:
            return self._shunt & 0xFFFF
        if register == BUS:
            forced = OVERFLOW if self._fault == "overflow" else 0
            return self._bus << 3 | self._flags | forced
        if register == POWER:
            self._flags &= ~CONVERSION_READY  # reading it clears the flag (section 8.6.3.2)
            return self._power
        if register == CURRENT:
            return self._current & 0xFFFF
        return self._calibration if register == CALIBRATION else 0

    def _put(self, register: int, value: int) -> None:
        if register == CONFIG and value & 0x8000:
            self.power_cycle()  # RST (section 8.6.2.1)
        elif register == CONFIG:
            self._configure(value)
        elif register == CALIBRATION:
            self._calibration = value & 0xFFFE  # bit 0 cannot be set (section 8.6.4.1)
        if self._fault == "brown_out":
            self.power_cycle()

    def _configure(self, value: int) -> None:
        self._config = value
        mode = value & 7
        # Neither power-down (0) nor ADC off (4) starts a conversion or clears the flag.
        self._done_at = None
        if mode & 3:
            self._flags &= ~CONVERSION_READY
            self._done_at = self._clock() + self._conversion_s()

    def _conversion_s(self) -> float:
        """How long one cycle takes: shunt, then bus, as far as the mode has them (table 5)."""
        shunt_s = _conversion_s(self._config >> 3 & 0xF) if self._config & 1 else 0.0
        bus_s = _conversion_s(self._config >> 7 & 0xF) if self._config & 2 else 0.0
        return shunt_s + bus_s

    def _convert(self, bus_v: float, current_a: float) -> None:
        mode = self._config & 7
        if mode & 1:
            # Steps of 10 µV in all four ranges, clipped at 40, 80, 160 or 320 mV
            # (section 8.6.3.1 and table 4).
            full_scale = 4000 << (self._config >> 11 & 3)
            sign = -1 if self.is_reversed else 1
            steps = round(sign * current_a * self.shunt_ohm / 10e-6)
            self._shunt = max(-full_scale, min(full_scale, steps))
        if mode & 2:
            full_scale = 8000 if self._config & 0x2000 else 4000
            self._bus = max(0, min(full_scale, round(bus_v / 4e-3)))
        # Sections 8.6.3.3 and 8.6.3.4, and 8.6.3.2 for the flag.
        current = int(self._shunt * self._calibration / 4096)
        power = int(abs(current) * self._bus / 5000)
        is_overflow = abs(current) > 0x7FFF or power > 0xFFFF
        self._current, self._power = current, min(power, 0xFFFF)
        self._flags = CONVERSION_READY | (OVERFLOW if is_overflow else 0)
        self._done_at = self._clock() + self._conversion_s() if mode & 4 else None


def _conversion_s(bits: int) -> float:
    """Conversion time of one ADC setting: 84 µs to 68.10 ms (table 5)."""
    if bits & 8:
        return 532e-6 * (1 << (bits & 7))
    return (84e-6, 148e-6, 276e-6, 532e-6)[bits & 3]
