"""The catalogues: complete where somebody is frightened, the same as files and as a box reads them,
and without what a program can see wrong.
"""

from __future__ import annotations

import gettext
import io
import json
import shutil
from pathlib import Path

import pytest
from babel.messages.mofile import read_mo as babel_read_mo

from kiezbox import i18n
from kiezbox.cli import _catalogues as catalogues
from kiezbox.cli import _wordings
from kiezbox.cli import languages as verb
from kiezbox.errors import KiezboxError
from kiezbox.i18n import LANGUAGES, RIGHT_TO_LEFT, is_checked, read_mo, text_of


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The first page in German, English and Turkish, for breaking."""
    for language in ("de", "en", "tr"):
        (tmp_path / language).mkdir()
        for kind in ("po", "mo"):
            shutil.copy(catalogues.path_of(language, "now", kind), tmp_path / language)
    monkeypatch.setattr(catalogues, "FOLDER", str(tmp_path))
    monkeypatch.setattr(catalogues, "LANGUAGES", {"de": "", "en": "", "tr": ""})
    return tmp_path


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


# --- what is in the repository -------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_missing_or_wrong_in_any_language(language: str) -> None:
    found = [each for room in catalogues.rooms() for each in catalogues.problems(language, room)]

    assert found == []


def test_all_languages_of_the_plan_are_there_and_each_has_its_own_name() -> None:
    # Issue 4, "Languages": fourteen with Leichte Sprache.
    assert len(LANGUAGES) == len(set(LANGUAGES.values())) == 14
    assert LANGUAGES["de_simple"] == "Leichte Sprache"
    assert set(RIGHT_TO_LEFT) == {"ar", "fa"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_a_box_reads_is_what_people_edit(language: str) -> None:
    for room in catalogues.rooms():
        made = Path(catalogues.path_of(language, room, "mo")).read_bytes()
        assert made == catalogues.compiled(language, room), room


def test_what_is_marked_as_checked_is_what_the_catalogues_say() -> None:
    found = (Path(i18n.__file__).parent / "checked.py").read_text(encoding="utf-8")

    assert found == catalogues.checked_rooms()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_boxes_reader_finds_what_other_readers_find(language: str) -> None:
    for room in catalogues.rooms():
        data = Path(catalogues.path_of(language, room, "mo")).read_bytes()

        ours = read_mo(data)

        theirs = gettext.GNUTranslations(io.BytesIO(data))._catalog  # type: ignore[attr-defined]
        assert ours == {key: text for key, text in theirs.items() if key}
        babels = babel_read_mo(io.BytesIO(data))
        assert ours == {each.id: each.string for each in babels if each.id}
        edited = catalogues.read(language, room) or ()
        assert ours == {each.id: each.string for each in edited if each.id and each.string}


@pytest.mark.parametrize("language", LANGUAGES)
def test_leichte_sprache_falls_back_to_german_and_the_others_to_english(language: str) -> None:
    found = text_of(language, "now")

    assert found["weekdays"] and found["first_always"]
    assert i18n.lang_of("de_simple") == "de-simple"
    instead = i18n._INSTEAD.get(language, ("en", "de"))
    assert language in ("de", "en", "de_simple") or instead == ("en", "de")


# --- who has checked it --------------------------------------------------------------------------


def test_a_room_counts_as_checked_when_its_last_fuzzy_mark_is_gone(folder: Path) -> None:
    catalogues.build()
    assert '"tr"' not in (folder / "checked.py").read_text(encoding="utf-8")
    path = folder / "tr" / "now.po"
    text = path.read_text(encoding="utf-8")

    path.write_text(text.replace("#, fuzzy\n", "", 1), encoding="utf-8")
    assert catalogues.share("tr", "now").checked == 1
    path.write_text(text.replace("#, fuzzy\n", ""), encoding="utf-8")
    catalogues.build()

    found = catalogues.share("tr", "now")
    assert found.checked == found.present == found.wanted
    assert '"tr": ("now",),' in (folder / "checked.py").read_text(encoding="utf-8")


def test_people_wrote_german_and_english_and_nobody_checked_a_room_that_is_not_there() -> None:
    assert is_checked("de", ["now", "help"]) and is_checked("en", ["about"])
    assert not is_checked("tr", ["now", "no such room"])


def test_building_twice_makes_nothing_the_second_time(folder: Path) -> None:
    change(folder / "tr" / "now.po", "Elektrik", "Elektrık")
    (folder / "tr" / "now.mo").unlink()

    assert catalogues.build() >= 1
    assert catalogues.build() == 0


# --- what somebody broke -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "old, new, problem",
    [
        ('msgid "since"', 'msgid "sinse"', "since is missing"),
        ('msgid "since"', 'msgid "sinse"', "sinse is unknown"),
        ("#. seit {when}", "#. bis {when}", "since: German has changed since"),
        ("bilinen: {headline}", "bilinen: {head}", "last_known has ['head'], not ['headline']"),
        ('msgstr "Son', 'msgstr "<b>Son', "last_known holds markup"),
        ('msgstr "Son', 'msgstr "\u202eSon', "last_known holds a control character"),
        ('msgstr "Son', 'msgstr " Son', "last_known begins or ends with a blank"),
        ('msgstr "Son', 'msgstr "Son und', "last_known holds a German word: und"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_key(
    folder: Path, old: str, new: str, problem: str
) -> None:
    assert catalogues.problems("tr", "now") == []

    change(folder / "tr" / "now.po", old, new)

    assert f"tr/now: {problem}" in catalogues.problems("tr", "now")


def test_an_entry_left_in_german_or_english_is_found(folder: Path) -> None:
    words = text_of("de")["never_ask"]
    change(folder / "tr" / "now.po", text_of("tr")["never_ask"], words)

    found = catalogues.problems("tr", "now")

    assert f"tr/now: never_ask is not translated: {words}" in found


def test_another_script_and_a_long_sentence_are_found() -> None:
    assert _wordings.faults("fa", "dar khane", ()) == ["is not in arabic script: dar khane"]
    assert _wordings.faults("uk", "Wi-Fi", ()) == []
    long = "Das hier ist ein Satz mit sehr vielen Wörtern und noch zwei mehr."
    assert "has a sentence of 13 words" in _wordings.faults("de_simple", long, ())[0]


@pytest.mark.parametrize(
    "old, new, why",
    [
        ('msgid "since"', "msgid since", "no catalogue"),
        ('msgid "since"\n', 'msgid "since\n', "no catalogue"),
        ('msgid "since"', 'msgid "promise"', "has promise twice"),
    ],
)
def test_a_file_that_is_no_catalogue_is_named(folder: Path, old: str, new: str, why: str) -> None:
    path = folder / "tr" / "now.po"
    change(path, old, new)

    with pytest.raises(KiezboxError, match=why) as raised:
        catalogues.share("tr", "now")

    assert str(path) in str(raised.value) and raised.value.hint


def test_a_file_in_another_encoding_is_named(folder: Path) -> None:
    path = folder / "tr" / "now.po"
    path.write_bytes(path.read_text(encoding="utf-8").encode("utf-16"))

    with pytest.raises(KiezboxError, match=r"tr.now\.po is no catalogue"):
        catalogues.build()


def test_what_is_no_mo_file_is_refused() -> None:
    with pytest.raises(ValueError, match="not a catalogue"):
        read_mo(b"#!/bin/sh\n" * 4)


# --- the command ---------------------------------------------------------------------------------


def test_the_command_shows_the_share_and_what_is_obligatory(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert verb.main(["--json"]) == 0

    tables = json.loads(capsys.readouterr().out)
    assert tables.keys() == LANGUAGES.keys()
    for language, rooms in tables.items():
        now = rooms["now"]
        assert now["present"] == now["wanted"] > 100 and now["is_obligatory"], language
        assert now["outdated"] == 0
    assert tables["de"]["now"]["checked"] == tables["de"]["now"]["wanted"]


def test_the_command_fails_where_something_is_wrong(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(folder / "en" / "now.po", 'msgid "since"', 'msgid "sinse"')

    assert verb.main(["problems"]) == 1

    assert "en/now: since is missing" in capsys.readouterr().out
