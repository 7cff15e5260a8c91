"""What all simulated serial sensors have in common: how a sensor can be broken."""

from __future__ import annotations

import random
import threading

from kiezbox.hardware.simulated.serial_line import TICK_S

__all__ = ["FAULTS", "Talking"]

#: What can go wrong inside any of them (on the cable: ``simulated.serial_line.FAULTS``).
FAULTS = {
    "silence": "it says nothing: no supply, or its transmit line is open",
    "bad_checksum": "every frame's checksum is off by one",
    "half_frame": "every frame ends in its middle",
    "garbage": "every frame is as many bytes of anything",
}


class Talking:
    """A sensor at the end of a serial cable."""

    FAULTS = FAULTS

    def __init__(self, seed: int = 1, often_s: float = 1.0) -> None:
        """``often_s`` is how often it speaks by itself."""
        #: How often it must be asked for that (``SerialDevice.due``).
        self.tick_s = min(TICK_S, often_s / 2)
        #: Held while it speaks (``SerialDevice.due``) and while it is changed, so that nothing
        #: of before comes after.
        self.lock = threading.RLock()
        self._fault: str | None = None
        #: It says the same for ever, whatever is shown to it. No single read can tell that, so it
        #: is none of the faults; the rule "stuck" of quality control is for it.
        self.is_stuck = False
        self._random = random.Random(seed)

    @property
    def fault(self) -> str | None:
        """What is wrong with it; one of ``FAULTS``."""
        return self._fault

    @fault.setter
    def fault(self, fault: str | None) -> None:
        with self.lock:
            self._fault = fault

    @property
    def _off_by(self) -> int:
        """What is added to a checksum."""
        return int(self.fault == "bad_checksum")

    def _spoilt(self, frame: bytes) -> bytes:
        """What of a frame leaves the sensor."""
        if self.fault == "silence":
            return b""
        if self.fault == "half_frame":
            return frame[: len(frame) // 2]
        if self.fault == "garbage":
            return self._random.randbytes(len(frame))
        return frame
