"""OpenStreetMap's tags: which object is a point of ours, which a line of the map.

The keys are those of wiki.openstreetmap.org. What is private, disused or gone is left out: a closed
door costs somebody in the cold half an hour. Warm rooms are not in OpenStreetMap; they come from
the authority's list or the operator (``mapping``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from kiezbox.place.points import DETAILS, MOST_TEXT, Line, LineKind, Point

__all__ = ["Element", "is_area_relation", "line_of", "point_of", "status_of", "text_of"]

Tags = Mapping[str, str]


class Element(NamedTuple):
    """``type``: "n", "w" or "r". ``shapes``: (latitude, longitude) of its corners: one of a node,
    one list of a way, the outer rings of a relation.
    """

    type: str
    number: int
    tags: Tags
    shapes: Sequence[Sequence[tuple[float, float]]]

    @property
    def id(self) -> str:
        return f"{self.type}{self.number}"


def _is(key: str, *values: str) -> Callable[[Tags], bool]:
    return lambda tags: tags.get(key) in values


#: The first that holds decides.
_POINTS: tuple[tuple[str, Callable[[Tags], bool]], ...] = (
    ("lighthouse", _is("emergency", "disaster_help_point")),
    ("emergency_call", _is("emergency", "phone")),
    ("defibrillator", _is("emergency", "defibrillator")),
    ("well", _is("man_made", "water_well")),
    ("drinking_fountain", _is("amenity", "drinking_water")),
    ("hospital", _is("amenity", "hospital")),
    ("pharmacy", _is("amenity", "pharmacy")),
    ("police", _is("amenity", "police")),
    ("fire_station", _is("amenity", "fire_station")),
    ("toilet", _is("amenity", "toilets")),
    ("charging", _is("amenity", "device_charging_station")),
    ("shelter", _is("social_facility", "shelter")),
    ("info", _is("amenity", "townhall")),
)

_MAIN = ("motorway", "trunk", "primary", "secondary")
_STREETS = ("tertiary", "unclassified", "residential", "living_street", "pedestrian", "road")
_PATHS = ("footway", "path", "cycleway", "track", "steps", "bridleway")

_LINES: tuple[tuple[LineKind, Callable[[Tags], bool]], ...] = (
    (LineKind.MAIN_STREET, _is("highway", *_MAIN, *(f"{each}_link" for each in _MAIN))),
    (LineKind.STREET, _is("highway", *_STREETS)),
    (LineKind.STREET, lambda tags: tags.get("highway") == "service" and "name" in tags),
    (LineKind.PATH, lambda tags: tags.get("highway") in _PATHS and "footway" not in tags),
    (LineKind.RAIL, lambda tags: tags.get("railway") in ("rail", "light_rail", "tram")
     and tags.get("service") is None),
    (LineKind.STREAM, _is("waterway", "river", "canal", "stream")),
    (LineKind.WATER, _is("natural", "water")),
    (LineKind.WATER, _is("waterway", "riverbank")),
    (LineKind.WATER, _is("landuse", "basin", "reservoir")),
    (LineKind.GREEN, _is("leisure", "park")),
    (LineKind.GREEN, _is("landuse", "forest", "cemetery", "recreation_ground")),
    (LineKind.GREEN, _is("natural", "wood")),
)  # fmt: skip

#: Tags and the detail they become, where the value is one that ``DETAILS`` knows.
_DETAILS = (
    ("drinking_water", "drinkable"), ("wheelchair", "wheelchair"), ("fee", "fee"),
    ("access", "access"), ("emergency", "emergency"), ("check_date", "checked"),
)  # fmt: skip

_NOBODYS = ("private", "no", "employees")

#: What pumps and wells are said to be, in the words of people who looked.
_STATUS = {
    "works": ("ok", "yes", "working", "works", "functional", "funktionsfähig", "in betrieb"),
    "broken": ("broken", "no", "defekt", "kaputt", "out_of_order", "missing_beam", "dry"),
    "locked": ("locked", "verriegelt", "blocked", "abgesperrt"),
}
_UNKNOWN = ("", "unknown", "unbekannt", "?")


def point_of(element: Element, source: str) -> Point | None:
    """None: it is nothing that anybody looks for here, or not for everybody."""
    tags = element.tags
    kind = next((kind for kind, holds in _POINTS if holds(tags)), None)
    if kind is None or not element.shapes or _is_gone(tags) or tags.get("access") in _NOBODYS:
        return None
    latitude, longitude = _middle([corner for shape in element.shapes for corner in shape])
    details = {
        name: tags[key]
        for key, name in _DETAILS
        if key in tags and (not DETAILS[name] or tags[key] in DETAILS[name])
    }
    if kind != "hospital":
        details.pop("emergency", None)
    if kind == "drinking_fountain":
        details.setdefault("drinkable", "yes")
    details |= status_of(tags.get("pump:status", tags.get("operational_status", "")))
    if where := tags.get("defibrillator:location", tags.get("description", "")):
        details.setdefault("note", text_of(where))
    return Point(
        element.id,
        kind,
        text_of(tags.get("name", "")),
        round(latitude, 6),
        round(longitude, 6),
        _address(tags),
        text_of(tags.get("opening_hours", ""), lines=True),
        text_of(tags.get("phone", tags.get("contact:phone", ""))),
        {name: text_of(value) for name, value in details.items()},
        source,
    )


def line_of(element: Element, source: str) -> list[Line]:
    """What is drawn of a way, or of a relation's outer rings."""
    tags = element.tags
    if element.type == "n" or _is_gone(tags) or tags.get("tunnel", "no") != "no":
        return []
    kind = next((kind for kind, holds in _LINES if holds(tags)), None)
    if kind is None or (tags.get("area") == "yes" and not kind.is_area):
        return []
    if element.type == "r" and not kind.is_area:
        return []
    name = text_of(tags.get("name", ""))
    found = []
    for shape in element.shapes:
        corners = [(round(lat * 1e5), round(lon * 1e5)) for lat, lon in shape]
        if len(corners) < (4 if kind.is_area else 2):
            continue
        if kind.is_area and corners[0] != corners[-1]:
            continue  # Half of a lake, where the extract was cut.
        found.append(Line(kind, name, corners, source))
    return found


def is_area_relation(tags: Tags) -> bool:
    """Whether a relation's ways are needed to draw it or to say where it is."""
    if tags.get("type") != "multipolygon":
        return False
    is_drawn = any(kind.is_area and holds(tags) for kind, holds in _LINES)
    return is_drawn or any(holds(tags) for _, holds in _POINTS)


def status_of(text: str) -> dict[str, str]:
    """A pump's state as details: one of our words, or the sentence as it is.

    >>> status_of("funktionsfähig"), status_of("unbekannt")
    ({'status': 'works'}, {})
    >>> status_of("es kommt Wasser, aber die Pumpe blockiert manchmal")["note"][:16]
    'es kommt Wasser,'
    """
    said = text.strip().lower()
    if said in _UNKNOWN:
        return {}
    for status, words in _STATUS.items():
        if said in words:
            return {"status": status}
    return {"note": text_of(text)}


def text_of(text: str, *, lines: bool = False) -> str:
    """On one line (or on its own), without what cannot be seen, and not too long."""
    from kiezbox.situation import plain_text

    whole = plain_text(text, MOST_TEXT, lines=lines)
    return "\n".join(each for line in whole.splitlines() if (each := line.strip()))


def _is_gone(tags: Tags) -> bool:
    return any(tags.get(key, "no") != "no" for key in ("disused", "abandoned", "demolished"))


def _address(tags: Tags) -> str:
    street = tags.get("addr:street", tags.get("addr:place", ""))
    whole = f"{street} {tags.get('addr:housenumber', '')}" if street else tags.get("addr:full", "")
    return text_of(whole)


def _middle(corners: Sequence[tuple[float, float]]) -> tuple[float, float]:
    latitudes, longitudes = zip(*corners, strict=True)
    return (min(latitudes) + max(latitudes)) / 2, (min(longitudes) + max(longitudes)) / 2
