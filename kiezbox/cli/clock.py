"""Say by whom the clock is right and who else knows the time, or set it by GPS or clock chip.

  kiezbox clock [--json]     what time it is, by whom it is right, what GPS and clock chip say
  kiezbox clock set          do what the node wishes, if the rules allow it (root)

GPS goes before NTP, NTP before a clock chip; a worse one never sets what a better one has said.
kiezbox-clock.service does `set` by itself and has no other right; docs/clock.md.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any


def main(argv: list[str]) -> int:
    """``kiezbox clock [set] [--json]``."""
    from kiezbox.cli._common import Parser, load_settings, print_json

    parser = Parser("clock", __doc__)
    parser.add_argument("what", nargs="?", choices=("status", "set"), default="status")
    parser.add_argument("--json", action="store_true", help="for programs")
    arguments = parser.parse_args(argv)
    run_dir = Path(load_settings(arguments.settings).store.run_dir)
    if arguments.what == "set":
        return _set(run_dir)
    found = _status(run_dir)
    if arguments.json:
        print_json(found)
    else:
        print("\n".join(sentences(found)))
    return 0


def _set(run_dir: Path) -> int:
    from kiezbox.cli._clock_setting import carry_out
    from kiezbox.clock import SET
    from kiezbox.errors import NotRunning

    try:
        said = carry_out(run_dir / "clock.wish", SET)
    except NotRunning as error:
        # A wish that was fulfilled a moment ago is no failure of the unit.
        print(f"nothing to do: {error}")
        return 0
    print(f"{said.action}: it was off by {said.ahead_s:+.1f} s")
    return 0


def _status(run_dir: Path) -> dict[str, Any]:
    from kiezbox.clock import SystemClock, holder

    clock, held = SystemClock(), holder()
    try:
        state = json.loads((run_dir / "clock.json").read_text(encoding="ascii"))
    except (OSError, ValueError):
        state = {}
    now = clock.monotonic()
    offers = [
        {
            "name": each["name"],
            "source": each["source"],
            "ahead_s": each["ahead_s"],
            "verdict": each["verdict"],
            "age_s": round(now - each["heard_at"], 1),
        }
        for each in state.get("offers", [])
    ]
    return {
        "now": clock.now(),
        "is_trusted": clock.is_trusted(),
        "source": held.source or None,
        "age_s": round(held.age_s, 1) if held.source else None,
        "offers": offers,
        "stopped": state.get("stopped", []),
    }


#: By whom the clock is what it is; neighbours bring it near, and nobody may trust it for that.
_BY = {
    "gps": "right by GPS",
    "ntp": "right by NTP",
    "rtc": "right by a clock chip",
    "neighbours": "near by what neighbours say, and not trusted",
}

#: What a source's word means for the clock (kiezbox.timekeeping).
_MEANS = {
    "set": "the clock is to be set by it",
    "vouch": "agrees, and says so",
    "keep": "nothing to do",
    "disagree": "contradicts the time service, so the clock is left alone",
    "behind": "not believed: the box has been later than that",
    "impossible": "not believed: no such time can be",
}


def sentences(found: dict[str, Any]) -> list[str]:
    """The same in words."""
    said = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(found["now"]))
    if found["source"]:
        source = _BY.get(found["source"], f"set by {found['source']}")
        lines = [f"{said}, {source} ({found['age_s']:.0f} s ago)"]
    else:
        lines = [f"{said}, and nobody says that it is right"]
    for each in found["offers"]:
        way = "ahead of" if each["ahead_s"] >= 0 else "behind"
        off = f"{abs(each['ahead_s']):.1f} s {way} it"
        said = f"heard {each['age_s']:.0f} s ago"
        means = _MEANS.get(each["verdict"], each["verdict"])
        lines.append(f"  {each['name']} ({each['source']}): {off}, {said}: {means}")
    lines += [f"  {name}: lost the time and is not believed" for name in found["stopped"]]
    return lines
