"""Sensors that can be told to sleep: what draws stops, and the next read is true again."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from contracts.rig import Rig, Wired, wait_until

from kiezbox import sensors
from kiezbox.hardware.simulated.sps30_uart import IDLE
from kiezbox.sparing import draws_a

#: Driver -> whether its twin rests.
RESTS: dict[str, Callable[[Any], bool]] = {
    "plantower": lambda part: part.is_asleep,
    "scd30": lambda part: not part.is_measuring,
    "scd4x": lambda part: not part.is_measuring,
    "sds011": lambda part: part.is_asleep,
    "sgp40": lambda part: not part.is_hot,
    "sps30_uart": lambda part: part.state == IDLE,
}
#: They rest by themselves, or when they are closed; an MH-Z19, an S8 and a DNMS know no such word.
WITHOUT_WORD = {"bme680", "sen5x", "sps30", "laeq", "mhz19", "senseair_s8"}

PAGE = Path(__file__).resolve().parents[2] / "docs" / "sensors.md"


@pytest.mark.parametrize("driver", RESTS)
def test_it_rests_when_told_and_says_the_truth_when_opened_anew(rig: Rig, driver: str) -> None:
    wired = Wired(driver, rig)
    wired.reader.read()
    assert not RESTS[driver](wired.part)

    wired.reader.sensor.rest()
    wait_until(lambda: RESTS[driver](wired.part))
    wired.reader.close()
    wired.turn(1)

    assert all(wired.is_true(one) for one in wired.reader.read())
    assert not RESTS[driver](wired.part)


def test_all_with_a_fan_a_laser_a_lamp_or_a_heater_are_known_as_such() -> None:
    drawing = {name for name in sensors.drivers() if draws_a(sensors.load(name))}

    assert drawing == RESTS.keys() | WITHOUT_WORD


def test_the_page_says_what_each_draws() -> None:
    page = PAGE.read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| ([\d.]+) mA", page, re.MULTILINE))

    for driver in RESTS.keys() | WITHOUT_WORD:
        assert float(rows[driver]) == pytest.approx(draws_a(sensors.load(driver)) * 1000), driver
