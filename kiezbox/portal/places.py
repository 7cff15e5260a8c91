"""The surroundings as pages need them: what is near, how far, and what is said of it.

Reads the package (``place.package``) with SQLite's C half, and from the log of words the reports
and the points that an operator added, corrected or took away (``place.added``). A package that is
missing or damaged is no package: pages say so, if nobody has added a point either.
"""

from __future__ import annotations

from contextlib import suppress

from kiezbox.place.added import Added, latest, point_of
from kiezbox.place.package import POINT_COLUMNS, VERSION, point_of_row
from kiezbox.place.points import KINDS as POINT_KINDS
from kiezbox.place.points import Bounds, Line, LineKind, Point
from kiezbox.place.reports import Report, Standing, standing
from kiezbox.place.shapes import unpack_corners
from kiezbox.place.ways import bearing, direction, metres_between
from kiezbox.portal.shown import KINDS
from kiezbox.situation import is_exercise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from kiezbox.portal.asking import Ask
    from kiezbox.portal.shown import Seen

__all__ = ["Near", "Surroundings", "standings"]

#: So many points of a need are ranked by distance; whoever reads on so far walks no more.
MOST_RANKED = 600

#: Rankings that are kept: one for each need, and for those of other pages.
MOST_KEPT = 24

#: So many reports of the points of one page are looked at.
MOST_REPORTS = 2000

#: So many words of operators on points are looked at, the newest first.
MOST_ADDED = 500

#: Around a box without a package: degrees, about two kilometres.
REACH = 0.02

_rankings: dict[Any, list[tuple[float, str]]] = {}


class Near:
    """A point as seen from the box; ``metres`` is None where the box does not know its place."""

    __slots__ = ("direction", "metres", "point")

    def __init__(self, point: Point, place: tuple[float, float] | None) -> None:
        self.point = point
        self.metres: float | None = None
        self.direction = 0
        if place:
            other = point.latitude, point.longitude
            self.metres = metres_between(*place, *other)
            self.direction = direction(bearing(*place, *other))


class Surroundings:
    """For one request. Falsy: there is no package that can be read, and nobody added a point."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        rows = ask.sight.surroundings.rows("SELECT key, value FROM meta")
        meta = dict(rows or ())
        version = meta.get("schemaVersion", "")
        self._meta = meta if version.isdecimal() and int(version) <= VERSION else {}
        box = ask.facts["box"]
        self.place: tuple[float, float] | None = None
        if box["latitude"] is not None and box["longitude"] is not None:
            self.place = box["latitude"], box["longitude"]
        seen = ask.shown.things("place_point", ask.now, limit=MOST_ADDED)
        #: By id: what operators say of a point above all packages.
        self._added = latest(map(_added, seen)) if seen else {}

    def __bool__(self) -> bool:
        return bool(self._meta) or any(word.point for word in self._added.values())

    @property
    def zone(self) -> str:
        return str(self._meta.get("zone", ""))

    @property
    def holidays(self) -> frozenset[str]:
        """Public holidays here, as ISO 8601, of whole years; empty: not known."""
        return frozenset(str(self._meta.get("holidays", "")).split())

    @property
    def built_at(self) -> str:
        return str(self._meta.get("builtAt", ""))

    @property
    def bounds(self) -> Bounds:
        """Of the package; without one, around the box and what was added."""
        if self._meta:
            return Bounds(*(float(self._meta[key]) for key in ("south", "west", "north", "east")))
        points = [word.point for word in self._added.values() if word.point]
        corners = [(point.latitude, point.longitude) for point in points]
        latitudes, longitudes = zip(*corners, *([self.place] if self.place else []), strict=True)
        south, west = min(latitudes) - REACH, min(longitudes) - REACH
        return Bounds(south, west, max(latitudes) + REACH, max(longitudes) + REACH)

    @property
    def stamp(self) -> Any:
        """Another one as soon as there are other points."""
        words = tuple((word.id, word.issued_at, word.order) for word in self._added.values())
        return self._ask.sight.surroundings.stamp(), self.place, words

    @property
    def is_box_inside(self) -> bool:
        return self.place is not None and self.bounds.has(*self.place)

    @property
    def middle(self) -> tuple[float, float]:
        """Of the map: the box, if it stands in it."""
        return self.place if self.place and self.is_box_inside else self.bounds.middle

    def _rows(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        return self._ask.sight.surroundings.rows(sql, values) or []

    def point(self, name: str) -> Near | None:
        if name in self._added:
            point = self._added[name].point
            return Near(point, self.place) if point else None
        return next(
            iter(self._points(f"SELECT {POINT_COLUMNS} FROM points WHERE id = ?", (name,))), None
        )

    def _points(self, sql: str, values: Sequence[Any]) -> list[Near]:
        """Without those of a kind that only a newer Kiezbox knows, and without damaged ones."""
        found = []
        for row in self._rows(sql, values):
            with suppress(ValueError, TypeError, AttributeError):
                point = point_of_row(row)
                if point.kind in POINT_KINDS:
                    found.append(Near(point, self.place))
        return found

    def count(self, kinds: Sequence[str]) -> int:
        """How many ``near`` would give without a limit."""
        if self.place is not None or self._added:
            return len(self._ranked(tuple(kinds)))
        marks = ",".join("?" * len(kinds))
        rows = self._rows(f"SELECT count(*) FROM points WHERE kind IN ({marks})", kinds)
        return int(rows[0][0]) if rows else 0

    def near(self, kinds: Sequence[str], limit: int, offset: int = 0) -> list[Near]:
        """The nearest first; where the box does not know its place, by kind and name, and what
        was added before that.
        """
        if self.place is None and not self._added:
            marks = ",".join("?" * len(kinds))
            sql = f"SELECT {POINT_COLUMNS} FROM points WHERE kind IN ({marks})"
            values = (*kinds, limit, offset)
            return self._points(f"{sql} ORDER BY kind, name, id LIMIT ? OFFSET ?", values)
        ids = self._ranked(tuple(kinds))[offset : offset + limit]
        marks = ",".join("?" * len(ids))
        sql = f"SELECT {POINT_COLUMNS} FROM points WHERE id IN ({marks})"
        found = {near.point.id: near for near in self._points(sql, ids)}
        for name in ids:
            if name in self._added and (point := self._added[name].point):
                found[name] = Near(point, self.place)
        return [found[name] for name in ids if name in found]

    def _ranked(self, kinds: tuple[str, ...]) -> list[str]:
        """Ids, the nearest first: those of the package, and what operators say above it."""
        ranked = self._packaged(kinds)
        if self._added:
            added = [
                (self._far(word.point.latitude, word.point.longitude), name)
                for name, word in self._added.items()
                if word.point and word.point.kind in kinds
            ]
            ranked = sorted(added) + [each for each in ranked if each[1] not in self._added]
            # A stable order: without a place all are as far, and what was added stays in front.
            ranked.sort(key=lambda each: each[0])
        return [name for _, name in ranked[:MOST_RANKED]]

    def _far(self, latitude: float, longitude: float) -> float:
        return metres_between(*self.place, latitude, longitude) if self.place else 0.0

    def _packaged(self, kinds: tuple[str, ...]) -> list[tuple[float, str]]:
        """Metres and id of the package's points: reckoned once for a package and a place, because
        a city has thousands of points and the page is made anew every second.
        """
        kept_for = self._ask.sight.surroundings.stamp(), self.place
        ranked = _rankings.get((kept_for, kinds))
        if ranked is None:
            marks = ",".join("?" * len(kinds))
            sql = (
                f"SELECT latitude, longitude, id FROM points WHERE kind IN ({marks})"
                " AND typeof(latitude) = 'real' AND typeof(longitude) = 'real'"
                " ORDER BY kind, name, id"
            )
            far = [(self._far(a, b), name) for a, b, name in self._rows(sql, kinds)]
            ranked = (sorted(far) if self.place else far)[:MOST_RANKED]
            if len(_rankings) >= MOST_KEPT:
                _rankings.clear()
            _rankings[kept_for, kinds] = ranked
        return ranked

    def lines(self, window: tuple[int, int, int, int], kinds: Iterable[LineKind]) -> list[Line]:
        """What may be seen of those kinds in a window (``drawing.window``)."""
        south, west, north, east = window
        numbers = ",".join(str(int(kind)) for kind in kinds)
        rows = self._rows(
            f"SELECT kind, name, corners, source FROM lines WHERE kind IN ({numbers})"
            " AND south <= ? AND north >= ? AND west <= ? AND east >= ?",
            (north, south, east, west),
        )
        return [Line(LineKind(row[0]), row[1], unpack_corners(row[2]), row[3]) for row in rows]

    def sources(self) -> list[tuple[str, str, str]]:
        """Name, licence and address of those whose data this is. Whoever added a point here has
        given neither licence nor address.
        """
        issuers = {word.issuer for word in self._added.values() if word.point}
        added = [(issuer, "", "") for issuer in sorted(issuers)]
        return [*self._rows("SELECT name, licence, url FROM sources ORDER BY key"), *added]


def _added(seen: Seen) -> Added:
    """A thing of the log as a word on a point."""
    data = seen.data
    fields = {**data, "point": seen.topic, "name": seen.text}
    point = point_of(fields) if seen.state == "up" else None
    order = seen.origin, seen.sequence
    return Added(seen.topic, point, seen.issuer, data.get("issued_at", 0), order)


def standings(ask: Ask, ids: Sequence[str]) -> dict[str, tuple[Standing | None, Standing | None]]:
    """What is said of these points: the operator's word, the neighbours' word."""
    if not ids:
        return {}
    rows = ask.shown.rows(
        "SELECT topic, state, written_at, origin, issuer, lookup, data FROM things"
        f" WHERE kind = ? AND NOT is_hidden AND expires_at > ?"
        f" AND topic IN ({','.join('?' * len(ids))})"
        " ORDER BY issuer = '' AND data = '{}', written_at DESC LIMIT ?",
        (KINDS["place_report"], ask.now, *ids, MOST_REPORTS),
    )
    said: dict[str, list[Report]] = {}
    for topic, state, written_at, origin, issuer, reporter, data in rows or ():
        if "is_exercise" in data and not is_exercise(ask.facts):
            continue
        by = issuer
        # Only this box's own record can be its operator's word without a signature.
        if not by and "is_by_operator" in data and origin == ask.facts["box"]["id"]:
            by = "operator"
        said.setdefault(topic, []).append(Report(state, written_at, by, reporter))
    return {topic: standing(reports) for topic, reports in said.items()}
