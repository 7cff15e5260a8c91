"""Points that operators add in the field: which word counts, and what is none."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiezbox.place.added import Added, fields_of, latest, new_id, point_of
from kiezbox.place.points import Point

HALL = Point(
    "kb-a.1", "warm_room", "Schule, Aula", 51.163, 10.448, "Musterweg 3", "Mo-Fr 08:00-16:00",
    "000 1", {"wheelchair": "yes", "note": "Eingang hinten"}, "operator",
)  # fmt: skip


def test_a_point_comes_out_of_its_record_as_it_went_in() -> None:
    assert point_of(fields_of(HALL)) == HALL


@given(st.floats(-90, 90), st.floats(-180, 180))
def test_no_place_on_earth_moves_by_more_than_a_metre(latitude: float, longitude: float) -> None:
    found = point_of(fields_of(HALL._replace(latitude=latitude, longitude=longitude)))

    assert found is not None
    assert abs(found.latitude - latitude) < 1e-5 and abs(found.longitude - longitude) < 1e-5


@pytest.mark.parametrize("fields", [
    {"point": "../x"}, {"point": ""}, {"type": "castle"}, {"type": ""}, {"latitude": None},
    {"longitude": None},
])  # fmt: skip
def test_what_is_no_point_is_none(fields: dict[str, object]) -> None:
    said = {**fields_of(HALL), **fields}

    assert point_of({name: value for name, value in said.items() if value is not None}) is None


@pytest.mark.parametrize("details", ["[", "[1]", '{"wheelchair": 1}', '{"wheelchair": "maybe"}',
                                     '{"castle": "yes"}', "[" * 9999])  # fmt: skip
def test_details_that_nobody_has_words_for_are_passed_over(details: str) -> None:
    found = point_of({**fields_of(HALL), "details": details})

    assert found is not None and found.details == {}


def test_the_latest_word_counts_in_whatever_order_they_come() -> None:
    first = Added("a", HALL, "Kiezteam", 100.0, ("kb-a", 1))
    gone = Added("a", None, "Kiezteam", 200.0, ("kb-a", 2))
    # The same second on two boxes: the same one on each of them.
    again = Added("a", HALL._replace(name="B"), "Kiezteam", 200.0, ("kb-b", 1))

    for order in permutations((first, gone, again)):
        assert latest(order) == {"a": again}


def test_an_id_is_given_once() -> None:
    taken: list[str] = []
    for _ in range(12):
        taken.append(new_id("kb-a", taken))

    assert taken == [f"kb-a.{n}" for n in range(1, 13)]
    assert new_id("kb-b", taken) == "kb-b.1"
