"""What the driver scd4x adds to the Adafruit driver: settings, pressure, no wrong assumption."""

from __future__ import annotations

from typing import Any

import adafruit_scd4x
import pytest
from contracts.haste import Watch
from contracts.rig import Reader, Rig

from kiezbox.errors import SensorError, SensorGarbled, SettingsError
from kiezbox.hardware.simulated.scd4x import SimulatedScd4x
from kiezbox.model import Flag, Quantity
from kiezbox.sensors import scd4x

C, T, H = scd4x.QUANTITIES


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    made = Watch()
    monkeypatch.setattr(adafruit_scd4x, "time", made)
    monkeypatch.setattr(scd4x, "time", made)
    return made


def soldered(rig: Rig, watch: Watch, **table: Any) -> tuple[SimulatedScd4x, Reader]:
    chip = SimulatedScd4x(clock=watch)
    rig.bench.attach(0x62, chip)
    return chip, rig.reader("scd4x", table)


def verdicts(reader: Reader) -> dict[Quantity, tuple[Flag, str]]:
    return {one.quantity: (one.flag, one.reason) for one in reader.read()}


@pytest.mark.parametrize(
    ("measures", "command", "first_s"),
    [("continuous", 0x21B1, 5.0), ("low-power", 0x21AC, 30.0)],
)
def test_it_measures_as_it_is_told_and_says_the_newest_value(
    rig: Rig, watch: Watch, measures: str, command: int, first_s: float
) -> None:
    chip, reader = soldered(rig, watch, measures=measures)
    began = watch.now

    reader.read()

    assert command in chip.commands
    assert first_s <= watch.now - began < first_s + 1.5
    chip.set(1840, 10.0, 40.0)
    watch.sleep(60.0)
    began = watch.now
    assert reader.read()[0].value == 1840
    assert watch.now - began < 0.1


def test_a_single_shot_is_one_measurement_a_reading_after_a_first_one_thrown_away(
    rig: Rig, watch: Watch
) -> None:
    chip, reader = soldered(rig, watch, measures="single-shot")
    reader.read()
    assert chip.conversions == 2

    reader.read()

    assert chip.conversions == 3
    assert not chip.is_measuring


def test_an_scd40_is_not_asked_for_single_shots(rig: Rig, watch: Watch) -> None:
    chip, reader = soldered(rig, watch, measures="single-shot")
    chip.variant = "SCD40"

    with pytest.raises(SensorGarbled, match="is an SCD40") as raised:
        reader.read()

    assert "low-power" in raised.value.hint


@pytest.mark.parametrize("measures", ["continuous", "low-power", "single-shot"])
def test_it_does_not_calibrate_itself_unless_it_is_told_to(
    rig: Rig, watch: Watch, measures: str
) -> None:
    chip, reader = soldered(rig, watch, measures=measures)
    assert chip.self_calibration == 1  # as it comes out of the bag

    reader.read()

    assert chip.self_calibration == 0


def test_it_calibrates_itself_where_somebody_says_that_there_is_fresh_air(
    rig: Rig, watch: Watch
) -> None:
    chip, reader = soldered(rig, watch, self_calibration=True)

    reader.read()

    assert chip.self_calibration == 1


def test_self_calibration_and_single_shots_are_refused_together(rig: Rig) -> None:
    with pytest.raises(SettingsError, match="does not go with"):
        rig.reader("scd4x", {"measures": "single-shot", "self_calibration": True})


def test_a_deadline_that_is_too_short_for_a_measurement_is_refused(rig: Rig) -> None:
    with pytest.raises(SettingsError, match="deadline_s"):
        rig.reader("scd4x", {"measures": "low-power", "deadline_s": 20})


def test_a_chip_that_lost_its_supply_between_two_single_shots_is_set_up_again(
    rig: Rig, watch: Watch
) -> None:
    chip, reader = soldered(rig, watch, measures="single-shot", altitude_m=520, self_heating_k=1.5)
    reader.read()

    chip.power_cycle()
    reader.read()

    assert (chip.self_calibration, chip.altitude_m) == (0, 520)
    assert chip.offset_word == pytest.approx(1.5 / 175 * 65535, abs=1)


def test_altitude_and_self_heating_reach_the_chip_and_the_temperature(
    rig: Rig, watch: Watch
) -> None:
    chip, reader = soldered(rig, watch, altitude_m=520.4, self_heating_k=1.5)
    chip.set(600, 20.0, 50.0)
    chip.heat_k = 1.5

    values = {one.quantity: one.value for one in reader.read()}

    assert chip.altitude_m == 520
    assert values[T] == pytest.approx(20.0, abs=0.005)
    assert values[H] == pytest.approx(50.0, abs=0.05)


def test_the_pressure_of_a_neighbour_is_told_when_it_changes(rig: Rig, watch: Watch) -> None:
    chip, reader = soldered(rig, watch, pressure_from="roof")
    pressures: dict[str, float] = {}
    reader.hardware.neighbour = pressures.get
    reader.read()
    assert chip.pressure_hpa is None

    for hpa, expected in ((987.4, 987), (987.6, 988), (10.0, 988)):
        pressures["roof/pressure_hpa"] = hpa
        watch.sleep(60)
        reader.read()
        assert chip.pressure_hpa == expected
    told = chip.commands.count(0xE000)
    pressures.clear()
    watch.sleep(60)
    reader.read()

    assert chip.pressure_hpa == 988
    assert chip.commands.count(0xE000) == told == 2


def test_a_neighbour_whose_name_cannot_be_is_refused(rig: Rig) -> None:
    with pytest.raises(SettingsError, match="pressure_from"):
        rig.reader("scd4x", {"pressure_from": "the roof"})


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


def test_air_that_is_too_cold_for_it_makes_all_of_it_bad(rig: Rig, watch: Watch) -> None:
    chip, reader = soldered(rig, watch)
    chip.set(450, -12.0, 80.0)

    assert verdicts(reader) == {
        C: (Flag.BAD, "cross"),
        T: (Flag.BAD, "range"),
        H: (Flag.BAD, "cross"),
    }


def test_another_chip_at_its_address_is_said(rig: Rig, watch: Watch) -> None:
    chip, reader = soldered(rig, watch)
    chip.fault = "wrong_id"

    with pytest.raises(SensorGarbled, match="takes no command of an SCD4x"):
        reader.read()


class ReadyOnce(SimulatedScd4x):
    """Says that data are ready when it is asked first, and then that they are not."""

    asked = 0

    def carry_out(self, command: int, arguments: list[int]) -> Any:
        done = super().carry_out(command, arguments)
        if command == 0xE4B8:
            self.asked += 1
            return done._replace(reply=(0x8006 if self.asked % 2 else 0x8000,))
        return done


def test_the_last_reading_is_not_said_again_where_the_chip_contradicts_itself(
    rig: Rig, watch: Watch
) -> None:
    chip = ReadyOnce(clock=watch)
    rig.bench.attach(0x62, chip)
    reader = rig.reader("scd4x")
    reader.hardware.deadline.start(60)
    for ppm in (600, 1840, 2500):
        chip.set(ppm, 20.0, 50.0)
        chip.asked = 0
        watch.sleep(60)
        try:
            assert reader.read()[0].value == ppm
        except SensorError:
            pass  # no data yet: also true
