"""The simulated INA226 against the data sheet's example circuit and tables."""

from __future__ import annotations

import pytest

from kiezbox.hardware.simulated.ina226 import SimulatedIna226

CONFIG, SHUNT, BUS, POWER, CURRENT, CALIBRATION, MASK_ENABLE, ALERT_LIMIT = range(8)


class Watch:
    """A clock that moves when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def get(chip: SimulatedIna226, register: int) -> int:
    chip.write(bytes((register,)))
    return int.from_bytes(chip.read(2), "big")


def put(chip: SimulatedIna226, register: int, value: int) -> None:
    chip.write(bytes((register, value >> 8, value & 0xFF)))


def test_the_registers_of_the_data_sheets_example_circuit() -> None:
    # SBOS547B table 6-1: 2 mΩ, 10 A, 12 V supply, so 11.98 V at the load; one step is 1 mA.
    watch = Watch()
    chip = SimulatedIna226(shunt_ohm=0.002, clock=watch)
    chip.set(11.98, 10.0)

    put(chip, CALIBRATION, 0x0A00)
    watch.now = 1.0

    assert get(chip, SHUNT) == 0x1F40
    assert get(chip, BUS) == 0x2570
    assert get(chip, CURRENT) == 0x2710
    assert get(chip, POWER) == 0x12B8


def test_registers_are_as_the_data_sheet_says_after_power_on() -> None:
    chip = SimulatedIna226(clock=Watch())

    assert [get(chip, n) for n in range(8)] == [0x4127, 0, 0, 0, 0, 0, 0, 0]  # table 7-1
    assert (get(chip, 0xFE), get(chip, 0xFF)) == (0x5449, 0x2260)


@pytest.mark.parametrize(
    # Section 7.1.2: full scale and the example of -80 mV.
    ("shunt_v", "word"),
    [(0.08192, 0x7FFF), (0.2, 0x7FFF), (-0.2, 0x8000), (-0.08, 0x8300)],
)
def test_the_shunt_register_counts_two_and_a_half_microvolts_and_stops_at_its_ends(
    shunt_v: float, word: int
) -> None:
    watch = Watch()
    chip = SimulatedIna226(shunt_ohm=1.0, clock=watch)
    chip.set(12.0, shunt_v)
    watch.now = 1.0

    assert get(chip, SHUNT) == word


def test_the_ready_flag_comes_with_a_conversion_and_goes_with_being_read() -> None:
    watch = Watch()
    chip = SimulatedIna226(clock=watch)
    put(chip, CONFIG, 0x4727)  # mean of 64, 1.1 ms each for shunt and bus (tables 7-3 to 7-5)

    watch.now = 0.140
    assert not get(chip, MASK_ENABLE) & 8
    watch.now = 0.141
    assert get(chip, MASK_ENABLE) & 8
    assert not get(chip, MASK_ENABLE) & 8


def test_a_triggered_conversion_happens_once_and_powered_down_the_values_stay() -> None:
    watch = Watch()
    chip = SimulatedIna226(clock=watch)
    for mode in (0x4123, 0x4120):  # shunt and bus, triggered; power-down
        put(chip, CONFIG, mode)
        watch.now += 1.0
        assert get(chip, BUS) == 10240  # 12.8 V
        chip.set(5.0, 0.1)
        watch.now += 1.0
        assert get(chip, BUS) == 10240


def test_the_reset_bit_brings_the_power_on_values_back() -> None:
    chip = SimulatedIna226()
    put(chip, CONFIG, 0x4727)
    put(chip, CALIBRATION, 2560)

    put(chip, CONFIG, 0x8000)

    assert (get(chip, CONFIG), get(chip, CALIBRATION)) == (0x4127, 0)


def test_a_calibration_too_large_for_the_current_sets_the_overflow_flag() -> None:
    watch = Watch()
    chip = SimulatedIna226(clock=watch)
    chip.set(12.8, 0.5)  # 20,000 steps, times 4096 / 2048: 40,000 do not fit in 15 bits

    put(chip, CALIBRATION, 4096)
    watch.now = 1.0

    assert get(chip, MASK_ENABLE) & 4
