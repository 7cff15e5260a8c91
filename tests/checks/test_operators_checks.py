"""``kiezbox check``: what an operator forgets, and residents miss in the dark."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from kiezbox.checks import Examined, Level, languages, moderators, operator, sources, surroundings
from kiezbox.clock import Clock, ManualClock
from kiezbox.place.invented import invented
from kiezbox.settings import Settings, parse
from kiezbox.store.moderators import believe
from kiezbox.store.places import write_package
from kiezbox.trust import new_key

#: 2026-01-07, 12:00 UTC.
NOW = 1_767_787_200.0
HERE = {"latitude": 51.163, "longitude": 10.448}
NORMAL, OUTAGE = {"mode": {"name": "normal"}}, {"mode": {"name": "emergency"}}


def examined(
    folder: Path, facts: Mapping[str, Any] | None = None, clock: Clock | None = None, **tables: Any
) -> Examined:
    given = {"box": {"id": "kb-a", **HERE}, "store": {"path": f"{folder}/kiezbox.db"}, **tables}
    given.setdefault("abuse", {"moderator_key": f"{folder}/moderator.key"})
    return Examined(parse(Settings, given), clock or ManualClock(NOW), facts, root=folder)


def said(check: Any, box: Examined) -> list[tuple[Level, str]]:
    found = list(check.run(box))
    assert all(each.hint for each in found if each.level > Level.FINE)
    return [(each.level, each.message) for each in found]


# --- the surroundings ----------------------------------------------------------------------------


def install(folder: Path, **fields: Any) -> None:
    (folder / "place").mkdir()
    package = invented(1)._replace(built_at="2026-01-02", **fields)
    write_package(package, str(folder / "place" / "place.db"))


def test_a_box_without_a_package_is_warned_of(tmp_path: Path) -> None:
    ((level, message),) = said(surroundings, examined(tmp_path))

    assert level is Level.WARNING and "no package of its surroundings" in message


def test_a_fresh_package_is_fine(tmp_path: Path) -> None:
    install(tmp_path)

    ((level, message),) = said(surroundings, examined(tmp_path))

    assert level is Level.FINE and "32 points" in message


def test_an_old_package_is_worth_knowing_but_not_by_a_clock_that_is_not_set(tmp_path: Path) -> None:
    install(tmp_path)
    later = NOW + 500 * 86400

    ((level, message),) = said(surroundings, examined(tmp_path, clock=ManualClock(later)))
    assert level is Level.NOTE and "made 505 days ago" in message

    unsure = ManualClock(later, trusted=False)
    assert said(surroundings, examined(tmp_path, clock=unsure))[0][0] is Level.FINE


def test_another_towns_package_is_warned_of(tmp_path: Path) -> None:
    install(tmp_path)
    far = {"id": "kb-a", "latitude": 48.0, "longitude": 11.0}

    assert any(
        "stands outside" in text for _, text in said(surroundings, examined(tmp_path, box=far))
    )


def test_a_box_that_does_not_know_its_place_is_warned_of(tmp_path: Path) -> None:
    install(tmp_path)

    found = said(surroundings, examined(tmp_path, box={"id": "kb-a"}))

    assert found[0] == (
        Level.WARNING, "this box does not know where it stands: residents read no distances",
    )  # fmt: skip


def test_a_package_that_cannot_be_read_is_broken(tmp_path: Path) -> None:
    (tmp_path / "place").mkdir()
    (tmp_path / "place" / "place.db").write_bytes(b"no database" * 100)

    assert said(surroundings, examined(tmp_path))[0][0] is Level.BROKEN


# --- who answers for it --------------------------------------------------------------------------


def test_a_box_for_which_nobody_answers_is_warned_of(tmp_path: Path) -> None:
    found = said(operator, examined(tmp_path, operator={"contact": "000 1"}))

    assert found[0][0] is Level.WARNING
    assert "who is responsible" in found[0][1] and "legal basis" in found[0][1]
    assert "reach somebody" not in found[0][1]
    assert found[1][0] is Level.NOTE and "poison" in found[1][1]


def test_a_box_with_controller_contact_and_basis_is_fine(tmp_path: Path) -> None:
    table = {"controller": "Verein", "contact": "000 1", "privacy_basis": "Art. 6"}
    box = {"id": "kb-a", "poison_phone": "000 1"}

    assert said(operator, examined(tmp_path, operator=table, box=box)) == [
        (Level.FINE, "Verein answers for this box")
    ]


# --- moderators ----------------------------------------------------------------------------------


def test_a_moderators_key_that_nobody_believes_is_warned_of(tmp_path: Path) -> None:
    (tmp_path / "words").mkdir()
    box = examined(tmp_path)
    assert said(moderators, box)[0][0] is Level.NOTE

    (tmp_path / "moderator.key").write_text("{}")
    assert said(moderators, box)[0][0] is Level.WARNING

    believe(box.settings.store.words_path, new_key("A").public, "Kiezteam")
    assert said(moderators, box) == [(Level.FINE, "somebody moderates on this box")]


# --- official warnings ---------------------------------------------------------------------------


@pytest.mark.parametrize(("facts", "hours", "level"), [
    (NORMAL, 1, Level.FINE), (NORMAL, 7, Level.WARNING), (OUTAGE, 7, Level.NOTE),
    (None, 80, Level.NOTE), (NORMAL, -48, Level.WARNING),
])  # fmt: skip
def test_warnings_that_are_old_are_said_to_be(
    tmp_path: Path, facts: Mapping[str, Any] | None, hours: int, level: Level
) -> None:
    (tmp_path / "words").mkdir()
    looked = {"version": 1, "checked_at": NOW - hours * 3600, "host": "x", "listed": []}
    (tmp_path / "source-nina.json").write_text(json.dumps(looked))

    found = said(sources, examined(tmp_path, facts, sources={"nina": {"ars": "110000000000"}}))

    assert [each for each, _ in found] == [level]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"checked_at": "noon"}', None])
def test_a_source_that_never_answered_is_broken_whatever_the_card_holds(
    tmp_path: Path, text: str | None
) -> None:
    (tmp_path / "words").mkdir()
    if text is not None:
        (tmp_path / "source-nina.json").write_text(text)

    found = said(sources, examined(tmp_path, NORMAL, sources={"nina": {"ars": "110000000000"}}))

    assert [each for each, _ in found] == [Level.BROKEN]


# --- languages -----------------------------------------------------------------------------------


@pytest.fixture
def catalogues(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "i18n"
    shutil.copytree(languages.FOLDER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(languages, "FOLDER", folder)
    return folder


def test_catalogues_that_are_built_are_fine(catalogues: Path, tmp_path: Path) -> None:
    assert said(languages, examined(tmp_path)) == [
        (Level.FINE, "the texts are there in 14 languages")
    ]


@pytest.mark.parametrize("spoil", [Path.unlink, lambda path: path.write_bytes(b"")])
def test_a_catalogue_that_is_not_built_names_its_language(
    catalogues: Path, tmp_path: Path, spoil: Any
) -> None:
    spoil(catalogues / "tr" / "now.mo")

    ((level, message),) = said(languages, examined(tmp_path))

    assert level is Level.WARNING and message.endswith("instead of Türkçe")


def test_without_the_german_texts_nothing_works(catalogues: Path, tmp_path: Path) -> None:
    (catalogues / "de" / "now.mo").unlink()

    assert said(languages, examined(tmp_path))[0][0] is Level.BROKEN


def test_all_of_them_together_take_a_second_at_most(tmp_path: Path) -> None:
    install(tmp_path)
    box = examined(tmp_path)

    started = time.process_time()
    for check in (surroundings, operator, moderators, sources, languages):
        list(check.run(box))

    assert time.process_time() - started < 1.0
