"""What helps in the rooms of this home just now: open a window, close it, heat, rest.

  kiezbox advice [--language de] [--why] [--json]

Of every room that is measured (sensors with where = "indoor"; `room` in kiezbox.toml names it), and
of the air outside (a sensor with where = "outdoor" that measures temperature and humidity). A probe
with wall = true on the coldest wall tells of mould; without one the sentence is about a wall that
just meets the standard DIN 4108-2, and says that this is estimated. Of a sensor that has steps
([sensors.NAME.steps.QUANTITY], such as a water level) it says which one is reached. Where a number
is missing, nothing is said that would need it. All of it is computed on the box, and nothing is
sent anywhere, so no consent is needed. In the language of the terminal ($LANG), or in the one that
is named (docs/languages.md).
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from kiezbox.indices import absolute_humidity_g_m3, dew_point_c, surface_humidity_percent

if TYPE_CHECKING:
    from kiezbox.indices.advice import Climate
    from kiezbox.settings import Settings
    from kiezbox.store.rooms import Home


def main(argv: list[str]) -> int:
    """``kiezbox advice [--language LANGUAGE] [--why] [--json]``."""
    from kiezbox.cli._common import Parser, load_settings, open_clock, print_json, read_facts
    from kiezbox.i18n import LANGUAGES
    from kiezbox.i18n.advising import document, of_step, sentences, step_sentence
    from kiezbox.indices.advice import advise

    parser = Parser("advice", __doc__)
    parser.add_argument("--language", choices=list(LANGUAGES), help="by default the terminal's")
    parser.add_argument("--why", action="store_true", help="the numbers behind it, a line a room")
    parser.add_argument("--json", action="store_true", help="for programs")
    arguments = parser.parse_args(argv)
    settings = load_settings(arguments.settings)
    facts = read_facts(settings)
    home = _home(settings, facts, open_clock(settings).now())
    steps = facts.get("steps") or []
    found = advise(home.rooms, home.outside, home.outside_air)
    language = arguments.language or _of_terminal()
    if arguments.json:
        told = [each | {"text": of_step(each, language)} for each in steps]
        print_json(_facts(home) | {"advice": document(found, language), "steps": told})
        return 0
    of_steps = [step_sentence(each, _when(each["taken_at"]), language) for each in steps]
    for line in [*filter(None, of_steps), *sentences(found, language)]:
        print(line)
    if arguments.why:
        for line in _numbers(home):
            print(line)
    if not found and not steps:
        print('No room is measured just now: no sensor with where = "indoor" has good values.')
    elif found and home.outside is None:
        print("(The air outside is not measured: nothing is said of what a window would change.)")
    return 0


def _home(settings: Settings, facts: dict[str, Any], now: float) -> Home:
    """
    Raises:
        KiezboxError: the store cannot be read.
    """
    from kiezbox.store import StoreReader
    from kiezbox.store.rooms import HOUR_S, WEEK_S, gather, needs_history

    history = {}
    if needs_history(settings.sensors):
        with StoreReader(settings.store.path) as reader:
            history = reader.spans(int((now - WEEK_S) * 1000), HOUR_S * 1000)
    return gather(settings.sensors, facts.get("latest") or {}, now, history)


def _numbers(home: Home) -> Iterator[str]:
    """``bedroom: 20.0 °C, 58 %, dew point 11.5 °C, 10.0 g/m³ of water; wall 12.1 °C: 95 % ...``"""
    from kiezbox.indices import AIR_CLASSES

    for room in home.rooms:
        told = _climate(room.climate)
        if room.co2_ppm is not None:
            told.append(f"{room.co2_ppm:.0f} ppm CO₂")
        if room.climate and room.wall_c is not None:
            percent = surface_humidity_percent(*room.climate, room.wall_c)
            told.append(f"wall {room.wall_c:.1f} °C and {percent:.0f} % there")
        if room.hours_damp is not None:
            told.append(f"wall above 80 % for {room.hours_damp:.0f} h in seven days")
        if room.estimated_percent is not None:
            told.append(
                f"estimated, not measured: {room.estimated_percent} % at a wall by DIN 4108-2"
            )
        if room.estimated_hours_damp is not None:
            told.append(
                f"estimated: above 80 % for {room.estimated_hours_damp:.0f} h in seven days"
            )
        if told:
            yield f"  {room.name}: {', '.join(told)}"
    outside = _climate(home.outside)
    if home.outside is None and home.outside_c is not None:
        outside.append(f"{home.outside_c:.1f} °C")
    if home.outside_air is not None:
        outside.append(f"dust: {AIR_CLASSES[home.outside_air].replace('_', ' ')} (UBA, incomplete)")
    if outside:
        yield f"  outside: {', '.join(outside)}"


def _climate(climate: Climate | None) -> list[str]:
    if climate is None:
        return []
    dew, water = dew_point_c(*climate), absolute_humidity_g_m3(*climate)
    told = [f"{climate.temperature_c:.1f} °C", f"{climate.humidity_percent:.0f} %"]
    told += [] if dew is None else [f"dew point {dew:.1f} °C"]
    return [*told, f"{water:.1f} g/m³ of water"]


def _with_water(climate: Climate | None) -> dict[str, float | None] | None:
    if climate is None:
        return None
    water = {"dew_point_c": dew_point_c(*climate), "water_g_m3": absolute_humidity_g_m3(*climate)}
    return {**climate._asdict(), **water}


def _facts(home: Home) -> dict[str, Any]:
    rooms = [
        {
            "name": room.name,
            "climate": _with_water(room.climate),
            "co2_ppm": room.co2_ppm,
            "wall_c": room.wall_c,
            "surface_percent": None
            if room.climate is None or room.wall_c is None
            else surface_humidity_percent(*room.climate, room.wall_c),
            "hours_damp": room.hours_damp,
            "estimated_percent": room.estimated_percent,
            "estimated_hours_damp": room.estimated_hours_damp,
        }
        for room in home.rooms
    ]
    outside = _with_water(home.outside)
    air = {"outside_c": home.outside_c, "outside_air": home.outside_air}
    return {"rooms": rooms, "outside": outside, **air}


def _when(taken_at: float | None) -> str:
    return "?" if taken_at is None else time.strftime("%d.%m. %H:%M", time.localtime(taken_at))


def _of_terminal() -> str:
    from kiezbox.i18n import FALLBACK, language_of

    said = next(filter(None, map(os.environ.get, ("LC_ALL", "LC_MESSAGES", "LANG"))), FALLBACK)
    return language_of(said.partition(".")[0].replace("_", "-"))
