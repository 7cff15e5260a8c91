"""A simulated A02YYUW (distance by ultrasound), byte by byte.

Modelled: a frame every ``frame_s``, 0 where there is no echo (nearer than 3 cm, farther than
4.5 m), echoes that jump.
Not modelled: the change of mode by RX, the inner averaging, temperature, how a web or ice sounds.
Source: DFRobot, wiki of SEN0311, "UART communication"; 0 for no echo as users report
(riteshRcH/waterproof_small_blind_ultrasonic_sensor_DYP-A02YYxx, issue 2).
"""

from __future__ import annotations

from kiezbox.hardware.simulated import _talking

__all__ = ["FAULTS", "SimulatedA02yyuw"]

FAULTS = {
    **_talking.FAULTS,
    "no_echo": "nothing comes back: it says 0",
    "jumps": "echoes from a web, a pipe or foam: every distance is another one",
}

LEAST_MM, MOST_MM = 30, 4500


class SimulatedA02yyuw(_talking.Talking):
    """The sensor at its cable. ``set()`` is the distance."""

    FAULTS = FAULTS

    def __init__(self, *, frame_s: float = 0.1, seed: int = 1) -> None:
        super().__init__(seed, frame_s)
        self.frame_s = frame_s
        self._distance_mm = 1200
        self._next_at: float | None = None

    def set(self, distance_m: float) -> None:
        """From its face to the water, from now on."""
        with self.lock:
            if not self.is_stuck:
                self._distance_mm = round(distance_m * 1000)

    def received(self, data: bytes) -> bytes:
        """It hears nothing."""
        return b""

    def due(self, now_monotonic: float) -> bytes:
        """The frame that is due by now."""
        if self._next_at is None or now_monotonic >= self._next_at:
            self._next_at = now_monotonic + self.frame_s
            return self._frame(self._echo())
        return b""

    def _echo(self) -> int:
        if self.fault == "jumps":
            return self._random.choice((180, 410, 760, 1490, 2200, 3100))
        is_heard = LEAST_MM <= self._distance_mm <= MOST_MM and self.fault != "no_echo"
        return self._distance_mm if is_heard else 0

    def _frame(self, distance_mm: int) -> bytes:
        frame = b"\xff" + distance_mm.to_bytes(2, "big")
        return self._spoilt(frame + bytes((sum(frame) + self._off_by & 0xFF,)))
