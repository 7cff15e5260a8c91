"""A simulated MAX17048 (voltage and charge of a lithium cell), register by register; or a MAX17043.

Modelled: VCELL, SOC, MODE, VERSION, HIBRT, CONFIG, VALRT, CRATE, VRESET and ID, STATUS with its
reset indicator, the reset by CMD that is not acknowledged, both registers at 0 until the first
conversion after a restart, that writes of a single byte do nothing, charge above 100 %.
Not modelled: the charge model itself (the charge is what ``set`` says), hibernation and sleep,
alerts, the table of a custom model, quick-start.
Source: Maxim 19-6171 revision 7, "Register Summary" (defaults) and "Power-on reset"; the times
after a reset (17 ms and 175 ms more) as adafruit_max1704x 1.1.0 names them from the sheet.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from kiezbox.hardware.simulated import _chip
from kiezbox.hardware.simulated._chip import SimulatedChip, nack

__all__ = ["FAULTS", "SimulatedMax17048"]

#: What can go wrong inside the chip (what goes wrong on the bus is ``simulated.bus.FAULTS``).
FAULTS = {
    "silence": "no acknowledge: no battery; with one it starts from power-on",
    "restarting": "a bad contact at the battery: it restarts at every look, and reads 0",
    "raw_zero": "VCELL and SOC read 0x0000",
    "wrong_id": "another chip at the same address: its version reads 0x2090",
    **_chip.FAULTS,
}

VCELL, SOC, MODE, VERSION, HIBRT, CONFIG = 0x02, 0x04, 0x06, 0x08, 0x0A, 0x0C
VALRT, CRATE, VRESET, STATUS, CMD = 0x14, 0x16, 0x18, 0x1A, 0xFE
#: "Register Summary", column "Default"; version 2, id 0x0C.
DEFAULTS = {
    VCELL: 0, SOC: 0, MODE: 0, VERSION: 0x0012, HIBRT: 0x8030, CONFIG: 0x971C, VALRT: 0x00FF,
    CRATE: 0, VRESET: 0x960C, STATUS: 0x0100, CMD: 0xFFFF,
}  # fmt: skip
WRITABLE = frozenset((MODE, HIBRT, CONFIG, VALRT, VRESET, STATUS))
POWER_ON_RESET = 0x5400
VERSION_MAX17043, VERSION_STRANGER = 0x0003, 0x2090
#: What an elder has of these registers ("MAX17043/MAX17044", table "Register Summary").
ELDER = frozenset((VCELL, SOC, MODE, VERSION, CONFIG, CMD))
VCELL_READY_S, SOC_READY_S = 0.017, 0.192


class SimulatedMax17048(SimulatedChip):
    """The chip on its bus. ``set()`` is the battery, ``fault`` what is wrong with the chip."""

    FAULTS = FAULTS
    FORGETS = frozenset({"silence", "restarting"})

    def __init__(
        self,
        *,
        is_elder: bool = False,
        clock: Callable[[], float] = time.monotonic,
        seed: int = 1,
    ) -> None:
        """``is_elder``: a MAX17043, with 12 bits of voltage and no status."""
        super().__init__(clock, seed)
        self.is_elder = is_elder
        self._battery: tuple[float, float] | None = (3.9, 75.0)
        #: How often it has started anew, by its supply or by command.
        self.starts = 0
        #: A chip that is reset and acknowledges, as no MAX17048 does.
        self.acknowledges_reset = False
        self.power_cycle()

    def set(self, cell_v: float | None, percent: float | None) -> None:
        """Volts of the cell and the charge that the model finds; None: no battery."""
        self._battery = None if cell_v is None or percent is None else (cell_v, percent)

    def power_cycle(self) -> None:
        """The battery was away, or the chip was told to start anew."""
        self.starts += 1
        self._pointer = 0
        self._words = dict(DEFAULTS)
        self._started_at = self._clock()

    # --- the bus's side -----------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        """A register's address, and two bytes for it; a single byte does nothing."""
        self._answer()
        if not data:
            return
        self._pointer = data[0]
        if len(data) < 3:
            return
        value = data[1] << 8 | data[2]
        if self._pointer == CMD and value == POWER_ON_RESET:
            self.power_cycle()
            if not self.acknowledges_reset and not self.is_elder:
                raise nack()  # it resets
        elif self._pointer in WRITABLE:
            self._words[self._pointer] = value

    def read(self, count: int) -> bytes:
        """Bytes from the address on; it counts up by itself."""
        self._answer()
        return self._spoilt(bytes(self._byte(self._pointer + n) for n in range(count)))

    # --- inside -------------------------------------------------------------------------------

    def _answer(self) -> None:
        if self._fault == "silence" or self._battery is None:
            raise nack()
        if self._fault == "restarting":
            pointer = self._pointer
            self.power_cycle()
            self._pointer = pointer

    def _byte(self, address: int) -> int:
        word = self._word(address & 0xFE)
        return word & 0xFF if address & 1 else word >> 8

    def _word(self, register: int) -> int:
        assert self._battery is not None
        cell_v, percent = self._battery
        age_s = self._clock() - self._started_at
        if self.is_elder and register not in ELDER:
            return 0
        if register == VERSION and (self.is_elder or self._fault == "wrong_id"):
            return VERSION_STRANGER if self._fault == "wrong_id" else VERSION_MAX17043
        if register in (VCELL, SOC) and self._fault in ("raw_zero", "restarting"):
            return 0
        if register == VCELL and self.is_elder:
            return min(0xFFF, round(cell_v / 1.25e-3)) << 4 if age_s >= SOC_READY_S else 0
        if register == VCELL:
            return min(0xFFFF, round(cell_v / 78.125e-6)) if age_s >= VCELL_READY_S else 0
        if register == SOC:
            return min(0xFFFF, round(percent * 256)) if age_s >= SOC_READY_S else 0
        return self._words.get(register, 0)
