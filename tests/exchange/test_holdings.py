"""What a box says it holds."""

from __future__ import annotations

from hashlib import blake2b

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiezbox.exchange import Holdings, Ranges, fingerprint_of
from kiezbox.exchange import holdings as module
from kiezbox.records import Ref

STEPS = st.lists(
    st.tuples(st.sampled_from(["add", "lose"]), st.sampled_from("abc"), st.integers(1, 30)),
    max_size=60,
)


@given(STEPS)
def test_what_is_held_is_what_came_and_did_not_go_and_nothing_comes_twice(
    steps: list[tuple[str, str, int]],
) -> None:
    holdings, held, had = Holdings(), set(), set()
    for step, origin, sequence in steps:
        number = Ref(origin, sequence)
        if step == "add" and number not in had:
            held.add(number)
        had.add(number)
        if step == "lose":
            held.discard(number)
        getattr(holdings, step)(origin, sequence)

    assert {Ref(o, s) for o in "abc" for s in holdings.held(o)} == held
    assert {Ref(o, s) for o in "abc" for s in holdings.had(o)} == had
    assert holdings.fingerprint == fingerprint_of(held)
    assert set(holdings.origins()) == {number.origin for number in held}


def test_a_fingerprint_is_the_sum_of_hashes_that_the_page_describes() -> None:
    def hashed(said: bytes) -> int:
        return int.from_bytes(blake2b(said, digest_size=6, person=b"kb holdings").digest(), "big")

    told = [b"kb-a\0" + bytes(5) + b"\x01", b"kb-b\0" + bytes(4) + b"\x01\x00"]

    found = fingerprint_of([Ref("kb-a", 1), Ref("kb-b", 256)])

    assert found == (sum(map(hashed, told)) % (1 << 48)).to_bytes(6, "big")
    assert fingerprint_of([]) == bytes(6)


def test_the_origin_with_the_latest_news_comes_first() -> None:
    holdings = Holdings()
    for origin in ("kb-a", "kb-b", "kb-c", "kb-a"):
        holdings.add(origin, holdings.had(origin).newest + 1)

    assert list(holdings.origins()) == ["kb-a", "kb-c", "kb-b"]


@pytest.mark.parametrize("sequence", [0, -1, 1 << 40])
def test_a_number_that_no_record_can_have_is_refused(sequence: int) -> None:
    with pytest.raises(ValueError, match="no record"):
        Holdings().add("kb-a", sequence)


def test_memory_is_bounded_by_forgetting_the_silent_and_the_oldest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MOST_ORIGINS", 3)
    monkeypatch.setattr(module, "MOST_RANGES", 4)
    holdings = Holdings()
    for origin in ("kb-a", "kb-b", "kb-c", "kb-d"):
        holdings.add(origin, 1)
    for sequence in range(3, 15, 2):
        holdings.add("kb-d", sequence)

    assert not holdings.had("kb-a")
    assert holdings.had("kb-d") == Ranges([(7, 7), (9, 9), (11, 11), (13, 13)])
    held = [Ref(origin, s) for origin in holdings.origins() for s in holdings.held(origin)]
    assert holdings.fingerprint == fingerprint_of(held)
