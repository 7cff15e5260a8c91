"""The table of parts: what runs for a posture, by which commands, and what makes it start anew.

One table for both ways to start them. Under systemd the commands stand in ``systemd/*.service``
(a test holds the units to this table); in a namespace or a container ``apply`` runs them itself.
``{run}`` is ``network.run_dir``, ``{posture}`` a posture's word (``%i`` in a unit), and
``${NAME}`` stands in the file ``{run}/environment``.
"""

from __future__ import annotations

import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from kiezbox.network.addresses import STREET
from kiezbox.posture import Posture

__all__ = ["PACKAGES", "PARTS", "Part", "in_order", "parts", "unit_of"]

Command = tuple[str, ...]

#: Which Debian package brings a program that we start.
PACKAGES = {
    "hostapd": "hostapd",
    "dnsmasq": "dnsmasq-base",
    "nft": "nftables",
    "ip": "iproute2",
    "iw": "iw",
    "sysctl": "procps",
    "wpa_supplicant": "wpasupplicant",
    "udhcpc": "udhcpc",
    "nmcli": "network-manager",
    "batctl": "batctl",
    "babeld": "babeld",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Something that runs, or is done once, while a posture holds."""

    name: str
    #: For the maker who reads the plan.
    does: str
    #: The part is wanted where the plan has this file (``ConditionPathExists=`` in the unit).
    file: str
    #: In order (``ExecStart=``). Of a daemon the only one, and it stays in the foreground.
    start: tuple[Command, ...]
    #: Said to a daemon once it runs (``ExecStartPost=``); if it does not listen, so be it.
    then: Command = ()
    #: Takes back what ``start`` did; runs also after a start that failed (``ExecStopPost=``).
    #: Not for a daemon, which is ended by SIGTERM.
    stop: Command = ()
    is_daemon: bool = False
    #: Without it there is no emergency WLAN; another part that fails is only reported.
    is_vital: bool = False
    #: Is carried out anew for every posture, and leaves nothing running that could be stopped.
    is_passing: bool = False
    #: Files other than ``file`` whose change makes the part start anew.
    files: tuple[str, ...] = ()
    #: Files that a running daemon reads again on SIGHUP.
    rereads: tuple[str, ...] = ()
    #: Must be there first; if one of these starts anew, so does this.
    needs: tuple[str, ...] = ()
    #: Comes after these where they are wanted, but does not depend on them.
    after: tuple[str, ...] = ()

    @property
    def is_per_posture(self) -> bool:
        """Whether it is another one for each posture, and so changes places with its sister."""
        return "{posture}" in self.file

    def programs(self) -> tuple[str, ...]:
        """Names of the programs it starts."""
        return tuple(dict.fromkeys(Path(command[0]).name for command in self.start))


PARTS: tuple[Part, ...] = (
    Part(
        name="handover",
        does="takes the access point's interface over from NetworkManager, and gives it back",
        file="handover",
        start=(("/usr/bin/nmcli", "device", "set", "${KIEZBOX_PORT}", "managed", "no"),),
        stop=("/usr/bin/nmcli", "device", "set", "${KIEZBOX_PORT}", "managed", "yes"),
    ),
    Part(
        name="street",
        does=f"the bridge {STREET} and the box's addresses on it",
        file="street-up.ip",
        is_vital=True,
        start=(("/usr/sbin/ip", "-batch", "{run}/street-up.ip"),),
        stop=("/usr/sbin/ip", "-force", "-batch", "{run}/street-down.ip"),
        after=("handover",),
    ),
    Part(
        name="firewall",
        does="who may speak to whom: nftables' table inet kiezbox",
        file="{posture}/ruleset.nft",
        is_vital=True,
        start=(("/usr/sbin/nft", "--file", "{run}/{posture}/ruleset.nft"),),
        is_passing=True,
    ),
    Part(
        name="kernel",
        does="what the kernel does with guests' packets: whom it believes, what it forwards",
        file="{posture}/kernel.sysctl",
        start=(
            ("/usr/sbin/sysctl", "--quiet", "--ignore", "--load={run}/{posture}/kernel.sysctl"),
        ),
        is_passing=True,
        after=("street", "mesh-address"),
    ),
    Part(
        name="hostapd",
        does="the emergency WLAN on the air",
        file="hostapd.conf",
        is_vital=True,
        start=(("/usr/sbin/hostapd", "{run}/hostapd.conf"),),
        # Its log names every phone's hardware address, unless it is asked for warnings only.
        then=(
            *("/usr/sbin/hostapd_cli", "-r", "-s", "{run}", "-p", "{run}/hostapd"),
            *("-i", "${KIEZBOX_PORT}", "log_level", "WARNING"),
        ),
        is_daemon=True,
        needs=("street",),
        after=("handover", "firewall"),
    ),
    Part(
        name="dnsmasq",
        does="addresses and names for guests: DHCP, DNS, router advertisements",
        file="{posture}/dnsmasq.conf",
        is_vital=True,
        start=(
            (
                "/usr/sbin/dnsmasq",
                "--keep-in-foreground",
                "--pid-file=",
                "--conf-file={run}/{posture}/dnsmasq.conf",
            ),
        ),
        is_daemon=True,
        rereads=("dhcp-options", "hosts"),
        needs=("street",),
    ),
    Part(
        name="client",
        does="joins the WLAN of network.uplink",
        file="client.conf",
        start=(
            ("/usr/sbin/wpa_supplicant", "-i${KIEZBOX_UPLINK}", "-Dnl80211", "-c{run}/client.conf"),
        ),
        is_daemon=True,
    ),
    Part(
        name="client-address",
        does="asks that WLAN for an address",
        file="client.conf",
        start=(("/usr/sbin/udhcpc", "-f", "-R", "-A", "10", "-i${KIEZBOX_UPLINK}"),),
        is_daemon=True,
        needs=("client",),
    ),
)


def parts() -> tuple[Part, ...]:
    """The whole table, the mesh's rows included."""
    try:
        from kiezbox.network.mesh import MESH_PARTS
    except ImportError:
        return PARTS
    return (*PARTS, *MESH_PARTS)


def unit_of(part: Part, posture: Posture) -> str:
    """The systemd unit that is this part."""
    instance = f"@{posture.value}" if part.is_per_posture else ""
    return f"kiezbox-{part.name}{instance}.service"


def in_order(wanted: Iterable[Part]) -> list[Part]:
    """So that what a part needs or comes after stands before it.

    Raises:
        ValueError: two parts wait for each other.
    """
    left = {part.name: part for part in wanted}
    done: list[Part] = []
    while left:
        ready = [
            part for part in left.values() if not left.keys() & {*part.needs, *part.after}
        ]  # fmt: skip
        if not ready:
            raise ValueError(f"wait for each other: {sorted(left)}")
        done += ready
        for part in ready:
            del left[part.name]
    return done


def fill(command: Command, *, run: str, posture: str, environment: Mapping[str, str]) -> list[str]:
    """A command of the table as it is started.

    >>> fill(("a", "-i${X}", "{run}/{posture}/b"), run="/r", posture="dark", environment={"X": "y"})
    ['a', '-iy', '/r/dark/b']
    """
    return [
        string.Template(word.replace("{run}", run).replace("{posture}", posture)).substitute(
            environment
        )
        for word in command
    ]
