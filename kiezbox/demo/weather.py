"""Plausible weather for boxes that have no sky: the same seed is the same weather.

A pure function of time. Every day's course, the seasons, fronts that pass every few days, dew
point and humidity, sun, traffic peaks and still winter nights for the particulates, and small
differences from box to box. It is meant to look right to a person who knows weather, and to
stay inside what sensors see; it is no forecast and no model of a real place.
"""

from __future__ import annotations

import hashlib
import math
import struct
from functools import lru_cache
from typing import NamedTuple

from kiezbox.demo.places import HEIGHT_M, LATITUDE, LONGITUDE, Site

HOUR_S = 3600.0
DAY_S = 86400.0

#: Mean of the year and half the distance from the coldest to the warmest month: 9.3 °C, and
#: 0.9 (January) to 18.3 (July), Germany 1991 to 2020 (Deutscher Wetterdienst, normals).
YEAR_MEAN_C, YEAR_SWING_C = 9.3, 8.9

#: About so often a front passes.
FRONT_EVERY_S = 3.7 * DAY_S

#: The hour of traffic and heating goes by the clock on the wall. Central European Time all year:
#: being an hour off in summer shifts a rush hour, and costs no time-zone data.
CLOCK_OFFSET_S = HOUR_S


class Air(NamedTuple):
    """What the instruments at one place would show."""

    temperature_c: float
    humidity_percent: float
    pressure_hpa: float
    pm2_5_ug_m3: float
    pm10_ug_m3: float
    sun_w_m2: float


class Weather:
    """``at(unix_s, site)`` is the air there and then."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def at(self, unix_s: float, site: Site) -> Air:
        """The air at one place, at any moment since 1970."""
        sky = self._sky(unix_s)
        near = self._own(unix_s, site)
        # Trees take the heat of the day and the clear night's cold; stones keep the warmth.
        temperature_c = sky.temperature_c + 0.8 * (0.5 - site.green) + 0.3 * near
        dew_point_c = min(sky.dew_point_c + 0.5 * site.green, temperature_c - 0.2)
        fine, coarse = self._particulates(unix_s, sky, site)
        return Air(
            temperature_c=temperature_c,
            humidity_percent=relative_humidity(temperature_c, dew_point_c),
            # 8.4 m of height are 1 hPa near the ground (international standard atmosphere).
            pressure_hpa=sky.sea_level_hpa - (HEIGHT_M + site.height_m) / 8.4,
            pm2_5_ug_m3=fine,
            pm10_ug_m3=fine + coarse,
            sun_w_m2=sky.sun_w_m2 * (1 - 0.6 * site.green),
        )

    def _sky(self, unix_s: float) -> _Sky:
        """What all places of the Kiez share."""
        fronts = [self._front(unix_s, slot) for slot in _slots(unix_s)]
        cloud = 0.64 + 0.5 * self._noise("cloud", unix_s, 0.8 * DAY_S)
        cloud = _between(0.0, cloud + sum(front.cloud for front in fronts), 1.0)
        air_mass_c = (
            YEAR_MEAN_C
            - YEAR_SWING_C * math.cos(math.tau * (_day_of_year(unix_s) - 18) / 365.25)
            + 6.0 * self._noise("air mass", unix_s, 2.6 * DAY_S)
            + sum(front.warmth_c for front in fronts)
        )
        swing_c = 1.0 + (1.6 + 4.4 * _summer(unix_s)) * (1 - 0.8 * cloud)
        temperature_c = air_mass_c + swing_c * _day_course(unix_s)
        dryness_c = 3.2 + 2.2 * (1 - cloud) + 1.5 * self._noise("dryness", unix_s, 1.3 * DAY_S)
        return _Sky(
            temperature_c=temperature_c,
            dew_point_c=min(air_mass_c - dryness_c, temperature_c - 0.3),
            sea_level_hpa=1016.0
            + 14.0 * self._noise("pressure", unix_s, 2.9 * DAY_S)
            + sum(front.pressure_hpa for front in fronts),
            cloud=cloud,
            sun_w_m2=_sunshine(unix_s, cloud),
            washed=sum(front.washed for front in fronts),
        )

    def _front(self, unix_s: float, slot: int) -> _Front:
        """What one cold front does to this moment: warm before it, cold and clean behind it."""
        passes_at = (slot + 0.5 + 0.3 * self._lattice("front", slot)) * FRONT_EVERY_S
        strength_c = 4.5 + 3.0 * self._lattice("strength", slot)
        hours = (unix_s - passes_at) / HOUR_S
        fading = math.exp(-abs(hours) / 20)
        return _Front(
            warmth_c=-0.5 * strength_c * math.tanh(hours / 0.6) * fading,
            pressure_hpa=-(2.0 + strength_c) * math.exp(-((hours / 9) ** 2)),
            cloud=0.6 * math.exp(-((hours / 6) ** 2)),
            washed=0.6 * math.exp(-(((hours - 3) / 5) ** 2)),
        )

    def _particulates(self, unix_s: float, sky: _Sky, site: Site) -> tuple[float, float]:
        """PM2.5, and what comes on top of it up to PM10, in µg/m³."""
        winter = 1 - _summer(unix_s)
        rush = _rush(unix_s)
        background = 7.0 * math.exp(0.5 * self._noise("dust", unix_s, 1.6 * DAY_S))
        stillness = max(0.0, self._noise("still", unix_s, 0.9 * DAY_S)) * (1 - sky.cloud)
        inversion = 1 + 2.2 * stillness * (0.3 + 0.7 * winter) * _night(unix_s)
        street = 5.0 * rush * site.traffic
        heating = 4.0 * winter * _peak(_clock_hour(unix_s), 21.0, 2.0)
        wobble = math.exp(0.12 * self._noise(f"wobble {site.id}", unix_s, 400.0))
        fine = (background + street + heating) * inversion * (1 - _between(0, sky.washed, 0.7))
        coarse = 0.35 * fine + 6.0 * rush * site.traffic + 1.0
        return fine * wobble, coarse * wobble

    def _own(self, unix_s: float, site: Site) -> float:
        """A slow wandering of each box's own, about -1 to 1."""
        return self._noise(f"own {site.id}", unix_s, 1800.0)

    def _noise(self, channel: str, unix_s: float, period_s: float) -> float:
        """Smooth noise, about -1 to 1: random values every ``period_s``, a cubic between them."""
        position = unix_s / period_s
        n = math.floor(position)
        x = position - n
        a, b, c, d = (self._lattice(channel, n + k) for k in (-1, 0, 1, 2))
        # Catmull-Rom: through b and c, with the slopes of their neighbours.
        return b + 0.5 * x * (c - a + x * (2 * a - 5 * b + 4 * c - d + x * (3 * (b - c) + d - a)))

    def _lattice(self, channel: str, n: int) -> float:
        return _lattice(self._seed, channel, n)


class _Sky(NamedTuple):
    temperature_c: float
    dew_point_c: float
    sea_level_hpa: float
    cloud: float
    sun_w_m2: float
    washed: float


class _Front(NamedTuple):
    warmth_c: float
    pressure_hpa: float
    cloud: float
    washed: float


@lru_cache(maxsize=4096)
def _lattice(seed: int, channel: str, n: int) -> float:
    """An even random number of -1 to 1 for each whole n. ``hash()`` would differ by process."""
    digest = hashlib.blake2b(f"{seed}/{channel}/{n}".encode(), digest_size=4).digest()
    number: int = struct.unpack("<I", digest)[0]
    return number / 2**31 - 1


def relative_humidity(temperature_c: float, dew_point_c: float) -> float:
    """Percent, by Magnus' formula over water (WMO No. 8: 17.62 and 243.12 °C).

    >>> round(relative_humidity(20.0, 9.26))
    50
    """

    def vapour(t: float) -> float:
        return math.exp(17.62 * t / (243.12 + t))

    return _between(1.0, 100 * vapour(dew_point_c) / vapour(temperature_c), 100.0)


def _slots(unix_s: float) -> range:
    n = math.floor(unix_s / FRONT_EVERY_S)
    return range(n - 1, n + 2)


def _day_of_year(unix_s: float) -> float:
    return (unix_s / DAY_S) % 365.25


def _summer(unix_s: float) -> float:
    """0 at the winter solstice to 1 at the summer solstice."""
    return 0.5 - 0.5 * math.cos(math.tau * (_day_of_year(unix_s) + 10) / 365.25)


def _solar_hour(unix_s: float) -> float:
    """Hours by the sun: noon is 12."""
    return (unix_s / HOUR_S + LONGITUDE / 15) % 24


def _clock_hour(unix_s: float) -> float:
    return ((unix_s + CLOCK_OFFSET_S) / HOUR_S) % 24


def _declination(unix_s: float) -> float:
    """The sun's, in radians (Cooper 1969)."""
    return math.radians(23.45) * math.sin(math.tau * (284 + _day_of_year(unix_s)) / 365)


def _day_course(unix_s: float) -> float:
    """-1 at sunrise, 1 at three in the afternoon, smooth in between."""
    tangents = -math.tan(math.radians(LATITUDE)) * math.tan(_declination(unix_s))
    sunrise_h = 12 - math.degrees(math.acos(_between(-1, tangents, 1))) / 15
    hour = _solar_hour(unix_s)
    if sunrise_h <= hour < 15:
        return -math.cos(math.pi * (hour - sunrise_h) / (15 - sunrise_h))
    since_h = (hour - 15) % 24
    return math.cos(math.pi * since_h / (sunrise_h + 24 - 15))


def _sunshine(unix_s: float, cloud: float) -> float:
    """On level ground, W/m²: Haurwitz' clear sky, Kasten and Czeplak's clouds (1980)."""
    latitude, declination = math.radians(LATITUDE), _declination(unix_s)
    hour_angle = math.radians(15 * (_solar_hour(unix_s) - 12))
    height = math.sin(latitude) * math.sin(declination)
    height += math.cos(latitude) * math.cos(declination) * math.cos(hour_angle)
    if height <= 0:
        return 0.0
    # At most 1098 W/m², so exp() never meets more than a small number.
    clear = 1098 * height * math.exp(-min(50.0, 0.057 / height))
    return clear * (1 - 0.75 * math.pow(cloud, 3.4))


def _night(unix_s: float) -> float:
    """1 in the small hours, 0 in the afternoon."""
    return 0.5 + 0.5 * math.cos(math.tau * (_solar_hour(unix_s) - 3) / 24)


def _rush(unix_s: float) -> float:
    """Traffic, 0 to 1: two peaks on working days, a late and flat one at weekends."""
    hour = _clock_hour(unix_s)
    # 1970-01-01 was a Thursday.
    weekday = (math.floor((unix_s + CLOCK_OFFSET_S) / DAY_S) + 3) % 7
    if weekday < 5:
        return _peak(hour, 7.8, 1.1) + 0.85 * _peak(hour, 17.3, 1.5)
    return 0.45 * _peak(hour, 12.5, 3.0)


def _peak(hour: float, at: float, width_h: float) -> float:
    away = (hour - at + 12) % 24 - 12
    return math.exp(-((away / width_h) ** 2))


def _between(least: float, value: float, most: float) -> float:
    return max(least, min(value, most))
