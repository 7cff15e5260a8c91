"""SPS30_UART: Sensirion SPS30 on its serial port: PM1, PM2.5, PM4, PM10 by laser. 115200 baud.

Wiring, five-pin plug: pin 1 to 5 V, pin 2 (RX) to the Pi's TX (header pin 8), pin 3 (TX) to the
Pi's RX (header pin 10), pin 4 (SEL) left open, pin 5 to GND. SEL is read at power-up only: tied to
GND it speaks I²C until the supply is cut. Prefer this port to I²C where the cable is longer than
20 cm.
Supply: 4.5 to 5.5 V; RX and TX take 3.3 V.
Current: up to 65 mA while measuring (80 mA while the fan starts), 0.36 mA idle.
Place: no wind into the slots, and no direct sun; it is not tight against rain.

Pitfalls: after the start it takes up to 30 s in clean air until values are right, so `warm_up_s` is
30. After a week of measuring without a break it blows its fan clean for ten seconds, audibly; one
that rests never gets there, so it is told to every `clean_days`. Values above 1000 µg/m³ are
flagged BAD "range"; when it says itself that its fan or laser failed, all are BAD "status", and
SUSPECT "status" when the fan's speed is off. Ten zeros at once are no measurement: BAD
"raw-sentinel".
How it is read: measuring is started, the warm-up waited for if it was idle, five measurements are
taken a second apart; the mean without the smallest and the largest counts. Then it goes idle. Its
cleaning interval and everything else it keeps are left as they are.
Package: pyserial; the frames are taken apart here. Sensirion's sensirion-uart-sps30 was tried and
is the judge in the tests: its channel opens the port by itself, so without our deadline and our
lock, and brings three more packages for sixty lines.
Source: Sensirion, "Datasheet SPS30" 1.0 (2020), sections 2, 4 and 5, as quoted in Sensirion's own
driver sensirion-uart-sps30 1.0.0 and in PyPMS, docs/sensors/Sensirion.md; times and cleaning, as in
tasmota/docs SPS30.md. What it answers while it cleans itself could not be checked.
"""

from __future__ import annotations

import math
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from kiezbox.errors import SensorGarbled
from kiezbox.hardware import SensorHardware
from kiezbox.model import Flag, Measurement, Quantity
from kiezbox.sensors._border import translated
from kiezbox.sensors._duty import Cleaning, clean_days_setting
from kiezbox.sensors._line import RestingSettings, opened, trimmed, warm_up_setting
from kiezbox.settings import setting

__all__ = ["QUANTITIES", "Frame", "Parser", "Settings", "Sps30Uart", "command", "open"]

QUANTITIES = (
    Quantity.PM1_UG_M3,
    Quantity.PM2_5_UG_M3,
    Quantity.PM4_UG_M3,
    Quantity.PM10_UG_M3,
)

#: What fan and laser draw while it works, in A.
DRAWS_A = 0.065

BAUDRATE = 115200
EDGE, ESCAPE, FLIP = 0x7E, 0x7D, 0x20
ESCAPED = frozenset((EDGE, ESCAPE, 0x11, 0x13))
#: START, all bytes stuffed, STOP: 1 + 2 * (5 + 255) + 1.
LONGEST = 522

START, STOP, READ, WAKE, CLEAN, STATUS = 0x00, 0x01, 0x03, 0x11, 0x56, 0xD2
AS_FLOATS = b"\x01\x03"
#: State byte: bit 7 repeats that the status register holds an error; below it, an error code.
ERROR_CODE, NOT_NOW, UNKNOWN = 0x7F, 0x43, 0x02
#: A single byte whose low bits wake the port of one that sleeps; "wake" within 100 ms.
NUDGE = b"\xff"
#: Measured values: ten, as floats, or as whole numbers if another program started it so.
FORMATS = {40: ">10f", 20: ">10H"}
#: Status register.
FAN, LASER, SPEED = 1 << 4, 1 << 5, 1 << 21

#: It measures once a second; asked in between it answers with no data.
ASK_S = 0.25
SAMPLES = 5
#: Five measurements, or a fan that cleans itself for ten seconds and then one.
PATIENCE_S = 12.0
ANSWER_S = 0.5

MOST_UG_M3 = 1000.0

HINT = (
    "Look at 5 V (pin 1) and GND (pin 5), and whether SEL (pin 4) was open when it got its supply:"
    " else it speaks I²C. The box tries again by itself."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(RestingSettings):
    """``[sensors.NAME]`` with ``driver = "sps30_uart"``."""

    interval_s: float = setting(
        150.0, help="It is the time between two readings.", unit="s", least=1, most=86400
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
    clean_days: float = clean_days_setting()


class Frame(NamedTuple):
    """What the sensor answered."""

    command: int
    state: int
    data: bytes


class Parser:
    """Finds frames in a stream that may begin anywhere and break at any byte.

    A frame stands between two 0x7E: address, command, state, number of data bytes, data, and the
    inverted sum of all these. 0x7E, 0x7D, 0x11 and 0x13 inside are sent as 0x7D and the byte with
    bit 5 flipped (data sheet, section 5.2).

    >>> Parser().feed(bytes.fromhex("7e 00 00 43 00 bc 7e"))
    [Frame(command=0, state=67, data=b'')]
    """

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that these bytes complete, in their order. Never raises."""
        *pieces, rest = (self._rest + data).split(bytes((EDGE,)))
        # What is longer than a frame can be is none; its end will not be waited for.
        self._rest = rest[-LONGEST:]
        return [frame for piece in pieces if (frame := _frame(piece)) is not None]


def _frame(stuffed: bytes) -> Frame | None:
    whole = _unstuffed(stuffed)
    if whole is None or len(whole) < 5 or whole[0] != 0 or len(whole) != whole[3] + 5:
        return None
    if ~sum(whole[:-1]) & 0xFF != whole[-1]:
        return None
    return Frame(whole[1], whole[2], whole[4:-1])


def _unstuffed(stuffed: bytes) -> bytes | None:
    whole = bytearray()
    rest = iter(stuffed)
    for byte in rest:
        if byte == ESCAPE:
            byte = next(rest, 0) ^ FLIP
            if byte not in ESCAPED:
                return None
        elif byte in ESCAPED:
            return None
        whole.append(byte)
    return bytes(whole)


def command(number: int, data: bytes = b"") -> bytes:
    """The bytes of a command to the sensor, stuffed.

    >>> command(0x00, bytes.fromhex("0103")).hex(" ")
    '7e 00 00 02 01 03 f9 7e'
    """
    content = bytes((0, number, len(data))) + data
    content += bytes((~sum(content) & 0xFF,))
    stuffed = b"".join(
        bytes((ESCAPE, byte ^ FLIP)) if byte in ESCAPED else bytes((byte,)) for byte in content
    )
    return bytes((EDGE,)) + stuffed + bytes((EDGE,))


class Sps30Uart:
    """An open SPS30."""

    def __init__(self, settings: Settings, hardware: SensorHardware) -> None:
        self._settings = settings
        self._part = f"the SPS30 at {settings.port}"
        self._cleaning = Cleaning(settings.clean_days, hardware.deadline, self._part)
        self._line = opened(settings, hardware, BAUDRATE, Parser, self._part, HINT)

    def read(self) -> Sequence[Measurement]:
        with translated(self._part, HINT):
            self._line.begin()
            if self._start():
                for _ in self._line.frames(self._settings.warm_up_s):
                    pass  # it says nothing by itself; this waits
            samples = self._samples()
            flag, reason = self._status()
            if self._settings.rests:
                self._cleaning.if_due(lambda: self._ask(CLEAN))
                self._ask(STOP)
        if not any(map(any, samples)):
            flag, reason = Flag.BAD, "raw-sentinel"
        return [
            _measurement(quantity, trimmed(values), flag, reason)
            for quantity, values in zip(QUANTITIES, zip(*samples, strict=True), strict=False)
        ]

    def rest(self) -> None:
        """Stop fan and laser until the next read."""
        with translated(self._part, HINT):
            self._line.begin()
            if self._ask(STOP) is None and self._line.heard:
                raise self._line.error()  # one that says nothing sleeps

    def close(self) -> None:
        """Give the port back. The fan stays as it is; the next read starts it."""
        self._line.close()

    def _ask(self, number: int, data: bytes = b"", *, tries: int = 3) -> Frame | None:
        return self._line.ask(
            command(number, data),
            lambda frame: frame.command == number,
            tries=tries,
            patience_s=ANSWER_S,
        )

    def _start(self) -> bool:
        """Let it measure; whether it did not before."""
        answer = self._ask(START, AS_FLOATS, tries=2)
        if answer is None and not self._line.heard:
            self._line.say(NUDGE)
            self._ask(WAKE, tries=1)
            answer = self._ask(START, AS_FLOATS)
        if answer is None:
            raise self._line.error()
        code = answer.state & ERROR_CODE
        if code not in (0, NOT_NOW):
            raise SensorGarbled(f"{self._part} will not measure: error 0x{code:02x}", hint=HINT)
        return code == 0

    def _samples(self) -> list[tuple[float, ...]]:
        """Measurements, ten values each."""
        samples: list[tuple[float, ...]] = []
        until = time.monotonic() + PATIENCE_S
        while len(samples) < SAMPLES and time.monotonic() < until and not self._line.is_over:
            answer = self._ask(READ)
            if answer is None:
                break
            if answer.data:
                samples.append(self._values(answer.data))
            else:
                for _ in self._line.frames(ASK_S):
                    pass
        if not samples:
            raise self._line.error()
        return samples

    def _values(self, data: bytes) -> tuple[float, ...]:
        values = struct.unpack(FORMATS[len(data)], data) if len(data) in FORMATS else ()
        if not values or not all(math.isfinite(value) and value >= 0 for value in values):
            raise SensorGarbled(
                f"{self._part} answers nonsense: {data.hex()}",
                hint="Cut its supply once; if it stays so, exchange it.",
            )
        return values

    def _status(self) -> tuple[Flag, str]:
        """What it says of itself. Firmware before 2.0 does not know the command."""
        answer = self._ask(STATUS, b"\x00")
        if answer is None:
            raise self._line.error()
        if answer.state & ERROR_CODE == UNKNOWN:
            return Flag.GOOD, ""
        register = int.from_bytes(answer.data[:4], "big")
        if register & (FAN | LASER):
            return Flag.BAD, "status"
        return (Flag.SUSPECT, "status") if register & SPEED else (Flag.GOOD, "")


def _measurement(quantity: Quantity, value: float, flag: Flag, reason: str) -> Measurement:
    if flag is Flag.GOOD and value > MOST_UG_M3:
        flag, reason = Flag.BAD, "range"
    return Measurement(quantity, round(value, 2), None, flag, reason)


def open(settings: Settings, hardware: SensorHardware) -> Sps30Uart:
    """The sensor's port, open. Whether a sensor is behind it shows the first read.

    Raises:
        SensorMissing: no such port.
        SensorError: the port may not be opened, or another program has it.
    """
    return Sps30Uart(settings, hardware)
