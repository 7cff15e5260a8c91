"""Whether a part does what it is for: looked at from outside, not asked of the process.

A daemon that was started has not opened its sockets yet, and one that runs may have lost its
bridge. ``apply`` waits for these before it says that a posture is made.
"""

from __future__ import annotations

import contextlib
import fcntl
import socket
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

from kiezbox.network.addresses import STREET
from kiezbox.network.nftables import TABLE
from kiezbox.network.parts import Part
from kiezbox.network.plan import ON_AIR
from kiezbox.posture import Posture

__all__ = ["PROOFS", "flags_of", "is_carrier", "is_proven"]

#: linux/sockios.h and linux/if.h.
_SIOCGIFFLAGS, _IFF_UP, _IFF_RUNNING = 0x8913, 0x1, 0x40


def flags_of(name: str) -> int:
    """The interface's flags (netdevice(7)); 0 if it is not there. In the network namespace of the
    caller, which /sys need not show.
    """
    request = struct.pack("16sH22x", name.encode(), 0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        try:
            answer = fcntl.ioctl(any_socket, _SIOCGIFFLAGS, request)
        except OSError:
            return 0
    flags: int = struct.unpack("16sH22x", answer)[1]
    return flags


def is_carrier(name: str) -> bool | None:
    """Whether something is at the other end: for the bridge, a port on the air. None: no such
    interface.
    """
    flags = flags_of(name)
    return bool(flags & _IFF_RUNNING) if flags else None


def _street(posture: Posture, pid: int) -> bool:
    return bool(flags_of(STREET) & _IFF_UP)


def _on_air(posture: Posture, pid: int) -> bool:
    """The bridge has carrier as soon as one of its ports is on the air."""
    return is_carrier(STREET) is True


def _serves_addresses(posture: Posture, pid: int) -> bool:
    """dnsmasq itself listens on UDP 67 (proc_net_udp: the second field is ADDRESS:PORT in hex, the
    tenth the inode). Where somebody else has the port, ours ends, but not at once.
    """
    lines = [line.split() for line in Path("/proc/net/udp").read_text("ascii").splitlines()[1:]]
    sockets = {f"socket:[{fields[9]}]" for fields in lines if fields[1].endswith(":0043")}
    if not sockets:
        return False
    ours = [Path("/proc", str(pid))] if pid else _named("dnsmasq")
    return any(sockets & _open_in(process) for process in ours)


def _named(name: str) -> list[Path]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (process / "comm").read_text(encoding="utf-8").strip() == name:
                found.append(process)
    return found


def _open_in(process: Path) -> set[str]:
    """What the descriptors of a process lead to."""
    found = set()
    with contextlib.suppress(OSError):
        for descriptor in (process / "fd").iterdir():
            with contextlib.suppress(OSError):
                found.add(str(descriptor.readlink()))
    return found


def _guards(posture: Posture, pid: int) -> bool:
    """nft's table is there exactly while there are guests."""
    done = subprocess.run(
        ["/usr/sbin/nft", "list", "table", *TABLE.split()], capture_output=True, timeout=10
    )
    return (done.returncode == 0) == (posture in ON_AIR)


#: Part → whether it is true. Parts without a row are believed.
PROOFS: dict[str, Callable[[Posture, int], bool]] = {
    "street": _street,
    "firewall": _guards,
    "hostapd": _on_air,
    "dnsmasq": _serves_addresses,
}


def is_proven(part: Part, posture: Posture, pid: int = 0) -> bool:
    """Whether the part does what it is for, as far as can be seen. ``pid``: of its daemon, if that
    is known.
    """
    proof = PROOFS.get(part.name)
    return proof is None or proof(posture, pid)
