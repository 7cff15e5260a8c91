"""A point that an operator adds in the field is under Where at once, above what a package says."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asking import Portal as Door

from kiezbox.clock import ManualClock
from kiezbox.place.invented import invented
from kiezbox.place.points import Package, Point
from kiezbox.portal.sight import Sight
from kiezbox.store import pointing
from kiezbox.store.believing import trust_of
from kiezbox.store.log import Log
from kiezbox.store.moderators import believe, forget
from kiezbox.store.places import write_package
from kiezbox.trust import new_key

BOX = "kb-musterplatz-1"
DAY_S = 86400
KEY = new_key("Kiezteam")
# 0.009 degrees of latitude north of the box: 1,000.75 m.
HALL = Point(f"{BOX}.1", "warm_room", "Schule, Aula", 51.172, 10.448, "Musterweg 3")


def install(box: Path, package: Package) -> None:
    (box / "place").mkdir(exist_ok=True)
    write_package(package, str(box / "place" / "place.db"))


@pytest.fixture
def door(box: Path, clock: ManualClock) -> Door:
    """A box in the middle of the invented Kiez, which has no package yet."""
    believe(str(box / "words" / "words.db"), KEY.public, "Kiezteam")
    return Door(Sight(str(box / "run"), str(box / "kiezbox.db"), clock))


@pytest.fixture
def log(box: Path, clock: ManualClock, door: Door) -> Iterator[Log]:
    path = str(box / "words" / "words.db")
    found = Log.open(path, clock, box=BOX)
    found.judge_by(trust_of(found, (), clock).judge)
    yield found
    found.close()


def put(log: Log, clock: ManualClock, point: Point = HALL, **more: Any) -> None:
    pointing.put(log, point, KEY, lifetime_s=7 * DAY_S, now=clock.now(), **more)


def test_a_box_without_a_package_shows_what_was_added(
    door: Door, log: Log, clock: ManualClock
) -> None:
    assert "noch keine Karte" in door.ask("/de/where").text

    put(log, clock)

    page = door.ask("/de/where").text
    assert "noch keine Karte" not in page
    assert "Schule, Aula" in page and "1 km nach Norden, zu Fuß etwa 20 Minuten" in page
    assert door.ask("/de/where/map").status == 200
    assert "Musterweg 3" in door.ask(f"/de/where/point/{HALL.id}").text
    assert "Daten: <bdi>Kiezteam</bdi>" in page


@pytest.mark.parametrize("language", ["de", "ar", "de_simple"])
def test_it_stands_among_the_packages_points_by_how_far_it_is(
    door: Door, box: Path, log: Log, clock: ManualClock, language: str
) -> None:
    install(box, invented(1))
    put(log, clock)
    pointing.report(log, HALL.id, "open", KEY, lifetime_s=3600, now=clock.now())

    page = door.ask(f"/{language}/where/warmth")

    names = [part.split(" ", 1)[0].split(">")[0] for part in page.text.split("/where/point/")[1:]]
    assert HALL.id in names and "warm-room-1" in names
    assert "Kiezteam" in page.text
    assert len(gzip.compress(page.body)) <= 3000


def test_the_operators_word_stands_above_a_newer_package_until_it_ends(
    door: Door, box: Path, log: Log, clock: ManualClock
) -> None:
    package = invented(1)
    install(box, package)
    well = next(each for each in package.points if each.id == "well-1")
    put(log, clock, well._replace(name="Pumpe am Tor"))
    pointing.take_away(log, "well-2", KEY, lifetime_s=7 * DAY_S, now=clock.now())

    install(box, package._replace(built_at="2030-01-01"))

    page = door.ask("/de/where/water").text
    assert "Pumpe am Tor" in page and "/point/well-2" not in page
    assert door.ask("/de/where/point/well-2").text.count("Wo ist was?") > 0

    clock.advance(7 * DAY_S + 1)
    later = door.ask("/de/where/water").text
    assert "Pumpe am Tor" not in later and "/point/well-2" in later


def test_the_existing_app_is_given_it_too(door: Door, log: Log, clock: ManualClock) -> None:
    put(log, clock, HALL._replace(kind="toilet", name="Schule, WC"))

    features = door.ask("/city/toilets.json").json["features"]

    assert [each["properties"]["name"] for each in features] == ["Schule, WC"]
    assert features[0]["geometry"]["coordinates"] == [10.448, 51.172]


def test_a_box_that_does_not_know_its_place_shows_it_first(
    box: Path, log: Log, clock: ManualClock
) -> None:
    from street import outage, write_facts

    install(box, invented(1))
    write_facts(box / "run", outage(box__latitude=None, box__longitude=None))
    put(log, clock)

    page = (
        Door(Sight(str(box / "run"), str(box / "kiezbox.db"), clock)).ask("/de/where/warmth").text
    )

    assert page.index(HALL.id) < page.index("warm-room-1")


def test_what_nobody_believes_any_more_is_gone_at_once(
    door: Door, box: Path, log: Log, clock: ManualClock
) -> None:
    put(log, clock)
    path = str(box / "words" / "words.db")

    forget(path, KEY.public)
    log.judge_by(trust_of(log, (), clock).judge)

    assert "Schule, Aula" not in door.ask("/de/where").text


def test_a_stranger_puts_nothing_on_the_map(door: Door, box: Path, clock: ManualClock) -> None:
    """Whoever may write into the log, but has no key."""
    from kiezbox.place.added import fields_of
    from kiezbox.store.log import Draft

    log = Log.open(str(box / "words" / "words.db"), clock, box=BOX)
    log.add(Draft(kind="place_point", fields=fields_of(HALL)))
    log.close()

    assert "Schule, Aula" not in door.ask("/de/where").text


def test_markup_in_a_name_stays_words(door: Door, log: Log, clock: ManualClock) -> None:
    put(log, clock, HALL._replace(name="<script>alert(1)</script>", address='"><img src=x>'))

    page = door.ask(f"/de/where/point/{HALL.id}").text

    assert "<script" not in page and "<img" not in page


def test_a_point_of_which_only_the_place_is_known_begins_with_how_far_it_is(
    door: Door, log: Log, clock: ManualClock
) -> None:
    put(log, clock, HALL._replace(name="", address=""))

    page = door.ask("/de/where/warmth").text

    assert ">Warmer Raum</a>1 km nach Norden" in page
