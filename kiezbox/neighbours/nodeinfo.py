"""What respondd says about this box, in the words of Freifunk's maps.

The fields are Gluon's (package gluon-respondd) as yanic reads them (its room ``data``: nodeinfo.go,
statistics.go, neighbours.go). No owner: who looks after a box is nobody's business on a map.
Import-light: ``kiezbox.neighbours.respondd`` runs for ever on it.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import struct
import time
from collections.abc import Callable
from typing import Any

from kiezbox.neighbours import babel

__all__ = ["SECTIONS", "Facts"]

#: What ``mesh.files`` wrote into respondd.json.
Facts = dict[str, Any]

_SIOCGIFHWADDR = 0x8927


def nodeinfo(facts: Facts, uplink: str) -> dict[str, Any]:
    """What hardly ever changes."""
    mesh, port = facts["mesh"], facts["port"]
    software: dict[str, Any] = {
        "firmware": {"base": "kiezbox", "release": facts["version"]},
        "autoupdater": {"enabled": False, "branch": ""},
    }
    if facts["routing"] == "batman" and (version := _read("/sys/module/batman_adv/version")):
        # 15 is the only version of the protocol since 2014.
        software["batman-adv"] = {"version": version, "compat": 15}
    said: dict[str, Any] = {
        "node_id": _node_id(facts),
        "hostname": facts["name"],
        "network": {"mac": facts["mac"], "addresses": _addresses(mesh), "mesh": {}},
        "software": software,
        "hardware": {"model": _model(), "nproc": os.cpu_count() or 1},
        "vpn": False,
    }
    if mesh and (mac := _mac(port)):
        kind = "wireless" if facts["kind"] == "80211s" else "other"
        said["network"]["mesh"] = {mesh: {"interfaces": {kind: [mac]}}}
        said["network"]["mesh_interfaces"] = [mac]
    if facts["place"] is not None:
        latitude, longitude = facts["place"]
        said["location"] = {"latitude": latitude, "longitude": longitude}
    return said


def statistics(facts: Facts, uplink: str) -> dict[str, Any]:
    """What changes all the time. Memory in KiB, as in /proc/meminfo."""
    up_s, idle_s = (_read("/proc/uptime") or "0 0").split()[:2]
    load = (_read("/proc/loadavg") or "0 0 0 0/0").split()
    running, _, total = load[3].partition("/")
    memory = _memory()
    guests = _guests(facts["facts"])
    disk = os.statvfs("/")
    return {
        "node_id": _node_id(facts),
        "uptime": float(up_s),
        "idletime": float(idle_s),
        "loadavg": float(load[0]),
        "processes": {"running": int(running), "total": int(total)},
        "memory": {
            "total": memory.get("MemTotal", 0),
            "free": memory.get("MemFree", 0),
            "buffers": memory.get("Buffers", 0),
            "cached": memory.get("Cached", 0),
            "available": memory.get("MemAvailable", 0),
        },
        "rootfs_usage": 1 - disk.f_bavail / max(1, disk.f_blocks),
        "clients": {"total": guests, "wifi": guests, "wifi24": guests, "wifi5": 0},
        "traffic": _traffic(facts["mesh"]),
    }


def neighbours(facts: Facts, uplink: str) -> dict[str, Any]:
    """Who is heard how well: babeld's view, which there is whatever routes the mesh."""
    mesh = facts["mesh"]
    said: dict[str, Any] = {"node_id": _node_id(facts)}
    heard = babel.neighbours(babel.dump()) if mesh else []
    if heard:
        own = [address for address in _addresses(mesh) if address.startswith("fe80:")]
        said["babel"] = {
            mesh: {
                "protocol": "babel",
                "ll-addr": own[0] if own else "",
                "neighbours": {
                    each["address"]: {
                        "rxcost": int(each.get("rxcost", 0)),
                        "txcost": int(each.get("txcost", 0)),
                        "cost": int(each.get("cost", 0)),
                        "reachability": int(each.get("reach", "0"), 16),
                    }
                    for each in heard
                    if each.get("if") == mesh and "address" in each
                },
            }
        }
    return said


def kiezbox(facts: Facts, uplink: str) -> dict[str, Any]:
    """What boxes tell each other, and nobody's map asks for."""
    return {
        "id": facts["id"],
        "name": facts["name"],
        "version": facts["version"],
        "address": facts["address"],
        "has_uplink": uplink == "own" and facts["shares_uplink"],
        "broker_port": facts["broker_port"],
        "time": sure_time(),
    }


#: The files that ``kiezbox.clock`` looks at, which is not imported here; a test holds them equal.
SYNCHRONIZED, SET = "/run/systemd/timesync/synchronized", "/run/kiezbox-clock/set"


def sure_time() -> float | None:
    """Unix seconds while GPS, NTP or a clock chip vouches for them.

    None: nobody does, or only other boxes; what we have from them they do not hear again.
    """
    by = (_read(SET) or "").partition(" ")[0]
    is_sure = by in ("gps", "ntp", "rtc") or os.path.exists(SYNCHRONIZED)
    return round(time.time(), 1) if is_sure else None


#: What can be asked for: name → what says it.
SECTIONS: dict[str, Callable[[Facts, str], dict[str, Any]]] = {
    "nodeinfo": nodeinfo,
    "statistics": statistics,
    "neighbours": neighbours,
    "kiezbox": kiezbox,
}


def _node_id(facts: Facts) -> str:
    """Gluon's: the node's hardware address without colons."""
    return str(facts["mac"]).replace(":", "")


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(65536).rstrip("\0\n")
    except OSError:
        return ""


def _model() -> str:
    """A Raspberry Pi says what it is in its device tree; a PC in its firmware's tables."""
    return (
        _read("/proc/device-tree/model")
        or _read("/sys/class/dmi/id/product_name")
        or os.uname().machine
    )


def _mac(interface: str) -> str:
    """netdevice(7). Not /sys/class/net, which shows the namespace it was mounted in."""
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as any_socket:
        try:
            answer = fcntl.ioctl(
                any_socket, _SIOCGIFHWADDR, struct.pack("16s24x", interface.encode())
            )
        except OSError:
            return ""
    return answer[18:24].hex(":")


def _addresses(interface: str) -> list[str]:
    """proc_net_if_inet6: address, index, prefix length, scope, flags, name, in hexadecimal."""
    rows = [line.split() for line in _read("/proc/net/if_inet6").splitlines()]
    return [
        socket.inet_ntop(socket.AF_INET6, bytes.fromhex(row[0]))
        for row in rows
        if len(row) == 6 and row[5] == interface
    ]


def _memory() -> dict[str, int]:
    rows = [line.split() for line in _read("/proc/meminfo").splitlines()]
    return {row[0].rstrip(":"): int(row[1]) for row in rows if len(row) >= 2}


def _traffic(interface: str) -> dict[str, dict[str, int]]:
    """/proc/net/dev: bytes and packets received are fields 1 and 2, sent 9 and 10."""
    for line in _read("/proc/net/dev").splitlines():
        name, _, rest = line.partition(":")
        if interface and name.strip() == interface:
            fields = rest.split()
            return {
                "rx": {"bytes": int(fields[0]), "packets": int(fields[1])},
                "tx": {"bytes": int(fields[8]), "packets": int(fields[9])},
            }
    return {}


def _guests(path: str) -> int:
    """How many guests the node counts (now.json); 0 while it does not say."""
    try:
        guests = json.loads(_read(path))["network"]["guests"]
    except (ValueError, KeyError, TypeError):
        return 0
    return guests if isinstance(guests, int) and guests >= 0 else 0
