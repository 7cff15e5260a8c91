"""How hot it feels in the shade: the heat index of the United States' National Weather Service.

L. P. Rothfusz' regression of 1990 (Technical Attachment SR 90-23) with the service's adjustments
("The Heat Index Equation", Weather Prediction Center), in degrees Fahrenheit as published. Chosen
before the German "felt temperature" (Klima-Michel) because that needs wind and sun, which nobody
here measures. So this is no heat warning, which in Germany is the weather service's alone.

Beside it the Canadian humidex (J. M. Masterton and F. A. Richardson, 1979; Environment Canada), and
the days that climatologists count (German Weather Service, "Wetter- und Klimalexikon"): a hot day
has a highest temperature of 30 °C or more, a tropical night never falls below 20 °C.
"""

from __future__ import annotations

from math import exp, sqrt

__all__ = [
    "HEAT_CLASSES", "heat_class", "heat_index_c", "humidex", "is_hot_day", "is_tropical_night",
]  # fmt: skip

#: The service's four classes, each with the index in °F where it begins.
_FROM_F = (80, 90, 103, 125)
HEAT_CLASSES = ("caution", "extreme_caution", "danger", "extreme_danger")


def heat_index_c(temperature_c: float, humidity_percent: float) -> float | None:
    """None below 80 °F (26.7 °C) felt: then it says nothing.

    >>> round(heat_index_c(35.5, 65) or 0)
    49
    """
    felt = _felt_f(temperature_c * 9 / 5 + 32, min(max(humidity_percent, 0.0), 100.0))
    return None if felt < _FROM_F[0] else (felt - 32) * 5 / 9


def heat_class(index_c: float) -> int:
    """The number in ``HEAT_CLASSES``."""
    # Whole degrees, as in the service's chart.
    return max(0, sum(round(index_c * 9 / 5 + 32) >= least for least in _FROM_F) - 1)


def humidex(temperature_c: float, dew_point_c: float) -> float | None:
    """A number without a unit; None below 20 °C or where it adds less than one, as its makers do.

    >>> round(humidex(30, 15) or 0)
    34
    """
    pressure_hpa = 6.11 * exp(5417.7530 * (1 / 273.16 - 1 / (dew_point_c + 273.16)))
    more = 0.5555 * (pressure_hpa - 10.0)
    return temperature_c + more if temperature_c >= 20 and more >= 1 else None


def is_hot_day(highest_c: float) -> bool:
    return highest_c >= 30.0


def is_tropical_night(lowest_c: float) -> bool:
    """Of the night from 18 to 6 UTC, as the service counts it."""
    return lowest_c >= 20.0


def _felt_f(t: float, rh: float) -> float:
    simple = (0.5 * (t + 61.0 + (t - 68.0) * 1.2 + rh * 0.094) + t) / 2
    if simple < _FROM_F[0]:
        return simple
    felt = (
        -42.379 + 2.04901523 * t + 10.14333127 * rh - 0.22475541 * t * rh
        - 0.00683783 * t * t - 0.05481717 * rh * rh + 0.00122874 * t * t * rh
        + 0.00085282 * t * rh * rh - 0.00000199 * t * t * rh * rh
    )  # fmt: skip
    if rh < 13 and 80 <= t <= 112:
        felt -= (13 - rh) / 4 * sqrt((17 - abs(t - 95)) / 17)
    elif rh > 85 and 80 <= t <= 87:
        felt += (rh - 85) / 10 * (87 - t) / 5
    return felt
