"""``kiezbox place``: packages in and out, and the operator's word on a point."""

from __future__ import annotations

import json
from pathlib import Path

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
])  # fmt: skip
def test_a_wrong_call_is_answered_with_a_sentence(installed: str, words: tuple[str, ...]) -> None:
    with pytest.raises(UsageError):
        place(installed, *words)


def test_without_a_package_the_operator_is_told_how_to_make_one(settings: str) -> None:
    with pytest.raises(StoreError) as error:
        place(settings, "show")

    assert "place build" in error.value.hint
