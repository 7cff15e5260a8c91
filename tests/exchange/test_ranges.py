"""Sets of numbers kept as ranges, against Python's own sets."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kiezbox.exchange import Ranges

PAIRS = st.lists(
    st.tuples(st.integers(1, 60), st.integers(-2, 9)).map(lambda each: (each[0], sum(each))),
    max_size=12,
)


def numbers_of(pairs: list[tuple[int, int]]) -> set[int]:
    return {number for first, last in pairs for number in range(first, last + 1)}


@given(PAIRS, PAIRS)
def test_ranges_are_what_a_set_of_the_same_numbers_is(
    left: list[tuple[int, int]], right: list[tuple[int, int]]
) -> None:
    a, b, one, other = Ranges(left), Ranges(right), numbers_of(left), numbers_of(right)

    assert list(a) == sorted(one)
    assert list(reversed(a)) == sorted(one, reverse=True)
    assert (len(a), bool(a)) == (len(one), bool(one))
    assert [number in a for number in range(80)] == [number in one for number in range(80)]
    assert set(a | b) == one | other
    assert set(a - b) == one - other
    assert set(a & b) == one & other
    assert (a.oldest, a.newest) == (min(one, default=0), max(one, default=0))
    assert set(a.holes()) == set(range(1, a.newest + 1)) - one
    assert list(a.first_numbers(5)) == sorted(one)[:5]
    assert (a == b) == (one == other)


@given(PAIRS)
def test_no_two_ranges_touch_whatever_the_order_they_came_in(pairs: list[tuple[int, int]]) -> None:
    found = list(Ranges(pairs).pairs())

    assert all(last + 1 < first for (_, last), (first, _) in zip(found, found[1:], strict=False))
    assert found == list(Ranges(reversed(pairs)).pairs())


@given(PAIRS, st.integers(1, 5))
def test_the_highest_and_lowest_ranges_are_what_they_are_called(
    pairs: list[tuple[int, int]], most: int
) -> None:
    found = Ranges(pairs)

    assert list(found.first_ranges(most).pairs()) == list(found.pairs())[:most]
    assert list(found.last_ranges(most).pairs()) == list(found.pairs())[-most:]


def test_a_copy_does_not_change_with_what_it_was_copied_from() -> None:
    found = Ranges([(1, 3)])
    copy = found.copy()

    found.add(4)

    assert (list(copy), list(found)) == ([1, 2, 3], [1, 2, 3, 4])
