"""Addresses and names for guests: dnsmasq's configuration.

What systems expect of a network with a portal: docs in ``captive.py``. Here:

- every name means our public-range alias, for ten seconds at most, so that a phone forgets it
  soon after it has left; other questions (AAAA, HTTPS, SVCB) get "exists, has none of these"
  (NOERROR, empty). dnsmasq 2.90 refuses them with ``address=/#/`` alone; ``local=/#/`` beside it
  makes the difference.
- names that are asked in order to be told "no" are told so: ``use-application-dns.net`` (Firefox'
  own resolver off), ``mask.icloud.com`` (Apple's relay off), ``wpad`` (no proxy here).
- ``dns.msftncsi.com`` means what Windows compares it with.
- one lease for one station: ``dhcp-ignore-clid``, because client identifiers cost nothing.
- RFC 8910's option 114 (and 103 of DHCPv6) comes from a file of its own, which dnsmasq reads again
  on SIGHUP; so does the portal's https name. Both hold exactly while there is a good certificate.
  dnsmasq 2.90 cannot send the router advertisements' option 37.
- nothing is logged about guests (``quiet-…``), and their names are not taken.
"""

from __future__ import annotations

import ipaddress
from pathlib import Path

from kiezbox.network import nftables
from kiezbox.network.addresses import STREET
from kiezbox.network.machine import Machine
from kiezbox.posture import Posture
from kiezbox.settings.network import NetworkSettings

__all__ = ["API_PATH", "HOOK", "configuration", "hosts", "options"]

#: RFC 8908's document, under the portal's https name.
API_PATH = "/captive"

#: Called by dnsmasq on every lease: notes when a guest joined, and whose the address is.
HOOK = str(Path(__file__).with_name("joined.sh"))

#: Seconds for which a phone may believe our answers.
TTL_S = 10

#: Told "no": asked only to find out whether a resolver of the client's own is welcome ...
CANARIES = ("use-application-dns.net", "mask.icloud.com", "mask-h2.icloud.com")
#: ... or for a proxy: the bare name, and with what routers commonly call their network.
WPAD = tuple(
    f"wpad{suffix}"
    for suffix in ("", ".domain", ".fritz.box", ".home", ".home.arpa", ".internal", ".intranet",
                   ".lan", ".local", ".localdomain", ".private")
)  # fmt: skip

#: What Windows' NCSI compares with (registry: DnsProbeHost, DnsProbeContent, …V6).
NCSI = ("dns.msftncsi.com", "131.107.255.255", "fd3e:4f5a:5b81::1")

#: Seconds for which a guest takes us for a router of IPv6: three intervals (RFC 4861, 6.2.1), and
#: none at all (0) without an uplink.
ROUTER_LIFETIME_S = 1800
#: Between unsolicited advertisements; each wakes every phone. RFC 4861 allows up to 1800.
ADVERTISE_EVERY_S = 600


def configuration(posture: Posture, settings: NetworkSettings, machine: Machine) -> str:
    """``dnsmasq.conf``; "" for the postures without guests."""
    if posture not in (Posture.EMERGENCY, Posture.SHARED):
        return ""
    is_shared = nftables.gives_all(posture, settings, machine)
    services = nftables.reachable_services(settings, machine)
    has_way_out = is_shared or any(":" in service for service in services)
    lines = [
        *_common(settings),
        *_leases(settings, ROUTER_LIFETIME_S if has_way_out else 0),
        *(_real_names(settings) if is_shared else _every_name_is_ours(settings)),
    ]
    return "\n".join(lines) + "\n"


def options(settings: NetworkSettings, certificate_is_good: bool) -> str:
    """What ``dhcp-optsfile`` holds: where the captive portal API is, or nothing (RFC 8910)."""
    name = settings.certificate.name
    if not (certificate_is_good and name):
        return ""
    return f"114,https://{name}{API_PATH}\noption6:103,https://{name}{API_PATH}\n"


def hosts(settings: NetworkSettings, certificate_is_good: bool) -> str:
    """What ``addn-hosts`` holds: the https name's own address, the only one with an open 443."""
    name = settings.certificate.name
    if not (certificate_is_good and name):
        return ""
    return f"{settings.street.https_address} {name}\n"


def _common(settings: NetworkSettings) -> list[str]:
    return [
        "port=53",
        f"interface={STREET}",
        # The box itself asks somebody else, who may sit on loopback.
        "except-interface=lo",
        "bind-dynamic",
        "no-hosts",
        f"addn-hosts={settings.run_dir}/hosts",
        f"local-ttl={TTL_S}",
        "edns-packet-max=1232",
        "host-record={},{},{}".format(*NCSI),
        f"host-record={settings.street.name},{settings.street.address}",
    ]


def _leases(settings: NetworkSettings, router_lifetime_s: int) -> list[str]:
    pool = ipaddress.IPv4Network(settings.street.guests)
    own, first, last = pool[1], pool[2], pool[-2]
    lease_s = round(settings.street.lease_s)
    return [
        f"dhcp-range={first},{last},{pool.netmask},{lease_s}",
        f"dhcp-lease-max={int(last) - int(first) + 1}",
        f"dhcp-leasefile={settings.run_dir}/leases",
        f"dhcp-optsfile={settings.run_dir}/dhcp-options",
        f"dhcp-script={HOOK}",
        "script-on-renewal",
        f"dhcp-option=option:router,{own}",
        f"dhcp-option=option:dns-server,{own}",
        # No proxy configuration here: stops Windows from asking for it (option 252).
        'dhcp-option=252,"\\n"',
        "dhcp-authoritative",
        "dhcp-rapid-commit",
        # Would hold back each new guest's address for 3 s.
        "no-ping",
        "dhcp-ignore-clid",
        "dhcp-ignore-names",
        "quiet-dhcp",
        "quiet-dhcp6",
        "quiet-ra",
        "enable-ra",
        f"dhcp-range=::,constructor:{STREET},ra-stateless,64,{lease_s}",
        "dhcp-option=option6:dns-server,[fd00::]",
        f"ra-param={STREET},{ADVERTISE_EVERY_S},{router_lifetime_s}",
    ]


def _every_name_is_ours(settings: NetworkSettings) -> list[str]:
    return [
        "no-resolv",
        "no-poll",
        f"address=/#/{settings.street.address}",
        "local=/#/",
        *(f"address=/{name}/" for name in (*CANARIES, *WPAD)),
    ]


def _real_names(settings: NetworkSettings) -> list[str]:
    """The machine's resolvers are asked, and those of the settings; whoever answers first is asked
    from then on. Our own names are answered here, also while all of those are dead.
    """
    return [
        "resolv-file=/etc/resolv.conf",
        *(f"server={address}" for address in settings.uplink.resolvers),
        f"local=/{settings.street.name}/",
        # Names of the world must not mean addresses of this house.
        "stop-dns-rebind",
        "bogus-priv",
        "domain-needed",
        # Dead resolvers hold each question for 10 s; one guest asks 50 a second at most.
        "dns-forward-max=2000",
        "cache-size=2000",
    ]
