"""First steps: true, small, printable, and where the cause leads."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import Any

import html5lib
import pytest
from asking import Portal
from street import NOW, outage, write_facts

from kiezbox.i18n import LANGUAGES, RIGHT_TO_LEFT, lang_of, text_of
from kiezbox.portal.countries import PHONES, phones_of
from kiezbox.portal.sight import Sight
from kiezbox.portal.topics import PREPARED, TOPIC_OF_CAUSE, TOPICS, topics_of
from kiezbox.settings.box import CausesSettings

#: Issue 4, "Sizes".
PAGE_BYTES, ZIPPED_BYTES = 15_000, 3000

PATHS = ["steps", *(f"steps/{topic}" for topic in TOPICS)]


class _Clock:
    def now(self) -> float:
        return NOW


@pytest.fixture
def street(tmp_path: Path) -> Portal:
    """A portal in an outage."""
    write_facts(tmp_path / "run", outage())
    return Portal(Sight(str(tmp_path / "run"), str(tmp_path / "kiezbox.db"), _Clock()))


def tree(html: str) -> Any:
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(html)


def words(root: Any) -> str:
    return " ".join("".join(root.itertext()).split())


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_is_valid_small_and_in_its_language(street: Portal, language: str) -> None:
    for path in PATHS:
        shown = street.ask(f"/{language}/{path}")

        assert shown.status == 200
        assert len(shown.body) <= PAGE_BYTES, path
        assert len(gzip.compress(shown.body, 9, mtime=0)) <= ZIPPED_BYTES, path
        root = tree(shown.text)
        assert root.get("lang") == lang_of(language)
        assert root.get("dir") == ("rtl" if language in RIGHT_TO_LEFT else None)
        headings = [each.tag for each in root.iter() if re.fullmatch("h[1-6]", str(each.tag))]
        assert headings[0] == "h1" and set(headings[1:]) == {"h2"}
        assert not {each.tag for each in root.iter()} & {"script", "img", "iframe", "form"}
        assert "{" not in words(root.find(".//main")), path


def test_the_overview_leads_to_every_topic_and_each_back(street: Portal) -> None:
    links = {a.get("href") for a in tree(street.ask("/de/steps").text).find(".//main").iter("a")}

    assert {f"/de/steps/{topic}" for topic in TOPICS} <= links
    for topic, related in TOPICS.items():
        root = tree(street.ask(f"/de/steps/{topic}").text)
        found = {a.get("href") for a in root.find(".//main").iter("a")}
        assert {"/de/steps", *(f"/de/steps/{each}" for each in related)} <= found
        title = text_of("de", "steps")["topics"][topic]["title"]
        assert root.find(".//h1").text == title
        assert topic not in related


def test_another_topic_is_the_overview(street: Portal) -> None:
    for path in ("steps/no-such", "steps/power/more", "steps/", "steps/../now"):
        shown = street.ask(f"/de/{path}")

        assert shown.status == 200
        assert "<h1>Erste Schritte</h1>" in shown.text
        assert "no-such" not in shown.text


def test_every_page_says_first_that_life_goes_before_all(street: Portal) -> None:
    for language in LANGUAGES:
        lead = text_of(language)["first_always"][0][0]
        for topic in TOPICS:
            _, _, main = street.ask(f"/{language}/steps/{topic}").text.partition("<main>")
            assert lead in main and "112" in lead, (language, topic)


# --- numbers to call -----------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_poison_helpline_is_the_regions_or_said_to_be_unknown(
    street: Portal, tmp_path: Path, language: str
) -> None:
    links = tree(street.ask(f"/{language}/steps/aid").text).iter("a")
    # From left to right in every language: Arabic would turn its groups around.
    found = [(a.text, a.get("dir")) for a in links if a.get("href") == "tel:0001234567"]
    assert found == [("000 1234567", "ltr")]

    write_facts(tmp_path / "run", outage(box__poison_phone=None))

    text = text_of(language, "steps")
    assert text["no_poison"].format(emergency="112") in street.ask(f"/{language}/steps/aid").text


def test_a_poison_helpline_of_a_hostile_now_json_stays_text(street: Portal, tmp_path: Path) -> None:
    write_facts(tmp_path / "run", outage(box__poison_phone="<b>1</b>"))

    assert "<b>1</b>" not in street.ask("/de/steps/aid").text


def test_numbers_are_the_countrys(street: Portal, tmp_path: Path) -> None:
    assert "116117" in street.ask("/de/steps/medical").text
    # A country that is not in the table: 112 by European law, and nothing that is German.
    write_facts(tmp_path / "run", outage(box__country="XX"))

    elsewhere = street.ask("/de/steps/medical").text

    assert "116117" not in elsewhere and "112" in elsewhere
    assert all(numbers["emergency"].isdecimal() for numbers in PHONES.values())
    assert phones_of("XX")["emergency"] == "112"


def test_no_number_stands_in_the_words_themselves() -> None:
    for language in LANGUAGES:
        flat = str(text_of(language, "steps"))
        assert not re.search(r"\b(112|110|116117|19240)\b", flat), language


def test_quantities_are_the_same_in_every_language() -> None:
    """Hours, litres, centimetres, metres: a wrong one costs lives."""

    def numbers(entry: Any) -> list[Any]:
        if isinstance(entry, dict):
            return [numbers(each) for each in entry.values()]
        if isinstance(entry, tuple):
            return [numbers(each) for each in entry]
        return sorted(re.findall(r"\d+(?:[.,]\d+)?", entry.replace(",", ".")))

    german = text_of("de", "steps")["topics"]
    for language in LANGUAGES:
        found = text_of(language, "steps")["topics"]
        for topic in TOPICS:
            for part, ours in zip(german[topic]["parts"], found[topic]["parts"], strict=True):
                for one, other in zip(part["items"], ours["items"], strict=True):
                    missing = set(numbers(one)) - set(numbers(other))
                    # "one day", "two days" are words in some languages; Arabic has a dual.
                    assert missing <= {"1", "2", "10"}, (language, topic, other)


# --- the light table -----------------------------------------------------------------------------


def test_causes_lead_to_topics_that_exist() -> None:
    assert set(TOPIC_OF_CAUSE.values()) <= TOPICS.keys()
    assert set(PREPARED) <= TOPICS.keys()
    assert {each for related in TOPICS.values() for each in related} <= TOPICS.keys()
    assert {"grid_lost", "uplink_lost"} <= TOPIC_OF_CAUSE.keys()
    assert {"grid_lost", "uplink_lost"} <= {*CausesSettings.__dataclass_fields__}
    assert topics_of(["grid_lost", "no such", "flood", "power"]) == ["power", "flood"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_topic_has_words(language: str) -> None:
    topics = text_of(language, "steps")["topics"]

    assert topics.keys() == TOPICS.keys()
    for topic in topics.values():
        assert topic["title"] and topic["parts"]
        assert all(part["title"] and part["items"] for part in topic["parts"])
