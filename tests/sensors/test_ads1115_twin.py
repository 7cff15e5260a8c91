"""The simulated ADS1115 against its data sheet's tables and the unchanged Adafruit driver."""

from __future__ import annotations

import time

import pytest
from adafruit_ads1x15 import ADS1115, AnalogIn

from kiezbox.hardware.simulated.ads1115 import SimulatedAds1115
from kiezbox.hardware.simulated.bus import SimulatedBus


class Watch:
    """A clock that moves when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def get(chip: SimulatedAds1115, register: int) -> int:
    chip.write(bytes((register,)))
    return int.from_bytes(chip.read(2), "big")


def put(chip: SimulatedAds1115, register: int, value: int) -> None:
    chip.write(bytes((register, value >> 8, value & 0xFF)))


def test_registers_are_as_the_data_sheet_says_after_power_on() -> None:
    chip = SimulatedAds1115(clock=Watch())

    assert [get(chip, n) for n in range(4)] == [0x0000, 0x8583, 0x8000, 0x7FFF]


@pytest.mark.parametrize(
    # SBAS444D table 7-3, "Input signal versus ideal output code", at ±2.048 V.
    ("volts", "code"),
    [(3.0, 0x7FFF), (2.048 / 32768, 0x0001), (0.0, 0x0000), (-2.048 / 32768, 0xFFFF),
     (-2.048, 0x8000), (-3.0, 0x8000)],
)  # fmt: skip
def test_codes_are_the_data_sheets(volts: float, code: int) -> None:
    watch = Watch()
    chip = SimulatedAds1115(clock=watch)
    chip.set(3.0 + volts, 3.0)

    put(chip, 1, 0x8583)  # A0 against A1, ±2.048 V, single, 128 a second
    watch.now = 1.0

    assert get(chip, 0) == code


def test_the_idle_bit_comes_back_when_the_conversion_has_ended_and_not_before() -> None:
    watch = Watch()
    chip = SimulatedAds1115(clock=watch)
    chip.set(1.0)
    put(chip, 1, 0xC383)  # A0, ±4.096 V, single, 128 a second: 7.8 ms

    watch.now = 0.0077
    assert (get(chip, 1), get(chip, 0)) == (0x4383, 0)
    watch.now = 0.0079
    assert (get(chip, 1), get(chip, 0)) == (0xC383, 8000)


def test_a_single_conversion_happens_once_and_a_continuous_one_again_and_again() -> None:
    watch = Watch()
    chip = SimulatedAds1115(clock=watch)
    for config, expected in ((0xC383, 8000), (0x4283, 16000)):
        chip.set(1.0)
        put(chip, 1, config)
        watch.now += 1.0
        assert get(chip, 0) == 8000
        chip.set(2.0)
        watch.now += 1.0
        assert get(chip, 0) == expected


@pytest.mark.parametrize(
    ("gain", "full_scale_v"),
    [(2 / 3, 6.144), (1, 4.096), (2, 2.048), (4, 1.024), (8, 0.512), (16, 0.256)],
)
def test_the_unchanged_adafruit_driver_reads_every_input_in_every_range(
    gain: float, full_scale_v: float
) -> None:
    bus, chip = SimulatedBus(), SimulatedAds1115(clock=lambda: time.monotonic() * 10_000)
    bus.attach(0x48, chip)
    volts = [full_scale_v * share for share in (0.9, 0.5, 0.25, 0.1)]
    chip.set(*volts)

    driver = ADS1115(bus, gain=gain)
    step_v = full_scale_v / 32768

    for pin in range(4):
        assert AnalogIn(driver, pin).voltage == pytest.approx(volts[pin], abs=step_v)
    for plus, minus in ((0, 1), (0, 3), (1, 3), (2, 3)):
        difference = AnalogIn(driver, plus, minus).voltage
        assert difference == pytest.approx(volts[plus] - volts[minus], abs=step_v)
