"""Which steps are reached, as the node sees it: what counts, what is kept, what is stale."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from kiezbox.clock import ManualClock
from kiezbox.model import Flag, Reading
from kiezbox.node.latest import Latest
from kiezbox.node.outage import Absence
from kiezbox.node.thresholds import Thresholds
from kiezbox.settings import Settings, StoreSettings, parse
from kiezbox.store import Store

LEVEL = "water_level_m"


class Brook:
    """A sensor with steps, read once a minute, over a real store; it can die at any moment."""

    def __init__(self, folder: Path, quantity: str = LEVEL, **table: Any) -> None:
        self.quantity = quantity
        sensor = {
            "driver": "a02yyuw", "where": "outdoor",
            "steps": {quantity: {"warning": 1.1, "alarm": 1.5}}, **table,
        }  # fmt: skip
        self.settings = parse(Settings, {"box": {"id": "kb-a"}, "sensors": {"brook": sensor}})
        self.clock = ManualClock(1_790_000_000.0)
        self.facts: list[dict[str, Any]] = []
        self._serial = 0
        self.moves_to(folder)

    def moves_to(self, folder: Path, after_s: float = 0.0) -> None:
        """It starts anew, with what is there on the card."""
        self.clock = ManualClock(self.clock.now() + after_s)
        self._store = StoreSettings(path=str(folder / "kiezbox.db"), run_dir=str(folder))
        self.start()

    def start(self) -> None:
        self.store = Store.open(self._store, "kb-a", self.clock)
        self.latest = Latest(lambda: None)
        self.steps = Thresholds(
            self.settings, latest=self.latest, store=self.store, clock=self.clock,
            absence=Absence(self.clock), tell=self._tell,
        )  # fmt: skip
        self.look()

    def _tell(self, facts: list[dict[str, Any]]) -> None:
        self.facts = facts

    def look(self) -> None:
        self.steps.look(self.clock.monotonic())

    def reads(
        self, value: float, times: int = 1, flag: Flag = Flag.GOOD, name: str = "brook"
    ) -> None:
        for _ in range(times):
            self.clock.advance(60)
            self._serial += 1
            reading = Reading(
                self._serial, 1, int(self.clock.now() * 1000),
                int(self.clock.monotonic() * 1000), value, None, flag,
            )  # fmt: skip
            self.latest.update(name, [self.quantity], [reading])
            # The power worker looks more often than anybody measures.
            self.look()
            self.look()

    @property
    def entry(self) -> dict[str, Any]:
        (entry,) = self.facts
        return entry


@pytest.fixture
def brook(tmp_path: Path) -> Brook:
    return Brook(tmp_path)


def test_the_same_reading_looked_at_often_is_one(brook: Brook) -> None:
    with closing(brook.store):
        brook.reads(1.6)
        for _ in range(200):
            brook.clock.advance(1)
            brook.look()

        assert brook.steps.alarm() is None
        brook.reads(1.6)
        assert brook.steps.alarm() == "brook/water_level_m ≥ 1.50 m"


def test_doubtful_and_bad_readings_neither_reach_nor_leave_a_step(brook: Brook) -> None:
    with closing(brook.store):
        brook.reads(9.0, 20, Flag.SUSPECT)
        brook.reads(9.0, 20, Flag.BAD)
        assert (brook.steps.alarm(), brook.entry["value"]) == (None, None)

        brook.reads(1.6, 3)
        brook.reads(0.0, 10, Flag.SUSPECT)
        assert brook.steps.alarm() and brook.entry["value"] == 1.6


def test_a_sensor_that_says_nothing_is_stale_after_a_quarter_of_an_hour(brook: Brook) -> None:
    with closing(brook.store):
        assert brook.entry["is_stale"] is True
        brook.reads(1.6, 3)
        taken_at = brook.entry["taken_at"]
        assert brook.entry["is_stale"] is False

        brook.latest.forget("brook")
        brook.clock.advance(901)
        brook.look()
        assert (brook.entry["is_stale"], brook.entry["step"]) == (True, "alarm")
        assert (brook.entry["value"], brook.entry["taken_at"]) == (1.6, taken_at)

        brook.clock.advance(2700)
        brook.look()
        assert (brook.entry["step"], brook.steps.alarm()) == (None, None)


def test_whoever_dies_in_a_flood_wakes_in_it_without_a_reading(tmp_path: Path) -> None:
    (tmp_path / "dies").mkdir()
    brook = Brook(tmp_path / "dies")
    brook.reads(1.6, 3)
    since = brook.entry["since"]
    # The files as they are, the store not closed: what is reached was written at once.
    shutil.copytree(tmp_path / "dies", tmp_path / "wakes")
    brook.store.close()

    brook.moves_to(tmp_path / "wakes", after_s=40)

    with closing(brook.store):
        assert brook.steps.alarm() is not None
        assert brook.entry["is_stale"] is True and brook.entry["value"] is None
        assert abs(brook.entry["since"] - since) <= 60


def test_a_box_that_warms_its_thermometer_is_judged_by_the_corrected_series(
    tmp_path: Path,
) -> None:
    brook = Brook(
        tmp_path, "temperature_c", temperature_offset_k=-4.0,
        steps={"temperature_c": {"alarm": 36.0}},
    )  # fmt: skip
    with closing(brook.store):
        brook.reads(38.0, 5)
        assert brook.steps.alarm() is None

        brook.reads(36.5, 3, name="brook_corrected")
        assert brook.steps.alarm() == "brook/temperature_c ≥ 36.0 °C"


def test_indoors_a_step_is_told_and_is_no_cause(tmp_path: Path) -> None:
    brook = Brook(tmp_path, where="indoor", room="cellar")
    with closing(brook.store):
        brook.reads(1.6, 3)

        assert (brook.entry["step"], brook.entry["room"]) == ("alarm", "cellar")
        assert brook.steps.alarm() is None


def test_steps_that_were_taken_out_of_the_settings_are_forgotten(brook: Brook) -> None:
    with closing(brook.store):
        brook.reads(1.6, 3)
    table = dict(brook.settings.sensors["brook"])
    table["steps"] = {LEVEL: {"warning": 1.1}}
    brook.settings = parse(Settings, {"box": {"id": "kb-a"}, "sensors": {"brook": table}})

    brook.start()

    with closing(brook.store):
        assert (brook.entry["step"], brook.steps.alarm()) == ("warning", None)
