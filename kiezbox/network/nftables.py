"""The firewall between the street and everything else: scripts for ``nft -f``.

A script replaces its whole table in one transaction: packets meet the old rules or the new ones,
never none, and a script that is carried out twice leaves what it left the first time. (``table``,
``delete table``, ``table {…}``: nft 1.0.6 of Debian 12 has no ``destroy``.)

Where guests' packets are judged, in this order:

1. ``first``, before connection tracking, so that what is refused costs no memory and one guest
   cannot fill the table of connections. Refusals are answered here: a reset for TCP (browsers
   try 443 first, and Android's verdict waits for it), ICMP for the rest.
2. ``translate``: DNS and http to anybody else's address come to us.
3. ``admit`` (to the box) and ``onward`` (through the box): closed, with the few exceptions again.

How much is too much stands in ``limits``.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence

from kiezbox.network import limits, mesh
from kiezbox.network.addresses import STREET
from kiezbox.network.machine import Machine
from kiezbox.posture import Posture
from kiezbox.settings.network import NetworkSettings

__all__ = [
    "MESH_TABLE",
    "PEERS_PORT",
    "TABLE",
    "gives_all",
    "mesh_ruleset",
    "reachable_services",
    "ruleset",
    "uplinks",
]

TABLE = "inet kiezbox"
MESH_TABLE = "inet kiezbox_mesh"

#: Where boxes exchange words (tcp, from the mesh only; docs/peers.md).
PEERS_PORT = 7412
#: Asked by Freifunk's maps for what a node is (udp; gluon-respondd).
RESPONDD_PORT = 1001
#: RFC 8966, section 4: where Babel speaks (udp).
BABEL_PORT = 6696

#: A guest has no business there: home networks behind the uplink, the mesh, other guests
#: (RFC 1918, RFC 6598, RFC 3927, RFC 4193, RFC 4291).
PRIVATE4 = (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
    "192.168.0.0/16", "224.0.0.0/3",
)  # fmt: skip
PRIVATE6 = ("::/127", "fc00::/7", "fe80::/10", "ff00::/8")

#: What another box may send us (RFC 4890 for neighbours, RFC 3810, RFC 4861).
MESH_ICMP6 = (
    "echo-request", "mld-listener-query", "mld-listener-report", "mld2-listener-report",
    "nd-neighbor-solicit", "nd-neighbor-advert", "nd-router-solicit", "nd-router-advert",
)  # fmt: skip
#: Answers to what we sent (RFC 4443, section 3); connection tracking knows which are.
ICMP6_ERRORS = (
    "destination-unreachable", "packet-too-big", "time-exceeded", "parameter-problem",
)  # fmt: skip


def ruleset(posture: Posture, settings: NetworkSettings, machine: Machine) -> str:
    """The script for one posture; for those without guests it only takes the table away.

    443 is open at ``street.https_address`` exactly while ``machine.has_certificate``; when
    that changes, the script is rendered and loaded again, which loses only the limits' memory.
    """
    removal = _removal(TABLE)
    if posture not in (Posture.EMERGENCY, Posture.SHARED):
        return removal
    ways = uplinks(settings, machine)
    is_shared = gives_all(posture, settings, machine)
    services = reachable_services(settings, machine)
    https = settings.street.https_address if machine.has_certificate else ""
    chains = [
        limits.sets(),
        _services(services),
        _first(https, is_shared=is_shared),
        *([] if is_shared else [_TRANSLATE]),
        _admit(https),
        _onward(settings, ways, is_shared=is_shared, has_services=bool(services)),
    ]
    return f"{removal}table {TABLE} {{\n{''.join(chains)}}}\n"


def mesh_ruleset(settings: NetworkSettings, machine: Machine) -> str:
    """The script for the side of the other boxes, which holds in every posture but dark.

    Boxes are no guests, but neither are they this box: they get what a mesh needs and nothing
    of the desk, SSH or the guests. ``share_with_mesh`` lets them through to this box's uplink.
    """
    removal = _removal(MESH_TABLE)
    boxes = mesh.interface(settings.mesh)
    if not boxes:
        return removal
    uplink = machine.uplink if settings.uplink.share_with_mesh else ""
    uplink = "" if uplink == boxes else uplink
    share = masquerade = ""
    doors = ", ".join(str(port) for port in (PEERS_PORT, settings.mesh.broker_port) if port)
    if uplink:
        # Freifunk's own servers have private addresses: those that are named are reached.
        named = "".join(
            f'        iifname "{boxes}" oifname "{uplink}" {family} daddr {_braced(mine)} accept\n'
            for family, version in (("ip", 4), ("ip6", 6))
            if (mine := _of_version(settings.uplink.emergency_services, version))
        )
        share = f"""
        oifname "{uplink}" tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu
{named}        iifname "{boxes}" oifname "{uplink}" ip daddr {_braced(PRIVATE4)} drop
        iifname "{boxes}" oifname "{uplink}" ip6 daddr {_braced(PRIVATE6)} drop
        iifname "{boxes}" oifname "{uplink}" accept"""
        masquerade = f"""
    chain mesh_leave {{
        type nat hook postrouting priority srcnat; policy accept;
        oifname "{uplink}" ip saddr {settings.mesh.network} masquerade
        oifname "{uplink}" ip6 saddr fd00::/8 masquerade
    }}
"""
    return f"""{removal}table {MESH_TABLE} {{
    chain mesh_admit {{
        type filter hook input priority filter; policy accept;
        iifname != "{boxes}" accept
        ct state established,related accept
        icmp type echo-request limit rate 100/second burst 200 packets accept
        icmpv6 type {{ {", ".join(MESH_ICMP6)} }} limit rate 500/second burst 1000 packets accept
        meta l4proto igmp accept
        udp dport {{ {RESPONDD_PORT}, {BABEL_PORT} }} accept
        # Where the mesh is the way to Freifunk, its gateway hands out addresses.
        udp sport 67 udp dport 68 accept
        ip6 saddr fe80::/10 udp dport 546 accept
        tcp dport {{ {doors} }} accept
        fib daddr type {{ broadcast, multicast }} drop
        meta l4proto tcp reject with tcp reset
        reject with icmpx admin-prohibited
    }}

    chain mesh_onward {{
        type filter hook forward priority filter; policy accept;
        iifname != "{boxes}" oifname != "{boxes}" accept
        ct state established,related accept
        # Babel and plain routing carry others' packets from box to box.
        iifname "{boxes}" oifname "{boxes}" accept{share}
        iifname "{boxes}" reject with icmpx admin-prohibited
    }}
{masquerade}}}
"""


def _of_version(networks: Iterable[str], version: int) -> list[str]:
    found = [ipaddress.ip_network(each) for each in networks]
    return [str(network) for network in found if network.version == version]


def _removal(table: str) -> str:
    """Take a table away, whether it is there or not."""
    return f"table {table}\ndelete table {table}\n"


def uplinks(settings: NetworkSettings, machine: Machine) -> tuple[str, ...]:
    """Where guests' packets may leave: this box's way to the world, and the mesh's."""
    if settings.uplink.guest_uplink == "none":
        return ()
    ways = (machine.uplink, mesh.interface(settings.mesh))
    return tuple(dict.fromkeys(way for way in ways if way))


def gives_all(posture: Posture, settings: NetworkSettings, machine: Machine) -> bool:
    """Whether guests use the uplink as it is, and nobody is intercepted."""
    is_for_all = posture is Posture.SHARED and settings.uplink.guest_uplink == "all"
    return is_for_all and bool(uplinks(settings, machine))


def reachable_services(settings: NetworkSettings, machine: Machine) -> tuple[str, ...]:
    """The emergency services that guests may reach now."""
    if settings.uplink.guest_uplink != "emergency-services" or not uplinks(settings, machine):
        return ()
    return settings.uplink.emergency_services


def _braced(elements: Iterable[str]) -> str:
    return "{ " + ", ".join(elements) + " }"


def _services(services: Iterable[str]) -> str:
    networks = [ipaddress.ip_network(each) for each in services]
    text = ""
    for version in (4, 6):
        mine = [str(network) for network in networks if network.version == version]
        elements = f"        elements = {_braced(mine)}\n" if mine else ""
        text += f"""    set services{version} {{
        type ipv{version}_addr
        flags interval
        auto-merge
{elements}    }}
"""
    return text


def _first(https: str, *, is_shared: bool) -> str:
    """Before connection tracking: refuse, answer refusals, limit."""
    open_https = f"        ip daddr {https} tcp dport 443 goto connect\n" if https else ""
    elsewhere = "        fib daddr . iif type != local goto world\n" if is_shared else ""
    return f"""
    chain first {{
        type filter hook prerouting priority raw; policy accept;
        iifname != "{STREET}" accept
        fib saddr type local drop
        udp dport 67 goto lease
        udp dport 547 {limits.over("leasing")}
        udp dport 547 accept
        ip6 saddr :: icmpv6 type nd-neighbor-solicit goto find
        # Sources that are not on this side (and 0.0.0.0, ::) are somebody's forgery.
        fib saddr . iif oif missing drop
        icmpv6 type {{ nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit }} goto find
        ip daddr @services4 goto world_wanted
        ip6 daddr @services6 goto world_wanted
        fib daddr type {{ broadcast, multicast }} drop
{elsewhere}        icmp type echo-request goto echo
        icmpv6 type echo-request goto echo
        icmp type {{ destination-unreachable, time-exceeded, parameter-problem }} accept
        icmpv6 type {{ {", ".join(ICMP6_ERRORS)} }} accept
        udp dport 53 {limits.over("asking")}
        udp dport 53 {limits.over_all("asking")}
        udp dport 53 accept
        tcp dport {{ 53, 80 }} goto connect
{open_https}        meta l4proto tcp reject with tcp reset
        # Port unreachable is what QUIC takes for "nobody here", at once. The rest is dropped: the
        # kernel sends one guest six such messages and then one a second, and these are for QUIC.
        udp dport {{ 443, 853 }} reject with icmpx port-unreachable
        drop
    }}

    chain lease {{
        # A station may speak for its own hardware address only, neither for an invented one nor for
        # a neighbour's (whose lease it could give back): chaddr, 28 bytes into the message (RFC
        # 2131, section 2) behind 8 bytes of UDP, must be the frame's source.
        update @themselves {{ @ll,48,48 . @ll,48,48 }}
        @ll,48,48 . @th,288,48 != @themselves drop
        {limits.over("leasing")}
        {limits.over_all("leasing")}
        accept
    }}

    chain find {{
        {limits.over("finding")}
        accept
    }}

    chain echo {{
        {limits.over("echoing")}
        accept
    }}

    chain connect {{
        tcp flags & (fin | syn | rst | ack) != syn accept
        {limits.over("connecting")}
        {limits.over_all("connecting")}
        accept
    }}

    chain world {{
        ip daddr {_braced(PRIVATE4)} goto refuse
        ip6 daddr {_braced(PRIVATE6)} goto refuse
        goto world_wanted
    }}

    chain world_wanted {{
        tcp flags & (fin | syn | rst | ack) == syn {limits.over("connecting")}
        accept
    }}

    chain refuse {{
        meta l4proto tcp reject with tcp reset
        reject with icmpx admin-prohibited
    }}
"""


#: Names and pages asked of anybody else are asked of us.
_TRANSLATE = f"""
    chain translate {{
        type nat hook prerouting priority dstnat; policy accept;
        iifname != "{STREET}" accept
        ip daddr @services4 accept
        ip6 daddr @services6 accept
        fib daddr . iif type local accept
        meta l4proto {{ tcp, udp }} th dport 53 redirect
        tcp dport 80 redirect
    }}
"""


def _admit(https: str) -> str:
    """To the box itself: closed for both families."""
    open_https = f"        ip daddr {https} tcp dport 443 accept\n" if https else ""
    return f"""
    chain admit {{
        type filter hook input priority filter; policy drop;
        iifname != "{STREET}" accept
        ct state established,related accept
        icmpv6 type {{ nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit }} accept
        ip daddr 255.255.255.255 udp dport 67 accept
        ip6 daddr ff02::1:2 udp dport 547 accept
        # Its addresses elsewhere, at home or in the mesh, are none of a guest's.
        fib daddr . iif type != local drop
        udp dport {{ 53, 67, 547 }} accept
        icmp type echo-request accept
        icmpv6 type echo-request accept
        tcp dport 53 {limits.held("holding_dns")} reject with tcp reset
        {limits.held("holding")} reject with tcp reset
        tcp dport {{ 53, 80 }} accept
{open_https}    }}
"""


def _onward(
    settings: NetworkSettings, uplinks: Sequence[str], *, is_shared: bool, has_services: bool
) -> str:
    """Through the box: nothing, but for guests who are given an uplink."""
    if not (is_shared or has_services):
        return f"""
    chain onward {{
        type filter hook forward priority filter; policy accept;
        iifname "{STREET}" drop
        oifname "{STREET}" drop
    }}
"""
    kbit_s = settings.uplink.guest_kbit_s
    ways = _braced(f'"{way}"' for way in uplinks)
    allowed = (
        f'iifname "{STREET}" oifname {ways} accept'
        if is_shared
        else f'iifname "{STREET}" oifname {ways} ip daddr @services4 accept\n'
        f'        iifname "{STREET}" oifname {ways} ip6 daddr @services6 accept'
    )
    return f"""
    chain onward {{
        type filter hook forward priority filter; policy drop;
        iifname != "{STREET}" oifname != "{STREET}" accept
        tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu
        # The mark names the station in both directions and both families.
        iifname "{STREET}" ct state new ct mark set jhash ether saddr mod 65535 offset 1
        iifname "{STREET}" {limits.over_share("upward", kbit_s)}
        oifname "{STREET}" {limits.over_share("downward", kbit_s)}
        ct state established,related accept
        # Tracking would take it for a connection that began before, and keep it for days.
        iifname "{STREET}" tcp flags & (fin | syn | rst | ack) != syn reject with tcp reset
        iifname "{STREET}" {limits.held("holding_onward")} drop
        {allowed}
        iifname "{STREET}" reject with icmpx admin-prohibited
    }}

    chain leave {{
        type nat hook postrouting priority srcnat; policy accept;
        oifname {ways} ip saddr {settings.street.guests} masquerade
        # Guests' IPv6 addresses are local ones (RFC 4193), so they leave as ours.
        oifname {ways} ip6 saddr fd00::/8 masquerade
    }}
"""
