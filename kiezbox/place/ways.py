"""How far and which way, as somebody on foot wants to hear it."""

from __future__ import annotations

from math import asin, atan2, cos, degrees, radians, sin, sqrt

__all__ = [
    "METRES_PER_DEGREE", "bearing", "direction", "metres_between", "rounded_metres",
    "walking_minutes",
]  # fmt: skip

#: Mean radius of the earth (IUGG).
EARTH_M = 6_371_008.8

#: One degree of latitude.
METRES_PER_DEGREE = EARTH_M * radians(1)

#: Streets are longer than the crow flies; measured in European towns about 1.2 to 1.4 times.
DETOUR = 1.3

#: 4 km/h: in the dark, with a bag, not everybody young.
WALKING_M_PER_MINUTE = 4000 / 60


def metres_between(
    latitude: float, longitude: float, other_latitude: float, other_longitude: float
) -> float:
    """Along the great circle (haversine).

    >>> round(metres_between(0, 0, 0, 1))
    111195
    """
    south, north = radians(latitude), radians(other_latitude)
    half = sin((north - south) / 2) ** 2
    half += cos(south) * cos(north) * sin(radians(other_longitude - longitude) / 2) ** 2
    return 2 * EARTH_M * asin(min(1.0, sqrt(half)))


def bearing(
    latitude: float, longitude: float, other_latitude: float, other_longitude: float
) -> float:
    """Degrees from north over east, 0 up to 360, at the beginning of the way."""
    south, north = radians(latitude), radians(other_latitude)
    turn = radians(other_longitude - longitude)
    east = sin(turn) * cos(north)
    ahead = cos(south) * sin(north) - sin(south) * cos(north) * cos(turn)
    return degrees(atan2(east, ahead)) % 360


def direction(degrees_from_north: float) -> int:
    """One of eight: 0 north, 1 north-east … 7 north-west.

    >>> [direction(each) for each in (0, 22, 23, 180, 338)]
    [0, 0, 1, 4, 0]
    """
    return int((degrees_from_north % 360 + 22.5) // 45) % 8


def rounded_metres(metres: float) -> int:
    """No finer than anybody can pace: 10 m, from 100 m on 50 m, from 1 km on 100 m, from 10 km on
    1 km.

    >>> [rounded_metres(each) for each in (3, 47, 268, 1349, 12600)]
    [10, 50, 250, 1300, 13000]
    """
    step = 10 if metres < 95 else 50 if metres < 975 else 100 if metres < 9950 else 1000
    return max(10, round(metres / step) * step)


def walking_minutes(metres: float) -> int:
    """About how long on foot, rounded up: to 1 minute, from 10 minutes on to 5.

    >>> [walking_minutes(each) for each in (20, 350, 1000, 3000)]
    [1, 7, 20, 60]
    """
    minutes = metres * DETOUR / WALKING_M_PER_MINUTE
    step = 1 if minutes <= 10 else 5
    return max(1, -int(-minutes // step) * step)
