"""Evenings of a grid: what the sources say, and what the box makes of it."""

from __future__ import annotations

from stories.machines import GridStory

from kiezbox import power


def test_a_box_that_wakes_with_the_grid_there_says_so_at_once() -> None:
    box = GridStory()

    box.say("present")

    assert box.arrows == [("unknown", "seen", "present")]


def test_a_box_that_wakes_in_a_blackout_bridges_first_and_then_knows() -> None:
    box = GridStory()

    box.say("lost")
    assert str(box) == "bridging"

    box.say("lost", seconds=8)
    assert str(box) == "lost"


def test_a_fridge_that_starts_makes_the_grid_flicker_and_nothing_more() -> None:
    box = GridStory().say("present", seconds=60)

    box.say("lost", seconds=0.8, every=0.2).say("present", seconds=60)

    assert box.arrows[1:] == [("present", "gone", "bridging"), ("bridging", "seen", "present")]


def test_a_fridge_that_starts_every_ten_seconds_never_adds_up_to_a_loss() -> None:
    box = GridStory().say("present")

    for _ in range(60):
        box.say("lost", seconds=7).say("present", seconds=3)

    assert "lost" not in {after for _, _, after in box.arrows}
    assert str(box) == "present"


def test_the_street_goes_dark_and_one_source_is_enough_after_eight_seconds() -> None:
    box = GridStory().say("present", seconds=60)

    box.say("lost", seconds=7.9)
    assert str(box) == "bridging"

    box.say("lost", seconds=0.2)
    assert box.arrows[-1] == ("bridging", "confirmed", "lost")


def test_two_sources_that_agree_are_believed_sooner_than_one() -> None:
    box = GridStory().say("present", "present", seconds=60)

    box.say("lost", "lost", seconds=1.0)

    assert str(box) == "lost"


def test_a_second_source_that_is_silent_does_not_hasten_the_first() -> None:
    box = GridStory().say("present", "silent", seconds=60)

    box.say("lost", "silent", seconds=7.9)

    assert str(box) == "bridging"


def test_the_grid_returns_and_the_box_waits_ten_minutes_before_it_believes() -> None:
    box = GridStory().say("lost", seconds=10)

    box.say("present", seconds=599)
    assert box.arrows[-1] == ("lost", "seen", "returning")

    box.say("present", seconds=1)
    assert box.arrows[-1] == ("returning", "held", "present")


def test_a_grid_that_returns_in_attempts_is_lost_again_without_a_bridge() -> None:
    box = GridStory().say("lost", seconds=10).say("present", seconds=300)

    box.say("lost")

    assert box.arrows[-1] == ("returning", "gone", "lost")


def test_after_a_failed_attempt_the_ten_minutes_begin_anew() -> None:
    box = GridStory().say("lost", seconds=10).say("present", seconds=599).say("lost", seconds=1)

    box.say("present", seconds=599)

    assert str(box) == "returning"


def test_a_wire_that_breaks_on_an_ordinary_day_makes_the_grid_unknown() -> None:
    box = GridStory().say("present", seconds=60)

    box.say("silent")

    assert box.arrows[-1] == ("present", "unsure", "unknown")


def test_a_wire_that_breaks_while_a_drop_is_bridged_does_not_confirm_it() -> None:
    box = GridStory().say("present", seconds=60).say("lost", seconds=5)

    box.say("silent", seconds=3600, every=5)

    assert str(box) == "unknown"
    assert box.arrows[-1] == ("bridging", "unsure", "unknown")


def test_a_wire_that_breaks_in_a_blackout_does_not_end_the_emergency_at_once() -> None:
    box = GridStory().say("lost", seconds=10)

    box.say("silent", seconds=599)

    assert str(box) == "lost"


def test_a_wire_that_breaks_in_a_blackout_for_good_makes_the_grid_unknown_in_the_end() -> None:
    box = GridStory().say("lost", seconds=10)

    box.say("silent", seconds=600)

    assert box.arrows[-1] == ("lost", "faded", "unknown")


def test_a_wire_that_breaks_while_the_grid_returns_makes_it_unknown_after_ten_minutes() -> None:
    box = GridStory().say("lost", seconds=10).say("present", seconds=300)

    box.say("silent", seconds=599)
    assert str(box) == "returning"

    box.say("silent", seconds=1)
    assert box.arrows[-1] == ("returning", "faded", "unknown")


def test_silence_in_between_restarts_the_ten_minutes_of_the_return() -> None:
    box = GridStory().say("lost", seconds=10).say("present", seconds=590)

    box.say("silent", seconds=2).say("present", seconds=599)
    assert str(box) == "returning"

    box.say("present", seconds=1)
    assert str(box) == "present"


def test_sources_that_contradict_each_other_for_a_moment_are_only_not_equally_fast() -> None:
    box = GridStory().say("present", "present", seconds=60)

    box.say("lost", "present", seconds=5)

    assert str(box) == "present"
    assert box.troubles == ()


def test_sources_that_go_on_contradicting_are_a_fault_and_no_emergency() -> None:
    box = GridStory().say("present", "present", seconds=60)

    box.say("lost", "present", seconds=3600)

    assert str(box) == "unknown"
    assert [(trouble.source, trouble.kind) for trouble in box.troubles] == [
        ("power.grid", "contradiction")
    ]
    assert "pin says lost, voltage says present" in box.troubles[0].message


def test_a_contradiction_that_ends_is_no_fault_any_more() -> None:
    box = GridStory().say("lost", "present", seconds=60)

    box.say("present", "present")

    assert box.troubles == ()
    assert str(box) == "present"


def test_one_dissenter_against_two_keeps_the_box_closed() -> None:
    box = GridStory().say("present", "present", "present", seconds=60)

    box.say("lost", "lost", "present", seconds=3600)

    assert str(box) == "unknown"
    assert box.troubles[0].kind == "contradiction"


def test_a_dissenter_that_falls_silent_lets_the_others_confirm() -> None:
    box = GridStory().say("present", "present", seconds=60).say("lost", "present", seconds=9)

    box.say("lost", "silent", seconds=8)

    assert str(box) == "lost"


def test_a_contradiction_interrupts_the_bridge_and_it_begins_anew() -> None:
    box = GridStory().say("present", "silent", seconds=60).say("lost", "silent", seconds=7)

    box.say("lost", "present", seconds=1).say("lost", "silent", seconds=7.9)

    assert str(box) == "bridging"


def test_a_box_without_any_source_never_knows() -> None:
    box = GridStory()

    box.say(seconds=3600, every=5)

    assert box.arrows == []
    assert str(box) == "unknown"


def test_a_node_that_hung_does_not_take_the_gap_for_a_bridge() -> None:
    box = GridStory().say("present", seconds=60).say("lost")

    box.wait(3600).say("lost", seconds=7.9)

    assert str(box) == "bridging"


def test_a_box_that_died_in_a_blackout_wakes_in_the_blackout() -> None:
    box = GridStory().say("lost", seconds=60)

    box.restart(off_s=1800).say("lost")

    assert str(box) == "lost"
    assert box.arrows[-1][2] == "lost"
    assert box.now - box.state.since == 1800 + 52


def test_a_box_that_died_in_a_blackout_and_wakes_to_a_grid_still_waits_ten_minutes() -> None:
    box = GridStory().say("lost", seconds=60)

    box.restart().say("present", seconds=599)
    assert str(box) == "returning"

    box.say("present", seconds=1)
    assert str(box) == "present"


def test_a_box_that_died_in_a_blackout_and_wakes_with_a_broken_wire_waits_ten_minutes_too() -> None:
    box = GridStory().say("lost", seconds=60)

    box.restart(off_s=7200).say("silent", seconds=599)

    assert str(box) == "lost"


def test_a_look_at_no_time_is_no_look() -> None:
    box = GridStory().say("present").say("lost", seconds=7)

    for now in (float("nan"), float("inf")):
        assert power.step(box.state, {"pin": "present"}, now, box.settings).state is box.state


def test_a_box_that_died_while_the_grid_returned_begins_the_ten_minutes_anew() -> None:
    box = GridStory().say("lost", seconds=10).say("present", seconds=599)

    box.restart(off_s=7200).say("present", seconds=599)

    assert str(box) == "returning"


def test_a_box_that_died_while_bridging_bridges_anew() -> None:
    box = GridStory().say("present").say("lost", seconds=7)

    box.restart().say("lost", seconds=7.9)

    assert str(box) == "bridging"


def test_a_kept_state_that_makes_no_sense_is_a_box_that_knows_nothing() -> None:
    for document in ({}, {"grid": "lost"}, {"grid": "melted", "age_s": 1}, {"age_s": None}):
        assert str(power.PowerState.from_dict(document, 5.0).grid) == "unknown"
