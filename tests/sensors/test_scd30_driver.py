"""What the driver scd30 adds to the Adafruit driver: settings, pressure, and a thrown-away zero."""

from __future__ import annotations

from typing import Any

import adafruit_scd30
import pytest
from contracts.haste import Watch
from contracts.rig import Reader, Rig

from kiezbox.errors import SensorGarbled
from kiezbox.hardware.simulated.scd30 import SimulatedScd30
from kiezbox.model import Flag, Quantity
from kiezbox.sensors import scd30

C, T, H = scd30.QUANTITIES


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    made = Watch()
    monkeypatch.setattr(adafruit_scd30, "time", made)
    monkeypatch.setattr(scd30, "time", made)
    return made


def soldered(rig: Rig, watch: Watch, **table: Any) -> tuple[SimulatedScd30, Reader]:
    chip = SimulatedScd30(clock=watch)
    rig.bench.attach(0x61, chip)
    return chip, rig.reader("scd30", table)


def verdicts(reader: Reader) -> dict[Quantity, tuple[Flag, str]]:
    return {one.quantity: (one.flag, one.reason) for one in reader.read()}


def test_the_zero_after_power_on_never_comes_out(rig: Rig, watch: Watch) -> None:
    chip, reader = soldered(rig, watch)
    chip.set(600, 20.0, 50.0)

    assert [one.value for one in reader.read()] == [600.0, 20.0, 50.0]


def test_a_reading_is_at_most_ten_seconds_old(rig: Rig, watch: Watch) -> None:
    chip, reader = soldered(rig, watch)
    reader.read()
    chip.set(1840, 10.0, 40.0)
    watch.sleep(60.0)
    began = watch.now

    assert reader.read()[0].value == 1840
    assert watch.now - began < 1.0
    assert chip.interval_s == 10


def test_its_lasting_memory_is_written_where_something_differs_and_not_at_each_opening(
    rig: Rig, watch: Watch
) -> None:
    chip, reader = soldered(
        rig, watch, altitude_m=520.4, self_heating_k=1.25, self_calibration=True
    )
    reader.read()
    assert (chip.altitude_m, chip.offset_centikelvin, chip.self_calibration) == (520, 125, 1)
    assert chip.writes == 4

    reader.close()
    reader.read()

    assert chip.writes == 4


def test_a_self_calibration_that_somebody_left_on_is_switched_off(rig: Rig, watch: Watch) -> None:
    chip, reader = soldered(rig, watch)
    chip.self_calibration = 1

    reader.read()

    assert chip.self_calibration == 0


def test_the_pressure_of_a_neighbour_is_told_when_it_changes(rig: Rig, watch: Watch) -> None:
    chip, reader = soldered(rig, watch, pressure_from="roof")
    pressures = {"roof/pressure_hpa": 987.4}
    reader.hardware.neighbour = pressures.get
    reader.read()
    assert chip.pressure_hpa == 987
    for hpa, expected in ((987.6, 988), (10.0, 988)):
        pressures["roof/pressure_hpa"] = hpa
        watch.sleep(60)
        reader.read()
        assert chip.pressure_hpa == expected


def test_self_heating_is_taken_off_the_temperature_and_not_off_co2(rig: Rig, watch: Watch) -> None:
    chip, reader = soldered(rig, watch, self_heating_k=1.5)
    chip.set(600, 20.0, 50.0)
    chip.heat_k = 1.5

    assert [one.value for one in reader.read()] == pytest.approx([600.0, 20.0, 50.0], abs=0.001)


def test_no_ppm_at_all_is_no_measurement_and_leaves_the_climate_alone(
    rig: Rig, watch: Watch
) -> None:
    chip, reader = soldered(rig, watch)
    chip.fault = "no_co2"

    assert verdicts(reader) == {
        C: (Flag.BAD, "raw-sentinel"),
        T: (Flag.GOOD, ""),
        H: (Flag.GOOD, ""),
    }


def test_what_is_no_number_is_no_reading(rig: Rig, watch: Watch) -> None:
    chip, reader = soldered(rig, watch)
    chip.fault = "not_a_number"

    with pytest.raises(SensorGarbled, match="nonsense"):
        reader.read()


def test_another_chip_at_its_address_is_said(rig: Rig, watch: Watch) -> None:
    chip, reader = soldered(rig, watch)
    chip.fault = "wrong_id"

    with pytest.raises(SensorGarbled, match="takes no command of an SCD30"):
        reader.read()


@pytest.mark.parametrize(
    ("air", "bad"),
    [
        ((1e-38, 20.0, 50.0), {C: "raw-sentinel"}),  # a float that is 0 in every digit we keep
        ((600.0, 20.0, 9.97e17), {H: "range"}),
        ((5e4, 20.0, 50.0), {C: "range"}),
        ((600.0, 71.0, 50.0), {C: "cross", T: "range", H: "cross"}),
    ],
)
def test_floats_that_no_air_has_are_flagged(
    rig: Rig, watch: Watch, air: tuple[float, float, float], bad: dict[Quantity, str]
) -> None:
    chip, reader = soldered(rig, watch)
    chip.set(*air)

    found = verdicts(reader)

    assert {q: reason for q, (flag, reason) in found.items() if flag is Flag.BAD} == bad
