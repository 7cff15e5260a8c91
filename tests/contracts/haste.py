"""Foreign drivers wait fixed times for real chips; a simulated one is as fast as its clock."""

from __future__ import annotations

import time
from types import ModuleType

import pytest

from kiezbox.sensors import _line, plantower, sds011

#: The deadline of a read that cannot succeed, for ``impatient`` drivers: most last until then.
HASTE_S = 0.3


def impatient(patch: pytest.MonkeyPatch) -> None:
    """Serial drivers listen for a tenth of a second where they listen for one. Twins that speak
    every 20 ms are heard; limits for what must succeed stay the drivers' own.
    """
    patch.setattr(_line, "LOOK_S", 0.05)
    patch.setattr(_line, "MARGIN_S", 0.1)
    for module in (plantower, sds011):
        patch.setattr(module, "TALK_S", 0.1)
    patch.setattr(plantower, "ASK_S", 0.05)


#: So many times as fast as in the world.
FACTOR = 1000.0


class Hasty:
    """Stands in for a module's ``time``: sleeping is short, and all else as it is."""

    monotonic = staticmethod(time.monotonic)

    @staticmethod
    def sleep(seconds: float) -> None:
        time.sleep(seconds / FACTOR)


def clock() -> float:
    """A twin's clock, as much too fast."""
    return time.monotonic() * FACTOR


def hasten(*modules: ModuleType) -> None:
    """Let these modules' waits be short. Time limits, deadlines and faults stay in real time.

    For as long as the process lives: the modules' own tests hold in both kinds of time.
    """
    for module in modules:
        for name, hasty in (("time", Hasty), ("sleep", Hasty.sleep)):
            if hasattr(module, name):
                setattr(module, name, hasty)


class Watch:
    """A clock for a twin, and a module's ``time``: it moves, at once, when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    monotonic = __call__

    def sleep(self, seconds: float) -> None:
        self.now += seconds
