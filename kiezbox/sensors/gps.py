"""GPS: satellites in use; position and time for the box itself. NMEA at 9600 baud, or gpsd.

Wiring (u-blox NEO module): VCC to 3.3 V or 5 V as the module says, GND to GND, its TX to the Pi's
RX (header pin 10); RX stays open, nothing is ever sent to it. The port is then /dev/serial0, with
the console off (`raspi-config`, Interface, Serial). A USB receiver needs nothing else; give its
lasting name (`ls /dev/serial/by-id`). Where gpsd has the receiver, `port = "gpsd:"` asks gpsd.
Supply: 3.3 V (bare NEO), most modules 3.3 to 5 V.
Current: 25 to 70 mA, most while it searches.
Place: under open sky; a window is often enough, a cellar never. First fix after half a minute, and
after ten minutes where it was off for weeks.

Pitfalls: 0 satellites is a good value: it works and sees none. A receiver that has no fix tells a
time from its own clock; it is not believed. After its 1024 weeks a very old receiver is wrong by
twenty years: a time before 2025 is not passed on. Between houses a position jumps by a hundred
metres; so the box counts as moved only when three fixes in a row are `moved_m` away from its place
(`latitude` and `longitude`, here or in [box]). Then no reading comes but a fault: somebody has
carried it off, or kiezbox.toml has another place.
What is said: `satellites`, and nothing else. **The position is never a reading**: no store, no
page, no publisher gets it. It stands, with the time, in the driver's attribute ``last_fix``, from
which the box's own clock may take what it needs.
How it is read: a receiver speaks once a second; GGA and RMC of the same second are taken.
Package: pyserial; the sentences are taken apart here. adafruit_gps needs a writable port and keeps
old fields, so that half of a fix may be of another second.
Source: NMEA 0183 as in gpsd's "NMEA Revealed" (gpsd.gitlab.io/gpsd/NMEA.html), GGA and RMC; u-blox,
"Receiver description", NMEA; gpsd_json(5) for gpsd; receivers' logs of gpsd's test suite.
"""

from __future__ import annotations

import calendar
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from kiezbox.clock import EARLIEST_PLAUSIBLE, SystemClock
from kiezbox.errors import SensorError, SensorGarbled, SettingsError
from kiezbox.hardware import SensorHardware
from kiezbox.model import Measurement, Quantity
from kiezbox.sensors._border import translated
from kiezbox.sensors._gpsd import GPSD, GpsdPort
from kiezbox.sensors._line import Line
from kiezbox.settings import SensorSettings, setting

__all__ = ["QUANTITIES", "Fix", "Gps", "Moved", "Parser", "Settings", "fix_of", "open"]

QUANTITIES = (Quantity.SATELLITES,)
#: Where the box should be; without a place nothing is said of moving.
FROM_BOX = ("latitude", "longitude")

BAUDRATE = 9600
#: NMEA 0183 allows 82 characters; receivers are known to say more.
LONGEST = 120
#: One that works speaks once a second.
PATIENCE_S = 3.5
#: So many fixes in a row must be elsewhere.
MOVED_FIXES = 3
EARTH_RADIUS_M = 6_371_008.8

HINT = (
    "Look at VCC and GND, and whether its TX goes to the box's RX; some speak 38400 baud: set"
    " `baudrate`. The box tries again by itself."
)


class Moved(SensorError):
    """The box is not where it should be."""

    kind = "moved"


def _check_port(value: str) -> str:
    if not value.startswith(GPSD):
        return ""
    is_right = re.fullmatch(r"gpsd:(?:[^:\s]*:[0-9]{1,5})?", value) is not None
    return "" if is_right else 'must be "gpsd:" or "gpsd:HOST:PORT"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(SensorSettings):
    """``[sensors.NAME]`` with ``driver = "gps"``."""

    port: str = setting(
        "/dev/serial0",
        help='The serial port, or "gpsd:" for the gpsd of this computer, or "gpsd:HOST:PORT".',
        check=_check_port,
    )
    baudrate: int = setting(
        BAUDRATE, help="The receiver's speed.", unit="baud", least=1200, most=921600
    )
    latitude: float | None = setting(
        None,
        help="Where the box is meant to stand (WGS84): a fault when it is moved. Left out, it is\n"
        "the place in [box].",
        unit="degrees",
        least=-90,
        most=90,
        example=51.163,
    )
    longitude: float | None = setting(
        None, help="The same.", unit="degrees", least=-180, most=180, example=10.448
    )
    moved_m: float = setting(
        200.0, help="So far away it counts as moved.", unit="m", least=50, most=100000
    )

    def __post_init__(self) -> None:
        if (self.latitude is None) != (self.longitude is None):
            raise SettingsError(
                "latitude and longitude belong together", hint="Give both, or neither."
            )


class Fix(NamedTuple):
    """What the receiver knew at one moment; the box's own, for no reading and no page."""

    #: ``Clock.monotonic()`` when the sentence had come; it is sent 0.05 to 0.8 s late.
    heard_at: float
    #: Unix seconds, UTC; None: no date, or none to be believed.
    time: float | None
    #: WGS84 degrees; None: no position.
    latitude: float | None
    longitude: float | None
    #: As GGA says: 0 none, 1 GPS, 2 differential, 4 and 5 RTK, 6 estimated, 7 by hand, 8 simulator.
    quality: int
    satellites: int

    @property
    def is_measured(self) -> bool:
        """Whether satellites gave it; not by dead reckoning, hand or simulator."""
        return self.quality in MEASURED and self.latitude is not None


MEASURED = frozenset((1, 2, 3, 4, 5))

_COUNT = re.compile("[0-9]{1,3}")
#: dddmm.mmmm, hhmmss.ss, ddmmyy.
_ANGLE = re.compile(r"([0-9]{2,3})([0-9]{2}(?:\.[0-9]{1,9})?)")
_CLOCK = re.compile(r"([01][0-9]|2[0-3])([0-5][0-9])([0-5][0-9])(\.[0-9]{1,9})?")
_DATE = re.compile("(0[1-9]|[12][0-9]|3[01])(0[1-9]|1[0-2])([0-9]{2})")


class Parser:
    """Finds sentences in a stream that may begin anywhere and break at any byte.

    A sentence is "$", fields between commas, "*", the XOR of all between as two hex digits, and a
    new line. It comes as its fields; the first is talker and kind ("GNGGA").

    >>> Parser().feed(b"1,A*61" + bytes((13, 10)) + b"$GPGLL,,,,,191418.00,V,N*4E" + b"xx")
    []
    """

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[list[str]]:
        """The sentences that these bytes complete, in their order. Never raises."""
        *lines, rest = (self._rest + data).split(b"\n")
        self._rest = rest[-LONGEST:]
        return [fields for line in lines if (fields := _fields(line)) is not None]


def _fields(line: bytes) -> list[str] | None:
    content, star, checksum = line[line.rfind(b"$") + 1 :].rstrip(b"\r").rpartition(b"*")
    if not star or b"$" not in line or len(content) > LONGEST:
        return None
    rest = 0
    for byte in content:
        rest ^= byte
    if checksum.upper() != b"%02X" % rest or not all(0x20 <= byte < 0x7F for byte in content):
        return None
    return content.decode("ascii").split(",")


def fix_of(gga: Sequence[str], rmc: Sequence[str] | None, heard_at: float) -> Fix | None:
    """The fix that GGA and RMC of the same second make; None: GGA is not as it should be."""
    if len(gga) < 8 or gga[6] not in tuple("012345678") or not _COUNT.fullmatch(gga[7]):
        return None
    quality = int(gga[6])
    latitude = _degrees(gga[2], gga[3], "NS", 90)
    longitude = _degrees(gga[4], gga[5], "EW", 180)
    if not quality or latitude is None or longitude is None:
        latitude = longitude = None
    time = None if rmc is None else _time(rmc)
    return Fix(heard_at, time, latitude, longitude, quality, int(gga[7]))


def _degrees(text: str, side: str, sides: str, most: int) -> float | None:
    """Degrees from ``dddmm.mmmm`` and N, S, E or W."""
    found = _ANGLE.fullmatch(text)
    if found is None or not side or side not in sides:
        return None
    minutes = float(found[2])
    degrees = int(found[1]) + minutes / 60
    if minutes >= 60 or degrees > most:
        return None
    return -degrees if side == sides[1] else degrees


def _time(rmc: Sequence[str]) -> float | None:
    """Unix seconds of an RMC that says of itself that it is valid."""
    if len(rmc) < 10 or rmc[2] != "A":
        return None
    clock, date = _CLOCK.fullmatch(rmc[1]), _DATE.fullmatch(rmc[9])
    if clock is None or date is None:
        return None
    day, month, year = (int(part) for part in date.groups())
    if day > calendar.monthrange(2000 + year, month)[1]:
        return None
    hour, minute, second = (int(part) for part in clock.groups()[:3])
    whole = calendar.timegm((2000 + year, month, day, hour, minute, second))
    return whole + float(clock[4] or 0)


def distance_m(latitude: float, longitude: float, latitude_2: float, longitude_2: float) -> float:
    """Along the ground, on a sphere.

    >>> round(distance_m(52.0, 13.0, 52.001, 13.0))
    111
    """
    a, b = math.radians(latitude), math.radians(latitude_2)
    half = math.sin((b - a) / 2) ** 2
    half += math.cos(a) * math.cos(b) * math.sin(math.radians(longitude_2 - longitude) / 2) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(math.sqrt(min(1.0, half)))


class Gps:
    """An open receiver. ``last_fix`` is what it knew when it was last read."""

    def __init__(self, settings: Settings, hardware: SensorHardware) -> None:
        self._settings = settings
        self._clock = SystemClock()
        self.last_fix: Fix | None = None
        #: What it said since the read began, to say afterwards what was wrong.
        self._kinds: set[str] = set()
        self._part = f"the GPS receiver at {settings.port}"
        with translated(self._part, HINT):
            self._line: Line[list[str]] = Line(
                _port(settings, hardware), hardware.deadline, Parser, self._part, HINT
            )

    def read(self) -> Sequence[Measurement]:
        with translated(self._part, HINT):
            self._line.begin()
            fix = self._next_fix()
            if fix is None:
                raise self._error()
            self.last_fix = fix
            self._check_place(fix)
        return (Measurement(Quantity.SATELLITES, float(fix.satellites)),)

    def close(self) -> None:
        """Give the port back."""
        self._line.close()

    def _next_fix(self) -> Fix | None:
        """The next second of which GGA has come, with RMC where the receiver says it."""
        self._kinds.clear()
        last: dict[str, list[str]] = {}
        for fields in self._line.frames(PATIENCE_S):
            kind = fields[0][2:]
            self._kinds.add(fields[0])
            if kind not in ("GGA", "RMC") or len(fields) < 2:
                continue
            last[kind] = fields
            gga, rmc = last.get("GGA"), last.get("RMC")
            if gga is not None and rmc is not None and gga[1] == rmc[1]:
                return self._believed(fix_of(gga, rmc, self._clock.monotonic()))
        if "GGA" in last:
            return fix_of(last["GGA"], None, self._clock.monotonic())
        return None

    def _believed(self, fix: Fix | None) -> Fix | None:
        if fix is not None and fix.time is not None and fix.time < EARLIEST_PLAUSIBLE:
            return fix._replace(time=None)
        return fix

    def _check_place(self, fix: Fix) -> None:
        for _ in range(MOVED_FIXES):
            away_m = self._away_m(fix)
            if away_m is None or away_m <= self._settings.moved_m:
                return
            following = self._next_fix()
            if following is None:
                # Not known: neither "moved" nor, what a reading would mean, "where it should be".
                raise self._error()
            fix = self.last_fix = following
        raise Moved(
            f"the box stands {away_m:.0f} m from its place",
            hint="Was it carried off? If it has a new place, set latitude and longitude in"
            " kiezbox.toml.",
        )

    def _away_m(self, fix: Fix) -> float | None:
        latitude, longitude = self._settings.latitude, self._settings.longitude
        if latitude is None or longitude is None or not fix.is_measured:
            return None
        assert fix.latitude is not None and fix.longitude is not None
        return distance_m(latitude, longitude, fix.latitude, fix.longitude)

    def _error(self) -> SensorError:
        if not self._kinds:
            return self._line.error()
        return SensorGarbled(
            f"{self._part} says {', '.join(sorted(self._kinds)[:5])} and no whole GGA",
            hint="Switch GGA and RMC on in the receiver (u-center), or let gpsd have it.",
        )


def _port(settings: Settings, hardware: SensorHardware) -> Any:
    if settings.port.startswith(GPSD):
        return GpsdPort(settings.port, hardware.deadline)
    return hardware.serial(settings.port, settings.baudrate)


def open(settings: Settings, hardware: SensorHardware) -> Gps:
    """The receiver's port, open. Whether a receiver is behind it shows the first read.

    Raises:
        SensorMissing: no such port, or no gpsd.
        SensorError: the port may not be opened, or another program has it.
    """
    return Gps(settings, hardware)
