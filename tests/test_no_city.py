"""Nothing in the package is of one city: no names, no numbers, no places of Berlin, where the pilot
is. What is local comes with a package (``kiezbox place``) or stands in kiezbox.toml.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest
from shared import shared_data

ROOT = Path(__file__).resolve().parent.parent / "kiezbox"

#: The city, its twelve districts' parts and what everybody knows of it.
NAMES = (
    "Berlin", "Kreuzberg", "Friedrichshain", "Prenzlauer", "Charlottenburg", "Wilmersdorf",
    "Spandau", "Steglitz", "Zehlendorf", "Tempelhof", "Schöneberg", "Neukölln", "Treptow",
    "Köpenick", "Marzahn", "Hellersdorf", "Lichtenberg", "Reinickendorf", "Pankow", "Moabit",
    "Weißensee", "Hohenschönhausen", "Alexanderplatz", "Kurfürstendamm", "Brandenburger Tor",
    "Landwehrkanal", "Charité", "BVG", "Stromnetz Berlin", "Wasserbetriebe",
)  # fmt: skip

#: Names of quarters that are words, or towns elsewhere: they prove nothing.
WORDS = {
    "Mitte",
    "Buch",
    "Wedding",
    "Westend",
    "Rosenthal",
    "Malchow",
    "Blankenburg",
    "Gropiusstadt",
}

PATTERNS = {
    "the official key of the city (ARS, AGS)": r"(?<!\d)11000(?:000(?:0000)?)?(?!\d)",
    "a telephone number of the city": (
        r"(?<![\d.])(?:\+49\s?(?:\(0\))?\s?30|0049\s?30|\(?030\)?)[\s/-]?\d{3}"
    ),
    "a postcode of the city, with its name": r"\b1[0-4]\d{3} [A-ZÄÖÜ]",
    "a district's abbreviation": r"\bkb-(?:mitte|xberg|nk|fhain)\b",
}

#: South, west, north, east.
BOX = (52.33, 13.08, 52.68, 13.77)

#: The IANA's name of the time in the whole of the country, and a top-level domain beside others.
ALLOWED = re.compile(r"Europe/Berlin|(?<=\|)berlin(?=\|cloud)")


@cache
def texts() -> list[tuple[str, str]]:
    """Every file of the package, catalogues for machines included."""
    return [
        (str(path.relative_to(ROOT)), ALLOWED.sub("", path.read_bytes().decode("utf-8", "replace")))
        for path in sorted(ROOT.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    ]


def found(pattern: str) -> list[str]:
    return [
        f"{name}: {text[max(0, hit.start() - 30) : hit.end() + 30]!r}"
        for name, text in texts()
        for hit in re.finditer(pattern, text)
    ]


def named(names: Iterable[str], end: str = "") -> list[str]:
    """Where these begin a word; looked for one by one, which is quicker than all in one pattern."""
    hits = []
    for name, text in texts():
        lowered = text.lower()
        for each in names:
            if each.lower() in lowered:
                pattern = rf"\b{re.escape(each)}{end}"
                hits += [f"{name}: {each}" for _ in re.finditer(pattern, text, re.IGNORECASE)]
    return hits


def test_no_name_of_the_city_stands_in_the_package() -> None:
    assert named(NAMES) == []


def test_no_quarter_of_the_city_stands_in_the_package() -> None:
    document = json.loads(shared_data("geo/berlin_ortsteile_rbs_2014.geojson").read_text("utf-8"))
    quarters = {
        str(value)
        for feature in document["features"]
        for value in feature["properties"].values()
        if isinstance(value, str) and re.fullmatch(r"[A-ZÄÖÜ][a-zäöüß]{4,}", value)
    } - WORDS
    assert len(quarters) > 50

    assert named(sorted(quarters), r"\b") == []


@pytest.mark.parametrize("what", PATTERNS)
def test_no_number_of_the_city_stands_in_the_package(what: str) -> None:
    assert found(PATTERNS[what]) == []


def test_no_place_in_the_city_stands_in_the_package() -> None:
    south, west, north, east = BOX
    number = re.compile(r"(?<![\d.])(\d{2}\.\d{2,})(?!\d)")
    hits = []
    for name, text in texts():
        lines = text.splitlines() if re.search(r"52\.[3-6]", text) else []
        for n, line in enumerate(lines):
            near = [float(each) for each in number.findall(" ".join(lines[n : n + 3]))]
            has_latitude = any(south <= each <= north for each in near)
            if has_latitude and any(west <= each <= east for each in near):
                hits.append(f"{name}:{n + 1}: {line.strip()[:80]}")

    assert hits == []


def test_this_test_would_find_them() -> None:
    for sentence in (
        "Notdienst: 030 31003",
        "tel:+49 30 115",
        "12043 Neukölln",
        "ARS 110000000000",
    ):
        assert any(re.search(pattern, sentence) for pattern in PATTERNS.values()), sentence
