"""Runs inside the virtual machine: three boxes in an encrypted radio mesh, in a row, so that the
first and the last do not hear each other. Ends in ``$OUT/facts.json``; ``test_mesh.py`` says what
is right. The machine travels in time.

Each box is a network namespace with radios of its own, in which `kiezbox network apply` makes
what it makes on a real one without systemd.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import zlib
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parent.parent.parent
sys.path[:0] = [str(HERE.parent / "uml"), str(HERE), str(CHECKOUT)]

from air import Guest, may_hear, phy_of, wait_for_radio, within  # noqa: E402
from guest import note  # noqa: E402
from installed import run, until  # noqa: E402
from watching import SSID  # noqa: E402

KEY = "vierundzwanzig kleine Zeichen"

TOML = """
[box]
id = "kb-{name}"
name = "Box {name}"

[store]
path = "/var/lib/kb-{name}/kiezbox.db"
run_dir = "/run/kb-{name}"

[network]
run_dir = "/run/kb-{name}/network"

[network.access_point]
kind = "{kind}"
interface = "{point}"

[network.street]
guests = "{guests}"

[network.mesh]
interface = "{mesh}"
key_file = "{key}"
routing = "batman"
"""


class Box:
    """A box without systemd: a namespace with its radios."""

    def __init__(self, name: str, mesh: str, point: str, guests: str, key: str = KEY) -> None:
        self.name, self.mesh = name, mesh
        folder = Path(f"/run/kb-{name}")
        folder.mkdir()
        (folder / "mesh.key").write_text(key + "\n")
        (folder / "mesh.key").chmod(0o600)
        self.settings = folder / "kiezbox.toml"
        self.settings.write_text(
            TOML.format(
                name=name, mesh=mesh, point=point or "wlan0", kind="radio" if point else "none",
                guests=guests, key=folder / "mesh.key",
            )
        )  # fmt: skip
        run("ip", "netns", "add", name)
        for interface in filter(None, (mesh, point)):
            run("iw", "phy", phy_of(interface), "set", "netns", "name", name)
        self.run("ip", "link", "set", "lo", "up")

    def run(self, *command: str) -> str:
        return run("ip", "netns", "exec", self.name, *command)

    def network(self, *arguments: str) -> str:
        return self.run(
            sys.executable, "-m", "kiezbox", "network", *arguments, "--settings", str(self.settings)
        )

    def addresses(self, interface: str) -> list[str]:
        """Without prefix lengths, link-local ones aside."""
        found = json.loads(self.run("ip", "-json", "address", "show", "dev", interface))
        return [each["local"] for each in found[0]["addr_info"] if each["scope"] == "global"]

    def pings(self, address: str, interface: str = "kb-mesh") -> bool:
        command = ["ip", "netns", "exec", self.name, "ping", "-c1", "-W1", "-I", interface, address]
        return subprocess.run(command, capture_output=True, timeout=60).returncode == 0

    def interfaces(self) -> list[str]:
        with within(self.name):
            return sorted(name for _, name in socket.if_nameindex())

    def asks(self, address: str, question: str = "GET nodeinfo") -> dict[str, Any]:
        """A respondd answer, as a map's collector asks for it (gluon's packages/respondd)."""
        with within(self.name), socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as asking:
            asking.settimeout(5)
            asking.sendto(question.encode(), (address, 1001))
            found: dict[str, Any] = json.loads(zlib.decompress(asking.recv(65536), -15))
        return found

    def neighbours(self) -> list[str]:
        """Whom the box has heard of by itself, asking everybody."""
        (file,) = Path(f"/run/kb-{self.name}").rglob("neighbours.json")
        return sorted(each["name"] for each in json.loads(file.read_text())["neighbours"])


def mesh() -> dict[str, Any]:
    facts: dict[str, Any] = {}
    os.environ["PYTHONPATH"] = str(CHECKOUT)
    wait_for_radio("wlan6")
    for radio, groups in (("wlan1", 1), ("wlan2", 3), ("wlan3", 2), ("wlan6", 3)):
        may_hear(phy_of(radio), groups)
    # The guest stands before A, too far from C: their WLANs have one name.
    for radio, groups in (("wlan0", 4), ("wlan5", 4), ("wlan4", 8)):
        may_hear(phy_of(radio), groups)
    a = Box("a", "wlan1", "wlan0", "10.42.0.0/22")
    b = Box("b", "wlan2", "", "10.46.0.0/22")
    c = Box("c", "wlan3", "wlan4", "10.50.0.0/22")
    stranger = Box("x", "wlan6", "", "10.54.0.0/22", key="ein ganz anderes Geheimnis")
    before = {box.name: box.interfaces() for box in (a, b, c)}
    began = time.monotonic()
    facts["applied"] = {
        box.name: box.network("apply", posture)
        for box, posture in (
            (a, "emergency"),
            (b, "closed"),
            (c, "emergency"),
            (stranger, "closed"),
        )
    }
    facts["applied_s"] = time.monotonic() - began
    facts["again"] = a.network("apply", "emergency")
    ours = {box.name: box.addresses("kb-mesh") for box in (a, b, c, stranger)}
    facts["addresses"] = ours
    (a4, *_), (b4, *_), (c4, c6, *_), (x4, *_) = (ours[name] for name in "abcx")
    facts["a to b s"] = until(lambda: a.pings(b4), 120, "a ping from A to B", pause_s=0.2)
    facts["a to c s"] = until(lambda: a.pings(c4), 120, "a ping from A to C", pause_s=0.2)
    facts["a to c over ipv6"] = a.pings(c6)
    facts["a to x"] = a.pings(x4)
    facts["neighbours of a"] = a.run("iw", "dev", a.mesh, "station", "dump").count("ESTAB")
    facts["neighbours of b"] = b.run("iw", "dev", b.mesh, "station", "dump").count("ESTAB")
    facts["is encrypted"] = "MFP:\t\tyes" in a.run("iw", "dev", a.mesh, "station", "dump")
    facts["originators of a"] = a.run("batctl", "meshif", "kb-mesh", "originators").splitlines()[2:]
    mac = json.loads(c.run("ip", "-json", "link", "show", "dev", "wlan3"))[0]["address"]
    facts["way to c"] = a.run("batctl", "meshif", "kb-mesh", "traceroute", mac)
    facts["respondd"] = [
        b.asks(address)["nodeinfo"]["hostname"] for address in (ours["a"][1], ours["c"][1])
    ]
    time.sleep(65)
    facts["neighbours"] = {box.name: box.neighbours() for box in (a, b, c, stranger)}
    facts["guest"] = guest_of(a, c, ours)
    facts["left"] = leave(a, b, c, before)
    return facts


def guest_of(a: Box, c: Box, ours: dict[str, list[str]]) -> dict[str, Any]:
    """What a guest on A reaches, of A's neighbours and of C's guests' side."""
    guest = Guest("wlan5")
    guest.switch_on(SSID)
    guest.join()
    lease = guest.lease()
    theirs = [each for each in c.addresses("kb-street") if each not in a.addresses("kb-street")]
    facts = {
        "lease": lease["ip"],
        "router": guest.pings(lease["router"]),
        "street of c": {each: guest.pings(each, limit_s=1) for each in theirs},
        "mesh": {each: guest.pings(each, limit_s=1) for name in "abc" for each in ours[name]},
        "http of c": guest.is_refused(ours["c"][0], 80, limit_s=2),
        "ssh": guest.is_refused(ours["a"][0], 22, limit_s=2),
    }
    guest.leave()
    guest.switch_off()
    return facts


def leave(a: Box, b: Box, c: Box, before: dict[str, list[str]]) -> dict[str, Any]:
    """Dark takes everything away, the mesh too."""
    for box in (a, b, c):
        box.network("apply", "dark")
    time.sleep(2)
    return {
        box.name: {
            "interfaces": [name for name in box.interfaces() if name not in before[box.name]],
            "processes": run("ip", "netns", "pids", box.name).split(),
            "tables": box.run("nft", "list", "tables").split(),
        }
        for box in (a, b, c)
    }


note({"mesh": mesh})
