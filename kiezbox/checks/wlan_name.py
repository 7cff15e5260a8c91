"""Whether the emergency WLAN's name is its own: phones that know it stop looking for a portal."""

from __future__ import annotations

from collections.abc import Iterator

from kiezbox.checks import Examined, Finding, Level


def run(box: Examined) -> Iterator[Finding]:
    network = box.settings.network
    ssid = network.access_point.ssid
    if network.access_point.kind == "none":
        return
    if network.uplink.ssid and ssid.casefold() == network.uplink.ssid.casefold():
        yield Finding(
            Level.BROKEN,
            f'the emergency WLAN has the name of the everyday one, "{ssid}"',
            "Phones that know it without a portal do not look for one. Change"
            " network.access_point.ssid.",
        )
    elif "freifunk" in ssid.casefold():
        yield Finding(
            Level.WARNING,
            f"the emergency WLAN's name \"{ssid}\" may be one that phones know as Freifunk's",
            "iOS remembers that it had no portal there. A name of its own is better.",
        )
    elif ssid == network.mesh.name and network.mesh.interface:
        yield Finding(
            Level.WARNING,
            "the emergency WLAN and the mesh have the same name",
            "Change network.mesh.name, in all boxes of the Kiez.",
        )
    else:
        yield Finding(Level.FINE, f'the emergency WLAN is called "{ssid}"')
