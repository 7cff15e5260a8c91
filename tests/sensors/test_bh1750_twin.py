"""The simulated BH1750 against its technical note and the unchanged Adafruit driver."""

from __future__ import annotations

import time

import pytest
from adafruit_bh1750 import BH1750, Mode, Resolution

from kiezbox.hardware.simulated.bh1750 import SimulatedBh1750
from kiezbox.hardware.simulated.bus import SimulatedBus


class Watch:
    """A clock that moves when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def told(chip: SimulatedBh1750, *instructions: int) -> None:
    for instruction in instructions:
        chip.write(bytes((instruction,)))


def counts(chip: SimulatedBh1750) -> int:
    return int.from_bytes(chip.read(2), "big")


def test_the_technical_notes_example_of_a_reading() -> None:
    # "How to calculate when the data High Byte is 10000011 and Low Byte is 10010000": 28067 lx.
    watch = Watch()
    chip = SimulatedBh1750(clock=watch)
    chip.set(28067)

    told(chip, 0x10)
    watch.now = 0.181

    assert counts(chip) == pytest.approx(0b10000011_10010000, abs=1)


def test_after_power_on_it_sleeps_and_holds_nothing() -> None:
    watch = Watch()
    chip = SimulatedBh1750(clock=watch)

    watch.now = 10.0

    assert counts(chip) == 0


@pytest.mark.parametrize(("mode", "takes_s"), [(0x10, 0.120), (0x11, 0.120), (0x13, 0.016)])
def test_a_conversion_takes_as_long_as_its_resolution_needs(mode: int, takes_s: float) -> None:
    watch = Watch()
    chip = SimulatedBh1750(clock=watch)
    chip.set(1000)
    told(chip, mode)

    watch.now = takes_s - 0.001
    assert counts(chip) == 0
    watch.now = takes_s + 0.001
    assert counts(chip) == (2400 if mode == 0x11 else 1200)


@pytest.mark.parametrize(("measuring_time", "expected"), [(31, 539), (69, 1200), (254, 4417)])
def test_the_measuring_time_stretches_the_counts(measuring_time: int, expected: int) -> None:
    watch = Watch()
    chip = SimulatedBh1750(clock=watch)
    chip.set(1000)

    told(chip, 0x40 | measuring_time >> 5, 0x60 | measuring_time & 0x1F, 0x10)
    watch.now = 1.0

    assert counts(chip) == expected  # 1.2 counts a lux, times measuring time / 69


def test_measured_once_it_sleeps_and_keeps_the_value() -> None:
    watch = Watch()
    chip = SimulatedBh1750(clock=watch)
    chip.set(1000)
    told(chip, 0x20)
    watch.now = 1.0
    assert counts(chip) == 1200

    chip.set(5)
    watch.now = 2.0

    assert counts(chip) == 1200
    told(chip, 0x07)  # "Reset command is not acceptable in power down mode"
    assert counts(chip) == 1200
    told(chip, 0x01, 0x07)
    assert counts(chip) == 0


@pytest.mark.parametrize("lux", [0.5, 640, 20_000])
def test_the_unchanged_adafruit_driver_reads_the_light(lux: float) -> None:
    bus, chip = SimulatedBus(), SimulatedBh1750(clock=lambda: time.monotonic() * 10_000)
    bus.attach(0x23, chip)
    chip.set(lux)

    driver = BH1750(bus)

    assert (driver.mode, driver.resolution) == (Mode.CONTINUOUS, Resolution.HIGH)
    assert driver.lux == pytest.approx(lux, abs=0.22)
