"""Points of several sources as one list: the same well must not stand there twice."""

from __future__ import annotations

from collections.abc import Iterable

from kiezbox.place.points import Point
from kiezbox.place.ways import METRES_PER_DEGREE, metres_between

__all__ = ["SAME_WITHIN_M", "merged"]

#: Two points of one kind so near one another are one: what two people measured with telephones, or
#: a building's middle and its door. Big things have big middles.
SAME_WITHIN_M = {
    "well": 25.0, "drinking_fountain": 15.0, "defibrillator": 10.0, "toilet": 20.0,
    "emergency_call": 20.0, "charging": 15.0, "pharmacy": 30.0, "hospital": 150.0,
    "police": 60.0, "fire_station": 80.0,
}  # fmt: skip
OTHERWISE_M = 40.0


def merged(points: Iterable[Point]) -> list[Point]:
    """The first of those that are the same stays, and takes from later ones what it lacks: give
    the source that is to be believed first. Ids stay unique; the order is that of the ids.
    """
    kept: list[Point] = []
    cells: dict[tuple[str, int, int], list[int]] = {}
    ids: set[str] = set()
    for point in points:
        reach = SAME_WITHIN_M.get(point.kind, OTHERWISE_M)
        row, column = _cell(point)
        near = (
            n
            for south in (-1, 0, 1)
            for east in (-1, 0, 1)
            for n in cells.get((point.kind, row + south, column + east), ())
        )
        twin = next((n for n in near if _metres(kept[n], point) <= reach), None)
        if twin is not None:
            kept[twin] = _completed(kept[twin], point)
        elif point.id not in ids:
            ids.add(point.id)
            cells.setdefault((point.kind, row, column), []).append(len(kept))
            kept.append(point)
    return sorted(kept, key=lambda point: point.id)


def _cell(point: Point) -> tuple[int, int]:
    """Squares wider than any reach: 0.003° are 330 m, and 110 m of longitude at 70° north."""
    return int(point.latitude // 0.003), int(point.longitude // 0.006)


def _metres(one: Point, other: Point) -> float:
    if abs(one.latitude - other.latitude) * METRES_PER_DEGREE > 200:
        return 1e9
    return metres_between(one.latitude, one.longitude, other.latitude, other.longitude)


def _completed(point: Point, other: Point) -> Point:
    return point._replace(
        name=point.name or other.name,
        address=point.address or other.address,
        hours=point.hours or other.hours,
        phone=point.phone or other.phone,
        details={**other.details, **point.details},
    )
