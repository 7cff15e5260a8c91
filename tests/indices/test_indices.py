"""What readings mean: against published tables."""

from __future__ import annotations

import pytest

from kiezbox.indices import (
    AIR_CLASSES,
    AIRING,
    CO2_CLASSES,
    HEAT_CLASSES,
    HEAVY_RAIN,
    INDICES,
    MOULD_CLASSES,
    MOULD_PERCENT,
    absolute_humidity_g_m3,
    airing,
    classify,
    co2_class,
    dew_point_c,
    estimated_humidity_percent,
    heat_class,
    heat_index_c,
    heavy_rain_step,
    humidex,
    index_on,
    is_hot_day,
    is_tropical_night,
    mould_class,
    surface_humidity_percent,
    times_who,
    vapour_pressure_hpa,
    wall_temperature_c,
)


@pytest.mark.parametrize(
    ("quantity", "bounds"),
    [
        # German Environment Agency, "Der Luftqualitätsindex (LQI)", version of 2025, its table.
        ("pm10_ug_m3", [(0, 9), (10, 27), (28, 54), (55, 90), (91, 1000)]),
        ("pm2_5_ug_m3", [(0, 5), (6, 15), (16, 30), (31, 50), (51, 1000)]),
    ],
)
def test_the_classes_of_air_are_those_of_the_environment_agency(
    quantity: str, bounds: list[tuple[int, int]]
) -> None:
    for number, (low, high) in enumerate(bounds):
        assert air_class({quantity: low}) == air_class({quantity: high}) == number
    assert len(AIR_CLASSES) == len(bounds)


def air_class(means: dict[str, float]) -> int | None:
    """By the agency's index of 2025."""
    index = index_on("uba_lqi", "2026-11-30")
    found = index and classify(means, index)
    return found.number if found else None


def test_the_worst_dust_decides() -> None:
    assert air_class({"pm2_5_ug_m3": 3.0, "pm10_ug_m3": 60.0}) == 3


def test_without_dust_there_is_no_class() -> None:
    assert air_class({"temperature_c": 20.0}) is None
    assert air_class({"pm10_ug_m3": -1.0}) is None


@pytest.mark.parametrize(
    ("temperature_c", "hpa", "g_m3"),
    [
        # Saturation over water: CRC Handbook of Chemistry and Physics, "Vapor Pressure of Water";
        # vapour density from the same.
        (0.0, 6.11, 4.85), (10.0, 12.28, 9.4), (20.0, 23.39, 17.3), (30.0, 42.47, 30.4),
    ],
)  # fmt: skip
def test_saturated_air_holds_what_the_tables_say(
    temperature_c: float, hpa: float, g_m3: float
) -> None:
    assert vapour_pressure_hpa(temperature_c) == pytest.approx(hpa, rel=0.004)
    assert absolute_humidity_g_m3(temperature_c, 100) == pytest.approx(g_m3, rel=0.005)


def test_the_dew_point_is_where_the_water_would_just_fit() -> None:
    # Psychrometric table: 25 °C and 50 % have their dew point at 13.9 °C, 20 °C and 60 % at 12.0.
    assert dew_point_c(25, 50) == pytest.approx(13.9, abs=0.05)
    assert dew_point_c(20, 60) == pytest.approx(12.0, abs=0.05)
    assert dew_point_c(7.5, 100) == pytest.approx(7.5)
    assert dew_point_c(20, 0) is None


@pytest.mark.parametrize(
    ("fahrenheit", "percent", "felt"),
    [
        # National Weather Service, chart "Heat Index" ("if the air temperature is 96 °F and the
        # relative humidity is 65 %, the heat index is 121 °F").
        (96, 65, 121), (82, 40, 81), (90, 50, 95), (100, 40, 109), (86, 90, 105), (110, 40, 136),
    ],
)  # fmt: skip
def test_the_heat_index_is_that_of_the_weather_services_chart(
    fahrenheit: float, percent: float, felt: float
) -> None:
    found = heat_index_c((fahrenheit - 32) * 5 / 9, percent)

    assert found is not None
    assert found * 9 / 5 + 32 == pytest.approx(felt, abs=1.0)


def test_below_a_warm_day_no_heat_is_felt() -> None:
    assert heat_index_c(20, 50) is None
    assert heat_index_c(-10, 80) is None


def test_the_classes_of_heat_begin_where_the_service_has_them_begin() -> None:
    def named(fahrenheit: float) -> str:
        return HEAT_CLASSES[heat_class((fahrenheit - 32) * 5 / 9)]

    assert named(80) == named(89) == "caution"
    assert named(90) == named(102) == "extreme_caution"
    assert named(103) == named(124) == "danger"
    assert named(125) == "extreme_danger"


# --- indices that come and go ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "day", "quantity", "bounds"),
    [
        # Sachsen-Anhalt, "Informationen zum Luftqualitätsindex": the agency's table before 2025.
        ("uba_lqi", "2024-06-01", "no2_ug_m3", [20, 40, 100, 200]),
        ("uba_lqi", "2024-06-01", "o3_ug_m3", [60, 120, 180, 240]),
        ("uba_lqi", "2024-06-01", "pm10_ug_m3", [20, 35, 50, 100]),
        ("uba_lqi", "2024-06-01", "pm2_5_ug_m3", [10, 20, 25, 50]),
        # "Der Luftqualitätsindex (LQI) des Umweltbundesamtes", its table.
        ("uba_lqi", "2026-11-30", "o3_ug_m3", [24, 72, 144, 240]),
        ("uba_lqi", "2026-11-30", "no2_ug_m3", [10, 30, 60, 100]),
        ("uba_lqi", "2026-11-30", "so2_ug_m3", [10, 30, 60, 100]),
        # ETC HE Report 2024/17, by Open-Meteo's change 2045.
        ("eaqi", "2026-11-30", "pm2_5_ug_m3", [5, 15, 50, 90, 140]),
        ("eaqi", "2026-11-30", "pm10_ug_m3", [15, 45, 120, 195, 270]),
        ("eaqi", "2026-11-30", "no2_ug_m3", [10, 25, 60, 100, 150]),
        ("eaqi", "2026-11-30", "o3_ug_m3", [60, 100, 120, 160, 180]),
        ("eaqi", "2026-11-30", "so2_ug_m3", [20, 40, 125, 190, 275]),
        ("eaqi", "2023-01-01", "pm2_5_ug_m3", [10, 20, 25, 50, 75]),
    ],
)
def test_an_index_has_the_bounds_that_were_published_for_that_day(
    name: str, day: str, quantity: str, bounds: list[int]
) -> None:
    found = index_on(name, day)
    assert found is not None

    for number, most in enumerate(bounds):
        for value, expected in ((most, number), (most + 1, number + 1)):
            classed = classify({quantity: float(value)}, found)
            assert classed is not None and classed.number == expected
    assert len(found.classes) == len(bounds) + 1


@pytest.mark.parametrize("name", ["uba_lqi", "eaqi"])
def test_one_version_of_an_index_holds_on_every_day(name: str) -> None:
    days = [f"20{year}-{month:02}-{day}" for year in range(18, 30) for month in (1, 6, 7, 12)
            for day in ("01", "30", "31")]  # fmt: skip

    for day in days:
        holding = [
            each for each in INDICES
            if each.name == name and each.valid_from <= day
            and (not each.valid_until or day < each.valid_until)
        ]  # fmt: skip
        assert [index_on(name, day)] == holding


def test_whole_numbers_are_classed_by_the_german_index_and_any_by_the_european() -> None:
    german, european = index_on("uba_lqi", "2026-01-01"), index_on("eaqi", "2026-01-01")
    assert german and european

    assert [classify({"pm2_5_ug_m3": v}, german).number for v in (5.4, 5.5, 15.5)] == [0, 1, 2]  # type: ignore[union-attr]
    assert [classify({"pm2_5_ug_m3": v}, european).number for v in (5.0, 5.01)] == [0, 1]  # type: ignore[union-attr]


def test_an_index_of_less_than_five_pollutants_says_that_it_is_incomplete() -> None:
    german = index_on("uba_lqi", "2026-01-01")
    assert german
    dust = {"pm2_5_ug_m3": 3.0, "pm10_ug_m3": 60.0}
    gases = {"no2_ug_m3": 65.0, "o3_ug_m3": 20.0, "so2_ug_m3": 1.0}

    found = classify(dust, german)
    assert found and found.is_incomplete
    assert (found.decided_by, set(found.missing)) == ("pm10_ug_m3", set(gases))
    whole = classify(dust | gases, german)
    assert whole and not whole.is_incomplete
    # A sensor that drifts can make it worse and does not make it whole.
    doubtful = classify(dust | gases, german, indicative={"no2_ug_m3"})
    assert doubtful and doubtful.number == 3 and doubtful.missing == ("no2_ug_m3",)


def test_means_are_compared_with_the_guidelines_of_2021() -> None:
    assert times_who("pm2_5_ug_m3", 15, "day") == 1
    assert times_who("pm10_ug_m3", 30, "year") == 2
    assert times_who("no2_ug_m3", 50, "day") == 2
    assert times_who("temperature_c", 20, "day") is None


def test_the_light_for_carbon_dioxide_is_that_of_the_environment_agency() -> None:
    named = [CO2_CLASSES[co2_class(ppm)] for ppm in (420, 999.9, 1000, 2000, 2000.1, 9000)]
    assert named == ["harmless"] * 2 + ["conspicuous"] * 2 + ["unacceptable"] * 2


# --- heat, walls, rain ---------------------------------------------------------------------------


def test_the_humidex_is_that_of_the_published_examples() -> None:
    # "When the temperature is 30 °C and the dew point is 15 °C, the humidex is 34; if the dew point
    # rises to 25 °C, it rises to 42" (Environment Canada).
    assert humidex(30, 15) == pytest.approx(34, abs=0.5)
    assert humidex(30, 25) == pytest.approx(42, abs=0.5)
    assert humidex(19.9, 19) is None
    assert humidex(30, -5) is None


def test_days_and_nights_are_counted_as_climatologists_do() -> None:
    assert (is_hot_day(30.0), is_hot_day(29.9)) == (True, False)
    assert (is_tropical_night(20.0), is_tropical_night(19.9)) == (True, False)


def test_the_wall_of_the_standard_is_as_damp_as_the_standard_says() -> None:
    # DIN 4108-2: 20 °C and 50 % inside, -5 °C outside, factor 0.70: 12.6 °C and 80 % at the wall.
    # Worked in Xella, "Das Dämmbuch", 3rd edition, 7.1.4, and in tbas.de, "Der fRSi-Wert": 0.704.
    assert wall_temperature_c(20, -5) == pytest.approx(12.6, abs=0.01)
    # And of a good wall in the example of reuven.tools, "Moisture & Mould Risk Calculator".
    assert wall_temperature_c(20, 0, 0.948) == pytest.approx(18.9, abs=0.1)
    assert surface_humidity_percent(20, 50, 12.6) == pytest.approx(80, abs=0.5)
    assert surface_humidity_percent(20, 70, 5) == 100


@pytest.mark.parametrize(
    ("outside_c", "percent"), [(-10, 45), (-5, 50), (0, 55), (5, 60), (10, 66)]
)
def test_the_colder_it_is_outside_the_drier_a_room_must_be(outside_c: float, percent: int) -> None:
    # The room's humidity that gives 80 % at a wall of factor 0.70, at 20 °C inside.
    wall = wall_temperature_c(20, outside_c)
    assert surface_humidity_percent(20, percent, wall) == pytest.approx(80, abs=1.0)


def test_an_estimate_has_no_tenths_and_the_standards_own_room_is_not_blamed_by_it() -> None:
    # Xella, as above: with 50 % at 20 °C, and -5 °C outside, it stays within 80 % at the wall.
    assert estimated_humidity_percent(20, 50, -5) == MOULD_PERCENT
    assert estimated_humidity_percent(20, 55, -5) > MOULD_PERCENT
    # In summer an outer wall is as warm as the room.
    assert estimated_humidity_percent(20, 55, 20) == 55


def test_a_shower_is_no_mould_and_a_wet_week_is() -> None:
    assert [MOULD_CLASSES[mould_class(h)] for h in (0, 3, 24, 83, 84, 168)] == [
        "dry", "dry", "damp", "damp", "mould", "mould",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("outside", "said"),
    [
        # Cold air holds little: 5 °C and 90 % are 6.1 g/m³, 20 °C and 60 % are 10.4.
        ((5.0, 90.0), "helps"),
        ((-5.0, 100.0), "helps"),
        # A thunderstorm in July on a cool cellar.
        ((26.0, 70.0), "wets"),
        ((20.0, 60.0), "no_difference"),
    ],
)
def test_a_window_is_worth_opening_where_the_air_outside_has_less_water(
    outside: tuple[float, float], said: str
) -> None:
    assert AIRING[airing(20.0, 60.0, *outside)] == said


@pytest.mark.parametrize(
    ("one_hour_mm", "six_hours_mm", "said"),
    [
        (15.0, 20.0, "none"), (15.1, 0.0, "heavy"), (25.1, 0.0, "severe"), (40.1, 0.0, "extreme"),
        (10.0, 20.1, "heavy"), (10.0, 35.1, "severe"), (10.0, 60.1, "extreme"),
    ],
)  # fmt: skip
def test_heavy_rain_has_the_steps_of_the_weather_service(
    one_hour_mm: float, six_hours_mm: float, said: str
) -> None:
    now = 100_000.0
    tips = [(now - 5 * 3600, max(0.0, six_hours_mm - one_hour_mm)), (now - 60, one_hour_mm)]

    assert HEAVY_RAIN[heavy_rain_step(tips, now)] == said
