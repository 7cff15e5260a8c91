"""How full the battery is, in words: a table with hysteresis over the band that was counted."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from math import inf
from typing import NamedTuple

from kiezbox.settings import BatterySettings


class Stage(StrEnum):
    """How full. Unknown is not low: it neither saves nor darkens."""

    FULL = "full"
    GOOD = "good"
    LOW = "low"
    CRITICAL = "critical"
    UNKNOWN = "unknown"


class StageEvent(StrEnum):
    """What moves a battery from one stage to the next."""

    CHARGED = "charged"
    DRAINED = "drained"
    SURE = "sure"
    UNSURE = "unsure"


START = Stage.UNKNOWN

FULL_PERCENT = 95.0
#: Points between the ends of the band. The two differ so that a band at the limit does not flap.
SURE_WIDTH = 50.0
UNSURE_WIDTH = 60.0
#: A box that went dark, died and wakes must not open because it lost count: the voltage gets ten
#: minutes to say that the battery is empty.
UNSURE_S = 600.0

#: What each event means, for the diagram.
MEANING: dict[StageEvent, str] = {
    StageEvent.CHARGED: "the middle of the band rose to the stage's upper limit",
    StageEvent.DRAINED: "the middle of the band fell to the stage's lower limit",
    StageEvent.SURE: f"the band is at most {SURE_WIDTH:g} points wide",
    StageEvent.UNSURE: f"the band is over {UNSURE_WIDTH:g} points wide for {UNSURE_S:g} s",
}

#: The machine. A pair that is not here changes nothing; a battery that turns out to be empty
#: walks through the stages in one step.
TRANSITIONS: dict[tuple[Stage, StageEvent], Stage] = {
    (Stage.UNKNOWN, StageEvent.SURE): Stage.GOOD,
    (Stage.FULL, StageEvent.DRAINED): Stage.GOOD,
    (Stage.GOOD, StageEvent.CHARGED): Stage.FULL,
    (Stage.GOOD, StageEvent.DRAINED): Stage.LOW,
    (Stage.LOW, StageEvent.CHARGED): Stage.GOOD,
    (Stage.LOW, StageEvent.DRAINED): Stage.CRITICAL,
    (Stage.CRITICAL, StageEvent.CHARGED): Stage.LOW,
    (Stage.FULL, StageEvent.UNSURE): Stage.UNKNOWN,
    (Stage.GOOD, StageEvent.UNSURE): Stage.UNKNOWN,
    (Stage.LOW, StageEvent.UNSURE): Stage.UNKNOWN,
    (Stage.CRITICAL, StageEvent.UNSURE): Stage.UNKNOWN,
}


class Charge(NamedTuple):
    """What is known: percent at the least and at the most; for how many seconds the band has
    been too wide (0 while it is not); whether a current is being counted just now."""

    low: float
    high: float
    unsure_s: float
    is_counted: bool


def walk(
    stage: Stage, charge: Charge, settings: BatterySettings
) -> Iterator[tuple[Stage, StageEvent, Stage]]:
    """The arrows that a charge leads along."""
    while True:
        event = _event(stage, charge, settings)
        after = TRANSITIONS.get((stage, event)) if event else None
        if event is None or after is None:
            return
        yield stage, event, after
        stage = after


def _event(stage: Stage, charge: Charge, settings: BatterySettings) -> StageEvent | None:
    width, middle = charge.high - charge.low, (charge.low + charge.high) / 2
    if stage is Stage.UNKNOWN:
        return StageEvent.SURE if width <= SURE_WIDTH else None
    if width > UNSURE_WIDTH:
        return StageEvent.UNSURE if charge.unsure_s >= UNSURE_S else None
    # A band that widens because nobody counts moves its middle, and nothing else has moved.
    if not charge.is_counted:
        return None
    drained_at, charged_at = limits(settings)[stage]
    if middle <= drained_at:
        return StageEvent.DRAINED
    return StageEvent.CHARGED if middle >= charged_at else None


def limits(settings: BatterySettings) -> dict[Stage, tuple[float, float]]:
    """Per stage: drained at or below, charged at or above. The hysteresis lies in between."""
    more = settings.hysteresis_percent
    low, critical = settings.low_percent, settings.critical_percent
    return {
        Stage.FULL: (FULL_PERCENT - more, inf),
        Stage.GOOD: (low, FULL_PERCENT),
        Stage.LOW: (critical, min(low + more, FULL_PERCENT)),
        Stage.CRITICAL: (-inf, critical + more),
    }
