"""A simulated BH1750 (brightness), instruction by instruction.

Modelled: power down and up, reset, continuous and single measurements in the three resolutions,
the measuring time and how it stretches counts and conversions, the end of the range, the data
register that keeps its value until the next conversion has ended, two bytes on a read.
Not modelled: the photodiode's tolerance and dark counts, that half a measuring time set is half
taken over.
Source: Rohm BH1750FVI technical note (2009.04 revision B, 11046EDT01), "Instruction set
architecture", "Electrical characteristics", "Adjust measurement result for influence of optical
window". A chip that reads 0 for ever is not among its faults: nobody can tell it from night.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from kiezbox.hardware.simulated import _chip
from kiezbox.hardware.simulated._chip import SimulatedChip, nack

__all__ = ["FAULTS", "SimulatedBh1750"]

#: What can go wrong inside the chip (what goes wrong on the bus is ``simulated.bus.FAULTS``).
FAULTS = {
    "silence": "no acknowledge: unplugged; plugged in again it sleeps and reads 0",
    **{kind: said for kind, said in _chip.FAULTS.items() if kind != "stuck_low"},
    "stands_still": "it acknowledges every instruction, and its register keeps one value",
}

#: What a dead one says here: 800 lx.
STANDING = 960

POWER_DOWN, POWER_ON, RESET = 0x00, 0x01, 0x07
#: Measuring modes without the bit that says "once": resolution in the two lowest bits.
CONTINUOUS, ONCE = 0x10, 0x20
HALF_LUX, FOUR_LUX = 0b01, 0b11
USUAL_TIME = 69
#: Typical, at the usual measuring time: H and H2, and L.
CONVERSION_S, CONVERSION_L_S = 0.120, 0.016


class SimulatedBh1750(SimulatedChip):
    """The chip on its bus. ``set()`` is the light on it, ``fault`` what is wrong with it."""

    FAULTS = FAULTS

    def __init__(self, *, clock: Callable[[], float] = time.monotonic, seed: int = 1) -> None:
        super().__init__(clock, seed)
        self._lux: float | None = 500.0
        self.power_cycle()

    def set(self, lux: float | None) -> None:
        """The light from now on; None: unplugged."""
        self._lux = lux

    def power_cycle(self) -> None:
        """The supply was away: it sleeps, and its data register is empty."""
        self._is_on = False
        self._mode = 0
        self._time = USUAL_TIME
        self._data = 0
        self._done_at: float | None = None

    # --- the bus's side -----------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        """One instruction; more bytes in the same transaction are not part of the protocol."""
        self._answer()
        if data:
            self._obey(data[0])

    def read(self, count: int) -> bytes:
        """The data register."""
        self._answer()
        data = STANDING if self._fault == "stands_still" else self._data
        return self._spoilt(data.to_bytes(2, "big")[:count])

    # --- inside -------------------------------------------------------------------------------

    def _answer(self) -> None:
        if self._fault == "silence" or self._lux is None:
            raise nack()
        if self._done_at is not None and self._clock() >= self._done_at:
            self._convert(self._lux)

    def _obey(self, instruction: int) -> None:
        if instruction == POWER_DOWN:
            self._is_on, self._done_at = False, None
        elif instruction == POWER_ON:
            self._is_on = True
        elif instruction == RESET and self._is_on:
            self._data = 0
        elif instruction & 0xF0 in (CONTINUOUS, ONCE) and instruction & 0x0F in (0, 1, 3):
            self._is_on, self._mode = True, instruction
            self._done_at = self._clock() + self._conversion_s()
        elif instruction & 0xF8 == 0x40:
            self._time = (instruction & 0x07) << 5 | self._time & 0x1F
        elif instruction & 0xE0 == 0x60:
            self._time = self._time & 0xE0 | instruction & 0x1F

    def _conversion_s(self) -> float:
        usual_s = CONVERSION_L_S if self._mode & 3 == FOUR_LUX else CONVERSION_S
        return usual_s * self._time / USUAL_TIME

    def _convert(self, lux: float) -> None:
        counts = lux * 1.2 * self._time / USUAL_TIME
        if self._mode & 3 == HALF_LUX:
            counts *= 2
        self._data = max(0, min(0xFFFF, round(counts)))
        if self._mode & 0xF0 == CONTINUOUS:
            self._done_at = self._clock() + self._conversion_s()
        else:
            self._is_on, self._done_at = False, None
