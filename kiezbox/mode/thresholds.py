"""Whether a value has reached a step: water over its banks, heat, dust.

Each step of each series is a small machine of its own, all with the same table: it is reached when
all good values of ``held_s`` lie at it or above, and left when all of ``held_s`` lie more than
``back`` below it. So neither a wave nor a value that trembles about the step moves it. Doubtful and
unusable values never come here. Where no good value comes for ``lost_s``, nobody knows, and what
nobody knows is no emergency; until then the step stands, because the flood that drowned the sensor
is not over. Pure: time comes in as monotonic seconds. docs/power.md draws the machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from math import isfinite
from typing import Any, NamedTuple

from kiezbox.power import TICK_S

__all__ = [
    "MEANING", "START", "TRANSITIONS", "Level", "Limits", "Mark", "MarkEvent", "MarkPhase",
    "feed", "look", "start",
]  # fmt: skip


class MarkPhase(StrEnum):
    """Where the value stands by one step. Above and falling count."""

    BELOW = "below"
    RISING = "rising"
    ABOVE = "above"
    FALLING = "falling"


class MarkEvent(StrEnum):
    """What can happen at one step."""

    REACHED = "reached"
    BETWEEN = "between"
    LEFT = "left"
    HELD = "held"
    LOST = "lost"


START = MarkPhase.BELOW

#: What each event means, for the diagram.
MEANING: dict[MarkEvent, str] = {
    MarkEvent.REACHED: "a good value at the step or above it",
    MarkEvent.BETWEEN: "a good value below the step, by less than back",
    MarkEvent.LEFT: "a good value below the step by back or more",
    MarkEvent.HELD: "all good values of held_s were on that side",
    MarkEvent.LOST: "no good value for lost_s",
}

#: The machine of each step. A pair that is not here changes nothing.
TRANSITIONS: dict[tuple[MarkPhase, MarkEvent], MarkPhase] = {
    (MarkPhase.BELOW, MarkEvent.REACHED): MarkPhase.RISING,
    (MarkPhase.RISING, MarkEvent.BETWEEN): MarkPhase.BELOW,
    (MarkPhase.RISING, MarkEvent.LEFT): MarkPhase.BELOW,
    (MarkPhase.RISING, MarkEvent.HELD): MarkPhase.ABOVE,
    (MarkPhase.ABOVE, MarkEvent.LEFT): MarkPhase.FALLING,
    (MarkPhase.ABOVE, MarkEvent.LOST): MarkPhase.BELOW,
    (MarkPhase.FALLING, MarkEvent.BETWEEN): MarkPhase.ABOVE,
    (MarkPhase.FALLING, MarkEvent.REACHED): MarkPhase.ABOVE,
    (MarkPhase.FALLING, MarkEvent.LOST): MarkPhase.BELOW,
    (MarkPhase.FALLING, MarkEvent.HELD): MarkPhase.BELOW,
}

#: Phases in which a step counts as reached.
REACHED = (MarkPhase.ABOVE, MarkPhase.FALLING)


class Limits(NamedTuple):
    """``marks``: step → value, the lowest first. ``gap_s``: over a longer pause between two good
    values nothing is bridged.
    """

    marks: Mapping[str, float]
    back: float
    held_s: float
    lost_s: float
    gap_s: float


@dataclass(frozen=True, slots=True)
class Mark:
    """``since``: monotonic seconds at which the step was reached; ``turned``: at which the value
    came to the side on which it must hold.
    """

    phase: MarkPhase = START
    since: float = 0.0
    turned: float = 0.0


@dataclass(frozen=True, slots=True)
class Level:
    """One series. ``heard``: monotonic seconds of the last good value, None before the first."""

    marks: Mapping[str, Mark] = field(default_factory=dict)
    heard: float | None = None

    @property
    def step(self) -> str:
        """The highest step that is reached; "": none."""
        reached = [name for name, mark in self.marks.items() if mark.phase in REACHED]
        return reached[-1] if reached else ""

    @property
    def since(self) -> float | None:
        """When that one was reached."""
        step = self.step
        return self.marks[step].since if step else None

    @property
    def lasting(self) -> tuple[bool, ...]:
        """What must be kept before anything is done about it."""
        return tuple(mark.phase in REACHED for mark in self.marks.values())

    def to_dict(self, now: float) -> dict[str, Any]:
        return {
            "heard_age_s": None if self.heard is None else max(0.0, now - self.heard),
            "reached": {
                name: max(0.0, now - mark.since)
                for name, mark in self.marks.items()
                if mark.phase in REACHED
            },
        }

    @classmethod
    def from_dict(
        cls, document: Mapping[str, Any], now: float, off_s: float, limits: Limits
    ) -> Level:
        """Go on with a kept state: what was reached is reached, what had to hold begins anew.

        A sensor is given ``gap_s`` to say its first word, however long the box was off.
        """
        try:
            reached, age_s = document["reached"], document["heard_age_s"]
            ages = {name: float(reached[name]) + off_s for name in limits.marks if name in reached}
            heard = None if age_s is None else now - float(age_s) - off_s
        except (KeyError, TypeError, ValueError):
            return start(limits)
        if not all(map(isfinite, (*ages.values(), heard or 0.0))):
            return start(limits)
        if heard is not None:
            heard = max(heard, now - limits.lost_s + min(limits.gap_s, limits.lost_s))
        return cls(
            {
                name: Mark(MarkPhase.ABOVE, now - ages[name]) if name in ages else Mark()
                for name in limits.marks
            },
            heard,
        )


def start(limits: Limits) -> Level:
    """A sensor that has said nothing yet."""
    return Level({name: Mark() for name in limits.marks})


def feed(level: Level, value: float, at: float, limits: Limits) -> Level:
    """A good value, taken at that monotonic second. What is not finite is none."""
    if not isfinite(value) or not isfinite(at):
        return level
    is_bridged = level.heard is not None and at - level.heard <= limits.gap_s
    marks = {}
    for name, where in limits.marks.items():
        mark = level.marks.get(name, Mark())
        if not is_bridged:
            mark = replace(mark, turned=at)
        mark = _step(mark, _side(value, where, limits.back), at)
        if at - mark.turned + TICK_S >= limits.held_s:
            mark = _step(mark, MarkEvent.HELD, at)
        marks[name] = mark
    return Level(marks, at)


def look(level: Level, now: float, limits: Limits) -> Level:
    """Time passed, and no good value came."""
    if level.heard is None or now - level.heard < limits.lost_s:
        return level
    marks = {name: _step(mark, MarkEvent.LOST, now) for name, mark in level.marks.items()}
    return Level(marks, None)


def _side(value: float, where: float, back: float) -> MarkEvent:
    if value >= where:
        return MarkEvent.REACHED
    return MarkEvent.BETWEEN if value > where - back else MarkEvent.LEFT


def _step(mark: Mark, event: MarkEvent, at: float) -> Mark:
    after = TRANSITIONS.get((mark.phase, event))
    if after is None:
        return mark
    if after in (MarkPhase.RISING, MarkPhase.FALLING):
        return replace(mark, phase=after, turned=at)
    if mark.phase is MarkPhase.RISING and after is MarkPhase.ABOVE:
        return replace(mark, phase=after, since=mark.turned)
    return replace(mark, phase=after)
