"""``plan``: everything that a posture needs on this computer, as data. Pure.

Nothing here looks at the computer (``survey`` did) or changes it (``prepare`` and ``apply`` do),
so that every posture of every setting can be read, printed and tested anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any

from kiezbox.errors import NetworkError
from kiezbox.network import client, dnsmasq, hostapd, mesh, nftables, street
from kiezbox.network.addresses import OWE, STREET, street_addresses
from kiezbox.network.machine import Machine
from kiezbox.network.parts import PACKAGES, Part, in_order, parts
from kiezbox.posture import Posture
from kiezbox.settings import Settings

__all__ = ["ON_AIR", "Lack", "Plan", "Planned", "plan"]

#: Postures in which the emergency WLAN is on.
ON_AIR = (Posture.EMERGENCY, Posture.SHARED)


@dataclass(frozen=True, slots=True)
class Planned:
    """An interface that the posture uses."""

    name: str
    #: What for, in words.
    does: str
    #: With prefix lengths.
    addresses: tuple[str, ...] = ()
    #: The bridge it becomes a port of, or "".
    bridge: str = ""


@dataclass(frozen=True, slots=True)
class Lack:
    """Something that this machine does not have, and what to do."""

    what: str
    hint: str
    #: Without it the posture cannot be made at all.
    is_fatal: bool = True


@dataclass(frozen=True, slots=True)
class Plan:
    """What a posture needs. ``parts`` in the order in which they start."""

    posture: Posture
    interfaces: tuple[Planned, ...]
    #: Path below ``network.run_dir`` → content.
    files: Mapping[str, str]
    parts: tuple[Part, ...]
    lacks: tuple[Lack, ...]

    def as_facts(self) -> dict[str, Any]:
        """Without what stands in the files, some of which are secret."""
        return {
            "interfaces": [asdict(each) for each in self.interfaces],
            "files": sorted(self.files),
            "parts": [part.name for part in self.parts],
            "lacks": [asdict(each) for each in self.lacks],
        }


def plan(posture: Posture, settings: Settings, machine: Machine) -> Plan:
    """What ``posture`` needs here. What cannot be made is a lack, never the end of all the rest:
    a mesh without a key must not keep the emergency WLAN off the air.
    """
    lacks: list[Lack] = []
    files = {"environment": _environment(settings), **_firewall(posture, settings, machine)}
    is_open = posture in ON_AIR and bool(street.port_of(settings))
    if is_open:
        files |= _street(posture, settings, machine)
    if posture is Posture.CLOSED:
        files |= _or_lack(client.files, settings, machine, lacks)
    if posture is not Posture.DARK:
        # Also a box whose mesh is lacking something wants to know whether it has an uplink.
        files |= mesh.watching(settings)
        files |= _or_lack(mesh.files, settings, machine, lacks)
    wanted = [part for part in parts() if part.file.format(posture=posture.value) in files]
    return Plan(
        posture=posture,
        interfaces=tuple(_interfaces(posture, settings, machine, is_open=is_open)),
        files=MappingProxyType(files),
        parts=tuple(in_order(wanted)),
        lacks=(*lacks, *_lacks(wanted, posture, settings, machine, is_open=is_open)),
    )


def _or_lack(
    files: Callable[[Settings, Machine], dict[str, str]],
    settings: Settings,
    machine: Machine,
    lacks: list[Lack],
) -> dict[str, str]:
    try:
        return files(settings, machine)
    except NetworkError as error:
        lacks.append(Lack(str(error), error.hint, False))
        return {}


def _environment(settings: Settings) -> str:
    """Names that stand in commands of the table of parts, as ``EnvironmentFile=``."""
    network = settings.network
    names = {
        "KIEZBOX_PORT": street.port_of(settings),
        "KIEZBOX_UPLINK": client.interface_of(settings),
        "KIEZBOX_MESH": network.mesh.interface,
        "KIEZBOX_JOINED": f"{network.run_dir}/joined",
    }
    return "".join(f"{name}={value}\n" for name, value in names.items())


def _firewall(posture: Posture, settings: Settings, machine: Machine) -> dict[str, str]:
    """In every posture: one without guests takes away what the one before has left."""
    network, folder = settings.network, posture.value
    rules = nftables.ruleset(posture, network, machine)
    if posture is Posture.DARK:
        rules += f"table {nftables.MESH_TABLE}\ndelete table {nftables.MESH_TABLE}\n"
    else:
        rules += nftables.mesh_ruleset(network, machine)
    if hostapd.is_owe(settings, machine):
        rules += street.isolation(settings, is_needed=posture in ON_AIR)
    kernel = street.forwarding(posture, settings, machine)
    if posture in ON_AIR:
        kernel = street.hardening(machine) + kernel
    return {
        f"{folder}/ruleset.nft": rules,
        **({f"{folder}/kernel.sysctl": kernel} if kernel else {}),
    }


def _street(posture: Posture, settings: Settings, machine: Machine) -> dict[str, str]:
    network = settings.network
    point = network.access_point
    files = {
        "street-up.ip": street.street_up(settings, machine),
        "street-down.ip": street.street_down(settings, machine),
        f"{posture.value}/dnsmasq.conf": dnsmasq.configuration(posture, network, machine),
        "dhcp-options": dnsmasq.options(network, machine.has_certificate),
        "hosts": dnsmasq.hosts(network, machine.has_certificate),
    }
    if point.kind == "radio":
        files["hostapd.conf"] = hostapd.configuration(settings, machine)
    port = machine.interface(point.interface)
    if port is not None and port.manager == "NetworkManager":
        files["handover"] = f"{point.interface}\n"
    return files


def _interfaces(
    posture: Posture, settings: Settings, machine: Machine, *, is_open: bool
) -> list[Planned]:
    point, net = settings.network.access_point, settings.network.mesh
    found = []
    if is_open:
        addresses = tuple(map(str, street_addresses(settings)))
        found.append(Planned(STREET, "the street: guests' side of the box", addresses))
        if point.kind == "radio":
            does = f"access point, channel {hostapd.channel(settings, machine)}"
            radio = machine.radio_of(point.interface)
            if radio is not None and radio.most_guests:
                does += f"; its firmware admits about {radio.most_guests} guests"
            found.append(Planned(point.interface, does, (), STREET))
        else:
            found.append(Planned(point.interface, "to an external access point", (), STREET))
        if hostapd.is_owe(settings, machine):
            found.append(Planned(OWE, "the same WLAN encrypted (OWE)", (), STREET))
    if posture is Posture.CLOSED and client.interface_of(settings):
        does = f'client of the WLAN "{settings.network.uplink.ssid}"'
        found.append(Planned(client.interface_of(settings), does))
    if posture is not Posture.DARK and net.interface:
        try:
            way = mesh.routing(net, machine)
        except NetworkError:
            # _lacks says why.
            return found
        name, box = mesh.interface(net), settings.box.id
        own = (str(mesh.address(box, net)), str(mesh.address6(box, net)))
        if name != net.interface:
            found.append(Planned(net.interface, f"mesh port ({net.kind})"))
        found.append(Planned(name, f"the mesh ({way})", own))
    return found


def _lacks(
    wanted: list[Part],
    posture: Posture,
    settings: Settings,
    machine: Machine,
    *,
    is_open: bool,
) -> list[Lack]:
    found = []
    for program in dict.fromkeys(name for part in wanted for name in part.programs()):
        if program in PACKAGES and program not in machine.programs:
            package = PACKAGES[program]
            found.append(Lack(f"{program} is not installed", f"apt install {package}"))
    if is_open:
        found += _lacks_for_guests(settings, machine)
    net = settings.network.mesh
    if posture is not Posture.DARK and net.interface and machine.interface(net.interface) is None:
        hint = "Plug the adapter in, or change network.mesh.interface."
        found.append(Lack(f"there is no interface {net.interface} for the mesh", hint, False))
    return found


def _lacks_for_guests(settings: Settings, machine: Machine) -> list[Lack]:
    point = settings.network.access_point
    port, radio = machine.interface(point.interface), machine.radio_of(point.interface)
    if port is None:
        hint = "`ip link` lists what is there; change network.access_point.interface."
        return [Lack(f"there is no interface {point.interface}", hint)]
    found = []
    if port.manager not in ("", "NetworkManager"):
        what = f"{port.manager} looks after {point.interface}, too"
        hint = f"Tell {port.manager} to leave {point.interface} alone."
        found.append(Lack(what, hint, False))
    if point.kind != "radio":
        return found
    if radio is None:
        hint = 'For a router on an Ethernet port: network.access_point.kind = "external".'
        found.append(Lack(f"{point.interface} is no WLAN radio", hint))
        return found
    if "AP" not in radio.modes:
        hint = "docs/hardware.md names adapters that can."
        found.append(Lack(f"{point.interface} cannot be an access point", hint))
    chosen = hostapd.channel(settings, machine)
    if chosen not in radio.channels:
        what = f"{point.interface} may not open an access point on channel {chosen}"
        hint = "Set network.access_point.country, or another channel (`iw phy` lists them)."
        found.append(Lack(what, hint))
    if point.country and not machine.has_regulatory_database:
        what = "the kernel's database of radio rules is not installed: opening takes 5 s longer"
        found.append(Lack(what, "apt install wireless-regdb", False))
    if point.owe and radio.most_points < 2:
        what = f"{point.interface} cannot be two access points at once, so no OWE"
        found.append(Lack(what, "Set network.access_point.owe = false.", False))
    return found
