"""What the box does now: one of six modes, from what is known about grid, battery and people.

What is wanted follows from the situation by a list of priorities; how the box gets there is a
table of transitions, and nothing else changes the mode. The WLAN changes at most once in
``wlan_pause_s``: a change that must wait is visible (``wanted``), and is forgotten when the
situation passes. Pure: time comes in as monotonic seconds, and a kept state goes on after a
restart. docs/power.md draws the machine and gives the reasons for the defaults.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from math import isfinite
from typing import Any, NamedTuple

from kiezbox.battery import Stage
from kiezbox.mode import causes as cause_rules
from kiezbox.mode.causes import CAUSES, Cause, Phase
from kiezbox.power import OUTAGE, TICK_S, Fired, Grid
from kiezbox.settings import ModeSettings

__all__ = [
    "ACCESS_POINT", "MEANING", "START", "TRANSITIONS", "VERBS", "Mode", "ModeEvent", "ModeState",
    "ModeStep", "Order", "is_emergency_wlan", "start", "step",
]  # fmt: skip


class Mode(StrEnum):
    """What the box does."""

    NORMAL = "normal"
    EMERGENCY = "emergency"
    SAVING = "saving"
    DARK = "dark"
    EXERCISE = "exercise"
    MAINTENANCE = "maintenance"


class ModeEvent(StrEnum):
    """Why it does something else from now on."""

    CAUSE = "cause"
    ALL_CLEAR = "all_clear"
    BATTERY_WEAK = "battery_weak"
    BATTERY_EMPTY = "battery_empty"
    EXERCISE = "exercise_ordered"
    MAINTENANCE = "maintenance_ordered"
    NEEDED = "needed"
    NOT_NEEDED = "not_needed"


START = Mode.NORMAL

#: What each event means, for the diagram.
MEANING: dict[ModeEvent, str] = {
    ModeEvent.CAUSE: "a cause of emergency counts, and the battery is not low",
    ModeEvent.ALL_CLEAR: "no cause counts (or the operator ordered normal), the battery is not low",
    ModeEvent.BATTERY_WEAK: "the battery is low",
    ModeEvent.BATTERY_EMPTY: "the battery is critical; beats every order",
    ModeEvent.EXERCISE: "the operator ordered a drill; no real cause, battery not low",
    ModeEvent.MAINTENANCE: "the operator ordered quiet; no real cause, battery not critical",
    ModeEvent.NEEDED: "in saving, a cause began to count: the WLAN opens",
    ModeEvent.NOT_NEEDED: "in saving, no cause counts any more: the WLAN closes",
}

#: The machine. A pair that is not here changes nothing.
TRANSITIONS: dict[tuple[Mode, ModeEvent], Mode] = {
    (Mode.NORMAL, ModeEvent.CAUSE): Mode.EMERGENCY,
    (Mode.NORMAL, ModeEvent.BATTERY_WEAK): Mode.SAVING,
    (Mode.NORMAL, ModeEvent.BATTERY_EMPTY): Mode.DARK,
    (Mode.NORMAL, ModeEvent.EXERCISE): Mode.EXERCISE,
    (Mode.NORMAL, ModeEvent.MAINTENANCE): Mode.MAINTENANCE,
    (Mode.EMERGENCY, ModeEvent.ALL_CLEAR): Mode.NORMAL,
    (Mode.EMERGENCY, ModeEvent.BATTERY_WEAK): Mode.SAVING,
    (Mode.EMERGENCY, ModeEvent.BATTERY_EMPTY): Mode.DARK,
    (Mode.EMERGENCY, ModeEvent.EXERCISE): Mode.EXERCISE,
    (Mode.EMERGENCY, ModeEvent.MAINTENANCE): Mode.MAINTENANCE,
    (Mode.SAVING, ModeEvent.ALL_CLEAR): Mode.NORMAL,
    (Mode.SAVING, ModeEvent.CAUSE): Mode.EMERGENCY,
    (Mode.SAVING, ModeEvent.BATTERY_EMPTY): Mode.DARK,
    (Mode.SAVING, ModeEvent.EXERCISE): Mode.EXERCISE,
    (Mode.SAVING, ModeEvent.MAINTENANCE): Mode.MAINTENANCE,
    (Mode.SAVING, ModeEvent.NEEDED): Mode.SAVING,
    (Mode.SAVING, ModeEvent.NOT_NEEDED): Mode.SAVING,
    (Mode.DARK, ModeEvent.ALL_CLEAR): Mode.NORMAL,
    (Mode.DARK, ModeEvent.CAUSE): Mode.EMERGENCY,
    (Mode.DARK, ModeEvent.BATTERY_WEAK): Mode.SAVING,
    (Mode.DARK, ModeEvent.EXERCISE): Mode.EXERCISE,
    (Mode.DARK, ModeEvent.MAINTENANCE): Mode.MAINTENANCE,
    (Mode.EXERCISE, ModeEvent.ALL_CLEAR): Mode.NORMAL,
    (Mode.EXERCISE, ModeEvent.CAUSE): Mode.EMERGENCY,
    (Mode.EXERCISE, ModeEvent.BATTERY_WEAK): Mode.SAVING,
    (Mode.EXERCISE, ModeEvent.BATTERY_EMPTY): Mode.DARK,
    (Mode.EXERCISE, ModeEvent.MAINTENANCE): Mode.MAINTENANCE,
    (Mode.MAINTENANCE, ModeEvent.ALL_CLEAR): Mode.NORMAL,
    (Mode.MAINTENANCE, ModeEvent.CAUSE): Mode.EMERGENCY,
    (Mode.MAINTENANCE, ModeEvent.BATTERY_WEAK): Mode.SAVING,
    (Mode.MAINTENANCE, ModeEvent.BATTERY_EMPTY): Mode.DARK,
    (Mode.MAINTENANCE, ModeEvent.EXERCISE): Mode.EXERCISE,
}

#: Whether the emergency WLAN is on the air: without a cause, and with one.
ACCESS_POINT: dict[Mode, tuple[bool, bool]] = {
    Mode.NORMAL: (False, False),
    Mode.EMERGENCY: (True, True),
    Mode.SAVING: (False, True),
    Mode.DARK: (False, False),
    Mode.EXERCISE: (True, True),
    Mode.MAINTENANCE: (False, False),
}

#: What an operator can order. "auto" takes an order back.
VERBS = ("auto", "emergency", "normal", "exercise", "maintenance")


def is_emergency_wlan(mode: Mode, has_cause: bool = False) -> bool:
    """Whether the emergency WLAN is on in a mode. In saving it depends on there being a cause."""
    return ACCESS_POINT[mode][has_cause]


class Order(NamedTuple):
    """What the operator ordered, and for how many seconds from now."""

    verb: str
    lasts_s: float


class Standing(NamedTuple):
    """An order in force; ``until`` in monotonic seconds."""

    verb: str
    until: float


@dataclass(frozen=True, slots=True)
class ModeState:
    """``since``: when the mode was entered. ``is_open``: the emergency WLAN is on;
    ``changed_at``: since when, or None if it never changed. All in monotonic seconds.
    """

    mode: Mode = START
    since: float = 0.0
    is_open: bool = False
    changed_at: float | None = None
    order: Standing | None = None
    causes: tuple[Cause, ...] = tuple(Cause(name) for name in CAUSES)

    @property
    def counting(self) -> tuple[Cause, ...]:
        """The causes that hold the box open. The order "normal" overrules all of them."""
        if self.order is not None and self.order.verb == "normal":
            return ()
        return tuple(cause for cause in self.causes if cause.phase is Phase.ACTIVE)

    def to_dict(self, now: float) -> dict[str, Any]:
        """A document for ``Store.keep``; ages and rests instead of times."""
        changed_at, order = self.changed_at, self.order
        return {
            "mode": str(self.mode),
            "age_s": max(0.0, now - self.since),
            "is_open": self.is_open,
            "changed_age_s": None if changed_at is None else max(0.0, now - changed_at),
            "order": order and {"verb": order.verb, "rest_s": max(0.0, order.until - now)},
            "causes": {cause.name: cause.to_dict(now) for cause in self.causes},
        }

    @classmethod
    def from_dict(
        cls, document: Mapping[str, Any], now: float, off_s: float | None = None
    ) -> ModeState:
        """Go on with a kept state. ``off_s``: seconds since it was kept, where known.

        The pause between WLAN changes does not run while nobody knows how long the box was off.
        What makes no sense in the document is left out.
        """
        off_s = off_s or 0.0
        try:
            mode, is_open = Mode(document["mode"]), bool(document["is_open"])
            age_s, changed = float(document["age_s"]) + off_s, document["changed_age_s"]
            changed_at = None if changed is None else now - float(changed) - off_s
            order, kept = document["order"], document["causes"]
            until = now + float(order["rest_s"]) - off_s if order else now
            known = tuple(Cause.from_dict(name, kept.get(name, {}), now, off_s) for name in CAUSES)
            standing = Standing(str(order["verb"]), until) if order else None
        except (AttributeError, KeyError, TypeError, ValueError):
            return start(now)
        if not all(map(isfinite, (age_s, changed_at or 0.0, until))):
            return start(now)
        if mode is not Mode.SAVING:
            is_open = is_emergency_wlan(mode)
        return cls(mode, now - age_s, is_open, changed_at, standing, known)


class ModeStep(NamedTuple):
    """``wanted`` and ``wanted_in_s``: a mode that waits for the WLAN's pause to end, or None.

    ``order_ended``: why an order ended in this step, or "". ``must_keep``: the state must be
    kept before this step is carried out.
    """

    state: ModeState
    fired: tuple[Fired, ...]
    wanted: Mode | None
    wanted_in_s: float | None
    order_ended: str
    must_keep: bool


def start(now: float) -> ModeState:
    """A box on its first day."""
    return ModeState(since=now)


def step(
    state: ModeState,
    *,
    now: float,
    settings: ModeSettings,
    grid: Grid = Grid.UNKNOWN,
    battery: Stage = Stage.UNKNOWN,
    signals: Mapping[str, str] | None = None,
    order: Order | None = None,
) -> ModeStep:
    """One look at the situation: the new state, and the arrow taken if there is one.

    ``signals`` maps the causes that are there now, beside grid and operator, to their own words;
    ``order`` is a new one. A ``now`` that is not finite is no look at all.
    """
    if not isfinite(now):
        return ModeStep(state, (), None, None, "", False)
    before = state
    state = _take(state, order, now, settings)
    state = replace(state, causes=_causes(state, now, settings, grid, signals or {}))
    state, ended = _end_order(state, now, battery)
    if order is not None and order.verb == "auto":
        ended = "auto"
    event, wanted = _wanted(state, battery)
    is_open = is_emergency_wlan(wanted, bool(state.counting))
    if wanted is state.mode is Mode.SAVING:
        event = ModeEvent.NEEDED if is_open else ModeEvent.NOT_NEEDED
    is_same = wanted is state.mode and is_open == state.is_open
    wait_s = _wait_s(state, now, settings) if is_open != state.is_open else 0.0
    fired: tuple[Fired, ...] = ()
    if not is_same and wait_s <= 0 and (state.mode, event) in TRANSITIONS:
        after = TRANSITIONS[state.mode, event]
        fired = (Fired("mode", str(state.mode), str(event), str(after), _detail(state, is_open)),)
        if is_open != state.is_open:
            state = replace(state, is_open=is_open, changed_at=now)
        since = state.since if after is state.mode else now
        state = replace(state, mode=after, since=since)
    is_waiting = not is_same and wait_s > 0
    must_keep = bool(fired) or _lasting(state) != _lasting(before)
    return ModeStep(
        state,
        fired,
        wanted if is_waiting else None,
        wait_s if is_waiting else None,
        ended,
        must_keep,
    )


def _take(state: ModeState, order: Order | None, now: float, settings: ModeSettings) -> ModeState:
    if order is None or order.verb not in VERBS:
        return state
    if order.verb == "auto":
        return replace(state, order=None)
    # max(0, NaN) is 0: an order without a sensible end is over at once.
    lasts_s = max(0.0, min(order.lasts_s, settings.order_most_s))
    # A new order to open is a new signal, also where the last one's cause has expired.
    renewed = tuple(
        Cause(cause.name)
        if (cause.name, order.verb, cause.phase) == ("operator", "emergency", Phase.SPENT)
        else cause
        for cause in state.causes
    )
    standing = Standing(order.verb, now + lasts_s)
    return replace(state, order=standing, causes=renewed)


def _causes(
    state: ModeState,
    now: float,
    settings: ModeSettings,
    grid: Grid,
    signals: Mapping[str, str],
) -> tuple[Cause, ...]:
    there = dict(signals)
    if grid in OUTAGE:
        there["grid_lost"] = str(grid)
    order = state.order
    # The same margin as in _end_order: an order that ends in this very step is no cause in it.
    if order is not None and order.verb == "emergency" and now + TICK_S < order.until:
        there["operator"] = "emergency"
    return tuple(
        cause_rules.step(cause, there.get(cause.name), now, settings.causes)
        for cause in state.causes
    )


def _end_order(state: ModeState, now: float, battery: Stage) -> tuple[ModeState, str]:
    """Drop an order that has run out, or that must not stand in the way any more, and say why."""
    if state.order is None:
        return state, ""
    verb = state.order.verb
    # The operator's own cause has fallen with the order that this one replaced.
    has_real_cause = any(cause.phase is Phase.ACTIVE for cause in state.causes)
    reasons = (
        ("expired", now + TICK_S >= state.order.until),
        ("cause", verb in ("exercise", "maintenance") and has_real_cause),
        ("battery", verb == "exercise" and battery in (Stage.LOW, Stage.CRITICAL)),
    )
    for reason, holds in reasons:
        if holds:
            return replace(state, order=None), reason
    return state, ""


def _wanted(state: ModeState, battery: Stage) -> tuple[ModeEvent, Mode]:
    """What the situation asks for, the most pressing first."""
    verb = state.order.verb if state.order else ""
    priorities = (
        (battery is Stage.CRITICAL, ModeEvent.BATTERY_EMPTY, Mode.DARK),
        (verb == "exercise", ModeEvent.EXERCISE, Mode.EXERCISE),
        (verb == "maintenance", ModeEvent.MAINTENANCE, Mode.MAINTENANCE),
        (battery is Stage.LOW, ModeEvent.BATTERY_WEAK, Mode.SAVING),
        (bool(state.counting), ModeEvent.CAUSE, Mode.EMERGENCY),
        (True, ModeEvent.ALL_CLEAR, Mode.NORMAL),
    )
    return next((event, mode) for holds, event, mode in priorities if holds)


def _wait_s(state: ModeState, now: float, settings: ModeSettings) -> float:
    """Seconds until the WLAN may change again; 0 if it may."""
    if state.changed_at is None:
        return 0.0
    rest_s = state.changed_at + settings.wlan_pause_s - now
    return rest_s if rest_s > TICK_S else 0.0


def _detail(state: ModeState, is_open: bool) -> dict[str, Any]:
    return {
        "causes": {cause.name: cause.detail for cause in state.counting},
        "order": state.order.verb if state.order else None,
        "wlan": is_open,
    }


def _lasting(state: ModeState) -> tuple[Any, ...]:
    return state.order, tuple((cause.name, cause.phase) for cause in state.causes)
