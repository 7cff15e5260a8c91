"""Which way is the world: default routes and interfaces, asked of the kernel by netlink.

Everybody may ask and watch (rtnetlink(7)). Import-light: ``kiezbox.neighbours.respondd`` runs
for ever on it.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

__all__ = ["defaults", "uplink", "watch"]

#: rtnetlink(7) and linux/rtnetlink.h.
_NETLINK_ROUTE, _RTM_NEWROUTE, _RTM_GETROUTE, _DONE, _ERROR = 0, 24, 26, 3, 2
_REQUEST_DUMP = 0x301
_GROUPS = 0x1 | 0x40 | 0x400  # links, IPv4 routes, IPv6 routes
_RTA_OIF, _RTA_MULTIPATH = 4, 9
_UNICAST = 1
_DEAD_OR_LINKDOWN = 0x1 | 0x10

#: Seconds for the kernel's answer, which is immediate.
_LIMIT_S = 2.0


def watch() -> socket.socket:
    """A socket that can be read whenever a link or a route has changed; what it says is to be
    thrown away, and the kernel to be asked anew. Not blocking.
    """
    events = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_ROUTE)
    events.bind((0, _GROUPS))
    events.setblocking(False)
    return events


def defaults() -> set[str]:
    """The interfaces that have a default route which can be used now, in any family and table."""
    found = set()
    for family in (socket.AF_INET, socket.AF_INET6):
        for message in _dump(family):
            found |= _default(message)
    return found


def uplink(interfaces: set[str], *, ours: str, mesh: str) -> str:
    """ "own", "mesh" or "none". ``interfaces``: those that have a default route; ``ours``: the
    only one that counts as this box's uplink, "": any; ``mesh``: the mesh's, "": none.
    """
    others = interfaces - {mesh}
    if ours in others or (others and not ours):
        return "own"
    return "mesh" if mesh and mesh in interfaces else "none"


def _dump(family: int) -> Iterator[bytes]:
    """The routes of a family: each a ``struct rtmsg`` with its attributes."""
    with socket.socket(
        socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_ROUTE
    ) as asking:
        asking.settimeout(_LIMIT_S)
        asking.send(
            struct.pack("=LHHLL12B", 28, _RTM_GETROUTE, _REQUEST_DUMP, 1, 0, family, *[0] * 11)
        )
        while True:
            data = asking.recv(65536)
            at = 0
            while at + 16 <= len(data):
                size, kind = struct.unpack_from("=LH", data, at)
                if kind in (_DONE, _ERROR) or size < 16:
                    return
                if kind == _RTM_NEWROUTE:
                    yield data[at + 16 : at + size]
                at += (size + 3) & ~3


def _default(message: bytes) -> set[str]:
    length, kind, flags = message[1], message[7], message[8:12]
    if length or kind != _UNICAST or struct.unpack("=L", flags)[0] & _DEAD_OR_LINKDOWN:
        return set()
    interfaces = set()
    at = 12
    while at + 4 <= len(message):
        size, name = struct.unpack_from("=HH", message, at)
        value = message[at + 4 : at + size]
        if size < 4:
            break
        if name == _RTA_OIF:
            interfaces.add(struct.unpack("=L", value)[0])
        elif name == _RTA_MULTIPATH:
            interfaces |= _next_hops(value)
        at += (size + 3) & ~3
    return {name for index in interfaces if (name := _name_of(index))}


def _next_hops(value: bytes) -> set[int]:
    """``struct rtnexthop``: length, flags, hops, interface."""
    found, at = set(), 0
    while at + 8 <= len(value):
        size, flags, _, index = struct.unpack_from("=HBBL", value, at)
        if size < 8:
            break
        if not flags & _DEAD_OR_LINKDOWN:
            found.add(index)
        at += (size + 3) & ~3
    return found


def _name_of(index: int) -> str:
    try:
        return socket.if_indextoname(index)
    except OSError:
        return ""
