"""``kiezbox check``: sensors that have said nothing lately."""

from __future__ import annotations

import pytest

from kiezbox.checks import Examined, Level, sensors
from kiezbox.clock import ManualClock
from kiezbox.settings import Settings, parse


def said(mode: str, latest: dict[str, object]) -> list[Level]:
    table = {"box": {"id": "kb-a"}, "sensors": {"street": {"driver": "sds011", "where": "outdoor"}}}
    facts = {"mode": {"name": mode}, "latest": latest}
    return [f.level for f in sensors.run(Examined(parse(Settings, table), ManualClock(9.0), facts))]


@pytest.mark.parametrize(
    "mode, level",
    [("normal", Level.WARNING), ("saving", Level.WARNING), ("dark", Level.NOTE)],
)
def test_a_silent_sensor_is_a_warning_but_where_the_box_lets_it_rest(
    mode: str, level: Level
) -> None:
    assert said(mode, {}) == [level]


def test_a_sensor_that_speaks_is_fine_in_the_dark_too() -> None:
    assert said("dark", {"street/pm2_5_ug_m3": {"value": 8.0, "taken_at": 3.0}}) == [Level.FINE]
