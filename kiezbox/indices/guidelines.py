"""Guideline values, to compare means with: no classes, no limit values, no law.

- Outdoors: World Health Organization, "WHO global air quality guidelines" (2021), table 0.1. A mean
  of 24 hours may lie above its value on three or four days a year (the 99th percentile).
- Indoors: carbon dioxide, German Environment Agency, Ausschuss für Innenraumrichtwerte,
  "Gesundheitliche Bewertung von Kohlendioxid in der Innenraumluft" (2008): below 1000 ppm harmless,
  1000 to 2000 conspicuous (air the room), above 2000 unacceptable (must be aired).
"""

from __future__ import annotations

__all__ = ["CO2_CLASSES", "WHO_2021_UG_M3", "co2_class", "times_who"]

#: Quantity → averaging time → µg/m³. "season": the six months with most ozone, of daily means of
#: eight hours.
WHO_2021_UG_M3 = {
    "pm2_5_ug_m3": {"year": 5.0, "day": 15.0},
    "pm10_ug_m3": {"year": 15.0, "day": 45.0},
    "no2_ug_m3": {"year": 10.0, "day": 25.0},
    "o3_ug_m3": {"season": 60.0, "eight_hours": 100.0},
    "so2_ug_m3": {"day": 40.0},
}

_CO2_UP_TO_PPM = (1000.0, 2000.0)

#: The number in this row is ``co2_class``'s.
CO2_CLASSES = ("harmless", "conspicuous", "unacceptable")


def times_who(quantity: str, mean_ug_m3: float, over: str) -> float | None:
    """How many times the guideline value a mean is; None: there is no such value.

    >>> times_who("pm2_5_ug_m3", 30.0, "day")
    2.0
    """
    value = WHO_2021_UG_M3.get(quantity, {}).get(over)
    return None if value is None else mean_ug_m3 / value


def co2_class(ppm: float) -> int:
    """The light: 0 green, 1 yellow, 2 red. 1000 is the first of yellow, 2000 its last.

    >>> [co2_class(ppm) for ppm in (999, 1000, 2000, 2001)]
    [0, 1, 1, 2]
    """
    return 0 if ppm < _CO2_UP_TO_PPM[0] else 1 if ppm <= _CO2_UP_TO_PPM[1] else 2
