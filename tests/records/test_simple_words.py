"""The short way through ``clean`` gives what the long one gives."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiezbox.records import wording

SIMPLE = [sign for sign in map(chr, range(sys.maxunicode + 1)) if wording._SIMPLE.fullmatch(sign)]


def test_every_simple_sign_is_whole_visible_and_a_neighbours_own() -> None:
    odd = [
        sign
        for sign in SIMPLE
        if unicodedata.normalize("NFC", sign) != sign
        or unicodedata.combining(sign)
        or unicodedata.category(sign)[0] in "CM"
        or ord(sign) in wording._NOTHING
        or ord(sign) in wording._OURS
    ]

    assert odd == []
    assert len(SIMPLE) > 500


@given(text=st.text(st.sampled_from(SIMPLE), max_size=60), most=st.integers(1, 80))
def test_the_short_way_gives_what_the_long_one_gives(text: str, most: int) -> None:
    quick = wording.clean(text, most)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(wording, "_SIMPLE", wording.re.compile("never(?!)"))
        assert wording.clean(text, most) == quick
