"""Whether the ports that guests need are free: addresses (67), names (53), pages (80)."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from kiezbox.checks import Examined, Finding, Level
from kiezbox.checks._looking import text_of

#: Port → (what for, in /proc/net: tables, and whether only our own addresses and "all" matter).
#: The portal's socket takes all addresses, so any other listener on 80 is in its way; dnsmasq takes
#: the street's addresses only, so a resolver on loopback is not.
PORTS = {
    53: ("names", ("udp", "udp6", "tcp", "tcp6"), True),
    67: ("addresses", ("udp",), True),
    80: ("pages", ("tcp", "tcp6"), False),
}

#: /proc/net/tcp: a socket that listens (net/tcp_states.h); UDP ones have no such state.
_LISTENS = "0A"

#: A socket whose process is in no list: another container's, or the kernel's.
UNSEEN = "somebody unseen"

#: What to do about the usual ones.
MENDS = {
    "systemd-resolve": "In /etc/systemd/resolved.conf: DNSStubListenerExtra= empty.",
    "dnsmasq": "sudo systemctl disable --now dnsmasq, or NetworkManager shares a connection:"
    " nmcli connection modify NAME ipv4.method auto.",
    "named": "sudo systemctl disable --now named.",
    "unbound": "sudo systemctl disable --now unbound, or give it interface: 127.0.0.1.",
    "pihole-FTL": "Pi-hole and a Kiezbox cannot share one box's port 53.",
    "dhcpd": "sudo systemctl disable --now isc-dhcp-server.",
    "systemd-network": "Take DHCPServer=yes out of /etc/systemd/network.",
    "apache2": "sudo systemctl disable --now apache2.",
    "nginx": "sudo systemctl disable --now nginx.",
    "lighttpd": "sudo systemctl disable --now lighttpd.",
}


class Listener(NamedTuple):
    """Somebody at a port."""

    port: int
    address: str
    inode: str


def run(box: Examined) -> Iterator[Finding]:
    if box.settings.network.access_point.kind == "none":
        return
    street = box.settings.network.street
    ours = {street.address, street.https_address, "0.0.0.0", "::"}
    ours.add(str(ipaddress.IPv4Network(street.guests)[1]))
    in_the_way: dict[tuple[int, str], Listener] = {}
    unknown = False
    for listener in listeners(box.root):
        if PORTS[listener.port][2] and listener.address not in ours:
            continue
        holder = _holder(box.root, listener.inode)
        unknown = unknown or holder is None
        if holder is not None and holder != "":
            in_the_way.setdefault((listener.port, holder), listener)
    for (port, holder), listener in sorted(in_the_way.items()):
        yield Finding(
            Level.BROKEN,
            f"{holder} holds port {port} ({PORTS[port][0]} for guests) at {listener.address}",
            MENDS.get(holder, f"`sudo ss -lnp sport = :{port}` shows more about it."),
        )
    if unknown:
        yield Finding(
            Level.NOTE,
            "somebody holds port 53, 67 or 80; only root can see whether that is the box itself",
            "sudo kiezbox check",
        )
    elif not in_the_way:
        yield Finding(Level.FINE, "ports 53, 67 and 80 are free, or the box's own")


def listeners(root: Path) -> Iterator[Listener]:
    """Who listens at our ports, from /proc/net (proc_pid_net(5))."""
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for line in text_of(root / "proc/net" / table).splitlines()[1:]:
            fields = line.split()
            if len(fields) < 10 or (table.startswith("tcp") and fields[3] != _LISTENS):
                continue
            packed, _, port = fields[1].rpartition(":")
            number = int(port, 16)
            if number in PORTS and table in PORTS[number][1]:
                yield Listener(number, _address(packed), fields[9])


def _address(packed: str) -> str:
    """The kernel prints 32-bit words in the machine's own order.

    >>> _address("0100007F"), _address("00000000000000000000000000000000")
    ('127.0.0.1', '::')
    """
    words = [bytes.fromhex(packed[at : at + 8])[::-1] for at in range(0, len(packed), 8)]
    return str(ipaddress.ip_address(b"".join(words)))


def _holder(root: Path, inode: str) -> str | None:
    """The program's name; "" if it is ours; None if we may not look."""
    may_look = True
    for folder in (root / "proc").glob("[0-9]*"):
        try:
            files = os.listdir(folder / "fd")
        except OSError:
            # Gone meanwhile, or not ours to see.
            may_look = may_look and not folder.exists()
            continue
        for file in files:
            try:
                if os.readlink(folder / "fd" / file) == f"socket:[{inode}]":
                    return "" if _is_ours(folder) else text_of(folder / "comm") or UNSEEN
            except OSError:
                continue
    return UNSEEN if may_look else None


def _is_ours(folder: Path) -> bool:
    """In a unit of ours, or started by hand with a file of ours; or systemd itself, which holds
    the sockets of ours."""
    is_systemd = folder.name == "1" and text_of(folder / "comm") == "systemd"
    is_unit = re.search(r"/kiezbox-[^/]+\.(service|scope)", text_of(folder / "cgroup"))
    return is_systemd or bool(is_unit) or "kiezbox" in text_of(folder / "cmdline")
