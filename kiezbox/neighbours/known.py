"""Who else is there: the other boxes of the mesh, as ``kiezbox.neighbours.respondd`` hears them."""

from __future__ import annotations

import json
import socket
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kiezbox.errors import NetworkError
from kiezbox.neighbours.respondd import FORGET_S, GROUPS, PORT, neighbour, unpack

__all__ = ["Neighbour", "Neighbours", "broker", "read", "survey"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """Another box of the mesh, by its own words."""

    id: str
    name: str
    version: str
    #: Its IPv4 address in the mesh, "" if it did not say.
    address: str
    #: Its IPv6 address on the link.
    link_local: str
    #: Whether it shares an uplink of its own.
    has_uplink: bool
    #: Port of the MQTT broker that it lends to the mesh; 0: none.
    broker_port: int
    #: When it was last heard, Unix seconds.
    seen_at: float
    #: What its clock said then, Unix seconds, if it is right by GPS, NTP or a chip; 0: it is not.
    time: float = 0
    #: Seconds since the start of this machine (``CLOCK_BOOTTIME``) when it said so.
    time_at: float = 0


@dataclass(frozen=True, slots=True)
class Neighbours:
    """``neighbours.json``."""

    interface: str
    neighbours: tuple[Neighbour, ...]
    #: What another box has that should be this one's alone: "id" or "address"; "": nothing.
    clash: str = ""
    #: The box that has it.
    clashes_with: str = ""


def read(run_dir: str, now: float) -> Neighbours | None:
    """What respondd wrote last; None: it does not run, or its news is old. ``now`` in Unix
    seconds.
    """
    try:
        news = json.loads(Path(run_dir, "neighbours.json").read_text(encoding="utf-8"))
        if not news["interface"]:
            return Neighbours("", ())
        if abs(now - news["written_at"]) > FORGET_S:
            return None
        clash = news["clash"] or {"what": "", "with": ""}
        return Neighbours(
            news["interface"],
            tuple(_neighbour(each) for each in news["neighbours"]),
            clash["what"],
            clash["with"],
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


#: Fields of a neighbour in the file, and what they must be.
_KINDS: dict[str, tuple[type, ...]] = {
    "id": (str,), "name": (str,), "version": (str,), "address": (str,), "link_local": (str,),
    "has_uplink": (bool,), "broker_port": (int,), "seen_at": (int, float),
    "time": (int, float), "time_at": (int, float),
}  # fmt: skip

#: Fields that an older one has not.
_NEWER = frozenset(("time", "time_at"))


def _neighbour(each: Mapping[str, Any]) -> Neighbour:
    """Raises: TypeError, KeyError: somebody else wrote this."""
    for name, kinds in _KINDS.items():
        if name in _NEWER and name not in each:
            continue
        if type(each[name]) not in kinds:
            raise TypeError(name)
    return Neighbour(**each)


def broker(known: Neighbours | None) -> tuple[str, int] | None:
    """Address and port of the broker to use: of the boxes that lend one the first by id, so that
    all boxes choose the same. None: nobody lends one.
    """
    lenders = [each for each in (known.neighbours if known else ()) if each.broker_port]
    if not lenders or known is None:
        return None
    first = min(lenders, key=lambda each: each.id)
    return first.address or f"{first.link_local}%{known.interface}", first.broker_port


def survey(interface: str, limit_s: float) -> list[Neighbour]:
    """Ask on the link who is a Kiezbox, and listen for ``limit_s`` seconds. For where respondd does
    not run: it has the port, and the firewall lets nobody else's answers in.

    Raises:
        NetworkError: no such interface, or respondd runs.
    """
    found: dict[str, Neighbour] = {}
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as asking:
        try:
            index = socket.if_nametoindex(interface)
            asking.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP, 0)
            asking.bind(("::", PORT))
            asking.setsockopt(
                socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, struct.pack("=I", index)
            )
            asking.sendto(b"GET kiezbox", (GROUPS[0], PORT, 0, index))
        except OSError as error:
            raise NetworkError(
                f"cannot ask on {interface}: {error.strerror}",
                hint="Where kiezbox-respondd.service runs, `kiezbox network neighbours` knows.",
            ) from error
        until = time.monotonic() + limit_s
        while (left_s := until - time.monotonic()) > 0:
            asking.settimeout(left_s)
            try:
                data, sender = asking.recvfrom(65536)
            except TimeoutError:
                break
            heard: Mapping[str, Any] | None = neighbour(unpack(data), sender[0].partition("%")[0])
            if heard is not None and sender[3] == index:
                found[heard["id"]] = Neighbour(**heard, seen_at=time.time())
    return [found[box] for box in sorted(found)]
