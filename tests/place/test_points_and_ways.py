"""How far, which way, and how sure: the rules under the page "Where"."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiezbox.place.points import KINDS, NEEDS, is_point_id, need_of
from kiezbox.place.reports import Report, standing
from kiezbox.place.ways import (
    bearing,
    direction,
    metres_between,
    rounded_metres,
    walking_minutes,
)


def test_distances_are_those_of_the_aviation_formulary() -> None:
    # Ed Williams, "Aviation Formulary", worked example: LAX (33°57' N, 118°24' W) to JFK
    # (40°38' N, 73°47' W) is 0.623585 radians (2144 nautical miles), first course 66 degrees.
    lax, jfk = (33.95, -118.4), (40.633333, -73.783333)

    assert metres_between(*lax, *jfk) == pytest.approx(0.623585 * 6_371_008.8, rel=1e-4)
    assert bearing(*lax, *jfk) == pytest.approx(66, abs=0.5)


@given(st.floats(0, 359.999))
def test_a_direction_is_never_more_than_half_an_eighth_off(degrees: float) -> None:
    off = abs((45 * direction(degrees) - degrees + 180) % 360 - 180)

    assert off <= 22.5


@given(st.floats(0, 40_000))
def test_a_rounded_distance_is_near_the_true_one_and_never_nothing(metres: float) -> None:
    rounded = rounded_metres(metres)

    assert rounded >= 10
    assert abs(rounded - metres) <= max(10.0, 0.26 * metres)


@given(st.floats(0, 20_000), st.floats(0, 20_000))
def test_what_is_farther_never_takes_less_time(one: float, other: float) -> None:
    near, far = sorted((one, other))

    assert walking_minutes(near) <= walking_minutes(far)


def test_every_kind_of_point_answers_one_need() -> None:
    assert [kind for kind in KINDS if kind not in NEEDS[need_of(kind)]] == []
    assert len(set(KINDS)) == len(KINDS)


@given(st.text(max_size=70))
def test_an_id_can_stand_in_a_path_without_being_quoted(text: str) -> None:
    from urllib.parse import quote

    if is_point_id(text):
        assert quote(text, safe="") == text
        assert ".." not in f"/{text[0]}"


# --- reports -------------------------------------------------------------------------------------


def test_the_newest_of_the_neighbours_counts_and_the_operator_stands_above() -> None:
    reports = [
        Report("works", 100.0, "", b"a"),
        Report("open", 150.0, "operator"),
        Report("closed", 200.0, "", b"b"),
        Report("closed", 300.0, "", b"c"),
    ]

    operator, neighbours = standing(reports)

    assert operator is not None and neighbours is not None
    assert (operator.state, operator.by) == ("open", "operator")
    assert (neighbours.state, neighbours.voices, neighbours.written_at) == ("closed", 2, 300.0)


def test_whoever_says_it_ten_times_is_one_voice() -> None:
    reports = [Report("broken", float(n), "", b"me") for n in range(10)]

    assert standing(reports)[1].voices == 1  # type: ignore[union-attr]


def test_whoever_changes_their_mind_is_counted_once_with_the_newer_word() -> None:
    reports = [Report("broken", 1.0, "", b"a"), Report("broken", 2.0, "", b"b"),
               Report("works", 3.0, "", b"a")]  # fmt: skip

    found = standing(reports)[1]

    assert found is not None
    assert (found.state, found.voices) == ("works", 1)


def test_of_nothing_nothing_is_said() -> None:
    assert standing([]) == (None, None)
