"""The simulated MAX17048 against its register summary and the unchanged Adafruit driver."""

from __future__ import annotations

import errno
import time

import pytest
from adafruit_max1704x import MAX17048

from kiezbox.hardware.simulated.bus import SimulatedBus
from kiezbox.hardware.simulated.max17048 import SimulatedMax17048


def fast() -> float:
    return time.monotonic() * 10_000


def wired() -> tuple[SimulatedMax17048, SimulatedBus]:
    chip, bus = SimulatedMax17048(clock=fast), SimulatedBus()
    bus.attach(0x36, chip)
    return chip, bus


def get(chip: SimulatedMax17048, register: int) -> int:
    chip.write(bytes((register,)))
    return int.from_bytes(chip.read(2), "big")


def test_registers_are_as_the_data_sheet_says_after_power_on() -> None:
    # 19-6171, "Register Summary": HIBRT, CONFIG, VALRT, VRESET, STATUS, CMD; version 0x001X.
    chip = SimulatedMax17048(clock=lambda: 0.0)

    words = [get(chip, register) for register in (0x0A, 0x0C, 0x14, 0x18, 0x1A, 0xFE)]

    assert words[:3] == [0x8030, 0x971C, 0x00FF]
    assert words[3] & 0xFF00 == 0x9600
    assert words[4] & 0xFF00 == 0x0100
    assert words[5] == 0xFFFF
    assert get(chip, 0x08) & 0xFFF0 == 0x0010
    assert (get(chip, 0x02), get(chip, 0x04)) == (0, 0)  # before the first conversion


@pytest.mark.parametrize(("cell_v", "word"), [(3.2, 0xA000), (4.2, 0xD200), (2.5, 0x7D00)])
def test_the_voltage_counts_78_125_microvolts(cell_v: float, word: int) -> None:
    now = [0.0]
    chip = SimulatedMax17048(clock=lambda: now[0])
    chip.set(cell_v, 50.0)
    now[0] = 1.0

    assert get(chip, 0x02) == word  # 3.2 V / 78.125 µV = 40960


def test_a_reset_is_not_acknowledged_and_sets_the_indicator() -> None:
    chip, _ = wired()
    chip.write(b"\x1a\x00\x00")
    assert get(chip, 0x1A) == 0

    with pytest.raises(OSError) as raised:
        chip.write(b"\xfe\x54\x00")

    assert raised.value.errno == errno.EREMOTEIO
    assert get(chip, 0x1A) == 0x0100


def test_writing_one_byte_does_nothing() -> None:
    chip, _ = wired()

    chip.write(b"\x1a\x00")

    assert get(chip, 0x1A) == 0x0100


@pytest.mark.parametrize(("cell_v", "percent"), [(3.92, 78.5), (3.0, 0.25), (4.2, 101.5)])
def test_the_unchanged_adafruit_driver_resets_it_and_reads_the_battery(
    cell_v: float, percent: float
) -> None:
    chip, bus = wired()
    chip.set(cell_v, percent)

    driver = MAX17048(bus)

    assert chip.starts == 2
    assert driver.cell_voltage == pytest.approx(cell_v, abs=0.00004)
    assert driver.cell_percent == percent
    assert driver.chip_id == 0x0C


def test_the_unchanged_adafruit_driver_refuses_a_chip_that_acknowledges_its_reset() -> None:
    chip, bus = wired()
    chip.acknowledges_reset = True

    with pytest.raises(RuntimeError, match="Reset did not succeed"):
        MAX17048(bus)
