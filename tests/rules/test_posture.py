"""Which posture a mode has, and when the slices of mode saving turn."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiezbox.mode import ACCESS_POINT, Mode
from kiezbox.posture import (
    IS_OPEN,
    IS_POWERED,
    POSTURES,
    Posture,
    posture,
    saving,
    slice_at,
    usual,
)

HOUR = 3600.0

#: As a street would put it: a mode, whether the WLAN is to be on, whether an uplink is given.
EXPECTED = [
    ("normal", True, True, "closed"),
    ("emergency", True, False, "emergency"),
    ("emergency", True, True, "shared"),
    ("saving", True, False, "emergency"),
    ("saving", True, True, "shared"),
    ("saving", False, True, "closed"),
    ("dark", True, True, "dark"),
    ("dark", False, False, "dark"),
    # What people see in a drill must be what a real night would show.
    ("exercise", True, True, "emergency"),
    ("maintenance", True, True, "closed"),
]


@pytest.mark.parametrize(("mode", "is_open", "is_shared", "expected"), EXPECTED)
def test_each_mode_has_its_posture(
    mode: str, is_open: bool, is_shared: bool, expected: str
) -> None:
    assert posture(Mode(mode), is_open=is_open, is_shared=is_shared) == expected


def test_every_mode_has_postures_and_only_open_ones_where_the_wlan_may_be_on() -> None:
    assert set(POSTURES) == set(Mode)
    for mode, (closed, *opened) in POSTURES.items():
        assert not IS_OPEN[closed]
        assert all(IS_OPEN[each] is ACCESS_POINT[mode][True] for each in opened)


def test_the_usual_posture_is_open_exactly_in_modes_that_open_with_a_cause() -> None:
    assert {mode for mode in Mode if IS_OPEN[usual(mode)]} == {
        Mode.EMERGENCY,
        Mode.SAVING,
        Mode.EXERCISE,
    }


def test_the_table_of_the_page_is_the_table_of_the_code() -> None:
    page = (Path(__file__).parents[2] / "docs" / "power.md").read_text(encoding="utf-8")

    for mode, postures in POSTURES.items():
        row = f"| {mode} | " + " | ".join(postures) + " |"
        assert row in page, row


def test_an_external_access_point_has_power_while_it_is_on_the_air_and_a_radio_until_the_dark() -> (
    None
):
    powered = {
        kind: {str(each) for each in Posture if IS_POWERED[kind][each]} for kind in IS_POWERED
    }

    assert powered == {
        "external": {"emergency", "shared"},
        "radio": {"closed", "emergency", "shared"},
        "none": {"closed", "emergency", "shared"},
    }


# --- slices -----------------------------------------------------------------------------------

#: 15 minutes of every hour, as the settings have it.
USUAL = {"open_s": 900.0, "every_s": HOUR, "pause_s": 300.0}

#: Sunday 22 November 2026, 18:00 UTC: a full hour.
SIX = 1_795_370_400.0
LONG_AGO = 5 * HOUR


@pytest.mark.parametrize(
    ("minute", "begun_min", "is_open", "turns_min"),
    [
        (0, 600, True, 15),  # the regular slice, from the full hour on
        (14, 600, True, 1),
        (15, 600, False, 45),
        (59, 600, False, 1),
        (20, 0, True, 15),  # saving begins between two slices: a whole one first
        (34, 14, True, 1),
        (35, 15, False, 25),
        (5, 0, True, 15),  # it begins within a slice: nobody has less than a whole one
        (42, 0, True, 33),  # its own would end at 57: not worth going for three minutes
        (58, 16, True, 17),
        (10, 28, True, 5),
        (40, 0, True, 15),  # five minutes off are a pause like any other
        (50, 0, True, 25),  # its own runs into the next and ends with it
    ],
)
def test_a_slice_turns_when_a_neighbour_would_expect_it(
    minute: float, begun_min: float, is_open: bool, turns_min: float
) -> None:
    found = saving(SIX + 60 * minute, 60 * begun_min, **USUAL)

    assert (found.is_open, found.changes_in_s) == (is_open, 60 * turns_min)


def test_slices_as_long_as_their_hour_never_turn() -> None:
    found = saving(SIX + 1234.0, 7.0, open_s=HOUR, every_s=HOUR, pause_s=300.0)

    assert (found.is_open, found.changes_in_s) == (True, None)


def test_planned_slices_do_not_wait_for_the_pause_between_changes_of_the_wlan() -> None:
    settings = {"open_s": 60.0, "every_s": 300.0, "pause_s": 300.0}

    assert saving(SIX + 59, LONG_AGO, **settings).is_open
    assert not saving(SIX + 61, LONG_AGO, **settings).is_open


@pytest.mark.parametrize("now", [float("nan"), float("inf"), float("-inf")])
def test_without_a_time_that_can_be_counted_with_the_wlan_is_on(now: float) -> None:
    assert slice_at(now, 900, HOUR).is_open
    assert saving(now, 0.0, **USUAL).is_open


@given(
    start=st.floats(0, 4e9),
    open_s=st.integers(60, 1800),
    every_s=st.integers(300, 7200),
    pause_s=st.integers(0, 900),
)
def test_what_a_slice_says_of_its_end_is_what_happens(
    start: float, open_s: int, every_s: int, pause_s: int
) -> None:
    """Followed through a few hours: open at least a whole slice first, turning only when said."""
    settings = {"open_s": min(open_s, every_s), "every_s": every_s, "pause_s": pause_s}
    first = saving(start, 0.0, **settings)
    assert first.is_open
    if first.changes_in_s is None:
        return
    assert first.changes_in_s >= settings["open_s"] - 0.01

    age_s, was_open = 0.0, True
    for _ in range(6):
        found = saving(start + age_s, age_s, **settings)
        assert found.is_open is was_open
        assert found.changes_in_s is not None
        just_before = saving(
            start + age_s + found.changes_in_s - 0.5, age_s + found.changes_in_s - 0.5, **settings
        )
        assert just_before.is_open is was_open
        # Half a millisecond later, because seconds since 1970 have no finer steps as floats.
        age_s += found.changes_in_s + 0.0005
        was_open = not was_open
