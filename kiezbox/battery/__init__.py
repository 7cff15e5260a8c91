"""How much is left in the battery, as a band: coulombs are counted, voltage anchors the ends.

Between 20 and 90 % a LiFePO4 cell's voltage moves by 0.1 V, less than its load moves it, so
voltage says little there and is not asked. At the ends it says much: a high voltage that takes
no more current is full, a voltage under the knee is empty. In between the charge is what was
counted since, and nobody knows it exactly: it carries a band that grows with the sensor's error,
the unknown health of the battery and every gap in the samples, and shrinks at the ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from math import exp, isfinite, sqrt
from typing import Any, NamedTuple

from kiezbox.battery.chemistry import CHEMISTRIES
from kiezbox.battery.stages import (
    MEANING,
    START,
    TRANSITIONS,
    UNSURE_WIDTH,
    Charge,
    Stage,
    StageEvent,
    walk,
)
from kiezbox.power import Fired
from kiezbox.settings import BatterySettings

__all__ = [
    "MEANING", "START", "TRANSITIONS", "Band", "BatteryState", "BatteryStep", "Sample", "Stage",
    "StageEvent", "charge_percent", "hours_left", "step",
]  # fmt: skip

#: What the capacity on the label may really be: at 0.8 makers call a battery worn out, and fresh
#: cells exceed their label a little. It includes the current's gain error: INA219A 1 % over
#: temperature (Texas Instruments SBOS448G, section 7.5), its shunt 1 %.
HEALTH = (0.78, 1.07)
#: INA219A at PGA /8: up to 200 µV of offset, on 0.1 Ω (SBOS448G, section 7.5). Larger batteries
#: have smaller shunts, so it is also at least a share of the capacity.
OFFSET_A = 0.002
OFFSET_RATE = 1 / 5000
#: Longer than this between two samples, nobody knows what flowed, ...
GAP_S = 180.0
#: ... but no more than this share of the capacity in an hour, either way: a box that empties its
#: battery in less than five hours is no emergency box.
GAP_RATE = 0.2
#: How many standard deviations the error of sampling a restless current is given.
SIGMAS = 2.0
#: Time constant of the load behind "hours left": the longest averaging period of a Victron
#: battery monitor, so that "only long term load fluctuations" count (BMV manual, setting 08).
LOAD_TAU_S = 720.0


class Sample(NamedTuple):
    """One reading of the battery, as the sensor says it; ``monotonic`` in seconds.

    None, or a value no battery can have, is a failed read.
    """

    voltage_v: float | None
    current_a: float | None
    monotonic: float


class Band(NamedTuple):
    """The truth lies between."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class BatteryState:
    """Either end of the band is a percentage at its last anchor, what was counted since (Ah, at
    the least and at the most) and the variance of the sampling error in that (Ah²).

    ``current_a`` is the last sample's, into the battery, or None after a gap. ``holding`` says
    since when each of the chemistry's anchors has held. Times are monotonic seconds.
    """

    stage: Stage = START
    low: float = 0.0
    least_ah: float = 0.0
    least_variance: float = 0.0
    high: float = 100.0
    most_ah: float = 0.0
    most_variance: float = 0.0
    load_a: float = 0.0
    load_variance: float = 0.0
    is_discharging: bool = False
    current_a: float | None = None
    heard_at: float | None = None
    unsure_since: float | None = None
    holding: tuple[float | None, ...] = (None, None, None, None)

    def to_dict(self) -> dict[str, Any]:
        """A document for ``Store.keep_lazily``, without times."""
        document = asdict(self)
        for key in ("heard_at", "unsure_since", "holding"):
            del document[key]
        return document | {"stage": str(self.stage)}

    @classmethod
    def from_dict(
        cls,
        document: Mapping[str, Any],
        now: float,
        settings: BatterySettings,
        off_s: float | None = None,
    ) -> BatteryState:
        """Go on counting. ``off_s``: how long nobody counted; None: nobody knows, so the count
        is lost. The stage stays until a new count is sure, or has been unsure for a while.
        """
        try:
            stage = Stage(document["stage"])
            numbers = {key: float(document[key]) for key in _KEPT}
        except (KeyError, TypeError, ValueError):
            return cls(heard_at=now)
        is_sane = all(least <= numbers[key] <= most for key, (least, most) in _KEPT.items())
        if off_s is None or not isfinite(off_s) or not is_sane:
            return cls(stage=stage, heard_at=now)
        state = replace(cls(stage=stage, heard_at=now), **numbers)  # type: ignore[arg-type]
        counted = charge_percent(state, settings)
        if counted.low > counted.high:
            return cls(stage=stage, heard_at=now)
        return _count_gap(state, max(0.0, off_s), settings)


#: The numbers that outlive a restart, and what they can be; a document is only a file.
_KEPT = {
    "low": (0.0, 100.0),
    "least_ah": (-1e4, 1e4),
    "least_variance": (0.0, 1e8),
    "high": (0.0, 100.0),
    "most_ah": (-1e4, 1e4),
    "most_variance": (0.0, 1e8),
    "load_a": (0.0, 1e5),
    "load_variance": (0.0, 1e10),
}


class BatteryStep(NamedTuple):
    state: BatteryState
    fired: tuple[Fired, ...]


def step(state: BatteryState, sample: Sample, settings: BatterySettings) -> BatteryStep:
    """Count one sample: the new state and the arrows taken. Never raises, for any number."""
    now = sample.monotonic
    if not isfinite(now):
        return BatteryStep(state, ())
    dt = 0.0 if state.heard_at is None else max(0.0, now - state.heard_at)
    reading = _reading(sample, settings)
    is_gap = dt > GAP_S or state.current_a is None
    if is_gap:
        state = _count_gap(state, dt, settings)
    elif reading:
        state = _count(state, reading[1], dt, settings)
    if reading:
        volts, current = reading
        state = _load(state, current, dt, settings)
        state = replace(state, current_a=current, heard_at=now)
        state = _anchor(state, volts, current, now, settings)
    elif is_gap:
        state = replace(state, heard_at=now, is_discharging=False)
    return _stage(state, now, settings)


def charge_percent(state: BatteryState, settings: BatterySettings) -> Band:
    """The charge in percent of what the battery holds today."""
    smallest, largest = (settings.capacity_ah * share for share in HEALTH)
    least = state.least_ah - SIGMAS * sqrt(state.least_variance)
    most = state.most_ah + SIGMAS * sqrt(state.most_variance)
    low = state.low + 100 * least / (largest if least > 0 else smallest)
    high = state.high + 100 * most / (smallest if most > 0 else largest)
    return Band(min(100.0, max(0.0, low)), max(0.0, min(100.0, high)))


def hours_left(
    state: BatteryState, settings: BatterySettings, down_to_percent: float | None = None
) -> Band | None:
    """Hours until the battery is critical, so the box goes dark, if it goes on like this; or until
    it is down to another charge.

    None while the battery is not being discharged. The load is a running mean; its standard
    deviation widens the band (towards longer at most to half the load).
    """
    if not state.is_discharging:
        return None
    charge = charge_percent(state, settings)
    smallest, largest = (settings.capacity_ah * share / 100 for share in HEALTH)
    spread = sqrt(state.load_variance)
    end = settings.critical_percent if down_to_percent is None else down_to_percent
    return Band(
        max(0.0, charge.low - end) * smallest / (state.load_a + spread),
        max(0.0, charge.high - end) * largest / max(state.load_a - spread, state.load_a / 2),
    )


def _reading(sample: Sample, settings: BatterySettings) -> tuple[float, float] | None:
    """Volts per cell and amperes into the battery, or None.

    6 V a cell and a discharge in three minutes are beyond every chemistry here.
    """
    voltage, current = sample.voltage_v, sample.current_a
    if voltage is None or current is None or not isfinite(voltage) or not isfinite(current):
        return None
    if not 0 < voltage <= 6 * settings.cells or abs(current) > 20 * settings.capacity_ah:
        return None
    return voltage / settings.cells, current if settings.charge_is_positive else -current


def _offset_a(settings: BatterySettings) -> float:
    return max(OFFSET_A, settings.capacity_ah * OFFSET_RATE)


def _count(
    state: BatteryState, current: float, dt: float, settings: BatterySettings
) -> BatteryState:
    """Add what flowed between two samples: the mean of both, and what may be wrong with it."""
    hours = dt / 3600
    before = state.current_a or 0.0
    moved = (before + current) / 2 * hours
    stored = moved * CHEMISTRIES[settings.chemistry].efficiency if moved > 0 else moved
    offset = _offset_a(settings) * hours
    # Samples of a current that jumps about miss the truth by its deviation, whose square is half
    # the mean square of successive differences (von Neumann 1941).
    variance = ((current - before) * hours) * ((current - before) * hours) / 2
    return _clamp(
        replace(
            state,
            least_ah=state.least_ah + stored - offset,
            least_variance=state.least_variance + variance,
            most_ah=state.most_ah + moved + offset,
            most_variance=state.most_variance + variance,
        ),
        settings,
    )


def _count_gap(state: BatteryState, dt: float, settings: BatterySettings) -> BatteryState:
    """Nobody looked for so long: anything up to GAP_RATE may have flowed, either way."""
    rate = max(GAP_RATE * settings.capacity_ah, abs(state.current_a or 0.0))
    # Twice the capacity is every possible charge, and keeps the sums finite.
    moved = min(rate * dt / 3600, 2 * settings.capacity_ah)
    state = replace(
        state,
        least_ah=state.least_ah - moved,
        most_ah=state.most_ah + moved,
        current_a=None,
        holding=(None, None, None, None),
    )
    return _clamp(state, settings)


def _clamp(state: BatteryState, settings: BatterySettings) -> BatteryState:
    """A battery is never under 0 or over 100 %: where an end hits a limit, it counts anew there.

    So of an unknown battery that took in half its capacity, the lower half is ruled out.
    """
    low, high = charge_percent(state, settings)
    if low <= 0 or low >= 100:
        state = replace(state, low=low, least_ah=0.0, least_variance=0.0)
    if high <= 0 or high >= 100:
        state = replace(state, high=high, most_ah=0.0, most_variance=0.0)
    return state


def _load(
    state: BatteryState, current: float, dt: float, settings: BatterySettings
) -> BatteryState:
    """The running mean of the discharge current. Charging does not dilute it."""
    if current >= -_offset_a(settings):
        return replace(state, is_discharging=False)
    if state.load_a <= 0:
        return replace(state, is_discharging=True, load_a=-current, load_variance=0.0)
    share = 1 - exp(-dt / LOAD_TAU_S)
    off = -current - state.load_a
    return replace(
        state,
        is_discharging=True,
        load_a=state.load_a + share * off,
        load_variance=(1 - share) * (state.load_variance + share * off * off),
    )


def _anchor(
    state: BatteryState, volts: float, current: float, now: float, settings: BatterySettings
) -> BatteryState:
    """Let the voltage correct the count where it can."""
    holding: list[float | None] = []
    for anchor, since in zip(CHEMISTRIES[settings.chemistry].anchors, state.holding, strict=True):
        is_there = anchor.at_least_v <= volts <= anchor.at_most_v
        if not is_there or abs(current) > anchor.most_rate * settings.capacity_ah:
            holding.append(None)
            continue
        since = now if since is None else since
        holding.append(since)
        if now - since >= anchor.hold_s:
            state = _correct(state, Band(anchor.low, anchor.high), settings)
    return replace(state, holding=tuple(holding))


def _correct(state: BatteryState, anchor: Band, settings: BatterySettings) -> BatteryState:
    counted = charge_percent(state, settings)
    low, high = max(anchor.low, counted.low), min(anchor.high, counted.high)
    if low > high:
        # They exclude each other: the count went astray (a tired battery, a charger past the
        # shunt), while the voltage is here and now.
        low, high = anchor
    if low == anchor.low:
        state = replace(state, low=low, least_ah=0.0, least_variance=0.0)
    if high == anchor.high:
        state = replace(state, high=high, most_ah=0.0, most_variance=0.0)
    return state


def _stage(state: BatteryState, now: float, settings: BatterySettings) -> BatteryStep:
    low, high = charge_percent(state, settings)
    since = state.unsure_since if state.unsure_since is not None else now
    state = replace(state, unsure_since=since if high - low > UNSURE_WIDTH else None)
    fired = []
    charge = Charge(low, high, now - since, state.current_a is not None)
    for before, event, after in walk(state.stage, charge, settings):
        detail = {"low_percent": round(low, 1), "high_percent": round(high, 1)}
        fired.append(Fired("battery", str(before), str(event), str(after), detail))
        state = replace(state, stage=after)
    return BatteryStep(state, tuple(fired))
