"""The INA226 driver: ranges, shunts, signs, dips of the supply, chips that look alike."""

from __future__ import annotations

import time

import pytest
from contracts.rig import Reader, Rig

from kiezbox.errors import SensorGarbled
from kiezbox.hardware.simulated.ina219 import SimulatedIna219
from kiezbox.hardware.simulated.ina226 import SimulatedIna226
from kiezbox.model import Flag, Measurement

GOOD, OVERFLOW, RANGE = (Flag.GOOD, ""), (Flag.BAD, "overflow"), (Flag.BAD, "range")


def fast() -> float:
    """A clock by which a conversion is over before the next transaction."""
    return time.monotonic() * 10_000


def soldered(rig: Rig, *, shunt_ohm: float = 0.1) -> tuple[SimulatedIna226, Reader]:
    chip = SimulatedIna226(shunt_ohm=shunt_ohm, clock=fast)
    rig.bench.attach(0x40, chip)
    return chip, rig.reader("ina226", {"shunt_ohm": shunt_ohm})


def verdicts(measurements: tuple[Measurement, ...]) -> list[tuple[Flag, str]]:
    return [(one.flag, one.reason) for one in measurements]


def test_the_data_sheets_example_circuit_is_ten_amperes_at_eleven_point_98_volts(rig: Rig) -> None:
    # SBOS547B table 6-1: 2 mΩ, 10 A, 11.98 V, 119.82 W (in steps of 25 mW).
    chip, reader = soldered(rig, shunt_ohm=0.002)
    chip.set(11.98, 10.0)

    volts, amperes, watts = reader.read()

    assert (volts.value, amperes.value) == (pytest.approx(11.98), pytest.approx(10.0))
    assert watts.value == pytest.approx(119.82, abs=0.025)


@pytest.mark.parametrize("current_a", [0.8192, -0.8193, 3.0])
def test_a_current_beyond_the_range_is_flagged_and_the_voltage_is_not(
    rig: Rig, current_a: float
) -> None:
    # 81.92 mV at 0.1 Ω (SBOS547B 7.1.2).
    chip, reader = soldered(rig)
    chip.set(12.8, current_a)

    assert verdicts(tuple(reader.read())) == [GOOD, OVERFLOW, OVERFLOW]


def test_charging_and_discharging_differ_in_sign_in_current_and_power(rig: Rig) -> None:
    chip, reader = soldered(rig, shunt_ohm=0.01)
    chip.set(13.4, -1.5)

    _, amperes, watts = reader.read()

    assert (amperes.value, watts.value) == (pytest.approx(-1.5), pytest.approx(-20.1))


def test_more_volts_than_the_pins_stand_are_flagged(rig: Rig) -> None:
    chip, reader = soldered(rig)
    chip.set(37.0, 0.5)

    assert verdicts(tuple(reader.read())) == [RANGE, GOOD, RANGE]


def test_a_chip_that_lost_its_supply_is_set_up_again_within_the_read(rig: Rig) -> None:
    chip, reader = soldered(rig)
    chip.set(12.8, 0.5)
    reader.read()

    chip.power_cycle()

    assert verdicts(tuple(measurements := reader.read())) == [GOOD, GOOD, GOOD]
    assert measurements[1].value == 0.5


def test_after_setting_up_it_waits_for_a_conversion_of_its_own(rig: Rig) -> None:
    chip = SimulatedIna226()  # at its real speed: 141 ms
    chip.set(12.8, 0.5)
    rig.bench.attach(0x40, chip)
    reader = rig.reader("ina226")

    assert [one.value for one in reader.read()] == [12.8, 0.5, pytest.approx(6.4)]


def test_an_ina219_is_named_together_with_its_driver(rig: Rig) -> None:
    rig.bench.attach(0x40, SimulatedIna219(clock=fast))
    reader = rig.reader("ina226")

    with pytest.raises(SensorGarbled, match="is an INA219, not an INA226") as raised:
        reader.read()

    assert 'driver = "ina219"' in raised.value.hint


def test_a_supply_that_dips_at_every_write_is_said(rig: Rig) -> None:
    chip, reader = soldered(rig)
    chip.fault = "brown_out"

    with pytest.raises(SensorGarbled, match="forgets its settings") as raised:
        reader.read()

    assert "VCC" in raised.value.hint
