"""A simulated GPS receiver that speaks NMEA, sentence by sentence.

Modelled: RMC, VTG, GGA and GLL once a second with their checksums, a fix and none, a clock that
runs, a receiver of another speed of sentences.
Not modelled: GSA and GSV, how a fix is found and lost, errors of position, binary protocols.
Source: NMEA 0183 as in gpsd's "NMEA Revealed"; the order of sentences as a u-blox 8 sent them
(gpsd's test suite, gr8013-w.log).
"""

from __future__ import annotations

import time
from collections.abc import Callable

from kiezbox.hardware.simulated import _talking

__all__ = ["FAULTS", "SimulatedGps"]

FAULTS = {
    **_talking.FAULTS,
    "no_gga": "GGA is switched off in the receiver",
    "binary": "it speaks its maker's binary protocol",
}

#: A UBX-NAV-PVT's head, and anything.
BINARY = b"\xb5\x62\x01\x07\x5c\x00" + bytes(range(94))


class SimulatedGps(_talking.Talking):
    """The receiver at its cable. ``set()`` is the sky, ``place()`` where it is."""

    FAULTS = FAULTS

    def __init__(
        self,
        *,
        burst_s: float = 1.0,
        talker: str = "GN",
        clock: Callable[[], float] = time.time,
        seed: int = 1,
    ) -> None:
        """``clock`` is the satellites' (Unix seconds)."""
        super().__init__(seed, burst_s)
        self.burst_s = burst_s
        self.talker = talker
        self._clock = clock
        self._satellites = 9
        #: 0: no fix.
        self.quality = 1
        self._latitude, self._longitude = 51.163, 10.448
        self._next_at: float | None = None

    def set(self, satellites: float) -> None:
        """So many are used from now on; with none there is no fix."""
        with self.lock:
            if not self.is_stuck:
                self._satellites = round(satellites)
                self.quality = int(self._satellites > 0)

    def place(self, latitude: float, longitude: float) -> None:
        """Where it is from now on."""
        with self.lock:
            self._latitude, self._longitude = latitude, longitude

    def received(self, data: bytes) -> bytes:
        """It is told nothing."""
        return b""

    def due(self, now_monotonic: float) -> bytes:
        """The sentences that are due by now."""
        if self._next_at is not None and now_monotonic < self._next_at:
            return b""
        self._next_at = now_monotonic + self.burst_s
        if self.fault == "binary":
            return BINARY
        return self._spoilt(b"".join(map(self._sentence, self._sentences())))

    def _sentences(self) -> list[str]:
        now = self._clock()
        clock = time.strftime("%H%M%S", time.gmtime(now)) + f".{int(now % 1 * 100):02d}"
        date = time.strftime("%d%m%y", time.gmtime(now))
        has_fix = self.quality > 0
        where = self._where() if has_fix else ",,,"
        height = "62.6,M,42.1,M" if has_fix else ",,,"
        state, mode = ("A", "A") if has_fix else ("V", "N")
        gga = f"GGA,{clock},{where},{self.quality},{self._satellites:02d},0.93,{height},,"
        return [
            f"RMC,{clock},{state},{where},0.031,,{date},,,{mode}",
            f"VTG,,T,,M,0.031,N,0.058,K,{mode}",
            *([] if self.fault == "no_gga" else [gga]),
            f"GLL,{where},{clock},{state},{mode}",
        ]

    def _where(self) -> str:
        north, east = self._latitude >= 0, self._longitude >= 0
        latitude, longitude = abs(self._latitude), abs(self._longitude)
        return (
            f"{int(latitude):02d}{latitude % 1 * 60:08.5f},{'N' if north else 'S'},"
            f"{int(longitude):03d}{longitude % 1 * 60:08.5f},{'E' if east else 'W'}"
        )

    def _sentence(self, content: str) -> bytes:
        content = self.talker + content
        checksum = self._off_by
        for byte in content.encode("ascii"):
            checksum ^= byte
        return f"${content}*{checksum:02X}\r\n".encode("ascii")
