"""now.json as rows of a table: a name and what there is to say."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from kiezbox.i18n.advising import sentences, step_sentence
from kiezbox.indices.advice import CODES, Advice
from kiezbox.model import Quantity
from kiezbox.units import UNITS

#: As everywhere: an older now.json comes from a node that no longer runs (docs/architecture.md).
FRESH_S = 30.0

#: In the run directory (``store.foreign_file`` has the same name; a test compares them).
FOREIGN = "foreign.json"

#: Rows for boxes of Kiezbox 2.0 at most; `kiezbox foreign list` has all.
MOST_NEIGHBOURS = 12

#: What their buttons can say.
DISTRESS = ("medical", "fire", "crime", "sick", "help")

Say = Callable[[str], str]


def read_facts(run_dir: str, now: float) -> Mapping[str, Any] | None:
    """now.json, or None where the node does not run."""
    try:
        facts = json.loads(Path(run_dir, "now.json").read_text(encoding="utf-8"))
        is_fresh = now - facts["written_at"] <= FRESH_S
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return facts if is_fresh else None


def rows(facts: Mapping[str, Any], say: Say) -> Iterator[tuple[str, str]]:
    """What the operator sees first. A field that is missing is left out, never guessed."""
    box, mode = _table(facts, "box"), _table(facts, "mode")
    yield say("box"), f"{box.get('id', '')} {box.get('name', '')}".strip()
    since = _time(mode.get("since"))
    yield say("mode"), f"{mode.get('name', '')}, {say('since')} {since}"
    grid = _table(facts, "grid")
    yield say("grid"), str(grid.get("state")) if grid.get("is_sensed") else say("not sensed")
    battery = _table(facts, "battery")
    if battery:
        yield say("battery"), _battery(battery)
    network = _table(facts, "network")
    if network:
        guests = network.get("guests")
        more = f", {guests} {say('guests')}" if isinstance(guests, int) else ""
        yield say("wlan"), f"{network.get('ssid', '')}: {network.get('wanted', '')}{more}"
        yield say("uplink"), str(network.get("uplink", ""))
    for name, reading in _table(facts, "latest").items():
        yield name, _reading(name, reading)
    yield say("store"), str(_table(facts, "store").get("state", ""))
    for name, publisher in _table(facts, "publishers").items():
        if isinstance(publisher, Mapping):
            yield name, f"{publisher.get('link')}, {publisher.get('backlog')} {say('to go')}"
    faults = facts.get("faults")
    for fault in faults if isinstance(faults, list) else ():
        if isinstance(fault, Mapping):
            yield say("fault"), f"{fault.get('message', '')} {fault.get('hint') or ''}".strip()


def read_neighbours(run_dir: str) -> Mapping[str, Any]:
    """What was heard of Kiezbox 2.0; {} where nothing was (docs/kiezbox-2.0.md)."""
    try:
        found = json.loads(Path(run_dir, FOREIGN).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, Mapping) else {}


def cries(found: Mapping[str, Any], say: Say) -> Iterator[str]:
    """Who has pressed a button of Kiezbox 2.0 within a week."""
    for cry in _each(found, "distress"):
        kind = cry.get("kind")
        said = say(f"distress {kind}") if kind in DISTRESS else "?"
        button = f"{say('button')} {cry.get('button_id')}" if cry.get("button_id") else ""
        heard = f"{say('heard')} {_time(cry.get('heard_at'))}"
        if cry.get("clock_trusted") is False:
            heard = say("heard without time")
        about = ", ".join(filter(None, (button, heard)))
        yield f"{say('distress')}: {said} ({about}). {say('its words')}: kiezbox foreign list"


def neighbours(
    found: Mapping[str, Any], say: Say
) -> Iterator[tuple[str, str, list[tuple[str, str]]]]:
    """Each box of Kiezbox 2.0 that was heard, the last one first: its name, when, its values."""
    for each in list(_each(found, "neighbours"))[:MOST_NEIGHBOURS]:
        values = [
            (str(name), _neighbour_reading(reading))
            for name, reading in _table(each, "readings").items()
        ]
        yield (
            str(each.get("name", "?")),
            f"{say('heard')} {_time(each.get('last_heard_at'))}",
            values,
        )


def _each(found: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
    some = found.get(name)
    for each in some if isinstance(some, list) else ():
        if isinstance(each, Mapping):
            yield each


def _neighbour_reading(reading: Any) -> str:
    value = _number(reading.get("value")) if isinstance(reading, Mapping) else None
    if value is None:
        return "?"
    doubt = "" if reading.get("flag") == 0 else f" ({reading.get('reason') or '?'})"
    return f"{round(value, 2):g} {reading.get('unit', '')}{doubt}"


def advice(facts: Mapping[str, Any], language: str) -> list[str]:
    """Of water and other values that have steps, and of all rooms, in words; what is no advice
    (another version's, say) is left out.
    """
    found = facts.get("advice")
    heard = [
        Advice(str(each.get("code")), str(each.get("room")), _number(each.get("value")))
        for each in (found if isinstance(found, list) else ())
        if isinstance(each, Mapping)
    ]
    rooms = sentences([each for each in heard if each.code in CODES], language)
    steps = facts.get("steps")
    said = [
        step_sentence(each, _time(each.get("taken_at")), language)
        for each in (steps if isinstance(steps, list) else ())
        if isinstance(each, Mapping)
    ]
    return [each for each in said if each] + rooms


def _table(facts: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = facts.get(name)
    return found if isinstance(found, Mapping) else {}


def _time(unix_s: Any) -> str:
    if not isinstance(unix_s, (int, float)):
        return "?"
    try:
        return time.strftime("%d.%m. %H:%M", time.localtime(unix_s))
    except (OverflowError, ValueError, OSError):
        return "?"


def _battery(battery: Mapping[str, Any]) -> str:
    low, high = (_number(battery.get(f"charge_percent_{end}")) for end in ("low", "high"))
    charge = f", {low:.0f}–{high:.0f} %" if low is not None and high is not None else ""
    return f"{battery.get('stage', '')}{charge}"


def _reading(name: str, reading: Any) -> str:
    value = _number(reading.get("value")) if isinstance(reading, Mapping) else None
    if value is None:
        return "?"
    try:
        unit = UNITS[Quantity(name.partition("/")[2])]
    except (KeyError, ValueError):
        return str(value)
    doubt = "" if reading.get("flag") == 0 else f" ({reading.get('reason') or '?'})"
    return f"{unit.say(value)}{doubt}"


def _number(value: Any) -> float | None:
    """JSON knows integers that no float can hold."""
    try:
        return float(value) if isinstance(value, (int, float)) else None
    except OverflowError:
        return None
