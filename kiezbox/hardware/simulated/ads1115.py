"""A simulated ADS1115 (four analogue inputs), register by register.

Modelled: the four registers, multiplexer, ranges and how they clip, single and continuous
conversions and how long they take, the idle bit, thresholds (kept, not acted upon).
Not modelled: the comparator and its pin, noise, offset, what an open input picks up, its input
impedance, that the inputs stand no more than the supply.
Source: Texas Instruments SBAS444D, "Register map" (table 8-3: configuration), "Data format" (table
7-3) and "Data rate and conversion time".
"""

from __future__ import annotations

import errno
import random
import time
from collections.abc import Callable
from typing import ClassVar

__all__ = ["FAULTS", "SimulatedAds1115"]

#: What can go wrong inside the chip (what goes wrong on the bus is ``simulated.bus.FAULTS``).
FAULTS = {
    "silence": "no acknowledge: unplugged; plugged in again it starts from power-on",
    "brown_out": "the supply dips under every load: each write is forgotten at once",
    "never_ready": "no conversion ever ends: the idle bit stays 0",
    "garbage": "every byte read is any byte",
    "stuck_high": "the data line is never pulled down: every byte reads 0xFF",
    "stuck_low": "the data line is shorted to ground: every byte reads 0x00",
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


class SimulatedAds1115:
    """The chip on its bus. ``set()`` is what its inputs see, ``fault`` what is wrong with it."""

    FAULTS: ClassVar[dict[str, str]] = FAULTS

    def __init__(self, *, clock: Callable[[], float] = time.monotonic, seed: int = 1) -> None:
        self._clock = clock
        self._random = random.Random(seed)
        self._volts = [0.0, 0.0, 0.0, 0.0]
        self._fault: str | None = None
        self.power_cycle()

    def set(self, *volts: float) -> None:
        """Volts at A0, A1, …; inputs that are left out stay."""
        self._volts[: len(volts)] = volts

    @property
    def fault(self) -> str | None:
        """One of ``FAULTS``, or None."""
        return self._fault

    @fault.setter
    def fault(self, kind: str | None) -> None:
        if kind is not None and kind not in self.FAULTS:
            raise ValueError(f"{kind!r} is not one of {', '.join(self.FAULTS)}")
        if self._fault in ("silence", "brown_out", "never_ready"):
            self.power_cycle()
        self._fault = kind

    def power_cycle(self) -> None:
        """The supply was away."""
        self._pointer = CONVERSION
        self._words = dict(POWER_ON)
        self._done_at: float | None = None

    # --- the bus's side -----------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        """A register pointer, and with two more bytes a value for it."""
        self._answer()
        if data:
            self._pointer = data[0] & 3
        if len(data) >= 3:
            self._put(self._pointer, data[1] << 8 | data[2])

    def read(self, count: int) -> bytes:
        """The register under the pointer, which stays."""
        self._answer()
        if self._fault == "garbage":
            return self._random.randbytes(count)
        if self._fault in ("stuck_high", "stuck_low"):
            return (b"\xff" if self._fault == "stuck_high" else b"\x00") * count
        return (self._words[self._pointer].to_bytes(2, "big") * (count // 2 + 1))[:count]

    # --- inside -------------------------------------------------------------------------------

    def _answer(self) -> None:
        if self._fault == "silence":
            raise OSError(errno.EREMOTEIO, "no acknowledge")
        is_due = self._done_at is not None and self._clock() >= self._done_at
        if is_due and self._fault != "never_ready":
            self._convert()

    def _put(self, register: int, value: int) -> None:
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
