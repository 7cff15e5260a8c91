"""``kiezbox clock``: by whom the clock is right, in words that claim no more than is known."""

from __future__ import annotations

import pytest

from kiezbox.cli.clock import sentences
from kiezbox.clock import TRUSTED_BY
from kiezbox.timekeeping import RANKS

#: 2026-11-30T20:54:36Z
NOW = 1_796_072_076.0


def said(held_by: str | None, **offer: object) -> str:
    offers = [offer] if offer else []
    found = {"now": NOW, "source": held_by, "age_s": 12.0, "offers": offers, "stopped": ["chip"]}
    return "\n".join(sentences(found))


@pytest.mark.parametrize("source", RANKS)
def test_only_a_source_that_makes_a_clock_trusted_makes_it_right(source: str) -> None:
    text = said(source)

    assert text.startswith("2026-11-30 20:54:36 UTC, ")
    assert ("right by" in text) is (source in TRUSTED_BY)
    assert ("not trusted" in text) is (source not in TRUSTED_BY)


def test_a_clock_that_nobody_vouches_for_is_called_that() -> None:
    assert "nobody says that it is right" in said(None)
    assert "chip: lost the time" in said(None)


@pytest.mark.parametrize("action", ["set", "vouch", "keep", "disagree", "behind", "impossible"])
def test_each_verdict_is_said_in_words(action: str) -> None:
    offer = {"name": "sky", "source": "gps", "ahead_s": -3.0, "age_s": 4.0, "verdict": action}

    line = said("ntp", **offer).splitlines()[1]

    begin = "  sky (gps): 3.0 s behind it, heard 4 s ago: "
    assert line.startswith(begin) and len(line.removeprefix(begin).split()) >= 3
