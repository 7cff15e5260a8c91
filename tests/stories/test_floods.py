"""A brook rises and falls: when a step is reached, when it is left, and what moves none of them."""

from __future__ import annotations

import math

from stories.machines import WaterStory


def test_water_that_stays_up_reaches_its_step_after_two_minutes_and_no_sooner() -> None:
    brook = WaterStory().stays(1.6, 2)

    assert str(brook) == ""
    assert str(brook.stays(1.6, 1)) == "alarm"
    # Since the first reading up there, not since it was believed.
    assert brook.level.since == brook.now - 120


def test_each_step_is_reached_by_itself_and_the_highest_one_is_told() -> None:
    brook = WaterStory().stays(0.9, 3)

    assert str(brook) == "attention"
    assert str(brook.stays(1.2, 3)) == "warning"
    assert str(brook.stays(1.5, 3)) == "alarm"
    assert str(brook.stays(1.2, 3)) == "warning"
    assert str(brook.stays(0.2, 3)) == ""


def test_one_wave_is_no_flood() -> None:
    assert str(WaterStory().stays(0.3, 10).at(1.9, 0.3, 1.9, 0.3, 1.9, 1.9)) == ""


def test_waves_about_the_step_reach_nothing() -> None:
    # Between the step and what is needed to leave it: it begins anew each time.
    brook = WaterStory().at(*[1.51, 1.48] * 30)

    assert str(brook) == "warning"


def test_once_reached_ripples_do_not_take_a_step_away() -> None:
    brook = WaterStory().stays(1.55, 3).at(*[1.52, 1.47] * 30)

    assert str(brook) == "alarm"


def test_a_trough_between_two_waves_does_not_end_a_flood() -> None:
    brook = WaterStory().stays(1.6, 3).at(1.2, 1.2, 1.6, 1.2, 1.2, 1.47, 1.2)

    assert str(brook) == "alarm"


def test_a_flood_ends_when_the_water_has_stayed_below_it() -> None:
    brook = WaterStory().stays(1.6, 3).stays(1.44, 2)

    assert str(brook) == "alarm"
    assert str(brook.stays(1.44, 1)) == "warning"


def test_what_nobody_measured_for_an_hour_is_no_emergency_any_more() -> None:
    brook = WaterStory().stays(1.6, 3).silence(59)

    assert str(brook) == "alarm"
    assert str(brook.silence(2)) == ""
    # And it comes as it came the first time: after two minutes.
    assert str(brook.stays(1.6, 2)) == ""
    assert str(brook.stays(1.6, 1)) == "alarm"


def test_a_falling_or_rising_step_is_forgotten_with_the_rest() -> None:
    assert str(WaterStory().stays(1.6, 3).at(1.0).silence(61)) == ""
    # Silent for an hour while it rose: one more reading is not the second of two.
    brook = WaterStory(gap_s=9000.0).at(1.6).silence(61)
    assert str(brook.at(1.6)) == ""
    assert str(brook.stays(1.6, 2)) == "alarm"


def test_nothing_is_bridged_over_a_time_in_which_nobody_looked() -> None:
    brook = WaterStory().at(1.6).silence(16).at(1.6)

    assert str(brook) == ""
    assert str(brook.stays(1.6, 2)) == "alarm"
    # Nor is the end of it.
    brook.at(0.2).silence(16).at(0.2)
    assert str(brook) == "alarm"


def test_who_asks_for_no_patience_gets_none() -> None:
    assert str(WaterStory(held_s=0.0).at(1.5)) == "alarm"
    assert str(WaterStory(held_s=0.0).at(1.5, 0.3)) == ""


def test_a_box_that_dies_in_a_flood_wakes_in_it() -> None:
    brook = WaterStory().stays(1.6, 10)

    assert str(brook.restart(30)) == "alarm"
    assert brook.level.since == brook.now - 540 - 30
    assert str(brook.stays(1.6, 5)) == "alarm"
    assert str(brook.restart(7 * 3600)) == "alarm"
    # Its sensor is given a quarter of an hour to say its first word; then nobody knows.
    assert str(brook.silence(14)) == "alarm"
    assert str(brook.silence(2)) == ""


def test_after_a_restart_what_had_to_hold_begins_anew() -> None:
    assert str(WaterStory().stays(1.6, 2).restart(0).at(1.6)) == ""
    assert str(WaterStory().stays(1.6, 3).stays(0.2, 2).restart(0).at(0.2)) == "alarm"


def test_a_kept_state_that_makes_no_sense_is_a_first_day() -> None:
    brook = WaterStory()
    wrong: list[dict[str, object]] = [
        {}, {"reached": 3, "heard_age_s": 1}, {"reached": {"alarm": "x"}, "heard_age_s": 1},
        {"reached": {"alarm": math.nan}, "heard_age_s": 1}, {"reached": {}, "heard_age_s": "x"},
    ]  # fmt: skip
    for document in wrong:
        assert brook.level.from_dict(document, 5.0, 0.0, brook.limits).step == ""


def test_a_value_that_is_none_moves_nothing() -> None:
    assert str(WaterStory().stays(1.6, 2).at(math.nan, math.inf)) == ""
