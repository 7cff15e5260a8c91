"""Advice: what is said in which weather, and what is not said without having been measured."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiezbox.indices import AIR_CLASSES
from kiezbox.indices.advice import CODES, Advice, Climate, Room, advise

WINTER, JULY_NOON, JULY_NIGHT = Climate(2, 90), Climate(34, 40), Climate(19, 70)
THUNDER = Climate(26, 85)


def codes(outside: Climate | None, **room: object) -> list[str]:
    return [each.code for each in advise([Room("bedroom", **room)], outside)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("inside", "outside", "said"),
    [
        (Climate(20, 68), WINTER, ["damp_air_now"]),
        (Climate(20, 45), WINTER, ["fine"]),
        (Climate(21, 25), WINTER, ["dry"]),
        # A cool cellar in a thunderstorm: the open window brings the water in.
        (Climate(18, 70), THUNDER, ["damp_keep_shut"]),
        # As much water outside: only warmth helps.
        (Climate(16, 70), Climate(15, 75), ["damp_heat"]),
        (Climate(27, 45), JULY_NOON, ["hot_keep_shut"]),
        (Climate(27, 45), JULY_NIGHT, ["hot_air_now"]),
        (Climate(31, 45), JULY_NOON, ["hot_rest", "hot_keep_shut"]),
        # One window, one word: cool comes before dry.
        (Climate(28, 65), Climate(18, 60), ["hot_air_now"]),
        (Climate(27, 65), Climate(34, 15), ["hot_keep_shut"]),
    ],
)
def test_each_weather_has_its_advice(inside: Climate, outside: Climate, said: list[str]) -> None:
    assert codes(outside, climate=inside) == said


def test_stale_air_comes_first_and_its_window_dries_too() -> None:
    assert codes(WINTER, climate=Climate(20, 68), co2_ppm=2400.0) == ["co2_air_now"]
    assert codes(WINTER, climate=Climate(20, 50), co2_ppm=1200.0) == ["co2_air_soon"]
    assert codes(JULY_NOON, climate=Climate(27, 50), co2_ppm=1200.0) == ["co2_air_soon"]
    assert codes(None, co2_ppm=800.0) == ["fine"]


def test_a_cold_wall_is_damp_where_the_room_is_not() -> None:
    # DIN 4108-2: 80 % at 12.6 °C in a room of 20 °C and 50 %.
    assert codes(WINTER, climate=Climate(20, 52), wall_c=12.0) == ["damp_air_now"]
    assert codes(WINTER, climate=Climate(20, 52), wall_c=16.0) == ["fine"]


def test_a_wet_week_is_said_whatever_is_so_just_now() -> None:
    assert codes(WINTER, climate=Climate(20, 45), hours_damp=90.0) == ["mould_wall"]
    assert codes(WINTER, climate=Climate(20, 45), hours_damp=5.0) == ["fine"]


def test_a_wall_that_nobody_measures_is_estimated_and_called_so() -> None:
    dry_room = Climate(20, 55)

    assert codes(WINTER, climate=dry_room, estimated_percent=84) == [
        "damp_air_now", "wall_estimated",
    ]  # fmt: skip
    assert codes(WINTER, climate=dry_room, estimated_percent=80) == ["fine"]
    # A week says more than a moment, and once is enough.
    week = codes(WINTER, climate=dry_room, estimated_percent=84, estimated_hours_damp=30.0)
    assert week == ["mould_estimated", "damp_air_now"]
    assert codes(WINTER, climate=dry_room, estimated_hours_damp=5.0) == ["fine"]


def test_a_probe_on_the_wall_silences_every_estimate() -> None:
    room = {"climate": Climate(20, 55), "wall_c": 17.0, "hours_damp": 0.0}

    assert codes(WINTER, **room, estimated_percent=99, estimated_hours_damp=100.0) == ["fine"]


def test_nobody_is_told_to_open_a_window_into_the_smoke() -> None:
    # Class "schlecht" of the German Environment Agency: air only briefly.
    damp, hot, stale = (
        Room("a", Climate(20, 68)),
        Room("b", Climate(28, 45)),
        Room("c", co2_ppm=2400),
    )
    rooms, night = [damp, hot, stale], Climate(15, 60)

    said = {each.room: each.code for each in advise(rooms, night, AIR_CLASSES.index("moderate"))}
    smoke = [(each.code, each.room) for each in advise(rooms, night, AIR_CLASSES.index("poor"))]

    assert said == {"a": "damp_air_now", "b": "hot_air_now", "c": "co2_air_now"}
    # Used-up air has to go out all the same.
    assert smoke == [
        ("co2_air_now", "c"), ("dust_brief", "a"), ("dust_brief", "b"), ("dust_brief", "c"),
    ]  # fmt: skip
    assert codes(JULY_NOON, climate=Climate(27, 50)) == ["hot_keep_shut"]


def test_what_nobody_measures_is_not_guessed() -> None:
    assert advise([], WINTER) == []
    assert codes(WINTER) == []
    assert codes(None, climate=Climate(20, 70)) == ["fine"]
    assert codes(None, climate=Climate(28, 40)) == ["fine"]


def test_the_worst_of_all_rooms_is_said_first() -> None:
    rooms = [
        Room("kitchen", Climate(20, 70)), Room("school", Climate(21, 45), co2_ppm=2600.0),
        Room("cellar", Climate(12, 50), hours_damp=100.0),
    ]  # fmt: skip

    assert advise(rooms, WINTER) == [
        Advice("co2_air_now", "school", 2600.0), Advice("mould_wall", "cellar", 100.0),
        Advice("damp_air_now", "kitchen", 70),
    ]  # fmt: skip


@given(
    st.builds(Climate, st.floats(-30, 50), st.floats(0.2, 100)),
    st.none() | st.builds(Climate, st.floats(-30, 50), st.floats(0.2, 100)),
    st.none() | st.floats(300, 10_000),
    st.none() | st.floats(-10, 40),
    st.none() | st.floats(0, 168),
)
def test_no_weather_says_the_contrary_of_itself(
    inside: Climate, outside: Climate | None, co2: float | None, wall: float | None,
    hours: float | None,
) -> None:  # fmt: skip
    said = set(codes(outside, climate=inside, co2_ppm=co2, wall_c=wall, hours_damp=hours))

    assert said and said <= set(CODES)
    assert len({code for code in said if code.endswith(("_now", "_soon", "_shut"))}) <= 1
    assert said == {"fine"} or "fine" not in said
