"""What became of a day: counted from readings, expected by a rhythm, explained by faults."""

from __future__ import annotations

from kiezbox.mode import Mode
from kiezbox.model import Fault, Series
from kiezbox.quality.days import Day, Days
from kiezbox.sparing import Stretch

ROOF = Series("roof", "temperature_c")
DAY_S = 86400.0
HOUR_S = 3600.0
#: A midnight.
START = 1_780_012_800.0 // DAY_S * DAY_S


def midnight(at: float) -> tuple[float, float]:
    start = at // DAY_S * DAY_S
    return start, start + DAY_S


def counted(
    every_s: float, first: float = 0.0, last: float = DAY_S, days: Days | None = None
) -> Days:
    days = days or Days(midnight)
    at = first
    while at < last:
        days.add(ROOF, START + at, 0, "", is_sure=True)
        at += every_s
    return days


def only(days: list[Day]) -> Day:
    (day,) = days
    return day


def test_a_whole_day_of_minutes_misses_nothing() -> None:
    day = only(counted(60).report(START, START + DAY_S - 1, {"roof": 60}))

    assert (day.good, day.suspect, day.bad, day.missing) == (1440, 0, 0, 0)
    assert day.starts_at == START


def test_two_hours_without_a_reading_are_120_missing_minutes_and_the_fault_says_why() -> None:
    days = counted(60, last=10 * 3600)
    counted(60, first=12 * 3600, days=days)
    pulled = Fault("sensors.roof", "missing", "", "", START + 36000, START + 43200, 700)
    other = Fault("sensors.dust", "timeout", "", "", START + 36000, START + 43200, 700)

    day = only(days.report(START, START + DAY_S - 1, {"roof": 60}, [pulled, other]))

    assert (day.good, day.missing) == (1320, 120)
    assert day.faults == ("missing",)


def test_flags_are_counted_with_their_reasons_and_are_not_missing() -> None:
    days = counted(60, last=3600)
    for n in range(30):
        days.add(ROOF, START + 3600 + 60 * n, 1, "step" if n < 10 else "stuck", is_sure=True)
    days.add(ROOF, START + 5400, 2, "raw-sentinel", is_sure=True)

    day = only(days.report(START, START + 5460, {"roof": 60}))

    assert (day.good, day.suspect, day.bad, day.missing) == (60, 30, 1, 0)
    assert dict(day.reasons) == {"stuck": 20, "step": 10, "raw-sentinel": 1}


def test_a_sensor_that_is_silent_since_yesterday_misses_all_of_today() -> None:
    days = counted(60).report(START, START + DAY_S + 3600, {"roof": 60})

    assert [day.missing for day in days] == [0, 60]


def test_a_day_with_a_slower_rhythm_of_its_own_was_meant_so() -> None:
    """Until yesterday it was read every five minutes; kiezbox.toml says a minute now."""
    day = only(counted(300).report(START, START + DAY_S - 1, {"roof": 60}))

    assert (day.good, day.missing, day.rhythm_s) == (288, 0, 300)


def test_irregular_pauses_are_no_rhythm_but_missing_readings() -> None:
    days = Days(midnight)
    for n in range(1440):
        if n % 7 in (0, 1, 4):
            days.add(ROOF, START + 60.0 * n, 0, "", is_sure=True)

    day = only(days.report(START, START + DAY_S - 1, {"roof": 60}))

    assert day.rhythm_s == 60
    assert day.missing > 700


def test_a_faster_rhythm_than_today_hides_no_gap() -> None:
    days = counted(60, last=6 * 3600)
    counted(60, first=12 * 3600, days=days)

    day = only(days.report(START, START + DAY_S - 1, {"roof": 300}))

    assert day.missing == 360


def test_before_its_first_reading_nothing_of_a_sensor_is_missing() -> None:
    day = only(counted(60, first=18 * 3600).report(START, START + DAY_S - 1, {"roof": 60}))

    assert (day.good, day.missing) == (360, 0)


def test_a_sensor_that_is_no_longer_in_the_settings_is_not_expected_any_more() -> None:
    days = counted(60, last=3600).report(START, START + 3 * DAY_S, {})

    assert [(day.good, day.missing) for day in days] == [(60, 0)]


def test_what_was_measured_nobody_knows_when_is_suspect_and_has_no_day() -> None:
    days = counted(60, last=3600)
    for n in range(5):
        days.add(ROOF, 86400.0 + n, 0, "", is_sure=False)

    known, unknown = days.report(START, START + 3600, {"roof": 60})

    assert known.good == 60
    assert (unknown.starts_at, unknown.good, unknown.suspect) == (None, 0, 5)
    assert dict(unknown.reasons) == {"clock-unsure": 5}


def saved_night() -> Days:
    """Read every minute; from 8 to 16 o'clock the box saved, and it was read every ten."""
    days = Days(midnight, [Stretch(START + 8 * HOUR_S, START + 16 * HOUR_S, Mode.SAVING)])
    counted(60, last=8 * HOUR_S, days=days)
    counted(600, first=8 * HOUR_S + 540, last=16 * HOUR_S, days=days)
    return counted(60, first=16 * HOUR_S, days=days)


def test_what_was_not_read_in_hours_of_saving_is_not_missing() -> None:
    seldom = {Mode.SAVING: {"roof": 600.0}}

    day = only(saved_night().report(START, START + DAY_S - 1, {"roof": 60}, spared=seldom))

    assert (day.good, day.missing, day.rhythm_s) == (960 + 48, 0, 60)


def test_what_should_have_been_read_in_hours_of_saving_is_missing() -> None:
    """A battery's sensor keeps its interval; this one was read every ten minutes instead."""
    steady = {Mode.SAVING: {"roof": 60.0}}

    day = only(saved_night().report(START, START + DAY_S - 1, {"roof": 60}, spared=steady))

    assert day.missing == 480 - 48


def test_a_gap_beside_hours_of_saving_is_still_missing() -> None:
    days = Days(midnight, [Stretch(START + 8 * HOUR_S, START + 16 * HOUR_S, Mode.DARK)])
    counted(60, last=6 * HOUR_S, days=days)
    counted(60, first=16 * HOUR_S, days=days)

    day = only(
        days.report(START, START + DAY_S - 1, {"roof": 60}, spared={Mode.DARK: {"roof": 0.0}})
    )

    assert day.missing == 120
