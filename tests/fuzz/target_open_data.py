"""GeoJSON from anywhere, by an operator's table: points that can be shown, or a sentence."""

from __future__ import annotations

import json

from kiezbox.errors import UsageError
from kiezbox.place.building import OSM
from kiezbox.place.mapping import mapped
from kiezbox.place.merge import merged
from kiezbox.place.package import point_of_row, point_row, problems
from kiezbox.place.points import Bounds, Package

TABLE = {
    "kind": "well",
    "name": ["name", "title"],
    "address": "street",
    "hours": "hours",
    "id": "id",
    "details": {"status": "state", "drinkable": "drinkable", "note": "note"},
    "values": {"drinkable": {"ja": "yes"}},
    "skip": {"state": ["gone"]},
    "source": {"name": "x", "licence": "y"},
}

WORLD = Bounds(-90.0, -180.0, 90.0, 180.0)

SEEDS = [
    json.dumps({"type": "FeatureCollection", "features": [
        {"type": "Feature", "geometry": {"type": "Point", "coordinates": [10.4, 51.1]},
         "properties": {"id": 7, "name": "Pumpe", "state": "OK", "drinkable": "ja",
                        "hours": "Mo-Fr 08:00-18:00\nSa"}},
        {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [
            [[10.4, 51.1], [10.5, 51.1], [10.4, 51.2], [10.4, 51.1]]]}, "properties": None},
        {"type": "Feature", "geometry": None, "properties": {"street": "Weg 1"}},
    ]}).encode(),
    b'[{"name": "Rathaus", "street": "Markt 1"}]',
]  # fmt: skip


def one(data: bytes) -> None:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return
    try:
        found = mapped(document, TABLE, "data")
    except UsageError:
        return
    points = merged(found.points)
    package = Package("x", WORLD, [OSM, found.source], points, [])
    assert problems(package) == []
    for point in points:
        assert point_of_row(point_row(point)) == point
