"""Where to go: what a resident with a dark phone finds around the box, and can say of it."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import html5lib
import pytest
from asking import Portal as Door
from residents import Resident
from shared import shared_data
from street import NOW, Portal, fresh, now_json, outage, portal, write_facts

from kiezbox.cli import main
from kiezbox.clock import ManualClock, SystemClock
from kiezbox.place.invented import invented
from kiezbox.place.points import NEEDS, Package, Point
from kiezbox.portal.sight import Sight
from kiezbox.store.log import Draft, Log
from kiezbox.store.places import read_package, write_package

#: Issue 4, "Sizes": pages, and maps, in bytes gzipped.
ZIPPED_BYTES, MAP_BYTES = 3000, 25_000

BOX = "kb-musterplatz-1"

#: A foreign zone: what is shown is the place's time, not the machine's.
ZONE = "Europe/Vienna"


def install(box: Path, package: Package) -> None:
    (box / "place").mkdir(exist_ok=True)
    write_package(package, str(box / "place" / "place.db"))


def changed(package: Package, which: str, /, **fields: Any) -> Package:
    """The same with other fields of one point."""
    points = [p._replace(**fields) if p.id == which else p for p in package.points]
    return package._replace(points=points)


@pytest.fixture
def here(box: Path, clock: ManualClock) -> Iterator[Door]:
    """A portal of a box in the middle of the invented Kiez, Saturday evening at 20:00 there."""
    install(box, invented(1, zone=ZONE))
    yield Door(Sight(str(box / "run"), str(box / "kiezbox.db"), clock))


def tree(html: str) -> Any:
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(html)


def entry(html: str, name: str) -> str:
    """What the list says of one point."""
    for each in tree(html).iter("li"):
        link = each.find("a")
        if link is not None and link.get("href", "").endswith(f"/point/{name}"):
            return " ".join("".join(each.itertext()).split())
    raise AssertionError(f"{name} is not on this page")


# --- finding -------------------------------------------------------------------------------------


def test_every_need_has_its_nearest_points_first(here: Door) -> None:
    page = tree(here.ask("/de/where").text)

    assert [each.get("id") for each in page.iter("h2")] == list(NEEDS)
    metres = [int(n) for n in re.findall(r"(\d+) m nach", entry_texts(page))]
    assert len(metres) >= 12
    for need in NEEDS:
        full = here.ask(f"/de/where/{need}").text
        found = [int(n) for n in re.findall(r"(\d+) m nach", full)]
        assert found == sorted(found)


def entry_texts(page: Any) -> str:
    return " ".join("".join(each.itertext()) for each in page.iter("li"))


def test_distance_and_direction_are_said_in_words(here: Door, box: Path) -> None:
    package = invented(1, zone=ZONE)
    # 0.009 degrees of latitude are 1,000.75 m: straight to the north.
    install(box, changed(package, "pharmacy-1", latitude=51.163 + 0.009, longitude=10.448)._replace(
        bounds=package.bounds._replace(north=51.18)
    ))  # fmt: skip

    german = entry(here.ask("/de/where/medical").text, "pharmacy-1")
    english = entry(here.ask("/en/where/medical").text, "pharmacy-1")

    assert "1 km nach Norden, zu Fuß etwa 20 Minuten" in german
    assert "1 km to the north, about 20 minutes on foot" in english


def test_a_box_that_does_not_know_its_place_lists_all_the_same(here: Door, box: Path) -> None:
    write_facts(box / "run", outage(box__latitude=None, box__longitude=None))

    page = here.ask("/de/where")

    assert page.status == 200
    assert "weiß nicht, wo sie steht" in page.text
    assert "nach Norden" not in page.text
    assert "Feuerwache" in page.text
    assert here.ask("/de/where/map").status == 200


def test_what_has_no_name_is_called_by_what_it_is(here: Door) -> None:
    assert entry(here.ask("/de/where/water").text, "well-1").startswith("Wasserpumpe oder Brunnen")


def test_more_than_one_page_of_points_goes_on(here: Door, box: Path) -> None:
    wells = [
        Point(f"w{n}", "well", f"Pumpe {n}", 51.163 + n / 1e5, 10.448, source="invented")
        for n in range(40)
    ]
    install(box, invented(1)._replace(points=wells))

    pages = [here.ask(path).text for path in ("/de/where/water", "/de/where/water/2",
                                              "/de/where/water/3")]  # fmt: skip

    found = [re.findall(r"/point/w(\d+)", page) for page in pages]
    assert [int(n) for page in found for n in page] == list(range(40))
    assert "where/water/2" in pages[0] and "where/water/4" not in pages[2]


# --- open now ------------------------------------------------------------------------------------


@pytest.mark.parametrize("hours, said", [
    ("Mo-Sa 08:00-21:00", "jetzt offen bis 21:00 Uhr (laut Aushang)"),
    ("Mo-Fr 08:00-21:00; Sa 08:00-19:30", "jetzt geschlossen, öffnet Montag, 08:00 Uhr"),
    ("Mo-Sa 10:00-19:00; Su 12:00-18:00", "jetzt geschlossen, öffnet Sonntag, 12:00 Uhr"),
    ("24/7", "immer offen"),
    ("Mo-Sa 08:00-21:00; PH off", "(laut Aushang; an Feiertagen vielleicht anders)"),
    ("sunrise-sunset", "Öffnungszeiten: sunrise-sunset"),
    ("nach Vereinbarung", "Öffnungszeiten: nach Vereinbarung"),
])  # fmt: skip
def test_open_now_is_said_in_the_places_time_and_only_where_it_can_be_told(
    here: Door, box: Path, hours: str, said: str
) -> None:
    install(box, changed(invented(1, zone=ZONE), "warm-room-1", hours=hours))

    assert said in entry(here.ask("/de/where/warmth").text, "warm-room-1")


@pytest.mark.parametrize("hours, holidays, said", [
    # It is Saturday, 3 January 2026. Whether that is a holiday, a package may know.
    ("Mo-Sa 08:00-21:00; PH off", ["2026-01-01"], "jetzt offen bis 21:00 Uhr (laut Aushang)"),
    ("Mo-Sa 08:00-21:00; PH off", ["2026-01-03"], "jetzt geschlossen, öffnet Montag, 08:00 Uhr"),
    ("Mo-Sa 08:00-21:00", ["2026-01-03"], "(laut Aushang; heute ist Feiertag, vielleicht anders)"),
    ("Mo-Sa 08:00-21:00; PH off", ["2020-01-01"], "an Feiertagen vielleicht anders)"),
])  # fmt: skip
def test_on_a_public_holiday_that_is_said_and_the_hours_of_holidays_hold(
    here: Door, box: Path, hours: str, holidays: list[str], said: str
) -> None:
    package = changed(invented(1, zone=ZONE), "warm-room-1", hours=hours)
    install(box, package._replace(holidays=holidays))

    assert said in entry(here.ask("/de/where/warmth").text, "warm-room-1")


def test_the_maps_scale_is_written_in_the_readers_own_script(here: Door) -> None:
    # Arabic once had "m 200": a Latin unit, turned around.
    assert ">200 م</text>" in here.ask("/ar/where/map/500").text
    assert ">200 m</text>" in here.ask("/de/where/map/500").text


def test_another_zone_is_another_time(here: Door, box: Path) -> None:
    hours = "Mo-Su 20:30-23:00"
    install(box, changed(invented(1, zone="Europe/Helsinki"), "warm-room-1", hours=hours))

    assert "jetzt offen" in entry(here.ask("/de/where/warmth").text, "warm-room-1")

    install(box, changed(invented(1, zone=ZONE), "warm-room-1", hours=hours))
    assert "jetzt geschlossen" in entry(here.ask("/de/where/warmth").text, "warm-room-1")


def test_a_clock_that_is_not_sure_is_said_beside_what_depends_on_it(here: Door, box: Path) -> None:
    write_facts(box / "run", outage(clock_trusted=False))
    install(box, changed(invented(1, zone=ZONE), "warm-room-1", hours="Mo-Sa 08:00-21:00"))

    said = entry(here.ask("/de/where/warmth").text, "warm-room-1")

    assert "jetzt offen" in said
    assert "die Uhr der Box ist unsicher" in said


def test_a_zone_this_machine_does_not_know_never_says_open(here: Door, box: Path) -> None:
    install(box, invented(1, zone="Atlantis/Harbour"))

    text = here.ask("/de/where/warmth").text

    assert "jetzt" not in text
    assert "Öffnungszeiten: <bdi>Mo-Su 10:00-20:00" in text


def test_nobody_is_told_that_water_is_good_which_is_not_known_to_be(here: Door, box: Path) -> None:
    install(box, changed(invented(1), "well-1", details={}))

    assert "nicht bekannt, ob trinkbar" in entry(here.ask("/de/where/water").text, "well-1")
    assert "Im Zweifel nur zum Waschen" in here.ask("/de/where/point/well-1").text


# --- a foreign package ---------------------------------------------------------------------------


def test_text_of_a_package_is_text(here: Door, box: Path) -> None:
    bad = '"><script>alert(1)</script>'
    package = changed(invented(1), "pharmacy-1", name=bad, address=bad, hours=bad, phone=bad,
                      details={"note": bad, "checked": bad})  # fmt: skip
    install(box, package._replace(
        sources=[package.sources[0]._replace(name=bad, licence=bad)], built_at=bad
    ))  # fmt: skip

    for path in ("where", "where/medical", "where/point/pharmacy-1", "where/map"):
        assert "<script" not in here.ask(f"/de/{path}").text


@pytest.mark.parametrize("damage", ["missing", "no database", "newer", "empty"])
def test_without_a_package_that_can_be_read_the_page_says_what_to_look_for(
    here: Door, box: Path, damage: str
) -> None:
    path = box / "place" / "place.db"
    if damage == "newer":
        import sqlite3

        with sqlite3.connect(path) as db:
            db.execute("UPDATE meta SET value = '2' WHERE key = 'schemaVersion'")
        db.close()
    else:
        path.unlink()
    if damage == "no database":
        path.write_bytes(b"x" * 5000)
    elif damage == "empty":
        path.touch()

    for name in ("where", "where/map", "where/point/well-1", "where/water"):
        page = here.ask(f"/de/{name}")
        assert page.status == 200
        assert "noch keine Karte" in page.text
        assert "Wasserpumpen" in page.text


def test_a_point_that_is_damaged_or_of_a_newer_kind_costs_only_itself(
    here: Door, box: Path
) -> None:
    import sqlite3

    with sqlite3.connect(box / "place" / "place.db") as db:
        db.execute("UPDATE points SET details = '[' WHERE id = 'pharmacy-1'")
        db.execute("UPDATE points SET kind = 'teleporter' WHERE id = 'pharmacy-2'")
        db.execute("UPDATE points SET latitude = 'north' WHERE id = 'pharmacy-4'")
    db.close()

    page = here.ask("/de/where/medical").text

    assert "pharmacy-3" in page
    assert "pharmacy-1" not in page and "pharmacy-2" not in page
    for name in ("pharmacy-1", "pharmacy-2", "pharmacy-4"):
        assert here.ask(f"/de/where/point/{name}").status == 200


def test_a_package_that_is_exchanged_is_seen_at_once(here: Door, box: Path) -> None:
    assert "Löwen-Apotheke" in here.ask("/de/where/medical").text

    install(box, changed(invented(1), "pharmacy-1", name="Neue Apotheke"))

    assert "Neue Apotheke" in here.ask("/de/where/medical").text


def test_a_map_is_drawn_anew_for_another_package_and_another_place(here: Door, box: Path) -> None:
    before = here.ask("/de/where/map").text
    assert here.ask("/de/where/map").text == before

    write_facts(box / "run", outage(box__longitude=10.4495))
    moved = here.ask("/de/where/map").text
    package = invented(1, zone=ZONE)
    lines = [line._replace(name="Neue Gasse") if line.name else line for line in package.lines]
    install(box, package._replace(lines=lines))

    assert moved != before
    assert ">Neue Gasse</text>" in here.ask("/de/where/map").text


# --- form ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["de", "en", "ar"])
@pytest.mark.parametrize("name", ["where", *(f"where/{need}" for need in NEEDS),
                                  "where/point/lighthouse-1", "where/point/well-3"])  # fmt: skip
def test_every_page_is_valid_and_comes_in_3_kb(here: Door, language: str, name: str) -> None:
    page = here.ask(f"/{language}/{name}")

    assert page.status == 200
    assert len(page.body) <= 15_000
    assert len(gzip.compress(page.body, 9, mtime=0)) <= ZIPPED_BYTES
    root = tree(page.text)
    assert len(list(root.iter("h1"))) == 1
    assert "invented" in "".join(root.itertext()), "the licence line"


@pytest.mark.parametrize("reach", ["", "/250", "/1000", "/2000", "/4000"])
def test_the_map_is_a_page_of_its_own_whose_numbers_are_explained_below(
    here: Door, reach: str
) -> None:
    page = here.ask(f"/de/where/map{reach}")

    assert page.status == 200
    assert len(gzip.compress(page.body, 9, mtime=0)) <= MAP_BYTES / 4
    root = tree(page.text)
    numbers = [each.text for group in root.iter() if str(each_tag(group)) == "g"
               for each in group if each_tag(each) == "text"]  # fmt: skip
    explained = [each for each in root.find(".//ol") if each.tag == "li"]
    assert numbers == [str(n + 1) for n in range(len(explained))]
    assert not {"script", "img", "image", "use"} & {each_tag(each) for each in root.iter()}


def each_tag(each: Any) -> str:
    return str(each.tag).rpartition("}")[2]


def test_no_list_carries_the_map(here: Door) -> None:
    for name in ("where", "where/water", "where/point/well-1"):
        assert "<svg class=m" not in here.ask(f"/de/{name}").text


@pytest.mark.parametrize("path", [
    "where/point/nobody", "where/point/..%2f..", "where/map/77", "where/map/x/y", "where/water/0",
    "where/water/99999", "where/water/x", "where/nowhere", "where/point", "where/point/well-1/x",
    "where/" + "x" * 500,
])  # fmt: skip
def test_a_path_that_is_none_leads_to_something_useful(here: Door, path: str) -> None:
    assert here.ask(f"/de/{path}").status == 200


# --- reports -------------------------------------------------------------------------------------


@pytest.fixture
def served(box: Path) -> Iterator[Portal]:
    install(box, invented(1, zone=ZONE))
    write_facts(box / "run", fresh(outage()))
    with portal(box, "--secrets", str(box)) as found:
        yield found


def operator_says(box: Path, name: str, state: int, origin: str = BOX) -> None:
    log = Log.open(str(box / "words" / "words.db"), SystemClock(), box=origin)
    fields = {"place": name, "state": state, "is_by_operator": 1}
    log.add(Draft(kind="place_report", fields=fields))
    log.close()


def test_what_a_neighbour_saw_stands_there_unchecked_for_everybody(served: Portal) -> None:
    neighbour, other = Resident(served.port), Resident(served.port, address="127.0.0.3")
    neighbour.open("/de/where/point/well-1")

    page = neighbour.send("/de/where/point/well-1", state="broken")

    assert page.status == 200
    assert "Danke. Ihre Meldung ist gespeichert." in page.text
    said = "Von Nachbarn gemeldet, ungeprüft: kaputt · gerade eben"
    assert said in entry(other.open("/de/where/water").text, "well-1")


def test_the_same_neighbour_twice_is_one_voice_and_two_are_two(served: Portal) -> None:
    for address, state in (("127.0.0.2", "closed"), ("127.0.0.2", "broken"),
                           ("127.0.0.2", "closed"), ("127.0.0.3", "closed")):  # fmt: skip
        neighbour = Resident(served.port, address=address)
        neighbour.open("/de/where/point/toilet-1")
        page = neighbour.send("/de/where/point/toilet-1", state=state)

    assert "geschlossen</b> (2 Personen)" in page.text


def test_the_operators_word_stands_above_the_neighbours_and_above_the_hours(
    served: Portal, box: Path
) -> None:
    neighbour = Resident(served.port)
    neighbour.open("/de/where/point/warm-room-1")
    neighbour.send("/de/where/point/warm-room-1", state="works")
    operator_says(box, "warm-room-1", 1)

    said = entry(neighbour.open("/de/where/warmth").text, "warm-room-1")

    operator = said.index("Vom Betreiber dieser Box: geschlossen")
    assert operator < said.index("Von Nachbarn gemeldet, ungeprüft: in Ordnung")
    assert "laut Aushang" not in said


def test_a_lighthouse_is_open_when_somebody_says_so_and_not_before(
    served: Portal, box: Path
) -> None:
    resident = Resident(served.port)
    before = entry(resident.open("/de/where/help").text, "lighthouse-1")

    operator_says(box, "lighthouse-1", 3)

    assert "nur hier, wenn es jemand gemeldet hat" in before
    after = entry(resident.open("/de/where/help").text, "lighthouse-1")
    assert "Vom Betreiber dieser Box: geöffnet" in after


def test_another_box_that_claims_to_be_the_operator_is_a_neighbour(
    served: Portal, box: Path, tmp_path: Path
) -> None:
    foreign = Log.open(str(tmp_path / "other" / "words.db"), SystemClock(), box="kb-fremd-1")
    foreign.add(Draft(kind="place_report",
                      fields={"place": "well-2", "state": 2, "is_by_operator": 1}))  # fmt: skip
    frames = [frame for _, frame in foreign.after(0)]
    foreign.close()
    log = Log.open(str(box / "words" / "words.db"), SystemClock(), box=BOX)
    assert log.take(frames)
    log.close()

    said = entry(Resident(served.port).open("/de/where/water").text, "well-2")

    assert "Von Nachbarn gemeldet, ungeprüft: kaputt" in said
    assert "Betreiber" not in said


def test_a_flood_of_reports_does_not_push_the_operators_word_out(here: Door, box: Path) -> None:
    log = Log.open(str(box / "words" / "words.db"), ManualClock(NOW), box=BOX)
    said = {"place": "well-1", "state": 2}
    with log.group():
        log.add(Draft(kind="place_report", fields={**said, "state": 1, "is_by_operator": 1}))
        log.add(*(
            Draft(kind="place_report", fields={**said, "reporter": n.to_bytes(8, "big")})
            for n in range(1, 2500)
        ))  # fmt: skip
    log.close()

    text = entry(here.ask("/de/where/water").text, "well-1")

    assert "Vom Betreiber dieser Box: geschlossen" in text


def test_a_report_of_an_exercise_is_not_one_of_an_emergency(served: Portal, box: Path) -> None:
    write_facts(box / "run", fresh(now_json(mode__name="exercise", mode__is_exercise=True)))
    resident = Resident(served.port)
    resident.open("/de/where/point/well-1")
    during = resident.send("/de/where/point/well-1", state="broken").text

    write_facts(box / "run", fresh(outage()))

    assert "Von Nachbarn gemeldet" in during
    assert "Von Nachbarn gemeldet" not in resident.open("/de/where/point/well-1?x=1").text


@pytest.mark.parametrize("state", ["", "open", "9", "works' OR 1"])
def test_a_report_of_no_state_is_asked_for_again(served: Portal, state: str) -> None:
    resident = Resident(served.port)
    resident.open("/de/where/point/well-1")

    page = resident.send("/de/where/point/well-1", state=state)

    assert page.status == 200
    assert "Bitte wählen Sie, was Sie gesehen haben." in page.text
    assert page.token


def test_a_report_of_a_point_that_is_not_there_is_not_stored(served: Portal, box: Path) -> None:
    resident = Resident(served.port)
    resident.open("/de/where/point/well-1")

    resident.send("/de/where/point/atlantis", state="broken")

    log = Log.open(str(box / "words" / "words.db"), SystemClock(), box=BOX)
    assert log.things("place_report") == []
    log.close()


# --- another town --------------------------------------------------------------------------------


def test_a_resident_of_bautzen_finds_the_emergency_call_point_and_reports_it_broken(
    box: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    extract = shared_data("osm/bautzen.osm")
    built = box / "bautzen.db"
    settings = box / "kiezbox.toml"
    settings.write_text(
        f'[box]\nid = "{BOX}"\nlatitude = 51.1899\nlongitude = 14.4119\n'
        f'[store]\npath = "{box}/kiezbox.db"\nrun_dir = "{box}/run"\n'
    )
    build = ["place", "build", "--name", "Bautzen", "--zone", ZONE, "--out", str(built)]
    assert main([*build, "--osm", str(extract), "--as-of", "2022-06-21"]) == 0
    assert main(["place", "install", str(built), "--settings", str(settings)]) == 0
    assert {p.kind for p in read_package(str(built)).points} == {"emergency_call"}
    place = {"box__latitude": 51.1899, "box__longitude": 14.4119, "box__name": "Bautzen"}
    write_facts(box / "run", fresh(outage(**place)))
    with portal(box, "--secrets", str(box)) as served:
        resident = Resident(served.port)

        page = resident.open("/de/where").text
        near = entry(page, "n575959921")
        assert "80 m nach Süden, zu Fuß etwa 2 Minuten" in near
        assert entry(page, "n575959920")
        assert "© OpenStreetMap contributors</bdi> (ODbL 1.0)" in page

        assert "where/map/250>Kleinerer Ausschnitt" in resident.open("/de/where/map").text
        assert ">Hoyerswerdaer Straße</text>" in resident.open("/de/where/map/250").text

        resident.open("/de/where/point/n575959921")
        reported = resident.send("/de/where/point/n575959921", state="broken").text
        assert "kaputt" in reported
        assert main(["place", "show", "emergency_call", "--settings", str(settings)]) == 0
        assert "1 of the neighbours: broken" in capsys.readouterr().out
        assert main(["place", "report", "n575959921", "works", "--settings", str(settings)]) == 0
        assert (
            "Vom Betreiber dieser Box: <b>in Ordnung</b>"
            in resident.open("/de/where/point/n575959921?again=1").text
        )


def test_the_pages_of_a_real_dense_city_stay_within_their_sizes(here: Door, box: Path) -> None:
    pytest.importorskip("osmium", reason="pyosmium is not installed: place-build")
    extract = shared_data("osm/berlin-kochstrasse-2022.osm.pbf")
    pumps = shared_data("poi/berlin_strassenbrunnen_osm_giessdenkiez.geojson")
    table = box / "pumps.toml"
    table.write_text(
        'kind = "well"\naddress = "addr:full"\n[details]\nstatus = "pump:status"\n'
        '[source]\nname = "Giess den Kiez"\nlicence = "ODbL 1.0"\n'
    )
    out = str(box / "city.db")
    assert main(["place", "build", "--name", "X", "--out", out, "--osm", str(extract),
                 "--geojson", str(pumps), "--table", str(table),
                 "--around", "52.509,13.393", "--reach", "30"]) == 0  # fmt: skip
    install(box, read_package(out))
    write_facts(box / "run", outage(box__latitude=52.509, box__longitude=13.393))

    for name in ("where", "where/water", "where/water/7", "where/medical"):
        page = here.ask(f"/de/{name}")
        assert len(gzip.compress(page.body, 9, mtime=0)) <= ZIPPED_BYTES, name
    for reach in (250, 500, 1000, 4000):
        page = here.ask(f"/de/where/map/{reach}")
        assert len(gzip.compress(page.body, 9, mtime=0)) <= MAP_BYTES / 2
