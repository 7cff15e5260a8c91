"""Levels in decibels: their mean is that of the energies, not of the figures (DIN 45641)."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable


def power(level: float) -> float:
    """What belongs to a level, relative to the level's own reference.

    >>> power(30.0)
    1000.0
    """
    return float(10.0 ** (level / 10))


def level(of: float) -> float:
    """The level that belongs to a power, or to the mean of some.

    >>> round(level((power(60.0) + power(70.0)) / 2), 1)
    67.4
    """
    return 10 * math.log10(of) if of > 0 else -math.inf


def register(db: sqlite3.Connection) -> None:
    """Make both known to SQL."""
    db.create_function("power", 1, _or_null(power), deterministic=True)
    db.create_function("level", 1, _or_null(level), deterministic=True)


def _or_null(function: Callable[[float], float]) -> Callable[[float | None], float | None]:
    return lambda value: None if value is None else function(value)
