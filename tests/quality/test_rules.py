"""Every rule, and the real case that it is there for. Times are seconds on some axis."""

from __future__ import annotations

import re
import tracemalloc
from collections.abc import Sequence
from pathlib import Path

import pytest
from contracts.rig import Rig

from kiezbox.hardware.simulated.bme280 import SimulatedBme280
from kiezbox.i18n import LANGUAGES, text_of
from kiezbox.model import Flag, Measurement, Quantity
from kiezbox.quality import LIMITS, REASONS, Judge, Witness, limits_of
from kiezbox.settings import LimitSettings

T, RH, P = Quantity.TEMPERATURE_C, Quantity.HUMIDITY_PERCENT, Quantity.PRESSURE_HPA
FINE, COARSE = Quantity.PM2_5_UG_M3, Quantity.PM10_UG_M3
HOUR = 3600.0


def said(judge: Judge, at: float, **values: float) -> dict[str, tuple[Flag, str]]:
    """Quantity → flag and reason of one read."""
    measurements = [Measurement(Quantity(name), value) for name, value in values.items()]
    return {one.quantity.value: (one.flag, one.reason) for one in judge.judged(at, measurements)}


def course(
    quantity: Quantity, values: Sequence[float], every_s: float = 60.0, judge: Judge | None = None
) -> list[str]:
    """The reasons of one series ("" for good)."""
    judge = judge or Judge()
    return [
        judge.judged(n * every_s, [Measurement(quantity, value)])[0].reason
        for n, value in enumerate(values)
    ]


def air(celsius: float, percent: float, hpa: float) -> dict[str, float]:
    return {"temperature_c": celsius, "humidity_percent": percent, "pressure_hpa": hpa}


# --- range, and what falls with it ---------------------------------------------------------------


def test_the_station_that_told_minus_144_degrees_for_years_is_bad_in_all_three() -> None:
    """opendata-stuttgart/sensors-software #394, #739, #978, #1007: a BME280, published unjudged."""
    found = said(Judge(), 0, **air(-144.0, 100.0, 652.0))

    assert {flag for flag, _ in found.values()} == {Flag.BAD}


def test_a_reset_bme280s_plausible_26_degrees_are_not_believed_even_without_its_codes() -> None:
    """26.46 °C, 820 hPa, 70 %: measured with the codes of a reset chip. Only the pressure shows it,
    as in sensors-software #544, "23.2 °C while it is +2 °C outside".
    """
    found = said(Judge(), 0, **air(26.46, 70.0, 820.0))

    assert found["pressure_hpa"] == (Flag.SUSPECT, "range")
    assert found["temperature_c"] == (Flag.SUSPECT, "cross")
    assert found["humidity_percent"] == (Flag.SUSPECT, "cross")


@pytest.mark.parametrize("fault", ["raw_reset", "raw_zero"])
def test_the_unchanged_driver_over_a_reset_chip_gives_no_good_value(
    fault: str, tmp_path: Path
) -> None:
    judge, chip = Judge(), SimulatedBme280()
    chip.set(temperature_c=2.0, humidity_percent=80.0, pressure_hpa=1010.0)
    with Rig(tmp_path) as rig:
        rig.bench.attach(0x76, chip)
        reader = rig.reader("bme280")
        before = judge.judged(0, reader.read())
        chip.fault = fault
        during = judge.judged(60, reader.read())
        chip.fault = None
        after = judge.judged(120, reader.read())
        reader.close()

    assert {one.flag for one in before} == {Flag.GOOD}
    assert Flag.GOOD not in {one.flag for one in during}
    assert {one.reason for one in during} == {"raw-sentinel"}
    assert {one.flag for one in after} == {Flag.GOOD}


def test_a_pressure_that_falls_at_once_takes_the_whole_conversion_with_it() -> None:
    judge = Judge()
    said(judge, 0, **air(2.0, 80.0, 1010.0))

    found = said(judge, 60, **air(2.3, 79.0, 900.0))

    assert found["pressure_hpa"] == (Flag.SUSPECT, "step")
    assert found["temperature_c"] == (Flag.SUSPECT, "cross")


def test_a_broken_humidity_takes_nothing_with_it() -> None:
    """The recorded half-year: a DHT22 whose humidity is defective and whose temperature is not."""
    found = said(Judge(), 0, temperature_c=14.0, humidity_percent=1.0)

    assert found["humidity_percent"] == (Flag.SUSPECT, "range")
    assert found["temperature_c"] == (Flag.GOOD, "")


@pytest.mark.parametrize(
    ("quantity", "code"),
    [
        (T, -127.0),  # a DS18B20 without its wire
        (T, 85.0),  # the same at power-up
        (FINE, 6553.5),  # a word of ones, in tenths
        (FINE, 999.9),  # the end of the SDS011's scale
        (Quantity.CO2_PPM, 0.0),
        (Quantity.RAIN_MM, 40.0),  # in a minute
        (Quantity.LAEQ_DB, 0.0),
    ],
)
def test_what_sensors_say_when_they_have_nothing_to_say_is_never_good(
    quantity: Quantity, code: float
) -> None:
    judge = Judge()
    judge.judged(0, [Measurement(quantity, 20.0)])

    (found,) = judge.judged(60, [Measurement(quantity, code)])

    assert found.flag != Flag.GOOD
    assert found.value == code


def test_rain_that_fell_in_an_hour_without_a_reading_may_be_more() -> None:
    judge = Judge()
    judge.judged(0, [Measurement(Quantity.RAIN_MM, 0.0)])

    assert judge.judged(HOUR, [Measurement(Quantity.RAIN_MM, 40.0)])[0].flag == Flag.GOOD


# --- what the driver says ------------------------------------------------------------------------


def test_a_driver_that_doubts_is_never_overruled_and_its_raw_value_stays() -> None:
    doubted = Measurement(T, 21.0, 20.5, Flag.BAD, "raw-sentinel")

    assert Judge().judged(0, [doubted]) == [doubted]


def test_what_the_driver_only_suspects_is_bad_where_it_cannot_be() -> None:
    (found,) = Judge().judged(0, [Measurement(T, -300.0, None, Flag.SUSPECT, "status")])

    assert (found.flag, found.reason) == (Flag.BAD, "status")


def test_values_and_raw_values_are_what_they_were() -> None:
    sent = [Measurement(T, -144.0), Measurement(RH, 41.5, 40.0), Measurement(P, 652.0)]

    found = Judge().judged(0, sent)

    assert [(one.quantity, one.value, one.raw) for one in found] == [
        (one.quantity, one.value, one.raw) for one in sent
    ]


def test_no_rule_ever_doubts_what_the_box_decides_by() -> None:
    """A voltage that falls to nothing at once is the grid's end, and the reason for the WLAN."""
    for quantity in ("voltage_v", "current_a", "power_w", "energy_wh", "charge_percent"):
        reasons = course(Quantity(quantity), [5.1] * 500 + [0.0] * 500, every_s=1)
        assert set(reasons) == {""}, quantity
        assert Quantity(quantity) not in LIMITS


# --- steps ---------------------------------------------------------------------------------------


def test_a_spike_is_suspect_and_the_value_after_it_is_good() -> None:
    """weewx/weewx #3, wontfix: a single wild value in a quiet series."""
    assert course(T, [12.0, 12.1, 30.0, 12.1]) == ["", "", "step", ""]
    assert course(COARSE, [14.0, 15.0, 626.5, 14.0]) == ["", "", "step", ""]


def test_what_the_weather_does_is_no_step() -> None:
    assert set(course(T, [20 - 0.1 * n for n in range(60)])) == {""}  # 6 K in an hour
    assert set(course(P, [1013 - 0.05 * n for n in range(120)])) == {""}  # a storm
    assert set(course(COARSE, [10, 13, 16, 12, 20, 28, 19, 14])) == {""}


def test_a_particulate_sensor_that_says_exactly_zero_out_of_dusty_air_is_suspect() -> None:
    assert course(FINE, [8.0, 0.0, 8.1]) == ["", "step", ""]
    assert course(FINE, [1.7, 0.0, 1.8]) == ["", "step", ""]
    # A filtered room, in whole µg/m³, and the mean of three of them.
    assert course(FINE, [1.0, 0.0, 1.3, 0.0, 1.0]) == [""] * 5


def test_degrees_fahrenheit_in_the_middle_of_a_series_are_suspect_as_long_as_they_last() -> None:
    reasons = course(T, [6.0, 6.1, 6.0] + [42.8 + 0.01 * n for n in range(150)] + [6.5])

    assert set(reasons[3:-1]) == {"step"}
    assert reasons[-1] == ""


def test_a_sensor_that_was_carried_elsewhere_is_believed_again_after_three_hours() -> None:
    reasons = course(T, [22.0, 22.1, 22.0] + [-5.0 + 0.001 * n for n in range(200)])

    assert reasons[3] == reasons[170] == "step"
    assert set(reasons[190:]) == {""}


def test_one_wild_first_value_does_not_make_the_true_ones_after_it_suspect_for_long() -> None:
    assert course(T, [50.0 - 6, 20.0, 20.1, 20.1, 20.2]) == ["", "step", "step", "", ""]


def test_after_a_long_silence_nothing_is_compared() -> None:
    judge = Judge()
    judge.judged(0, [Measurement(T, -5.0)])

    assert judge.judged(4 * HOUR, [Measurement(T, 21.0)])[0].flag == Flag.GOOD


def test_a_drop_of_pressure_by_three_hectopascals_over_an_hour_without_readings_is_no_step() -> (
    None
):
    judge = Judge()
    judge.judged(0, [Measurement(P, 1010.0)])

    assert judge.judged(HOUR, [Measurement(P, 1002.0)])[0].flag == Flag.GOOD


# --- stuck ---------------------------------------------------------------------------------------


def test_dust_that_is_the_same_to_a_tenth_for_an_hour_comes_from_a_sensor_that_hangs() -> None:
    reasons = course(FINE, [7.3] * 90 + [7.4])

    assert set(reasons[:60]) == {""}
    assert set(reasons[61:90]) == {"stuck"}
    assert reasons[90] == ""


def test_both_dusts_fall_when_one_stands_still() -> None:
    judge = Judge()
    for minute in range(90):
        found = said(judge, 60 * minute, pm2_5_ug_m3=7.3, pm10_ug_m3=12 + minute % 7)

    assert found["pm2_5_ug_m3"] == (Flag.SUSPECT, "stuck")
    assert found["pm10_ug_m3"] == (Flag.SUSPECT, "cross")


@pytest.mark.parametrize(
    ("quantity", "value", "hours"),
    [
        (Quantity.RAIN_MM, 0.0, 24 * 30),  # a dry month
        (FINE, 0.0, 23),  # a filtered room, below the resolution
        (Quantity.ILLUMINANCE_LX, 0.0, 16),  # a winter night
        (Quantity.WATER_LEVEL_M, 0.42, 24 * 7),
        (Quantity.NOX_INDEX, 1.0, 24 * 7),  # Sensirion's "as always"
        (Quantity.MOISTURE_PERCENT, 12.5, 24 * 7),
        (T, 18.5, 2.9),  # half a degree's sensor in a cellar
    ],
)
def test_what_stays_equal_by_nature_is_not_stuck(
    quantity: Quantity, value: float, hours: float
) -> None:
    assert not {"stuck"} & set(course(quantity, [value] * int(hours * 12), every_s=300))


def test_two_equal_values_a_day_apart_are_no_sensor_that_hangs() -> None:
    assert set(course(T, [18.5] * 9, every_s=86400)) == {""}


# --- side by side --------------------------------------------------------------------------------


def test_less_coarse_dust_than_fine_is_impossible_so_neither_is_good() -> None:
    found = said(Judge(), 0, pm2_5_ug_m3=18.5, pm10_ug_m3=11.7)

    assert set(found.values()) == {(Flag.SUSPECT, "cross")}


def test_exchanged_fields_are_seen_by_the_last_digit_for_rounding_keeps_the_order() -> None:
    found = said(Judge(), 0, pm1_ug_m3=0.6, pm2_5_ug_m3=0.7, pm10_ug_m3=0.6)

    assert set(found.values()) == {(Flag.SUSPECT, "cross")}


def test_equal_fine_and_coarse_dust_is_clean_air() -> None:
    found = said(Judge(), 0, pm1_ug_m3=0.6, pm2_5_ug_m3=0.7, pm10_ug_m3=0.7)

    assert set(found.values()) == {(Flag.GOOD, "")}


# --- end of the scale, warm-up, humid ------------------------------------------------------------


def test_a_humidity_at_the_end_of_its_scale_is_suspect_at_once() -> None:
    """45 % of the recorded half-year stand at 99.9 and above."""
    assert course(RH, [97.0, 99.9, 100.0, 98.0]) == ["", "saturated", "saturated", ""]


def test_a_cheap_co2_sensor_is_not_believed_in_its_first_three_minutes() -> None:
    """MH-Z19: it says 400, 410 or 500 while it warms up."""
    judge = Judge()
    assert course(Quantity.CO2_PPM, [410, 410, 410, 655], judge=judge) == ["warm-up"] * 3 + [""]

    judge.lost()

    assert judge.judged(240, [Measurement(Quantity.CO2_PPM, 410)])[0].reason == "warm-up"


def test_dust_in_air_above_70_percent_is_suspect_and_below_it_is_not() -> None:
    """The SDS011's sheet; in fog the 24-hour mean was up to 38 times too high (IUTA)."""
    dust = [Measurement(FINE, 8.5), Measurement(COARSE, 14.2)]

    assert [one.reason for one in Judge().judged(0, dust, 70.0)] == ["", ""]
    assert [one.reason for one in Judge().judged(0, dust, 70.1)] == ["rh-high"] * 2
    assert [one.reason for one in Judge().judged(0, dust, None)] == ["", ""]


def test_fog_counts_as_humid_for_a_day_and_a_sensor_that_is_always_there_says_nothing() -> None:
    witness = Witness()

    for minute in range(60 * 30):
        witness.hears(60.0 * minute, 100.0, Flag.SUSPECT, "saturated")
        if minute == 60 * 5:
            assert witness.says(60.0 * minute) == 100.0

    assert witness.says(60.0 * 60 * 30) is None


def test_a_humidity_sensor_caught_at_nonsense_is_no_witness_for_a_day() -> None:
    witness = Witness()
    witness.hears(0, 1.0, Flag.SUSPECT, "range")
    witness.hears(60, 85.0, Flag.GOOD, "")

    assert witness.says(60) is None
    witness.hears(86500, 85.0, Flag.GOOD, "")
    assert witness.says(86500) == 85.0


def test_an_old_humidity_says_nothing() -> None:
    witness = Witness()
    witness.hears(0, 85.0, Flag.GOOD, "")

    assert witness.says(900) == 85.0
    assert witness.says(901) is None


# --- settings, words, memory ---------------------------------------------------------------------


def test_a_place_may_have_its_own_limits_and_keeps_the_others() -> None:
    """A greenhouse; a hut at 2,000 m; a cellar whose sensor says half degrees for days."""
    warm = limits_of(T, {"temperature_c": LimitSettings(most=60.0, stuck_s=0)})
    high = limits_of(P, {"pressure_hpa": LimitSettings(least=700.0)})

    assert (warm.plausible, warm.step) == ((-30.0, 60.0), LIMITS[T].step)
    assert not warm.stands_still(18.5, 30 * 86400.0)
    assert high.plausible == (700.0, 1065.0)


def test_every_limit_leaves_something_between_and_the_possible_around_it() -> None:
    for quantity, limits in LIMITS.items():
        (least, most), (low, high) = limits.plausible, limits.possible
        assert low <= least < most <= high, quantity


def test_every_reason_that_a_rule_gives_is_explained() -> None:
    root = Path(__file__).resolve().parents[2] / "kiezbox" / "quality"
    text = "".join(path.read_text("utf-8") for path in root.glob("*.py"))

    for reason in ("range", "step", "stuck", "saturated", "warm-up", "cross", "rh-high"):
        assert f'"{reason}"' in text
        assert REASONS[reason].what and REASONS[reason].hint


def test_every_reason_that_a_driver_gives_is_explained_to_makers() -> None:
    room = Path(__file__).resolve().parents[2] / "kiezbox" / "sensors"
    given = {
        reason
        for path in room.glob("*.py")
        for reason in re.findall(r'Flag\.(?:BAD|SUSPECT), "([a-z-]+)"', path.read_text("utf-8"))
    }

    assert "range" in given
    assert given <= set(REASONS), "explain it in kiezbox/quality/reasons.py"


def test_a_judge_needs_no_more_memory_after_a_month_than_after_an_hour() -> None:
    judge = Judge()

    def feed(first: int, count: int) -> None:
        for n in range(first, first + count):
            said(judge, 60.0 * n, **air(12 + n % 17 / 10, 60 + n % 31 / 10, 1010 + n % 7 / 10))

    feed(0, 60)
    tracemalloc.start()
    feed(60, 60)
    before = tracemalloc.get_traced_memory()[0]
    feed(120, 5000)
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()

    assert grown < 4096


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_has_words_for_residents_in_every_language(language: str) -> None:
    words = text_of(language, "air")["reasons"]

    assert set(words) == {
        "raw-sentinel", "range", "overflow", "cross", "step", "stuck", "saturated", "warm-up",
        "rh-high", "clock-unsure", "other",
    }  # fmt: skip
    assert all(words.values())
    assert set(words) - {"other"} <= set(REASONS)
