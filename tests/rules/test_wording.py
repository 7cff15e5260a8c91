"""What strangers write, made safe to show and looked at before it is taken."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiezbox.records.wording import (
    MOST_LINES,
    MOST_MARKS,
    Blocked,
    clean,
    find_link,
    find_number,
    has_something,
    seems_official,
    signs,
)
from kiezbox.sealing import check_of, is_proof_of, plain_word, proof_of, word_of

#: UAX #9's marks, UAX #44's Default_Ignorable_Code_Point, C0 and C1: none of them is to be seen.
INVISIBLE = (
    "\u202e\u202d\u2066\u2069\u200f\u200b\u2060\ufeff\u00ad\u034f\u3164\U000e0041\x00\x1b\x85"
)


def test_what_cannot_be_seen_is_taken_out() -> None:
    assert clean(f"Was{INVISIBLE}ser", 100) == clean("Was\x00\x1b\x85ser", 100) == "Was   ser"


def test_persian_and_families_keep_their_joiners() -> None:
    for text in ("می\u200cخواهم", "👨\u200d👩\u200d👧", "हिन्दी"):
        assert clean(text, 100) == unicodedata.normalize("NFC", text)


def test_a_tower_of_marks_is_cut_to_what_a_language_needs() -> None:
    cleaned = clean("Z" + "\u0335\u0321\u0327" * 100 + "algo", 1000)

    assert len(cleaned) == len("Z") + MOST_MARKS + len("algo")


def test_no_text_grows_into_a_column() -> None:
    cleaned = clean("a\n" * 1000, 5000)

    assert cleaned.count("\n") < MOST_LINES
    assert clean("a\n\n\n\n\nb", 100) == "a\n\nb"


def test_a_text_is_cut_between_characters() -> None:
    assert clean("ääää", 5) == "ää"


@given(st.text(max_size=300) | st.text("a \n\u0301\u0323\u200b\u1100\u1161.", max_size=80))
def test_a_clean_text_is_normal_and_stays_as_it_is_when_shown(text: str) -> None:
    cleaned = clean(text, 1400)

    assert len(cleaned.encode()) <= 1400
    assert not any(unicodedata.category(letter) == "Cc" and letter != "\n" for letter in cleaned)
    assert unicodedata.is_normalized("NFC", cleaned)
    assert clean(cleaned, 1400) == cleaned


@pytest.mark.parametrize("text", ["", " \n\t ", "\u200b\u2060", "\u3164\u2800", "...", "\u0301"])
def test_nothing_is_something_else_than_silence(text: str) -> None:
    assert not has_something(clean(text, 100))


@pytest.mark.parametrize("text", ["Ja", "7", "🕯", "水", "Νερό"])
def test_a_word_a_digit_or_a_picture_is_something(text: str) -> None:
    assert has_something(clean(text, 100))


@pytest.mark.parametrize(
    ("text", "count"),
    # Each from UAX #29's own examples and GraphemeBreakTest.txt: combining marks, Hangul by its
    # parts, flags, families, Devanagari conjuncts.
    [("g\u0308", 1), ("\u1100\u1161\u11a8", 1), ("🇩🇪🇹🇷", 2), ("👨\u200d👩\u200d👧", 1), ("क्षि", 1),
     ("abc", 3), ("\r\n", 1)],
)  # fmt: skip
def test_characters_are_counted_as_a_reader_counts_them(text: str, count: int) -> None:
    assert signs(text) == count


@given(
    st.text(
        st.characters(exclude_categories=["Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"]), max_size=80
    )
    | st.text("aä\n\u0301\u0323\u200c\u05b4\u064b水ж🕯\ufe0f", max_size=40)
)
def test_the_short_count_is_that_of_the_whole_tables(text: str) -> None:
    from wcwidth import iter_graphemes

    text = clean(text, 1400)

    assert signs(text) == sum(1 for _ in iter_graphemes(text))


@pytest.mark.parametrize(
    "text",
    ["http://x.example", "hTTps :// x", "www.böse.de", "ＷＷＷ．böse．de", "Auf haus.de/strom",
     "t.me/gruppe", "seite。com", "xn--80ak6aa92e.com", "ftp://1.2.3.4", "hxxps://x", "haus.de",
     # Dots that are none, dots that are hidden, letters that only look so, numbers.
     "haus․de", "haus[.]de", "haus (punkt) de", "haus dot com", "haus . de", "hаus.dе", "haus.dе",
     "192.168.1.1/a"],
)  # fmt: skip
def test_the_address_of_a_page_is_found(text: str) -> None:
    assert find_link(clean(text, 200))


@pytest.mark.parametrize(
    "text",
    ["Um 19.30 Uhr", "z.B. Decken", "Kerzen.Auch Brot", "1.5 kg", "Ecke A/B", "a@haus.de",
     "3.OG links", "Um 10.to", "kommt.in", "Am 3.1.2026", "50/50", "Um 8. Info im Hof",
     "Привет.То есть", "10.000.000 Liter", "Punkt 8 Uhr", "v1.2.3"],
)  # fmt: skip
def test_what_only_looks_a_little_like_one_is_none(text: str) -> None:
    assert not find_link(text)


@pytest.mark.parametrize(
    "text",
    [
        "0176 1234567",
        "+49 (30) 1234-5678",
        "Tel.:030/1234567",
        "１２ ０１７６１２３４５６７",
        "a@haus.de",
    ],
)
def test_a_number_that_rings_somewhere_is_found(text: str) -> None:
    assert find_number(text)


@pytest.mark.parametrize("text", ["112", "116 117", "03.01.2026 19:00", "10115", "5 kg für 3"])
def test_a_number_that_is_nobodys_is_none(text: str) -> None:
    assert not find_number(text)


@pytest.mark.parametrize(
    "text", ["AMTLICH: alle weg", "Аmtliсh", "𝐀𝐦𝐭𝐥𝐢𝐜𝐡", "Official notice", "Im Auftrag der Polizei"]
)
def test_a_text_that_speaks_like_an_authority_is_known(text: str) -> None:
    assert seems_official(clean(text, 100))


def test_the_signs_of_what_was_checked_are_the_boxs_own() -> None:
    assert clean("✓ geprüft 🛡 ✅", 100) == "geprüft"


@pytest.mark.parametrize(
    "text", ["Du Depp", "D e p p", "D.e.p.p", "DÉPP", "Dерр", "deeepp", "d3pp", "Ｄｅｐｐ"]
)
def test_a_blocked_word_is_found_in_every_disguise(text: str) -> None:
    assert Blocked(["# why", "Depp"]).has(text)


def test_a_blocked_word_inside_another_is_blocked_only_if_the_list_says_so() -> None:
    assert not Blocked(["Depp"]).has("Deppendorf")
    assert Blocked(["Depp*"]).has("Deppendorf")
    assert Blocked(["*dorf"]).has("Deppendorf")
    assert not Blocked([]).has("Depp")


def test_the_word_that_takes_a_post_down_can_be_typed_in_any_way() -> None:
    word = word_of(bytes(range(16)))

    assert plain_word(f"  {word.upper().replace('-', ' ')} ") == word.replace("-", "")
    assert plain_word(word[:-1]) == ""


def test_only_the_word_and_the_text_together_make_the_proof() -> None:
    word = plain_word(word_of(bytes(range(16))))
    seal = check_of(proof_of(word, "Suche Kerzen"))

    assert is_proof_of(proof_of(word, "Suche Kerzen"), seal)
    assert not is_proof_of(proof_of(word, "Suche Brot"), seal)
    assert not is_proof_of(seal, seal)
    assert not is_proof_of(b"", b"")
