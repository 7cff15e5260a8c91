"""Foreign drivers wait fixed times for real chips; a simulated one is as fast as its clock."""

from __future__ import annotations

import time
from types import ModuleType

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
