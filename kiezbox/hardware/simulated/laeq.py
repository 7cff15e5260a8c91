"""A simulated DNMS (noise level), word by word.

Modelled: version, "calculate" that ends a window and begins the next, the ready flag, the result as
three floats (LAeq, LAmin, LAmax) with a checksum after each word, the mean over the window's time
by energy, choice of the microphone, reset.
Not modelled: any sound, weighting filters, spectra (thirds) and the second window, that it must be
told its microphone before it starts (firmware 5.7 and later).
Source: dnms_i2c.cpp and dnms_i2c.h of github.com/hbitter/DNMS (commands, words, checksum, order of
the floats), and its README.md (what is averaged).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from typing import ClassVar

from kiezbox.hardware.simulated import _sensirion
from kiezbox.hardware.simulated._sensirion import Done, SensirionChip, nack

__all__ = ["SimulatedLaeq"]

RESET, VERSION, CALCULATE, READY, READ = range(1, 6)
MICROPHONES = range(0x001B, 0x0020)


class SimulatedLaeq(SensirionChip):
    """The board. ``set()`` is how loud it is from now on, ``fault`` what is wrong."""

    FAULTS: ClassVar[dict[str, str]] = {
        **_sensirion.FAULTS,
        **_sensirion.RAW_FAULTS,
        "no_microphone": "the microphone is unplugged: the logarithm of nothing",
        "contradiction": "the mean is above the maximum",
        "never_ready": "it never finishes its sum",
        "wrong_id": "another board at the same address",
    }

    def __init__(self, *, calculates_s: float = 0.002, **detail: object) -> None:
        self.calculates_s = calculates_s
        self._level_db = 45.0
        super().__init__(**detail)  # type: ignore[arg-type]

    def set(self, level_db: float) -> None:
        """The level from now on, dB(A)."""
        self._listen()
        self._level_db = level_db
        self._levels.append(level_db)

    def start(self) -> None:
        self.microphone: int | None = None
        self._result = (0.0, 0.0, 0.0)
        self._ready_at = float("inf")
        self._begin()

    def carry_out(self, command: int, arguments: list[int]) -> Done:
        if command in MICROPHONES:
            self.microphone = command
            return Done()
        handle = _COMMANDS.get(command)
        if handle is None:
            raise nack()
        return handle(self)

    # --- inside -------------------------------------------------------------------------------

    def _begin(self) -> None:
        self._energy = self._seconds = 0.0
        self._levels = [self._level_db]
        self._heard_until = self.clock()

    def _listen(self) -> None:
        """Add what was heard since the last look."""
        seconds = self.clock() - self._heard_until
        self._energy += seconds * 10 ** (self._level_db / 10)
        self._seconds += seconds
        self._heard_until += seconds

    def _calculate(self) -> Done:
        self._listen()
        mean = self._level_db
        if self._seconds > 0:
            mean = 10 * math.log10(self._energy / self._seconds)
        least, most = min(self._levels), max(self._levels)
        if self._fault == "no_microphone":
            mean = least = most = float("-inf")
        elif self._fault == "contradiction":
            mean = most + 3.0
        self._result = (mean, least, most)
        self._ready_at = self.clock() + self.calculates_s
        self._begin()
        return Done()

    def _tell_ready(self) -> Done:
        is_ready = self.clock() >= self._ready_at and self._fault != "never_ready"
        return Done(0.0, [int(is_ready)])

    def _tell_result(self) -> Done:
        return Done(0.0, list(struct.unpack(">6H", struct.pack(">3f", *self._result))))

    def _tell_version(self) -> Done:
        text = b"NOISE-7 " if self._fault == "wrong_id" else b"DNMS-T4.0-V2.0"
        return Done(0.0, list(struct.unpack(">16H", text.ljust(32, b"\0"))))

    def _reset(self) -> Done:
        self.start()
        return Done(1.0)


_COMMANDS: dict[int, Callable[[SimulatedLaeq], Done]] = {
    RESET: SimulatedLaeq._reset,
    VERSION: SimulatedLaeq._tell_version,
    CALCULATE: SimulatedLaeq._calculate,
    READY: SimulatedLaeq._tell_ready,
    READ: SimulatedLaeq._tell_result,
}
