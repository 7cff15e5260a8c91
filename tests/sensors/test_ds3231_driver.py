"""The DS3231 driver: whose word is believed, and by whom it is set."""

from __future__ import annotations

import calendar
import time

import pytest
from contracts.rig import Reader, Rig

from kiezbox.errors import SensorGarbled
from kiezbox.hardware import SensorHardware
from kiezbox.hardware.simulated.ds3231 import SimulatedDs3231
from kiezbox.sensors.ds3231 import time_of

NOW = float(calendar.timegm((2026, 11, 30, 20, 0, 0)))


def soldered(rig: Rig) -> tuple[SimulatedDs3231, Reader]:
    part = SimulatedDs3231()
    rig.bench.attach(0x68, part)
    return part, rig.reader("ds3231")


def vouch(reader: Reader, rig: Rig, true: float | None) -> None:
    """Let the box's clock be right (or, with None, nobody know)."""
    began = time.monotonic()
    reader.hardware = SensorHardware(
        rig.hardware,
        reader.deadline,
        true_time=lambda: None if true is None else true + time.monotonic() - began,
    )


# The registers as a table of dates; the first is the example in Adafruit's documentation.
@pytest.mark.parametrize(
    ("registers", "moment"),
    [
        ("15 14 15 01 29 10 17", (2017, 10, 29, 15, 14, 15)),
        ("59 59 23 05 31 12 99", (2099, 12, 31, 23, 59, 59)),
        ("00 00 00 07 29 02 28", (2028, 2, 29, 0, 0, 0)),
        ("07 30 52 03 01 03 26", (2026, 3, 1, 0, 30, 7)),  # 12 hours, 12:30 AM is 0:30 ...
        ("07 30 72 03 01 03 26", (2026, 3, 1, 12, 30, 7)),  # ... and 12:30 PM is 12:30
        ("07 30 61 03 01 03 26", (2026, 3, 1, 13, 30, 7)),
    ],
)
def test_registers_are_read_as_a_moment(registers: str, moment: tuple[int, ...]) -> None:
    assert time_of(bytes.fromhex(registers)) == calendar.timegm(moment)


@pytest.mark.parametrize(
    "registers",
    [
        "60 00 00 01 01 01 26",
        "5a 00 00 01 01 01 26",
        "00 00 24 01 01 01 26",
        "00 00 53 01 01 01 26",
        "00 00 40 01 01 01 26",
        "00 00 00 01 00 01 26",
        "00 00 00 01 31 04 26",
        "00 00 00 01 29 02 27",
        "00 00 00 01 01 13 26",
        "00 00 00 01 01 00 26",
    ],
)
def test_what_is_no_moment_is_none(registers: str) -> None:
    assert time_of(bytes.fromhex(registers)) is None


def test_a_chip_that_was_set_says_the_time(rig: Rig) -> None:
    part, reader = soldered(rig)
    part.set_time(NOW)
    part.clear_stopped()

    before = time.monotonic()
    reader.read()
    told = reader.sensor.last_time

    # Whole seconds, told in their middle.
    assert told.time + (before - told.heard_at) == pytest.approx(NOW, abs=0.6)


@pytest.mark.parametrize("said", [NOW, NOW - 40 * 86400, 0.0 + 946_684_800])
def test_a_chip_whose_oscillator_stopped_is_not_believed_whatever_it_says(
    rig: Rig, said: float
) -> None:
    part, reader = soldered(rig)
    part.set_time(said)

    reader.read()

    assert reader.sensor.last_time is None and reader.sensor.is_stopped


def test_a_chip_without_a_flag_but_before_2025_is_not_believed(rig: Rig) -> None:
    part, reader = soldered(rig)
    part.set_time(calendar.timegm((2024, 5, 1, 0, 0, 0)))
    part.clear_stopped()

    reader.read()

    assert reader.sensor.last_time is None


@pytest.mark.parametrize("was", [0.0, -3600.0, 90.0])
def test_a_chip_that_is_wrong_is_set_by_a_clock_that_is_right(rig: Rig, was: float) -> None:
    part, reader = soldered(rig)
    part.set_time(NOW + was)
    if was:
        part.clear_stopped()
    began = time.monotonic()
    vouch(reader, rig, NOW + 0.4)

    reader.read()

    assert not part.is_stopped
    assert part.time == pytest.approx(NOW + 0.4 + time.monotonic() - began, abs=0.3)
    assert reader.sensor.last_time is not None


def test_a_chip_that_is_right_is_left_alone(rig: Rig) -> None:
    part, reader = soldered(rig)
    part.set_time(NOW)
    part.clear_stopped()
    writes: list[bytes] = []
    written = part.write

    def write(data: bytes) -> None:
        writes.append(data)
        written(data)

    part.write = write  # type: ignore[method-assign]
    vouch(reader, rig, NOW + 1.0)

    reader.read()

    assert all(len(data) <= 1 for data in writes)


def test_a_chip_is_never_set_by_a_clock_that_nobody_vouches_for(rig: Rig) -> None:
    part, reader = soldered(rig)
    part.set_time(NOW - 5000)
    vouch(reader, rig, None)

    reader.read()

    assert part.is_stopped


def test_a_ds1307_is_refused(rig: Rig) -> None:
    part, reader = soldered(rig)
    part.fault = "other_chip"

    with pytest.raises(SensorGarbled, match="bits that a DS3231 has not"):
        reader.read()
