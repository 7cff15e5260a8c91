"""A simulated Plantower PMS5003, PMS7003 or PMSA003 (PM1, PM2.5, PM10), byte by byte.

Modelled: active and passive mode, read in passive mode, sleep and wake, replies to commands,
commands in any pieces; asleep it hears only the command to wake; the supply cut (then it is active
and awake); a PMS3003 (``length=20``), which has shorter frames and hears nothing.
Not modelled: the change between stable and fast mode (``report_s`` is what it is), the 30 seconds
in which values settle after waking, its SET and RESET pins, how counts and masses belong together.
Source: Plantower, "PMS5003 series data manual" V2.3 (2016), appendix I and II; that waking and
"active" are answered by the next report only: PyPMS, sensors/plantower/pmsx003.py.
"""

from __future__ import annotations

from kiezbox.hardware.simulated import _talking

__all__ = ["FAULTS", "SimulatedPlantower"]

FAULTS = {
    **_talking.FAULTS,
    "deaf": "its receive line is open: it reports, and obeys nothing",
    "no_particles": "its fan stands or its laser is dark: it counts nothing and says 0",
    "error_code": "it reports an error code in the last word of a frame",
}

HEAD = b"BM"
COMMAND_LENGTH = 7
MODE, READ, SLEEPING = 0xE1, 0xE2, 0xE4
#: "Version number" as in captures of PyPMS.
VERSION = 0x97


class SimulatedPlantower(_talking.Talking):
    """The sensor at its cable. ``set()`` is the air."""

    FAULTS = FAULTS

    def __init__(self, *, length: int = 28, report_s: float = 0.8, seed: int = 1) -> None:
        """``length`` is what its frames say of themselves: 28, or 20 for a PMS3003."""
        super().__init__(seed, report_s)
        self.length = length
        self.report_s = report_s
        self._air = (5, 8, 12)
        self.power_cycle()

    def set(self, pm1: float, pm2_5: float, pm10: float) -> None:
        """The air from now on, in µg/m³; it says whole ones."""
        with self.lock:
            if not self.is_stuck:
                self._air = (round(pm1), round(pm2_5), round(pm10))

    def power_cycle(self) -> None:
        """The supply was away: it works, and speaks by itself."""
        self.is_asleep = False
        self.is_passive = False
        self._heard = b""
        self._next_at: float | None = None

    def received(self, data: bytes) -> bytes:
        """Take commands in any pieces; answer the whole ones."""
        if self.fault in ("silence", "deaf") or self.length == 20:
            return b""
        self._heard += data
        answers = b""
        while len(self._heard) >= COMMAND_LENGTH:
            command = self._heard[:COMMAND_LENGTH]
            if command[:2] == HEAD and sum(command[:5]) == int.from_bytes(command[5:], "big"):
                self._heard = self._heard[COMMAND_LENGTH:]
                answers += self._obey(command[2], command[4])
            else:
                self._heard = self._heard[1:]
        return answers

    def due(self, now_monotonic: float) -> bytes:
        """The report that is due by now, in active mode."""
        if self._next_at is None:
            self._next_at = now_monotonic + self.report_s
        if now_monotonic < self._next_at:
            return b""
        self._next_at = now_monotonic + self.report_s
        return b"" if self.is_asleep or self.is_passive else self._report()

    def _obey(self, command: int, value: int) -> bytes:
        if command == SLEEPING and value == 1:
            self.is_asleep = False
            self._next_at = None
            return b""
        if self.is_asleep:
            return b""
        if command == SLEEPING and value == 0:
            self.is_asleep = True
        elif command == MODE and value in (0, 1):
            self.is_passive = value == 0
            if not self.is_passive:
                return b""
        elif command == READ:
            return self._report() if self.is_passive else b""
        else:
            return b""
        return self._frame(bytes((command, value)))

    def _report(self) -> bytes:
        fine = self._air
        counts = (210, 70, 45, 30, 2, 0)
        if self.fault == "no_particles":
            fine, counts = (0, 0, 0), (0,) * 6
        words = [*fine, *fine]
        if self.length == 20:
            words += [0, 0, 0x51]
        else:
            words += [*counts, VERSION << 8 | 3 * (self.fault == "error_code")]
        return self._frame(b"".join(min(word, 0xFFFF).to_bytes(2, "big") for word in words))

    def _frame(self, data: bytes) -> bytes:
        frame = HEAD + (len(data) + 2).to_bytes(2, "big") + data
        return self._spoilt(frame + (sum(frame) + self._off_by & 0xFFFF).to_bytes(2, "big"))
