"""Runs in a network and a process namespace of its own: real programs hold real ports, and the
check looks at them. Prints what it found, a JSON object by scenario."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from machines import Tree, found  # noqa: E402

from kiezbox.checks.ports import listeners  # noqa: E402

DNSMASQ = ("dnsmasq", "--keep-in-foreground", "--no-resolv", "--no-hosts", "--conf-file=/dev/null",
           "--user=root", "--pid-file=")  # fmt: skip

SCENARIOS: dict[str, tuple[tuple[str, ...], set[int]]] = {
    "nobody": ((), set()),
    "dnsmasq everywhere": (
        (*DNSMASQ, "--dhcp-range=10.42.0.2,10.42.0.9", "--dhcp-leasefile=/dev/null"),
        {53, 67},
    ),
    "a resolver on loopback": (
        (*DNSMASQ, "--listen-address=127.0.0.53", "--bind-interfaces"),
        {53},
    ),
    "a resolver on the street's address": (
        (*DNSMASQ, "--listen-address=198.51.100.1", "--bind-interfaces"),
        {53},
    ),
    "a web server on loopback": (
        (sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "80"),
        {80},
    ),
    "our own dnsmasq": (
        (*DNSMASQ, "--domain=kiezbox-network"),
        {53},
    ),
}


def ports() -> list[list[str]]:
    findings = found("ports", Tree(Path("/nowhere")).examined())
    return [[each.level.name, each.message, each.hint] for each in findings]


def look() -> list[list[str]]:
    tree = Tree(Path("/"))
    tree.says = lambda command: ""  # type: ignore[method-assign]
    return [[e.level.name, e.message, e.hint] for e in found("ports", tree.examined())]


def as_nobody(action: Callable[[], list[list[str]]]) -> list[list[str]]:
    """In a child without rights; its answer comes through a pipe."""
    read, write = os.pipe()
    if not os.fork():
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        os.write(write, json.dumps(action()).encode())
        os._exit(0)
    os.close(write)
    with open(read, encoding="utf-8") as answer:
        text = answer.read()
    os.wait()
    return list(json.loads(text))


def main() -> None:
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True, timeout=10)
    subprocess.run(["ip", "address", "add", "198.51.100.1/32", "dev", "lo"], check=True, timeout=10)
    said = {}
    for name, (command, wanted) in SCENARIOS.items():
        process = subprocess.Popen(command) if command else None
        until = time.monotonic() + 10
        while not wanted <= {each.port for each in listeners(Path("/"))}:
            if time.monotonic() > until:
                raise TimeoutError(f"{name}: {command} holds no port")
            time.sleep(0.02)
        said[name] = look()
        if name == "dnsmasq everywhere":
            said["the same, for whoever has no rights"] = as_nobody(look)
        if process:
            process.terminate()
            process.wait(timeout=10)
    print(json.dumps(said))


main()
