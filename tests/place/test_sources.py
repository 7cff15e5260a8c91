"""What OpenStreetMap and cities' open data say, and what becomes of it in a package."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from shared import shared_data

from kiezbox.cli import main
from kiezbox.errors import KiezboxError, StoreError, UsageError
from kiezbox.place.invented import LATITUDE, LONGITUDE, invented
from kiezbox.place.mapping import mapped
from kiezbox.place.merge import merged
from kiezbox.place.osm import Element, line_of, point_of
from kiezbox.place.package import problems
from kiezbox.place.points import LineKind, Package, Point
from kiezbox.store.places import read_package, write_package

#: A small invented extract: a street that leaves it, a lake as a relation, points of many kinds.
OSM = """<?xml version='1.0' encoding='UTF-8'?>
<osm version="0.6">
 <bounds minlat="51.160" minlon="10.440" maxlat="51.166" maxlon="10.456"/>
 <node id="1" lat="51.161" lon="10.430"/><node id="2" lat="51.161" lon="10.448"/>
 <node id="3" lat="51.162" lon="10.446"/><node id="4" lat="51.162" lon="10.448"/>
 <node id="5" lat="51.163" lon="10.448"/><node id="6" lat="51.163" lon="10.446"/>
 <node id="10" lat="51.1625" lon="10.445"><tag k="man_made" v="water_well"/>
  <tag k="pump:status" v="defekt"/><tag k="drinking_water" v="no"/></node>
 <node id="11" lat="51.164" lon="10.445"><tag k="amenity" v="toilets"/>
  <tag k="access" v="private"/></node>
 <node id="12" lat="51.164" lon="10.450"><tag k="emergency" v="disaster_help_point"/>
  <tag k="name" v="Turnhalle"/><tag k="addr:street" v="Erlenweg"/>
  <tag k="addr:housenumber" v="3"/></node>
 <node id="13" lat="51.164" lon="10.451"><tag k="amenity" v="pharmacy"/>
  <tag k="disused" v="yes"/></node>
 <node id="14" lat="51.190" lon="10.451"><tag k="amenity" v="police"/></node>
 <way id="20"><nd ref="1"/><nd ref="2"/><nd ref="99"/><tag k="highway" v="residential"/>
  <tag k="name" v="Erlenweg"/></way>
 <way id="21"><nd ref="3"/><nd ref="4"/><nd ref="5"/></way>
 <way id="22"><nd ref="3"/><nd ref="6"/><nd ref="5"/></way>
 <way id="23"><nd ref="3"/><nd ref="4"/><nd ref="5"/><nd ref="3"/>
  <tag k="amenity" v="hospital"/><tag k="name" v="Krankenhaus"/><tag k="emergency" v="yes"/></way>
 <relation id="30"><member type="way" ref="21" role="outer"/>
  <member type="way" ref="22" role="outer"/><tag k="type" v="multipolygon"/>
  <tag k="natural" v="water"/></relation>
</osm>"""

TABLE: dict[str, Any] = {
    "kind": "well",
    "address": ["addr:full", "standort"],
    "id": "nr",
    "details": {"status": "pump:status", "drinkable": "trinkbar", "note": "info"},
    "values": {"drinkable": {"ja": "yes", "nein": "no"}},
    "source": {"name": "Musterstadt", "licence": "CC0 1.0"},
}


def feature(place: list[float] | None, **properties: Any) -> dict[str, Any]:
    geometry = place and {"type": "Point", "coordinates": place}
    return {"type": "Feature", "geometry": geometry, "properties": properties}


@pytest.fixture
def extract(tmp_path: Path) -> Path:
    path = tmp_path / "muster.osm"
    path.write_text(OSM, encoding="utf-8")
    return path


def build(out: Path, *more: str) -> Package:
    assert main(["place", "build", "--name", "Musterstadt", "--out", str(out), *more]) == 0
    return read_package(str(out))


# --- OpenStreetMap -------------------------------------------------------------------------------


def test_an_extract_becomes_a_package_without_what_is_private_gone_or_outside(
    extract: Path, tmp_path: Path
) -> None:
    package = build(tmp_path / "place.db", "--osm", str(extract))

    kinds = {point.id: point.kind for point in package.points}
    assert kinds == {"n10": "well", "n12": "lighthouse", "w23": "hospital"}
    assert package.points[1].address == "Erlenweg 3"
    assert package.points[0].details == {"drinkable": "no", "status": "broken"}
    assert package.points[2].details == {"emergency": "yes"}
    assert problems(package) == []


def test_what_reaches_beyond_the_extract_is_cut_at_its_edge(extract: Path, tmp_path: Path) -> None:
    package = build(tmp_path / "place.db", "--osm", str(extract))

    street = next(line for line in package.lines if line.name == "Erlenweg")
    assert street.corners == [(5116100, 1044000), (5116100, 1044800)]


def test_the_ways_of_a_lake_become_one_shore(extract: Path, tmp_path: Path) -> None:
    package = build(tmp_path / "place.db", "--osm", str(extract))

    lake = next(line for line in package.lines if line.kind is LineKind.WATER)
    assert lake.corners[0] == lake.corners[-1]
    assert len(lake.corners) == 5


def test_pbf_gives_what_xml_gives(extract: Path, tmp_path: Path) -> None:
    osmium = pytest.importorskip("osmium", reason="pyosmium is not installed: place-build")
    pbf = tmp_path / "muster.osm.pbf"
    with osmium.SimpleWriter(str(pbf)) as writer:
        for each in osmium.FileProcessor(str(extract)):
            writer.add(each)

    xml_package = build(tmp_path / "xml.db", "--osm", str(extract))
    around = ("--around", "51.163,10.448", "--reach", "0.3")

    from_pbf = build(tmp_path / "pbf.db", "--osm", str(pbf), *around)
    from_xml = build(tmp_path / "xml2.db", "--osm", str(extract), *around)
    assert from_pbf == from_xml
    assert {p.id for p in from_pbf.points} <= {p.id for p in xml_package.points}


@pytest.mark.parametrize("status, detail", [
    ("ok", {"status": "works"}), ("missing_beam", {"status": "broken"}),
    ("locked", {"status": "locked"}), ("unknown", {}),
    ("gibt nur morgens Wasser", {"note": "gibt nur morgens Wasser"}),
])  # fmt: skip
def test_a_pump_is_what_somebody_said_of_it_or_their_own_words(
    status: str, detail: dict[str, str]
) -> None:
    tags = {"man_made": "water_well", "pump:status": status}

    point = point_of(Element("n", 1, tags, [[(51.0, 10.0)]]), "osm")

    assert point is not None and point.details == detail


def test_a_line_of_one_corner_or_underground_is_not_drawn() -> None:
    street = {"highway": "residential"}

    assert line_of(Element("w", 1, street, [[(51.0, 10.0)]]), "osm") == []
    tunnel = {"waterway": "stream", "tunnel": "culvert"}
    assert line_of(Element("w", 1, tunnel, [[(51.0, 10.0), (51.1, 10.0)]]), "osm") == []


def test_a_file_that_is_none_is_refused_with_its_name(tmp_path: Path) -> None:
    bad = tmp_path / "bad.osm"
    bad.write_text("<osm><node id='1'", encoding="utf-8")
    arguments = ["place", "build", "--name", "X", "--out", str(tmp_path / "x.db"),
                 "--around", "51.1,10.4", "--osm"]  # fmt: skip

    for path in (bad, tmp_path / "missing.osm", tmp_path / "missing.osm.pbf"):
        with pytest.raises(KiezboxError, match=path.name):
            main([*arguments, str(path)])
    assert not (tmp_path / "x.db").exists()


# --- open data -----------------------------------------------------------------------------------


def test_columns_become_fields_by_the_operators_table() -> None:
    given = [
        feature([10.448, 51.163], nr=7, **{"addr:full": "Erlenweg 1", "pump:status": "OK"},
                trinkbar="nein"),
        feature([10.449, 51.163], standort="Am Markt", **{"pump:status": "unbekannt"}),
    ]  # fmt: skip

    found = mapped({"type": "FeatureCollection", "features": given}, TABLE, "stadt")

    first, second = found.points
    assert first == Point("stadt-7", "well", "", 51.163, 10.448, "Erlenweg 1", "", "",
                          {"status": "works", "drinkable": "no"}, "stadt")  # fmt: skip
    assert (second.id, second.address, second.details) == ("stadt-1", "Am Markt", {})
    assert found.source.licence == "CC0 1.0"


def test_an_address_without_coordinates_is_named_and_not_guessed_at() -> None:
    found = mapped(
        [{"name": "Rathaus", "address": "Markt 1"}], {**TABLE, "address": "address"}, "k"
    )

    assert found.points == []
    assert found.placeless == ["Markt 1"]


def test_a_slip_in_a_columns_name_is_said_with_the_columns_there_are() -> None:
    features = [
        {"type": "Feature", "properties": {"standort": "Markt", "strasse": "Markt 1"},
         "geometry": {"type": "Point", "coordinates": [10.0, 51.0]}},
    ]  # fmt: skip
    table = {**TABLE, "name": "standrot", "address": ["addr:full", "strasse"], "details": {}}

    found = mapped({"features": features}, table, "k")

    assert "name = 'standrot'" in found.columnless
    assert not any(each.startswith("address") for each in found.columnless)
    assert found.columns == ["standort", "strasse"]


@pytest.mark.parametrize("change", [
    {"kind": "castle"}, {"colour": "x"}, {"details": {"colour": "x"}}, {"source": {"name": "x"}},
])  # fmt: skip
def test_a_table_that_is_wrong_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        mapped([], {**TABLE, **change}, "k")


def test_the_same_well_of_two_sources_stands_once_and_knows_what_both_knew() -> None:
    city = Point("city-1", "well", "", 51.1630, 10.4480, "Erlenweg 1", source="city")
    osm = Point(
        "n1", "well", "Pumpe", 51.1631, 10.4480, "", details={"drinkable": "no"}, source="osm"
    )
    other = osm._replace(id="n2", kind="toilet")
    far = osm._replace(id="n3", latitude=51.1640)

    kept = merged([city, osm, other, far, far])

    assert [point.id for point in kept] == ["city-1", "n2", "n3"]
    assert (kept[0].name, kept[0].address, kept[0].details) == (
        "Pumpe", "Erlenweg 1", {"drinkable": "no"},
    )  # fmt: skip


def test_invisible_signs_and_overlong_texts_do_not_get_into_a_package() -> None:
    long = feature([10.4, 51.1], standort="\u202eA\x00B" + "x" * 500)

    point = mapped([long], TABLE, "k").points[0]

    assert point.address.startswith("A B")
    assert len(point.address) <= 200


# --- real files ----------------------------------------------------------------------------------


def test_real_open_data_of_a_city_becomes_a_package_that_is_in_order(tmp_path: Path) -> None:
    pytest.importorskip("osmium", reason="pyosmium is not installed: place-build")
    poi, osm = shared_data("poi"), shared_data("osm")
    tables = {
        "toilets": 'kind = "toilet"\nname = "standort"\nhours = "oeffnungszeiten"\nid = "fid"\n'
        '[details]\nwheelchair = "barrierefrei"\n[values.wheelchair]\nja = "yes"\nnein = "no"\n',
        "pumps": 'kind = "well"\naddress = "addr:full"\nid = "id"\n[details]\n'
        'status = "pump:status"\nchecked = "check_date"\n',
        "aed": 'kind = "defibrillator"\nhours = "opening_hours"\nid = "@osm_id"\n[details]\n'
        'note = "defibrillator:location"\n[skip]\naccess = ["private", "no"]\n',
    }
    source = '[source]\nname = "Open data"\nlicence = "see the file"\n'
    files = {
        "toilets": "berlin_toiletten_wfs.geojson",
        "pumps": "berlin_strassenbrunnen_osm_giessdenkiez.geojson",
        "aed": "berlin_defibrillators_osm.geojson",
    }
    more = ["--around", "52.51,13.40", "--reach", "40"]
    for extract in sorted(osm.glob("*.pbf")):
        more += ["--osm", str(extract)]
    for name, text in tables.items():
        (tmp_path / f"{name}.toml").write_text(text + source, encoding="utf-8")
        more += ["--geojson", str(poi / files[name]), "--table", str(tmp_path / f"{name}.toml")]

    package = build(tmp_path / "city.db", *more)

    kinds = Counter(point.kind for point in package.points)
    # 1,940 pumps with none twice; 477 toilets, some within 20 m of one another; 105
    # defibrillators without 4 that are private, and two on the same place.
    assert kinds["well"] in range(1900, 1945)
    assert kinds["toilet"] in range(440, 482)
    assert kinds["defibrillator"] in range(95, 102)
    assert kinds["pharmacy"] == 8
    assert problems(package) == []
    states = Counter(p.details.get("status") for p in package.points if p.kind == "well")
    assert states["works"] >= 1080 and states["broken"] >= 260 and states["locked"] >= 15
    said = [p.details["note"] for p in package.points if p.kind == "well" and "note" in p.details]
    assert any("Hubwirkung" in each for each in said)


def test_a_list_of_addresses_without_coordinates_gives_names_to_look_up() -> None:
    document = json.loads(shared_data("poi/kat_l_neukoelln_addresses.json").read_text("utf-8"))
    rows = next(value for value in document.values() if isinstance(value, list))
    table = {**TABLE, "kind": "lighthouse", "name": "name", "address": "address", "details": {}}

    found = mapped(rows, table, "lighthouses")

    assert (len(found.points), len(found.placeless)) == (0, 4)


# --- the file ------------------------------------------------------------------------------------


def test_a_package_is_read_as_it_was_written_and_the_same_makes_the_same_bytes(
    tmp_path: Path,
) -> None:
    package = invented(3, zone="Europe/Vienna")
    one, other = tmp_path / "one.db", tmp_path / "other.db"

    write_package(package, str(one))
    write_package(package, str(other))

    assert read_package(str(one)) == package
    assert one.read_bytes() == other.read_bytes()


def test_the_format_is_what_its_page_says(tmp_path: Path) -> None:
    write_package(invented(1), str(tmp_path / "p.db"))

    with sqlite3.connect(tmp_path / "p.db") as db:
        meta = dict(db.execute("SELECT key, value FROM meta"))
        tables = {row[0] for row in db.execute("SELECT name FROM sqlite_schema WHERE type='table'")}
        assert db.execute("PRAGMA application_id").fetchone() == (0x4B49455A,)
    assert tables == {"meta", "sources", "points", "lines"}
    assert meta["schemaVersion"] == "1"


def test_what_is_no_package_or_a_newer_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.db"
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreError):
        read_package(str(path))

    write_package(invented(1), str(path))
    with sqlite3.connect(path) as db:
        db.execute("UPDATE meta SET value = '2' WHERE key = 'schemaVersion'")
    db.close()
    with pytest.raises(StoreError, match="version 2"):
        read_package(str(path))


def test_the_invented_kiez_is_the_same_for_a_seed_and_in_order() -> None:
    assert invented(7) == invented(7)
    assert invented(7) != invented(8)
    for seed in range(12):
        package = invented(seed)
        assert problems(package) == [], seed
        assert package.bounds.has(LATITUDE, LONGITUDE)
        assert len({p.kind for p in package.points}) == 14
