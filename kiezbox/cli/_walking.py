"""``kiezbox check --walk``: pull the plug once, and hear whether each grid source has seen it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["Verdict", "verdict", "walk"]

#: A source votes once a second (power.interval_s); whoever pulls a plug needs a while.
LIMIT_S, LOOK_S = 60.0, 0.25

Votes = Mapping[str, str]
Verdict = tuple[bool, str, str]


def walk(
    settings: Any,
    votes: Callable[[], Votes],
    ask: Callable[[str], str] = input,
    say: Callable[[str], None] = print,
    limit_s: float = LIMIT_S,
) -> bool:
    """Whether every source sees the grid come and go. ``votes``: what each says just now."""
    sources = settings.power.grid
    if not sources:
        say("There is no [power.grid.NAME] table: this box has nothing to try.")
        return True
    ask("Is the box's mains plug in, and the grid there? Then press Enter: ")
    before = dict(votes())
    ask("Now pull the plug (the battery carries the box), and press Enter: ")
    without = _settled(votes, before, limit_s)
    ask("Put the plug back in, and press Enter: ")
    after = _settled(votes, without, limit_s)
    is_all_well = True
    for name, table in sources.items():
        said = tuple(each.get(name, "silent") for each in (before, without, after))
        is_well, message, hint = verdict(name, table, said)
        is_all_well &= is_well
        say(("ok    " if is_well else "BAD   ") + message)
        if hint:
            say(f"      {hint}")
    return is_all_well


def _settled(votes: Callable[[], Votes], before: Votes, limit_s: float) -> dict[str, str]:
    """As soon as every source has changed its mind, or when the time is up."""
    until = time.monotonic() + limit_s
    found = dict(votes())
    while time.monotonic() < until and any(found.get(name) == was for name, was in before.items()):
        time.sleep(LOOK_S)
        found = dict(votes())
    return found


def verdict(name: str, table: Mapping[str, Any], said: tuple[str, ...]) -> Verdict:
    """What a source's three votes mean: with the plug, without it, with it again."""
    is_pin = table.get("driver", "pin") == "pin"
    if said == ("present", "lost", "present"):
        return True, f"{name} sees the grid go and come", ""
    if said == ("lost", "present", "lost"):
        other = "false" if table.get("active_high", True) else "true"
        hint = (
            f"Set active_high = {other} in [power.grid.{name}] and restart the node: until then"
            " this box opens its WLAN while there is power."
            if is_pin
            else f"Look at the wires and at least_v in [power.grid.{name}]."
        )
        return False, f"{name} sees it the wrong way round", hint
    if "silent" in said:
        return False, f"{name} says nothing", "Look at its wires; `kiezbox status` shows its vote."
    if len(set(said)) == 1:
        hint = (
            f"Does the wire go to BCM pin {table.get('pin', 17)}, and does the voltage on it change"
            " when the plug is pulled? Measure it against ground."
            if is_pin
            else f"Is it the right sensor, and does least_v of [power.grid.{name}] lie between both"
            " voltages?"
        )
        return False, f"{name} said {said[0]} all the time", hint
    return (
        False,
        f"{name} said {', then '.join(said)}",
        "It hangs behind: a loose wire, or something that holds the voltage up. Try once more.",
    )
