"""The box as a client of somebody's WLAN (``uplink.kind = "wlan"``), while its own is off. Pure.

wpa_supplicant joins, udhcpc asks for an IPv4 address, the kernel takes IPv6 from the router's
advertisements (Freifunk speaks IPv6 first).
"""

from __future__ import annotations

import hashlib

from kiezbox.errors import NetworkError
from kiezbox.network.machine import Machine
from kiezbox.settings import Settings

__all__ = ["SECRETS", "files", "interface_of"]

#: Files that hold the WLAN's password: for root only.
SECRETS = frozenset({"client.conf"})


def interface_of(settings: Settings) -> str:
    """The radio that joins: the uplink's own, or the access point's while that is off."""
    uplink, point = settings.network.uplink, settings.network.access_point
    if uplink.kind != "wlan":
        return ""
    return uplink.interface or point.interface


def files(settings: Settings, machine: Machine) -> dict[str, str]:
    """What lies in ``network.run_dir`` for the client; nothing where the box is none.

    Everything that somebody chose is in hexadecimal, so that no character can end a line.

    Raises:
        NetworkError: no WLAN is named, or its password is not there or none.
    """
    if not interface_of(settings):
        return {}
    uplink, country = settings.network.uplink, settings.network.access_point.country
    ssid = uplink.ssid.encode()
    if not 1 <= len(ssid) <= 32:
        raise NetworkError(
            "network.uplink.ssid must name the WLAN to join",
            hint='Its name has 1 to 32 bytes; or set network.uplink.kind = "system".',
        )
    lines = [
        *([f"country={country}"] if country else []),
        "network={",
        f"    ssid={ssid.hex()}",
        # Found also where it hides its name.
        "    scan_ssid=1",
        *(_open() if not uplink.password_file else _locked(ssid, uplink.password_file, machine)),
        "}",
    ]
    return {"client.conf": "".join(f"{line}\n" for line in lines)}


def _open() -> list[str]:
    return ["    key_mgmt=NONE"]


def _locked(ssid: bytes, path: str, machine: Machine) -> list[str]:
    """WPA2 and WPA3, whichever the WLAN speaks."""
    password = (machine.client_password or "").strip("\r\n").encode()
    if not 8 <= len(password) <= 63:
        what = "is not there" if machine.client_password is None else "holds no password"
        raise NetworkError(
            f"{path} {what}",
            hint="network.uplink.password_file holds the WLAN's password, 8 to 63 characters.",
        )
    # IEEE 802.11-2020, annex J.4: the key is PBKDF2 of password and name.
    key = hashlib.pbkdf2_hmac("sha1", password, ssid, 4096, 32)
    return [
        "    key_mgmt=WPA-PSK SAE",
        f"    psk={key.hex()}",
        f"    sae_password={password.hex()}",
        "    ieee80211w=1",
    ]
