"""Inside the virtual machine: what the box does, seen from outside of its programs."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path
from typing import Any

from air import Guest
from guest import wait_for
from installed import InstalledBox, children_of, groups, mode, now, processes, run, until

WANTED = Path("/run/kiezbox/wanted")
SSID = "Kiezbox-Notfall"

#: What the four daemons are, by the unit that holds them.
DAEMONS = {
    "node": "kiezbox-node.service",
    "hostapd": "kiezbox-hostapd.service",
    "dnsmasq": "kiezbox-dnsmasq@*.service",
    "portal": "kiezbox-portal.service",
}

#: Units that come by timers and paths, do one thing and end.
BRIEF = {"kiezbox-network-refresh.service", "kiezbox-portal-certificate.service"}


def posture() -> str | None:
    """What the node asks for; None while it has not said anything."""
    with contextlib.suppress(FileNotFoundError):
        for name in os.listdir(WANTED):
            return name
    return None


def settle(box: InstalledBox) -> None:
    """The grid is there, the box knows it and is quiet.

    gpio-sim forgets what drives a line when the line is asked for, which the node does once.
    """

    def is_settled() -> bool:
        if (now().get("grid") or {}).get("state") != "present":
            box.chip.drive(17, True)
            return False
        return posture() == "closed"

    until(is_settled, 120, "the node's first word", pause_s=0.2)


def is_on_air(interface: str = "wlan0") -> bool:
    """Whether an access point is on the air; of a radio without one the state is "down"."""
    with contextlib.suppress(OSError):
        return Path(f"/sys/class/net/{interface}/operstate").read_text().strip() == "up"
    return False


def stages(box: InstalledBox, guest: Guest) -> dict[str, float]:
    """The grid goes; a guest's phone looks for the WLAN. Seconds since the pin's edge, cold.

    Each stage begins as soon as the one before is there; who waits looks every 5 ms.
    """
    at: dict[str, float] = {}
    began = time.monotonic()

    def reached(stage: str) -> None:
        at[stage] = time.monotonic() - began

    def when(stage: str, condition: Any, limit_s: float = 60) -> None:
        until(condition, limit_s, stage, pause_s=0.005)
        reached(stage)

    box.chip.drive(17, False)
    when("wanted", lambda: posture() == "emergency")
    when("street", Path("/sys/class/net/kb-street").exists)
    when("on_air", is_on_air)
    guest.join()
    reached("associated")
    lease = guest.lease()
    reached("lease")
    address = guest.resolve("neverssl.com", lease["dns"])[0]
    reached("name")
    answer = guest.get(address, "neverssl.com")
    reached("redirect")
    assert answer[0] == 302, answer
    host = answer[1]["location"].split("/")[2]
    status, _, page = guest.get(address, host)
    assert (status, b"Stromausfall" in page) == (200, True), (status, page[:300])
    reached("page")
    return at


def look() -> dict[str, Any]:
    """Everything an emergency could leave behind; what does one thing and ends has ended."""
    until(lambda: not running() & BRIEF, 120, "what ends by itself")
    leases = Path("/run/kiezbox-network/leases")
    return {
        "interfaces": sorted(os.listdir("/sys/class/net")),
        "addresses": sorted(
            f"{words[1]} {words[3]}"
            for words in map(str.split, run("ip", "-oneline", "address").splitlines())
        ),
        "tables": sorted(run("nft", "list", "tables").splitlines()),
        "rules": sorted(run("ip", "rule").splitlines()),
        "processes": sorted(running()),
        "listening": listening(),
        "leases": leases.read_text().splitlines() if leases.exists() else [],
    }


def running() -> set[str]:
    """The box's units that have a process."""
    return {name for name, numbers in groups("kiezbox*").items() if numbers}


def listening() -> list[str]:
    """Ports that somebody listens at in the box's own network: "tcp 80", … (proc(5))."""
    found = set()
    for protocol, state in (("tcp", "0A"), ("udp", "07")):
        for version in ("", "6"):
            lines = Path(f"/proc/net/{protocol}{version}").read_text().splitlines()[1:]
            for fields in map(str.split, lines):
                if fields[3] == state:
                    found.add(f"{protocol} {int(fields[1].rpartition(':')[2], 16)}")
    return sorted(found)


def kill(*names: str) -> None:
    """kill -9 of every process of these daemons."""
    for name in names:
        for number in processes(DAEMONS[name]):
            with contextlib.suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)


def serves(guest: Guest) -> bool:
    """Whether the guest, as it is, gets the emergency page."""
    try:
        facts = guest.visit()
    except (OSError, IndexError, ValueError):
        return False
    return "Stromausfall" in facts.get("page", "")


def back_after(*names: str, guest: Guest, limit_s: float = 60) -> dict[str, Any]:
    """kill -9; seconds until new processes run, and until the guest is served (again)."""
    old = {name: processes(DAEMONS[name]) for name in names}
    began = time.monotonic()
    kill(*names)

    def is_new() -> bool:
        running = {name: processes(DAEMONS[name]) for name in names if name != "portal"}
        return all(new and not set(new) & set(old[name]) for name, new in running.items())

    is_back = wait_for(is_new, limit_s, pause_s=0.02)
    back_s = time.monotonic() - began
    is_served = wait_for(lambda: serves(guest), limit_s, pause_s=0.2)
    served_s = time.monotonic() - began
    is_emergency = wait_for(lambda: mode() == "emergency", limit_s, pause_s=0.1)
    return {
        "had": {name: len(numbers) for name, numbers in old.items()},
        "is_back": is_back, "back_s": back_s,
        "is_served": is_served, "served_s": served_s,
        "is_emergency": is_emergency,
    }  # fmt: skip


def use(unit: str) -> dict[str, int]:
    """What a unit's processes hold: resident KiB, open descriptors, processes."""
    kib = descriptors = count = 0
    for number in processes(unit):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            status = Path(f"/proc/{number}/status").read_text()
            kib += int(status.partition("VmRSS:")[2].split()[0])
            descriptors += len(os.listdir(f"/proc/{number}/fd"))
            count += 1
    return {"kib": kib, "descriptors": descriptors, "processes": count}


def everybody() -> int:
    """How many processes run under the box's systemd and beside it, kernel threads aside."""
    kernel = set(children_of(2))
    return sum(1 for path in Path("/proc").glob("[0-9]*") if int(path.name) not in kernel)


def real_time() -> float:
    """Our own clock outside, in Unix seconds: the host dates files, whatever the machine thinks."""
    beat = Path(os.environ["OUT"]) / "beat"
    beat.write_text("x")
    return beat.stat().st_mtime
