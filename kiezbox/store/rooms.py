"""The rooms of a home as they are measured just now: what ``indices.advice`` is asked about.

Which sensor hangs where is said in kiezbox.toml (``where``, ``room``, ``wall``), the latest values
stand in now.json, and how long a wall was damp tells the store. Nothing of it leaves the box.

Only good and fresh values count. Where a sensor's temperature is corrected
(``temperature_offset_k``), the corrected series counts and never the other: the box that warms it
would make every room dry. Of several sensors outside the coolest one counts, because the sun warms
housings and nothing cools them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from kiezbox.indices import MOULD_PERCENT, surface_humidity_percent
from kiezbox.indices.advice import Climate, Room
from kiezbox.model import Quantity, Series
from kiezbox.quality.corrections import SUFFIX

if TYPE_CHECKING:
    from kiezbox.store.history import Span

__all__ = ["WEEK_S", "Home", "gather", "hours_damp", "needs_history"]

#: Older readings say nothing of now, unless their sensor is read more seldom.
FRESH_S = 900.0

#: How far back the damp hours of a wall are counted, and of what their means are made.
WEEK_S, HOUR_S = 7 * 86400, 3600

Sensors = Mapping[str, Mapping[str, Any]]
History = Mapping[Series, "list[Span]"]
Ask = Callable[[str, Quantity], float | None]


class Home(NamedTuple):
    """All rooms, in the order of kiezbox.toml, and the air outside if it is measured."""

    rooms: list[Room]
    outside: Climate | None


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
        series = _series(sensors, sensor, quantity)
        return _good(latest.get(str(series)), now, sensors[sensor])

    rooms = [
        _room(name, parts, ask, hours_damp(sensors, parts.air, parts.wall, history))
        for name, parts in _rooms(sensors).items()
    ]
    outside = [
        climate
        for name, table in sensors.items()
        if table.get("where") == "outdoor" and (climate := _climate(name, ask))
    ]
    return Home(rooms, min(outside, default=None))


def needs_history(sensors: Sensors) -> bool:
    """Whether any room has a probe on its wall."""
    return any(parts.wall and parts.air for parts in _rooms(sensors).values())


def hours_damp(sensors: Sensors, air: list[str], wall: list[str], history: History) -> float | None:
    """Hours in which the mean humidity at the wall was above 80 %: at least so many, for hours that
    were not measured are not counted. None: no hour was.
    """
    colder = [_by_hour(sensors, name, Quantity.TEMPERATURE_C, history) for name in wall]
    measured: dict[float, float] = {}
    for name in air:
        warm = _by_hour(sensors, name, Quantity.TEMPERATURE_C, history)
        damp = _by_hour(sensors, name, Quantity.HUMIDITY_PERCENT, history)
        for hour in warm.keys() & damp.keys():
            walls = [each[hour] for each in colder if hour in each]
            if walls:
                at_wall = surface_humidity_percent(warm[hour], damp[hour], min(walls))
                measured[hour] = max(at_wall, measured.get(hour, 0.0))
    if not measured:
        return None
    return float(sum(each > MOULD_PERCENT for each in measured.values()))


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


def _series(sensors: Sensors, sensor: str, quantity: Quantity) -> Series:
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
    interval_s = table.get("interval_s", 60.0)
    fresh_s = max(FRESH_S, 2.5 * interval_s) if isinstance(interval_s, int | float) else FRESH_S
    return float(value) if -60 <= now - taken_at <= fresh_s else None


def _by_hour(
    sensors: Sensors, sensor: str, quantity: Quantity, history: History
) -> dict[float, float]:
    spans = history.get(_series(sensors, sensor, quantity), ())
    return {each.starts_at: each.mean for each in spans}
