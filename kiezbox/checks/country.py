"""Whether the radio obeys the rules of this country."""

from __future__ import annotations

from collections.abc import Iterator

from kiezbox.checks import Examined, Finding, Level


def run(box: Examined) -> Iterator[Finding]:
    point = box.settings.network.access_point
    if point.kind != "radio":
        return
    if not point.country:
        yield Finding(
            Level.WARNING,
            "no country is set: the radio keeps to what is allowed everywhere, weak and slow",
            'Set network.access_point.country = "DE".',
        )
        return
    kernel = box.machine.country if box.machine else ""
    if kernel and kernel not in (point.country, "99"):
        # 99: a driver that brings rules of its own, as brcmfmac does; hostapd tells it ours.
        yield Finding(
            Level.NOTE,
            f"the kernel goes by the radio rules of {kernel}, not {point.country}",
            f"hostapd changes that when it starts. Sooner: sudo iw reg set {point.country}.",
        )
    else:
        yield Finding(Level.FINE, f"radio rules of {point.country}")
