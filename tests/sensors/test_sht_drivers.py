"""What the drivers sht4x and sht31 add to the Adafruit drivers."""

from __future__ import annotations

from typing import Any

import pytest
from contracts.rig import Reader, Rig

from kiezbox.errors import SensorGarbled, SensorMissing, SettingsError
from kiezbox.hardware.simulated.sht4x import SimulatedSht4x
from kiezbox.hardware.simulated.sht31 import SimulatedSht31
from kiezbox.model import Flag, Quantity

T, H = Quantity.TEMPERATURE_C, Quantity.HUMIDITY_PERCENT

TWINS = {"sht4x": SimulatedSht4x, "sht31": SimulatedSht31}
both = pytest.mark.parametrize("driver", TWINS)


def soldered(rig: Rig, driver: str, address: int = 0x44) -> tuple[Any, Reader]:
    chip = TWINS[driver]()
    rig.bench.attach(address, chip)
    return chip, rig.reader(driver, {"address": address})


def verdicts(reader: Reader) -> dict[Quantity, tuple[Flag, str]]:
    return {one.quantity: (one.flag, one.reason) for one in reader.read()}


@both
def test_a_read_is_one_measurement(rig: Rig, driver: str) -> None:
    chip, reader = soldered(rig, driver)
    reader.read()
    before = chip.conversions

    reader.read()

    assert chip.conversions == before + 1


@both
def test_the_second_address_works_too(rig: Rig, driver: str) -> None:
    chip, reader = soldered(rig, driver, 0x45)
    chip.set(3.0, 80.0)

    assert [one.value for one in reader.read()] == pytest.approx([3.0, 80.0], abs=0.003)


@both
def test_an_address_that_the_chip_cannot_have_is_refused(rig: Rig, driver: str) -> None:
    with pytest.raises(SettingsError, match="0x40"):
        rig.reader(driver, {"address": 0x40})


@pytest.mark.parametrize(("driver", "other"), [("sht4x", "sht31"), ("sht31", "sht4x")])
def test_the_other_kind_at_the_same_address_is_named(rig: Rig, driver: str, other: str) -> None:
    rig.bench.attach(0x44, TWINS[other]())

    with pytest.raises(SensorGarbled, match="takes no command") as raised:
        rig.reader(driver).read()

    assert f'driver = "{other}"' in raised.value.hint


@both
@pytest.mark.parametrize("fault", ["raw_zero", "raw_ones"])
def test_words_of_only_zeros_or_ones_are_no_measurement(rig: Rig, driver: str, fault: str) -> None:
    chip, reader = soldered(rig, driver)
    reader.read()
    chip.fault = fault

    assert set(verdicts(reader).values()) == {(Flag.BAD, "raw-sentinel")}


@both
@pytest.mark.parametrize(
    ("air", "expected"),
    [
        ((4.0, 100.0), {T: (Flag.GOOD, ""), H: (Flag.GOOD, "")}),  # fog
        ((20.0, 0.0), {T: (Flag.GOOD, ""), H: (Flag.BAD, "range")}),
        ((-41.0, 50.0), {T: (Flag.BAD, "range"), H: (Flag.BAD, "cross")}),
        ((126.0, 50.0), {T: (Flag.BAD, "range"), H: (Flag.BAD, "cross")}),
        ((-39.9, 50.0), {T: (Flag.GOOD, ""), H: (Flag.GOOD, "")}),
    ],
)
def test_what_the_chip_cannot_measure_is_flagged(
    rig: Rig,
    driver: str,
    air: tuple[float, float],
    expected: dict[Quantity, tuple[Flag, str]],
) -> None:
    chip, reader = soldered(rig, driver)
    chip.set(*air)

    assert verdicts(reader) == expected


def test_a_heater_that_somebody_left_on_is_switched_off(rig: Rig) -> None:
    chip, reader = soldered(rig, "sht31")
    chip.set(20.0, 60.0)
    chip.write(bytes.fromhex("306d"))

    assert reader.read()[0].value == pytest.approx(20.0, abs=0.003)


@both
def test_a_chip_that_is_still_measuring_when_it_is_opened_is_waited_for(
    rig: Rig, driver: str
) -> None:
    chip, reader = soldered(rig, driver)
    chip.write(bytes.fromhex("fd" if driver == "sht4x" else "2400"))

    assert all(one.flag is Flag.GOOD for one in reader.read())


@both
def test_nobody_there_is_told_from_somebody_else(rig: Rig, driver: str) -> None:
    chip, reader = soldered(rig, driver)
    chip.fault = "silence"

    with pytest.raises(SensorMissing, match="0x44"):
        reader.read()
