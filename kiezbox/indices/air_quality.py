"""Five classes of air by fine dust: the index of the German Environment Agency, in its version of
2025 ("Der Luftqualitätsindex (LQI) des Umweltbundesamtes"), as far as these boxes measure.

Chosen before the European index because its bounds for dust are the stricter ones, follow the World
Health Organization's guidelines of 2021, and hold for means of one hour, as the whole index does.
Dust alone: ozone and nitrogen dioxide, which count there as well, are not measured here, so the
true index may be worse and never better.
"""

from __future__ import annotations

__all__ = ["AIR_CLASSES", "air_class"]

#: From best to worst; ``air_class`` gives the number in this row.
AIR_CLASSES = ("very_good", "good", "moderate", "poor", "very_poor")

#: Upper ends of all classes but the last, in whole µg/m³ of the mean of one hour.
_UP_TO = {"pm10_ug_m3": (9, 27, 54, 90), "pm2_5_ug_m3": (5, 15, 30, 50)}


def air_class(hour_means: dict[str, float]) -> int | None:
    """The class of the worst of these means (by quantity, in µg/m³); None: no dust among them.

    >>> air_class({"pm2_5_ug_m3": 15.4, "pm10_ug_m3": 9.0})
    1
    """
    found = [
        sum(round(value) > most for most in _UP_TO[quantity])
        for quantity, value in hour_means.items()
        if quantity in _UP_TO and value >= 0
    ]
    return max(found, default=None)
