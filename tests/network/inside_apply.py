"""Runs in network, mount and process namespaces of its own: a box with an Ethernet port to an
access point goes through its postures, without systemd. Prints what was seen, as JSON;
``test_apply.py`` says what is right. Everything that is left over ends with this process.

    inside_apply.py FOLDER
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kiezbox.cli import network
from kiezbox.errors import KiezboxError
from kiezbox.network.parts import parts
from kiezbox.network.proof import is_proven
from kiezbox.posture import Posture

FOLDER = Path(sys.argv[1])
RUN = FOLDER / "net"
SETTINGS = FOLDER / "kiezbox.toml"
TOML = """
[box]
id = "kb-1"
[store]
run_dir = "{folder}/run"
[network]
run_dir = "{folder}/net"
[network.access_point]
kind = "external"
interface = "eth1"
[network.street]
lease_s = {lease_s}
[network.uplink]
guest_uplink = "all"
interface = "eth0"
"""

NO_LEASES = "dhcp-range=10.42.0.2,10.42.0.9\ndhcp-leasefile=/none/leases\n"


def configure(lease_s: int = 2700) -> None:
    SETTINGS.write_text(TOML.format(folder=FOLDER, lease_s=lease_s))


def call(*words: str) -> dict[str, Any]:
    """A command as a maker gives it, but without a process for it: exit code and words."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        try:
            code, error = network.main([*words, "--settings", str(SETTINGS)]), ""
        except KiezboxError as problem:
            code, error = problem.exit_code, f"{problem}\n{problem.hint}"
    return {"code": code, "said": said.getvalue().splitlines(), "error": error}


def ip(*words: str) -> Any:
    done = subprocess.run(["ip", "-j", *words], capture_output=True, text=True, timeout=10)
    return json.loads(done.stdout or "[]")


def look() -> dict[str, Any]:
    """All that a posture could leave behind."""
    tables = subprocess.run(["nft", "list", "tables"], capture_output=True, text=True, timeout=10)
    keys = ("ipv4/conf/eth0/forwarding", "ipv6/conf/all/forwarding", "ipv6/conf/eth0/accept_ra")
    return {
        "interfaces": {
            link["ifname"]: [link.get("master"), "UP" in link["flags"]] for link in ip("link")
        },
        "rules": len(ip("rule")),
        "routes": [route["dst"] for route in ip("route") if route["dev"] != "eth0"],
        "tables": tables.stdout.splitlines(),
        "kernel": [Path("/proc/sys/net", key).read_text().strip() for key in keys],
        "processes": sorted(name for name in processes().values() if "python" not in name),
    }


def processes() -> dict[int, str]:
    """Everybody in this namespace that lives, but us."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            head, _, rest = path.read_text().rpartition(")")
            if rest.split()[0] != "Z":
                found[int(path.parent.name)] = head.partition("(")[2]
    return found


def pid_of(part: str) -> int:
    known = json.loads((RUN / "applied.json").read_text())["parts"]
    return int(known[part]["pid"])


def until(condition: Callable[[], bool], limit_s: float = 5.0) -> None:
    end = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(condition)
        time.sleep(0.005)


def story() -> dict[str, Any]:
    facts: dict[str, Any] = {"before": look()}
    configure()
    facts["prepare"] = call("prepare")
    facts["prepared"] = look()
    facts["emergency"] = call("apply", "emergency")
    facts["in emergency"] = look()
    facts["addresses"] = [
        f"{each['local']}/{each['prefixlen']}"
        for link in ip("address", "show", "dev", "kb-street")
        for each in link["addr_info"]
    ]
    facts["usable at once"] = not any(
        each.get("tentative")
        for link in ip("address", "show", "dev", "kb-street")
        for each in link["addr_info"]
    )
    facts["again"] = call("apply", "emergency")
    facts["status"] = call("status", "--json")
    facts["killed"] = killed()
    facts["flushed"] = flushed()
    facts["refreshed"] = refreshed()
    facts["shared"] = call("apply", "shared")
    facts["in shared"] = look()
    facts["back"] = call("apply", "emergency")
    facts["in emergency again"] = look()
    facts["foreign"] = foreign()
    facts["normal"] = call("apply", "normal")
    facts["in normal"] = look()
    facts["normal again"] = call("apply", "normal")
    facts["half-way"] = half_way()
    facts["half-way from emergency"] = half_way_from_emergency()
    facts["stranger's number"] = strangers_number()
    call("apply", "normal")
    facts["after"] = look()
    return facts


def killed() -> dict[str, Any]:
    before = pid_of("dnsmasq")
    os.kill(before, signal.SIGKILL)
    until(lambda: before not in processes())
    index = socket.if_nametoindex("kb-street")
    found = call("apply", "emergency")
    return {
        **found,
        "is_new": pid_of("dnsmasq") != before,
        "same_street": index == socket.if_nametoindex("kb-street"),
    }


def flushed() -> dict[str, Any]:
    """Debian's nftables.service begins with this."""
    subprocess.run(["nft", "flush", "ruleset"], check=True, timeout=10)
    return call("apply", "emergency")


def refreshed() -> dict[str, Any]:
    """Nothing changed; then the settings do, while guests are there."""
    dnsmasq, index = pid_of("dnsmasq"), socket.if_nametoindex("kb-street")
    facts: dict[str, Any] = {"nothing": call("prepare"), "kept": pid_of("dnsmasq") == dnsmasq}
    configure(lease_s=1800)
    facts["changed"] = call("prepare")
    facts["is_new"] = pid_of("dnsmasq") != dnsmasq
    facts["same_street"] = index == socket.if_nametoindex("kb-street")
    return facts


def foreign() -> dict[str, Any]:
    """Somebody else's dnsmasq, on another interface, as libvirt has."""
    subprocess.run(["ip", "link", "add", "virbr0", "type", "bridge"], check=True, timeout=10)
    subprocess.run(["ip", "address", "add", "192.168.122.1/24", "dev", "virbr0"], timeout=10)
    subprocess.run(["ip", "link", "set", "virbr0", "up"], timeout=10)
    its = subprocess.Popen(
        ["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--pid-file=",
         "--interface=virbr0", "--except-interface=lo", "--bind-interfaces", "--port=0",
         "--dhcp-range=192.168.122.2,192.168.122.9", f"--dhcp-leasefile={FOLDER}/other"],
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        call("apply", "closed")
        return {"lives": its.poll() is None, "bridge": bool(ip("link", "show", "dev", "virbr0"))}
    finally:
        its.kill()
        its.wait(10)
        subprocess.run(["ip", "link", "delete", "virbr0"], timeout=10)
        call("apply", "emergency")


@contextlib.contextmanager
def somebody_has_port_67() -> Any:
    """dnsmasq shares it only with who wants to share."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("0.0.0.0", 67))
        yield


def half_way() -> dict[str, Any]:
    dnsmasq = next(part for part in parts() if part.name == "dnsmasq")
    with somebody_has_port_67():
        is_proven_by_it = is_proven(dnsmasq, Posture.EMERGENCY)
        failed = call("apply", "emergency")
    return {**failed, "left": look(), "is proven by a stranger": is_proven_by_it}


def half_way_from_emergency() -> dict[str, Any]:
    """On the way to another posture: the one before goes on. dnsmasq understands the text (else
    `prepare` would have said so), and yet cannot start.
    """
    call("apply", "emergency")
    plan = sys.modules["kiezbox.network.plan"].dnsmasq  # type: ignore[attr-defined]
    ours = plan.configuration
    plan.configuration = lambda posture, *rest: (
        NO_LEASES if posture == "shared" else ours(posture, *rest)
    )
    try:
        failed = call("apply", "shared")
    finally:
        plan.configuration = ours
    return {
        **failed,
        "posture": json.loads((RUN / "applied.json").read_text())["posture"],
        "left": look(),
        "then": call("apply", "emergency"),
    }


def strangers_number() -> dict[str, Any]:
    """A process that was given the number of ours, which is long gone."""
    other = subprocess.Popen(["sleep", "60"], start_new_session=True)
    try:
        known = json.loads((RUN / "applied.json").read_text())
        os.kill(known["parts"]["dnsmasq"]["pid"], signal.SIGKILL)
        known["parts"]["dnsmasq"]["pid"] = other.pid
        (RUN / "applied.json").write_text(json.dumps(known))
        call("apply", "closed")
        return {"lives": other.poll() is None}
    finally:
        other.kill()
        other.wait(10)


def main() -> None:
    for command in (
        "mount -t sysfs sysfs /sys",
        "ip link set lo up",
        "ip link add eth0 type veth peer name world",
        "ip link add eth1 type veth peer name ap",
        "ip address add 192.0.2.2/24 dev eth0",
        "ip link set eth0 up",
        "ip link set world up",
        "ip link set ap up",
    ):
        subprocess.run(command.split(), check=True, timeout=10)
    json.dump(story(), sys.stdout)


main()
