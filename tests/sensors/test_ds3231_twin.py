"""The simulated DS3231, judged by Adafruit's driver (unchanged)."""

from __future__ import annotations

import calendar
import time

import pytest

from kiezbox.hardware.simulated.bus import SimulatedBus
from kiezbox.hardware.simulated.ds3231 import SimulatedDs3231

adafruit_ds3231 = pytest.importorskip("adafruit_ds3231")

#: The moment of Adafruit's own example.
EXAMPLE = time.struct_time((2017, 10, 29, 15, 14, 15, 6, -1, -1))
EXAMPLE_S = float(calendar.timegm((2017, 10, 29, 15, 14, 15)))


class Watch:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def soldered() -> tuple[SimulatedDs3231, object, Watch]:
    watch = Watch()
    part, bus = SimulatedDs3231(watch), SimulatedBus()
    bus.attach(0x68, part)
    return part, adafruit_ds3231.DS3231(bus), watch


def test_a_foreign_driver_reads_the_time_and_sees_it_run() -> None:
    part, judge, watch = soldered()
    part.set_time(EXAMPLE_S)
    watch.now += 50

    said = judge.datetime  # type: ignore[attr-defined]

    assert said[:6] == (2017, 10, 29, 15, 15, 5)


def test_a_foreign_driver_sets_the_time_and_clears_the_flag() -> None:
    part, judge, _ = soldered()
    assert judge.lost_power is True  # type: ignore[attr-defined]

    judge.datetime = EXAMPLE  # type: ignore[attr-defined]

    assert part.time == pytest.approx(EXAMPLE_S)
    assert judge.lost_power is False and not part.is_stopped  # type: ignore[attr-defined]


@pytest.mark.parametrize("celsius", [-40.0, -0.25, 0.0, 25.25, 85.0])
def test_a_foreign_driver_reads_the_temperature(celsius: float) -> None:
    part, judge, _ = soldered()
    part.set(celsius)

    assert judge.temperature == celsius  # type: ignore[attr-defined]


def test_without_a_cell_it_forgets_with_the_supply_and_says_so() -> None:
    part, judge, _ = soldered()
    judge.datetime = EXAMPLE  # type: ignore[attr-defined]

    part.power_cycle(has_cell=True)
    assert not part.is_stopped and part.time == pytest.approx(EXAMPLE_S)

    part.power_cycle(has_cell=False)
    assert part.is_stopped and time.gmtime(part.time).tm_year == 2000


def test_the_flag_cannot_be_set_by_writing() -> None:
    part, judge, _ = soldered()
    judge.lost_power = False  # type: ignore[attr-defined]
    judge.lost_power = True  # type: ignore[attr-defined]

    assert not part.is_stopped
