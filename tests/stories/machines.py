"""What the stories are told with: small machines that hold a state, a time and the settings."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from kiezbox import battery, mode, power
from kiezbox.mode import causes, thresholds
from kiezbox.settings import (
    BatterySettings,
    CauseSettings,
    CausesSettings,
    ModeSettings,
    PowerSettings,
)

HOUR = 3600.0

#: Every (machine, before, event, after) that any story has seen.
TAKEN: set[tuple[str, str, str, str]] = set()


def taken(fired: Iterable[power.Fired]) -> list[tuple[str, str, str]]:
    """The arrows of one step, without their details."""
    TAKEN.update((arrow.machine, arrow.before, arrow.event, arrow.after) for arrow in fired)
    return [(arrow.before, arrow.event, arrow.after) for arrow in fired]


NAMES = ("pin", "voltage", "ups")


class GridStory:
    """A box with a grid, asked once a second (or when a timer of its own is due)."""

    def __init__(self, **settings: Any) -> None:
        self.settings = PowerSettings(**settings)
        self.now = 1000.0
        self.state = power.start(self.now)
        self.arrows: list[tuple[str, str, str]] = []
        self.troubles: tuple[power.Trouble, ...] = ()

    def __str__(self) -> str:
        return str(self.state.grid)

    def say(self, *votes: str, seconds: float = 0.0, every: float = 1.0) -> GridStory:
        """The sources say this, from now on for so many seconds; at least one look."""
        end = self.now + seconds
        while True:
            result = power.step(
                self.state, dict(zip(NAMES, votes, strict=False)), self.now, self.settings
            )
            self.state, self.troubles = result.state, result.troubles
            self.arrows += taken(result.fired)
            if self.now >= end:
                return self
            self.now = min(end, self.now + min(every, result.next_in_s))

    def wait(self, seconds: float) -> GridStory:
        """Time passes before the next look."""
        self.now += seconds
        return self

    def restart(self, off_s: float | None = None) -> GridStory:
        """The power goes; the box comes back with a monotonic clock that begins anew."""
        document = self.state.to_dict(self.now)
        self.now = 5.0
        self.state = power.PowerState.from_dict(document, self.now, off_s)
        return self


class BatteryStory:
    """A battery of four LiFePO4 cells of 12 Ah, sampled once a minute."""

    def __init__(self, percent: float | None = None, **settings: Any) -> None:
        self.settings = BatterySettings(sensor="battery", **settings)
        self.now = 1000.0
        self.state = battery.BatteryState()
        self.arrows: list[tuple[str, str, str]] = []
        if percent is not None:
            self.state = replace(self.state, low=percent, high=percent)
            self.sample(13.2, 0.0)
            self.arrows.clear()

    def __str__(self) -> str:
        return str(self.state.stage)

    @property
    def charge(self) -> battery.Band:
        return battery.charge_percent(self.state, self.settings)

    def sample(self, voltage_v: float | None, current_a: float | None) -> BatteryStory:
        reading = battery.Sample(voltage_v, current_a, self.now)
        result = battery.step(self.state, reading, self.settings)
        self.state = result.state
        self.arrows += taken(result.fired)
        return self

    def run(
        self,
        hours: float,
        voltage_v: float | None,
        current_a: float | None,
        every: float = 60.0,
    ) -> BatteryStory:
        """It goes on like this for so long. Between the ends the voltage says nothing."""
        for _ in range(round(hours * HOUR / every)):
            self.now += every
            self.sample(voltage_v, current_a)
        return self

    def wait(self, hours: float) -> BatteryStory:
        self.now += hours * HOUR
        return self

    def restart(self, off_s: float | None = None) -> BatteryStory:
        document = self.state.to_dict()
        self.now = 5.0
        self.state = battery.BatteryState.from_dict(document, self.now, self.settings, off_s)
        return self


#: Every cause switched on, without delay: the stories' own settings where they need them.
EVERY_CAUSE = CausesSettings(
    **{name: CauseSettings(enabled=True, debounce_s=0.0, expiry_s=0.0) for name in causes.CAUSES}
)


class ModeStory:
    """A box in a situation; the situation stays until the story changes it."""

    def __init__(self, **settings: Any) -> None:
        self.settings = ModeSettings(**settings)
        self.now = 1000.0
        self.state = mode.start(self.now)
        self.grid = power.Grid.PRESENT
        self.battery = battery.Stage.GOOD
        self.signals: Mapping[str, str] = {}
        self.arrows: list[tuple[str, str, str]] = []
        self.wlan_changes: list[float] = []
        self.last: mode.ModeStep
        self.look()

    def __str__(self) -> str:
        return str(self.state.mode)

    @property
    def is_open(self) -> bool:
        return self.state.is_open

    @property
    def causes(self) -> list[str]:
        return [cause.name for cause in self.state.counting]

    def look(self, order: mode.Order | None = None) -> ModeStory:
        was_open = self.state.is_open
        self.last = mode.step(
            self.state,
            now=self.now,
            settings=self.settings,
            grid=self.grid,
            battery=self.battery,
            signals=self.signals,
            order=order,
        )
        self.state = self.last.state
        self.arrows += taken(self.last.fired)
        if self.state.is_open != was_open:
            self.wlan_changes.append(self.now)
        return self

    def grid_is(self, word: str) -> ModeStory:
        self.grid = power.Grid(word)
        return self.look()

    def battery_is(self, word: str) -> ModeStory:
        self.battery = battery.Stage(word)
        return self.look()

    def signal(self, **signals: str) -> ModeStory:
        self.signals = signals
        return self.look()

    def order(self, verb: str, hours: float = 2.0) -> ModeStory:
        return self.look(mode.Order(verb, hours * HOUR))

    def wait(self, seconds: float) -> ModeStory:
        self.now += seconds
        return self.look()

    def restart(self, off_s: float | None = None) -> ModeStory:
        document = self.state.to_dict(self.now)
        self.now = 5.0
        self.state = mode.ModeState.from_dict(document, self.now, off_s)
        return self


class WaterStory:
    """A brook with three steps, asked once a minute unless it is said otherwise."""

    def __init__(self, **more: Any) -> None:
        limits = {
            "marks": {"attention": 0.8, "warning": 1.1, "alarm": 1.5},
            "back": 0.05, "held_s": 120.0, "lost_s": 3600.0, "gap_s": 900.0,
        }  # fmt: skip
        self.limits = thresholds.Limits(**{**limits, **more})
        self.now = 1000.0
        self.level = thresholds.start(self.limits)

    def __str__(self) -> str:
        return self.level.step

    def at(self, *levels_m: float, every: float = 60.0) -> WaterStory:
        """Good readings, one after the other, the first of them after ``every``."""
        for level_m in levels_m:
            self.now += every
            self.level = thresholds.feed(self.level, level_m, self.now, self.limits)
            self.level = thresholds.look(self.level, self.now, self.limits)
        return self

    def stays(self, level_m: float, minutes: int) -> WaterStory:
        return self.at(*[level_m] * minutes)

    def silence(self, minutes: float) -> WaterStory:
        """No good reading: none at all, or doubtful ones."""
        self.now += 60 * minutes
        self.level = thresholds.look(self.level, self.now, self.limits)
        return self

    def restart(self, off_s: float = 0.0) -> WaterStory:
        document = json.loads(json.dumps(self.level.to_dict(self.now)))
        self.now = 5.0
        self.level = thresholds.Level.from_dict(document, self.now, off_s, self.limits)
        self.level = thresholds.look(self.level, self.now, self.limits)
        return self
