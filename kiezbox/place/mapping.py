"""Open data as GeoJSON: which column is which field, in a small table of the operator's.

::

    kind = "toilet"                        # what all these points are
    name = "standort"                      # column → field; a list: the first that says something
    hours = "oeffnungszeiten"
    id = "fid"

    [details]
    wheelchair = "barrierefrei"
    note = ["hinweis", "info"]

    [values.wheelchair]                    # their words → ours
    ja = "yes"
    nein = "no"

    [skip]                                 # leave out what has these values
    status = ["abgebaut"]

    [source]
    name = "…"
    licence = "…"
    url = "…"
    as_of = "2025-03-19"

Any field may be left out. Features without a point as their place (addresses without coordinates)
are counted, and named in a sentence, not guessed at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from kiezbox.errors import UsageError
from kiezbox.place.osm import status_of, text_of
from kiezbox.place.points import DETAILS, KINDS, Point, Source, is_point_id

__all__ = ["Mapped", "mapped"]

_FIELDS = ("name", "address", "hours", "phone", "id")
_TABLES = ("details", "values", "skip", "source")


class Mapped(NamedTuple):
    """``placeless``: what stands for those that have no coordinates. ``columnless``: what the table
    looks for and no feature has, ``columns``: what they have.
    """

    points: list[Point]
    source: Source
    placeless: list[str]
    columnless: list[str]
    columns: list[str]


def mapped(document: Any, table: Mapping[str, Any], key: str) -> Mapped:
    """The points of one file. ``key`` names the source within the package.

    Raises:
        UsageError: the table or the file is not what it should be.
    """
    _check(table, key)
    features = document.get("features", document) if isinstance(document, dict) else document
    if not isinstance(features, list):
        raise UsageError(f"{key}: this is no list of features", hint="It must be GeoJSON.")
    points, placeless = [], []
    seen: dict[str, None] = {}
    for number, feature in enumerate(features):
        columns = _columns(feature)
        seen |= dict.fromkeys(columns)
        if _is_skipped(columns, table.get("skip", {})):
            continue
        place = _place(feature)
        if place is None:
            words = _first(columns, table.get("address")) or _first(columns, table.get("name"))
            placeless.append(words or f"number {number + 1}")
        else:
            points.append(_point(columns, place, table, key, number))
    said = table.get("source", {})
    source = Source(
        key, *(text_of(str(said.get(name, ""))) for name in ("name", "licence", "url", "as_of"))
    )
    return Mapped(points, source, placeless, list(_columnless(table, seen)), list(seen))


def _columnless(table: Mapping[str, Any], seen: Mapping[str, None]) -> Iterator[str]:
    """A slip in a column's name leaves every point without what it holds, and nobody sees it."""
    wanted = {name: table[name] for name in _FIELDS if name in table} | table.get("details", {})
    wanted |= {f"skip.{column}": column for column in table.get("skip", {})}
    for name, column in wanted.items():
        columns = column if isinstance(column, list) else [column]
        if not any(each in seen for each in columns):
            yield f"{name} = {column!r}"


def _check(table: Mapping[str, Any], key: str) -> None:
    if table.get("kind") not in KINDS:
        raise UsageError(
            f"{key}: kind = {table.get('kind')!r} is none", hint="One of " + ", ".join(KINDS)
        )
    unknown = [name for name in table if name not in ("kind", *_FIELDS, *_TABLES)]
    unknown += [f"details.{name}" for name in table.get("details", {}) if name not in DETAILS]
    if unknown:
        raise UsageError(
            f"{key}: unknown in the table: {', '.join(unknown)}",
            hint=f"Known: kind, {', '.join((*_FIELDS, *_TABLES))}; details: {', '.join(DETAILS)}.",
        )
    said = table.get("source", {})
    if not said.get("name") or not said.get("licence"):
        raise UsageError(
            f"{key}: [source] needs name and licence",
            hint="Residents see them: whose data it is, and under which licence.",
        )


def _columns(feature: Any) -> Mapping[str, Any]:
    if not isinstance(feature, dict):
        return {}
    properties = feature.get("properties")
    return properties if isinstance(properties, dict) else feature


def _place(feature: Any) -> tuple[float, float] | None:
    """Latitude and longitude; of an area the middle of its corners."""
    geometry = feature.get("geometry") if isinstance(feature, dict) else None
    found = list(_positions(geometry.get("coordinates"))) if isinstance(geometry, dict) else []
    if not found:
        return None
    longitudes, latitudes = zip(*found, strict=True)
    latitude = (min(latitudes) + max(latitudes)) / 2
    longitude = (min(longitudes) + max(longitudes)) / 2
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180) or (latitude, longitude) == (0, 0):
        return None
    return round(latitude, 6), round(longitude, 6)


def _positions(value: Any, depth: int = 0) -> list[tuple[float, float]]:
    if not isinstance(value, list) or depth > 4:
        return []
    if len(value) >= 2 and all(type(each) in (int, float) for each in value[:2]):
        return [(float(value[0]), float(value[1]))]
    return [position for each in value for position in _positions(each, depth + 1)]


def _point(
    columns: Mapping[str, Any],
    place: tuple[float, float],
    table: Mapping[str, Any],
    key: str,
    number: int,
) -> Point:
    details: dict[str, str] = {}
    for name, column in table.get("details", {}).items():
        said = _first(columns, column)
        said = str(table.get("values", {}).get(name, {}).get(said, said))
        if name == "status":
            details |= status_of(said)
        elif said and (not DETAILS[name] or said in DETAILS[name]):
            details[name] = text_of(said)
    own = _first(columns, table.get("id")).lower()
    point_id = f"{key}-{own or number}"
    return Point(
        point_id if is_point_id(point_id) else f"{key}-{number}",
        str(table["kind"]),
        *_named(columns, table, "name"),
        *place,
        *_named(columns, table, "address"),
        text_of(_first(columns, table.get("hours")), lines=True),
        *_named(columns, table, "phone"),
        details,
        key,
    )


def _named(columns: Mapping[str, Any], table: Mapping[str, Any], field: str) -> tuple[str]:
    return (text_of(_first(columns, table.get(field))),)


def _first(columns: Mapping[str, Any], wanted: Any) -> str:
    """The first column that says something."""
    for name in wanted if isinstance(wanted, list) else [wanted]:
        value = columns.get(name) if isinstance(name, str) else None
        if value is not None and not isinstance(value, (dict, list)) and str(value).strip():
            return str(value).strip()
    return ""


def _is_skipped(columns: Mapping[str, Any], skip: Mapping[str, Any]) -> bool:
    return any(str(columns.get(column)) in map(str, values) for column, values in skip.items())
