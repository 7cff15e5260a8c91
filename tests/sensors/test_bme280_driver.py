"""The BME280 driver: one conversion a read, codes that are no measurement, other chips."""

from __future__ import annotations

import time

import pytest
from contracts.rig import Reader, Rig

from kiezbox.clock import SystemClock
from kiezbox.errors import SensorGarbled, SensorTimeout
from kiezbox.hardware import Deadline, SensorHardware
from kiezbox.hardware.simulated._bosch import EXAMPLE
from kiezbox.hardware.simulated.bme280 import SimulatedBme280
from kiezbox.model import Flag, Quantity
from kiezbox.sensors import bme280

T, H, P = bme280.QUANTITIES


def soldered(rig: Rig, address: int = 0x76) -> tuple[SimulatedBme280, Reader]:
    chip = SimulatedBme280()
    rig.bench.attach(address, chip)
    return chip, rig.reader("bme280", {"address": address})


def values(reader: Reader) -> dict[Quantity, float]:
    return {one.quantity: one.value for one in reader.read()}


def verdicts(reader: Reader) -> dict[Quantity, tuple[Flag, str]]:
    return {one.quantity: (one.flag, one.reason) for one in reader.read()}


def test_a_read_is_one_conversion(rig: Rig) -> None:
    chip, reader = soldered(rig)
    reader.read()
    before = chip.conversions

    reader.read()

    assert chip.conversions == before + 1


def test_the_second_address_works_too(rig: Rig) -> None:
    chip, reader = soldered(rig, 0x77)
    chip.set(3.0, 80.0, 1000.0)

    assert values(reader)[T] == pytest.approx(3.0, abs=0.005)


@pytest.mark.parametrize(
    ("fault", "celsius", "hpa"), [("raw_zero", -140.88, 1312.8), ("raw_reset", 26.46, 820.4)]
)
def test_codes_that_are_no_measurement_are_kept_and_flagged(
    rig: Rig, fault: str, celsius: float, hpa: float
) -> None:
    chip, reader = soldered(rig)
    reader.read()
    chip.fault = fault

    measurements = {one.quantity: one for one in reader.read()}

    assert {(m.flag, m.reason) for m in measurements.values()} == {(Flag.BAD, "raw-sentinel")}
    # What the same codes gave on another register simulator: kept as it came.
    assert measurements[T].value == pytest.approx(celsius, abs=0.01)
    assert measurements[P].value == pytest.approx(hpa, abs=0.1)


class WithoutPressure(SimulatedBme280):
    """Its pressure is skipped, as by a write that was garbled on the way."""

    def _oversampling(self) -> tuple[int, int, int]:
        return 1, 0, 1


def test_one_skipped_value_makes_the_whole_moment_bad(rig: Rig) -> None:
    rig.bench.attach(0x76, WithoutPressure())

    # It would read 820 hPa, which is inside the sheet's range.
    assert set(verdicts(rig.reader("bme280")).values()) == {(Flag.BAD, "raw-sentinel")}


def test_a_true_value_that_hits_a_reset_code_costs_one_reading(rig: Rig) -> None:
    chip, reader = soldered(rig)
    chip.set(26.4607, 50.0, 1000.0)  # temperature code 0x80000 with these trimming values

    assert verdicts(reader)[T] == (Flag.BAD, "raw-sentinel")


def test_a_pressure_beyond_the_sheet_makes_the_whole_moment_bad(rig: Rig) -> None:
    chip, reader = soldered(rig)
    chip.set(21.0, 50.0, 1150.0)

    assert verdicts(reader) == {
        T: (Flag.BAD, "cross"),
        H: (Flag.BAD, "cross"),
        P: (Flag.BAD, "range"),
    }


def test_no_humidity_at_all_makes_only_humidity_bad(rig: Rig) -> None:
    chip, reader = soldered(rig)
    chip.set(21.0, 0.0, 1000.0)

    assert verdicts(reader) == {T: (Flag.GOOD, ""), H: (Flag.BAD, "range"), P: (Flag.GOOD, "")}


def test_fog_is_not_flagged(rig: Rig) -> None:
    chip, reader = soldered(rig)
    chip.set(4.0, 100.0, 1020.0)

    assert verdicts(reader)[H] == (Flag.GOOD, "")


@pytest.mark.parametrize(
    ("fault", "words", "hint"),
    [
        ("wrong_id", "is a BMP280, not a BME280", "no humidity"),
        ("stuck_high", "0xff", "loose SDA"),
        ("stuck_low", "0x00", "short circuit"),
        ("zero_calibration", "no trimming values", "Cut its supply"),
    ],
)
def test_a_chip_that_is_none_is_named(rig: Rig, fault: str, words: str, hint: str) -> None:
    chip, reader = soldered(rig)
    chip.fault = fault

    with pytest.raises(SensorGarbled, match=words) as raised:
        reader.read()

    assert hint in raised.value.hint


def test_a_chip_that_lost_its_supply_is_set_up_again_within_the_read(rig: Rig) -> None:
    chip, reader = soldered(rig)
    chip.set(21.5, 55.0, 1008.0)
    reader.read()

    chip.power_cycle()

    assert values(reader)[P] == pytest.approx(1008.0, abs=0.01)


def test_another_chip_in_the_same_place_is_read_with_its_own_trimming_values(rig: Rig) -> None:
    chip, reader = soldered(rig)
    reader.read()
    other = SimulatedBme280(calibration=EXAMPLE._replace(t1=28100, p1=35000, h2=400))
    other.set(-3.5, 71.0, 993.3)

    rig.bench.attach(0x76, other)

    assert list(values(reader).values()) == pytest.approx([-3.5, 71.0, 993.3], abs=0.01)


class ResetWhileMeasuring(SimulatedBme280):
    """Its supply dips while it measures."""

    def _convert(self) -> None:
        self.power_cycle()


def test_a_reset_in_the_middle_of_a_conversion_is_flagged(rig: Rig) -> None:
    rig.bench.attach(0x76, ResetWhileMeasuring())
    reader = rig.reader("bme280")

    assert set(verdicts(reader).values()) == {(Flag.BAD, "raw-sentinel")}


def test_a_status_that_sticks_ends_also_without_a_deadline(rig: Rig) -> None:
    chip, reader = soldered(rig)
    chip.fault = "stuck_status"
    hardware = SensorHardware(rig.hardware, Deadline(SystemClock()))  # never started
    sensor = bme280.open(reader.settings, hardware)

    began = time.monotonic()
    with pytest.raises(SensorTimeout, match="never finishes"):
        sensor.read()

    assert time.monotonic() - began < 5
