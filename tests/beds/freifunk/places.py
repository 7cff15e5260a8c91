"""Boxes among themselves, and boxes in somebody else's network, as network namespaces.

Other networks than ``beds.netns``, in the same kind of bed: everything ends with it.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from beds.netns.bed import LEASE_SCRIPT, Bed, wait_for

KEY = "elf kleine Zeichen oder mehr"

TOML = """
[box]
id = "kb-{name}"
name = "Box {name}"

[store]
path = "{folder}/kiezbox.db"
run_dir = "{folder}/run"

[network]
run_dir = "{folder}/network"

[network.access_point]
kind = "external"
interface = "ap0"
"""

#: The box's reading to the broker at argv[1] ("mesh": by what respondd wrote into argv[2]), as the
#: node's worker has it; says how many seconds it took.
PUBLISH = """
import sys, threading, time
from kiezbox.clock import ManualClock
from kiezbox.errors import PublishError
from kiezbox.model import Batch, Reading, Series, serial_of
from kiezbox.publishers import mqtt
from kiezbox.settings import BoxSettings, parse
began = time.monotonic()
settings = parse(mqtt.Settings, {"host": sys.argv[1], "port": 1883, "tls": False,
    "neighbours": sys.argv[2]})
box = parse(BoxSettings, {"id": "kb-box"})
publisher = mqtt.open(settings, box, ManualClock(), lambda: None)
reading = Reading(serial_of(1, 1), 1, 1_780_000_000_000, 0, 21.5)
while True:
    try:
        publisher.publish(Batch("kb-box", {1: Series("roof", "temperature_c")}, [reading]))
        break
    except PublishError as error:
        if time.monotonic() - began > 15:
            raise
        time.sleep(0.02)
print(time.monotonic() - began)
publisher.close()
"""


class Place(Bed):
    """``wires``: pairs of ends, each NAMESPACE:INTERFACE; ``switches``: namespace → its ports,
    joined by a bridge; ``addresses``: NAMESPACE:INTERFACE → addresses with prefix length.
    """

    def __init__(
        self,
        folder: Path,
        wires: Sequence[tuple[str, str]],
        *,
        switches: Sequence[str] = (),
        addresses: Mapping[str, Sequence[str]],
        guests: Sequence[str] = (),
    ) -> None:
        self._wires, self._switches, self._addresses = wires, switches, addresses
        super().__init__(folder, guests)

    def _build(self) -> None:
        ends = [end.split(":") for wire in self._wires for end in wire]
        names = dict.fromkeys(name for name, _ in ends)
        lines = [f"ip netns add {name}\nip -n {name} link set lo up" for name in names]
        for here, there in self._wires:
            (a, x), (b, y) = here.split(":"), there.split(":")
            lines.append(f"ip link add {x} netns {a} type veth peer name {y} netns {b}")
        lines += [
            f"ip -n {name} link add br0 type bridge forward_delay 0 mcast_snooping 0\n"
            f"ip -n {name} link set br0 up"
            for name in self._switches
        ]
        for name, interface in ends:
            master = " master br0" if name in self._switches else ""
            # As a phone or a router does it, without the second in which it looks for a double.
            lines.append(
                f"ip netns exec {name} sysctl -qw net.ipv6.conf.{interface}.dad_transmits=0"
                f" net.ipv6.conf.{interface}.router_solicitation_delay=0\n"
                f"ip -n {name} link set {interface}{master} up"
            )
        for end, given in self._addresses.items():
            name, interface = end.split(":")
            lines += [
                f"ip -n {name} address add {address} dev {interface}"
                + (" nodad" if ":" in address else "")
                for address in given
            ]
        self.run("", ["sh", "-e"], input="\n".join(lines))
        script = self.path("/run/lease-script")
        script.write_text(LEASE_SCRIPT)
        script.chmod(0o755)
        for name in names:
            folder = self.path(f"/etc/netns/{name}")
            folder.mkdir(parents=True)
            (folder / "resolv.conf").write_text("")

    def routes(self, where: str, *of: str) -> list[dict[str, Any]]:
        """``ip -j [-6] route show …``"""
        words = ["ip", "-j", *(["-6"] if "-6" in of else []), "route", "show"]
        done = self.run(where, [*words, *(word for word in of if word != "-6")], is_checked=False)
        found: list[dict[str, Any]] = json.loads(done.stdout or "[]")
        return found


class Resident:
    """A box of a place, in the namespace of its name. ``settings``: TOML after the usual."""

    def __init__(self, place: Place, name: str, settings: str = "") -> None:
        self.place, self.name = place, name
        self.folder = f"/run/{name}"
        place.path(self.folder).mkdir()
        self._file = place.path(f"{self.folder}/kiezbox.toml")
        self._file.write_text(TOML.format(name=name, folder=self.folder) + settings)
        (place.path(self.folder) / "mesh.key").write_text(KEY + "\n")

    def network(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "kiezbox", "network", *words]
        return self.place.run(
            self.name, [*command, "--settings", f"{self.folder}/kiezbox.toml"], timeout=60,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[3])},
        )  # fmt: skip

    def apply(self, posture: str) -> str:
        return self.network("apply", posture).stdout

    def says(self, name: str) -> str:
        """A file of its network folder, "" if it is not there."""
        try:
            return self.place.path(f"{self.folder}/network/{name}").read_text()
        except FileNotFoundError:
            return ""

    def neighbours(self) -> dict[str, Any]:
        """neighbours.json: id → what is known."""
        news = json.loads(self.says("neighbours.json") or '{"neighbours": []}')
        return {each["id"]: each for each in news["neighbours"]}

    def wait_for_uplink(self, word: str, limit_s: float = 20) -> None:
        wait_for(
            lambda: self.says("uplink").strip() == word, f"{self.name}'s uplink is {word}", limit_s
        )

    def processes(self) -> dict[str, int]:
        """Command → process id as this side numbers it, of what its namespace's daemons are."""
        network = os.readlink(f"/proc/{self._anchor()}/ns/net")
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if os.readlink(folder / "ns/net") == network:
                    words = (folder / "cmdline").read_bytes().split(b"\0")
                    found[" ".join(Path(word.decode()).name for word in words[:3])] = int(
                        folder.name
                    )
            except (OSError, UnicodeDecodeError):
                continue
        return found

    def _anchor(self) -> int:
        """A process of ours in its namespace; without one there is nothing to compare with."""
        if not hasattr(self, "_sleeper"):
            self._sleeper = self.place.start(self.name, ["sleep", "infinity"])
            # Before that it is `ip`, on its way into the namespace.
            command = Path(f"/proc/{self._sleeper.pid}/cmdline")
            wait_for(lambda: command.read_bytes().startswith(b"sleep"), "a process is there")
        return self._sleeper.pid

    def pid_of(self, pattern: str) -> int:
        """Never 0, which to kill(2) means ourselves."""
        found = [pid for words, pid in self.processes().items() if re.search(pattern, words)]
        assert found, f"{self.name} runs no {pattern}: {self.processes()}"
        return found[0]
