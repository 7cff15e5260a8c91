"""How many guests this box can take at once."""

from __future__ import annotations

from collections.abc import Iterator

from kiezbox.checks import Examined, Finding, Level
from kiezbox.checks._looking import text_of
from kiezbox.checks._radios import known

#: Fewer than this is not a house's evening: worth a word.
FEW = 20

_MORE = (
    "More: the minimal firmware (19, models 3B+, 4, 5), a USB adapter, or a router on Ethernet"
    " as access point; docs/hardware.md has all three."
)


def run(box: Examined) -> Iterator[Finding]:
    point = box.settings.network.access_point
    if point.kind == "none":
        yield Finding(
            Level.NOTE,
            "this box opens no WLAN",
            'network.access_point.kind = "radio" or "external" would.',
        )
    elif point.kind == "external":
        yield from _external(box, point.interface)
    elif box.machine is not None and (radio := box.machine.radio_of(point.interface)):
        yield from _switched_off(box, point.interface)
        yield _guests(box, point.interface, radio.driver, point.most_guests)


def _external(box: Examined, port: str) -> Iterator[Finding]:
    carrier = text_of(box.root / "sys/class/net" / port / "carrier")
    if carrier == "0" and box.settings.network.access_point.pin < 0:
        yield Finding(
            Level.WARNING,
            f"nothing is plugged in at {port}, where the access point should be",
            "Is the router on, and its cable in a LAN port?",
        )
    yield Finding(
        Level.FINE,
        f"an external access point at {port}: it says how many guests it takes, often 32 to 128",
    )


def _switched_off(box: Examined, name: str) -> Iterator[Finding]:
    """rfkill: Raspberry Pi OS keeps the radio off until a country is named."""
    for switch in (box.root / "sys/class/net" / name / "phy80211").glob("rfkill*"):
        if text_of(switch / "hard") == "1":
            yield Finding(
                Level.BROKEN, f"{name} is switched off by hand", "There is a switch on the device."
            )
        elif text_of(switch / "soft") == "1":
            yield Finding(
                Level.BROKEN,
                f"{name} is switched off by the system (rfkill)",
                "sudo rfkill unblock wlan; provisioning/80-network does that.",
            )


def _guests(box: Examined, name: str, driver: str, wanted: int) -> Finding:
    about = known(box.root, driver)
    if about is None or about.most is None:
        shown = f"{name} ({driver or 'driver unknown'})"
        return Finding(Level.FINE, f"{shown}: how many guests it takes is not known to be few")
    if wanted > about.most:
        return Finding(
            Level.WARNING,
            f"network.access_point.most_guests = {wanted}, but {name} ({about.chip}) takes"
            f" {about.guests}",
            _MORE,
        )
    guests = f"{about.guests} guests" if not wanted else f"{wanted} guests, as set,"
    return Finding(
        Level.NOTE if (wanted or about.most) < FEW else Level.FINE,
        f"this box takes {guests} at once: {name} is {about.chip} ({driver})",
        _MORE,
    )
