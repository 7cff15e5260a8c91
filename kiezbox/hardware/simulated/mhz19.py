"""A simulated MH-Z19B (CO₂), byte by byte.

Modelled: read, automatic baseline on and off, range and asking for it, commands in any pieces, a
value clipped to 400 ppm and to the range; three minutes of 410 after the supply came (``cold``).
Not modelled: what the baseline does, zero and span calibration, temperature (a constant), PWM and
analogue outputs.
Source: Winsen, "MH-Z19B manual" V1.5, "communication protocol", and, where it is wrong or silent
(range in bytes 6 and 7, answers to 0x79 and 0x99, 0x9B), ESPEasy P049 and WifWaf/MH-Z19; an answer
as captured by PyPMS.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from kiezbox.hardware.simulated import _talking

__all__ = ["FAULTS", "SimulatedMhz19"]

FAULTS = {
    **_talking.FAULTS,
    "zeros": "it says 0 ppm",
    "saturated": "its supply is too low: it says the end of its range for ever",
    "echo": "its RX and TX are joined in the plug: what comes back is the question",
}

LENGTH = 9
READ, SET_ABC, SET_RANGE, TELL_RANGE = 0x86, 0x79, 0x99, 0x9B
LEAST_PPM = 400
COLD_PPM, COLD_S = 410, 180.0
#: 26 °C and 40, as the captured one said.
TEMPERATURE = 0x42


class SimulatedMhz19(_talking.Talking):
    """The sensor at its cable. ``set()`` is the air; ``abc`` and ``range_ppm`` what it was told."""

    FAULTS = FAULTS

    def __init__(self, *, clock: Callable[[], float] = time.monotonic, seed: int = 1) -> None:
        super().__init__(seed)
        self.abc = True
        self.range_ppm = 5000
        self._clock = clock
        self._air_ppm = 640
        self._heard = b""
        self._warm_at = clock()

    def set(self, co2_ppm: float) -> None:
        """The air from now on."""
        with self.lock:
            if not self.is_stuck:
                self._air_ppm = round(co2_ppm)

    def power_cycle(self) -> None:
        """The supply was away: it is cold."""
        self._heard = b""
        self._warm_at = self._clock() + COLD_S

    def received(self, data: bytes) -> bytes:
        """Take commands in any pieces; answer the whole ones."""
        if self.fault == "echo":
            return data
        self._heard += data
        answers = b""
        while len(self._heard) >= LENGTH:
            command = self._heard[:LENGTH]
            if command[:2] == b"\xff\x01" and sum(command[1:]) & 0xFF == 0:
                self._heard = self._heard[LENGTH:]
                answers += self._obey(command[2], command[3:8])
            else:
                self._heard = self._heard[1:]
        return answers

    def due(self, now_monotonic: float) -> bytes:
        """It says nothing by itself."""
        return b""

    def _obey(self, command: int, data: bytes) -> bytes:
        if command == READ:
            return self._frame(command, self._ppm().to_bytes(2, "big") + bytes((TEMPERATURE,)))
        if command == TELL_RANGE:
            return self._frame(command, b"\0\0" + self.range_ppm.to_bytes(2, "big"))
        if command == SET_ABC:
            self.abc = data[0] == 0xA0
        elif command == SET_RANGE:
            self.range_ppm = int.from_bytes(data[3:5], "big")
        else:
            return b""
        return self._frame(command, b"\x01")

    def _ppm(self) -> int:
        if self.fault == "zeros":
            return 0
        if self.fault == "saturated":
            return self.range_ppm
        if self._clock() < self._warm_at:
            return COLD_PPM
        return min(max(self._air_ppm, LEAST_PPM), self.range_ppm)

    def _frame(self, command: int, data: bytes) -> bytes:
        content = bytes((command,)) + data.ljust(6, b"\0")
        checksum = -sum(content) + self._off_by & 0xFF
        return self._spoilt(b"\xff" + content + bytes((checksum,)))
