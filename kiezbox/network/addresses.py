"""Names and addresses of the street and of the mesh, as the settings give them. Pure."""

from __future__ import annotations

import hashlib
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Interface,
    IPv6Network,
    ip_network,
)

from kiezbox.settings import Settings

#: The guests' side of the box: always a bridge, whatever carries them to it.
STREET = "kb-street"
#: The boxes among themselves: batman-adv's interface, or the mesh radio itself without batman.
MESH = "kb-mesh"
#: The encrypted half of the emergency WLAN (OWE transition mode), a second access point on the
#: same radio.
OWE = "kb-owe"

#: The street's own link-local address. Fixed, so that it needs no duplicate address detection and
#: dnsmasq can bind it at once; nobody else on the street is a router.
STREET_LINK_LOCAL = IPv6Interface("fe80::1/64")


def street_network(settings: Settings) -> IPv4Network:
    """Where guests get their addresses from."""
    return IPv4Network(settings.network.street.guests)


def street_gateway(settings: Settings) -> IPv4Address:
    """The box within the guests' network: its first address."""
    return street_network(settings)[1]


def street_prefix(settings: Settings) -> IPv6Network:
    """The street's /64: as set, or made from ``box.id``, so that it is the same after every start
    and differs between boxes. RFC 4193 §3.2 wants 40 bits that look random behind fd; here they
    are the first of a SHA-256; the subnet is 0.

    >>> from kiezbox.settings import BoxSettings
    >>> street_prefix(Settings(box=BoxSettings(id="kb-1")))
    IPv6Network('fd53:73c3:baa7::/64')
    """
    given = settings.network.street.prefix
    if given:
        return IPv6Network(given)
    digest = hashlib.sha256(settings.box.id.encode()).digest()
    return IPv6Network((b"\xfd" + digest[:5] + bytes(10), 64))


def street_addresses(settings: Settings) -> tuple[IPv4Interface | IPv6Interface, ...]:
    """All addresses of ``kb-street``. The two public-range aliases stand alone (/32): guests
    reach them by their router, the box."""
    street, network = settings.network.street, street_network(settings)
    prefix = street_prefix(settings)
    return (
        IPv4Interface((street_gateway(settings), network.prefixlen)),
        IPv4Interface(street.address),
        IPv4Interface(street.https_address),
        IPv6Interface((prefix[1], prefix.prefixlen)),
        STREET_LINK_LOCAL,
    )


def hardware_address(settings: Settings, name: str) -> str:
    """A locally administered MAC address for an interface we make: the same after every start, so
    that a guest's neighbour table stays right, and different between boxes.

    >>> from kiezbox.settings import BoxSettings
    >>> hardware_address(Settings(box=BoxSettings(id="kb-1")), "kb-street")
    '02:68:d0:51:e9:4f'
    """
    digest = hashlib.sha256(f"{settings.box.id} {name}".encode()).digest()
    return ":".join(f"{byte:02x}" for byte in bytes([0x02]) + digest[:5])


def emergency_services(settings: Settings) -> tuple[IPv4Network | IPv6Network, ...]:
    """Where guests may go with ``guest_uplink = emergency-services``."""
    return tuple(ip_network(each) for each in settings.network.uplink.emergency_services)
