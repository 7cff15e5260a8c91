"""What one guest may take, and all together: tables, and the pieces of nftables' rules from them.

Who is a client? The *station*, by its hardware address. An access point takes no frame from a
station that is not associated, so that address costs an association to forge; an IPv4 source
costs nothing, and of IPv6 sources everybody has 2⁶⁴. Behind a repeater that rewrites hardware
addresses all guests are one client: an external access point must be a plain bridge.

A set that is full lets newcomers pass unlimited (nft: the rule does not match) and keeps limiting
those it knows, so a thousand stations cannot lock the next one out; ``RATES_OF_ALL`` then
protects the processes behind.
"""

from __future__ import annotations

__all__ = ["HELD", "held", "over", "over_all", "over_share", "sets"]

#: A station's messages, in nft's words. A page of ours takes six connections; a phone's system
#: opens up to five probes at once and repeats them.
RATES = {
    "connecting": "30/second burst 60 packets",
    "asking": "50/second burst 200 packets",
    "leasing": "5/second burst 20 packets",
    "echoing": "10/second burst 20 packets",
    # Neighbour discovery and router solicitations.
    "finding": "20/second burst 60 packets",
}

#: The same of all stations together.
RATES_OF_ALL = {
    "connecting": "1000/second burst 2000 packets",
    "asking": "2000/second burst 4000 packets",
    "leasing": "50/second burst 200 packets",
}

#: What a station may hold at once.
HELD = {
    # Connections to this box. A browser keeps six to a host.
    "holding": 100,
    # DNS over TCP: dnsmasq serves 20 of all guests (--max-tcp-connections).
    "holding_dns": 4,
    # Flows through an uplink, any protocol.
    "holding_onward": 512,
}

#: A station's share of an uplink, by the mark of its connections.
SHARES = ("upward", "downward")

#: A policer must let one whole burst of a guest's TCP through, and the kernel hands it up to
#: 64 KiB in one piece (GRO), which a smaller bucket would refuse for ever.
LEAST_BUCKET_BYTES = 131072

#: Stations a set remembers at once (each takes about 200 bytes), and for how long. Longer than
#: any burst takes to be allowed anew.
SIZE = 16384
MEMORY = "30s"


def sets() -> str:
    """What remembers stations. ``themselves`` holds pairs of equals, each for a moment only: so
    that two fields of one packet can be compared, which nft does not do otherwise.
    """
    timed = f"size {SIZE}\n        flags dynamic,timeout\n        timeout"
    return "".join(
        f"    set {name} {{\n        {what}\n    }}\n"
        for name, what in (
            *((name, f"type ether_addr\n        {timed} {MEMORY}") for name in RATES),
            *((name, f"type mark\n        {timed} {MEMORY}") for name in SHARES),
            ("themselves", f"typeof @ll,48,48 . @th,288,48\n        {timed} 1s"),
            *(
                (name, f"type ether_addr\n        size {SIZE}\n        flags dynamic")
                for name in HELD
            ),
        )
    )


def over(name: str) -> str:
    """A rule's end that drops what is too much for one station."""
    return f"update @{name} {{ ether saddr limit rate over {RATES[name]} }} drop"


def over_all(name: str) -> str:
    """A rule's end that drops what is too much of all stations together."""
    return f"limit rate over {RATES_OF_ALL[name]} drop"


def held(name: str) -> str:
    """A rule's middle that is true while a station holds more than it may."""
    return f"add @{name} {{ ether saddr ct count over {HELD[name]} }}"


def over_share(name: str, kbit_s: int) -> str:
    """A rule's end that drops what is beyond a station's share of the uplink. Conntrack's mark
    must name the station.

    A second's worth may come at once: for bytes the kernel's bucket holds the rate of a second
    and the burst (nft_limit.c: ``tokens_max``).
    """
    bytes_s = kbit_s * 1000 // 8
    burst = max(LEAST_BUCKET_BYTES - bytes_s, 1500)
    rate = f"{bytes_s} bytes/second burst {burst} bytes"
    return f"update @{name} {{ ct mark limit rate over {rate} }} drop"
