"""Say how the box is: mode, grid, battery, readings, what waits, what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection


def main(argv: list[str]) -> int:
    """``kiezbox status [--json]``."""
    from kiezbox.cli._common import Parser, load_settings, open_clock, print_json, read_facts
    from kiezbox.cli.check import without_past

    parser = Parser("status", __doc__)
    parser.add_argument("--json", action="store_true", help="for programs: now.json as it stands")
    arguments = parser.parse_args(argv)
    settings = load_settings(arguments.settings)
    facts = read_facts(settings)
    if arguments.json:
        print_json(facts)
    else:
        now = open_clock(settings).now()
        lines = sentences(facts, now, without_past(settings))
        print("\n".join(lines + _foreign(settings.store.run_dir, now)))
    return 0


def _foreign(run_dir: str, now: float) -> list[str]:
    """Boxes of Kiezbox 2.0 that were heard (docs/kiezbox-2.0.md)."""
    from kiezbox.cli._foreign_words import status_lines
    from kiezbox.store.foreign_file import read_view

    return [f"foreign    {line}" for line in status_lines(read_view(run_dir), now)]


def sentences(facts: dict[str, Any], now: float, without_past: Collection[str] = ()) -> list[str]:
    """The whole of now.json in words; for publishers ``without_past`` nothing waits."""
    from kiezbox.cli.mode import sentences as mode_sentences
    from kiezbox.cli.mode import words
    from kiezbox.model import Flag, Quantity
    from kiezbox.units import UNITS

    box = facts["box"]
    mode, *more = mode_sentences(facts, now)
    lines = [f"box        {box['id']} ({box['name']})", f"mode       {mode}", *more]
    grid = facts.get("grid") or {}
    if grid.get("is_sensed"):
        votes = ", ".join(f"{name} {vote}" for name, vote in sorted(grid["sources"].items()))
        lines.append(f"grid       {grid['state']}, for {words(now - grid['since'])} ({votes})")
    else:
        lines.append("grid       not sensed: this box is opened by its operator")
    battery = facts.get("battery")
    if battery:
        lines.append(f"battery    {battery_words(battery)}")
    network = facts.get("network")
    if network:
        lines += [f"network    {line}" for line in network_words(network, now)]
    for name, reading in (facts.get("latest") or {}).items():
        unit = UNITS[Quantity(name.partition("/")[2])]
        flag = "" if reading["flag"] == 0 else f"  {Flag(reading['flag']).name.lower()}"
        reason = f": {reading['reason']}" if reading["reason"] else ""
        lines.append(
            f"reading    {name} {unit.say(reading['value'])},"
            f" {words(now - reading['taken_at'])} ago{flag}{reason}"
        )
    lines += [f"step       {step_words(each, now)}" for each in facts.get("steps") or []]
    store = facts["store"]
    lines.append(f"store      {store['state']}, {store['buffered']} readings not yet on the card")
    for name, publisher in (facts.get("publishers") or {}).items():
        waits = "" if name in without_past else f" {publisher['backlog']} to go,"
        lines.append(
            f"publisher  {name} {publisher['link']},{waits}"
            f" {publisher['delivered']} delivered since the start"
        )
    lines += [f"peer       {peer_words(each, now)}" for each in facts.get("peers") or []]
    radio = facts.get("radio")
    if radio:
        why = f": {radio['why']}" if radio["why"] else ""
        lines.append(f"radio      {radio['state']}{why} (`kiezbox radio status`)")
    for fault in facts.get("faults") or []:
        lines.append(f"fault      {fault['message']}")
        if fault["hint"]:
            lines.append(f"             {fault['hint']}")
    return lines


#: What a posture means to the street.
_POSTURES = {
    "closed": "emergency WLAN off",
    "emergency": "emergency WLAN {air}, every guest is led to the portal",
    "shared": "emergency WLAN {air}, guests use the uplink",
    "dark": "everything off, the battery is empty",
}
_ON_AIR = {True: "on the air", False: "wanted but NOT on the air", None: "wanted"}
_UPLINKS = {"own": "this box's", "mesh": "another box's, over the mesh", "none": "none"}


def network_words(network: dict[str, Any], now: float) -> list[str]:
    """What the street has of this box; a line each for WLAN, guests and mesh, as far as known."""
    from kiezbox.cli.mode import words

    wanted = _POSTURES.get(network["wanted"], network["wanted"])
    lines = [wanted.format(air=_ON_AIR[network["is_on_air"]])]
    if network["ssid"] and network["is_on_air"]:
        lines[0] += f' ("{network["ssid"]}", for {words(now - network["since"])})'
    turning = network["slice"]
    if turning:
        verb = "closes" if turning["is_open"] else "opens"
        lines.append(f"time slice {verb} in {words(turning['changes_at'] - now)}")
    if network["guests"] is not None:
        https = f" and https://{network['https_name']}/" if network["https_name"] else ""
        lines.append(f"guests: {network['guests']}; portal at http://{network['name']}/{https}")
    uplink = _UPLINKS.get(network["uplink"])
    if uplink:
        lines.append(f"uplink {uplink}, given to guests: {network['guest_uplink']}")
    mesh = network["mesh"]
    if mesh and mesh["neighbours"] is not None:
        lines.append(f"mesh on {mesh['interface']}, neighbours: {mesh['neighbours']}")
    return lines


def peer_words(each: dict[str, Any], now: float) -> str:
    """``kb-nord connected, 104 records came, 31 went``."""
    from kiezbox.cli.mode import words

    if each["heard_at"] is None:
        return f"{each['box']} not heard since the start"
    state = "connected" if each["is_connected"] else f"heard {words(now - each['heard_at'])} ago"
    return f"{each['box']} {state}, {each['received']} records came, {each['given']} went"


def step_words(each: dict[str, Any], now: float) -> str:
    """``brook/water_level_m warning, for 6 min (attention 0.80 m, warning 1.10 m)``."""
    from kiezbox.cli.mode import words
    from kiezbox.model import Quantity
    from kiezbox.units import UNITS

    unit = UNITS[Quantity(each["quantity"])]
    marks = ", ".join(f"{name} {unit.say(value)}" for name, value in each["marks"].items())
    since = f", for {words(now - each['since'])}" if each["since"] is not None else ""
    known = "" if each["is_stale"] is False else "  no good reading: nobody knows"
    return f"{each['sensor']}/{each['quantity']} {each['step'] or 'none'}{since} ({marks}){known}"


def battery_words(battery: dict[str, Any]) -> str:
    """Charge and hours as bands, because that is what they are."""
    low, high = battery.get("charge_percent_low"), battery.get("charge_percent_high")
    words = [str(battery.get("stage"))]
    if low is not None and high is not None:
        words.append(f"{low:.0f} to {high:.0f} %")
    least, most = battery.get("hours_left_low"), battery.get("hours_left_high")
    if least is not None and most is not None:
        words.append(f"{least:.0f} to {most:.0f} hours left")
    if battery.get("voltage_v") is not None:
        words.append(f"{battery['voltage_v']:.2f} V")
    if battery.get("current_a") is not None:
        words.append(f"{battery['current_a']:+.2f} A")
    return ", ".join(words)
