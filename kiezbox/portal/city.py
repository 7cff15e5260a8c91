"""The surroundings as a *city package* of the existing Kiezbox app, ``schemaVersion`` 1.

``/city/city.json`` describes it, and names its files: points as GeoJSON (RFC 7946) with the tags
that OpenStreetMap uses for them, and ``poi-map.json``, which says what the tags mean. Made from the
box's own package (``kiezbox place build``); without one it is a valid package with no points.
"""

from __future__ import annotations

from hashlib import blake2b
from json import dumps

from kiezbox.portal.places import Surroundings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kiezbox.place.points import Point
    from kiezbox.portal.asking import Ask

__all__ = ["FILES", "part"]

SCHEMA_VERSION = 1

#: The nearest so many of a kind.
MOST_POINTS = 2000

#: The app's files, and which kinds of our points go into each.
FILES: dict[str, tuple[str, ...]] = {
    "toilets.json": ("toilet",),
    "drinking-water.json": ("drinking_fountain",),
    "defibrillator.json": ("defibrillator",),
    "water-pumps.json": ("well",),
}

#: Our words for a pump's state → OpenStreetMap's (key ``pump:status``).
_PUMPS = {"works": "ok", "weak": "ok", "broken": "broken", "locked": "locked"}

#: Kind of point → the tag by which OpenStreetMap calls it.
_TAGS = {
    "toilet": {"amenity": "toilets"},
    "drinking_fountain": {"amenity": "drinking_water"},
    "defibrillator": {"emergency": "defibrillator"},
    "well": {"man_made": "water_well"},
}

_YES_NO = {"kind": "boolean", "truthy": ["yes"], "falsy": ["no"]}
_TEXT = {"kind": "text"}

#: What a property means, by file.
POI_MAP: dict[str, dict[str, Any]] = {
    "toilets.json": {"wheelchair": _YES_NO, "fee": _YES_NO, "opening_hours": _TEXT},
    "drinking-water.json": {"wheelchair": _YES_NO, "check_date": _TEXT},
    "defibrillator.json": {
        "defibrillator:location": _TEXT,
        "opening_hours": _TEXT,
        "phone": {**_TEXT, "alsoTry": ["contact:phone"]},
    },
    "water-pumps.json": {
        "pump:status": {
            "kind": "map",
            "values": {"ok": "ok", "broken": "broken", "locked": "locked"},
            "fallback": "unknown",
        },
        "drinking_water": _YES_NO,
        "check_date": _TEXT,
    },
}

#: Around a box that has no package: degrees, about two kilometres.
REACH = 0.02


def part(ask: Ask, name: str) -> dict[str, Any] | None:
    """A file of the package; None: there is none of this name."""
    around = Surroundings(ask)
    if name == "city.json":
        return _city(ask, around)
    if name == "poi-map.json":
        return {"schemaVersion": SCHEMA_VERSION, "files": POI_MAP}
    if name in FILES:
        return _points(around, FILES[name])
    return None


def _city(ask: Ask, around: Surroundings) -> dict[str, Any]:
    west, south, east, north = _bounds(ask, around)
    box = ask.facts["box"]
    place = around.middle if around else (box["latitude"], box["longitude"])
    centre = [place[1], place[0]] if None not in place else [(west + east) / 2, (south + north) / 2]
    document: dict[str, Any] = {
        "schemaVersion": SCHEMA_VERSION,
        "slug": "kiezbox",
        "name": str(box["name"] or box["id"] or "Kiezbox"),
        "defaultLocale": "de",
        "bounds": [west, south, east, north],
        "center": centre,
        "minzoom": 10,
        "maxzoom": 18,
        # There are no tiles: our map is drawn on the server.
        "mapMaxZoom": None,
        "fallbackCoordinates": centre,
        "poiMap": "poi-map.json",
        "files": ["poi-map.json", *FILES],
    }
    return {**document, "dataVersion": _version(around, document)}


def _version(around: Surroundings, document: dict[str, Any]) -> str:
    """Another one when anything in the package is another."""
    points = [_points(around, kinds) for kinds in FILES.values()]
    said = dumps([document, points], sort_keys=True, ensure_ascii=False)
    return blake2b(said.encode(), digest_size=8).hexdigest()


def _bounds(ask: Ask, around: Surroundings) -> tuple[float, float, float, float]:
    """West, south, east, north: as a map has them."""
    if around:
        south, west, north, east = around.bounds
        return west, south, east, north
    box = ask.facts["box"]
    if box["latitude"] is None or box["longitude"] is None:
        return -180.0, -85.0, 180.0, 85.0
    latitude, longitude = box["latitude"], box["longitude"]
    return longitude - REACH, latitude - REACH, longitude + REACH, latitude + REACH


def _points(around: Surroundings, kinds: tuple[str, ...]) -> dict[str, Any]:
    near = around.near(kinds, MOST_POINTS) if around else []
    document: dict[str, Any] = {
        "type": "FeatureCollection",
        "features": [_feature(each.point) for each in near],
    }
    if around:
        document["attribution"] = [
            {"name": name, "licence": licence, "url": url}
            for name, licence, url in around.sources()
        ]
    return document


def _feature(point: Point) -> dict[str, Any]:
    details = point.details
    properties: dict[str, Any] = {
        **_TAGS[point.kind],
        "name": point.name,
        "opening_hours": point.hours,
        "phone": point.phone,
        "addr:full": point.address,
        "wheelchair": details.get("wheelchair"),
        "fee": details.get("fee"),
        "access": details.get("access"),
        "check_date": details.get("checked"),
        "drinking_water": details.get("drinkable"),
        "pump:status": _PUMPS.get(details.get("status", "")),
    }
    if point.kind == "defibrillator":
        properties["defibrillator:location"] = details.get("note")
    else:
        properties["description"] = details.get("note")
    return {
        "type": "Feature",
        "id": point.id,
        "geometry": {
            "type": "Point",
            "coordinates": [round(point.longitude, 6), round(point.latitude, 6)],
        },
        "properties": {name: value for name, value in properties.items() if value},
    }
