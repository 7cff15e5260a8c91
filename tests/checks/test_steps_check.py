"""``kiezbox check``: steps that nothing can reach, or that nobody knows of."""

from __future__ import annotations

from typing import Any

from kiezbox.checks import Examined, Level, steps
from kiezbox.clock import ManualClock
from kiezbox.settings import Settings, parse

ENABLED = {"causes": {"sensor_threshold": {"enabled": True}}}


def said(facts: Any = None, where: str = "outdoor", **marks: float) -> list[tuple[Level, str]]:
    brook = {
        "driver": "a02yyuw", "mounting_height_m": 2.4, "where": where,
        "steps": {"water_level_m": marks},
    }  # fmt: skip
    table = {"box": {"id": "kb-a"}, "sensors": {"brook": brook}, "mode": ENABLED}
    box = Examined(parse(Settings, table), ManualClock(0.0), facts)
    return [(each.level, each.message) for each in steps.run(box)]


def test_a_cause_that_no_sensor_can_be_is_said() -> None:
    assert said(alarm=1.5) == []
    for found in (said(warning=1.5), said(alarm=1.5, where="indoor")):
        assert [level for level, _ in found] == [Level.WARNING]
        assert "no sensor can open this box" in found[0][1]


def test_a_gauge_that_nobody_can_read_is_said() -> None:
    entry = {"sensor": "brook", "quantity": "water_level_m", "step": "warning"}

    fine = said({"steps": [entry | {"is_stale": False}]}, alarm=1.5)
    stale = said({"steps": [entry | {"is_stale": True}]}, alarm=1.5)

    assert fine == [(Level.FINE, "brook/water_level_m: step warning")]
    assert stale[0][0] is Level.WARNING and "nobody knows" in stale[0][1]
