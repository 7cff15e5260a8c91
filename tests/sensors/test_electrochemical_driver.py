"""The electrochemical cells: indicative until they were compared, and never good by a bad part."""

from __future__ import annotations

import pytest
from contracts.haste import clock
from contracts.rig import Reader, Rig
from contracts.twins.electrochemical import SETTINGS

from kiezbox.errors import SensorMissing, SettingsError
from kiezbox.hardware.simulated.bme280 import SimulatedBme280
from kiezbox.hardware.simulated.electrochemical import SimulatedElectrochemical
from kiezbox.indices.air_quality import classify, index_on
from kiezbox.model import Flag, Measurement
from kiezbox.sensors import electrochemical
from kiezbox.settings import parse


def wired(
    rig: Rig, celsius: float = 20.0, **table: object
) -> tuple[SimulatedElectrochemical, SimulatedBme280, Reader]:
    cells, thermometer = SimulatedElectrochemical(clock=clock), SimulatedBme280()
    thermometer.set(celsius, 50.0, 1013.0)
    rig.bench.attach(0x48, cells)
    rig.bench.attach(0x76, thermometer)
    return cells, thermometer, rig.reader("electrochemical", {**SETTINGS, **table})


def verdicts(measurements: list[Measurement]) -> list[tuple[Flag, str]]:
    return [(one.flag, one.reason) for one in measurements]


@pytest.mark.parametrize("celsius", [-30.0, -10.0, 0.0, 10.0, 20.0, 30.0, 40.0, 50.0])
def test_the_background_is_taken_away_at_every_temperature_of_the_table(
    rig: Rig, celsius: float
) -> None:
    cells, _, reader = wired(rig, celsius)
    cells.set_air(30.0, 40.0, celsius)

    no2, o3 = reader.read()

    # 30 ppb NO2 and 40 ppb O3 at 20 °C and 1013 hPa.
    assert no2.value == pytest.approx(30 * 1.9125, abs=0.6)
    assert o3.value == pytest.approx(40 * 1.9954, abs=1.5)


def test_nitrogen_dioxide_is_not_taken_for_ozone(rig: Rig) -> None:
    cells, _, reader = wired(rig)
    cells.set_air(150.0, 0.0, 20.0)

    no2, o3 = reader.read()

    assert no2.value == pytest.approx(286.9, abs=0.6)
    assert o3.value == pytest.approx(0.0, abs=1.0)


def test_what_was_never_compared_with_a_station_is_indicative(rig: Rig) -> None:
    cells, _, reader = wired(rig, colocated="")

    assert verdicts(list(reader.read())) == [(Flag.SUSPECT, "indicative")] * 2


def test_an_index_is_incomplete_with_indicative_values_and_complete_with_compared_ones() -> None:
    index = index_on("uba_lqi", "2026-11-30")
    means = {"pm2_5_ug_m3": 8.0, "pm10_ug_m3": 12.0, "no2_ug_m3": 20.0, "o3_ug_m3": 30.0,
             "so2_ug_m3": 2.0}  # fmt: skip
    gases = [quantity.value for quantity in electrochemical.QUANTITIES]

    assert classify(means, index).missing == ()  # type: ignore[union-attr]
    assert set(classify(means, index, indicative=gases).missing) == set(gases)  # type: ignore[union-attr]


def test_the_line_of_a_comparison_is_used_and_what_was_said_is_kept(rig: Rig) -> None:
    cells, _, reader = wired(rig, no2_slope=1.25, no2_offset_ug_m3=-4.0)
    cells.set_air(20.0, 20.0, 20.0)

    no2, o3 = reader.read()

    assert no2.raw == pytest.approx(38.25, abs=0.6)
    assert no2.value == pytest.approx(38.25 * 1.25 - 4, abs=0.8)
    assert o3.raw is None


def test_a_board_without_its_plug_takes_the_ozone_along(rig: Rig) -> None:
    cells, _, reader = wired(rig)

    cells.fault = "unplugged_board"
    assert verdicts(list(reader.read())) == [(Flag.BAD, "open-circuit"), (Flag.BAD, "cross")]
    cells.fault = "broken_board"
    assert verdicts(list(reader.read())) == [(Flag.BAD, "overflow"), (Flag.BAD, "cross")]
    cells.fault = None
    assert verdicts(list(reader.read())) == [(Flag.GOOD, "")] * 2


def test_a_thermometer_that_was_reset_makes_both_worthless(rig: Rig) -> None:
    cells, thermometer, reader = wired(rig)
    thermometer.fault = "raw_reset"

    assert verdicts(list(reader.read())) == [(Flag.BAD, "cross")] * 2


def test_a_thermometer_that_is_not_there_is_named(rig: Rig) -> None:
    cells = SimulatedElectrochemical(clock=clock)
    rig.bench.attach(0x48, cells)

    with pytest.raises(SensorMissing, match="BME280 at 0x76"):
        rig.reader("electrochemical", SETTINGS).read()


@pytest.mark.parametrize("no2_ppb", [-20.0, 900.0])
def test_what_no_street_has_is_flagged(rig: Rig, no2_ppb: float) -> None:
    cells, _, reader = wired(rig)
    cells.set_air(no2_ppb, 20.0, 20.0)

    assert verdicts(list(reader.read()))[0] == (Flag.BAD, "range")


def test_without_the_numbers_from_the_bag_it_is_not_opened() -> None:
    with pytest.raises(SettingsError, match="no2_we_zero_mv is missing"):
        parse(electrochemical.Settings, {"driver": "electrochemical"})
