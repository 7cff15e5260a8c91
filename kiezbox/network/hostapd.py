"""hostapd.conf: the emergency WLAN on the air. Pure.

Written for hostapd 2.10 (Debian 12) and 2.11; meanings from its example hostapd.conf, quoted
where they decide something.
"""

from __future__ import annotations

import hashlib

from kiezbox.network.addresses import OWE, STREET, street_network
from kiezbox.network.machine import Machine
from kiezbox.settings import Settings

__all__ = ["CHANNELS", "channel", "configuration", "favourite", "guests", "is_owe"]

#: The channels of 2.4 GHz that do not overlap (IEEE 802.11, 20 MHz wide, 5 MHz apart).
CHANNELS = (1, 6, 11)

#: The standard's limit of association ids, and hostapd's default for max_num_sta.
_STANDARD = 2007


def configuration(settings: Settings, machine: Machine) -> str:
    """For every posture with a WLAN the same, so that guests stay when an uplink comes or goes."""
    point = settings.network.access_point
    lines = [
        f"interface={point.interface}",
        "driver=nl80211",
        f"ctrl_interface={settings.network.run_dir}/hostapd",
        "",
        *_radio(settings, machine),
        "",
        *_network(settings, point.ssid.encode()),
    ]
    if is_owe(settings, machine):
        hidden = _hidden_name(settings)
        lines += [
            f"owe_transition_ifname={OWE}",
            "",
            f"bss={OWE}",
            *_network(settings, hidden),
            # "ignore_broadcast_ssid=1": phones that know OWE are led here by the open one's
            # beacons; nobody else shall see a second name.
            "ignore_broadcast_ssid=1",
            "wpa=2",
            "wpa_key_mgmt=OWE",
            "rsn_pairwise=CCMP",
            # Protected management frames are a duty with OWE (RFC 8110; WPA3 specification §3).
            "ieee80211w=2",
            f"owe_transition_ifname={point.interface}",
        ]
    return "".join(f"{line}\n" for line in lines)


def _radio(settings: Settings, machine: Machine) -> list[str]:
    """What both networks on one radio share."""
    country = settings.network.access_point.country
    return [
        # Without a country the world's rules hold: weak, but allowed everywhere. With one, phones
        # are told it, too (802.11d), so that they listen on channels 12 and 13 where these exist.
        *([f"country_code={country}", "ieee80211d=1"] if country else []),
        # 2.4 GHz: every phone has it, it passes walls, and no radar silences it.
        "hw_mode=g",
        f"channel={channel(settings, machine)}",
        # 20 MHz wide by default; 40 would take a neighbour's channel in a blackout.
        "ieee80211n=1",
        "wmm_enabled=1",
    ]


def _network(settings: Settings, ssid: bytes) -> list[str]:
    """What each network (BSS) says for itself."""
    utf8 = ["utf8_ssid=1"] if not ssid.isascii() else []
    return [
        # To standard output, where systemd's journal or apply's log file is; what stations do,
        # hardware addresses in it, stays out (4: warnings). Each network has a log of its own.
        "logger_syslog=0",
        "logger_stdout=-1",
        "logger_stdout_level=4",
        # In hexadecimal, so that no quote, hash or line break of a name can say anything else.
        f"ssid2={ssid.hex()}",
        *utf8,
        f"bridge={STREET}",
        "auth_algs=1",
        # Guests do not see each other: "low-level bridging of frames between associated stations"
        # is off.
        "ap_isolate=1",
        f"max_num_sta={guests(settings)}",
        # "discourage a STA from trying to associate with this AP if the association would be
        # rejected": a full box leaves the phone to the next one.
        "no_probe_resp_if_max_sta=1",
        # Who left without a word makes room after five minutes (the default, and what
        # captive.py takes for having been away).
        "ap_max_inactivity=300",
    ]


def channel(settings: Settings, machine: Machine) -> int:
    """As set; else as the last scan chose; else the box's favourite."""
    return settings.network.access_point.channel or machine.channel or favourite(settings.box.id)


def favourite(box: str) -> int:
    """One of the three by the box's name: where the whole city is dark the neighbours are other
    boxes, which nobody heard in the days before, so that they must not all be on the same.

    >>> [favourite(f"kb-{number}") for number in range(1, 8)]
    [11, 1, 11, 1, 6, 6, 11]
    """
    return CHANNELS[hashlib.sha256(box.encode()).digest()[0] % 3]


def guests(settings: Settings) -> int:
    """How many guests are admitted: as set, never more than there are addresses."""
    # Of the guests' network three are not for guests: the first, the last, the box.
    addresses = street_network(settings).num_addresses - 3
    return min(settings.network.access_point.most_guests or _STANDARD, addresses, _STANDARD)


def is_owe(settings: Settings, machine: Machine) -> bool:
    """Whether the WLAN is offered encrypted as well: wished, and the radio can be two at once."""
    point = settings.network.access_point
    radio = machine.radio_of(point.interface)
    return point.kind == "radio" and point.owe and radio is not None and radio.most_points > 1


def _hidden_name(settings: Settings) -> bytes:
    """The encrypted network's name, which nobody sees: within 32 bytes, different per box, since
    a phone remembers the pair.
    """
    digest = hashlib.sha256(f"{settings.box.id} owe".encode()).hexdigest()
    return f"kiezbox-{digest[:16]}".encode()
