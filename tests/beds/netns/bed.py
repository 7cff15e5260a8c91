"""A street of network namespaces: guests, an access point, the box, another box, the world.

::

    anna ─┐                      ┌─ eth0 ─ world   a home LAN, and beyond it the internet
    bora ─┤ air ── ap0 ─ box ────┤
    …     ┘                      └─ mesh0 ─ other  another box

``air`` is the access point: a bridge that keeps its guests apart and takes frames only from
stations that it knows, as hostapd does (``ap_isolate``; class 3 frames are for associated ones).

All of it lies in mount, network and process namespaces of its own, which end with the first
process in them, and that ends when our end of a pipe closes: so also when the tests are killed.
"""

from __future__ import annotations

import ctypes
import os
import shlex
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import pytest

T = TypeVar("T")

LIMIT_S = 20.0
CLONE_NEWNET = 0x40000000

GUESTS = ("anna", "bora")
#: The home LAN behind the box: its router (and the way out), a computer on it, the box.
HOME_ROUTER, HOME_COMPUTER, BOX_AT_HOME = "192.168.77.1", "192.168.77.50", "192.168.77.2"
HOME_ROUTER6, BOX_AT_HOME6 = "2001:db8:77::1", "2001:db8:77::2"
#: Out in the world. None of RFC 5737's example addresses: a resolver that guards against names for
#: inner addresses (stop-dns-rebind) refuses those, too. Nothing leaves the namespaces.
SITE, SITE6 = "50.0.0.80", "2001:db8:80::80"
RESOLVER, RESOLVER6 = "50.0.0.53", "2001:db8:80::53"
#: The boxes among themselves.
OTHER_BOX = "10.43.0.2"

NEEDED = ("unshare", "nsenter", "ip", "bridge", "nft", "dnsmasq", "udhcpc")

#: Runs as the first process. What the box, dbus and NetworkManager leave in /run and /etc stays in
#: here: /run is new, /etc a copy.
BEGINNING = """
mount -t tmpfs bed /run
mkdir -p /run/netns /run/lock /run/leases
cp -a /etc /run/etc && mount --bind /run/etc /etc
for folder in /var/lib/NetworkManager /var/lib/dhcp /var/lib/misc; do
    [ -d $folder ] && mount -t tmpfs bed $folder
done
ip link set lo up
"""

#: Stays until the other end of the pipe is closed, and buries what is left to it meanwhile.
STAYING = "exec 3<&0; echo ready; cat <&3 >/dev/null & wait $!"

#: As every DHCP client's script does: address, route, resolver; and a record of what it was told.
LEASE_SCRIPT = """#!/bin/sh
[ "$1" = bound ] || [ "$1" = renew ] || exit 0
ip -4 address flush dev $interface
ip address add $ip/$mask dev $interface
ip route replace default via $router
: >/etc/resolv.conf
for server in $dns; do echo "nameserver $server" >>/etc/resolv.conf; done
env >/run/leases/$GUEST
"""


class Bed:
    """The namespaces and what runs in them. A context manager; ``close`` twice does no harm."""

    def __init__(self, folder: Path, guests: Sequence[str] = GUESTS) -> None:
        """``folder`` takes logs.

        Skips the test, loudly, where there can be no bed.
        """
        why = _why_not()
        if why:
            pytest.skip(f"skipped, because {why}")
        self.folder = folder
        self.guests = tuple(guests)
        self._unshare = subprocess.Popen(
            ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child=KILL",
             "--mount-proc", "--propagation", "private", "sh", "-ec", BEGINNING + STAYING],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            assert self._unshare.stdout is not None
            said = self._unshare.stdout.readline()
            if said != "ready\n":
                pytest.skip("skipped, because namespaces cannot be made here (see above)")
            self.first_process = _child(self._unshare.pid)
            self._libc = ctypes.CDLL(None, use_errno=True)
            self._build()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Bed:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the first process; the kernel ends all others and takes the namespaces away."""
        if self._unshare.stdin is not None and not self._unshare.stdin.closed:
            self._unshare.stdin.close()
        try:
            self._unshare.wait(LIMIT_S)
        except subprocess.TimeoutExpired:
            self._unshare.kill()
            self._unshare.wait(LIMIT_S)
        if self._unshare.stdout is not None:
            self._unshare.stdout.close()

    # --- doing something in it -----------------------------------------------------------------

    def words(self, where: str, command: Sequence[str]) -> list[str]:
        """The command line that runs ``command`` at ``where`` ("" for the bed itself)."""
        there = ["ip", "netns", "exec", where] if where else []
        target = ["nsenter", "--target", str(self.first_process), "--mount", "--net", "--pid"]
        return [*target, *there, *command]

    def run(
        self, where: str, command: str | Sequence[str], *, is_checked: bool = True, **options: Any
    ) -> subprocess.CompletedProcess[str]:
        """A command to its end; words, or a line split as a shell would."""
        words = shlex.split(command) if isinstance(command, str) else command
        options = {"capture_output": True, "text": True, "timeout": LIMIT_S, **options}
        done = subprocess.run(self.words(where, words), **options)
        assert not is_checked or done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done

    def start(self, where: str, command: Sequence[str], **environment: str) -> Program:
        """A program that stays. Its words go to a file of the folder."""
        return Program(self, where, command, environment)

    def inside(self, where: str, what: Callable[[], T]) -> T:
        """Call ``what`` in a thread that has gone to that network; sockets it makes stay there."""
        results: list[T] = []
        errors: list[BaseException] = []

        def go() -> None:
            try:
                with open(self.path(f"/run/netns/{where}")) as network:
                    if self._libc.setns(network.fileno(), CLONE_NEWNET) != 0:
                        raise OSError(ctypes.get_errno(), "setns")
                results.append(what())
            except BaseException as error:
                errors.append(error)

        thread = threading.Thread(target=go)
        thread.start()
        thread.join()
        if errors:
            raise errors[0]
        return results[0]

    def path(self, inside: str) -> Path:
        """A file of the bed, as it is seen from outside."""
        return Path(f"/proc/{self.first_process}/root{inside}")

    def connect(self, where: str, address: str, port: int, timeout_s: float = 5.0) -> socket.socket:
        return self.inside(where, lambda: socket.create_connection((address, port), timeout_s))

    # --- the street ----------------------------------------------------------------------------

    def lease(self, guest: str, *more: str) -> dict[str, str]:
        """Join, and let busybox' DHCP client get an address; what it was told (``ip``, …)."""
        self.run("", ["ip", "-n", guest, "link", "set", "wlan0", "down"])
        self.run("", ["ip", "-n", guest, "link", "set", "wlan0", "up"])
        words = "udhcpc -i wlan0 -n -q -f -t 10 -T 1 -A 1 -s /run/lease-script -O 114".split()
        self.run(guest, ["env", f"GUEST={guest}", *words, *more])
        text = self.path(f"/run/leases/{guest}").read_text()
        return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)

    def _build(self) -> None:
        names = ("air", "box", "world", "other", *self.guests)
        lines = [f"netns add {name}" for name in names]
        self.run("", ["sh", "-ec", "ip -batch -"], input="\n".join(lines) + "\n")
        lines = [f"-n {name} link set lo up" for name in names]
        lines += [
            "-n air link add br0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0",
            "-n air link set br0 up",
            *_wire("air", "box", "box", "ap0"),
            "-n air link set box master br0 up",
            *_wire("box", "eth0", "world", "eth0"),
            *_wire("box", "mesh0", "other", "mesh0"),
        ]
        for number, guest in enumerate(self.guests, 1):
            lines += self._guest(guest, number)
        for place, device, *addresses in (
            ("box", "eth0", f"{BOX_AT_HOME}/24", f"{BOX_AT_HOME6}/64"),
            ("box", "mesh0"),
            ("other", "mesh0", f"{OTHER_BOX}/16"),
            ("world", "eth0", f"{HOME_ROUTER}/24", f"{HOME_COMPUTER}/24", f"{HOME_ROUTER6}/64"),
            ("world", "lo", SITE, SITE6, RESOLVER, RESOLVER6),
        ):
            lines.append(f"-n {place} link set {device} up")
            for address in addresses:
                nodad = " nodad" if ":" in address else ""
                lines.append(f"-n {place} address add {address} dev {device}{nodad}")
        lines.append(f"-n box route add default via {HOME_ROUTER}")
        lines.append(f"-6 -n box route add default via {HOME_ROUTER6}")
        self._batch(lines)
        script = self.path("/run/lease-script")
        script.write_text(LEASE_SCRIPT)
        script.chmod(0o755)
        for guest in self.guests:
            folder = self.path(f"/etc/netns/{guest}")
            folder.mkdir(parents=True)
            (folder / "resolv.conf").write_text("")

    def _batch(self, lines: Sequence[str]) -> None:
        """``ip``, once for each line: its batches cannot go from network to network."""
        script = "\n".join(f"ip {line}" for line in lines)
        self.run("", ["sh", "-e"], input=script)

    def _guest(self, guest: str, number: int) -> list[str]:
        """A station and its port at the access point: isolated, and only with this address."""
        return [
            *_wire("air", guest, guest, "wlan0", hardware_address(number)),
            f"-n air link set {guest} master br0 up",
            f"-n air link set {guest} type bridge_slave isolated on learning off locked on",
            f"netns exec air bridge fdb add {hardware_address(number)} dev {guest} master static",
            # As a phone does it, only without the second in which it looks for a double.
            f"netns exec {guest} sysctl -qw net.ipv6.conf.wlan0.dad_transmits=0"
            " net.ipv6.conf.wlan0.router_solicitation_delay=0",
        ]


class Program:
    """A program that runs in the bed until it is ended or the bed is closed."""

    def __init__(
        self, bed: Bed, where: str, command: Sequence[str], environment: dict[str, str]
    ) -> None:
        self.log = bed.folder / f"{Path(command[0]).name}-{where}-{time.monotonic_ns()}.log"
        with self.log.open("wb") as log:
            self._entered = subprocess.Popen(
                bed.words(where, command), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, **environment},
            )  # fmt: skip
        #: As this side numbers it.
        self.pid = _child(self._entered.pid)

    @property
    def is_running(self) -> bool:
        return self._entered.poll() is None

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def send(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Ask it to end, and wait."""
        if self.is_running:
            self.send(number)
        self._entered.wait(LIMIT_S)


def wait_for(what: Callable[[], T], why: str, limit_s: float = LIMIT_S) -> T:
    """The first true answer, or a failure that says what was waited for."""
    limit = time.monotonic() + limit_s
    while not (answer := what()):
        assert time.monotonic() < limit, f"not within {limit_s:g} s: {why}"
        time.sleep(0.01)
    return answer


def hardware_address(number: int) -> str:
    """Of the guest with this number (from 1): locally administered."""
    return f"02:00:5e:00:53:{number:02x}"


def _wire(here: str, end: str, there: str, other_end: str, address: str = "") -> list[str]:
    """A pair of virtual Ethernet ports."""
    given = f"address {address} " if address else ""
    return [
        f"link add {end} netns {here} type veth peer name {other_end} {given}netns {there}",
    ]


def _why_not() -> str:
    if os.geteuid() != 0:
        return "network namespaces need root"
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    missing = [program for program in NEEDED if shutil.which(program, path=path) is None]
    return f"these programs are missing: {', '.join(missing)} (tests/prepare)" if missing else ""


def _child(pid: int) -> int:
    """The process that this one forked, once it has."""
    children = Path(f"/proc/{pid}/task/{pid}/children")

    def found() -> int:
        try:
            numbers = children.read_text().split()
        except FileNotFoundError:
            return -1
        return int(numbers[0]) if numbers else 0

    return wait_for(found, f"process {pid} starts another one")
