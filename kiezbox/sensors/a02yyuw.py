"""A02YYUW: distance to water by ultrasound, waterproof. Serial port, 9600 baud.

Wiring: pin 1 (red) to 3.3 V, pin 2 (black) to GND, pin 4 (TX, white) to the Pi's RX (header pin
10). Pin 3 (RX) stays open: then it averages by itself; at GND it would say each raw echo. The port
is /dev/serial0, with the console off (`raspi-config`, Interface, Serial), or that of an adapter.
Supply: 3.3 to 5 V; with 5 V its TX is 5 V too and would harm the Pi.
Current: 8 mA on the mean, 15 mA at a ping.
Place: looking straight down on the water, 0.1 to 4 m above the highest flood; nothing else within
the cone of 60°, no pipe wall, no ladder, no grass. Its eye outside, the plug inside the box.

Pitfalls: nearer than 3 cm and beyond 4.5 m it sees nothing and says 0: flagged BAD "no-echo". A
spider's web, ice on the eye, rain or foam give echoes that jump: where the middle half of a burst
is spread over more than `spread_m`, the value is SUSPECT "echo". Speed of sound is that of its own
inner thermometer; in the sun it is off by some centimetres. A dry bed reads as the bed's level.
How it is read: it speaks ten times a second (or three times); a burst of `burst` distances is
taken, and the middle one said as

    water_level_m = mounting_height_m − distance + zero_m

`mounting_height_m` is from its face down to the bed; `zero_m` is what a gauge says at that bed, so
0 gives depth, and the bed's height on the gauge gives the gauge's level. From which level on
residents are told, and the box opens: `[sensors.NAME.steps.water_level_m]`, docs/air.md.
Package: pyserial; the frames are taken apart here.
Source: DFRobot, wiki of SEN0311 (A02YYUW), "UART communication" and "specification". That 0 means
no echo is in no manual: riteshRcH/waterproof_small_blind_ultrasonic_sensor_DYP-A02YYxx, issue 2.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from kiezbox.errors import SettingsError
from kiezbox.hardware import SensorHardware
from kiezbox.model import Flag, Measurement, Quantity
from kiezbox.sensors._border import translated
from kiezbox.sensors._line import FixedFrames, opened
from kiezbox.settings import SensorSettings, setting

__all__ = ["QUANTITIES", "A02yyuw", "Parser", "Settings", "open"]

QUANTITIES = (Quantity.WATER_LEVEL_M,)

BAUDRATE = 9600
HEAD, LENGTH = 0xFF, 4

#: The measuring range (wiki, "specification": blind zone 3 cm, ranging distance 450 cm).
LEAST_MM, MOST_MM = 30, 4500

#: The slowest kind says three distances a second; eleven of them, and a second of grace.
PATIENCE_S = 8.0
#: A checksum of eight bits alone lets one wrong distance in 256 pass; so do not believe fewer.
LEAST_BURST = 3

HINT = (
    "Look at 3.3 V and GND, and whether its TX (pin 4) goes to the box's RX. The box tries again by"
    " itself."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(SensorSettings):
    """``[sensors.NAME]`` with ``driver = "a02yyuw"``."""

    port: str = setting(
        "/dev/serial0",
        help="The serial port. /dev/serial/by-id/… stays the same when plugs change.",
    )
    mounting_height_m: float = setting(
        help="From the sensor's face straight down to the bed.",
        unit="m",
        least=0.05,
        most=20,
        example=2.4,
    )
    zero_m: float = setting(
        0.0,
        help="What the gauge says when the water just covers the bed; 0: the level is the depth.",
        unit="m",
        least=-500,
        most=9000,
    )
    burst: int = setting(
        11, help="Of so many distances the middle one is said.", least=LEAST_BURST, most=51
    )
    spread_m: float = setting(
        0.05,
        help="Where the middle half of a burst is spread over more, the level is suspect.",
        unit="m",
        least=0.001,
        most=2,
    )

    def __post_init__(self) -> None:
        most_m = self.mounting_height_m - LEAST_MM / 1000 + self.zero_m
        steps = self.steps.get(Quantity.WATER_LEVEL_M.value)
        for step, level_m in steps.marks.items() if steps else ():
            if level_m > most_m:
                raise SettingsError(
                    f"steps.water_level_m.{step} = {level_m:g} is more than it can ever see"
                    f" ({most_m:.2f} m, three centimetres below its face)",
                    hint="Hang it higher (mounting_height_m), or say from where you count"
                    " (zero_m).",
                )


class Parser(FixedFrames[int]):
    """Finds distances in a stream that may begin anywhere and break at any byte.

    A frame is 0xFF, the distance in mm, high byte first, and the sum of the three modulo 256.

    >>> Parser().feed(bytes.fromhex("a7 ff07a1a7"))
    [1953]
    """

    HEAD, LENGTH = HEAD, LENGTH

    def frame(self, whole: bytes) -> int | None:
        is_whole = sum(whole[:3]) & 0xFF == whole[3]
        return int.from_bytes(whole[1:3], "big") if is_whole else None


class A02yyuw:
    """An open A02YYUW."""

    def __init__(self, settings: Settings, hardware: SensorHardware) -> None:
        self._settings = settings
        self._part = f"the A02YYUW at {settings.port}"
        self._line = opened(settings, hardware, BAUDRATE, Parser, self._part, HINT)

    def read(self) -> Sequence[Measurement]:
        with translated(self._part, HINT):
            self._line.begin()
            burst = list(islice(self._line.frames(PATIENCE_S), self._settings.burst))
        if len(burst) < LEAST_BURST:
            raise self._line.error()
        self._line.check_noise(lambda _: LENGTH)
        distance_mm = statistics.median_low(burst)
        flag, reason = self._judge(burst, distance_mm)
        level_m = self._settings.mounting_height_m - distance_mm / 1000 + self._settings.zero_m
        return (Measurement(Quantity.WATER_LEVEL_M, round(level_m, 3), None, flag, reason),)

    def close(self) -> None:
        """Give the port back."""
        self._line.close()

    def _judge(self, burst: Sequence[int], distance_mm: int) -> tuple[Flag, str]:
        if not LEAST_MM <= distance_mm <= MOST_MM:
            return Flag.BAD, "no-echo"
        quarter = len(burst) // 4
        middle = sorted(burst)[quarter : len(burst) - quarter]
        if middle[-1] - middle[0] > self._settings.spread_m * 1000:
            return Flag.SUSPECT, "echo"
        return Flag.GOOD, ""


def open(settings: Settings, hardware: SensorHardware) -> A02yyuw:
    """The sensor's port, open. Whether a sensor is behind it shows the first read.

    Raises:
        SensorMissing: no such port.
        SensorError: the port may not be opened, or another program has it.
    """
    return A02yyuw(settings, hardware)
