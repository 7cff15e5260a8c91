"""Four January days without electricity, in a browser: a resident, a helper, a moderator, an
officer. Everything goes over the real portal process and the box's own command line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from street_scene import Box, Chromium, Phone, Resident

from kiezbox.i18n import text_of
from kiezbox.portal.countries import text_in

pytestmark = pytest.mark.browser

LONG = pytest.mark.long

PASSPHRASE = "vier Dosen Birnen"

MEDICINE = "1"

#: What only helpers may ever read.
EXACT = {"place": "Hinterhaus, 4. Stock", "name": "Klingel unten links", "words": "Insulin, kühl"}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    with Chromium() as browser:
        yield browser


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path)


def with_helpers_key(box: Box) -> None:
    box.says("helper", "keys", typed=f"{PASSPHRASE}\n{PASSPHRASE}\n")


def asks_for_medicine(phone: Phone, language: str) -> None:
    """Fills in the form; sends nothing yet."""
    phone.go(f"/{language}/help/ask")
    phone.tick("need", MEDICINE)
    phone.write("block", "Musterweg")
    for field, words in EXACT.items():
        phone.write(field, words)


def tickets(box: Box) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = box.listed("ticket", "list", "--all")
    return found


# --- Saturday: the resident ----------------------------------------------------------------------


@pytest.mark.parametrize("language", ["de", "ar", "uk"])
def test_a_resident_finds_what_to_do_first_and_where_to_go(
    chromium: Chromium, box: Box, language: str
) -> None:
    phone, text = Phone(chromium, box), text_in("DE", language, "now")
    with box.portal():
        phone.go(f"/{language}")
        assert text["causes"]["grid_lost"][0] in phone.text
        assert text["first_always"][0][0] in phone.text

        phone.tap(f'a[href="/{language}/where"]')

        assert text_of(language, "where")["needs"]["help"] in phone.text
        assert phone.see("document.documentElement.dir") == ("rtl" if language == "ar" else "")


@pytest.mark.parametrize(
    "language", ["ar", pytest.param("de", marks=LONG), pytest.param("uk", marks=LONG)]
)
def test_a_form_that_was_open_when_the_box_died_is_sent_again_and_counts_once(
    chromium: Chromium, box: Box, language: str
) -> None:
    with_helpers_key(box)
    phone = Phone(chromium, box)
    with box.portal() as process:
        asks_for_medicine(phone, language)
        process.kill()
        process.wait(10)
        phone.tap("main form button")
        assert "chrome-error" in phone.see("location.href")

    with box.portal():
        phone.reload()
        told = phone.see("document.querySelector('main').innerText")
        assert text_of(language, "help")["code"] in told
        phone.reload()

        assert phone.see("document.querySelector('main').innerText") == told, "the same words"
    (ticket,) = tickets(box)
    assert ticket["state"] == "received"
    for folder in (box.folder, box.folder / "words"):
        for file in folder.glob("*.db*"):
            assert b"Insulin" not in file.read_bytes(), file


# --- Sunday: the helper --------------------------------------------------------------------------


def test_a_helper_is_let_in_by_a_code_and_takes_what_was_asked(
    chromium: Chromium, box: Box
) -> None:
    with_helpers_key(box)
    phone, states = Phone(chromium, box), text_of("de", "help")["state"]
    with box.portal():
        asks_for_medicine(phone, "de")
        phone.tap("main form button")
        status = phone.see("document.querySelector('main .button').getAttribute('href')")

        _claims(phone, box.says("helper", "admit", typed=f"{PASSPHRASE}\n"), "neue Birnen im Glas")
        assert "Musterweg" in phone.text
        phone.tap("button[name=ticket]")
        assert "Insulin" not in phone.text and EXACT["place"] not in phone.text
        phone.write("passphrase", "neue Birnen im Glas")
        phone.tap("button[value=open]")
        assert EXACT["words"] in phone.text and EXACT["place"] in phone.text
        phone.tap("button[value=take]")

        phone.go(status)
        assert states["taken"] in phone.text
        assert not any(words in phone.text for words in EXACT.values())
    (opened,) = box.listed("helper", "openings")
    assert opened["role"] == "helper"


def _claims(phone: Phone, admitted: str, passphrase: str) -> None:
    """A new helper types number and one-time code, and chooses a passphrase."""
    found = re.search(r"number\s+(\d+)\s+code\s+(.+)", admitted)
    assert found is not None, admitted
    phone.go("/de/helper")
    phone.see("document.querySelector('main details').open = true")
    for field, words in (("number", found[1]), ("code", found[2]), ("new", passphrase),
                         ("again", passphrase)):  # fmt: skip
        phone.write(field, words, within="details")
    phone.tap("button[value=claim]")


# --- Monday: the moderator -----------------------------------------------------------------------


def test_what_three_neighbours_report_is_hidden_until_a_moderator_has_decided(
    chromium: Chromium, box: Box
) -> None:
    box.says("moderate", "keys", "--name", "Kiezteam")
    phone, swindle = Phone(chromium, box), "Strom zurück gegen Vorkasse, 50 Euro an der Tür"
    with box.portal():
        phone.go("/de/board/write")
        phone.tick("topic", "2")
        phone.write("text", swindle)
        phone.tap("main form button")
        phone.go("/de/board")
        assert swindle in phone.text
        link = phone.see("document.querySelector('article a').getAttribute('href')")
        for number in range(3):
            neighbour = Resident(box.port, address=f"127.0.0.{number + 30}")
            neighbour.open(link)
            assert neighbour.send(link, act="report", reason="1").status == 200

        phone.go("/de/board")
        assert swindle not in phone.text
        (case,) = box.listed("moderate", "queue")
        box.says("moderate", "hide", case["id"], "--reason", "Betrug")

        phone.go("/de/board")
        assert swindle not in phone.text
    assert box.listed("moderate", "queue") == []
    assert [each["verdict"] for each in box.listed("moderate", "log")] == ["hide"]


# --- Tuesday: the officer ------------------------------------------------------------------------


def test_an_officers_word_stands_above_all_in_every_language_until_it_is_taken_back(
    chromium: Chromium, box: Box
) -> None:
    root = json.loads(box.says("trust", "key", "root.key", "--name", "root", "--json"))["public"]
    issuer = json.loads(box.says("trust", "key", "fire.key", "--name", "Feuerwehr", "--json"))
    box.write_settings(root)
    box.says(
        "trust", "certify", issuer["public"], "--by", "root.key", "--name", "Feuerwehr",
        "--to", "fire.cert",
    )  # fmt: skip
    box.says("trust", "import", "fire.cert")
    box.says("bulletin", "post", "Alles halb so wild, sagt der Nachbar.")
    phone = Phone(chromium, box)
    with box.portal():
        box.says(
            "bulletin", "post", "--code", "switch_off", "--until", "10:30", "--sign", "fire.key"
        )

        for language in ("de", "ar", "uk"):
            phone.go(f"/{language}")
            words = text_of(language, "codes")["codes"]["switch_off"][0]
            first = phone.see("document.querySelector('article').innerText")
            assert words in first and "Feuerwehr" in first, (language, first)
            assert "10:30" in first
            assert phone.see("document.querySelector('article').className") == "official"

        listed = box.listed("bulletin", "list")
        (up,) = [each for each in listed if each["standing"] == "official: Feuerwehr"]
        box.says("bulletin", "withdraw", up["id"], "--sign", "fire.key")
        phone.go("/uk")
        assert phone.see("document.querySelectorAll('article.official').length") == 0
