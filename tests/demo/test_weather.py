"""The simulated weather: inside physical bounds, with days, seasons, fronts and rush hours."""

from __future__ import annotations

from datetime import UTC, datetime
from statistics import correlation, mean

import pytest

from kiezbox.demo.places import SITES
from kiezbox.demo.weather import Air, Weather, relative_humidity

HOUR_S, DAY_S = 3600, 86400
CROSSING = next(site for site in SITES if site.traffic == 1.0)
PARK = next(site for site in SITES if site.green == 1.0)


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


YEAR = at("2026-01-01T00:00")


@pytest.fixture(scope="module", params=[1, 2, 3])
def year(request: pytest.FixtureRequest) -> list[Air]:
    """A year in steps of half an hour."""
    weather = Weather(request.param)
    return [weather.at(YEAR + n * HOUR_S / 2, SITES[0]) for n in range(365 * 48)]


def test_no_value_ever_leaves_what_such_sensors_meet_in_the_open(year: list[Air]) -> None:
    # German records: -37.8 and 41.2 °C (Deutscher Wetterdienst); 953 to 1061 hPa at sea level,
    # so 925 to 1040 hPa at 210 m. Solar constant 1,361 W/m².
    for air in year:
        assert -37.8 < air.temperature_c < 41.2
        assert 5 < air.humidity_percent <= 100
        assert 925 < air.pressure_hpa < 1040
        assert 0 < air.pm2_5_ug_m3 <= air.pm10_ug_m3 < 150
        assert 0 <= air.sun_w_m2 < 1361


def test_nothing_jumps_within_ten_minutes_as_air_does_not() -> None:
    weather = Weather(1)
    month = [weather.at(YEAR + n * 600, CROSSING) for n in range(30 * 144)]

    # Larger steps in ten minutes are implausible: 5 K, 25 % of humidity, 3 hPa.
    for before, after in zip(month, month[1:], strict=False):
        assert abs(after.temperature_c - before.temperature_c) < 5
        assert abs(after.humidity_percent - before.humidity_percent) < 25
        assert abs(after.pressure_hpa - before.pressure_hpa) < 3


@pytest.mark.parametrize(
    "month, normal_c",
    # Means of 1991 to 2020 for Germany (Deutscher Wetterdienst).
    [(1, 0.9), (4, 9.0), (7, 18.3), (10, 9.4)],
)
def test_a_month_is_about_as_warm_as_its_normal(
    year: list[Air], month: int, normal_c: float
) -> None:
    first = int((month - 1) * 30.4) * 48
    found = mean(air.temperature_c for air in year[first : first + 30 * 48])

    # Single months differ from their normal by up to some 4 K.
    assert abs(found - normal_c) < 4.5


def test_a_year_has_about_the_sun_of_germany(year: list[Air]) -> None:
    # 1,075 kWh/m² in the test reference year of Potsdam, 1,060 to 1,230 over the years (DWD).
    open_sky = 1 - 0.6 * SITES[0].green
    kwh = sum(air.sun_w_m2 for air in year) / 2 / 1000 / open_sky

    assert 950 < kwh < 1300


def test_there_is_no_sun_at_midnight_and_some_at_noon(year: list[Air]) -> None:
    # 10.4° east: solar midnight is at 23:18 UTC.
    assert all(air.sun_w_m2 == 0 for air in year[46::48])
    assert all(air.sun_w_m2 > 0 for air in year[22::48])


def test_an_afternoon_in_summer_is_warmer_and_drier_than_the_morning_before(
    year: list[Air],
) -> None:
    june = slice(151 * 48, 181 * 48)
    mornings, afternoons = year[june][9::48], year[june][29::48]  # 4:30 and 14:30 UTC

    assert mean(a.temperature_c for a in afternoons) - mean(m.temperature_c for m in mornings) > 4
    assert mean(a.humidity_percent for a in afternoons) < mean(m.humidity_percent for m in mornings)


def test_humidity_follows_from_a_dew_point_that_is_never_above_the_temperature() -> None:
    # The worked example behind Magnus' formula: 20 °C and 50 % have their dew point at 9.26 °C.
    assert relative_humidity(20.0, 9.26) == pytest.approx(50, abs=0.1)
    assert relative_humidity(20.0, 20.0) == pytest.approx(100)


def test_fronts_bring_the_pressure_down_and_back_every_few_days(year: list[Air]) -> None:
    daily = [mean(air.pressure_hpa for air in year[n : n + 48]) for n in range(0, len(year), 48)]
    turns = sum((b - a) * (c - b) < 0 for a, b, c in zip(daily, daily[1:], daily[2:], strict=False))

    assert 60 < turns < 220
    assert max(daily) - min(daily) > 15


def test_the_rush_hour_is_in_the_dust_of_a_crossing_and_not_in_that_of_a_park() -> None:
    weather = Weather(1)
    # Ten weeks of working days; 8:00 and 11:00 by the clock on the wall (CET).
    days = [at("2026-03-02T00:00") + n * DAY_S for n in range(70) if n % 7 < 5]

    def rush(site: object) -> float:
        peak = mean(weather.at(day + 7 * HOUR_S, site).pm10_ug_m3 for day in days)  # type: ignore[arg-type]
        calm = mean(weather.at(day + 10.5 * HOUR_S, site).pm10_ug_m3 for day in days)  # type: ignore[arg-type]
        return peak - calm

    assert rush(CROSSING) > 4
    assert abs(rush(PARK)) < 3


def test_the_same_seed_is_the_same_weather_and_another_seed_another() -> None:
    one, same, other = (Weather(seed).at(YEAR, PARK) for seed in (1, 1, 2))

    assert one == same
    assert one != other


def test_two_boxes_have_the_same_weather_with_small_differences() -> None:
    weather = Weather(1)
    here = [weather.at(YEAR + n * HOUR_S, CROSSING).temperature_c for n in range(14 * 24)]
    there = [weather.at(YEAR + n * HOUR_S, PARK).temperature_c for n in range(14 * 24)]

    assert correlation(here, there) > 0.97
    assert 0 < mean(abs(a - b) for a, b in zip(here, there, strict=True)) < 2
