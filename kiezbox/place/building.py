"""A package out of what was read: cut to its bounds, merged, every source named."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import cos, radians

from kiezbox.place.mapping import Mapped
from kiezbox.place.merge import merged
from kiezbox.place.osm import Element, line_of, point_of
from kiezbox.place.points import Bounds, Line, Package, Point, Source
from kiezbox.place.shapes import clip_area, clip_line
from kiezbox.place.ways import METRES_PER_DEGREE

__all__ = ["OSM", "around", "built", "cut"]

#: The words OpenStreetMap asks for (openstreetmap.org/copyright).
OSM = Source(
    "osm", "© OpenStreetMap contributors", "ODbL 1.0", "https://www.openstreetmap.org/copyright"
)


def around(latitude: float, longitude: float, reach_m: float) -> Bounds:
    """So far in each direction."""
    north = reach_m / METRES_PER_DEGREE
    east = north / max(0.01, cos(radians(latitude)))
    south, west = round(latitude - north, 5), round(longitude - east, 5)
    return Bounds(south, west, round(latitude + north, 5), round(longitude + east, 5))


def built(
    name: str,
    bounds: Bounds,
    elements: Iterable[Element],
    further: Sequence[Mapped] = (),
    *,
    zone: str = "",
    built_at: str = "",
    osm_as_of: str = "",
    country: str = "",
    region: str = "",
    holidays: Sequence[str] = (),
) -> Package:
    """``further`` sources come first where both know a point: authorities know their own taps."""
    points: list[Point] = [point for each in further for point in each.points]
    lines: list[Line] = []
    for element in elements:
        point = point_of(element, OSM.key)
        if point is not None:
            points.append(point)
        for line in line_of(element, OSM.key):
            lines += cut(line, bounds)
    inside = (point for point in points if bounds.has(point.latitude, point.longitude))
    sources = [OSM._replace(as_of=osm_as_of), *(each.source for each in further)]
    kept = merged(inside)
    used = {point.source for point in kept} | {line.source for line in lines}
    return Package(
        name,
        bounds,
        [source for source in sources if source.key in used],
        kept,
        sorted(lines, key=lambda line: (line.kind, line.name, list(line.corners))),
        zone,
        built_at,
        country,
        region,
        holidays,
    )


def cut(line: Line, bounds: Bounds) -> list[Line]:
    """The parts of a line within the bounds: extracts reach beyond them."""
    south, west, north, east = (round(edge * 1e5) for edge in bounds)
    box = (south, west, north, east)
    pieces = [clip_area(line.corners, box)] if line.kind.is_area else clip_line(line.corners, box)
    found = []
    for piece in pieces:
        corners = [(round(latitude), round(longitude)) for latitude, longitude in piece]
        kept = [c for n, c in enumerate(corners) if n == 0 or c != corners[n - 1]]
        if len(kept) >= (4 if line.kind.is_area else 2):
            found.append(line._replace(corners=kept))
    return found
