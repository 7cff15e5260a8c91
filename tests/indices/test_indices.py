"""What readings mean: against published tables."""

from __future__ import annotations

import pytest

from kiezbox.indices import (
    AIR_CLASSES,
    HEAT_CLASSES,
    absolute_humidity_g_m3,
    air_class,
    dew_point_c,
    heat_class,
    heat_index_c,
    vapour_pressure_hpa,
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
