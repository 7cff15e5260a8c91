"""What a package holds: points by kind, lines for the map, and where all that came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import NamedTuple

__all__ = [
    "DETAILS", "KINDS", "MOST_TEXT", "NEEDS", "Bounds", "Line", "LineKind", "Package", "Point",
    "Source", "is_point_id", "need_of",
]  # fmt: skip

#: What people need now, in the order of the page, and the kinds of points that give it. A
#: lighthouse is where the authorities open a door in a disaster ("Katastrophenschutz-Leuchtturm").
NEEDS: dict[str, tuple[str, ...]] = {
    "help": ("lighthouse", "emergency_call", "fire_station", "police", "info"),
    "medical": ("hospital", "pharmacy", "defibrillator"),
    "water": ("well", "drinking_fountain"),
    "warmth": ("warm_room", "shelter"),
    "toilets": ("toilet",),
    "charging": ("charging",),
}

KINDS = tuple(kind for kinds in NEEDS.values() for kind in kinds)

#: Further facts a point may have, with the values a page can put into words; () is free text.
DETAILS: dict[str, tuple[str, ...]] = {
    "drinkable": ("yes", "no"),
    "status": ("works", "weak", "broken", "locked"),
    "checked": (),  # the day somebody last looked, as the source writes it
    "wheelchair": ("yes", "limited", "no"),
    "fee": ("yes", "no"),
    "access": ("yes", "customers", "permit"),
    "emergency": ("yes", "no"),  # a hospital with an emergency department
    "note": (),
}

#: Characters of one text; what is longer is cut.
MOST_TEXT = 200

_ID_SIGNS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-.")


class Point(NamedTuple):
    """One place. ``hours`` as OpenStreetMap writes them (``hours``), or as the source has them;
    ``source`` is the key of a ``Source``.
    """

    id: str
    kind: str
    name: str
    latitude: float
    longitude: float
    address: str = ""
    hours: str = ""
    phone: str = ""
    details: Mapping[str, str] = {}
    source: str = ""


class Source(NamedTuple):
    """Where points and lines came from. ``as_of``: the day of the data, ISO 8601, or ""."""

    key: str
    name: str
    licence: str
    url: str = ""
    as_of: str = ""


class LineKind(IntEnum):
    """What a line is; also the order in which they are drawn, the first lowest."""

    GREEN = 0
    WATER = 1
    STREAM = 2
    RAIL = 3
    PATH = 4
    STREET = 5
    MAIN_STREET = 6

    @property
    def is_area(self) -> bool:
        return self in (LineKind.GREEN, LineKind.WATER)


class Line(NamedTuple):
    """A street, a bank, a track: (latitude, longitude) of its corners in hundred-thousandths of a
    degree, which is a metre. An area ends where it began.
    """

    kind: LineKind
    name: str
    corners: Sequence[tuple[int, int]]
    source: str = ""


class Bounds(NamedTuple):
    """Degrees (WGS84)."""

    south: float
    west: float
    north: float
    east: float

    def has(self, latitude: float, longitude: float) -> bool:
        is_between = self.south <= latitude <= self.north
        return is_between and self.west <= longitude <= self.east

    @property
    def middle(self) -> tuple[float, float]:
        return (self.south + self.north) / 2, (self.west + self.east) / 2


class Package(NamedTuple):
    """The surroundings, whole. ``zone``: IANA name of the place's time, "" for the machine's.
    ``country`` and ``region``: ISO 3166-1 and 3166-2, "" for not said. ``holidays``: the public
    holidays there, days as ISO 8601, of whole years; () for not known.
    """

    name: str
    bounds: Bounds
    sources: Sequence[Source]
    points: Sequence[Point]
    lines: Sequence[Line]
    zone: str = ""
    built_at: str = ""
    country: str = ""
    region: str = ""
    holidays: Sequence[str] = ()


def need_of(kind: str) -> str:
    """What a point of this kind is good for.

    >>> need_of("well")
    'water'
    """
    return next(need for need, kinds in NEEDS.items() if kind in kinds)


def is_point_id(text: str) -> bool:
    """Whether this can stand in a path and in a record.

    >>> is_point_id("n575959920"), is_point_id("../x"), is_point_id("")
    (True, False, False)
    """
    return 0 < len(text) <= 60 and text[0] not in "-." and _ID_SIGNS.issuperset(text)
