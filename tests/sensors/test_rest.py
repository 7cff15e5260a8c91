"""Sensors that can be told to sleep: what draws stops, and the next read is true again."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from contracts.rig import Rig, Wired, wait_until

from kiezbox import sensors, sparing
from kiezbox.clock import ManualClock
from kiezbox.hardware.simulated.sps30_uart import IDLE
from kiezbox.mode import Mode
from kiezbox.node.judging import Judging
from kiezbox.node.latest import Latest
from kiezbox.node.sensing import Sensing
from kiezbox.sensors import sgp40
from kiezbox.settings import StoreSettings, parse
from kiezbox.sparing import draws_a
from kiezbox.store import Store

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

#: A fan that starts and stops with each reading, by the driver itself.
STOPS = RESTS | {
    "sen5x": lambda part: part.state != "measuring",
    "sps30": lambda part: part.state != "measuring",
}
#: Lamps and plates that go on in the modes in which nobody saves: they have no time to settle.
GO_ON = {"scd30", "scd4x", "sgp40"}

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


@pytest.mark.parametrize("driver", STOPS)
def test_on_time_by_mode_is_a_fifth_then_a_twentieth_then_nothing(
    rig: Rig, driver: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the node reads it, counted by what the twin does between two steps of its task. Only the
    warm-up is cut short; its nominal length and 3 s of reading are what each reading costs.
    """
    wired = Wired(driver, rig)
    module, where = wired.reader.module, wired.reader.settings
    monkeypatch.setattr(sgp40, "SAMPLE_S", sgp40.Settings(driver="sgp40").interval_s)
    given = {name: getattr(where, name) for name in ("port", "address") if hasattr(where, name)}
    usual = parse(module.Settings, {"driver": driver, **given})
    reading_s = getattr(usual, "warm_up_s", 0.0) + 3.0
    settings = replace(usual, warm_up_s=0.05) if hasattr(usual, "rests") else usual
    clock, mode = ManualClock(), Mode.NORMAL
    rhythms = sparing.rhythms(settings, has_load=True, is_needed=False)
    with closing(Store.open(StoreSettings(path=str(tmp_path / "db")), "kb-test", clock)) as store:
        judge = Judging({"x": (module, settings)}, store, clock).of("x")
        task = Sensing(
            "x", module, settings, rig.hardware, store, Latest(lambda: None), clock, judge,
            lambda: True, rhythm=lambda: rhythms[mode],
        )  # fmt: skip
        shares = {}
        for mode in (Mode.NORMAL, Mode.SAVING, Mode.DARK):
            on_s = whole_s = 0.0
            for n in range(3):
                pause_s = task.step()
                is_on = mode is Mode.NORMAL and driver in GO_ON
                wait_until(lambda is_on=is_on: STOPS[driver](wired.part) != is_on)
                clock.advance(pause_s)
                if n:  # the first step is the change
                    whole_s += pause_s
                    reads_s = reading_s if rhythms[mode].interval_s else 0.0
                    on_s += pause_s if is_on else reads_s
            shares[mode] = on_s / whole_s
        assert not store.faults()
        task.close()

    if driver not in GO_ON:
        assert shares[Mode.NORMAL] == pytest.approx(33 / 150, abs=0.01)
    assert shares[Mode.SAVING] <= 33 / 600 + 0.01
    assert shares[Mode.DARK] == 0.0


def test_all_with_a_fan_a_laser_a_lamp_or_a_heater_are_known_as_such() -> None:
    drawing = {name for name in sensors.drivers() if draws_a(sensors.load(name))}

    assert drawing == RESTS.keys() | WITHOUT_WORD


def test_the_page_says_what_each_draws() -> None:
    page = PAGE.read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| ([\d.]+) mA", page, re.MULTILINE))

    for driver in RESTS.keys() | WITHOUT_WORD:
        assert float(rows[driver]) == pytest.approx(draws_a(sensors.load(driver)) * 1000), driver
