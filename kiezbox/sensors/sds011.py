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
the end of the range, 999.9 µg/m³, are flagged BAD with the reason "range". 0.0 for both is a dark
laser ("raw-sentinel"): in half a year of a street in Bochum the least was 0.5. An SDS198 looks
similar and measures something else; this driver says so.
How it is read: a sensor that is awake says its values once a second, and the next frame is the
reading. One that is silent is woken, given its warm-up, and asked. Nothing is ever set in it
that would outlast its supply: report mode and working period stay as they are.
Package: pyserial; the frames are taken apart here.
Source: Nova Fitness, "SDS011 Laser PM2.5 Sensor specification V1.3" and "Laser Dust Sensor
Control Protocol V1.3" (both 2015).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from kiezbox.errors import SensorError, SensorGarbled, SensorTimeout
from kiezbox.hardware import SensorHardware
from kiezbox.model import Flag, Measurement, Quantity
from kiezbox.sensors._border import translated
from kiezbox.sensors._line import FixedFrames, RestingSettings, opened, warm_up_setting
from kiezbox.settings import setting

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
#: "Recommended query interval of not less than 3 seconds" (protocol, "Query data command").
QUERY_S = 3.0

#: The end of the measuring range (specification, "Technical parameters").
MOST_UG_M3 = 999.9

HINT = (
    "Is its fan to be heard? Look at 5 V (pin 3) and GND (pin 5), and whether its T (pin 7) goes to"
    " the box's RX. The box tries again by itself."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(RestingSettings):
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
    warm_up_s: float = warm_up_setting()

    #: Beside the warm-up: silence, and two questions.
    READ_S = 8.0


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


class Parser(FixedFrames[Frame]):
    """Finds frames in a stream that may begin anywhere and break at any byte.

    A frame is head, kind, six data bytes, their sum modulo 256, tail (protocol V1.3, section 1).
    What does not fit costs one byte, not ten: a frame right after a broken one is found.

    >>> [frame.pm10 for frame in Parser().feed(bytes.fromhex("00 aac0 0600 0600 58d9 3dab"))]
    [0.6]
    """

    HEAD, LENGTH = HEAD, LENGTH

    def frame(self, whole: bytes) -> Frame | None:
        is_framed = whole[1] in KINDS and whole[9] == TAIL
        is_whole = is_framed and sum(whole[2:8]) & 0xFF == whole[8]
        return Frame(whole[1], whole[2:8]) if is_whole else None


class Sds011:
    """An open SDS011."""

    def __init__(self, settings: Settings, hardware: SensorHardware) -> None:
        self._settings = settings
        self._part = f"the SDS011 at {settings.port}"
        #: Kinds of frames heard in this read, to say afterwards what was wrong.
        self._kinds: set[int] = set()
        self._line = opened(settings, hardware, BAUDRATE, Parser, self._part, HINT)

    def read(self) -> Sequence[Measurement]:
        with translated(self._part, HINT):
            report = self._report()
            if self._settings.rests:
                self._line.say(SLEEP)
        return _measurements(report)

    def rest(self) -> None:
        """Stop fan and laser until the next read."""
        with translated(self._part, HINT):
            self._line.say(SLEEP)

    def close(self) -> None:
        """Give the port back. The fan stays as it is; the next read wakes it."""
        self._line.close()

    def _report(self) -> Frame:
        """The next report; what came before this moment is old air."""
        self._line.begin()
        self._kinds.clear()
        report = next(filter(self._is_report, self._line.frames(TALK_S)), None)
        if report is None:
            if self._kinds <= {REPLY} and self._line.is_clean(lambda _: LENGTH):
                self._line.say(WORK)
                for frame in self._line.frames(self._settings.warm_up_s):
                    self._kinds.add(frame.kind)  # not settled yet
            report = self._line.ask(QUERY, self._is_report, tries=2, patience_s=QUERY_S)
        if report is None:
            raise self._error()
        return report

    def _is_report(self, frame: Frame) -> bool:
        self._kinds.add(frame.kind)
        return frame.kind == REPORT

    def _error(self) -> SensorError:
        if REPORT_SDS198 in self._kinds:
            return SensorGarbled(
                f"{self._part} is an SDS198", hint="It measures PM100 only; exchange it."
            )
        if REPLY in self._kinds:
            return SensorTimeout(
                f"{self._part} answers commands and reports nothing",
                hint="Cut its supply once; if it stays so, its laser is worn out.",
            )
        return self._line.error()


def _measurements(report: Frame) -> list[Measurement]:
    values = {Quantity.PM2_5_UG_M3: report.pm2_5, Quantity.PM10_UG_M3: report.pm10}
    if not any(values.values()):
        return [Measurement(q, v, None, Flag.BAD, "raw-sentinel") for q, v in values.items()]
    return [_measurement(quantity, value) for quantity, value in values.items()]


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
