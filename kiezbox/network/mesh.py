"""The boxes among themselves: an 802.11s radio mesh, or a wire, and what routes on it.

Three layers. The *port* is a radio that wpa_supplicant joins to an encrypted mesh (SAE, protected
management frames), or a cable. On it routes batman-adv (layer 2, in the kernel), babeld (layer 3),
or nobody but 802.11s itself. On top is ``kb-mesh``, batman-adv's interface or else a bridge
with the port in it, so that the firewall and everybody else know one name: there are the box's
addresses, made from ``box.id``, babeld for the shared uplink and respondd for finding each other.

Everything here is data for prepared files; docs/mesh.md says what they do together.
Sources: IEEE 802.11-2020 (12.4 SAE, 14 mesh), wpa_supplicant.conf(5), batctl(8), ip-link(8).
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import sys
from pathlib import Path
from typing import Protocol

import kiezbox
from kiezbox import neighbours
from kiezbox.errors import NetworkError
from kiezbox.network import babel
from kiezbox.network.addresses import MESH, hardware_address
from kiezbox.network.parts import Part
from kiezbox.privacy.grid import public_box
from kiezbox.settings import MeshSettings, NetworkSettings, Settings

__all__ = [
    "MESH_PARTS",
    "SECRETS",
    "Machine",
    "address",
    "address6",
    "checked_key",
    "files",
    "interface",
    "network6",
    "routing",
    "watching",
]

#: Files that hold the mesh's key: for root only.
SECRETS = frozenset({"mesh/wpa_supplicant.conf", "mesh/babeld.conf"})

#: batman-adv puts up to 32 bytes around each frame (kernel documentation, batman-adv.rst); with a
#: smaller MTU it would cut full frames in two.
BATMAN_MTU = 1532

_RUN = "{run}/mesh"
#: The folder as a program: see its ``__main__``.
_RESPONDD = str(Path(neighbours.__file__).parent)

MESH_PARTS: tuple[Part, ...] = (
    Part(
        name="mesh-port",
        does="makes the mesh's radio a mesh point",
        file="mesh/port.ip",
        start=(
            ("/usr/sbin/ip", "-batch", f"{_RUN}/port.ip"),
            ("/usr/sbin/iw", "dev", "${KIEZBOX_MESH}", "set", "type", "mp"),
        ),
        # One after the other: a wpa_supplicant that found the radio up leaves it up, and then its
        # type cannot be changed.
        stop=(
            "/bin/sh",
            "-c",
            "ip link set dev ${KIEZBOX_MESH} down; iw dev ${KIEZBOX_MESH} set type managed",
        ),
    ),
    Part(
        name="mesh",
        does="joins the encrypted mesh (802.11s, SAE)",
        file="mesh/wpa_supplicant.conf",
        start=(
            (
                "/usr/sbin/wpa_supplicant",
                "-i${KIEZBOX_MESH}",
                "-Dnl80211",
                f"-c{_RUN}/wpa_supplicant.conf",
            ),
        ),
        is_daemon=True,
        needs=("mesh-port",),
    ),
    Part(
        name="batman",
        does=f"routes the mesh on layer 2: batman-adv's interface {MESH}",
        file="mesh/batman.ip",
        start=(
            ("/usr/sbin/ip", "-batch", f"{_RUN}/batman.ip"),
            # It holds broadcasts back for 30 s after the start, ARP with them: the first ping
            # between two boxes came after 15 to 30 s, and after 1.3 s without it. It guards
            # against two boxes bridging the same cable, which ours never do.
            ("/usr/sbin/batctl", "meshif", MESH, "bridge_loop_avoidance", "0"),
        ),
        stop=("/usr/sbin/ip", "link", "delete", "dev", MESH),
        after=("mesh-port", "mesh"),
    ),
    Part(
        name="mesh-address",
        does="the box's addresses in the mesh",
        file="mesh/up.ip",
        start=(
            ("/usr/sbin/ip", "-batch", f"{_RUN}/up.ip"),
            ("/usr/sbin/sysctl", "--quiet", f"--load={_RUN}/mesh.sysctl"),
        ),
        stop=("/usr/sbin/ip", "-force", "-batch", f"{_RUN}/down.ip"),
        files=("mesh/mesh.sysctl",),
        needs=("batman",),
        after=("mesh-port", "mesh"),
    ),
    Part(
        name="babel",
        does="tells the other boxes of this one's uplink, and this one of theirs",
        file="mesh/babeld.conf",
        # No files of its own: it would leave its state and its process number in /var.
        start=(("/usr/sbin/babeld", "-c", f"{_RUN}/babeld.conf", "-S", "", "-I", ""),),
        is_daemon=True,
        needs=("mesh-address",),
    ),
    Part(
        name="respondd",
        does="finds the other boxes, answers Freifunk's maps, watches the uplink",
        file="mesh/respondd.json",
        start=((f"{sys.prefix}/bin/python", "-S", _RESPONDD, f"{_RUN}/respondd.json"),),
        is_daemon=True,
        after=("mesh-address",),
    ),
)


class Machine(Protocol):
    """What has to be known about this machine."""

    @property
    def has_batman(self) -> bool:
        """The kernel has batman-adv, and batctl is there."""

    @property
    def has_babel(self) -> bool:
        """babeld is there."""

    @property
    def mesh_key(self) -> str | None:
        """What ``mesh.key_file`` holds; None: no such file, or it cannot be read."""


def routing(mesh: MeshSettings, machine: Machine) -> str:
    """ "batman", "babel" or "plain". All boxes of a mesh must come to the same.

    Raises:
        NetworkError: what was asked for is not there.
    """
    has = {"batman": machine.has_batman, "babel": machine.has_babel, "plain": True}
    if mesh.routing == "auto":
        return next(way for way, is_there in has.items() if is_there)
    if not has[mesh.routing]:
        raise NetworkError(
            f"network.mesh.routing is {mesh.routing}, which this machine does not have",
            hint={
                "batman": "It needs the kernel's module batman-adv and the package batctl.",
                "babel": "It needs the package babeld.",
            }[mesh.routing],
        )
    return mesh.routing


def interface(mesh: MeshSettings) -> str:
    """Where the mesh's IP is: ``kb-mesh``, whatever is below it. "": no mesh."""
    return MESH if mesh.interface else ""


# --- names and addresses, all from box.id --------------------------------------------------


def _hash(purpose: str, name: str) -> bytes:
    return hashlib.sha256(f"kiezbox {purpose} {name}".encode()).digest()


def address(box: str, mesh: MeshSettings) -> ipaddress.IPv4Address:
    """The box's IPv4 address among the boxes: chosen by hand, or by hash.

    In a /16 two of n boxes come to the same with n²/131068: 10 boxes 1 in 1457, 20 boxes 1 in
    345, 50 boxes 1 in 54. respondd sees it and says so; ``mesh.address`` is the way out.
    """
    if mesh.address:
        return ipaddress.IPv4Address(mesh.address)
    network = ipaddress.IPv4Network(mesh.network)
    places = network.num_addresses - 2
    return network[1 + int.from_bytes(_hash("mesh address", box)[:8], "big") % places]


def network6(mesh: MeshSettings) -> ipaddress.IPv6Network:
    """The mesh's ULA prefix, the same in all boxes since it is made from the mesh's name.

    Form of RFC 4193, 3.1: fd, 40 bits of global id, subnet 0.
    """
    prefix = b"\xfd" + _hash("mesh prefix", mesh.name)[:5] + bytes(10)
    return ipaddress.IPv6Network((prefix, 64))


def address6(box: str, mesh: MeshSettings) -> ipaddress.IPv6Address:
    """The box's IPv6 address among the boxes: 64 bits of hash, no collision to be expected."""
    tail = int.from_bytes(_hash("mesh address", box)[8:16], "big")
    return network6(mesh)[tail or 1]


# --- the files -----------------------------------------------------------------------------


def files(settings: Settings, machine: Machine) -> dict[str, str]:
    """What lies in ``network.run_dir`` for the mesh: name → content.

    ``SECRETS`` among them must be readable by root only. Without a mesh there is respondd's file
    alone: it also watches whether this box has an uplink.

    Raises:
        NetworkError: no key, or a routing that this machine does not have.
    """
    box, network = settings.box, settings.network
    mesh, uplink = network.mesh, network.uplink
    if not mesh.interface:
        return watching(settings)
    key = checked_key(machine.mesh_key, mesh.key_file)
    way = routing(mesh, machine)
    made = {"mesh/respondd.json": _respondd(settings, way)}
    if mesh.kind == "80211s":
        made["mesh/port.ip"] = f"link set dev {mesh.interface} down\n"
        made["mesh/wpa_supplicant.conf"] = _wpa_supplicant(network, way, key)
    if way == "batman":
        made["mesh/batman.ip"] = _batman(settings)
    made["mesh/up.ip"] = _up(settings, way)
    made["mesh/down.ip"] = _down(settings, way)
    # A neighbour's router advertisement would give this box an uplink that nobody shares.
    made["mesh/mesh.sysctl"] = (
        f"net/ipv6/conf/{MESH}/accept_ra=0\nnet/ipv4/conf/{MESH}/send_redirects=0\n"
    )
    if machine.has_babel:
        made["mesh/babeld.conf"] = babel.conf(
            MESH,
            key=hashlib.sha256(f"kiezbox babel {key}".encode()).hexdigest(),
            is_radio=mesh.kind == "80211s" and way == "babel",
            offers_uplink=uplink.share_with_mesh,
            uplink=uplink.interface,
            own=(f"{address(box.id, mesh)}/32", f"{address6(box.id, mesh)}/128")
            if way == "babel"
            else (),
            boxes=(mesh.network, str(network6(mesh))) if way == "babel" else (),
        )
    return made


def watching(settings: Settings) -> dict[str, str]:
    """The part of ``files`` that needs no mesh: respondd, which also watches the uplink."""
    return {"mesh/respondd.json": _respondd(settings, "")}


def checked_key(key: str | None, path: str) -> str:
    """The mesh's password, if it is one.

    Raises:
        NetworkError: it is not there, or too short, or not one line.
    """
    if key is None:
        raise NetworkError(
            f"{path}: the mesh's key is not there",
            hint="All boxes of a Kiez share it. Make one, once: `openssl rand -base64 24`.",
        )
    key = key.strip("\r\n")
    if not 12 <= len(key) <= 63 or not key.isascii() or not key.isprintable():
        raise NetworkError(
            f"{path} must hold 12 to 63 printable ASCII characters in one line",
            hint="All boxes of a Kiez share it. Make one, once: `openssl rand -base64 24`.",
        )
    return key


def _wpa_supplicant(network: NetworkSettings, way: str, key: str) -> str:
    """SSID and password in hexadecimal: no character of theirs can end the line or the quotes."""
    mesh, country = network.mesh, network.access_point.country
    lines = [
        # The peering is wpa_supplicant's, not the kernel's: SAE needs that.
        "user_mpm=1",
        # NIST P-256, which every implementation must have (IEEE 802.11-2020, 12.4.4.1).
        "sae_groups=19",
        *([f"country={country}"] if country else []),
        "network={",
        f" ssid={mesh.name.encode().hex()}",
        " mode=5",
        f" frequency={2407 + 5 * mesh.channel}",
        " key_mgmt=SAE",
        f" sae_password={key.encode().hex()}",
        " ieee80211w=2",
        # Who routes above must see each hop; 802.11s forwards only where nobody else does.
        f" mesh_fwding={int(way == 'plain')}",
        "}",
    ]
    return "\n".join(lines) + "\n"


def _batman(settings: Settings) -> str:
    """With a hardware address that stays the same: the kernel would invent a new one at each
    start, and every neighbour and every map would take the box for another one.
    """
    mesh = settings.network.mesh
    lines = [
        f"link add name {MESH} address {hardware_address(settings, MESH)} type batadv",
        f"link set dev {mesh.interface} mtu {BATMAN_MTU}",
        *([f"link set dev {mesh.interface} up"] if mesh.kind == "wire" else []),
        f"link set dev {mesh.interface} master {MESH}",
    ]
    return "\n".join(lines) + "\n"


def _bridge(mesh: MeshSettings) -> list[str]:
    """Without batman-adv ``kb-mesh`` is a bridge with one port. Its hardware address is the port's,
    so that 802.11s needs no proxy for it. It looks into no multicast: nobody here asks for the
    reports by which it would learn who wants which.
    """
    return [
        f"link add name {MESH} type bridge mcast_snooping 0",
        f"link set dev {mesh.interface} master {MESH}",
        *([f"link set dev {mesh.interface} up"] if mesh.kind == "wire" else []),
    ]


def _addresses(settings: Settings, way: str) -> tuple[str, str]:
    """With prefix lengths: babel routes every single box; otherwise the whole mesh is one link."""
    mesh, box = settings.network.mesh, settings.box.id
    length = ipaddress.IPv4Network(mesh.network).prefixlen
    return (
        f"{address(box, mesh)}/{32 if way == 'babel' else length}",
        f"{address6(box, mesh)}/{128 if way == 'babel' else 64}",
    )


def _up(settings: Settings, way: str) -> str:
    four, six = _addresses(settings, way)
    lines = [
        *([] if way == "batman" else _bridge(settings.network.mesh)),
        f"link set dev {MESH} up",
        f"address add {four} dev {MESH}",
        f"address add {six} dev {MESH} nodad",
    ]
    return "\n".join(lines) + "\n"


def _down(settings: Settings, way: str) -> str:
    """Undo ``up.ip``, each line whether or not the others find anything (``ip -force``)."""
    four, six = _addresses(settings, way)
    lines = [
        *(
            [f"address delete {four} dev {MESH}", f"address delete {six} dev {MESH}"]
            if way == "batman"
            else [f"link delete dev {MESH}"]
        ),
    ]
    return "\n".join(lines) + "\n"


def _respondd(settings: Settings, way: str) -> str:
    """What ``kiezbox.neighbours.respondd`` needs to know, so that it need not read the settings.

    ``way``: what routes the mesh, "" for no mesh.
    """
    # All of the mesh hears it, so it is the public place.
    box, network = public_box(settings.box), settings.network
    mesh, uplink = network.mesh, network.uplink
    name = interface(mesh) if way else ""
    mac = hardware_address(settings, MESH)
    facts = {
        "id": box.id,
        "name": box.name or box.id,
        "version": kiezbox.__version__,
        "place": None if box.latitude is None else [box.latitude, box.longitude],
        "mac": mac,
        "mesh": name,
        "port": mesh.interface,
        "kind": mesh.kind,
        "routing": way,
        "address": str(address(box.id, mesh)) if name else "",
        "broker_port": mesh.broker_port if name else 0,
        "uplink": uplink.interface,
        "has_uplink": uplink.kind != "none",
        "answers_uplink": uplink.respondd,
        "shares_uplink": uplink.share_with_mesh,
        "facts": f"{settings.store.run_dir}/now.json",
    }
    return json.dumps(facts, ensure_ascii=False, indent=1) + "\n"
