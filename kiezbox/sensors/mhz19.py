"""MHZ19: Winsen MH-Z19B and MH-Z19C: carbon dioxide by infrared. Serial port, 9600 baud.

Wiring: Vin to 5 V, GND to GND, its Tx to the Pi's RX (header pin 10), its Rx to the Pi's TX (header
pin 8). HD stays open: pulled low for seven seconds it calibrates itself to 400 ppm. The port is
/dev/serial0, with the console off (`raspi-config`, Interface, Serial), or that of an adapter.
Supply: 4.5 to 5.5 V (MH-Z19C: 4.9 to 5.1 V); below it, it says its highest value for ever. Rx and
Tx are 3.3 V.
Current: under 20 mA on the mean (MH-Z19C: 40 mA), 150 mA (125 mA) at the lamp's flashes.
Place: where people sit, not at a window, not in the sun; no water, 0 to 50 °C: an indoor sensor.

Pitfalls: the first three minutes (MH-Z19C: one) it says constants (400, 410, 500; some firmware 388
and 555) or 0. So for `warm_up_s` after opening they are flagged SUSPECT "warm-up", and so is
everything until two readings differ that are none of these; `kiezbox read` reads once and shows
just that. 0 is BAD "raw-sentinel"; the end of its range BAD "range", for it clips there. `abc =
true` lets it take the lowest value of each day for 400 ppm: right in a flat that is aired daily,
wrong in a cellar, a stable or a greenhouse, where it drifts to nonsense within days. It cannot be
told from its frames whether it is a B or a C.
How it is read: it is asked once. When opened, `abc` is told it, and its range is set if it says
another one.
Package: pyserial; the frames are taken apart here (mh-z19 wants to stop the console with sudo).
Source: Winsen, "MH-Z19B manual" V1.0 and V1.5, "MH-Z19C manual", as quoted in pan0ne/CO2-Ampel
(Docs/Mh-Z19b_specifications.md) and by the drivers ESPEasy P049, WifWaf/MH-Z19 and PyPMS. That
the range stands in bytes 6 and 7 and not in 3 and 4 is what they found; 0x9B (tell the range) is
in no manual.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from kiezbox.hardware import SensorHardware
from kiezbox.model import Flag, Measurement, Quantity
from kiezbox.sensors._border import translated
from kiezbox.sensors._line import FixedFrames, opened
from kiezbox.settings import SensorSettings, setting

__all__ = ["QUANTITIES", "Frame", "Mhz19", "Parser", "Settings", "command", "open"]

QUANTITIES = (Quantity.CO2_PPM,)

#: What the lamp draws on the mean, in A (MH-Z19C: 0.04).
DRAWS_A = 0.02

BAUDRATE = 9600
HEAD, LENGTH = 0xFF, 9
READ, SET_ABC, SET_RANGE, TELL_RANGE = 0x86, 0x79, 0x99, 0x9B
ABC_ON, ABC_OFF = b"\xa0", b"\x00"
RANGES_PPM = (2000, 5000, 10000)

#: What it says while it warms up: in the manuals' and users' experience, and in WifWaf/MH-Z19
#: issue 21 (0x184, 0x22B).
CONSTANTS_PPM = frozenset((400, 410, 500, 388, 555))
NOTHING = 0

HINT = (
    "Look at 5 V (Vin) and GND, and whether its Tx goes to the box's RX and its Rx to the box's TX."
    " The box tries again by itself."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(SensorSettings):
    """``[sensors.NAME]`` with ``driver = "mhz19"``."""

    port: str = setting(
        "/dev/serial0",
        help="The serial port. /dev/serial/by-id/… stays the same when plugs change.",
    )
    abc: bool = setting(
        True,
        help="Whether it takes each day's lowest value for outdoor air. false where nobody airs\n"
        "every day (cellar, greenhouse).",
    )
    range_ppm: int = setting(
        5000,
        help="The end of its range: 2000, 5000 or 10000.",
        unit="ppm",
        check=lambda value: "" if value in RANGES_PPM else "must be 2000, 5000 or 10000",
    )
    warm_up_s: float = setting(
        180.0,
        help="So long after opening what it says while cold is flagged. 0: never.",
        unit="s",
        least=0,
        most=3600,
    )


class Frame(NamedTuple):
    """An answer: the command's number, and six bytes."""

    command: int
    data: bytes

    @property
    def co2_ppm(self) -> int:
        """Only in the answer to READ."""
        return int.from_bytes(self.data[0:2], "big")

    @property
    def range_ppm(self) -> int:
        """Only in the answer to TELL_RANGE."""
        return int.from_bytes(self.data[2:4], "big")


class Parser(FixedFrames[Frame]):
    """Finds answers in a stream that may begin anywhere and break at any byte.

    An answer is 0xFF, the command's number, six bytes, and what makes the sum without the first
    0 modulo 256. What does not fit costs one byte.

    >>> [frame.co2_ppm for frame in Parser().feed(bytes.fromhex("ff86027c42000000ba"))]
    [636]
    """

    HEAD, LENGTH = HEAD, LENGTH

    def frame(self, whole: bytes) -> Frame | None:
        # 0x01 in the second place is a command, ours, that came back: RX and TX joined.
        is_answer = sum(whole[1:]) & 0xFF == 0 and whole[1] != 0x01
        return Frame(whole[1], whole[2:8]) if is_answer else None


def command(number: int, data: bytes = b"") -> bytes:
    """The nine bytes of a command.

    >>> command(0x86).hex()
    'ff0186000000000079'
    """
    content = bytes((0x01, number)) + data.ljust(5, b"\0")
    return bytes((HEAD,)) + content + bytes((-sum(content) & 0xFF,))


class Mhz19:
    """An open MH-Z19."""

    def __init__(self, settings: Settings, hardware: SensorHardware) -> None:
        self._settings = settings
        self._part = f"the MH-Z19 at {settings.port}"
        self._is_told = False
        self._is_warm = False
        self._last_ppm = NOTHING
        self._opened_at = time.monotonic()
        self._line = opened(settings, hardware, BAUDRATE, Parser, self._part, HINT)

    def read(self) -> Sequence[Measurement]:
        with translated(self._part, HINT):
            self._line.begin()
            if not self._is_told:
                self._tell()
            answer = self._ask(READ)
        if answer is None:
            raise self._line.error()
        ppm = answer.co2_ppm
        self._note(ppm)
        flag, reason = self._judge(ppm)
        return (Measurement(Quantity.CO2_PPM, float(ppm), None, flag, reason),)

    def close(self) -> None:
        """Give the port back."""
        self._line.close()

    def _ask(self, number: int, tries: int = 3) -> Frame | None:
        return self._line.ask(
            command(number), lambda frame: frame.command == number, tries=tries, patience_s=0.5
        )

    def _tell(self) -> None:
        """Its settings. Older ones answer none of these commands, so no answer is no error."""
        self._line.say(command(SET_ABC, ABC_ON if self._settings.abc else ABC_OFF))
        answer = self._ask(TELL_RANGE, tries=1)
        if answer is not None and answer.range_ppm != self._settings.range_ppm:
            wanted = self._settings.range_ppm.to_bytes(2, "big")
            self._line.say(command(SET_RANGE, b"\0\0\0" + wanted))
        self._is_told = True

    def _note(self, ppm: int) -> None:
        if time.monotonic() - self._opened_at >= self._settings.warm_up_s:
            self._is_warm = True
        measures = {ppm, self._last_ppm}.isdisjoint(CONSTANTS_PPM | {NOTHING})
        if measures and ppm != self._last_ppm:
            self._is_warm = True
        self._last_ppm = ppm

    def _judge(self, ppm: int) -> tuple[Flag, str]:
        if ppm == NOTHING:
            return Flag.BAD, "raw-sentinel"
        if ppm >= self._settings.range_ppm:
            return Flag.BAD, "range"
        return (Flag.GOOD, "") if self._is_warm else (Flag.SUSPECT, "warm-up")


def open(settings: Settings, hardware: SensorHardware) -> Mhz19:
    """The sensor's port, open. Whether a sensor is behind it shows the first read.

    Raises:
        SensorMissing: no such port.
        SensorError: the port may not be opened, or another program has it.
    """
    return Mhz19(settings, hardware)
