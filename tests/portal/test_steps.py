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

from kiezbox.cli import _catalogues as catalogues
from kiezbox.i18n import LANGUAGES, RIGHT_TO_LEFT, entries_of, lang_of, text_of
from kiezbox.place.phones import COUNTRIES, phones_of
from kiezbox.portal.countries import text_in
from kiezbox.portal.sight import Sight
from kiezbox.portal.staying import info_page
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


def facts_of(tmp_path: Path) -> Any:
    return Sight(str(tmp_path / "run"), str(tmp_path / "kiezbox.db"), _Clock()).facts_lately()


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
        lead = text_in("DE", language, "now")["first_always"][0][0]
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


@pytest.mark.parametrize(
    "country, region, emergency, police, poison",
    [
        # The sources stand in docs/facts.md.
        ("DE", "DE-BY", "112", "110", "089 19240"),
        ("DE", "DE-TH", "112", "110", "0361 730730"),
        ("DE", "", "112", "110", ""),
        ("AT", "AT-9", "112", "133", "01 406 43 43"),
        ("CH", "", "112", "117", "145"),
        ("PL", "DE-BY", "112", "997", ""),
        ("NO", "", "112", "112", "22 59 13 00"),
        ("GB", "", "999", "999", ""),
        ("UA", "", "112", "102", ""),
        ("TR", "", "112", "112", "114"),
        ("XX", "", "112", "112", ""),
        (None, None, "112", "112", ""),
    ],
)
def test_each_country_has_its_numbers_and_112_stands_in_for_what_nobody_told(
    country: str | None, region: str | None, emergency: str, police: str, poison: str
) -> None:
    found = phones_of(country, region)

    assert (found["emergency"], found["police"], found["poison"]) == (emergency, police, poison)


def test_every_land_of_germany_has_a_poison_helpline() -> None:
    # ISO 3166-2:DE.
    lands = "BB BE BW BY HB HE HH MV NI NW RP SH SL SN ST TH".split()

    assert all(phones_of("DE", f"DE-{land}")["poison"] for land in lands)


@pytest.mark.parametrize("language", LANGUAGES)
def test_where_fire_brigade_and_ambulance_have_numbers_of_their_own_these_are_said(
    street: Portal, tmp_path: Path, language: str
) -> None:
    def called(country: str) -> list[str]:
        write_facts(tmp_path / "run", outage(box__country=country, box__poison_phone=None))
        main = tree(street.ask(f"/{language}/steps/call").text).find(".//main")
        return [a.get("href") for a in main.iter("a") if a.get("href").startswith("tel:")]

    # viken-nettskole.no: fire brigade 110, police 112, ambulance 113.
    assert called("NO")[:3] == ["tel:110", "tel:113", "tel:112"]
    assert called("UA") == ["tel:101", "tel:103", "tel:102"]
    assert "tel:112" not in called("DE")


def test_hours_of_a_helpline_are_shown_and_not_dialled(street: Portal, tmp_path: Path) -> None:
    write_facts(tmp_path / "run", outage(box__country="IE", box__poison_phone=None))

    links = tree(street.ask("/en/steps/aid").text).iter("a")

    # poisons.ie: between 8 am and 10 pm.
    found = [a.text for a in links if a.get("href") == "tel:018092166"]
    assert found == ["01 809 2166 (08:00–22:00)"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_number_to_call_stands_in_the_words_themselves(language: str) -> None:
    numbers = {each for found in COUNTRIES.values() for each in found.values() if each}
    # 15, 17 and 18 are also minutes and metres.
    long = sorted(re.escape(each) for each in numbers if len(each) > 2)
    written = re.compile(rf"(?<![\d.,:])({'|'.join(long)}|19240)(?![\d.,:]\d|\d)")
    for room in catalogues.rooms():
        for key, text in entries_of(language, room).items():
            if key == "problem.people":  # "a number from 1 to 999"
                continue
            found = written.search(re.sub(r"\{[^{}]*\}", "", text))
            assert not found, (language, room, key, text)


def test_another_countrys_pages_name_that_countrys_numbers(street: Portal, tmp_path: Path) -> None:
    write_facts(tmp_path / "run", outage(box__country="AT", box__poison_phone=None))

    info = html5lib.parse(info_page(facts_of(tmp_path), "de"), namespaceHTMLElements=False)

    assert [a.get("href") for a in info.iter("a") if a.get("href", "").startswith("tel:")] == [
        "tel:112",
        "tel:133",
    ]
    # Poison: a number of the whole country.
    assert "tel:014064343" in street.ask("/de/steps/aid").text


def test_where_one_number_is_for_all_it_is_said_once(tmp_path: Path) -> None:
    write_facts(tmp_path / "run", outage(box__country="XX"))

    info = info_page(facts_of(tmp_path), "de").decode()

    assert info.count("tel:112") == 1 and "Rettungsdienst, Polizei" in info


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
