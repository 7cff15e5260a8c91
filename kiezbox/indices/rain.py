"""Rain. (Rising water: ``mode.thresholds``.)

Heavy rain in the three steps of the German Weather Service's warnings: more than 15, 25 or 40
litres on a square metre (millimetres) within one hour, or 20, 35 or 60 within six ("Warnkriterien",
Starkregen; warnings of levels 2 to 4). The box says what fell here; it warns of nothing that is to
come, and is no authority.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["HEAVY_RAIN", "heavy_rain_step", "rain_mm"]

_HOUR_S = 3600.0

#: Hours → millimetres above which each step begins.
_ABOVE_MM = {1: (15.0, 25.0, 40.0), 6: (20.0, 35.0, 60.0)}

#: The number in this row is ``heavy_rain_step``'s; 0: none.
HEAVY_RAIN = ("none", "heavy", "severe", "extreme")


def rain_mm(tips: Sequence[tuple[float, float]], until: float, seconds: float) -> float:
    """The sum of (Unix seconds, mm) within the ``seconds`` before ``until``.

    >>> rain_mm([(0, 1.0), (3000, 0.5), (3600, 0.25)], 3600, 3600)
    0.75
    """
    return sum(mm for at, mm in tips if until - seconds < at <= until)


def heavy_rain_step(tips: Sequence[tuple[float, float]], until: float) -> int:
    """The higher of what one hour and six hours say.

    >>> heavy_rain_step([(3600, 26.0)], 3600)
    2
    """
    return max(
        sum(rain_mm(tips, until, hours * _HOUR_S) > least for least in steps)
        for hours, steps in _ABOVE_MM.items()
    )
