"""Whether the time slices of mode saving are of any use to somebody on the street."""

from __future__ import annotations

from collections.abc import Iterator

from kiezbox.checks import Examined, Finding, Level

#: To see the WLAN, join it, read and write something, with others before one.
LEAST_OPEN_S = 300.0
#: Whoever came in vain comes back, but not after half a day.
MOST_CLOSED_S = 4 * 3600.0


def run(box: Examined) -> Iterator[Finding]:
    street = box.settings.network.street
    open_s, every_s = street.slice_open_s, street.slice_every_s
    if box.settings.network.access_point.kind == "none":
        return
    if open_s >= every_s:
        yield Finding(Level.FINE, "in saving the WLAN stays on")
        return
    shown = f"in saving the WLAN is on for {open_s / 60:g} of every {every_s / 60:g} minutes"
    if open_s < LEAST_OPEN_S:
        yield Finding(
            Level.WARNING,
            f"{shown}: too short to join it and to read something",
            f"Set network.street.slice_open_s to {LEAST_OPEN_S:g} at least.",
        )
    elif every_s - open_s > MOST_CLOSED_S:
        yield Finding(
            Level.WARNING,
            f"{shown}: too rare for anybody to wait for",
            "Lower network.street.slice_every_s.",
        )
    elif 86400 % every_s:
        yield Finding(
            Level.NOTE,
            f"{shown}, at other times of day every day",
            "Slices that divide a day are easier to remember: 1800, 3600, 7200 s.",
        )
    else:
        yield Finding(Level.FINE, shown)
