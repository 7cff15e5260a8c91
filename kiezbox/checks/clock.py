"""Whether the wall clock can be believed."""

from __future__ import annotations

from collections.abc import Iterator

from kiezbox.checks import Examined, Finding, Level


def run(box: Examined) -> Iterator[Finding]:
    if box.clock.is_trusted():
        yield Finding(Level.FINE, "the clock was set from outside: `kiezbox clock` says by whom")
    else:
        yield Finding(
            Level.NOTE,
            "the clock was not set from outside since power-up",
            "Readings are marked and corrected later. A box that is often offline wants a"
            " real-time clock (DS3231) or a GPS receiver; `kiezbox clock` says who knows the time.",
        )
