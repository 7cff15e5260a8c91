"""How often a sensor is read in each mode, so that mode saving saves. Pure rules.

In the modes of ``SPARING`` a sensor is read every ``saving_interval_s`` at most, and what it has of
fan, laser, lamp or heater rests meanwhile; in mode dark, the battery's last, those are not read at
all. What the box decides by (``needed``) keeps its own interval always.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import pairwise
from types import ModuleType
from typing import NamedTuple

from kiezbox.mode import Mode
from kiezbox.settings import SensorSettings, Settings

__all__ = ["SPARING", "Change", "Rhythm", "Stretch", "adapted", "draws_a", "needed", "rhythms"]
__all__ += ["stretches"]

#: The modes in which sensors are read more seldom.
SPARING = (Mode.SAVING, Mode.DARK)


class Rhythm(NamedTuple):
    """How one sensor is read."""

    #: Seconds between two readings; 0: it is not read.
    interval_s: float
    #: Whether fan, laser, lamp or heater rest between two readings.
    is_spared: bool = False


class Change(NamedTuple):
    """The box changed its mode. ``at`` is Unix seconds."""

    at: float
    before: str
    after: str


class Stretch(NamedTuple):
    """A time in a mode of ``SPARING``, Unix seconds."""

    begins_at: float
    ends_at: float
    mode: Mode


def draws_a(driver: ModuleType) -> float:
    """What its fan, laser, lamp or heater draws while it works, in A; 0: it has none."""
    return float(getattr(driver, "DRAWS_A", 0.0))


def needed(settings: Settings) -> frozenset[str]:
    """The sensors by which the box decides: the battery's, and those that see the grid."""
    grid = {
        str(table.get("sensor", ""))
        for table in settings.power.grid.values()
        if table.get("driver") == "voltage"
    }
    return frozenset({settings.power.battery.sensor, *grid} - {""})


def rhythms(its: SensorSettings, *, has_load: bool, is_needed: bool) -> Mapping[Mode, Rhythm]:
    """One sensor's rhythm in every mode. ``has_load``: ``draws_a`` of its driver is above 0."""
    found = dict.fromkeys(Mode, Rhythm(its.interval_s))
    if not is_needed:
        seldom_s = max(its.interval_s, its.saving_interval_s) if its.saving_interval_s else 0.0
        found[Mode.SAVING] = Rhythm(seldom_s, True)
        found[Mode.DARK] = Rhythm(0.0 if has_load else seldom_s, True)
    return found


def adapted(its: SensorSettings, rhythm: Rhythm) -> SensorSettings:
    """The settings to open a driver with. One whose fan can rest decides that by its interval."""
    if rhythm.is_spared and rhythm.interval_s and hasattr(its, "rests"):
        return replace(its, interval_s=rhythm.interval_s)
    return its


def stretches(changes: Iterable[Change], now: float) -> list[Stretch]:
    """The times in modes of ``SPARING`` until now; ``changes`` oldest first. What was before the
    first one is not known, and counts from there on only.
    """
    found: list[Stretch] = []
    known = [*changes, Change(now, "", "")]
    for change, following in pairwise(known):
        if change.after in SPARING and following.at > change.at:
            found.append(Stretch(change.at, following.at, Mode(change.after)))
    return found
