"""Water in the air, from temperature and relative humidity.

Magnus' formula over water with the coefficients of the World Meteorological Organization ("Guide to
Instruments and Methods of Observation", WMO-No. 8, volume I, annex 4.B): good to 0.4 % between −45
and 60 °C. The gas constant of water vapour is 461.5 J/(kg K) (the same, annex 4.A).
"""

from __future__ import annotations

from math import exp, log

__all__ = ["absolute_humidity_g_m3", "dew_point_c", "vapour_pressure_hpa"]

_A_HPA, _B, _C = 6.112, 17.62, 243.12

#: Nothing is said of air drier than this: the dew point runs away.
_LEAST_PERCENT = 0.1


def vapour_pressure_hpa(temperature_c: float, humidity_percent: float = 100.0) -> float:
    """What the water in the air presses.

    >>> round(vapour_pressure_hpa(20), 1)
    23.3
    """
    return humidity_percent / 100 * _A_HPA * exp(_B * temperature_c / (_C + temperature_c))


def dew_point_c(temperature_c: float, humidity_percent: float) -> float | None:
    """At or below this a wall gets wet; None for air that has no water."""
    if not _LEAST_PERCENT <= humidity_percent <= 110:
        return None
    share = log(vapour_pressure_hpa(temperature_c, min(humidity_percent, 100.0)) / _A_HPA)
    return _C * share / (_B - share)


def absolute_humidity_g_m3(temperature_c: float, humidity_percent: float) -> float:
    """Grams of water in a cubic metre: whether airing dries a flat or wets it."""
    pascal = 100 * vapour_pressure_hpa(temperature_c, humidity_percent)
    return 1000 * pascal / (461.5 * (temperature_c + 273.15))
