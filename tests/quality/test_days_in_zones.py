"""``kiezbox readings quality`` where a day has 23, 23.5 or 25 hours, or no 0:00, or two."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from kiezbox.cli._quality import days_of, document, midnight
from kiezbox.clock import ManualClock
from kiezbox.model import Measurement, Quantity
from kiezbox.settings import Settings, StoreSettings, parse
from kiezbox.store import Store, StoreReader

#: Zone, a day on which its clocks changed, and how many hours that had (tz database 2025b). All are
#: past: Cuba's clocks changed no more in 2026.
CHANGES = [
    ("Europe/Berlin", "2025-03-30", 23),
    ("Europe/Berlin", "2025-10-26", 25),
    ("Africa/Cairo", "2025-04-25", 23),  # there is no 0:00
    ("America/Havana", "2025-11-02", 25),  # there are two
    ("Australia/Lord_Howe", "2025-10-05", 23.5),
    ("Asia/Kathmandu", "2025-10-25", 24),
]
TEN_MINUTES = 600


@pytest.fixture
def zone(request: pytest.FixtureRequest) -> Iterator[ZoneInfo]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", request.param)
        time.tzset()
        yield ZoneInfo(request.param)
    time.tzset()


@pytest.mark.parametrize(("zone", "day", "hours"), CHANGES, indirect=["zone"])
def test_a_day_on_which_the_clocks_change_misses_nothing_and_counts_nothing_twice(
    zone: ZoneInfo, day: str, hours: float, tmp_path: Path
) -> None:
    date = datetime.fromisoformat(day)
    first = (date - timedelta(days=2)).replace(hour=12, tzinfo=zone).timestamp()
    last = (date + timedelta(days=1)).replace(hour=12, tzinfo=zone).timestamp()
    clock, path = ManualClock(first), tmp_path / "kiezbox.db"
    with closing(Store.open(StoreSettings(path=str(path)), "kb-test", clock)) as store:
        while clock.now() < last:
            store.add("roof", [Measurement(Quantity.TEMPERATURE_C, 20.0)])
            clock.advance(TEN_MINUTES)
    roof = {"driver": "bme280", "interval_s": TEN_MINUTES}
    settings = parse(Settings, {"box": {"id": "kb-test"}, "sensors": {"roof": roof}})

    days = document(days_of(StoreReader(str(path)), settings, clock, 3, ()))

    names = [(date + timedelta(days=n)).strftime("%Y-%m-%d") for n in (-1, 0, 1)]
    assert [one["day"] for one in days] == names
    assert [one["missing"] for one in days] == [0, 0, 0]
    assert days[1]["good"] == hours * 6


@pytest.mark.parametrize("zone", ["Europe/Berlin"], indirect=True)
def test_just_after_midnight_two_days_are_two_also_behind_a_short_one(
    zone: ZoneInfo, tmp_path: Path
) -> None:
    clock = ManualClock(datetime(2026, 3, 28, 12, tzinfo=zone).timestamp())
    with closing(Store.open(StoreSettings(path=str(tmp_path / "db")), "kb", clock)) as store:
        until = datetime(2026, 3, 30, 0, 30, tzinfo=zone).timestamp()
        while clock.now() < until:
            store.add("roof", [Measurement(Quantity.TEMPERATURE_C, 20.0)])
            clock.advance(TEN_MINUTES)
    settings = parse(Settings, {"box": {"id": "kb"}})

    days = document(days_of(StoreReader(str(tmp_path / "db")), settings, clock, 2, ()))

    assert [one["day"] for one in days] == ["2026-03-29", "2026-03-30"]


@pytest.mark.parametrize("zone", [zone for zone, _, _ in CHANGES], indirect=True)
def test_every_moment_of_a_year_lies_in_one_day_and_the_days_follow_each_other(
    zone: ZoneInfo,
) -> None:
    end = datetime(2025, 12, 31, 12, tzinfo=zone).timestamp()
    end = midnight(end)[0]
    for _ in range(367):
        start, end = day = midnight(end)
        assert {midnight(at) for at in (start, start + 3600, end - 3601, end - 1)} == {day}
        assert (
            datetime.fromtimestamp(start, zone).date() != datetime.fromtimestamp(end, zone).date()
        )
