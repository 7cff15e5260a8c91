"""A simulated ADS1115 (four analogue inputs), register by register.

Modelled: the four registers, multiplexer, ranges and how they clip, single and continuous
conversions and how long they take, the idle bit, thresholds (kept, not acted upon).
Not modelled: the comparator and its pin, noise, offset, what an open input picks up, its input
impedance, that the inputs stand no more than the supply.
Source: Texas Instruments SBAS444D, "Register map" (table 8-3: configuration), "Data format" (table
7-3) and "Data rate and conversion time".
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import ClassVar

from kiezbox.hardware.simulated import _chip
from kiezbox.hardware.simulated._chip import WordRegisters, nack

__all__ = ["FAULTS", "SimulatedAds1115"]

#: What can go wrong inside the chip (what goes wrong on the bus is ``simulated.bus.FAULTS``).
FAULTS = {
    "silence": "no acknowledge: unplugged; plugged in again it starts from power-on",
    "brown_out": "the supply dips under every load: each write is forgotten at once",
    "never_ready": "no conversion ever ends: the idle bit stays 0",
    **_chip.FAULTS,
}

CONVERSION, CONFIG, LOW, HIGH = range(4)
POWER_ON = {CONVERSION: 0x0000, CONFIG: 0x8583, LOW: 0x8000, HIGH: 0x7FFF}
#: By the multiplexer's code: the input, and the one it is measured against (None: ground).
INPUTS: tuple[tuple[int, int | None], ...] = (
    (0, 1), (0, 3), (1, 3), (2, 3), (0, None), (1, None), (2, None), (3, None),
)  # fmt: skip
FULL_SCALES_V = (6.144, 4.096, 2.048, 1.024, 0.512, 0.256, 0.256, 0.256)
SAMPLES_A_SECOND = (8, 16, 32, 64, 128, 250, 475, 860)
IDLE, SINGLE = 0x8000, 0x0100


class SimulatedAds1115(WordRegisters):
    """The chip on its bus. ``set()`` is what its inputs see, ``fault`` what is wrong with it."""

    FAULTS: ClassVar[dict[str, str]] = FAULTS
    FORGETS = frozenset({"silence", "brown_out", "never_ready"})

    def __init__(self, *, clock: Callable[[], float] = time.monotonic, seed: int = 1) -> None:
        super().__init__(clock, seed)
        self._volts = [0.0, 0.0, 0.0, 0.0]
        self.power_cycle()

    def set(self, *volts: float) -> None:
        """Volts at A0, A1, …; inputs that are left out stay."""
        self._volts[: len(volts)] = volts

    def power_cycle(self) -> None:
        """The supply was away."""
        self._pointer = CONVERSION
        self._words = dict(POWER_ON)
        self._done_at: float | None = None

    def _answer(self) -> None:
        if self._fault == "silence":
            raise nack()
        is_due = self._done_at is not None and self._clock() >= self._done_at
        if is_due and self._fault != "never_ready":
            self._convert()

    def _get(self, register: int) -> int:
        return self._words[register & 3]

    def _put(self, register: int, value: int) -> None:
        register &= 3
        if register == CONFIG:
            starts = bool(value & IDLE) or not value & SINGLE
            self._words[CONFIG] = value & ~IDLE if starts else value | IDLE
            self._done_at = self._clock() + self._conversion_s() if starts else None
        elif register in (LOW, HIGH):
            self._words[register] = value
        if self._fault == "brown_out":
            self.power_cycle()

    def _input_v(self, number: int) -> float:
        return self._volts[number]

    def _conversion_s(self) -> float:
        return 1 / SAMPLES_A_SECOND[self._words[CONFIG] >> 5 & 7]

    def _convert(self) -> None:
        config = self._words[CONFIG]
        plus, minus = INPUTS[config >> 12 & 7]
        volts = self._input_v(plus) - (0.0 if minus is None else self._input_v(minus))
        code = round(volts / FULL_SCALES_V[config >> 9 & 7] * 0x8000)
        self._words[CONVERSION] = max(-0x8000, min(0x7FFF, code)) & 0xFFFF
        if config & SINGLE:
            self._words[CONFIG], self._done_at = config | IDLE, None
        else:
            self._done_at = self._clock() + self._conversion_s()
