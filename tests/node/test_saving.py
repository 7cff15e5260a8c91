"""A real node whose battery gets weak: what draws rests, what decides is read on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from box import SPEED, Box, wait_for

from kiezbox.battery import BatteryState
from kiezbox.clock import SystemClock
from kiezbox.node.outage import Absence
from kiezbox.settings import StoreSettings
from kiezbox.store import Store, StoreReader

#: One reading in so many of the box's seconds while it saves; ten of ours.
SAVING_S = 40.0
#: How long the fan warms up, in ours. Listening and the next report add less than two.
WARM_UP_S = 1.0

#: A battery so small that a charger fills a tenth of it in seconds.
BATTERY = """
[power.battery]
sensor = "battery"
capacity_ah = 0.1
"""


@pytest.fixture
def weak(tmp_path: Path) -> Iterator[Box]:
    """A box that was left with a quarter of its battery."""
    box = Box(tmp_path)
    box.dust.report_s = 0.1
    text = box.settings.read_text()
    text = text.replace('[power.battery]\nsensor = "battery"\n', BATTERY)
    text = text.replace(
        "warm_up_s = 0\ndeadline_s = 3", f"warm_up_s = {WARM_UP_S}\ndeadline_s = 12"
    )
    text = text.replace("interval_s = 1\n", f"interval_s = 1\nsaving_interval_s = {SAVING_S}\n")
    box.settings.write_text(text)
    clock = SystemClock()
    store = Store.open(StoreSettings(path=str(box.store)), "kb-test", clock)
    state = BatteryState(low=24.0, high=26.0)
    store.keep("battery", {"state": state.to_dict(), **Absence(clock).mark()})
    store.close()
    yield box
    box.close()


def taken(box: Box, series: str) -> float:
    """When a value was measured, box time; 0: there is none."""
    found = (box.facts().get("latest") or {}).get(series)
    return float(found["taken_at"]) if found else 0.0


def readings(box: Box, sensor: str) -> int:
    batch = StoreReader(str(box.store)).after(0, 5000)
    return sum(batch.series[one.series].sensor == sensor for one in batch)


def test_in_mode_saving_the_fan_rests_and_the_battery_is_watched_on(weak: Box) -> None:
    weak.meter.set(bus_v=13.2, current_a=-0.1)
    weak.start()
    wait_for(lambda: weak.mode() == "saving", "mode saving")
    wait_for(lambda: weak.dust.is_asleep, "the fan's rest")

    # From the end of one reading to the end of the next: a whole interval of saving.
    since = weak.facts()["mode"]["since"] + SAVING_S / 2

    def is_read_after(moment: float) -> bool:
        return taken(weak, "dust/pm2_5_ug_m3") > moment and weak.dust.is_asleep

    wait_for(lambda: is_read_after(since), "a reading of mode saving")
    began, awake_s = time.monotonic(), weak.dust.awake_s
    first, battery = taken(weak, "dust/pm2_5_ug_m3"), readings(weak, "battery")
    wait_for(lambda: is_read_after(first), "the next")
    share = (weak.dust.awake_s - awake_s) / (time.monotonic() - began)

    apart_s = taken(weak, "dust/pm2_5_ug_m3") - first
    assert apart_s == pytest.approx(SAVING_S, abs=8)
    # 100 % before; now warm-up and report out of ten seconds.
    assert WARM_UP_S * SPEED / SAVING_S * 0.8 <= share <= 0.35
    # Three series, each second of the box; a busy machine may lose some.
    assert readings(weak, "battery") - battery > 3 * SAVING_S / 4


def test_after_saving_the_sensors_are_read_as_often_as_before_at_once(weak: Box) -> None:
    weak.meter.set(bus_v=13.2, current_a=-0.1)
    weak.start()
    wait_for(lambda: weak.mode() == "saving", "mode saving")
    wait_for(lambda: taken(weak, "roof/temperature_c"), "a reading")

    weak.meter.set(bus_v=13.4, current_a=1.0)
    wait_for(lambda: weak.mode() == "normal", "a charged battery")
    back = weak.facts()["mode"]["since"]
    wait_for(lambda: taken(weak, "roof/temperature_c") > back, "the roof's next", limit_s=5)
    first = taken(weak, "roof/temperature_c")
    wait_for(lambda: taken(weak, "roof/temperature_c") >= first + 3, "and more", limit_s=5)
    wait_for(lambda: not weak.dust.is_asleep, "a fan that has no time to rest")
