"""Mould: how damp the coldest wall is, for how long, and whether opening a window dries the room.

DIN 4108-2: mould grows where the relative humidity at a surface is above 80 % for long; a wall that
just meets the standard has 12.6 °C at its coldest place, at 20 °C and 50 % inside and -5 °C
outside: a temperature factor of 0.704, which the standard rounds to 0.70. Older houses have less.
So what the factor gives is an estimate for a wall that nobody looked at, and is called one; a probe
on the wall is better than any factor, and where there is one nothing is estimated.

What counts is hours, not a moment: a shower wets every wall. The steps of the light are our own:
yellow from 24 hours above 80 % within seven days, red from half of that time. The VTT model (Hukka
and Viitanen 1999), which makes an index of the same hours, scatters too much to be shown to people
(arXiv 1804.02992).
"""

from __future__ import annotations

from kiezbox.indices.humidity import absolute_humidity_g_m3, vapour_pressure_hpa

__all__ = [
    "AIRING", "FACTOR", "MOULD_CLASSES", "MOULD_PERCENT", "airing", "estimated_humidity_percent",
    "mould_class", "surface_humidity_percent", "wall_temperature_c",
]  # fmt: skip

#: Temperature factor fRsi of DIN 4108-2, section 6.2, not rounded (with 0.70 its own example would
#: be above its own limit); and the humidity from which mould grows.
FACTOR, MOULD_PERCENT = (12.6 + 5.0) / 25.0, 80.0

#: Hours above 80 % in seven days from which the light is yellow, and red.
_FROM_H = (24.0, 84.0)
MOULD_CLASSES = ("dry", "damp", "mould")

#: Grams of water in a cubic metre by which inside and outside must differ before a window is worth
#: opening: about the error of two cheap sensors (2 % and 0.3 K each, at 20 °C).
_WORTH_G_M3 = 1.0

#: The number in this row is ``airing``'s.
AIRING = ("helps", "no_difference", "wets")


def wall_temperature_c(inside_c: float, outside_c: float, factor: float = FACTOR) -> float:
    """Of the coldest place of an outer wall, from inside (DIN EN ISO 10211, temperature factor).

    >>> round(wall_temperature_c(20, -5), 1)
    12.6
    """
    return outside_c + factor * (inside_c - outside_c)


def surface_humidity_percent(room_c: float, room_percent: float, surface_c: float) -> float:
    """Relative humidity in the air that touches a surface; 100: water stands on it.

    >>> round(surface_humidity_percent(20, 50, 12.6))
    80
    """
    pressure = vapour_pressure_hpa(room_c, room_percent)
    return min(100.0, 100 * pressure / vapour_pressure_hpa(surface_c))


def estimated_humidity_percent(room_c: float, room_percent: float, outside_c: float) -> int:
    """At a wall that nobody measures and that just meets the standard; whole per cent, because an
    estimate has no tenths.

    >>> estimated_humidity_percent(20, 50, -5)
    80
    """
    wall_c = wall_temperature_c(room_c, outside_c)
    return round(surface_humidity_percent(room_c, room_percent, wall_c))


def mould_class(hours_above: float) -> int:
    """Of hours above ``MOULD_PERCENT`` at a surface within the last seven days."""
    return sum(hours_above >= least for least in _FROM_H)


def airing(inside_c: float, inside_percent: float, outside_c: float, outside_percent: float) -> int:
    """Whether outside air makes the room drier: what counts is grams of water, not per cent.

    >>> AIRING[airing(20, 60, 5, 90)]
    'helps'
    """
    inside = absolute_humidity_g_m3(inside_c, inside_percent)
    # Outside air as it is once it has been warmed to the room's temperature: the same water, wider.
    warmed = (outside_c + 273.15) / (inside_c + 273.15)
    outside = absolute_humidity_g_m3(outside_c, outside_percent) * warmed
    if inside - outside >= _WORTH_G_M3:
        return 0
    return 2 if outside - inside >= _WORTH_G_M3 else 1
