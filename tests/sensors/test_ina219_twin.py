"""The simulated INA219 against the data sheet's example circuit and the Adafruit driver."""

from __future__ import annotations

import adafruit_ina219
import pytest

from kiezbox.hardware.simulated.bus import SimulatedBus
from kiezbox.hardware.simulated.ina219 import SimulatedIna219

CONFIG, SHUNT, BUS, POWER, CURRENT, CALIBRATION = range(6)


class Watch:
    """A clock that moves when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def get(chip: SimulatedIna219, register: int) -> int:
    chip.write(bytes((register,)))
    return int.from_bytes(chip.read(2), "big")


def put(chip: SimulatedIna219, register: int, value: int) -> None:
    chip.write(bytes((register, value >> 8, value & 0xFF)))


def test_the_registers_of_the_data_sheets_example_circuit() -> None:
    # SBOS448G section 9.2.2.1: 2 mΩ, 10 A, 12 V supply, so 11.98 V at the load.
    watch = Watch()
    chip = SimulatedIna219(shunt_ohm=0.002, clock=watch)
    chip.set(11.98, 10.0)

    put(chip, CONFIG, 0x019F)
    put(chip, CALIBRATION, 0x5000)
    watch.now = 1.0

    assert get(chip, SHUNT) == 0x07D0
    assert get(chip, BUS) & ~0x7 == 0x5D98
    assert get(chip, CURRENT) == 0x2710
    assert get(chip, POWER) == 0x1766


def test_registers_are_as_the_data_sheet_says_after_power_on() -> None:
    chip = SimulatedIna219(clock=Watch())

    assert [get(chip, n) for n in range(6)] == [0x399F, 0, 0, 0, 0, 0]  # table 2


def test_current_and_power_stay_zero_until_the_calibration_is_written() -> None:
    watch = Watch()
    chip = SimulatedIna219(clock=watch)
    watch.now = 1.0

    assert (get(chip, CURRENT), get(chip, POWER)) == (0, 0)  # table 2, note
    assert get(chip, SHUNT) == 5000


def test_the_reset_bit_brings_the_power_on_values_back_and_clears_itself() -> None:
    chip = SimulatedIna219()
    put(chip, CONFIG, 0x019F)
    put(chip, CALIBRATION, 4096)

    put(chip, CONFIG, 0x8000)

    assert (get(chip, CONFIG), get(chip, CALIBRATION)) == (0x399F, 0)


def test_bit_0_of_the_calibration_cannot_be_set() -> None:
    chip = SimulatedIna219()

    put(chip, CALIBRATION, 0x7FFF)

    assert get(chip, CALIBRATION) == 0x7FFE


@pytest.mark.parametrize(("pga", "full_scale"), [(0, 4000), (1, 8000), (2, 16000), (3, 32000)])
def test_the_shunt_register_stands_at_the_end_of_its_range(pga: int, full_scale: int) -> None:
    watch = Watch()
    chip = SimulatedIna219(clock=watch)
    put(chip, CONFIG, 0x2007 | pga << 11)

    for current_a, expected in ((9.0, full_scale), (-9.0, 0x10000 - full_scale)):
        chip.set(12.0, current_a)
        watch.now += 1.0
        assert get(chip, SHUNT) == expected  # table 7


@pytest.mark.parametrize(("range_bit", "full_scale"), [(0x0000, 0x0FA0), (0x2000, 0x1F40)])
def test_the_bus_register_stands_at_the_end_of_its_range(range_bit: int, full_scale: int) -> None:
    watch = Watch()
    chip = SimulatedIna219(clock=watch)
    chip.set(40.0, 0.0)

    put(chip, CONFIG, range_bit | 0x1F)
    watch.now = 1.0

    assert get(chip, BUS) >> 3 == full_scale  # section 8.6.3.2


def test_the_ready_flag_comes_with_a_conversion_and_goes_with_reading_power() -> None:
    watch = Watch()
    chip = SimulatedIna219(clock=watch)
    # 128 samples of 12 bits each for bus and shunt: twice 68.10 ms (table 5).
    put(chip, CONFIG, 0x3FFF)

    watch.now = 0.136
    assert not get(chip, BUS) & 2
    watch.now = 0.1363
    assert get(chip, BUS) & 2
    get(chip, POWER)
    assert not get(chip, BUS) & 2


def test_a_triggered_conversion_happens_once() -> None:
    watch = Watch()
    chip = SimulatedIna219(clock=watch)
    put(chip, CONFIG, 0x399B)  # mode 3: shunt and bus, triggered
    watch.now = 1.0
    assert get(chip, SHUNT) == 5000

    chip.set(12.8, 1.0)
    watch.now = 2.0

    assert get(chip, SHUNT) == 5000
    put(chip, CONFIG, 0x399B)
    watch.now = 3.0
    assert get(chip, SHUNT) == 10000


def test_powered_down_it_keeps_the_last_values() -> None:
    watch = Watch()
    chip = SimulatedIna219(clock=watch)
    watch.now = 1.0
    get(chip, SHUNT)

    put(chip, CONFIG, 0x3998)
    chip.set(12.8, 1.0)
    watch.now = 2.0

    assert get(chip, SHUNT) == 5000


def test_a_calibration_too_large_for_the_current_sets_the_overflow_flag() -> None:
    watch = Watch()
    chip = SimulatedIna219(clock=watch)
    chip.set(12.8, 1.0)  # 10,000 steps, times 16384 / 4096: 40,000 do not fit in 15 bits

    put(chip, CALIBRATION, 16384)
    watch.now = 1.0

    assert get(chip, BUS) & 1


def test_a_register_can_be_read_again_without_naming_it() -> None:
    chip = SimulatedIna219()
    chip.write(bytes((CONFIG,)))

    assert chip.read(2) == chip.read(2) == b"\x39\x9f"  # section 8.5.6


@pytest.mark.parametrize(("bus_v", "current_a"), [(12.8, 0.5), (3.3, -1.7), (26.0, 3.1999)])
def test_the_unchanged_adafruit_driver_reads_the_cable_the_twin_was_set_to(
    bus_v: float, current_a: float
) -> None:
    watch = Watch()
    bus = SimulatedBus()
    chip = SimulatedIna219(clock=watch)
    chip.set(bus_v, current_a)
    bus.attach(0x40, chip)

    driver = adafruit_ina219.INA219(bus, 0x40)
    watch.now = 1.0

    assert driver.bus_voltage == pytest.approx(bus_v, abs=0.002)
    assert driver.shunt_voltage == pytest.approx(current_a * 0.1, abs=5e-6)
    assert driver.current == pytest.approx(current_a * 1000, abs=0.05)
    assert driver.power == pytest.approx(abs(bus_v * current_a), abs=0.01)
    assert not driver.overflow


def test_a_shunt_put_in_the_other_way_round_changes_the_sign() -> None:
    watch = Watch()
    chip = SimulatedIna219(is_reversed=True, clock=watch)
    watch.now = 1.0

    assert get(chip, SHUNT) == 0x10000 - 5000
