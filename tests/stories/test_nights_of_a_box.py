"""Nights of a box: which mode it is in, and whether its WLAN is on the air."""

from __future__ import annotations

from stories.machines import EVERY_CAUSE, HOUR, ModeStory

from kiezbox.settings import CauseSettings, CausesSettings


def emergency(**settings: object) -> ModeStory:
    """A box that opened because the street is dark, ten minutes ago."""
    return ModeStory(**settings).grid_is("lost").wait(600)


def test_an_ordinary_night_is_normal_and_closed() -> None:
    box = ModeStory().wait(8 * HOUR)

    assert (str(box), box.is_open, box.arrows) == ("normal", False, [])


def test_the_street_goes_dark_and_the_box_opens() -> None:
    box = ModeStory()

    box.grid_is("lost")

    assert box.arrows == [("normal", "cause", "emergency")]
    assert box.is_open
    assert box.causes == ["grid_lost"]


def test_a_grid_that_is_bridged_does_not_open_the_box() -> None:
    box = ModeStory().grid_is("bridging")

    assert str(box) == "normal"


def test_an_unknown_grid_never_opens_the_box() -> None:
    box = ModeStory().grid_is("unknown").wait(24 * HOUR)

    assert (str(box), box.is_open) == ("normal", False)


def test_the_grid_that_returns_keeps_the_box_open_until_it_is_believed() -> None:
    box = emergency().grid_is("returning").wait(300)
    assert str(box) == "emergency"

    box.grid_is("present")
    assert box.arrows[-1] == ("emergency", "all_clear", "normal")
    assert not box.is_open


def test_a_grid_that_comes_and_goes_changes_the_wlan_once_in_five_minutes() -> None:
    box = ModeStory().grid_is("lost").wait(60)

    box.grid_is("present")
    assert (str(box), str(box.last.wanted), box.last.wanted_in_s) == ("emergency", "normal", 240)

    box.wait(239)
    assert box.is_open
    box.wait(1)
    assert (str(box), box.last.wanted) == ("normal", None)


def test_a_change_that_waits_is_forgotten_when_its_reason_passes() -> None:
    box = ModeStory().grid_is("lost").wait(60).grid_is("present").wait(60)

    box.grid_is("lost").wait(600)

    assert box.last.wanted is None
    assert box.arrows == [("normal", "cause", "emergency")]


def test_a_weak_battery_on_an_ordinary_night_is_no_emergency() -> None:
    box = ModeStory()

    box.battery_is("low")

    assert box.arrows == [("normal", "battery_weak", "saving")]
    assert (box.is_open, box.causes) == (False, [])


def test_a_weak_battery_in_a_blackout_saves_but_keeps_the_wlan_and_the_cause() -> None:
    box = emergency()

    box.battery_is("low")

    assert box.arrows[-1] == ("emergency", "battery_weak", "saving")
    assert (box.is_open, box.causes) == (True, ["grid_lost"])


def test_an_empty_battery_in_a_blackout_goes_dark_but_keeps_the_cause() -> None:
    box = emergency()

    box.battery_is("critical")

    assert box.arrows[-1] == ("emergency", "battery_empty", "dark")
    assert (box.is_open, box.causes) == (False, ["grid_lost"])


def test_a_saving_box_whose_battery_empties_goes_dark() -> None:
    box = emergency().battery_is("low").battery_is("critical")

    assert box.arrows[-1] == ("saving", "battery_empty", "dark")


def test_an_empty_battery_on_an_ordinary_night_goes_dark_from_normal() -> None:
    box = ModeStory().battery_is("critical")

    assert box.arrows == [("normal", "battery_empty", "dark")]


def test_a_blackout_finds_a_box_that_saves_and_opens_it_without_another_mode() -> None:
    box = ModeStory().battery_is("low")

    box.grid_is("lost")

    assert box.arrows[-1] == ("saving", "needed", "saving")
    assert (box.is_open, box.causes) == (True, ["grid_lost"])


def test_a_box_that_opens_while_saving_has_been_saving_since_before() -> None:
    box = ModeStory().battery_is("low").wait(HOUR)

    box.grid_is("lost")

    assert box.now - box.state.since == HOUR


def test_a_blackout_that_ends_closes_a_saving_box() -> None:
    box = emergency().battery_is("low")

    box.grid_is("present")

    assert box.arrows[-1] == ("saving", "not_needed", "saving")
    assert not box.is_open


def test_a_saving_box_opens_and_closes_no_more_often_than_any_other() -> None:
    box = ModeStory().battery_is("low").grid_is("lost").wait(60)

    box.grid_is("present")

    assert box.is_open
    assert (str(box.last.wanted), box.last.wanted_in_s) == ("saving", 240)


def test_the_sun_on_a_weak_battery_makes_an_ordinary_night_normal_again() -> None:
    box = ModeStory().battery_is("low").battery_is("good")

    assert box.arrows[-1] == ("saving", "all_clear", "normal")


def test_the_sun_on_a_weak_battery_in_a_blackout_brings_the_full_service_back() -> None:
    box = emergency().battery_is("low").battery_is("good")

    assert box.arrows[-1] == ("saving", "cause", "emergency")


def test_a_dark_box_in_a_blackout_comes_back_saving_with_the_wlan_on() -> None:
    box = emergency().battery_is("critical").wait(HOUR)

    box.battery_is("low")

    assert box.arrows[-1] == ("dark", "battery_weak", "saving")
    assert box.is_open


def test_a_dark_box_whose_battery_is_swapped_in_a_blackout_opens() -> None:
    box = emergency().battery_is("critical").wait(HOUR)

    box.battery_is("good")

    assert box.arrows[-1] == ("dark", "cause", "emergency")


def test_a_dark_box_whose_battery_is_swapped_on_an_ordinary_day_is_normal() -> None:
    box = ModeStory().battery_is("critical").battery_is("good")

    assert box.arrows[-1] == ("dark", "all_clear", "normal")


def test_a_battery_nobody_measures_is_not_a_weak_one() -> None:
    box = ModeStory().battery_is("unknown")
    assert str(box) == "normal"

    box.grid_is("lost")
    assert str(box) == "emergency"


def test_an_operator_opens_a_box_that_senses_no_grid() -> None:
    box = ModeStory().grid_is("unknown")

    box.order("emergency")

    assert (str(box), box.causes) == ("emergency", ["operator"])


def test_an_order_ends_by_itself_and_the_box_closes() -> None:
    box = ModeStory().order("emergency", hours=2)

    box.wait(2 * HOUR - 1)
    assert str(box) == "emergency"

    box.wait(1)
    assert (str(box), box.state.order) == ("normal", None)


def test_an_order_that_expires_says_so_once() -> None:
    box = ModeStory().order("emergency", hours=2).wait(2 * HOUR)

    assert box.last.order_ended == "expired"
    assert box.wait(1).last.order_ended == ""


def test_an_order_for_ever_is_cut_to_the_longest_allowed() -> None:
    box = ModeStory(order_most_s=HOUR).order("emergency", hours=float("inf")).wait(HOUR)

    assert str(box) == "normal"


def test_an_order_without_a_sensible_end_is_over_at_once() -> None:
    for hours in (-1, 0, float("nan"), float("-inf")):
        box = ModeStory().order("maintenance", hours=hours)

        assert (str(box), box.last.order_ended) == ("normal", "expired")


def test_the_operator_can_keep_the_box_closed_in_a_blackout() -> None:
    box = emergency()

    box.order("normal")

    assert (str(box), box.is_open, box.causes) == ("normal", False, [])


def test_a_blackout_opens_the_box_once_the_order_to_stay_closed_is_over() -> None:
    box = emergency().order("normal", hours=1)

    box.wait(HOUR)

    assert (str(box), box.causes) == ("emergency", ["grid_lost"])


def test_the_operator_takes_an_order_back() -> None:
    box = ModeStory().order("emergency").wait(HOUR)

    box.order("auto")

    assert (str(box), box.last.order_ended) == ("normal", "auto")


def test_a_word_that_is_no_order_changes_nothing() -> None:
    box = ModeStory().order("explode")

    assert (str(box), box.state.order) == ("normal", None)


def test_a_drill_opens_the_box_and_is_marked_as_a_drill() -> None:
    box = ModeStory().order("exercise")

    assert box.arrows == [("normal", "exercise_ordered", "exercise")]
    assert (box.is_open, box.causes) == (True, [])


def test_a_drill_that_is_over_closes_the_box() -> None:
    box = ModeStory().order("exercise").wait(600).order("auto")

    assert box.arrows[-1] == ("exercise", "all_clear", "normal")


def test_a_real_blackout_ends_a_drill_at_once_although_the_wlan_has_just_changed() -> None:
    box = ModeStory().order("exercise").wait(1)

    box.grid_is("lost")

    assert box.arrows[-1] == ("exercise", "cause", "emergency")
    assert box.last.order_ended == "cause"


def test_a_drill_does_not_come_back_after_a_real_blackout() -> None:
    box = ModeStory().order("exercise").wait(1).grid_is("lost").wait(600)

    box.grid_is("present")

    assert str(box) == "normal"


def test_a_drill_is_refused_in_a_real_blackout() -> None:
    box = emergency().order("exercise")

    assert (str(box), box.last.order_ended) == ("emergency", "cause")


def test_an_operator_turns_an_emergency_of_their_own_into_a_drill() -> None:
    box = ModeStory().order("emergency").wait(1).order("exercise")

    assert box.arrows[-1] == ("emergency", "exercise_ordered", "exercise")


def test_a_drill_gives_way_to_a_weak_battery_and_does_not_come_back() -> None:
    box = ModeStory().order("exercise").wait(600)

    box.battery_is("low")
    assert box.arrows[-1] == ("exercise", "battery_weak", "saving")
    assert box.last.order_ended == "battery"

    box.battery_is("good")
    assert str(box) == "normal"


def test_a_drill_gives_way_to_an_empty_battery_and_does_not_come_back() -> None:
    box = ModeStory().order("exercise").wait(600)

    box.battery_is("critical")
    assert box.arrows[-1] == ("exercise", "battery_empty", "dark")

    box.battery_is("good").wait(600)
    assert str(box) == "normal"


def test_a_drill_can_begin_in_the_moment_a_weak_battery_has_recovered() -> None:
    box = ModeStory().battery_is("low")
    box.battery = box.battery.GOOD

    box.order("exercise")

    assert box.arrows[-1] == ("saving", "exercise_ordered", "exercise")


def test_a_drill_can_begin_in_the_moment_an_empty_battery_was_swapped() -> None:
    box = ModeStory().battery_is("critical")
    box.battery = box.battery.GOOD

    box.order("exercise")

    assert box.arrows[-1] == ("dark", "exercise_ordered", "exercise")


def test_maintenance_quiets_the_box() -> None:
    box = ModeStory().order("maintenance")

    assert box.arrows == [("normal", "maintenance_ordered", "maintenance")]
    assert not box.is_open


def test_maintenance_that_is_over_is_normal() -> None:
    box = ModeStory().order("maintenance", hours=1).wait(HOUR)

    assert box.arrows[-1] == ("maintenance", "all_clear", "normal")


def test_a_real_blackout_ends_maintenance_at_once() -> None:
    box = ModeStory().order("maintenance").wait(60)

    box.grid_is("lost")

    assert box.arrows[-1] == ("maintenance", "cause", "emergency")
    assert box.is_open


def test_maintenance_follows_on_a_drill() -> None:
    box = ModeStory().order("exercise").wait(600).order("maintenance")

    assert box.arrows[-1] == ("exercise", "maintenance_ordered", "maintenance")


def test_a_drill_follows_on_maintenance() -> None:
    box = ModeStory().order("maintenance").wait(600).order("exercise")

    assert box.arrows[-1] == ("maintenance", "exercise_ordered", "exercise")


def test_maintenance_ends_an_emergency_that_only_the_operator_ordered() -> None:
    box = ModeStory().order("emergency").wait(600).order("maintenance")

    assert box.arrows[-1] == ("emergency", "maintenance_ordered", "maintenance")


def test_maintenance_goes_on_over_a_weak_battery_and_then_the_box_saves() -> None:
    box = ModeStory().battery_is("low")

    box.order("maintenance", hours=1)
    assert box.arrows[-1] == ("saving", "maintenance_ordered", "maintenance")

    box.wait(HOUR)
    assert box.arrows[-1] == ("maintenance", "battery_weak", "saving")


def test_an_empty_battery_beats_maintenance() -> None:
    box = ModeStory().order("maintenance").battery_is("critical")

    assert box.arrows[-1] == ("maintenance", "battery_empty", "dark")


def test_maintenance_ordered_in_the_dark_begins_when_the_battery_is_back() -> None:
    box = ModeStory().battery_is("critical").order("maintenance")
    assert str(box) == "dark"

    box.battery_is("good")
    assert box.arrows[-1] == ("dark", "maintenance_ordered", "maintenance")


def test_an_empty_battery_beats_the_order_to_open() -> None:
    box = ModeStory().battery_is("critical")

    box.order("emergency")

    assert (str(box), box.is_open, box.causes) == ("dark", False, ["operator"])


def test_a_weak_battery_saves_also_where_the_operator_opened() -> None:
    box = ModeStory().battery_is("low").order("emergency")

    assert (str(box), box.is_open, box.causes) == ("saving", True, ["operator"])


def test_a_second_cause_keeps_the_box_open_when_the_first_has_passed() -> None:
    box = emergency(causes=EVERY_CAUSE).signal(official_warning="flood in the street")

    box.grid_is("present")

    assert (str(box), box.causes) == ("emergency", ["official_warning"])


def test_a_second_cause_is_worth_keeping_although_the_mode_stays() -> None:
    box = emergency(causes=EVERY_CAUSE)
    assert not box.wait(1).last.must_keep

    box.signal(official_warning="flood in the street")

    assert box.last.must_keep
    assert box.last.fired == ()


def test_an_arrow_is_stored_with_its_causes_and_their_words() -> None:
    box = ModeStory(causes=EVERY_CAUSE).signal(sensor_threshold="water 2.1 m")

    assert box.last.fired[0].detail["causes"] == {"sensor_threshold": "water 2.1 m"}
    assert box.last.fired[0].detail["wlan"] is True


def test_a_warning_opens_only_a_box_that_was_told_to_heed_warnings() -> None:
    box = ModeStory().signal(official_warning="storm").wait(HOUR)

    assert str(box) == "normal"


def test_only_the_grid_and_the_operator_open_a_box_as_it_comes() -> None:
    causes = CausesSettings()

    heeded = {name for name in CausesSettings.__slots__ if getattr(causes, name).enabled}

    assert heeded == {"grid_lost", "operator"}


def uplink(debounce_s: float = 1800.0, expiry_s: float = 0.0) -> CausesSettings:
    return CausesSettings(
        uplink_lost=CauseSettings(enabled=True, debounce_s=debounce_s, expiry_s=expiry_s)
    )


def test_a_lost_uplink_opens_the_box_after_its_debounce_and_not_before() -> None:
    box = ModeStory(causes=uplink()).signal(uplink_lost="no route")

    box.wait(1799)
    assert str(box) == "normal"

    box.wait(1)
    assert (str(box), box.causes) == ("emergency", ["uplink_lost"])


def test_an_uplink_that_comes_back_before_the_debounce_starts_it_anew() -> None:
    box = ModeStory(causes=uplink()).signal(uplink_lost="no route").wait(1799)

    box.signal().signal(uplink_lost="no route").wait(1799)

    assert str(box) == "normal"


def test_an_uplink_that_is_back_closes_the_box() -> None:
    box = ModeStory(causes=uplink()).signal(uplink_lost="no route").wait(1800).wait(600)

    box.signal()

    assert str(box) == "normal"


def test_a_cause_that_expires_closes_the_box_although_its_signal_stands() -> None:
    box = ModeStory(causes=uplink(debounce_s=0, expiry_s=HOUR)).signal(uplink_lost="no route")
    assert str(box) == "emergency"

    box.wait(HOUR + 1)
    assert str(box) == "normal"

    box.wait(24 * HOUR)
    assert str(box) == "normal"


def test_a_spent_cause_counts_again_after_its_signal_was_gone() -> None:
    box = ModeStory(causes=uplink(debounce_s=0, expiry_s=HOUR)).signal(uplink_lost="no route")
    box.wait(HOUR + 1)

    box.signal().wait(300).signal(uplink_lost="no route")

    assert str(box) == "emergency"


def test_a_new_order_opens_again_where_the_last_ones_cause_has_expired() -> None:
    settings = CausesSettings(operator=CauseSettings(enabled=True, expiry_s=HOUR))
    box = ModeStory(causes=settings).order("emergency", hours=8).wait(HOUR + 1)
    assert str(box) == "normal"

    box.wait(600).order("emergency", hours=8)

    assert str(box) == "emergency"


def test_a_box_that_died_in_an_emergency_goes_on_in_it() -> None:
    box = emergency()

    box.restart(off_s=120).grid_is("lost")

    assert (str(box), box.is_open, box.arrows) == (
        "emergency",
        True,
        [("normal", "cause", "emergency")],
    )
    assert box.now - box.state.since == 720


def test_a_box_that_died_right_after_opening_does_not_close_before_the_pause() -> None:
    box = ModeStory().grid_is("lost").wait(60)

    box.restart().grid_is("present")
    assert (box.is_open, box.last.wanted_in_s) == (True, 240)

    box.wait(240)
    assert not box.is_open


def test_an_order_does_not_last_longer_because_the_box_was_off() -> None:
    box = ModeStory().order("emergency", hours=2).wait(HOUR)

    box.restart(off_s=0.5 * HOUR).look().wait(0.5 * HOUR).wait(1)

    assert str(box) == "normal"


def test_a_debounce_begins_anew_after_a_restart() -> None:
    box = ModeStory(causes=uplink()).signal(uplink_lost="no route").wait(1700)

    box.restart(off_s=600).wait(1799)

    assert str(box) == "normal"


def test_a_kept_state_that_makes_no_sense_is_a_box_on_its_first_day() -> None:
    from kiezbox.mode import ModeState

    kept = emergency().state.to_dict(2000.0)

    for wrong in ({"mode": "panic"}, {"age_s": None}, {"causes": 3}, {"age_s": float("nan")}):
        assert str(ModeState.from_dict({**kept, **wrong}, 5.0).mode) == "normal"


def test_a_kept_wlan_that_contradicts_its_mode_is_put_right() -> None:
    from kiezbox.mode import ModeState

    kept = ModeStory().state.to_dict(2000.0)

    assert ModeState.from_dict({**kept, "is_open": True}, 5.0).is_open is False
