"""The rooms of a home as they are measured just now: what ``indices.advice`` is asked about.

Which sensor hangs where is said in kiezbox.toml (``where``, ``room``, ``wall``), the latest values
stand in now.json, and how long a wall was damp tells the store. Nothing of it leaves the box.

Only good and fresh values count. Where a sensor's temperature is corrected
(``temperature_offset_k``), the corrected series counts and never the other: the box that warms it
would make every room dry. Of several sensors outside the coolest one counts, because the sun warms
housings and nothing cools them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from kiezbox.indices import (
    MOULD_PERCENT,
    classify,
    estimated_humidity_percent,
    index_on,
    surface_humidity_percent,
)
from kiezbox.indices.advice import Climate, Room
from kiezbox.model import Quantity, Series
from kiezbox.quality.corrections import SUFFIX

if TYPE_CHECKING:
    from kiezbox.store.history import Span

__all__ = ["WEEK_S", "Home", "fresh_s", "gather", "hours_damp", "needs_history", "series_of"]

#: Older readings say nothing of now, unless their sensor is read more seldom.
FRESH_S = 900.0

#: How far back the damp hours of a wall are counted, and of what their means are made.
WEEK_S, HOUR_S = 7 * 86400, 3600

Sensors = Mapping[str, Mapping[str, Any]]
History = Mapping[Series, "list[Span]"]
Ask = Callable[[str, Quantity], float | None]


class Home(NamedTuple):
    """All rooms, in the order of kiezbox.toml, and the air outside if it is measured; its
    temperature also where its humidity is not.
    """

    rooms: list[Room]
    outside: Climate | None
    outside_c: float | None = None
    #: The number in ``AIR_CLASSES`` of the dust of the last hour or two, or None.
    outside_air: int | None = None


class _Parts(NamedTuple):
    """The sensors of a room: in its air, and on its wall."""

    air: list[str]
    wall: list[str]


def gather(sensors: Sensors, latest: Mapping[str, Any], now: float, history: History) -> Home:
    """
    Args:
        sensors: the tables of kiezbox.toml.
        latest: as in now.json, "sensor/quantity" → value, flag, taken_at.
        now: Unix seconds.
        history: hourly means of ``WEEK_S`` (``StoreReader.spans``); empty where none are needed.
    """

    def ask(sensor: str, quantity: Quantity) -> float | None:
        series = series_of(sensors, sensor, quantity)
        return _good(latest.get(str(series)), now, sensors[sensor])

    outdoors = _outdoors(sensors)
    outside = min(filter(None, (_climate(name, ask) for name in outdoors)), default=None)
    colds = (ask(name, Quantity.TEMPERATURE_C) for name in outdoors)
    outside_c = (
        outside.temperature_c if outside else min((c for c in colds if c is not None), default=None)
    )
    rooms = []
    for name, parts in _rooms(sensors).items():
        room = _room(name, parts, ask, hours_damp(sensors, parts.air, parts.wall, history))
        if not parts.wall:
            room = _estimated(room, sensors, parts.air, outside_c, history)
        rooms.append(room)
    return Home(rooms, outside, outside_c, _outside_air(sensors, outdoors, now, history))


def needs_history(sensors: Sensors) -> bool:
    """Whether any room has a wall: with a probe on it, or one to be estimated."""
    can_estimate = bool(_outdoors(sensors))
    return any(parts.air and (parts.wall or can_estimate) for parts in _rooms(sensors).values())


def hours_damp(sensors: Sensors, air: list[str], wall: list[str], history: History) -> float | None:
    """Hours in which the mean humidity at the wall was above 80 %: at least so many, for hours that
    were not measured are not counted. None: no hour was.
    """
    return _hours_above(sensors, air, wall, history, surface_humidity_percent)


def _hours_above(
    sensors: Sensors,
    air: list[str],
    colder: list[str],
    history: History,
    at_wall: Callable[[float, float, float], float],
) -> float | None:
    """``at_wall``: of the room's temperature and humidity and the least temperature of ``colder``,
    which is the wall's or that outside.
    """
    colds = [_by_hour(sensors, name, Quantity.TEMPERATURE_C, history) for name in colder]
    found: dict[float, float] = {}
    for name in air:
        warm = _by_hour(sensors, name, Quantity.TEMPERATURE_C, history)
        damp = _by_hour(sensors, name, Quantity.HUMIDITY_PERCENT, history)
        for hour in warm.keys() & damp.keys():
            walls = [each[hour] for each in colds if hour in each]
            if walls:
                there = at_wall(warm[hour], damp[hour], min(walls))
                found[hour] = max(there, found.get(hour, 0.0))
    return float(sum(each > MOULD_PERCENT for each in found.values())) if found else None


def _estimated(
    room: Room, sensors: Sensors, air: list[str], outside_c: float | None, history: History
) -> Room:
    """The same with what it would be at a wall that just meets the standard."""
    percent = None
    if room.climate is not None and outside_c is not None:
        percent = estimated_humidity_percent(*room.climate, outside_c)
    hours = _hours_above(sensors, air, _outdoors(sensors), history, estimated_humidity_percent)
    return room._replace(estimated_percent=percent, estimated_hours_damp=hours)


def _outside_air(sensors: Sensors, outdoors: list[str], now: float, history: History) -> int | None:
    index = index_on("uba_lqi", time.strftime("%Y-%m-%d", time.gmtime(now)))
    means: dict[str, float] = {}
    for quantity in (Quantity.PM2_5_UG_M3, Quantity.PM10_UG_M3):
        for name in outdoors:
            spans = history.get(series_of(sensors, name, quantity), ())
            late = [each for each in spans if each.starts_at > now - 2 * HOUR_S]
            if late:
                mean = sum(s.mean * s.readings for s in late) / sum(s.readings for s in late)
                means[quantity.value] = max(mean, means.get(quantity.value, 0.0))
    found = index and classify(means, index)
    return found.number if found else None


def _outdoors(sensors: Sensors) -> list[str]:
    return [name for name, table in sensors.items() if table.get("where") == "outdoor"]


def _rooms(sensors: Sensors) -> dict[str, _Parts]:
    """By name. A probe on a wall that names no room belongs to the only one."""
    found: dict[str, _Parts] = {}
    # What is not said is private, and so indoor (settings.SensorSettings.where).
    inside = {n: t for n, t in sensors.items() if t.get("where", "indoor") == "indoor"}
    for name, table in inside.items():
        if not table.get("wall"):
            found.setdefault(str(table.get("room") or name), _Parts([], [])).air.append(name)
    only = next(iter(found)) if len(found) == 1 else ""
    for name, table in inside.items():
        if table.get("wall"):
            room = str(table.get("room") or only or name)
            found.setdefault(room, _Parts([], [])).wall.append(name)
    return found


def _room(name: str, parts: _Parts, ask: Ask, damp: float | None) -> Room:
    climates = [climate for each in parts.air if (climate := _climate(each, ask))]
    gas = [ppm for each in parts.air if (ppm := ask(each, Quantity.CO2_PPM)) is not None]
    walls = [c for each in parts.wall if (c := ask(each, Quantity.TEMPERATURE_C)) is not None]
    return Room(
        name,
        climates[0] if climates else None,
        max(gas, default=None),
        min(walls, default=None),
        damp,
    )


def _climate(sensor: str, ask: Ask) -> Climate | None:
    warm, damp = ask(sensor, Quantity.TEMPERATURE_C), ask(sensor, Quantity.HUMIDITY_PERCENT)
    return None if warm is None or damp is None else Climate(warm, damp)


def series_of(sensors: Sensors, sensor: str, quantity: Quantity) -> Series:
    """The series that counts: the corrected one, where there is one."""
    is_corrected = bool(sensors[sensor].get("temperature_offset_k")) and quantity in (
        Quantity.TEMPERATURE_C, Quantity.HUMIDITY_PERCENT,
    )  # fmt: skip
    return Series(sensor + SUFFIX if is_corrected else sensor, quantity.value)


def _good(latest: Any, now: float, table: Mapping[str, Any]) -> float | None:
    """The value of one entry of now.json, whatever that is."""
    if not isinstance(latest, Mapping) or latest.get("flag") != 0:
        return None
    value, taken_at = latest.get("value"), latest.get("taken_at")
    if not isinstance(value, int | float) or not isinstance(taken_at, int | float):
        return None
    return float(value) if -60 <= now - taken_at <= fresh_s(table) else None


def fresh_s(table: Mapping[str, Any]) -> float:
    """So long a value of the sensor with this table tells of now, in seconds."""
    interval_s = table.get("interval_s", 60.0)
    return max(FRESH_S, 2.5 * interval_s) if isinstance(interval_s, int | float) else FRESH_S


def _by_hour(
    sensors: Sensors, sensor: str, quantity: Quantity, history: History
) -> dict[float, float]:
    spans = history.get(series_of(sensors, sensor, quantity), ())
    return {each.starts_at: each.mean for each in spans}
