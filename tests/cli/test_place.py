"""``kiezbox place``: packages in and out, and the operator's word on a point."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kiezbox.cli import main
from kiezbox.clock import SystemClock
from kiezbox.errors import KiezboxError, StoreError, UsageError
from kiezbox.place.invented import invented
from kiezbox.place.points import Point
from kiezbox.store.log import Log
from kiezbox.store.places import write_package

BOX = "kb-musterplatz-1"


@pytest.fixture
def settings(tmp_path: Path) -> str:
    """The settings file of a box in the middle of the invented Kiez, with its log of words."""
    path = tmp_path / "kiezbox.toml"
    path.write_text(
        f'[box]\nid = "{BOX}"\nlatitude = 51.163\nlongitude = 10.448\n'
        f'[store]\npath = "{tmp_path}/kiezbox.db"\nrun_dir = "{tmp_path}/run"\n'
    )
    Log.open(str(tmp_path / "words" / "words.db"), SystemClock(), box=BOX).close()
    return str(path)


def place(settings: str, *words: str) -> int:
    return main(["place", *words, "--settings", settings])


@pytest.fixture
def installed(settings: str, tmp_path: Path) -> str:
    out = str(tmp_path / "made.db")
    assert main(["place", "build", "--invented", "1", "--out", out]) == 0
    assert place(settings, "install", out) == 0
    return settings


def test_an_installed_package_lies_where_the_portal_looks(installed: str, tmp_path: Path) -> None:
    found = tmp_path / "place" / "place.db"

    assert found.stat().st_mode & 0o777 == 0o644
    assert place(installed, "check") == 0


def test_check_says_what_neighbours_will_miss(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    package = invented(1)
    points = [p._replace(hours="nach Vereinbarung") for p in package.points if p.kind != "well"]
    write_package(package._replace(points=points), str(tmp_path / "p.db"))

    assert main(["place", "check", str(tmp_path / "p.db")]) == 0

    said = capsys.readouterr().out
    assert "none of: well" in said
    assert f"{len(points)} points have opening hours that are shown as they are" in said


def test_a_package_that_is_not_in_order_is_not_installed(settings: str, tmp_path: Path) -> None:
    stray = Point("p1", "castle", "", 10.0, 10.0, source="nobody")
    write_package(invented(1)._replace(points=[stray]), str(tmp_path / "bad.db"))

    assert main(["place", "check", str(tmp_path / "bad.db")]) == 1
    with pytest.raises(KiezboxError, match="not in order"):
        place(settings, "install", str(tmp_path / "bad.db"))
    assert not (tmp_path / "place").exists()


def test_a_package_of_another_town_is_installed_with_a_word_of_warning(
    settings: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    package = invented(1)
    far = package.bounds._replace(south=40.0, north=41.0)
    write_package(package._replace(bounds=far, points=[]), str(tmp_path / "far.db"))

    assert place(settings, "install", str(tmp_path / "far.db")) == 0

    assert "the box stands outside of it" in capsys.readouterr().err


def test_points_are_shown_nearest_first_with_what_is_said_of_them(
    installed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    place(installed, "open", "lighthouse-1")
    place(installed, "report", "well-2", "broken", "--hours", "48")
    capsys.readouterr()

    assert place(installed, "show", "--json") == 0

    rows = json.loads(capsys.readouterr().out)
    assert [row["metres"] for row in rows] == sorted(row["metres"] for row in rows)
    said = {row["id"]: row["operator"] for row in rows if row["operator"]}
    assert {name: each["state"] for name, each in said.items()} == {
        "lighthouse-1": "open", "well-2": "broken",
    }  # fmt: skip


def test_the_operator_takes_a_word_back_with_the_next_one(
    installed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    place(installed, "open", "warm-room-1")
    place(installed, "close", "warm-room-1")
    capsys.readouterr()

    place(installed, "show", "warm-room-1")

    assert "operator: closed" in capsys.readouterr().out


def test_a_word_on_a_point_ends_when_its_hours_are_over(installed: str, tmp_path: Path) -> None:
    place(installed, "open", "warm-room-1", "--hours", "2")

    log = Log.open(str(tmp_path / "words" / "words.db"), SystemClock(), box=BOX)
    (thing,) = log.things("place_report")
    log.close()

    assert 7190 < thing.expires_at - thing.written_at <= 7200


@pytest.mark.parametrize("words", [
    ("report", "well-1", "wet"), ("report", "well-1"), ("open",), ("show", "castle"),
    ("report", "atlantis", "closed"), ("open", "well-1", "--hours", "73"), ("build",),
    ("build", "--out", "x.db"), ("build", "--out", "x.db", "--osm", "x.osm"), ("install",),
    ("build", "--out", "x.db", "--name", "X", "--geojson", "x.json"),
    ("build", "--out", "x.db", "--name", "X", "--osm", "x.osm", "--around", "here"),
    ("build", "--out", "x.db", "--invented", "1", "--zone", "Atlantis/Harbour"),
    ("add",), ("add", "castle", "--at", "51.16,10.44"), ("add", "warm_room"),
    ("add", "warm_room", "--at", "here"), ("add", "warm_room", "--at", "91,10"),
    # Longitude first: somewhere off Somalia.
    ("add", "warm_room", "--at", "10.448,51.163"), ("correct", "well-1"), ("remove",),
    ("add", "warm_room", "--at", "51.16,10.44", "--days", "0"), ("remove", "atlantis"),
    ("add", "warm_room", "--at", "51.16,10.44", "--detail", "wheelchair=perhaps"),
    ("add", "warm_room", "--at", "51.16,10.44", "--hours", "73"),
])  # fmt: skip
def test_a_wrong_call_is_answered_with_a_sentence(installed: str, words: tuple[str, ...]) -> None:
    with pytest.raises(UsageError):
        place(installed, *words)


def test_without_a_package_the_operator_is_told_how_to_make_one(settings: str) -> None:
    with pytest.raises(StoreError) as error:
        place(settings, "show")

    assert "place build" in error.value.hint


# --- in the field --------------------------------------------------------------------------------


@pytest.fixture
def keyed(settings: str, tmp_path: Path) -> str:
    """The same box with a moderator's key, and no package yet."""
    path = Path(settings)
    path.write_text(f'{path.read_text()}[abuse]\nmoderator_key = "{tmp_path}/moderator.key"\n')
    assert main(["moderate", "keys", "--name", "Kiezteam", "--settings", settings]) == 0
    return settings


def rows(settings: str, capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    capsys.readouterr()
    assert place(settings, "show", *words, "--json") == 0
    return {row["id"]: row for row in json.loads(capsys.readouterr().out)}


HALL = ("add", "warm_room", "--at", "51.1641,10.4495", "--name", "Schule, Aula")


def test_a_room_that_was_opened_just_now_is_there_without_any_package(
    keyed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert place(keyed, *HALL, "--detail", "wheelchair=yes", "--address", "Musterweg 3") == 0

    (row,) = rows(keyed, capsys).values()
    assert row["id"] == f"{BOX}.1" and row["kind"] == "warm_room" and row["name"] == "Schule, Aula"
    assert (row["latitude"], row["longitude"]) == (51.1641, 10.4495)
    assert row["details"] == {"wheelchair": "yes"} and row["added_by"] == "Kiezteam"
    assert row["operator"]["state"] == "open" and row["operator"]["by"] == "Kiezteam"


def test_what_was_added_corrected_and_removed_outlives_a_new_package(
    keyed: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_package(invented(1), str(tmp_path / "made.db"))
    place(keyed, "install", str(tmp_path / "made.db"))
    before = rows(keyed, capsys)
    place(keyed, *HALL)
    place(keyed, "correct", "well-1", "--name", "Pumpe am Tor", "--detail", "drinkable=no")
    place(keyed, "remove", "toilet-1")

    write_package(invented(1)._replace(built_at="2030-01-01"), str(tmp_path / "newer.db"))
    place(keyed, "install", str(tmp_path / "newer.db"))

    after = rows(keyed, capsys)
    assert set(after) == set(before) - {"toilet-1"} | {f"{BOX}.1"}
    well, was = after["well-1"], before["well-1"]
    assert well["name"] == "Pumpe am Tor" and well["details"]["drinkable"] == "no"
    assert (well["latitude"], well["kind"]) == (pytest.approx(was["latitude"], abs=1e-5), "well")


def test_a_removed_point_comes_back_when_it_is_corrected(
    keyed: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_package(invented(1), str(tmp_path / "made.db"))
    place(keyed, "install", str(tmp_path / "made.db"))

    place(keyed, "remove", "well-1")
    place(keyed, "correct", "well-1", "--address", "am Tor")

    assert rows(keyed, capsys, "well-1")["well-1"]["address"] == "am Tor"


def test_whoever_adds_what_is_there_already_is_told(
    keyed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    place(keyed, *HALL)
    capsys.readouterr()

    place(keyed, *HALL)

    assert f"{BOX}.1) is there already, and near" in capsys.readouterr().err


def test_without_a_key_nothing_is_added_and_the_way_to_one_is_said(settings: str) -> None:
    with pytest.raises(KiezboxError) as error:
        place(settings, *HALL)

    assert "moderate keys" in error.value.hint


def test_a_key_that_this_box_does_not_believe_adds_nothing(
    keyed: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["trust", "key", str(tmp_path / "stranger.key"), "--name", "Stranger"])

    with pytest.raises(UsageError, match="does not believe the key"):
        place(keyed, *HALL, "--key", str(tmp_path / "stranger.key"))

    with pytest.raises(StoreError):
        place(keyed, "show")


def test_open_and_closed_are_signed_where_there_is_a_key(
    keyed: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place(keyed, *HALL)
    place(keyed, "close", f"{BOX}.1")

    log = Log.open(str(tmp_path / "words" / "words.db"), SystemClock(), box=BOX)
    told = log.records("place_report")
    log.close()
    assert len(told) == 2 and all(each.record.signature for each in told)
    said = rows(keyed, capsys)[f"{BOX}.1"]["operator"]
    assert (said["state"], said["by"]) == ("closed", "Kiezteam")
