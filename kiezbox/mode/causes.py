"""Why a box opens. Electricity is one cause of an emergency, not the only one.

Each cause is a small machine of its own, all with the same table: a signal is debounced, counts,
and stops counting when it falls or expires. Switch, debounce and expiry are settings per cause.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from math import isfinite
from typing import Any

from kiezbox.power import TICK_S
from kiezbox.settings import CauseSettings, CausesSettings

#: Every cause there is, in the order in which people are told. Its settings have the same names.
CAUSES = (
    "grid_lost",
    "official_warning",
    "sensor_threshold",
    "remote_order",
    "operator",
    "uplink_lost",
)


class Phase(StrEnum):
    """How far one cause has come. Only an active one counts."""

    IDLE = "idle"
    PENDING = "pending"
    ACTIVE = "active"
    SPENT = "spent"


class CauseEvent(StrEnum):
    """What can happen to a cause."""

    ROSE = "rose"
    FELL = "fell"
    HELD = "held"
    EXPIRED = "expired"


START = Phase.IDLE

#: What each event means, for the diagram.
MEANING: dict[CauseEvent, str] = {
    CauseEvent.ROSE: "the signal is there, and the cause is switched on",
    CauseEvent.FELL: "the signal is gone, or the cause was switched off",
    CauseEvent.HELD: "there for debounce_s without a break",
    CauseEvent.EXPIRED: "there for longer than expiry_s (0: never)",
}

#: The machine of each cause. A pair that is not here changes nothing.
TRANSITIONS: dict[tuple[Phase, CauseEvent], Phase] = {
    (Phase.IDLE, CauseEvent.ROSE): Phase.PENDING,
    (Phase.PENDING, CauseEvent.FELL): Phase.IDLE,
    (Phase.PENDING, CauseEvent.HELD): Phase.ACTIVE,
    (Phase.ACTIVE, CauseEvent.FELL): Phase.IDLE,
    (Phase.ACTIVE, CauseEvent.EXPIRED): Phase.SPENT,
    # A spent cause counts again only after its signal was gone.
    (Phase.SPENT, CauseEvent.FELL): Phase.IDLE,
}


@dataclass(frozen=True, slots=True)
class Cause:
    """``since``: monotonic seconds at which the signal rose. ``detail``: its own words."""

    name: str
    phase: Phase = START
    since: float = 0.0
    detail: str = ""

    def to_dict(self, now: float) -> dict[str, Any]:
        age_s = max(0.0, now - self.since)
        return {"phase": str(self.phase), "age_s": age_s, "detail": self.detail}

    @classmethod
    def from_dict(cls, name: str, document: Mapping[str, Any], now: float, off_s: float) -> Cause:
        """Debouncing begins anew; an age goes on, so that an expiry is not put off for ever."""
        try:
            phase, age_s = Phase(document["phase"]), float(document["age_s"]) + off_s
            detail = str(document["detail"])
        except (KeyError, TypeError, ValueError):
            return cls(name)
        is_aged = phase in (Phase.ACTIVE, Phase.SPENT) and isfinite(age_s) and age_s > 0
        return cls(name, phase, now - age_s if is_aged else now, detail)


def step(cause: Cause, signal: str | None, now: float, settings: CausesSettings) -> Cause:
    """One look at one cause. ``signal`` is None while there is none, else what it says."""
    limits: CauseSettings = getattr(settings, cause.name)
    for event in _events(cause, signal if limits.enabled else None, now, limits):
        after = TRANSITIONS.get((cause.phase, event))
        if after is None:
            continue
        if event is CauseEvent.ROSE:
            cause = replace(cause, since=now)
        cause = replace(cause, phase=after)
    return replace(cause, detail=(signal or "") if cause.phase is not Phase.IDLE else "")


def _events(
    cause: Cause, signal: str | None, now: float, limits: CauseSettings
) -> Iterator[CauseEvent]:
    if signal is None:
        yield CauseEvent.FELL
        return
    yield CauseEvent.ROSE
    age_s = (now - cause.since if cause.phase is not Phase.IDLE else 0.0) + TICK_S
    if age_s >= limits.debounce_s:
        yield CauseEvent.HELD
    # Counted from the rise: a debounce longer than the expiry never counts, as it says.
    if limits.expiry_s and age_s > limits.expiry_s:
        yield CauseEvent.EXPIRED
