"""What the root part and the kernel say about the street: small files, read now and then.

``network.run_dir`` is written by the root part (docs/network.md); none of these files need be
there. A guest chooses what stands in the leases beside its address, so nothing of that is read.
"""

from __future__ import annotations

import json
import os

#: The guests' side of the box: always a bridge, whatever radio or cable is its port.
STREET = "kb-street"

#: What stands in ``uplink``: this box's own, another's over the mesh, no way to the world.
UPLINKS = ("own", "mesh", "none")

#: Where the kernel tells about interfaces (sysfs(5)).
INTERFACES = "/sys/class/net"

#: dnsmasq's own limit is 1000 leases; 256 bytes are a generous line.
_MOST_BYTES = 1 << 18


class Observer:
    """Reads; knows nothing between two looks."""

    def __init__(self, run_dir: str, interfaces: str = INTERFACES) -> None:
        self._run_dir = run_dir
        self._interfaces = interfaces

    def is_on_air(self) -> bool:
        """Whether any port of the street has a carrier: a radio has one while its access point
        beacons. The bridge itself is no witness: without any port it says that it has one.
        """
        try:
            ports = os.listdir(os.path.join(self._interfaces, STREET, "brif"))
        except OSError:
            return False  # no street
        # Of an interface that is down the kernel answers EINVAL, which is no carrier either.
        return any(
            _read(os.path.join(self._interfaces, port, "carrier"), 16).strip() == b"1"
            for port in ports
        )

    def guests(self, now: float) -> int | None:
        """Phones with an address, by dnsmasq's leases; None before there is such a file.

        ``now`` in Unix seconds by the machine's clock, which is dnsmasq's, too.
        """
        path = os.path.join(self._run_dir, "leases")
        if not os.path.exists(path):
            return None
        return sum(_is_guest(line, now) for line in _read(path).splitlines())

    def uplink(self) -> str | None:
        """One of ``UPLINKS``, or None where nobody has said so."""
        word = _read(os.path.join(self._run_dir, "uplink"), 64).strip().decode("ascii", "replace")
        return word if word in UPLINKS else None

    def neighbours(self) -> int | None:
        """How many boxes the mesh reaches directly; None where nobody has counted."""
        try:
            found = json.loads(_read(os.path.join(self._run_dir, "neighbours.json")))
        except (ValueError, RecursionError):
            return None
        if isinstance(found, dict):
            found = found.get("neighbours")
        return len(found) if isinstance(found, list | dict) else None

    def has_https(self, name: str) -> bool:
        """Whether guests are told of this https name (DHCP option 114, RFC 8910)."""
        options = _read(os.path.join(self._run_dir, "dhcp-options"))
        return bool(name) and f"https://{name}/".encode() in options


def _is_guest(line: bytes, now: float) -> bool:
    """Whether a line of dnsmasq's leases is an IPv4 lease that has not run out.

    ``expiry mac address name client-id``; expiry 0: never (dnsmasq(8), --dhcp-leasefile). IPv6
    leases stand below a line ``duid``, under the number of an association in the mac's place, so
    that a phone with both would count twice.
    """
    parts = line.split(b" ", 3)
    if len(parts) < 4 or not parts[0].isdigit() or len(parts[0]) > 12:
        return False
    return parts[2].count(b".") == 3 and (parts[0] == b"0" or int(parts[0]) > now)


def _read(path: str, most: int = _MOST_BYTES) -> bytes:
    try:
        with open(path, "rb", buffering=0) as file:
            return file.read(most) or b""
    except OSError:
        return b""
