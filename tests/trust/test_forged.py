"""Nothing that is forged, replayed, expired or out of scope is ever shown as official."""

from __future__ import annotations

from collections import Counter

import pytest
from forging import Forger, besieged, shown, ways
from issuing import NOW

from kiezbox.portal.bulletins import bulletins_of


def siege(count: int, seed: int) -> Counter[str]:
    """So many records, one in fifty of them genuine; how many there were of each way."""
    box, forger = besieged(), Forger(seed)
    trust, tried = box.trust(), Counter[str]()
    for number in range(count):
        is_genuine = number % 50 == 0
        way, made = ("genuine", forger.genuine()) if is_genuine else forger.forged()
        tried[way] += 1

        rows = shown(trust, made)
        seen = bulletins_of("kb-a", rows, now=box.clock.now(), is_clock_trusted=True)

        official = [each for each in seen if each.is_official]
        assert bool(official) is is_genuine, (way, made)
    return tried


def test_of_thousands_of_forged_bulletins_none_is_official_and_the_genuine_ones_are() -> None:
    tried = siege(4000, 1)

    assert tried.keys() == {"genuine", *ways()}


@pytest.mark.long
def test_of_a_million_forged_bulletins_none_is_official() -> None:
    tried = siege(1_000_000, 2)

    assert min(tried.values()) > 10_000


def test_a_box_whose_clock_is_not_set_calls_nothing_official() -> None:
    box, forger = besieged(), Forger(3)
    box.clock.trusted = False
    trust = box.trust()

    for _ in range(200):
        for made in (forger.genuine(), forger.forged()[1]):
            rows = shown(trust, made)
            seen = bulletins_of("kb-a", rows, now=NOW, is_clock_trusted=False)
            assert not [each for each in seen if each.standing == "official"]
