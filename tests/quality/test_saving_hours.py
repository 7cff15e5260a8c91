"""Hours of mode saving in ``kiezbox readings quality``, by the transitions in a store on disk."""

from __future__ import annotations

from pathlib import Path

from kiezbox.cli._quality import days_of, midnight
from kiezbox.clock import ManualClock
from kiezbox.model import Measurement, Quantity
from kiezbox.settings import Settings, StoreSettings, parse
from kiezbox.store import Store, StoreReader


def test_hours_of_saving_miss_nothing_but_the_battery_is_expected_in_them(tmp_path: Path) -> None:
    clock = ManualClock()
    clock.advance(midnight(clock.now())[1] - clock.now())
    path = tmp_path / "kiezbox.db"
    store = Store.open(StoreSettings(path=str(path)), "kb-test", clock)

    def measure(hours: int, every_s: int) -> None:
        for _ in range(hours * 3600 // every_s):
            store.add("roof", [Measurement(Quantity.TEMPERATURE_C, 20.0)])
            store.add("battery", [Measurement(Quantity.VOLTAGE_V, 13.0)])
            clock.advance(every_s)

    measure(2, 60)
    store.put_transition("mode", "normal", "battery_weak", "saving", {})
    measure(3, 600)
    store.put_transition("mode", "saving", "all_clear", "normal", {})
    measure(2, 60)
    store.close()
    table = {
        "box": {"id": "kb-test"},
        "sensors": {"roof": {"driver": "bme280"}, "battery": {"driver": "ina219"}},
        "power": {"battery": {"sensor": "battery"}},
    }

    days = days_of(StoreReader(str(path)), parse(Settings, table), clock, 1, ())

    # The battery's sensor keeps its minute: 180 were expected in those hours, and 18 came.
    assert {(day.series.sensor, day.good, day.missing) for day in days} == {
        ("roof", 120 + 18 + 120, 0),
        ("battery", 120 + 18 + 120, 180 - 18),
    }
