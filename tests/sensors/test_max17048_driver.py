"""The MAX17048 driver: it forgets nothing, and says where its charge is worth nothing."""

from __future__ import annotations

import time

import pytest
from contracts.rig import Reader, Rig

from kiezbox.errors import SensorGarbled
from kiezbox.hardware.simulated.max17048 import SimulatedMax17048
from kiezbox.model import Flag, Measurement


def soldered(rig: Rig, **table: object) -> tuple[SimulatedMax17048, Reader]:
    chip = SimulatedMax17048(clock=lambda: time.monotonic() * 10_000)
    rig.bench.attach(0x36, chip)
    return chip, rig.reader("max17048", table)


def verdict(one: Measurement) -> tuple[Flag, str]:
    return one.flag, one.reason


def test_opening_it_does_not_reset_what_it_has_learned(rig: Rig) -> None:
    chip, reader = soldered(rig)

    for _ in range(3):
        reader.read()
        reader.close()

    assert chip.starts == 1


def test_charge_of_a_lifepo4_cell_is_flagged_and_its_voltage_counts(rig: Rig) -> None:
    chip, reader = soldered(rig, chemistry="lifepo4")
    chip.set(3.3, 12.0)

    volts, charge = reader.read()

    assert volts.value == pytest.approx(3.3, abs=0.0001)
    assert verdict(volts) == (Flag.GOOD, "")
    assert (charge.value, *verdict(charge)) == (12.0, Flag.BAD, "model")


def test_the_end_of_charging_is_100_percent_and_what_the_chip_said_is_kept(rig: Rig) -> None:
    chip, reader = soldered(rig)
    chip.set(4.19, 102.5)

    _, charge = reader.read()

    assert charge == Measurement(charge.quantity, 100.0, 102.5)


def test_a_charge_far_above_full_is_none(rig: Rig) -> None:
    chip, reader = soldered(rig)
    chip.set(4.1, 255.0)

    assert [verdict(one) for one in reader.read()] == [(Flag.GOOD, ""), (Flag.BAD, "range")]


@pytest.mark.parametrize("cell_v", [2.1, 4.8])
def test_a_voltage_at_which_the_chip_does_not_work_takes_the_charge_along(
    rig: Rig, cell_v: float
) -> None:
    chip, reader = soldered(rig)
    chip.set(cell_v, 50.0)

    assert [verdict(one) for one in reader.read()] == [(Flag.BAD, "range"), (Flag.BAD, "cross")]


def test_two_cells_have_twice_the_voltage(rig: Rig) -> None:
    chip, reader = soldered(rig, cells=2)
    chip.set(3.9, 75.0)

    assert reader.read()[0].value == pytest.approx(7.8, abs=0.0001)


def test_after_a_new_battery_it_waits_for_the_first_conversion(rig: Rig) -> None:
    chip = SimulatedMax17048()  # at its real speed: 192 ms
    chip.set(3.7, 40.0)
    rig.bench.attach(0x36, chip)
    reader = rig.reader("max17048")

    first = [one.value for one in reader.read()]
    took_s = reader.took_s
    second = [one.value for one in reader.read()]

    assert first == second == [pytest.approx(3.7, abs=0.0001), 40.0]
    assert took_s > 0.19 > reader.took_s  # the indicator is cleared: it waits once


def test_a_battery_that_makes_no_contact_is_no_zero_volts(rig: Rig) -> None:
    chip, reader = soldered(rig)
    chip.fault = "restarting"

    assert {verdict(one) for one in reader.read()} == {(Flag.BAD, "raw-sentinel")}


def test_an_elder_at_the_same_address_is_read_as_well(rig: Rig) -> None:
    # "MAX17043/MAX17044": 12 bits of 1.25 mV in the upper bits of VCELL, SOC as in its heirs.
    chip = SimulatedMax17048(is_elder=True, clock=lambda: time.monotonic() * 10_000)
    chip.set(3.7, 41.5)
    rig.bench.attach(0x36, chip)
    reader = rig.reader("max17048")

    for _ in range(2):
        volts, charge = reader.read()
        assert (volts.value, charge.value) == (pytest.approx(3.7), 41.5)
        assert verdict(volts) == verdict(charge) == (Flag.GOOD, "")
        reader.close()

    assert chip.starts == 1


def test_another_chip_at_its_address_is_none(rig: Rig) -> None:
    chip, reader = soldered(rig)
    chip.fault = "wrong_id"

    with pytest.raises(SensorGarbled, match="answers nonsense"):
        reader.read()
