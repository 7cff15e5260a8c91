"""PLANTOWER PMS5003, PMS7003, PMSA003: particulates PM1, PM2.5, PM10 by laser. 9600 baud.

Wiring, eight-pin plug (PMS5003): pin 1 to 5 V, pin 2 to GND, pin 4 (RX) to the Pi's TX (header pin
8), pin 5 (TX) to the Pi's RX (header pin 10); SET (3) and RESET (6) stay open, they are pulled up
inside. Ten-pin socket (PMS7003, PMSA003): 1 and 2 to 5 V, 3 and 4 to GND, 7 is RX, 9 is TX.
The port is then /dev/serial0, with the console off (`raspi-config`, Interface, Serial); with an
adapter it is /dev/serial/by-id/….
Supply: 5 V for the fan, but RX, TX, SET and RESET are 3.3 V and break with 5 V.
Current: up to 100 mA running, 0.2 mA asleep.
Place: holes down or sideways, 20 cm above the ground, no wind into the fan. The PMS5003's metal
shell is GND.

Pitfalls: after waking, values settle for 30 s, so `warm_up_s` is 30. Above 70 % humidity it counts
droplets. Whole µg/m³ only; five frames are taken, the smallest and the largest dropped, and the
mean of the rest said. Above 500 µg/m³ (the effective range) values are flagged SUSPECT "range",
above 1000 BAD. No particle at all in 0.1 l of air is a fan that stands or a dark laser: BAD
"raw-sentinel". The PMS3003 knows no commands, so its fan never rests; a PMS5003T or ST is read
for its particulates only.
How it is read: one that is awake speaks by itself, every 0.2 to 2.3 s. One that is silent is
asleep or in passive mode; it is woken, given its warm-up, and asked. Nothing is set in it that
would outlast its supply. The values are those "under atmospheric environment".
Package: pyserial; the frames are taken apart here. adafruit-circuitpython-pm25 was tried and is the
judge in the tests: it cannot put the fan to sleep nor ask one in passive mode, takes the first
0x42 in a stream for a head and loses the 31 bytes after it, and brings Blinka along.
Source: Plantower, "PMS5003 series data manual" V2.3 (2016), as annotated by R. F. Smith, and the
commands and pins in PyPMS, docs/sensors/Plantower.md.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from kiezbox.hardware import SensorHardware
from kiezbox.model import Flag, Measurement, Quantity
from kiezbox.sensors._border import translated
from kiezbox.sensors._line import RestingSettings, opened, trimmed, warm_up_setting
from kiezbox.settings import setting

__all__ = ["QUANTITIES", "Frame", "Parser", "Plantower", "Settings", "open"]

QUANTITIES = (Quantity.PM1_UG_M3, Quantity.PM2_5_UG_M3, Quantity.PM10_UG_M3)

#: What fan and laser draw while it works, in A.
DRAWS_A = 0.1

BAUDRATE = 9600
HEAD = b"BM"
#: What a frame's length field may say: a command's reply; PMS3003; PMSx003 and PMS5003T/S; ST.
REPLY, SHORT, USUAL, LONG = 4, 20, 28, 36
LENGTHS = frozenset((REPLY, SHORT, USUAL, LONG))
LONGEST = LONG + 4

#: Checked against the bytes that others send, in the tests.
READ, SLEEP, WAKE = (
    HEAD + data + (sum(HEAD) + sum(data)).to_bytes(2, "big")
    for data in (b"\xe2\0\0", b"\xe4\0\0", b"\xe4\0\1")
)

#: One that is awake and active speaks every 2.3 s at least (manual, "Output result").
TALK_S = 3.5
#: Five frames at that pace.
PATIENCE_S = 12.0
#: In passive mode one is asked so often: it measures about once a second.
ASK_S = 1.0
SAMPLES = 5

#: "Effective range" and "maximum range" (manual, "Technical index").
EFFECTIVE_UG_M3, MOST_UG_M3 = 500.0, 1000.0

HINT = (
    "Is its fan to be heard? Look at 5 V and GND, and whether its TX goes to the box's RX. The box"
    " tries again by itself."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(RestingSettings):
    """``[sensors.NAME]`` with ``driver = "plantower"``."""

    interval_s: float = setting(
        150.0,
        help="It is the time between two readings. 150 s and 30 s of warm-up leave the fan and\n"
        "the laser four fifths of their hours.",
        unit="s",
        least=1,
        most=86400,
    )
    deadline_s: float = setting(
        50.0,
        help="A read that takes longer has failed; must leave 15 s beside warm_up_s.",
        unit="s",
        least=0.5,
        most=120,
    )
    port: str = setting(
        "/dev/ttyUSB0",
        help="The serial port. /dev/serial/by-id/… stays the same when plugs change.",
    )
    warm_up_s: float = warm_up_setting()


class Frame(NamedTuple):
    """A whole frame's words, without length and checksum."""

    length: int
    words: tuple[int, ...]

    @property
    def is_report(self) -> bool:
        return self.length != REPLY

    @property
    def particulates(self) -> tuple[int, int, int]:
        """PM1, PM2.5, PM10 in µg/m³ under atmospheric environment; only in a report."""
        return self.words[3], self.words[4], self.words[5]

    @property
    def has_no_particles(self) -> bool:
        """None above 0.3 µm in 0.1 l; never of a PMS3003, which does not say."""
        return self.length != SHORT and self.words[6] == 0

    @property
    def error_code(self) -> int:
        """The low byte of the last word ("version number, error code"); 0 where it has none."""
        return self.words[12] & 0xFF if self.length == USUAL else 0


class Parser:
    """Finds frames in a stream that may begin anywhere and break at any byte.

    A frame is "BM", the number of bytes to come, words of two bytes, and the sum of all bytes
    before it. What does not fit costs one byte.

    >>> [frame.words for frame in Parser().feed(bytes.fromhex("00 424d 0004 e400 0177"))]
    [(58368,)]
    """

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that these bytes complete, in their order. Never raises."""
        data = self._rest + data
        frames: list[Frame] = []
        at = _next_head(data, 0)
        while at >= 0 and len(data) - at >= 4:
            length = int.from_bytes(data[at + 2 : at + 4], "big")
            whole = data[at : at + 4 + length]
            if length not in LENGTHS:
                at = _next_head(data, at + 1)
            elif len(whole) < 4 + length:
                break
            elif sum(whole[:-2]) != int.from_bytes(whole[-2:], "big"):
                at = _next_head(data, at + 1)
            else:
                frames.append(Frame(length, _words(whole[4:-2])))
                at = _next_head(data, at + 4 + length)
        self._rest = data[at:] if at >= 0 else b""
        return frames


def _next_head(data: bytes, start: int) -> int:
    """Where the next head begins, also if only its first byte has come; -1: nowhere."""
    at = data.find(HEAD, start)
    if at < 0 and len(data) > start and data[-1:] == HEAD[:1]:
        return len(data) - 1
    return at


def _words(data: bytes) -> tuple[int, ...]:
    return tuple(int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2))


class Plantower:
    """An open sensor."""

    def __init__(self, settings: Settings, hardware: SensorHardware) -> None:
        self._settings = settings
        self._part = f"the Plantower sensor at {settings.port}"
        self._line = opened(settings, hardware, BAUDRATE, Parser, self._part, HINT)

    def read(self) -> Sequence[Measurement]:
        with translated(self._part, HINT):
            reports = self._reports()
            self._line.check_noise(_bytes)
            if self._settings.rests:
                self._line.say(SLEEP)
        columns = zip(*(report.particulates for report in reports), strict=True)
        flag, reason = _doubt(reports)
        return [
            _measurement(quantity, round(trimmed(values), 1), flag, reason)
            for quantity, values in zip(QUANTITIES, columns, strict=True)
        ]

    def rest(self) -> None:
        """Stop fan and laser until the next read."""
        with translated(self._part, HINT):
            self._line.say(SLEEP)

    def close(self) -> None:
        """Give the port back. The fan stays as it is; the next read wakes it."""
        self._line.close()

    def _reports(self) -> list[Frame]:
        self._line.begin()
        reports = self._collect(TALK_S, least=1)
        if reports:
            reports += self._collect(PATIENCE_S, least=SAMPLES - len(reports))
        else:
            if self._line.is_clean(_bytes):
                self._line.say(WAKE)
                for _ in self._line.frames(self._settings.warm_up_s):
                    pass  # not settled yet
            reports = self._collect(PATIENCE_S, least=SAMPLES, asks=True)
        if not reports:
            raise self._line.error()
        return reports

    def _collect(self, seconds: float, *, least: int, asks: bool = False) -> list[Frame]:
        """So many reports, or those that came in time; ``asks``: also ask for them."""
        reports: list[Frame] = []
        until = time.monotonic() + seconds
        while len(reports) < least and not self._line.is_over:
            left_s = until - time.monotonic()
            if left_s <= 0:
                break
            if asks:
                self._line.say(READ)
            for frame in self._line.frames(min(left_s, ASK_S) if asks else left_s):
                if frame.is_report:
                    reports.append(frame)
                if len(reports) == least:
                    break
        return reports


def _bytes(frame: Frame) -> int:
    return frame.length + 4


def _doubt(reports: Sequence[Frame]) -> tuple[Flag, str]:
    if all(report.has_no_particles for report in reports):
        return Flag.BAD, "raw-sentinel"
    if any(report.error_code for report in reports):
        return Flag.SUSPECT, "status"
    return Flag.GOOD, ""


def _measurement(quantity: Quantity, value: float, flag: Flag, reason: str) -> Measurement:
    if flag is not Flag.BAD and value > EFFECTIVE_UG_M3:
        flag, reason = (Flag.BAD if value > MOST_UG_M3 else Flag.SUSPECT), "range"
    return Measurement(quantity, value, None, flag, reason)


def open(settings: Settings, hardware: SensorHardware) -> Plantower:
    """The sensor's port, open. Whether a sensor is behind it shows the first read.

    Raises:
        SensorMissing: no such port.
        SensorError: the port may not be opened, or another program has it.
    """
    return Plantower(settings, hardware)
