"""Classes of air: published indices as tables, each with the days on which it held.

- ``uba_lqi``: the index of the German Environment Agency ("Der Luftqualitätsindex (LQI) des
  Umweltbundesamtes"), in five classes. In its version of 2025 all five pollutants count as means of
  one hour; in the one before, dust counted as a mean of 24 hours (as told by the state of
  Sachsen-Anhalt, "Informationen zum Luftqualitätsindex"). The agency does not state the day of the
  change; its report "Luftqualität 2025" presents the new one as current, so the middle of that year
  stands here, and nobody should compare the two across it.
- ``eaqi``: the European Air Quality Index in six classes, bands of 2024 (ETC HE Report 2024/17),
  hourly means of all five; before that with other bands (as Open-Meteo had them until its change
  2045), dust as a mean of 24 hours. Its last day before the change is taken as the year's.

The worst pollutant decides. A box has seldom more than dust: then the index is *incomplete*, and
the true one may be worse and never better. What an indicative sensor says (electrochemical ones
drift) does not complete it.
"""

from __future__ import annotations

from math import floor
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

__all__ = ["AIR_CLASSES", "INDICES", "AirClass", "AirIndex", "classify", "index_on"]

_HOUR_S, _DAY_S = 3600, 86400


class AirIndex(NamedTuple):
    """One version of one index."""

    name: str
    #: The first day on which it held, and the first on which it did no more; ISO 8601, "" if open.
    valid_from: str
    valid_until: str
    #: From best to worst.
    classes: tuple[str, ...]
    #: Quantity → over how many seconds its mean is taken.
    mean_s: Mapping[str, int]
    #: Quantity → µg/m³ up to which (and including) each class but the last reaches.
    up_to: Mapping[str, tuple[int, ...]]
    #: Whether means are rounded to whole µg/m³ before they are classed.
    is_whole: bool


#: The agency's five classes.
AIR_CLASSES = ("very_good", "good", "moderate", "poor", "very_poor")

_EUROPEAN = ("good", "fair", "moderate", "poor", "very_poor", "extremely_poor")
_POLLUTANTS = ("pm2_5_ug_m3", "pm10_ug_m3", "no2_ug_m3", "o3_ug_m3", "so2_ug_m3")


def _table(*rows: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    return dict(zip(_POLLUTANTS, rows, strict=False))


_HOURLY = dict.fromkeys(_POLLUTANTS, _HOUR_S)
_DUST_DAILY = _HOURLY | {"pm2_5_ug_m3": _DAY_S, "pm10_ug_m3": _DAY_S}

INDICES = (
    AirIndex(
        "uba_lqi", "", "2025-07-01", AIR_CLASSES,
        {name: _DUST_DAILY[name] for name in _POLLUTANTS[:4]},
        _table((10, 20, 25, 50), (20, 35, 50, 100), (20, 40, 100, 200), (60, 120, 180, 240)),
        is_whole=True,
    ),
    AirIndex(
        "uba_lqi", "2025-07-01", "", AIR_CLASSES, _HOURLY,
        _table(
            (5, 15, 30, 50), (9, 27, 54, 90), (10, 30, 60, 100), (24, 72, 144, 240),
            (10, 30, 60, 100),
        ),
        is_whole=True,
    ),
    AirIndex(
        "eaqi", "", "2024-12-31", _EUROPEAN, _DUST_DAILY,
        _table(
            (10, 20, 25, 50, 75), (20, 40, 50, 100, 150), (40, 90, 120, 230, 340),
            (50, 100, 130, 240, 380), (100, 200, 350, 500, 750),
        ),
        is_whole=False,
    ),
    AirIndex(
        "eaqi", "2024-12-31", "", _EUROPEAN, _HOURLY,
        _table(
            (5, 15, 50, 90, 140), (15, 45, 120, 195, 270), (10, 25, 60, 100, 150),
            (60, 100, 120, 160, 180), (20, 40, 125, 190, 275),
        ),
        is_whole=False,
    ),
)  # fmt: skip


class AirClass(NamedTuple):
    """``number`` in the index's ``classes``, the pollutant that decided, those that are missing."""

    number: int
    decided_by: str
    missing: tuple[str, ...]

    @property
    def is_incomplete(self) -> bool:
        return bool(self.missing)


def index_on(name: str, day: str) -> AirIndex | None:
    """The version of the index that held on this day (``2026-11-30``)."""
    for index in INDICES:
        if index.name == name and index.valid_from <= day and not index.valid_until:
            return index
        if index.name == name and index.valid_from <= day < index.valid_until:
            return index
    return None


def classify(
    means: Mapping[str, float], index: AirIndex, *, indicative: Collection[str] = ()
) -> AirClass | None:
    """The class of these means (by quantity, µg/m³, over ``index.mean_s``); None: nothing counts.

    ``indicative``: quantities that can make the class worse, and are counted as missing all the
    same.

    >>> classify({"pm2_5_ug_m3": 15.4, "pm10_ug_m3": 9.0}, INDICES[1]).number
    1
    """
    found = {
        quantity: _number(means[quantity], index, bounds)
        for quantity, bounds in index.up_to.items()
        if means.get(quantity, -1.0) >= 0
    }
    if not found:
        return None
    worst = max(found, key=lambda quantity: found[quantity])
    missing = (name for name in index.up_to if name not in found or name in indicative)
    return AirClass(found[worst], worst, tuple(missing))


def _number(value: float, index: AirIndex, bounds: tuple[int, ...]) -> int:
    # Half up, as people round, and not to the even number, as Python's round does.
    value = floor(value + 0.5) if index.is_whole else value
    return sum(value > most for most in bounds)
