"""What sensors with a fan share: waits that a closing box can end, and the weekly cleaning."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from kiezbox.hardware import Deadline
from kiezbox.settings import setting

__all__ = ["CLEANING_S", "FAREWELL_S", "Cleaning", "clean_days_setting", "pause"]

#: How long one look at the clock may be away.
SLICE_S = 0.5
#: How long a Sensirion fan blows itself clean.
CLEANING_S = 10.0
DAY_S = 86400.0
#: Time for the last words of a driver that is closed.
FAREWELL_S = 1.0


def pause(seconds: float, deadline: Deadline) -> None:
    """Wait so long, and no longer than the read may take.

    Raises:
        SensorTimeout: the deadline has passed, or the box is closing.
    """
    until = time.monotonic() + seconds
    deadline.check()
    while (left_s := until - time.monotonic()) > 0:
        time.sleep(min(left_s, SLICE_S, deadline.remaining_s() + 0.001))
        deadline.check()


def clean_days_setting() -> Any:
    """``clean_days``: how often a fan that rests is cleaned."""
    return setting(
        7.0,
        help="How often one that rests blows its fan clean; 0: never.",
        unit="d",
        least=0,
        most=365,
    )


#: Part ("the SPS30 at 0x69") -> when its fan was cleaned, or when we first saw it. It outlives a
#: driver that is closed and opened anew after an error.
_CLEANED_AT: dict[str, float] = {}


class Cleaning:
    """By itself such a sensor cleans its fan after a week of measuring without a break. One that
    rests never gets there, so it is told to, after a reading that leaves time for it."""

    def __init__(self, clean_days: float, deadline: Deadline, part: str = "") -> None:
        self._every_s = clean_days * DAY_S
        self._deadline = deadline
        self._part = part
        _CLEANED_AT.setdefault(part, time.monotonic())

    def if_due(self, start: Callable[[], object]) -> None:
        """Start it and wait until it is over, if it is time."""
        is_due = self._every_s and time.monotonic() - _CLEANED_AT[self._part] >= self._every_s
        if is_due and self._deadline.remaining_s() > CLEANING_S + 2:
            start()
            pause(CLEANING_S, self._deadline)
            _CLEANED_AT[self._part] = time.monotonic()
