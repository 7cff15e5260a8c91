"""Inside the virtual machine: guests, and who hears whom.

A guest is a network namespace with a radio of its own, Debian's wpa_supplicant, Debian's udhcpc,
and requests made from inside. Nothing here knows how the box does its part.
"""

from __future__ import annotations

import ctypes
import http.client
import os
import socket
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from guest import wait_for
from installed import run, until

#: Channels 1, 6 and 11, which a box may choose from; phones look at more, and take longer.
FREQUENCIES = "2412 2437 2462"

#: udhcpc calls it with what the server said in its environment (busybox, examples/udhcp).
_LEASE_SCRIPT = """#!/bin/sh
case $1 in bound | renew) ;; *) exit 0 ;; esac
ip address flush dev "$interface" scope global
ip address add "$ip/$mask" dev "$interface"
[ -z "$router" ] || ip route replace default via "$router"
for server in $dns; do echo "nameserver $server"; done >/etc/resolv.conf
env >"/run/lease-$interface"
"""

_CLONE_NEWNET = 0x40000000


def phy_of(interface: str) -> str:
    return Path(f"/sys/class/net/{interface}/phy80211").resolve().name


def may_hear(phy: str, groups: int) -> None:
    """mac80211_hwsim: two radios hear each other if their groups share a bit."""
    Path(f"/sys/kernel/debug/ieee80211/{phy}/hwsim/group").write_text(hex(groups))


@contextmanager
def within(name: str) -> Iterator[None]:
    """This thread in another network namespace: sockets made here stay there."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/self/ns/net") as home, open(f"/run/netns/{name}") as there:
        if libc.setns(there.fileno(), _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"cannot enter {name}")
        try:
            yield
        finally:
            libc.setns(home.fileno(), _CLONE_NEWNET)


class Supplicant:
    """wpa_supplicant's control socket: commands and events without a process for each."""

    def __init__(self, folder: Path, interface: str) -> None:
        self._own = folder / f"control-{interface}"
        self._own.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(self._own))
        self._socket.settimeout(10)
        self._socket.connect(str(folder / interface))
        self.events: list[str] = []
        self.say("ATTACH")

    def say(self, command: str) -> str:
        self._socket.send(command.encode())
        while True:
            answer = self._socket.recv(65536).decode(errors="replace")
            if not answer.startswith("<"):
                return answer.strip()
            self.events.append(answer)

    def wait_event(self, word: str, limit_s: float = 60) -> str:
        """The next event that holds ``word``; earlier ones are thrown away."""
        end = time.monotonic() + limit_s
        while True:
            if self.events:
                event = self.events.pop(0)
                if word in event:
                    return event
                continue
            self._socket.settimeout(max(0.01, end - time.monotonic()))
            try:
                self.events.append(self._socket.recv(65536).decode(errors="replace"))
            except TimeoutError:
                raise TimeoutError(f"wpa_supplicant: no {word} within {limit_s:g} s") from None
            finally:
                self._socket.settimeout(10)

    def listen_anew(self) -> None:
        """Forget what was said while nobody listened. The kernel keeps ten datagrams for us
        (net.unix.max_dgram_qlen), and wpa_supplicant gives up a listener that takes none: an hour
        of changed radio rules is enough.
        """
        self.say("DETACH")
        self.say("ATTACH")
        self.events.clear()

    def close(self) -> None:
        self._socket.close()
        self._own.unlink(missing_ok=True)


class Guest:
    """A phone: its own radio, its own network, no knowledge of the box."""

    def __init__(self, interface: str, name: str | None = None) -> None:
        self.interface, self.name = interface, name or f"guest-{interface}"
        self._folder = Path("/run") / self.name
        self._folder.mkdir()
        etc = Path("/etc/netns") / self.name
        etc.mkdir(parents=True)
        (etc / "resolv.conf").touch()
        self._script = self._folder / "lease"
        self._script.write_text(_LEASE_SCRIPT)
        self._script.chmod(0o755)
        run("ip", "netns", "add", self.name)
        run("iw", "phy", phy_of(interface), "set", "netns", "name", self.name)
        self.run("ip", "link", "set", "lo", "up")
        self._process: subprocess.Popen[bytes] | None = None
        self.radio: Supplicant | None = None

    def run(self, *command: str, limit_s: float = 120) -> str:
        return run("ip", "netns", "exec", self.name, *command, limit_s=limit_s)

    def switch_on(self, ssid: str) -> Supplicant:
        """WLAN on; joins ``ssid`` only when told to `join`."""
        configuration = self._folder / "wpa.conf"
        configuration.write_text(
            f"ctrl_interface={self._folder}\n"
            f'network={{\n ssid="{ssid}"\n key_mgmt=NONE\n'
            f" scan_freq={FREQUENCIES}\n disabled=1\n}}\n"
        )
        with (self._folder / "wpa.log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    "ip", "netns", "exec", self.name, "wpa_supplicant", "-i", self.interface,
                    "-D", "nl80211", "-c", str(configuration),
                ],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        until((self._folder / self.interface).exists, 30, "wpa_supplicant's socket")
        self.radio = Supplicant(self._folder, self.interface)
        return self.radio

    def join(self, limit_s: float = 60) -> float:
        """Associate; returns when the WLAN's name was heard and the association stands."""
        assert self.radio is not None
        self.radio.listen_anew()
        self.radio.say("ENABLE_NETWORK 0")
        self.radio.say("REASSOCIATE")
        began = time.monotonic()
        try:
            self.radio.wait_event("CTRL-EVENT-CONNECTED", limit_s)
        except TimeoutError as error:
            said = (self._folder / "wpa.log").read_text(errors="replace")[-2000:]
            state = self.radio.say("STATUS") + "\n" + self.radio.say("BSS RANGE=ALL MASK=0x1005")
            raise TimeoutError(f"{error}; {self.interface}:\n{state}\n{said}") from None
        return time.monotonic() - began

    def leave(self) -> None:
        assert self.radio is not None
        self.radio.say("DISABLE_NETWORK 0")
        self.radio.events.clear()
        self.forget_lease()

    def forget_lease(self) -> None:
        self.run("ip", "address", "flush", "dev", self.interface)
        Path(f"/run/lease-{self.interface}").unlink(missing_ok=True)

    def lease(self, limit_s: float = 30) -> dict[str, str]:
        """What a DHCP server offered and gave, by udhcpc's names of the options."""
        self.run(
            "udhcpc", "-i", self.interface, "-n", "-q", "-f", "-t", "20", "-T", "1",
            "-s", str(self._script), "-O", "114", limit_s=limit_s,
        )  # fmt: skip
        text = Path(f"/run/lease-{self.interface}").read_text()
        return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)

    def resolve(self, name: str, server: str, kind: int = 1, limit_s: float = 5) -> list[str]:
        """IPv4 addresses (kind 1) a name server answers; empty: it answered none."""
        labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
        question = struct.pack(">6H", 0x6B62, 0x0100, 1, 0, 0, 0) + labels + b"\0"
        with within(self.name), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.settimeout(limit_s)
            asking.sendto(question + struct.pack(">HH", kind, 1), (server, 53))
            answer = asking.recv(4096)
        count = struct.unpack_from(">H", answer, 6)[0]
        at, found = len(question) + 4, []
        for _ in range(count):
            # The owner's name is a pointer in every server's answer to one question (RFC 1035).
            at += 2
            record_kind, _, _, size = struct.unpack_from(">HHIH", answer, at)
            at += 10
            if record_kind == 1:
                found.append(socket.inet_ntoa(answer[at : at + size]))
            at += size
        return found

    def get(
        self, address: str, host: str, path: str = "/", *, limit_s: float = 10, port: int = 80
    ) -> tuple[int, dict[str, str], bytes]:
        """One request as a phone makes it: status, headers (lower-case), body."""
        with within(self.name):
            connection = http.client.HTTPConnection(address, port, timeout=limit_s)
            try:
                connection.request("GET", path, headers={"Host": host, "Connection": "close"})
                answer = connection.getresponse()
                headers = {name.lower(): value for name, value in answer.getheaders()}
                return answer.status, headers, answer.read()
            finally:
                connection.close()

    def is_refused(self, address: str, port: int, limit_s: float = 5) -> str:
        """How a TCP connection ends: "open", "reset", "no answer" or the error's name."""
        with within(self.name), socket.socket(socket.AF_INET, socket.SOCK_STREAM) as trying:
            trying.settimeout(limit_s)
            try:
                trying.connect((address, port))
            except ConnectionRefusedError:
                return "reset"
            except TimeoutError:
                return "no answer"
            except OSError as error:
                return type(error).__name__ + f" {error.errno}"
            return "open"

    def pings(self, address: str, limit_s: int = 2) -> bool:
        command = ["ip", "netns", "exec", self.name, "ping", "-c", "1", "-W", str(limit_s), address]
        return subprocess.run(command, capture_output=True, timeout=60).returncode == 0

    def visit(self, foreign: str = "neverssl.com") -> dict[str, Any]:
        """What a browser does with a foreign http address: name, redirect, page."""
        server = _first_server(self.name)
        addresses = self.resolve(foreign, server)
        status, headers, _ = self.get(addresses[0], foreign)
        facts: dict[str, Any] = {
            "addresses": addresses, "status": status, "location": headers.get("location")
        }  # fmt: skip
        if headers.get("location"):
            host = headers["location"].split("/")[2]
            numbers = host if host[0].isdigit() else self.resolve(host, server)[0]
            facts["page_status"], _, page = self.get(numbers, host)
            facts["page"] = page.decode(errors="replace")
        return facts

    def switch_off(self) -> None:
        if self.radio is not None:
            self.radio.close()
            self.radio = None
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None


def _first_server(name: str) -> str:
    lines = (Path("/etc/netns") / name / "resolv.conf").read_text().split()
    return lines[lines.index("nameserver") + 1]


def load_radio_rules() -> None:
    """As a real box does early: else whoever names a country waits 5 s for the database."""
    run("iw", "reg", "reload")


def wait_for_radio(interface: str) -> None:
    if not wait_for(Path(f"/sys/class/net/{interface}/phy80211").exists, 20):
        raise RuntimeError(f"no radio {interface}: {os.listdir('/sys/class/net')}")
