"""The SEN5x driver: what each model has, a fan that rests beside a gas sensor that does not, and
how far its indices can be believed.
"""

from __future__ import annotations

import pytest
from contracts.haste import clock
from contracts.rig import Reader, Rig

from kiezbox.errors import SensorGarbled
from kiezbox.hardware.simulated.sen5x import CLEAN, START_WITHOUT_PM, SimulatedSen5x
from kiezbox.hardware.simulated.sps30 import SimulatedSps30
from kiezbox.model import Flag, Measurement, Quantity
from kiezbox.sensors import _duty, sen5x

#: Rests between two readings: the warm-up is short, the pause is not.
RESTING = {"warm_up_s": 0.02, "interval_s": 150, "gas_warm_up_s": 0}
MASSES, CLIMATE, GASES = sen5x.QUANTITIES[:4], sen5x.QUANTITIES[4:6], sen5x.QUANTITIES[6:]


def plugged(rig: Rig, table: dict[str, object], **detail: object) -> tuple[SimulatedSen5x, Reader]:
    chip = SimulatedSen5x(clock=lambda: clock() * 100, **detail)  # type: ignore[arg-type]
    rig.bench.attach(0x69, chip)
    return chip, rig.reader("sen5x", table)


def doubted(measurements: list[Measurement]) -> dict[Quantity, tuple[Flag, str]]:
    return {one.quantity: (one.flag, one.reason) for one in measurements if one.flag != Flag.GOOD}


@pytest.mark.parametrize(
    ("model", "quantities"),
    [("SEN50", MASSES), ("SEN54", sen5x.QUANTITIES[:7]), ("SEN55", sen5x.QUANTITIES)],
)
def test_a_model_measures_what_it_has_and_says_nothing_of_the_rest(
    rig: Rig, model: str, quantities: tuple[Quantity, ...]
) -> None:
    chip, reader = plugged(rig, RESTING, model=model)

    measurements = list(reader.read())

    assert tuple(one.quantity for one in measurements) == quantities
    assert doubted(measurements) == {}


def test_fan_and_laser_rest_between_two_readings_and_the_gas_sensor_goes_on(rig: Rig) -> None:
    chip, reader = plugged(rig, RESTING)

    for _ in range(3):
        reader.read()
        assert chip.state == "gas"

    assert chip.gas_starts == 1


@pytest.mark.parametrize(
    # An SEN50 has nothing that could go on; firmware before 2.0 would have to stop the gas sensor.
    ("model", "firmware", "state"),
    [("SEN50", (2, 0), "idle"), ("SEN55", (1, 5), "measuring")],
)
def test_what_cannot_rest_beside_a_gas_sensor_does_what_it_can(
    rig: Rig, model: str, firmware: tuple[int, int], state: str
) -> None:
    chip, reader = plugged(rig, RESTING, model=model, firmware=firmware)

    reader.read()
    reader.read()

    assert chip.state == state
    assert START_WITHOUT_PM not in chip.commands


def test_closing_it_stops_the_fan_and_lets_the_gas_sensor_keep_what_it_has_learned(
    rig: Rig,
) -> None:
    chip, reader = plugged(rig, {**RESTING, "warm_up_s": 0})
    reader.read()
    assert chip.state == "measuring"

    reader.close()
    assert chip.state == "gas"
    reader.read()

    assert chip.gas_starts == 1


def test_its_indices_are_doubted_until_the_gas_sensor_has_run_long_enough(rig: Rig) -> None:
    chip, reader = plugged(rig, {**RESTING, "gas_warm_up_s": 3600})

    warm_up = (Flag.SUSPECT, "warm-up")
    assert doubted(list(reader.read())) == dict.fromkeys(GASES, warm_up)
    sen5x._GAS_SINCE[0x69] -= 3600
    assert doubted(list(reader.read())) == {Quantity.NOX_INDEX: warm_up}
    sen5x._GAS_SINCE[0x69] -= 5 * 3600
    assert doubted(list(reader.read())) == {}


def test_after_a_dip_of_its_supply_the_indices_are_doubted_again(rig: Rig) -> None:
    chip, reader = plugged(rig, {**RESTING, "gas_warm_up_s": 3600})
    reader.read()
    sen5x._GAS_SINCE[0x69] -= 10 * 3600
    assert doubted(list(reader.read())) == {}

    chip.power_cycle()
    reader.close()  # what the node does after the read that fails

    assert set(doubted(list(reader.read()))) == set(GASES)


def test_the_nox_index_of_the_first_seconds_is_no_measurement(rig: Rig) -> None:
    chip, reader = plugged(rig, RESTING)
    chip._on_since = float("inf")

    assert doubted(list(reader.read())) == {Quantity.NOX_INDEX: (Flag.BAD, "raw-sentinel")}


@pytest.mark.parametrize(
    # Status bits as in the package's Sen5xDeviceStatus.
    ("fault", "concerned", "flag"),
    [
        ("fan_blocked", MASSES, Flag.BAD),
        ("laser_broken", MASSES, Flag.BAD),
        ("fan_slow", MASSES, Flag.SUSPECT),
        ("climate_broken", CLIMATE + GASES, Flag.BAD),
        ("gas_broken", GASES, Flag.BAD),
    ],
)
def test_what_it_says_of_a_part_concerns_what_hangs_on_that_part(
    rig: Rig, fault: str, concerned: tuple[Quantity, ...], flag: Flag
) -> None:
    chip, reader = plugged(rig, RESTING)
    chip.fault = fault

    assert doubted(list(reader.read())) == dict.fromkeys(concerned, (flag, "status"))


def test_what_was_wrong_once_is_not_wrong_for_ever(rig: Rig) -> None:
    chip, reader = plugged(rig, RESTING)
    chip.status = 1 << 4

    assert doubted(list(reader.read())) == dict.fromkeys(MASSES, (Flag.BAD, "status"))
    assert doubted(list(reader.read())) == {}


def test_values_beyond_what_it_can_measure_are_flagged_one_by_one(rig: Rig) -> None:
    chip, reader = plugged(rig, RESTING)
    chip.set((300.0, 800.0, 1000.0, 1200.0), 0.0, 70.0)

    assert doubted(list(reader.read())) == dict.fromkeys(
        (Quantity.PM10_UG_M3, *CLIMATE), (Flag.BAD, "range")
    )


def test_frost_has_its_sign(rig: Rig) -> None:
    chip, reader = plugged(rig, RESTING)
    chip.set((1.0, 2.0, 3.0, 4.0), 80.0, -7.35)

    by_quantity = {one.quantity: one.value for one in reader.read()}

    assert by_quantity[Quantity.TEMPERATURE_C] == pytest.approx(-7.35, abs=0.003)


def test_the_fan_of_one_that_rests_is_cleaned_when_it_is_due(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_duty, "CLEANING_S", 0.01)
    chip, reader = plugged(rig, RESTING)
    reader.read()
    assert CLEAN not in chip.commands

    _duty._CLEANED_AT["the SEN5x at 0x69"] -= 7 * 86400
    reader.close()  # a bad contact in between changes nothing
    reader.read()
    reader.read()

    assert chip.commands.count(CLEAN) == 1


def test_another_chip_at_its_address_is_no_sen5x(rig: Rig) -> None:
    chip, reader = plugged(rig, RESTING, model="SPS30")

    with pytest.raises(SensorGarbled, match="is no SEN5x") as raised:
        reader.read()

    assert 'driver = "sps30"' in raised.value.hint


def test_a_chip_that_takes_no_command_of_an_sen5x_is_not_called_absent(rig: Rig) -> None:
    rig.bench.attach(0x69, SimulatedSps30(clock=lambda: clock() * 100))
    reader = rig.reader("sen5x", RESTING)

    with pytest.raises(SensorGarbled, match="takes no command of an SEN5x"):
        reader.read()
