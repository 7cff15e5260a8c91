"""SDS011: particulate matter, PM2.5 and PM10, by laser. Serial port, 9600 baud.

Wiring: the cable with USB adapter that comes with it needs nothing else; give its lasting name
as the port (`ls /dev/serial/by-id`), for /dev/ttyUSB0 is whoever was plugged in first. Without
the adapter, on the seven-pin plug: pin 3 to 5 V, pin 5 to GND, pin 7 (T) to the Pi's RX (header
pin 10), pin 6 (R) to the Pi's TX (header pin 8); then the port is /dev/serial0, with the console
off and the port on (`raspi-config`, Interface, Serial). Only pin 7 wired works too, but then its
fan never rests.
Supply: 4.7 to 5.3 V with less than 20 mV ripple; a thin USB cable is enough to make it count
wrong. Its T and R are 3.3 V and must not meet 5 V logic; the Pi's own pins are 3.3 V.
Current: 70 mA, at most 220 mA while the fan starts; under 4 mA asleep.
Place: air inlet down or sideways, free air, no direct sun, hose short and without a bow in which
water stands.

Pitfalls: the laser lives 8,000 hours, 11 months without a break. So the fan rests between two
reads where the interval leaves room for it (`warm_up_s`); with the defaults it lasts about four
years. Above 70 % humidity it counts droplets; in fog it reads many times too much. Values at
the end of the range, 999.9 µg/m³, are flagged BAD with the reason "range". PM2.5 above PM10 can
happen and is no error. An SDS198 looks similar and measures something else; this driver says so.
How it is read: a sensor that is awake says its values once a second, and the next frame is the
reading. One that is silent is woken, given its warm-up, and asked. Nothing is ever set in it
that would outlast its supply: report mode and working period stay as they are.
Package: pyserial; the frames are taken apart here.
Source: Nova Fitness, "SDS011 Laser PM2.5 Sensor specification V1.3" and "Laser Dust Sensor
Control Protocol V1.3" (both 2015).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from kiezbox.errors import SensorError, SensorGarbled, SensorMissing, SensorTimeout, SettingsError
from kiezbox.hardware import SensorHardware
from kiezbox.model import Flag, Measurement, Quantity
from kiezbox.sensors._border import translated
from kiezbox.settings import SensorSettings, setting

__all__ = ["QUANTITIES", "Frame", "Parser", "Sds011", "Settings", "open"]

QUANTITIES = (Quantity.PM2_5_UG_M3, Quantity.PM10_UG_M3)

#: What fan and laser draw while it works, in A.
DRAWS_A = 0.07

BAUDRATE = 9600
HEAD, TAIL, LENGTH = 0xAA, 0xAB, 10
#: The second byte of a frame. The SDS198's is from frames captured by PyPMS; no sheet says it.
REPORT, REPLY, REPORT_SDS198 = 0xC0, 0xC5, 0xCF
KINDS = frozenset((REPORT, REPLY, REPORT_SDS198))

#: Commands to every device (id FF FF); checked against the protocol's own examples in the tests.
WORK, SLEEP, QUERY = (
    bytes((HEAD, 0xB4, *data, 0xFF, 0xFF, sum((*data, 0xFF, 0xFF)) & 0xFF, TAIL))
    for data in ((6, 1, 1, *[0] * 10), (6, 1, 0, *[0] * 10), (4, *[0] * 12))
)

#: A sensor that is awake speaks once in 1 ± 0.5 s (specification, "UART communication").
TALK_S = 2.0
#: After that long without a good frame from one that does speak, it is no use waiting.
PATIENCE_S = 6.0
#: "Recommended query interval of not less than 3 seconds" (protocol, "Query data command").
QUERY_S = 3.0
#: Kept from the deadline, so that it is this driver that says what was wrong.
MARGIN_S = 0.3
#: How long one look at the port waits for a byte. Each look wakes the thread, for months.
LOOK_S = 1.0

#: The end of the measuring range (specification, "Technical parameters").
MOST_UG_M3 = 999.9

HINT = (
    "Is its fan to be heard? Look at 5 V (pin 3) and GND (pin 5), and whether its T (pin 7) goes to"
    " the box's RX. The box tries again by itself."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(SensorSettings):
    """``[sensors.NAME]`` with ``driver = "sds011"``."""

    interval_s: float = setting(
        150.0,
        help="It is the time between two readings. 150 s and 30 s of warm-up make the laser\n"
        "last four years.",
        unit="s",
        least=1,
        most=86400,
    )
    deadline_s: float = setting(
        45.0,
        help="A read that takes longer has failed; must leave 8 s beside warm_up_s.",
        unit="s",
        least=0.5,
        most=120,
    )
    port: str = setting(
        "/dev/ttyUSB0",
        help="The serial port. /dev/serial/by-id/… stays the same when plugs change.",
    )
    warm_up_s: float = setting(
        30.0,
        help="How long fan and laser run before a reading counts. They rest between two readings\n"
        "where interval_s is at least twice that; 0: they never rest.",
        unit="s",
        least=0,
        most=100,
    )

    def __post_init__(self) -> None:
        if self.warm_up_s and self.deadline_s < self.warm_up_s + 8:
            raise SettingsError(
                f"deadline_s = {self.deadline_s:g} leaves no time to read after"
                f" warm_up_s = {self.warm_up_s:g}",
                hint=f"Make deadline_s at least {self.warm_up_s + 8:g}, or warm_up_s = 0 (the fan"
                " then never rests).",
            )

    @property
    def rests(self) -> bool:
        """Whether fan and laser stop between two readings."""
        return 0 < self.warm_up_s <= self.interval_s / 2


class Frame(NamedTuple):
    """Ten bytes that are whole: the kind, and six bytes of data."""

    kind: int
    data: bytes

    @property
    def pm2_5(self) -> float:
        """µg/m³, in steps of 0.1; only in a report."""
        return int.from_bytes(self.data[0:2], "little") / 10

    @property
    def pm10(self) -> float:
        """µg/m³, in steps of 0.1; only in a report."""
        return int.from_bytes(self.data[2:4], "little") / 10


class Parser:
    """Finds frames in a stream that may begin anywhere and break at any byte.

    A frame is head, kind, six data bytes, their sum modulo 256, tail (protocol V1.3, section 1).
    What does not fit costs one byte, not ten: a frame right after a broken one is found.

    >>> [frame.pm10 for frame in Parser().feed(bytes.fromhex("00 aac0 0600 0600 58d9 3dab"))]
    [0.6]
    """

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that these bytes complete, in their order. Never raises."""
        data = self._rest + data
        frames: list[Frame] = []
        at = data.find(HEAD)
        while at >= 0 and len(data) - at >= LENGTH:
            if _is_frame(data, at):
                frames.append(Frame(data[at + 1], data[at + 2 : at + 8]))
                at += LENGTH
            else:
                at += 1
            at = data.find(HEAD, at)
        self._rest = data[at:] if at >= 0 else b""
        return frames


def _is_frame(data: bytes, at: int) -> bool:
    return (
        data[at + 1] in KINDS
        and data[at + 9] == TAIL
        and sum(data[at + 2 : at + 8]) & 0xFF == data[at + 8]
    )


class Sds011:
    """An open SDS011."""

    def __init__(self, settings: Settings, hardware: SensorHardware) -> None:
        self._settings = settings
        self._deadline = hardware.deadline
        self._part = f"the SDS011 at {settings.port}"
        with translated(self._part, HINT):
            self._port = hardware.serial(settings.port, BAUDRATE)
            self._port.timeout = LOOK_S

    def read(self) -> Sequence[Measurement]:
        with translated(self._part, HINT):
            report = self._report()
            if self._settings.rests:
                self._port.write(SLEEP)
        return (
            _measurement(Quantity.PM2_5_UG_M3, report.pm2_5),
            _measurement(Quantity.PM10_UG_M3, report.pm10),
        )

    def rest(self) -> None:
        """Stop fan and laser until the next read."""
        with translated(self._part, HINT):
            self._port.write(SLEEP)

    def close(self) -> None:
        """Give the port back. The fan stays as it is; the next read wakes it."""
        self._port.close()

    def _report(self) -> Frame:
        """The next report; what came before this moment is old air."""
        self._port.reset_input_buffer()
        heard = _Heard()
        report = _first_report(self._frames(heard, TALK_S))
        if report is None:
            if heard.is_silent:
                self._port.write(WORK)
                for _ in self._frames(heard, self._settings.warm_up_s):
                    pass  # not settled yet
            report = _first_report(self._frames(heard, PATIENCE_S, asks=True))
        if report is None:
            raise heard.error(self._part)
        return report

    def _frames(self, heard: _Heard, seconds: float, *, asks: bool = False) -> Iterator[Frame]:
        """Frames as they come, for so long; ``asks``: also ask for them."""
        parser = Parser()
        until = time.monotonic() + min(seconds, self._deadline.remaining_s() - MARGIN_S)
        ask_at = time.monotonic() if asks else until
        while time.monotonic() < until:
            if time.monotonic() >= ask_at:
                self._port.write(QUERY)
                ask_at += QUERY_S
            data = self._port.read(LENGTH)
            heard.count += len(data)
            for frame in parser.feed(data):
                heard.kinds.add(frame.kind)
                yield frame


@dataclass(slots=True)
class _Heard:
    """What came in while waiting, to say afterwards what was wrong."""

    count: int = 0
    kinds: set[int] = field(default_factory=set)

    @property
    def is_silent(self) -> bool:
        return self.count == 0

    def error(self, part: str) -> SensorError:
        if self.is_silent:
            return SensorMissing(f"{part} says nothing", hint=HINT)
        if REPORT_SDS198 in self.kinds:
            return SensorGarbled(
                f"{part} is an SDS198", hint="It measures PM100 only; exchange it."
            )
        if REPLY in self.kinds:
            return SensorTimeout(
                f"{part} answers commands and reports nothing",
                hint="Cut its supply once; if it stays so, its laser is worn out.",
            )
        return SensorGarbled(
            f"{part} sent {self.count} bytes and no whole frame",
            hint="A bad contact, a supply that dips, or another device at this port: `port` in"
            " kiezbox.toml, `ls /dev/serial/by-id`.",
        )


def _first_report(frames: Iterator[Frame]) -> Frame | None:
    return next((frame for frame in frames if frame.kind == REPORT), None)


def _measurement(quantity: Quantity, value: float) -> Measurement:
    if value < MOST_UG_M3:
        return Measurement(quantity, value)
    return Measurement(quantity, value, None, Flag.BAD, "range")


def open(settings: Settings, hardware: SensorHardware) -> Sds011:
    """The sensor's port, open. Whether a sensor is behind it shows the first read.

    Raises:
        SensorMissing: no such port.
        SensorError: the port may not be opened, or another program has it.
    """
    return Sds011(settings, hardware)
