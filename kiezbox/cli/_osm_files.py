"""OpenStreetMap's files as the operator fetched them: XML (.osm) and PBF (.osm.pbf).

XML is read with what Python has, for extracts of some hundred thousand objects. PBF, and XML that
is packed, need pyosmium (``pip install 'kiezbox[place-build]'``) on the computer that builds; the
box itself never reads such files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree import ElementTree

from kiezbox.errors import KiezboxError, MissingPackage
from kiezbox.place.osm import Element, is_area_relation
from kiezbox.place.points import Bounds
from kiezbox.place.shapes import joined_rings

__all__ = ["bounds_of", "read_osm"]

Corners = list[tuple[float, float]]


def read_osm(path: str) -> Iterator[Element]:
    """Nodes and ways with tags, and relations that are areas.

    Raises:
        KiezboxError: the file is none, or cannot be read.
        MissingPackage: it is PBF, and pyosmium is not installed.
    """
    try:
        if path.endswith((".osm", ".xml")):
            yield from _from_xml(path)
        else:
            yield from _with_osmium(path)
    except FileNotFoundError as error:
        raise KiezboxError(
            f"there is no file {path}", hint="docs/place.md says where extracts are fetched."
        ) from error
    except (OSError, RuntimeError, ValueError, KeyError, ElementTree.ParseError) as error:
        raise KiezboxError(
            f"{path} cannot be read: {error}",
            hint="It must be OpenStreetMap's .osm or .osm.pbf. Was it fetched whole?",
        ) from error


def bounds_of(path: str) -> Bounds | None:
    """The area the file says it holds; None: it does not say.

    Raises:
        KiezboxError, MissingPackage: as ``read_osm``.
    """
    try:
        if not path.endswith((".osm", ".xml")):
            box: Any = _osmium(path).io.Reader(path).header().box()
            if not box.valid():
                return None
            low, high = box.bottom_left, box.top_right
            return Bounds(low.lat, low.lon, high.lat, high.lon)
        with open(path, "rb") as file:
            for _, found in ElementTree.iterparse(file):
                if found.tag == "bounds":
                    names = ("minlat", "minlon", "maxlat", "maxlon")
                    return Bounds(*(float(found.attrib[name]) for name in names))
                if found.tag in ("node", "way"):
                    return None
    except FileNotFoundError as error:
        raise KiezboxError(
            f"there is no file {path}", hint="docs/place.md says where extracts are fetched."
        ) from error
    except (OSError, RuntimeError, ValueError, KeyError, ElementTree.ParseError) as error:
        raise KiezboxError(f"{path} cannot be read: {error}") from error
    return None


def _from_xml(path: str) -> Iterator[Element]:
    nodes: dict[str, tuple[float, float]] = {}
    ways: dict[int, Corners] = {}
    with open(path, "rb") as file:
        for _, found in ElementTree.iterparse(file):
            if found.tag not in ("node", "way", "relation"):
                continue
            number = int(found.attrib["id"])
            tags = {each.attrib["k"]: each.attrib["v"] for each in found.iterfind("tag")}
            if found.tag == "node":
                place = float(found.attrib["lat"]), float(found.attrib["lon"])
                nodes[found.attrib["id"]] = place
                if tags:
                    yield Element("n", number, tags, [[place]])
            elif found.tag == "way":
                refs = (each.attrib["ref"] for each in found.iterfind("nd"))
                # Extracts lack nodes that lie outside of them.
                corners = [nodes[ref] for ref in refs if ref in nodes]
                ways[number] = corners
                if tags and corners:
                    yield Element("w", number, tags, [corners])
            else:
                outer = (
                    int(each.attrib["ref"])
                    for each in found.iterfind("member")
                    if each.attrib["type"] == "way" and each.attrib.get("role") != "inner"
                )
                yield from _area(number, tags, [ways[each] for each in outer if each in ways])
            found.clear()


def _area(number: int, tags: Mapping[str, str], ways: list[Corners]) -> Iterator[Element]:
    if is_area_relation(tags) and (rings := joined_rings(ways)):
        yield Element("r", number, tags, rings)


def _osmium(path: str) -> Any:
    try:
        import osmium
    except ImportError as error:
        raise MissingPackage(
            f"{path}: pyosmium is not installed",
            hint="pip install 'kiezbox[place-build]', on the computer that builds the package.",
        ) from error
    open(path, "rb").close()  # osmium says of a missing file only that it cannot open it.
    return osmium


def _with_osmium(path: str) -> Iterator[Element]:
    osmium = _osmium(path)
    # Relations come last in these files, and what they need comes before them: so two passes.
    wanted: dict[int, Corners] = {}
    relations: list[tuple[int, dict[str, str], list[int]]] = []
    files: Any = osmium.FileProcessor
    for found in files(path, osmium.osm.RELATION):
        tags = _tags(found)
        if is_area_relation(tags):
            outer = [
                each.ref for each in found.members if each.type == "w" and each.role != "inner"
            ]
            relations.append((found.id, tags, outer))
            wanted.update((each, []) for each in outer)
    both = osmium.osm.NODE | osmium.osm.WAY
    for found in files(path, both).with_locations():
        if found.is_node():
            if found.tags and found.location.valid():
                place = found.location.lat, found.location.lon
                yield Element("n", found.id, _tags(found), [[place]])
        elif found.is_way():
            corners = [(n.lat, n.lon) for n in found.nodes if n.location.valid()]
            if found.id in wanted:
                wanted[found.id] = corners
            if found.tags and corners:
                yield Element("w", found.id, _tags(found), [corners])
    for number, tags, outer in relations:
        yield from _area(number, tags, [wanted[each] for each in outer if wanted[each]])


def _tags(found: Any) -> dict[str, str]:
    return {tag.k: tag.v for tag in found.tags}
