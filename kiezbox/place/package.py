"""A package as a file: an SQLite database of four tables, which any tool can read (docs/place.md).

Here is what stands in it; ``store.places`` writes and reads it, and the portal looks into it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from kiezbox.place.points import (
    DETAILS,
    KINDS,
    Bounds,
    Line,
    LineKind,
    Package,
    Point,
    Source,
    is_point_id,
)
from kiezbox.place.shapes import pack_corners, unpack_corners

__all__ = [
    "APPLICATION_ID", "POINT_COLUMNS", "SCHEMA", "VERSION", "line_row", "meta_rows", "package_of",
    "point_of_row", "point_row", "problems",
]  # fmt: skip

#: ``schemaVersion`` in the table ``meta``. A reader refuses a higher one.
VERSION = 1

#: ``PRAGMA application_id``, so that file(1) and we know what this is: "KIEZ".
APPLICATION_ID = 0x4B49455A

SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE sources (key TEXT PRIMARY KEY, name TEXT NOT NULL, licence TEXT NOT NULL,
  url TEXT NOT NULL, as_of TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE points (id TEXT PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL,
  latitude REAL NOT NULL, longitude REAL NOT NULL, address TEXT NOT NULL, hours TEXT NOT NULL,
  phone TEXT NOT NULL, details TEXT NOT NULL, source TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX points_by_latitude ON points (latitude, longitude);
CREATE TABLE lines (number INTEGER PRIMARY KEY, kind INTEGER NOT NULL, name TEXT NOT NULL,
  south INTEGER NOT NULL, west INTEGER NOT NULL, north INTEGER NOT NULL, east INTEGER NOT NULL,
  corners BLOB NOT NULL, source TEXT NOT NULL);
CREATE INDEX lines_by_latitude ON lines (south, north, west, east);
"""

#: In the order of ``Point``'s fields.
POINT_COLUMNS = "id, kind, name, latitude, longitude, address, hours, phone, details, source"


def meta_rows(package: Package) -> list[tuple[str, str]]:
    """Key and value."""
    south, west, north, east = package.bounds
    values = {
        "schemaVersion": VERSION, "name": package.name, "zone": package.zone,
        "south": south, "west": west, "north": north, "east": east,
        "builtAt": package.built_at, "country": package.country, "region": package.region,
        "holidays": " ".join(package.holidays),
    }  # fmt: skip
    return [(key, str(value)) for key, value in values.items()]


def package_of(
    meta: dict[str, str],
    sources: Sequence[Sequence[str]],
    points: Sequence[Sequence[Any]],
    lines: Sequence[Sequence[Any]],
) -> Package:
    """The package of the tables' rows.

    Raises:
        ValueError, LookupError, TypeError: this is none.
    """
    bounds = Bounds(*(float(meta[key]) for key in ("south", "west", "north", "east")))
    return Package(
        meta["name"],
        bounds,
        [Source(*row) for row in sources],
        [point_of_row(row) for row in points],
        [Line(LineKind(row[0]), row[1], unpack_corners(row[2]), row[3]) for row in lines],
        meta["zone"],
        meta["builtAt"],
        meta.get("country", ""),
        meta.get("region", ""),
        tuple(meta.get("holidays", "").split()),
    )


def point_row(point: Point) -> tuple[Any, ...]:
    """In the order of ``POINT_COLUMNS``."""
    details = json.dumps(dict(point.details), ensure_ascii=False, sort_keys=True)
    return (*point[:8], details, point.source)


def point_of_row(row: Sequence[Any]) -> Point:
    details = json.loads(row[8])
    return Point._make((*row[:8], {str(k): str(v) for k, v in details.items()}, row[9]))


def line_row(line: Line) -> tuple[Any, ...]:
    """kind, name, south, west, north, east, corners, source"""
    latitudes, longitudes = zip(*line.corners, strict=True)
    edges = min(latitudes), min(longitudes), max(latitudes), max(longitudes)
    return (int(line.kind), line.name, *edges, pack_corners(line.corners), line.source)


def problems(package: Package) -> list[str]:
    """What is wrong with it, a sentence each."""
    found = []
    keys = {source.key for source in package.sources}
    found += [
        f"source {source.key} has no {name}"
        for source in package.sources
        for name in ("name", "licence")
        if not getattr(source, name)
    ]
    seen: set[str] = set()
    for point in package.points:
        if not is_point_id(point.id) or point.id in seen:
            found.append(f"point {point.id!r}: no usable id, or there twice")
        seen.add(point.id)
        if point.kind not in KINDS:
            found.append(f"point {point.id}: kind {point.kind!r} is unknown")
        if not package.bounds.has(point.latitude, point.longitude):
            found.append(f"point {point.id} lies outside of the package's bounds")
        if point.source not in keys:
            found.append(f"point {point.id}: source {point.source!r} is not named")
        for name, value in point.details.items():
            if name not in DETAILS or (DETAILS[name] and value not in DETAILS[name]):
                found.append(f"point {point.id}: {name} = {value!r} is unknown")
    found += [
        f"a line ({line.name or line.kind.name}) whose source {line.source!r} is not named"
        for line in package.lines
        if line.source not in keys
    ]
    return found
