"""The firewall between the street and everything else: scripts for ``nft -f``.

A script replaces its whole table in one transaction: packets meet the old rules or the new ones,
never none, and a script that is carried out twice leaves what it left the first time. (``table``,
``delete table``, ``table {…}``: nft 1.0.6 of Debian 12 has no ``destroy``.)

Who is a client? The *station*, by its hardware address. An access point takes no frame from a
station that is not associated, so that address costs an association to forge; an IPv4 source
costs nothing, and of IPv6 sources everybody has 2⁶⁴. Behind a repeater that rewrites hardware
addresses all guests are one client: an external access point must be a plain bridge.

Where guests' packets are judged, in this order:

1. ``first``, before connection tracking, so that what is refused costs no memory and one guest
   cannot fill the table of connections. Refusals are answered here: a reset for TCP (browsers
   try 443 first, and Android's verdict waits for it), ICMP for the rest.
2. ``translate``: DNS and http to anybody else's address come to us.
3. ``admit`` (to the box) and ``onward`` (through the box): closed, with the few exceptions again.

A set that is full lets newcomers pass unlimited (nft: the rule does not match) and keeps limiting
those it knows, so a thousand stations cannot lock the next one out; the limits for all together
(``ALL_…``) then protect the processes behind.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence

from kiezbox.network import mesh
from kiezbox.network.addresses import STREET
from kiezbox.network.machine import Machine
from kiezbox.posture import Posture
from kiezbox.settings.network import NetworkSettings

__all__ = [
    "MESH_TABLE",
    "PEERS_PORT",
    "TABLE",
    "mesh_ruleset",
    "reachable_services",
    "ruleset",
    "uplinks",
]

TABLE = "inet kiezbox"
MESH_TABLE = "inet kiezbox_mesh"

#: Where boxes will exchange bulletins (tcp, from the mesh only). Nothing listens there yet.
PEERS_PORT = 7412
#: Asked by Freifunk's maps for what a node is (udp; gluon-respondd).
RESPONDD_PORT = 1001
#: RFC 8966, section 4: where Babel speaks (udp).
BABEL_PORT = 6696

# What one station may do (nft's words). A page of ours takes six connections; a phone's system
# opens up to five probes at once and repeats them.
CONNECTING = "30/second burst 60 packets"
ASKING = "50/second burst 200 packets"
LEASING = "5/second burst 20 packets"
ECHOING = "10/second burst 20 packets"
#: Neighbour discovery and router solicitations.
FINDING = "20/second burst 60 packets"
#: Connections at once to this box. A browser keeps six to a host.
MOST_HELD = 100
#: DNS over TCP at once: dnsmasq serves 20 of all guests (--max-tcp-connections).
MOST_HELD_DNS = 4
#: Flows at once through an uplink, any protocol.
MOST_HELD_ONWARD = 512

# What all stations may do together.
ALL_CONNECTING = "1000/second burst 2000 packets"
ALL_ASKING = "2000/second burst 4000 packets"
ALL_LEASING = "50/second burst 200 packets"

#: Stations a set remembers at once; each takes about 200 bytes.
SIZE = 16384

#: A guest has no business there: home networks behind the uplink, the mesh, other guests
#: (RFC 1918, RFC 6598, RFC 3927, RFC 4193, RFC 4291).
PRIVATE4 = (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
    "192.168.0.0/16", "224.0.0.0/3",
)  # fmt: skip
PRIVATE6 = ("::/127", "fc00::/7", "fe80::/10", "ff00::/8")

#: A policer must let one whole burst of a guest's TCP through, and the kernel hands it up to
#: 64 KiB in one piece (GRO), which a smaller burst would refuse for ever.
LEAST_BURST_BYTES = 131072

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
    is_shared = posture is Posture.SHARED and bool(ways)
    services = reachable_services(settings, machine)
    https = settings.street.https_address if machine.has_certificate else ""
    chains = [
        _sets(services),
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
    boxes = mesh.interface(settings.mesh, machine)
    if not boxes:
        return removal
    uplink = machine.uplink if settings.uplink.share_with_mesh else ""
    uplink = "" if uplink == boxes else uplink
    share = masquerade = ""
    if uplink:
        share = f"""
        oifname "{uplink}" tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu
        iifname "{boxes}" oifname "{uplink}" ip daddr {_braced(PRIVATE4)} drop
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
        tcp dport {PEERS_PORT} accept
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


def _removal(table: str) -> str:
    """Take a table away, whether it is there or not."""
    return f"table {table}\ndelete table {table}\n"


def uplinks(settings: NetworkSettings, machine: Machine) -> tuple[str, ...]:
    """Where guests' packets may leave: this box's way to the world, and the mesh's."""
    if settings.uplink.guest_uplink == "none":
        return ()
    ways = (machine.uplink, mesh.interface(settings.mesh, machine))
    return tuple(dict.fromkeys(way for way in ways if way))


def reachable_services(settings: NetworkSettings, machine: Machine) -> tuple[str, ...]:
    """The emergency services that guests may reach now."""
    if settings.uplink.guest_uplink != "emergency-services" or not uplinks(settings, machine):
        return ()
    return settings.uplink.emergency_services


def _braced(elements: Iterable[str]) -> str:
    return "{ " + ", ".join(elements) + " }"


def _sets(services: Iterable[str]) -> str:
    """Per-station memories, and the emergency services' addresses."""
    memories = "".join(
        f"""    set {name} {{
        type {kind}
        size {SIZE}
        flags dynamic,timeout
        timeout {timeout}
    }}
"""
        for name, kind, timeout in (
            ("connecting", "ether_addr", "10s"),
            ("asking", "ether_addr", "10s"),
            ("leasing", "ether_addr", "30s"),
            ("echoing", "ether_addr", "10s"),
            ("finding", "ether_addr", "10s"),
            ("upward", "mark", "30s"),
            ("downward", "mark", "30s"),
        )
    )
    holding = "".join(
        f"""    set {name} {{
        type ether_addr
        size {SIZE}
        flags dynamic
    }}
"""
        for name in ("holding", "holding_dns", "holding_onward")
    )
    return memories + holding + _STATIONS + _services(services)


#: Raw bits, because nft compares a packet's field with a set, but not with another field.
_STATIONS = f"""    set stations {{
        typeof @ll,48,48
        size {SIZE}
        flags dynamic,timeout
        timeout 1h
    }}
"""


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


def _limit(name: str, rate: str) -> str:
    """A rule's end that drops what is too much for one station."""
    return f"update @{name} {{ ether saddr limit rate over {rate} }} drop"


def _held(name: str, most: int) -> str:
    """A rule's middle that is true while a station holds more connections."""
    return f"add @{name} {{ ether saddr ct count over {most} }}"


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
        udp dport 547 {_limit("leasing", LEASING)}
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
        udp dport 53 {_limit("asking", ASKING)}
        udp dport 53 limit rate over {ALL_ASKING} drop
        udp dport 53 accept
        tcp dport {{ 53, 80 }} goto connect
{open_https}        meta l4proto tcp reject with tcp reset
        # Port unreachable is what QUIC takes for "nobody here", at once. The rest is dropped: the
        # kernel sends one guest six such messages and then one a second, and these are for QUIC.
        udp dport {{ 443, 853 }} reject with icmpx port-unreachable
        drop
    }}

    chain lease {{
        # A station may ask for its own hardware address (or one that has asked itself), never
        # for invented ones: chaddr is 28 bytes into the message (RFC 2131, section 2), behind
        # 8 bytes of UDP.
        update @stations {{ @ll,48,48 }}
        @th,288,48 != @stations drop
        {_limit("leasing", LEASING)}
        limit rate over {ALL_LEASING} drop
        accept
    }}

    chain find {{
        {_limit("finding", FINDING)}
        accept
    }}

    chain echo {{
        {_limit("echoing", ECHOING)}
        accept
    }}

    chain connect {{
        tcp flags & (fin | syn | rst | ack) != syn accept
        {_limit("connecting", CONNECTING)}
        limit rate over {ALL_CONNECTING} drop
        accept
    }}

    chain world {{
        ip daddr {_braced(PRIVATE4)} goto refuse
        ip6 daddr {_braced(PRIVATE6)} goto refuse
        goto world_wanted
    }}

    chain world_wanted {{
        tcp flags & (fin | syn | rst | ack) == syn {_limit("connecting", CONNECTING)}
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
        tcp dport 53 {_held("holding_dns", MOST_HELD_DNS)} reject with tcp reset
        {_held("holding", MOST_HELD)} reject with tcp reset
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
    bytes_s = settings.uplink.guest_kbit_s * 1000 // 8
    limit = f"ct mark limit rate over {bytes_s} bytes/second burst {_burst(bytes_s)} bytes"
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
        iifname "{STREET}" update @upward {{ {limit} }} drop
        oifname "{STREET}" update @downward {{ {limit} }} drop
        ct state established,related accept
        # Tracking would take it for a connection that began before, and keep it for days.
        tcp flags & (fin | syn | rst | ack) != syn reject with tcp reset
        iifname "{STREET}" {_held("holding_onward", MOST_HELD_ONWARD)} drop
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


def _burst(bytes_s: int) -> int:
    """What a guest may send at once: half a second's worth."""
    return max(LEAST_BURST_BYTES, bytes_s // 2)
