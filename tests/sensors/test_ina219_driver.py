"""The INA219 driver: ranges, shunts, signs, dips of the supply, two of them at once."""

from __future__ import annotations

import threading
import time

import pytest
from contracts.rig import Reader, Rig

from kiezbox.errors import SensorError, SensorGarbled, SettingsError
from kiezbox.hardware.i2c_view import BusView
from kiezbox.hardware.simulated.ina219 import SimulatedIna219
from kiezbox.model import Flag, Measurement
from kiezbox.sensors import ina219

GOOD, OVERFLOW, RANGE = (Flag.GOOD, ""), (Flag.BAD, "overflow"), (Flag.BAD, "range")


def fast() -> float:
    """A clock by which a conversion is over before the next transaction."""
    return time.monotonic() * 10_000


def soldered(
    rig: Rig, address: int = 0x40, *, shunt_ohm: float = 0.1, **table: object
) -> tuple[SimulatedIna219, Reader]:
    chip = SimulatedIna219(shunt_ohm=shunt_ohm, clock=fast)
    rig.bench.attach(address, chip)
    return chip, rig.reader("ina219", {"address": address, "shunt_ohm": shunt_ohm, **table})


def verdicts(measurements: tuple[Measurement, ...]) -> list[tuple[Flag, str]]:
    return [(one.flag, one.reason) for one in measurements]


def test_three_amperes_of_a_full_lifepo4_box_are_just_inside(rig: Rig) -> None:
    chip, reader = soldered(rig)
    chip.set(14.6, 3.0)

    volts, amperes, watts = reader.read()

    assert (volts.value, amperes.value) == (14.6, 3.0)
    assert watts.value == pytest.approx(43.8)
    assert verdicts((volts, amperes, watts)) == [GOOD, GOOD, GOOD]


def test_a_bit_that_a_disturbed_line_left_in_the_settings_does_not_stay(rig: Rig) -> None:
    chip, reader = soldered(rig)
    chip.set(12.8, 1.0)
    reader.read()
    chip.write(b"\x00\x7f\xff")  # all bits of the configuration but RST; bit 14 has no meaning

    assert verdicts(tuple(reader.read())) == [GOOD, GOOD, GOOD]


@pytest.mark.parametrize("current_a", [3.3, -3.3, 12.0])
def test_a_current_beyond_the_range_is_flagged_and_the_voltage_is_not(
    rig: Rig, current_a: float
) -> None:
    chip, reader = soldered(rig)
    chip.set(12.8, current_a)

    measurements = tuple(reader.read())

    assert verdicts(measurements) == [GOOD, OVERFLOW, OVERFLOW]


def test_a_small_shunt_measures_large_currents(rig: Rig) -> None:
    chip, reader = soldered(rig, shunt_ohm=0.01, most_a=30)
    chip.set(12.8, 22.5)

    volts, amperes, watts = reader.read()

    assert amperes.value == pytest.approx(22.5, abs=0.001)  # 10 µV over 10 mΩ
    assert watts.value == pytest.approx(288.0, abs=0.01)


@pytest.mark.parametrize(
    ("most_a", "pga"), [(0.4, 0b00), (0.8, 0b01), (1.0, 0b10), (1.6, 0b10), (3.2, 0b11)]
)
def test_the_narrowest_range_that_fits_is_chosen(rig: Rig, most_a: float, pga: int) -> None:
    chip, reader = soldered(rig, most_a=most_a)
    chip.set(12.0, most_a * 0.99)
    measurements = tuple(reader.read())
    chip.write(b"\x00")

    configuration = int.from_bytes(chip.read(2), "big")

    # Bits 11 and 12: 40, 80, 160, 320 mV (SBOS448G table 4).
    assert configuration >> 11 & 3 == pga
    assert verdicts(measurements) == [GOOD, GOOD, GOOD]


def test_a_current_above_the_narrow_range_is_flagged(rig: Rig) -> None:
    chip, reader = soldered(rig, most_a=0.4)
    chip.set(12.0, 0.41)

    assert verdicts(tuple(reader.read())) == [GOOD, OVERFLOW, OVERFLOW]


def test_a_shunt_too_large_for_the_current_is_refused() -> None:
    with pytest.raises(SettingsError, match="most_a = 5") as raised:
        ina219.Settings(driver="ina219", most_a=5)

    assert "3.2 A" in raised.value.hint


def test_charging_and_discharging_differ_in_sign_in_current_and_power(rig: Rig) -> None:
    chip, reader = soldered(rig)
    chip.set(13.4, -1.5)

    _, amperes, watts = reader.read()

    assert (amperes.value, watts.value) == (-1.5, pytest.approx(-20.1))


def test_more_volts_than_the_pins_stand_are_flagged(rig: Rig) -> None:
    chip, reader = soldered(rig)
    chip.set(29.0, 0.5)

    assert verdicts(tuple(reader.read())) == [RANGE, GOOD, RANGE]


def test_the_chips_overflow_flag_makes_current_and_power_bad(rig: Rig) -> None:
    chip, reader = soldered(rig)
    chip.fault = "overflow"

    assert verdicts(tuple(reader.read())) == [GOOD, OVERFLOW, OVERFLOW]


def test_a_chip_that_lost_its_supply_is_set_up_again_within_the_read(rig: Rig) -> None:
    chip, reader = soldered(rig)
    chip.set(12.8, 2.0)
    reader.read()

    chip.power_cycle()

    assert verdicts(tuple(measurements := reader.read())) == [GOOD, GOOD, GOOD]
    assert measurements[1].value == 2.0


def test_after_setting_up_it_waits_for_a_conversion_of_its_own(rig: Rig) -> None:
    chip = SimulatedIna219()  # at its real speed: 136 ms
    chip.set(12.8, 2.0)
    rig.bench.attach(0x40, chip)
    reader = rig.reader("ina219")

    assert [one.value for one in reader.read()] == [12.8, 2.0, pytest.approx(25.6)]


def test_an_ina226_is_named(rig: Rig) -> None:
    chip, reader = soldered(rig)
    chip.fault = "wrong_id"

    with pytest.raises(SensorGarbled, match="is an INA226, not an INA219"):
        reader.read()


def test_a_supply_that_dips_at_every_write_is_said(rig: Rig) -> None:
    chip, reader = soldered(rig)
    chip.fault = "brown_out"

    with pytest.raises(SensorGarbled, match="forgets its settings") as raised:
        reader.read()

    assert "VCC" in raised.value.hint


def test_two_of_them_in_two_threads_never_get_each_others_values(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = BusView.try_lock

    def take_after_a_while(view: BusView) -> bool:
        # As on a busy bus: the library has filled in its buffer by now and has to wait.
        time.sleep(0.0005)
        return take(view)

    monkeypatch.setattr(BusView, "try_lock", take_after_a_while)
    worlds = {0x40: (13.24, -1.0), 0x41: (5.1, 0.75)}
    read: dict[int, set[tuple[float, float]]] = {address: set() for address in worlds}
    errors: list[Exception] = []

    def work(address: int, reader: Reader) -> None:
        try:
            for _ in range(20):
                volts, amperes, _ = reader.read()
                read[address].add((volts.value, amperes.value))
        except SensorError as error:
            errors.append(error)

    threads = []
    for address, world in worlds.items():
        chip, reader = soldered(rig, address)
        chip.set(*world)
        threads.append(threading.Thread(target=work, args=(address, reader)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert not any(thread.is_alive() for thread in threads)
    assert errors == []
    assert read == {address: {world} for address, world in worlds.items()}
