"""Whether somebody else looks after our interfaces: two who configure one radio undo each other."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from kiezbox.checks import Examined, Finding, Level
from kiezbox.checks._looking import interface_index, is_there, text_of

#: What mends it everywhere; each also has its own way.
_MEND = "sudo provisioning/install --only 80"


def run(box: Examined) -> Iterator[Finding]:
    network = box.settings.network
    names = {network.mesh.interface: False}
    if network.access_point.kind != "none":
        # A radio that is also the everyday WLAN is handed over and back by the box itself.
        is_lent = network.access_point.kind == "radio" and network.uplink.kind == "system"
        names[network.access_point.interface] = is_lent
    found = False
    for name, is_lent in names.items():
        if not name:
            continue
        for manager, (is_manager, mend) in MANAGERS.items():
            if manager == "NetworkManager" and is_lent:
                continue
            if is_manager(box.root, name):
                found = True
                yield Finding(
                    Level.WARNING,
                    f"{manager} looks after {name}, too",
                    f"{mend.format(name=name)} Or: {_MEND}.",
                )
    if not found:
        yield Finding(Level.FINE, "nobody else looks after the box's interfaces")


def _network_manager(root: Path, name: str) -> bool:
    """Its own notes: /run/NetworkManager/devices/IFINDEX (NetworkManager, nm-config-data)."""
    notes = text_of(root / "run/NetworkManager/devices" / (interface_index(root, name) or "none"))
    return "managed=true" in notes.splitlines()


def _networkd(root: Path, name: str) -> bool:
    """sd-network's notes: /run/systemd/netif/links/IFINDEX."""
    notes = text_of(root / "run/systemd/netif/links" / (interface_index(root, name) or "none"))
    return bool(re.search(r"^ADMIN_STATE=(configured|configuring|pending)$", notes, re.M))


def _dhcpcd(root: Path, name: str) -> bool:
    """It runs, and is not told to leave the interface alone (dhcpcd.conf(5))."""
    runs = any(is_there(root / path) for path in ("run/dhcpcd.pid", "run/dhcpcd/pid"))
    settings = text_of(root / "etc/dhcpcd.conf")
    denied = re.findall(r"^\s*denyinterfaces\s+(.+)$", settings, re.M)
    return runs and name not in " ".join(denied).split()


def _wpa_supplicant(root: Path, name: str) -> bool:
    """A control socket where the distribution's service has it; ours have none there. One that
    NetworkManager started is NetworkManager's."""
    is_open = is_there(root / "run/wpa_supplicant" / name)
    return bool(is_open) and not _network_manager(root, name)


def _ifupdown(root: Path, name: str) -> bool:
    """A stanza in /etc/network/interfaces (interfaces(5))."""
    folder = root / "etc/network"
    texts = [text_of(path) for path in (folder / "interfaces", *folder.glob("interfaces.d/*"))]
    stanza = rf"^\s*(?:auto|allow-\w+|iface)\b.*\s{re.escape(name)}(?:\s|$)"
    return bool(re.search(stanza, "\n".join(texts), re.M))


MANAGERS: dict[str, tuple[Callable[[Path, str], bool], str]] = {
    "NetworkManager": (
        _network_manager,
        "In /etc/NetworkManager/conf.d: [keyfile] unmanaged-devices=interface-name:{name}.",
    ),
    "systemd-networkd": (
        _networkd,
        "In a file of /etc/systemd/network with Name={name}: [Link] Unmanaged=yes.",
    ),
    "dhcpcd": (_dhcpcd, "In /etc/dhcpcd.conf: denyinterfaces {name}."),
    "wpa_supplicant": (
        _wpa_supplicant,
        "sudo systemctl disable --now wpa_supplicant@{name}.",
    ),
    "ifupdown": (_ifupdown, "Take the lines about {name} out of /etc/network/interfaces."),
}
