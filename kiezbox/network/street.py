"""The street: the bridge between guests and box, as batches for ``ip`` and ``sysctl``. Pure.

A bridge also where one radio is its only port: so that addresses, names and rules are the same
for a radio, an access point at an Ethernet port and a test, and so that dnsmasq can bind before
the radio is on the air.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import IPv6Interface

from kiezbox.errors import NetworkError
from kiezbox.network import client, mesh
from kiezbox.network.addresses import MESH, OWE, STREET, hardware_address, street_addresses
from kiezbox.network.machine import Machine
from kiezbox.posture import Posture
from kiezbox.settings import Settings

__all__ = ["forwarding", "hardening", "street_down", "street_up"]


def port_of(settings: Settings) -> str:
    """The interface that carries guests, "" where this box opens no WLAN."""
    point = settings.network.access_point
    return "" if point.kind == "none" else point.interface


def street_up(settings: Settings, machine: Machine) -> str:
    """For ``ip -batch``: make the bridge.

    No spanning tree and no delay: a port would stay deaf for 30 s. No snooping: it drops the
    multicasts of IPv6 neighbour discovery where nobody queries. IPv6 addresses are usable at
    once (``nodad``), else dnsmasq could not bind for a second, and not at all while the bridge
    has no carrier.
    """
    lines = [
        f"link add name {STREET} address {hardware_address(settings, STREET)} type bridge"
        " stp_state 0 forward_delay 0 mcast_snooping 0",
        f"link set dev {STREET} addrgenmode none" if machine.has_ipv6 else "",
    ]
    for address in street_addresses(settings):
        if not isinstance(address, IPv6Interface):
            lines.append(f"address add {address} dev {STREET}")
        elif machine.has_ipv6:
            lines.append(f"address add {address} dev {STREET} nodad")
    lines.append(f"link set dev {STREET} up")
    if settings.network.access_point.kind == "external":
        port = port_of(settings)
        lines += [f"link set dev {port} master {STREET}", f"link set dev {port} up"]
    return batch(line for line in lines if line)


def street_down(settings: Settings, machine: Machine) -> str:
    """For ``ip -force -batch``: everything ``street_up`` made goes with the bridge; the port is
    as it was before (hostapd leaves its radio down). A radio that the box joins a WLAN with is
    left to that: wpa_supplicant may have taken it up already, and would never notice again.
    """
    lines = [f"link delete dev {STREET}"]
    port = machine.interface(port_of(settings))
    if port is not None and port.name != client.interface_of(settings):
        lines.append(f"link set dev {port.name} {'up' if port.is_up else 'down'}")
    return batch(lines)


def hardening(machine: Machine) -> str:
    """For ``sysctl --load``: what guests may not do to the box by the bridge itself.

    Keys and meanings: kernel documentation, networking/ip-sysctl.
    """
    keys = {
        # A guest who claims an address that is not of the street is not answered.
        f"net/ipv4/conf/{STREET}/rp_filter": 1,
        # Nobody on the street tells the box its ways ...
        f"net/ipv4/conf/{STREET}/accept_redirects": 0,
        f"net/ipv4/conf/{STREET}/accept_source_route": 0,
        # ... and guests, who cannot reach each other, need not be told of shorter ones.
        f"net/ipv4/conf/{STREET}/send_redirects": 0,
    }
    if machine.has_ipv6:
        # The box is the router: a guest who says the same must not be believed.
        keys[f"net/ipv6/conf/{STREET}/accept_ra"] = 0
        keys[f"net/ipv6/conf/{STREET}/accept_redirects"] = 0
    return sysctl(keys)


def isolation(settings: Settings, *, is_needed: bool) -> str:
    """For ``nft``: nothing passes from one port of the bridge to another. hostapd's ap_isolate
    keeps apart the guests of one network only; with OWE there are two. By the ports' names: what
    asks for the bridge's (``meta ibrname``) is not in every kernel.
    """
    removal = "table bridge kiezbox\ndelete table bridge kiezbox\n"
    if not is_needed:
        return removal
    ports = f'{{ "{port_of(settings)}", "{OWE}" }}'
    return f"""{removal}table bridge kiezbox {{
    chain between {{
        type filter hook forward priority filter; policy accept;
        iifname {ports} oifname {ports} drop
    }}
}}
"""


def forwards(posture: Posture, settings: Settings) -> bool:
    """Whether packets of guests, or of meshed boxes, pass through the box."""
    uplink = settings.network.uplink
    if posture is Posture.DARK:
        return False
    to_all = posture is Posture.SHARED and uplink.guest_uplink == "all"
    to_services = posture is not Posture.CLOSED and uplink.guest_uplink == "emergency-services"
    to_boxes = uplink.share_with_mesh and bool(settings.network.mesh.interface)
    return to_all or to_services or to_boxes


def relays(posture: Posture, settings: Settings, machine: Machine) -> bool:
    """Whether the box carries other boxes' packets: with babel it is a router for those who do not
    hear each other. (batman-adv and 802.11s do that below IP.)
    """
    net = settings.network.mesh
    try:
        is_router = bool(net.interface) and mesh.routing(net, machine) == "babel"
    except NetworkError:
        # The plan says what is lacking; the rest goes on without a mesh.
        return False
    return is_router and posture is not Posture.DARK


def forwarding(posture: Posture, settings: Settings, machine: Machine) -> str:
    """For ``sysctl --ignore --load``: forwarding between exactly the interfaces that need it, and
    in every other posture as it was before us.

    IPv4 decides by the interface a packet comes in at, IPv6 for the whole machine; there an
    uplink would then no longer listen to its router, unless told to (``accept_ra = 2``).
    """
    uplink = settings.network.uplink.interface or machine.uplink
    if not touched(settings, uplink):
        return ""
    ours = [STREET, MESH] if settings.network.mesh.interface else [STREET]
    keys: dict[str, str | int] = {f"net/ipv4/conf/{name}/forwarding": 0 for name in ours}
    keys |= machine.before
    ways: list[str] = []
    if forwards(posture, settings):
        ways = [*ours, uplink] if uplink else ours
    elif relays(posture, settings, machine):
        ways = [MESH]
    if ways:
        keys |= {f"net/ipv4/conf/{name}/forwarding": 1 for name in ways}
        if machine.has_ipv6:
            if uplink:
                keys[f"net/ipv6/conf/{uplink}/accept_ra"] = 2
            # After that, also where it stands in `before`: at the moment in which forwarding is
            # switched on, the kernel drops the default routes of all who listen to no router then.
            keys.pop("net/ipv6/conf/all/forwarding", None)
            keys["net/ipv6/conf/all/forwarding"] = 1
    return sysctl(keys)


def touched(settings: Settings, uplink: str) -> list[str]:
    """The kernel settings ``forwarding`` may change and must put back; none where no posture
    forwards anything. Those of our own interfaces vanish with them.
    """
    net = settings.network.mesh
    may_relay = bool(net.interface) and net.routing in ("auto", "babel")
    if not may_relay and not any(forwards(posture, settings) for posture in Posture):
        return []
    of_uplink = [f"net/ipv4/conf/{uplink}/forwarding", f"net/ipv6/conf/{uplink}/accept_ra"]
    return ["net/ipv6/conf/all/forwarding", *(of_uplink if uplink else [])]


def batch(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def sysctl(keys: Mapping[str, str | int]) -> str:
    """Slashes, not dots: an interface's name may hold a dot (sysctl.d(5))."""
    return "".join(f"{key} = {value}\n" for key, value in keys.items())
