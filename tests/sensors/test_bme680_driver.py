"""What the driver bme680 adds to the Adafruit driver: one conversion, doubt, right trimming."""

from __future__ import annotations

import time

import adafruit_bme680
import bme680 as pimoroni
import pytest
from contracts.haste import Watch
from contracts.rig import Reader, Rig

from kiezbox.clock import SystemClock
from kiezbox.errors import SensorGarbled, SensorTimeout
from kiezbox.hardware import Deadline, SensorHardware
from kiezbox.hardware.simulated._bosch680 import EXAMPLE, Calibration680
from kiezbox.hardware.simulated.bme680 import SimulatedBme680
from kiezbox.model import Flag, Quantity
from kiezbox.sensors import bme680

T, H, P, G = bme680.QUANTITIES

#: Another real chip's (RAK1906): its range error is negative, and so is its heater's value here.
OTHER = EXAMPLE._replace(
    t1=25936, t2=26651, p1=37585, p2=-10203, p4=7829, p5=-71, p6=30, p7=47, p8=-3333, p9=-2316,
    h1=824, h2=1001, g1=-53, g2=-8305, heat_value=-10, range_error=-3,
)  # fmt: skip


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    made = Watch()
    monkeypatch.setattr(adafruit_bme680, "time", made)
    return made


def soldered(
    rig: Rig, watch: Watch, calibration: Calibration680 = EXAMPLE, *, is_688: bool = False
) -> tuple[SimulatedBme680, Reader]:
    chip = SimulatedBme680(calibration=calibration, is_688=is_688, clock=watch)
    rig.bench.attach(0x76, chip)
    return chip, rig.reader("bme680")


def values(reader: Reader) -> dict[Quantity, float]:
    return {one.quantity: one.value for one in reader.read()}


def verdicts(reader: Reader) -> dict[Quantity, tuple[Flag, str]]:
    return {one.quantity: (one.flag, one.reason) for one in reader.read()}


def test_a_read_is_one_conversion_of_now(rig: Rig, watch: Watch) -> None:
    chip, reader = soldered(rig, watch)
    chip.set(21.5, 55.0, 1008.0, 52_300.0)
    reader.read()
    before = chip.conversions
    chip.set(3.0, 80.0, 990.0, 200_000.0)

    assert list(values(reader).values()) == pytest.approx([3.0, 80.0, 990.0, 200_000], rel=0.004)
    assert chip.conversions == before + 1
    assert chip._registers[0x75] == 0, "no filter, which would mix in the minutes before"


@pytest.mark.parametrize("is_688", [False, True])
@pytest.mark.parametrize("calibration", [EXAMPLE, OTHER])
def test_every_chips_trimming_values_are_taken_apart_rightly(
    rig: Rig, watch: Watch, calibration: Calibration680, is_688: bool
) -> None:
    chip, reader = soldered(rig, watch, calibration, is_688=is_688)
    chip.set(21.5, 55.0, 1008.0, 52_300.0)

    read = values(reader)

    assert read[T] == pytest.approx(21.5, abs=0.01)
    assert read[H] == pytest.approx(55.0, abs=0.05)
    assert read[P] == pytest.approx(1008.0, abs=0.05)
    assert read[G] == pytest.approx(52_300, rel=0.004)


def test_the_plate_gets_the_temperature_that_pimoronis_driver_gives_it(
    rig: Rig, watch: Watch
) -> None:
    chip, reader = soldered(rig, watch, OTHER)
    reader.read()
    ours = chip._registers[0x5A]
    judge = pimoroni.BME680Data()
    judge.calibration_data.par_gh1 = OTHER.g1
    judge.calibration_data.par_gh2 = OTHER.g2
    judge.calibration_data.par_gh3 = OTHER.g3
    judge.calibration_data.res_heat_range = OTHER.heat_range
    judge.calibration_data.res_heat_val = OTHER.heat_value
    judge.ambient_temperature = 25

    theirs = pimoroni.BME680._calc_heater_resistance(judge, 320)

    assert ours == pytest.approx(theirs, abs=2)


@pytest.mark.parametrize("fault", ["raw_zero", "raw_reset"])
def test_codes_that_are_no_measurement_make_all_of_it_bad(
    rig: Rig, watch: Watch, fault: str
) -> None:
    chip, reader = soldered(rig, watch)
    reader.read()
    chip.fault = fault

    found = verdicts(reader)

    assert {found[q] for q in (T, H, P)} == {(Flag.BAD, "raw-sentinel")}
    assert found[G] == (Flag.BAD, "warm-up")  # neither valid nor stable


def test_gas_of_a_plate_that_is_not_hot_is_no_gas_and_the_climate_is_good(
    rig: Rig, watch: Watch
) -> None:
    chip, reader = soldered(rig, watch)
    chip.fault = "cold_plate"

    assert verdicts(reader) == {
        T: (Flag.GOOD, ""),
        H: (Flag.GOOD, ""),
        P: (Flag.GOOD, ""),
        G: (Flag.BAD, "warm-up"),
    }


def test_ohms_that_no_plate_in_air_has_are_flagged(rig: Rig, watch: Watch) -> None:
    chip, reader = soldered(rig, watch)
    chip.set(20.0, 50.0, 1000.0, 500.0)

    assert verdicts(reader)[G] == (Flag.BAD, "range")


def test_a_pressure_beyond_the_sheet_makes_the_climate_bad(rig: Rig, watch: Watch) -> None:
    chip, reader = soldered(rig, watch)
    chip.set(21.0, 50.0, 1150.0)

    found = verdicts(reader)

    assert [found[q] for q in (T, H, P)] == [
        (Flag.BAD, "cross"),
        (Flag.BAD, "cross"),
        (Flag.BAD, "range"),
    ]


@pytest.mark.parametrize(
    ("fault", "words", "hint"),
    [
        ("wrong_id", "is a BME280, not a BME680", "driver that belongs"),
        ("stuck_high", "0xff", "loose SDA"),
        ("stuck_low", "0x00", "short circuit"),
        ("zero_calibration", "no trimming values", "Cut its supply"),
    ],
)
def test_a_chip_that_is_none_is_named(
    rig: Rig, watch: Watch, fault: str, words: str, hint: str
) -> None:
    chip, reader = soldered(rig, watch)
    chip.fault = fault

    with pytest.raises(SensorGarbled, match=words) as raised:
        reader.read()

    assert hint in raised.value.hint


def test_a_chip_that_lost_its_supply_is_set_up_again_within_the_read(
    rig: Rig, watch: Watch
) -> None:
    chip, reader = soldered(rig, watch)
    chip.set(21.5, 55.0, 1008.0, 52_300.0)
    reader.read()

    chip.power_cycle()

    assert values(reader)[P] == pytest.approx(1008.0, abs=0.05)
    assert verdicts(reader)[G] == (Flag.GOOD, "")


def test_another_chip_in_the_same_place_is_read_with_its_own_trimming_values(
    rig: Rig, watch: Watch
) -> None:
    chip, reader = soldered(rig, watch)
    reader.read()
    other = SimulatedBme680(calibration=OTHER, clock=watch)
    other.set(-3.5, 71.0, 993.3, 80_000.0)

    rig.bench.attach(0x76, other)

    assert list(values(reader).values()) == pytest.approx([-3.5, 71.0, 993.3, 80_000], rel=0.004)


class ClearsOnRead(SimulatedBme680):
    """Reading the status clears "new data": no sheet says whether the chip does that."""

    def read(self, count: int) -> bytes:
        register = self._pointer
        data = super().read(count)
        if register == 0x1D:
            self._is_new = False
        return data


def test_it_does_not_matter_whether_reading_clears_the_status(rig: Rig, watch: Watch) -> None:
    chip = ClearsOnRead(clock=watch)
    chip.set(21.5, 55.0, 1008.0, 52_300.0)
    rig.bench.attach(0x76, chip)

    assert values(rig.reader("bme680"))[T] == pytest.approx(21.5, abs=0.01)


class SaysNewTooEarly(SimulatedBme680):
    """A flipped bit in the status: "new data", while it measures."""

    def _get(self, register: int) -> int:
        return 0x80 if register == 0x1D else super()._get(register)


def test_old_data_are_not_taken_for_new_ones(rig: Rig, watch: Watch) -> None:
    chip = SaysNewTooEarly(clock=watch)
    chip.set(21.5, 55.0, 1008.0, 52_300.0)
    rig.bench.attach(0x76, chip)
    reader = rig.reader("bme680")
    reader.read()

    chip.set(3.0, 80.0, 990.0, 200_000.0)

    assert values(reader)[T] == pytest.approx(3.0, abs=0.01)


def test_a_status_that_never_says_new_ends(rig: Rig, watch: Watch) -> None:
    chip, reader = soldered(rig, watch)
    reader.read()
    chip.fault = "stuck_status"

    began = time.monotonic()
    with pytest.raises(SensorTimeout, match="never finishes"):
        reader.read()

    assert time.monotonic() - began < 5


class NeverAsleep(SimulatedBme680):
    """Its mode register sticks: the Adafruit driver waits for sleep without an end."""

    def _get(self, register: int) -> int:
        return super()._get(register) | (register == 0x74)


def test_a_chip_that_never_sleeps_ends_also_without_a_deadline(rig: Rig, watch: Watch) -> None:
    rig.bench.attach(0x76, NeverAsleep(clock=watch))
    reader = rig.reader("bme680")
    hardware = SensorHardware(rig.hardware, Deadline(SystemClock()))  # never started

    with pytest.raises(SensorTimeout, match="never finishes"):
        bme680.open(reader.settings, hardware)


def test_a_kind_that_nobody_knows_is_said(rig: Rig, watch: Watch) -> None:
    class Variant97(SimulatedBme680):
        def _get(self, register: int) -> int:
            return 97 if register == 0xF0 else super()._get(register)

    rig.bench.attach(0x76, Variant97(clock=watch))

    with pytest.raises(SensorGarbled, match="kind that is not known"):
        rig.reader("bme680").read()
