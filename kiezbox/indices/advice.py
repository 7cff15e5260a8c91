"""What to do about it: from what the sensors of a home and its surroundings say, in a few words.

Pure rules over numbers; the words stand in the catalogue, room ``advice``, under the code of each
piece. First what may hurt, then what costs comfort. Where a rule needs a number that nobody
measures here, it says nothing: no advice is better than a guess. Of a window it is said once
whether to open it: stale air comes before heat, heat before damp.

Sources beside those of the indices: German Environment Agency, "Richtig lüften und heizen" and
"Leitfaden zur Vorbeugung, Erfassung und Sanierung von Schimmelbefall in Gebäuden" (2017), section 3
(living rooms below 60 %, bedrooms below 65 % in winter; below 30 % mucous membranes dry); the
workplace rule ASR A3.5, 4.4 (26 °C, from which a room should be shaded, 30 °C from which it must
be).
"""

from __future__ import annotations

from typing import NamedTuple

from kiezbox.indices.air_quality import AIR_CLASSES
from kiezbox.indices.guidelines import co2_class
from kiezbox.indices.mould import (
    AIRING,
    MOULD_PERCENT,
    airing,
    mould_class,
    surface_humidity_percent,
)

__all__ = ["CODES", "Advice", "Climate", "Room", "advise"]

#: In the order in which they are said.
CODES = (
    "co2_air_now", "dust_brief", "hot_rest", "mould_wall", "mould_estimated", "hot_air_now",
    "hot_keep_shut", "damp_air_now", "damp_keep_shut", "damp_heat", "wall_estimated",
    "co2_air_soon", "dry", "fine",
)  # fmt: skip

#: Per cent of relative humidity in a room.
DAMP, DRY = 60.0, 30.0

#: From this class of the air outside on (its number in ``AIR_CLASSES``) a window is opened only
#: briefly, as the agency says of it; what would open one says so instead.
DUSTY = AIR_CLASSES.index("poor")
_OPENS = ("co2_air_soon", "hot_air_now", "damp_air_now")

#: °C in a room; and how much cooler it must be outside before an open window helps.
HOT, VERY_HOT, COOLER = 26.0, 30.0, 2.0


class Climate(NamedTuple):
    """Air somewhere."""

    temperature_c: float
    humidity_percent: float


class Room(NamedTuple):
    """A room, as far as it is measured."""

    name: str
    climate: Climate | None = None
    co2_ppm: float | None = None
    #: Of the coldest wall, by a probe.
    wall_c: float | None = None
    #: Hours above 80 % at the wall within seven days.
    hours_damp: float | None = None
    #: Where no probe is on a wall: what it would be at one that just meets the standard, per cent
    #: and hours. Estimated, never to be called measured.
    estimated_percent: int | None = None
    estimated_hours_damp: float | None = None


class Advice(NamedTuple):
    """One piece: its code, the room, and the number that it is about."""

    code: str
    room: str
    value: float | None = None


def advise(
    rooms: list[Room], outside: Climate | None, outside_air: int | None = None
) -> list[Advice]:
    """All that is to be said, first things first; a room about which nothing is, is fine.
    ``outside_air``: the number in ``AIR_CLASSES``, None where nobody knows.

    >>> [a.code for a in advise([Room("bedroom", Climate(20, 68))], Climate(5, 90))]
    ['damp_air_now']
    """
    found = [each for room in rooms for each in _of_room(room, outside)]
    if outside_air is not None and outside_air >= DUSTY:
        found = _in_dust(found)
    return sorted(found, key=lambda each: CODES.index(each.code))


def _of_room(room: Room, outside: Climate | None) -> list[Advice]:
    found: list[Advice] = []

    def say(code: str, value: float | None) -> None:
        found.append(Advice(code, room.name, value))

    light = 0 if room.co2_ppm is None else co2_class(room.co2_ppm)
    if light:
        say("co2_air_now" if light == 2 else "co2_air_soon", room.co2_ppm)
    if room.hours_damp is not None and mould_class(room.hours_damp):
        say("mould_wall", room.hours_damp)
    elif _has_no_probe(room) and mould_class(room.estimated_hours_damp or 0.0):
        say("mould_estimated", room.estimated_hours_damp)
    if room.climate is not None:
        heat = _heat(room.climate, outside)
        if room.climate.temperature_c >= VERY_HOT:
            say("hot_rest", room.climate.temperature_c)
        if heat and not light:
            say(heat, room.climate.temperature_c)
        damp = _damp(room, room.climate, outside)
        if damp and (damp == "damp_heat" or not (light or heat)):
            say(damp, room.climate.humidity_percent)
        if _is_damp_by_estimate(room) and all(a.code != "mould_estimated" for a in found):
            say("wall_estimated", room.estimated_percent)
        if room.climate.humidity_percent < DRY:
            say("dry", room.climate.humidity_percent)
    is_measured = room.climate is not None or room.co2_ppm is not None
    if not found and is_measured:
        say("fine", None)
    return found


def _in_dust(found: list[Advice]) -> list[Advice]:
    said = []
    for each in found:
        said += [] if each.code in _OPENS else [each]
        if each.code in _OPENS or each.code == "co2_air_now":
            said.append(Advice("dust_brief", each.room))
    return list(dict.fromkeys(said))


def _has_no_probe(room: Room) -> bool:
    return room.wall_c is None and room.hours_damp is None


def _is_damp_by_estimate(room: Room) -> bool:
    return _has_no_probe(room) and (room.estimated_percent or 0) > MOULD_PERCENT


def _heat(climate: Climate, outside: Climate | None) -> str:
    if climate.temperature_c < HOT or outside is None:
        return ""
    if outside.temperature_c <= climate.temperature_c - COOLER:
        return "hot_air_now"
    return "hot_keep_shut" if outside.temperature_c > climate.temperature_c else ""


def _damp(room: Room, climate: Climate, outside: Climate | None) -> str:
    wall = 0.0
    if room.wall_c is not None:
        wall = surface_humidity_percent(*climate, room.wall_c)
    is_damp = wall >= MOULD_PERCENT or _is_damp_by_estimate(room)
    if climate.humidity_percent <= DAMP and not is_damp:
        return ""
    if outside is None:
        return ""
    said = AIRING[airing(*climate, *outside)]
    return {"helps": "damp_air_now", "wets": "damp_keep_shut", "no_difference": "damp_heat"}[said]
