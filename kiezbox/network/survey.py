"""Looks at this computer: interfaces, radios, programs, radio rules. Reads, changes nothing.

From ``ip``, ``iw``, ``nmcli`` and ``/sys/class/ieee80211``. What cannot be read is taken as not
there: a survey never fails.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from kiezbox.network import street
from kiezbox.network.addresses import MESH, OWE, STREET
from kiezbox.network.machine import Interface, Machine, Radio
from kiezbox.network.parts import PACKAGES
from kiezbox.settings import Settings

__all__ = ["parse_managers", "parse_radios", "parse_rules", "survey"]

#: The longest any of the small commands may take; NetworkManager answers late while it starts.
_LIMIT_S = 5.0

#: Interfaces of our own making.
_OURS = (STREET, MESH, OWE)

#: Guests that a driver's firmware admits, where fewer than the standard's 2007. The Raspberry
#: Pi's own chip: 7 to 10 by model, 19 with the minimal firmware (docs/hardware.md has sources).
_FIRMWARE_GUESTS = {"brcmfmac": 7}
_MINIMAL_FIRMWARE_GUESTS = 19

Run = Callable[[Sequence[str]], str]


def survey(settings: Settings, *, root: Path = Path("/"), run: Run | None = None) -> Machine:
    """This computer now. ``root`` and ``run`` stand for its files and its commands."""
    run = run or output_of
    network = settings.network
    programs = frozenset(name for name in PACKAGES if which(name))
    managers = parse_managers(run(["nmcli", "-t", "-f", "DEVICE,STATE", "device"]))
    links = parse_json(run(["ip", "-j", "link", "show"]))
    interfaces = tuple(
        interface_of(root, link, managers) for link in links if link.get("ifname") not in _OURS
    )
    uplink = network.uplink.interface or default_route(
        parse_json(run(["ip", "-j", "route", "show", "default"]))
    )
    return Machine(
        interfaces=interfaces,
        radios=tuple(radios(root, run)),
        programs=programs,
        has_batman=has_module(root, "batman_adv") and "batctl" in programs,
        has_ipv6=(root / "proc/sys/net/ipv6").is_dir(),
        has_street=any(link.get("ifname") == STREET for link in links),
        country=parse_rules(run(["iw", "reg", "get"])),
        has_regulatory_database=(root / "lib/firmware/regulatory.db").exists(),
        uplink=uplink,
        mesh_key=text_of(root, network.mesh.key_file) if network.mesh.interface else None,
        client_password=text_of(root, network.uplink.password_file),
        before=MappingProxyType(
            {
                key: value
                for key in street.touched(settings, uplink)
                if (value := text_of(root, f"/proc/sys/{key}")) is not None
            }
        ),
    )


def output_of(command: Sequence[str]) -> str:
    """What a command prints, "" if it fails or is not there."""
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=_LIMIT_S, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    # An SSID may hold any bytes.
    return done.stdout.decode(errors="replace") if done.returncode == 0 else ""


def which(program: str) -> str | None:
    """A plain user's PATH lacks the folders where these programs are."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin", "/usr/bin"])
    return shutil.which(program, path=path)


def text_of(root: Path, path: str) -> str | None:
    if not path:
        return None
    try:
        return (root / path.lstrip("/")).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None


def interface_of(root: Path, link: dict[str, Any], managers: dict[str, str]) -> Interface:
    """One of those that ``ip -j link show`` lists."""
    name = str(link.get("ifname"))
    phy = root / "sys/class/net" / name / "phy80211"
    return Interface(
        name=name,
        phy=phy.resolve().name if phy.exists() else "",
        is_up="UP" in link.get("flags", ()),
        manager=managers.get(name, ""),
        bridge=str(link.get("master", "")),
    )


def radios(root: Path, run: Run) -> list[Radio]:
    """Every WLAN chip. ``iw phy`` describes them all at once."""
    described = parse_radios(run(["iw", "phy"]))
    found = []
    for path in sorted((root / "sys/class/ieee80211").glob("*")):
        driver = path / "device" / "driver"
        name = driver.resolve().name if driver.exists() else ""
        known = described.get(path.name, Radio(phy=path.name, modes=frozenset()))
        found.append(
            Radio(
                phy=path.name,
                driver=name,
                modes=known.modes,
                most_points=known.most_points,
                channels=known.channels,
                most_guests=firmware_guests(root, name),
            )
        )
    return found


def firmware_guests(root: Path, driver: str) -> int | None:
    """Raspberry Pi OS switches firmwares by ``update-alternatives``: a link whose name tells."""
    if driver != "brcmfmac":
        return _FIRMWARE_GUESTS.get(driver)
    links = (root / "etc/alternatives").glob("cyfmac*-sdio.bin")
    if any("minimal" in os.readlink(link) for link in links if link.is_symlink()):
        return _MINIMAL_FIRMWARE_GUESTS
    return _FIRMWARE_GUESTS[driver]


def has_module(root: Path, name: str) -> bool:
    """Whether the kernel has it: loaded or built in, or as a file it can load."""
    if (root / "sys/module" / name).exists():
        return True
    modules = root / "lib/modules" / os.uname().release
    file = re.compile(rf"/{name.replace('_', '[-_]')}\.ko")
    return any(
        file.search(text_of(modules, each) or "") for each in ("modules.dep", "modules.builtin")
    )


def default_route(routes: list[dict[str, Any]]) -> str:
    """The interface of the default route with the lowest metric, from ``ip -j route``."""
    routes = [route for route in routes if route.get("dev") not in _OURS]
    routes.sort(key=lambda route: route.get("metric", 0))
    return str(routes[0].get("dev", "")) if routes else ""


def parse_json(text: str) -> list[dict[str, Any]]:
    """What ``ip -j`` prints; it prints nothing at all for nothing found."""
    try:
        found = json.loads(text or "[]")
    except ValueError:
        return []
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def parse_managers(text: str) -> dict[str, str]:
    """Interface → who looks after it, from ``nmcli -t -f DEVICE,STATE device``.

    >>> parse_managers("wlan0:connected\\neth1:unmanaged\\n")
    {'wlan0': 'NetworkManager'}
    """
    pairs = [line.rpartition(":") for line in text.splitlines()]
    return {
        name.replace("\\:", ":"): "NetworkManager"
        for name, _, state in pairs
        if name and state not in ("unmanaged", "")
    }


def parse_rules(text: str) -> str:
    """Whose radio rules hold, from ``iw reg get``: the first country, that of the whole machine.

    >>> parse_rules("global\\ncountry DE: DFS-ETSI\\n")
    'DE'
    """
    found = re.search(r"^country (\w\w):", text, re.MULTILINE)
    return found[1] if found else ""


def parse_radios(text: str) -> dict[str, Radio]:
    """The radios of ``iw phy``, by name. A line it does not know is passed over."""
    found = {}
    for block in re.split(r"^(?=Wiphy )", text, flags=re.MULTILINE):
        if head := re.match(r"Wiphy (\S+)", block):
            found[head[1]] = Radio(
                phy=head[1],
                modes=frozenset(_modes(block)),
                most_points=_most_points(block),
                channels=tuple(_channels(block)),
            )
    return found


def _modes(block: str) -> list[str]:
    found = re.search(r"^\tSupported interface modes:\n((?:\t\t .*\n)*)", block, re.MULTILINE)
    return [line.strip(" \t*") for line in found[1].splitlines()] if found else []


def _most_points(block: str) -> int:
    """From lines like ``* #{ AP, mesh point } <= 8, total <= 8, #channels <= 1``."""
    found = re.search(r"valid interface combinations:\n((?:\t\t .*\n)*)", block)
    limits = re.findall(r"#\{([^}]*)\} <= (\d+)", found[1]) if found else []
    most = [int(n) for modes, n in limits if "AP" in re.split(r",\s*", modes.strip())]
    return max(most, default=1)


def _channels(block: str) -> list[int]:
    """From lines like ``* 2412 MHz [1] (20.0 dBm)``; ``(disabled)`` and ``(no IR)`` forbid to
    open an access point there.
    """
    lines = re.findall(r"^\t\t\t\* 24\d\d(?:\.\d)? MHz \[(\d+)\] (.*)$", block, re.MULTILINE)
    return [
        int(number)
        for number, rest in lines
        if not re.search(r"disabled|no IR|passive scan|no IBSS", rest)
    ]
