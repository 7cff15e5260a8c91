"""Whether the wall clock can be believed."""

from __future__ import annotations

from collections.abc import Iterator

from kiezbox.checks import Examined, Finding, Level

#: Drivers of what knows the time.
TELLERS = frozenset(("gps", "ds3231"))

MARKED = "Readings are marked and corrected later."


def run(box: Examined) -> Iterator[Finding]:
    if box.clock.is_trusted():
        yield Finding(Level.FINE, "the clock was set from outside: `kiezbox clock` says by whom")
        return
    yield Finding(
        Level.NOTE, "the clock was not set from outside since power-up", f"{MARKED} {_way(box)}"
    )


def _way(box: Examined) -> str:
    """What leads to the time soonest."""
    has_teller = any(table.get("driver") in TELLERS for table in box.settings.sensors.values())
    if has_teller:
        return "`kiezbox clock` says what GPS and clock chip say, and why it is not taken."
    if (box.root / "run/chrony").exists():
        return "chrony sets it and does not tell: docs/clock.md has the three lines that let it."
    if not (box.root / "run/systemd/timesync").exists():
        return (
            "No time service runs: sudo apt install systemd-timesyncd, then sudo timedatectl"
            " set-ntp true."
        )
    return (
        "The time service has not heard from a server yet: is there a network? A box that is often"
        " offline wants a clock chip (DS3231) or a GPS receiver."
    )
