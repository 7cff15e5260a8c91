"""What residents are told to do: the same figures in every language and room, and each with where
it is from.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from pathlib import Path

import pytest
from babel import Locale

from kiezbox.cli import _catalogues as catalogues
from kiezbox.i18n import LANGUAGES, entries_of
from kiezbox.i18n.figures import FIGURES
from kiezbox.place.phones import COUNTRIES

FACTS = (Path(__file__).parents[2] / "docs" / "facts.md").read_text(encoding="utf-8")

#: Where a language says a number without a digit: an article, an ordinal, a dual. Number → words.
_GERMAN = {
    "1": r"ein\w*|erst\w*|jede|in der Sekunde", "2": r"zwei\w*|beide\w*", "3": "drei", "4": "vier",
    "5": "fünf", "7": "sieben", "10": "zehn",
}  # fmt: skip
WRITTEN_OUT = {
    "de": _GERMAN,
    "de_simple": {"1": "jede"},
    "ar": {"1": "يوم|ساعة|دقيقة|واحد", "2": "ليومين|يومين|لترين|لتران", "10": "لعشرة"},
    "ro": {"1": "o"},
}

#: Of these German has no digit either. "Twice" in each language.
TWICE = {
    "de": "zweimal", "de_simple": "2 Mal", "en": "twice", "tr": "iki kez", "ar": "مرتين",
    "uk": "двічі|двох разів", "ru": "дважды|двух раз", "pl": "dwa razy", "vi": "hai lần",
    "fa": "دو بار", "ro": "două ori", "fr": "deux fois", "es": "dos veces", "it": "due volte",
}  # fmt: skip


def numbers(text: str) -> Counter[str]:
    """The numbers that a text says in digits, whatever digits its language has; a sheet of paper
    (A4) and what stands in braces are none.
    """
    text = re.sub(r"\{[^{}]*\}|\bA4\b", "", text)
    western = "".join(str(unicodedata.digit(c)) if c.isdecimal() else c for c in text)
    return Counter(
        each.replace(",", ".").replace("٫", ".")
        for each in re.findall(r"\d+(?:[.,٫]\d+)?", western)
    )


def unsaid(language: str, text: str, wanted: Counter[str]) -> set[str]:
    """Numbers of ``wanted`` that the text says neither in digits nor in words."""
    words = WRITTEN_OUT.get(language, {})
    return {
        each
        for each in wanted - numbers(text)
        if not (each in words and re.search(rf"\b({words[each]})\b", text, re.IGNORECASE))
        # "{count} saat" is for one hour and for ten.
        and not (each == "1" and "{count}" in text)
    }


def test_digits_of_other_scripts_are_numbers_too() -> None:
    assert numbers("١٢ و ۳٫۵ kg, {count} A4") == Counter(["12", "3.5"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_the_same_numbers(language: str) -> None:
    wrong = []
    for room in catalogues.rooms():
        german = entries_of("de", room)
        for key, text in entries_of(language, room).items():
            # Arabic has forms of "hours" that German has not; they all say {count}.
            ours = german.get(key, "{count}")
            missing = unsaid(language, text, numbers(ours))
            added = unsaid("de", ours, numbers(text))
            if missing or added:
                wrong.append((room, key, missing, added, text))

    assert wrong == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_twice_in_german_is_twice_in_every_language(language: str) -> None:
    for key in ("topics.heat.parts.0.items.4", "topics.aid.parts.0.items.1"):
        assert re.search(TWICE[language], entries_of(language, "steps")[key], re.IGNORECASE), key


@pytest.mark.parametrize(
    "figure, said",
    [
        ("boil_stand_min", {"codes.boil_water.1", "topics.eat.parts.2.items.2"}),
        (
            "flood_person_cm",
            {"first_dangers.flood.1.1", "advice.water", "topics.flood.parts.0.items.1"},
        ),
        ("flood_car_cm", {"topics.flood.parts.0.items.1"}),
        ("water_run_min", {"codes.water_safe.1"}),
        ("power_wait_min", {"topics.back.parts.1.items.0"}),
    ],
)
def test_a_figure_of_several_rooms_is_in_no_text_itself(figure: str, said: set[str]) -> None:
    for language in LANGUAGES:
        found = {
            key
            for room in catalogues.rooms()
            for key, text in entries_of(language, room).items()
            if f"{{{figure}}}" in text
        }
        assert found == said, language


# --- docs/facts.md -------------------------------------------------------------------------------


def rows(heading: str) -> list[list[str]]:
    """The cells of the table below a heading."""
    _, _, below = FACTS.partition(f"\n## {heading}\n")
    table = below.partition("\n## ")[0]
    lines = [line for line in table.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


def test_every_figure_has_its_source_in_the_documentation() -> None:
    told = {name: value for claim, *_ in rows("Figures") for name, value in named(claim)}

    assert told == FIGURES


def named(claim: str) -> list[tuple[str, str]]:
    """``boil ... for 10 minutes (`boil_stand_min` = 10)`` → its name and value."""
    return re.findall(r"`(\w+)` = (\w+)", claim)


def test_every_claim_says_where_it_is_shown_when_it_was_looked_up_and_how_it_came_out() -> None:
    found = rows("Figures") + rows("Other numbers")

    assert len(found) > 20
    for claim, shown, source, looked_up, result in found:
        assert claim and shown and source, claim
        assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", looked_up), claim
        assert result.split(":")[0] in ("confirmed", "differing", "not found"), claim


def test_the_documentation_has_every_countrys_numbers_with_a_source() -> None:
    told = {country: cells for country, *cells in rows("Numbers to call")}

    assert told.keys() == COUNTRIES.keys() - {""}
    for country, (*cells, source) in told.items():
        assert cells == [each or "–" for each in COUNTRIES[country].values()], country
        assert source, country


def test_the_countries_are_those_of_the_union_and_five_neighbours() -> None:
    # europa.eu, "EU countries": 27 since 2020.
    union = (
        "AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE"
    ).split()
    assert len(union) == 27 and all(each in Locale("en").territories for each in union)

    assert COUNTRIES.keys() - {""} == {*union, "CH", "NO", "GB", "UA", "TR"}
