"""Texts on the air, in all languages of the portal."""

from __future__ import annotations

import json
from hashlib import sha256
from math import exp
from pathlib import Path
from xml.etree import ElementTree

import page
import page_words
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from neighbours import SAID as SAID_TO_NEIGHBOURS
from neighbours import count_of, graphemes

import kiezbox
from kiezbox.frames import MOST_BYTES as MOST_FRAME_BYTES
from kiezbox.frames import BadFrame
from kiezbox.frames.coder import Reader, Writer
from kiezbox.frames.text import LANGUAGES, MOST_BYTES, language_number, text
from kiezbox.frames.text_model import _SQUASHED, TextModel
from kiezbox.i18n import LANGUAGES as RESIDENTS

PAGE = page.PAGE.read_text(encoding="utf-8")
WARNINGS = page.ROOT.parent / "shared" / "data" / "warn"
PARTS = ("headline", "description", "instruction")

PRIMES = Path(kiezbox.__file__).parent / "frames" / "primes"

#: Written by nobody who made the primes: from the front pages of public notices, in short.
SAID = {
    "de": "Der Supermarkt an der Kreuzung verkauft Konserven, solange der Vorrat reicht.",
    "en": "The supermarket at the crossing sells tins as long as stocks last.",
    "tr": "Kavşaktaki market stok bitene kadar konserve satıyor.",
    "ar": "يبيع المتجر عند التقاطع المعلبات حتى نفاد الكمية.",
    "uk": "Супермаркет на перехресті продає консерви, поки є запаси.",
    "ru": "Супермаркет на перекрёстке продаёт консервы, пока есть запасы.",
    "pl": "Sklep na skrzyżowaniu sprzedaje konserwy do wyczerpania zapasów.",
    "vi": "Siêu thị ở ngã tư bán đồ hộp cho đến khi hết hàng.",
    "fa": "فروشگاه سر چهارراه تا پایان موجودی کنسرو می‌فروشد.",
    "ro": "Magazinul de la intersecție vinde conserve în limita stocului.",
    "fr": "Le supermarché du carrefour vend des conserves dans la limite des stocks.",
    "es": "El supermercado del cruce vende conservas hasta agotar existencias.",
    "it": "Il supermercato all'incrocio vende scatolame fino a esaurimento scorte.",
}


def written(said: str, language: int) -> bytes:
    coder = Writer()
    text(coder, said, language)
    return coder.getvalue()


def read(data: bytes, language: int) -> str:
    coder = Reader(data)
    found = text(coder, "", language)
    coder.end()
    return found


# The tests of a language stand together: each model takes half a second to make.
in_every_language = pytest.mark.parametrize("language", LANGUAGES, scope="module")


@in_every_language
def test_in_every_language_a_sentence_takes_far_fewer_bytes_and_comes_back(language: str) -> None:
    number, said = language_number(language), SAID[language]

    data = written(said, number)

    assert read(data, number) == said
    assert len(data) <= 0.66 * len(said)


@in_every_language
def test_two_hundred_and_eighty_graphemes_weigh_what_the_page_says(language: str) -> None:
    said = graphemes(SAID_TO_NEIGHBOURS[language], 280)

    size = page_words.post_bytes(said, language)

    assert size <= 1.5 * MOST_FRAME_BYTES
    row = f"| {language} | {len(said.encode())} | {size} | {size / 200:.2f} |"
    assert row in PAGE, "write it anew: .venv/bin/python tests/frames/page.py"


@in_every_language
def test_official_warnings_weigh_what_the_page_says(language: str) -> None:
    if not WARNINGS.is_dir():
        pytest.skip("../shared/data/warn is not here")
    for said in official(language):
        size = page_words.post_bytes(said, language)
        assert size <= 1.5 * MOST_FRAME_BYTES
        assert f"| {language} | {count_of(said)} | {size} | {size / 200:.2f} |" in PAGE


def official(language: str) -> list[str]:
    """Headline, description and instruction of the DWD's warnings, 280 graphemes at most."""
    cap = "{urn:oasis:names:tc:emergency:cap:1.2}"
    found = []
    for path in sorted((WARNINGS / "dwd").glob("*.xml")):
        for info in ElementTree.parse(path).getroot().iter(cap + "info"):
            if (info.findtext(cap + "language") or "")[:2] == language:
                found.append([info.findtext(cap + name) or "" for name in PARTS])
    if language == "de":
        path = WARNINGS / "nina_mowas_warning_shortened.json"
        info = json.loads(path.read_text(encoding="utf-8"))["info"][0]
        found.append([info[name].replace("<br/>", " ") for name in PARTS])
    return [
        graphemes(" ".join(f"{headline}. {more} {instruction}".split()), 280)
        for headline, more, instruction in found
    ]


def test_every_language_of_the_portal_has_its_number_for_ever() -> None:
    # Numbers go on the air: one may be added behind these, none changed.
    assert LANGUAGES[:13] == (
        "de", "en", "tr", "ar", "uk", "ru", "pl", "vi", "fa", "ro", "fr", "es", "it",
    )  # fmt: skip
    assert {language.partition("_")[0] for language in RESIDENTS} <= set(LANGUAGES)
    assert language_number("de_simple") == 0


def test_what_texts_are_learnt_from_stays_as_it_is() -> None:
    # A changed letter would make boxes of two releases misread each other.
    said = b"".join((PRIMES / f"{each}.txt").read_bytes() for each in LANGUAGES)

    assert sha256(said).hexdigest() == PRIMES_SHA256


PRIMES_SHA256 = "b1a74ce6107b22c86dd00b20e413d44ea5cc6796fc268ee313eec3209dbe16df"


@settings(max_examples=40)
@given(st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=60))
def test_any_text_comes_back_as_it_was(said: str) -> None:
    assert read(written(said, 0), 0) == said


def test_a_message_is_read_alone_whichever_came_before() -> None:
    first, second = written("Eins", 0), written("Die Pumpe geht wieder", 0)

    assert read(second, 0) == "Die Pumpe geht wieder"
    assert read(first, 0) == "Eins"


@settings(max_examples=40)
@given(st.binary(max_size=40))
def test_whatever_bytes_come_there_is_a_text_or_a_refusal(data: bytes) -> None:
    try:
        found = read(data, 1)
    except BadFrame:
        return
    assert len(found.encode()) <= MOST_BYTES


@pytest.mark.parametrize("said", ["a\0b", "x" * (MOST_BYTES + 1)])
def test_what_cannot_be_said_is_refused_where_it_is_written(said: str) -> None:
    with pytest.raises(ValueError, match="text"):
        written(said, 0)


def test_the_table_of_chances_is_the_logistic_function() -> None:
    assert len(_SQUASHED) == 4095
    for logit in range(-2047, 2048):
        # Between knots half a unit apart a line is never further off than f''/8 * 0.25 = 0.3 %.
        assert _SQUASHED[logit + 2047] == pytest.approx(4096 / (1 + exp(-logit / 256)), abs=14)


def test_a_model_that_learnt_a_sentence_expects_it() -> None:
    model = TextModel(b"Wasser am Platz\0" * 3)
    coder = Writer()
    model.begin()
    for byte in b"Wasser am Platz\0":
        for place in range(7, -1, -1):
            coder.bit(model, byte >> place & 1)

    assert len(coder.getvalue()) <= 4
