"""The box of the bed: ``kiezbox network apply`` makes its postures, ``kiezbox portal`` answers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from beds.netns.bed import Bed, Program, wait_for
from portal.street import fresh, make_store, outage, write_facts

RUN = "/run/kiezbox-network"

#: What settings give a box unless told otherwise, and the prefix that SETTINGS gives.
OWN, ALIAS, HTTPS, OWN6 = "10.42.0.1", "198.51.100.1", "198.51.100.2", "fd00:6b62::1"
OWN_LINK_LOCAL = "fe80::1"

#: An external access point at ap0, the home LAN at eth0.
SETTINGS = """
[box]
id = "kb-bed"

[network.access_point]
kind = "external"
interface = "ap0"

[network.street]
prefix = "fd00:6b62::/64"
"""
#: The other box at a wire.
MESH = """
[network.mesh]
interface = "mesh0"
kind = "wire"
routing = "plain"
key_file = "/run/mesh.key"
"""


class Box:
    """The box in a bed. ``settings`` are appended to SETTINGS."""

    def __init__(self, bed: Bed, settings: str = "") -> None:
        self.bed = bed
        self.folder = bed.folder
        self._file = self.folder / "kiezbox.toml"
        self.set(settings)
        bed.path("/run/mesh.key").write_text("not the key of any real street\n")

    def set(self, settings: str) -> None:
        """Other settings from the next ``apply`` on."""
        self._file.write_text(SETTINGS + settings)

    def apply(self, mode: str) -> str:
        """Make the posture or mode; what was done."""
        done = self.try_apply(mode)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def try_apply(self, mode: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "kiezbox", "network", "apply", mode]
        return self.bed.run("box", [*command, "--settings", str(self._file)], is_checked=False)

    def pid_of(self, program: str) -> int:
        """Of the box's daemon of that name, as this side numbers it; 0: it does not run."""
        network = self.bed.path("/run/netns/box").stat().st_ino
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if (
                    (folder / "comm").read_text().strip() == program
                    and (folder / "ns/net").stat().st_ino == network
                    and (folder / "cmdline").read_bytes()
                ):
                    return int(folder.name)
            except OSError:
                continue
        return 0

    @property
    def hardware(self) -> bytes:
        """The address of its side of the street."""
        text = self.bed.path(f"{RUN}/street-up.ip").read_text()
        return bytes.fromhex(text.split(" address ", 1)[1].split()[0].replace(":", ""))

    def in_mesh(self) -> str:
        """Its IPv4 address among the boxes."""
        shown = json.loads(self.bed.run("box", "ip -j -4 address show dev kb-mesh").stdout)
        (address,) = [each["local"] for link in shown for each in link["addr_info"]]
        return str(address)

    def leases(self) -> list[str]:
        """Addresses that guests hold."""
        lines = self.bed.path(f"{RUN}/leases").read_text().splitlines()
        return [words[2] for words in map(str.split, lines) if len(words) == 5]

    def serve(self) -> Program:
        """A ``kiezbox portal`` on port 80, over facts of an outage."""
        write_facts(self.folder / "run", fresh(outage()))
        store = make_store(self.folder)
        portal = self.bed.start(
            "box",
            [sys.executable, "-m", "kiezbox", "portal", "--run-dir", str(self.folder / "run"),
             "--store", str(store), "--listen", "[::]:80"],
        )  # fmt: skip
        wait_for(lambda: "http://" in portal.said() or not portal.is_running, "the portal begins")
        assert portal.is_running, portal.said()
        return portal


def fetch(bed: Bed, guest: str, url: str, *more: str) -> subprocess.CompletedProcess[str]:
    """By curl, head and body; no proxy of this machine."""
    return bed.run(
        guest, ["curl", "--noproxy", "*", "-s", "-i", "-m", "10", *more, url], is_checked=False
    )
