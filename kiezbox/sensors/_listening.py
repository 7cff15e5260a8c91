"""What hangs on a serial port, by what it says by itself. Nothing is ever sent.

A table: speed → sensors that speak at it, each with frames whose checksums nobody hits by chance
three times. SPS30, MH-Z19 and Senseair S8 speak only when asked, and a resting fan not at all.
Sources: the data sheets that the drivers name.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

__all__ = ["Heard", "listen"]

#: Whole frames of a sensor before it is believed.
ENOUGH = 3

#: All of these speak once a second at least; an SDS011 in its usual mode, too.
LISTEN_S = 3.5

#: Of what was heard; 19200 baud in that time are 6700 bytes.
MOST = 16384


class Heard(NamedTuple):
    """Who speaks; ``driver`` "": somebody does, but nobody we know."""

    driver: str
    what: str


def _nmea(data: bytes) -> Iterator[bytes]:
    for found in re.finditer(rb"\$(G[A-Z]{4},[^*$\r\n]{0,90})\*([0-9A-F]{2})", data):
        checksum = 0
        for byte in found[1]:
            checksum ^= byte
        if checksum == int(found[2], 16):
            yield found[0]


def _framed(head: bytes, length: int, is_whole: Callable[[bytes], bool]) -> Any:
    def frames(data: bytes) -> Iterator[bytes]:
        at = data.find(head)
        while at >= 0:
            frame = data[at : at + length]
            is_one = len(frame) == length and is_whole(frame)
            if is_one:
                yield frame
            at = data.find(head, at + (length if is_one else 1))

    return frames


def _sds011(frame: bytes) -> bool:
    return frame[9] == 0xAB and sum(frame[2:8]) & 0xFF == frame[8]


def _plantower(frame: bytes) -> bool:
    return int.from_bytes(frame[-2:], "big") == sum(frame[:-2]) & 0xFFFF


def _a02yyuw(frame: bytes) -> bool:
    return sum(frame[:3]) & 0xFF == frame[3]


def _vedirect(data: bytes) -> Iterator[bytes]:
    yield from re.findall(rb"\r\n(?:V|VPV|I|PID|SER#|CS|SOC|FW)\t[^\r\n\t]{1,32}(?=\r\n)", data)


#: The first that says enough is it; an A02YYUW's four bytes are the easiest to hit, so it is last.
_KINDS: dict[int, tuple[tuple[str, str, Any], ...]] = {
    9600: (
        ("gps", "GPS receiver", _nmea),
        ("sds011", "SDS011", _framed(b"\xaa\xc0", 10, _sds011)),
        ("plantower", "PMS5003, PMS7003 or PMSA003", _framed(b"BM\x00\x1c", 32, _plantower)),
        ("a02yyuw", "A02YYUW", _framed(b"\xff", 4, _a02yyuw)),
    ),
    19200: (("vedirect", "Victron charger or battery monitor (VE.Direct)", _vedirect),),
}


def listen(open_port: Callable[[int], Any], seconds: float = LISTEN_S) -> Heard | None:
    """Who speaks there; None: silence. ``open_port`` gets a speed in baud, and gives a port.

    Raises:
        SensorError: the port cannot be opened.
    """
    is_silent = True
    for baudrate, kinds in _KINDS.items():
        data = b""
        port = open_port(baudrate)
        try:
            port.timeout = 0.25
            until = time.monotonic() + seconds
            while time.monotonic() < until and len(data) < MOST:
                data += port.read(1)
                data += port.read(min(port.in_waiting, MOST))
                for driver, what, frames in kinds:
                    if sum(1 for _ in frames(data)) >= ENOUGH:
                        return Heard(driver, what)
        finally:
            port.close()
        is_silent = is_silent and not data
    return None if is_silent else Heard("", "speaks, but not as any sensor that Kiezbox knows")
