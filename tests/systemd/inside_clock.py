"""Runs inside the virtual machine: a box that wakes in the past, and who may set its clock.

A GPS receiver and a clock chip of the bench, the units as they are, a kernel whose clock may be
set. Ends in ``$OUT/facts.json``; ``test_real_clock.py`` says what is right.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS / "beds" / "uml"), str(TESTS.parent)]

from guest import note, wait_for  # noqa: E402
from installed import OPT, SYSTEMD, UNITS, InstalledBox, now  # noqa: E402

from kiezbox.hardware.simulated.bench import Bench  # noqa: E402
from kiezbox.hardware.simulated.ds3231 import SimulatedDs3231  # noqa: E402
from kiezbox.hardware.simulated.gps import SimulatedGps  # noqa: E402

#: By how much the machine's clock is behind when it wakes.
BEHIND_S = 200 * 86400.0

MORE = """
[sensors.sky]
driver = "gps"
port = "{port}"
where = "box"
interval_s = 5

[sensors.chip]
driver = "ds3231"
where = "box"
interval_s = 5
"""

WISH, MARK = Path("/run/kiezbox/clock.wish"), Path("/run/kiezbox-clock/set")
SYNCHRONIZED = Path("/run/systemd/timesync/synchronized")

#: In the sandbox of each of ours, in place of the program.
PROBE = """
import ctypes, errno, json, os, socket, time

def attempt(what):
    try:
        what()
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error.errno))
    return "possible"

def write(path):
    with open(path, "ab") as file:
        file.write(b"x")

status = dict(line.split(":", 1) for line in open("/proc/self/status") if ":" in line)
print(json.dumps({
    "user": os.getuid(),
    "capabilities": [int(status[name], 16) for name in ("CapEff", "CapBnd", "CapAmb")],
    "set the clock": attempt(
        lambda: time.clock_settime(time.CLOCK_REALTIME, time.time())),
    "write /etc": attempt(lambda: write("/etc/probe")),
    "write the store": attempt(lambda: write("/var/lib/kiezbox/probe")),
    "write a wish": attempt(lambda: write("/run/kiezbox/probe")),
    "talk IP": attempt(lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM)),
    "open the bus": attempt(lambda: os.open("/dev/i2c-0", os.O_RDWR)),
    "become another": attempt(lambda: os.setuid(65534)),
    "read the store": attempt(lambda: open("/var/lib/kiezbox/kiezbox.db", "rb").read(1)),
}))
"""


def put_probes(box: InstalledBox) -> None:
    """A oneshot unit in the sandbox of each of ours that writes down what it can do."""
    probe = OPT / "clock_probe.py"
    probe.write_text(PROBE)
    for name in ("node", "clock"):
        unit = (SYSTEMD / f"kiezbox-{name}.service").read_text()
        own = ("Type=", "NotifyAccess=", "ExecStart=", "Restart=", "WatchdogSec=")
        lines = [line for line in unit.splitlines() if not line.startswith(own)]
        (UNITS / f"probe-{name}.service").write_text("\n".join(lines))
        (UNITS / f"probe-{name}.service.d").mkdir()
        (UNITS / f"probe-{name}.service.d" / "probe.conf").write_text(
            f"[Service]\nType=oneshot\nExecStart={box.python} {probe}\n"
            f"StandardOutput=file:/run/probe-{name}\nRuntimeDirectoryPreserve=yes\n"
        )


class World:
    """What the time really is, whatever the machine's clock says."""

    def __init__(self) -> None:
        self._ahead_s = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + BEHIND_S

    def __call__(self) -> float:
        return self._ahead_s + time.clock_gettime(time.CLOCK_BOOTTIME)

    def off_s(self) -> float:
        """By how much the machine's clock is ahead."""
        return time.time() - self()


def clock() -> dict[str, Any]:
    facts: dict[str, Any] = {}
    true, bench = World(), Bench(Path("/run/bench"))
    sky, chip = SimulatedGps(clock=true), SimulatedDs3231(clock=true)
    bench.attach(0x68, chip)
    port = bench.attach_serial("ttyUSB0", sky)
    for path in (Path("/run/bench"), *Path("/run/bench").iterdir()):
        path.chmod(0o777)
    shutil.chown(os.path.realpath(port), group="dialout")
    os.chmod(os.path.realpath(port), 0o660)
    box = InstalledBox(MORE.format(port=port), i2c=bench.address)
    put_probes(box)
    facts["off_at_first_s"] = true.off_s()
    facts["chip_is_stopped_at_first"] = chip.is_stopped
    box.start("kiezbox-clock.path", "kiezbox-node.service")
    is_right = wait_for(lambda: abs(true.off_s()) < 2 and MARK.exists(), 120, pause_s=0.5)
    facts["by_gps"] = {"is_right": is_right, "off_s": true.off_s()} | _set(box)
    facts["unit"] = box.show("kiezbox-clock.service", "Result", "ExecMainStatus")
    facts["says"] = box.kiezbox("clock")
    facts["journal"] = box.journal()[-6000:]
    facts["chip_is_set"] = wait_for(
        lambda: not chip.is_stopped and abs(chip.time - true()) < 2, 60, pause_s=0.5
    )
    for name in ("node", "clock"):
        box.systemctl("start", f"probe-{name}.service")
        facts[f"{name}_probe"] = json.loads(Path(f"/run/probe-{name}").read_text())
    # The rest is said by a node gone bad, while ours is still.
    box.systemctl("stop", "kiezbox-node.service", "kiezbox-clock.path")
    Path("/run/kiezbox").mkdir(exist_ok=True)
    facts["a_worse_one"] = wished(box, true, "rtc", 3600.0)
    facts["a_better_one"] = wished(box, true, "gps", 30.0)
    facts["impossible"] = wished(box, true, "gps", -3e9)
    SYNCHRONIZED.parent.mkdir(parents=True, exist_ok=True)
    SYNCHRONIZED.touch()
    facts["beside_ntp"] = wished(box, true, "gps", 600.0)
    SYNCHRONIZED.unlink()
    facts["nonsense"] = ordered(box, true, lambda: WISH.write_bytes(b"\xff{" * 2000))
    facts["a_link"] = ordered(box, true, _link)
    facts["a_wrong_chip"] = believed(box, true, sky, chip)
    return facts


def believed(
    box: InstalledBox, true: World, sky: SimulatedGps, chip: SimulatedDs3231
) -> dict[str, Any]:
    """The box wakes again, its chip is two hours ahead, and no satellite is seen for a while."""
    WISH.unlink()
    MARK.unlink(missing_ok=True)
    # What this computer's own time service knows is none of the box's.
    Path("/var/lib/systemd/timesync/clock").unlink(missing_ok=True)
    sky.set(0)
    chip.set_time(true() + 7200)
    chip.clear_stopped()
    time.clock_settime(time.CLOCK_REALTIME, true() - BEHIND_S)
    since_ms = time.clock_gettime(time.CLOCK_BOOTTIME) * 1000
    box.systemctl("start", "kiezbox-clock.path", "kiezbox-node.service")
    facts: dict[str, Any] = {"is_believed": _is_set_by("rtc"), "off_s": true.off_s()}
    # Long enough for a dozen readings by the wrong clock, and for the card to have them.
    time.sleep(70)
    sky.set(9)
    facts["is_judged"] = _is_set_by("gps") and wait_for(lambda: "was" in _faults(), 60, pause_s=1)
    time.sleep(70)
    rows = json.loads(box.kiezbox("readings", "export", "--format", "json"))
    ahead_s = true() - time.clock_gettime(time.CLOCK_BOOTTIME)
    facts["off_by"] = [
        [row["clock"], _seconds(row["taken_at"]) - (row["monotonic_ms"] / 1000 + ahead_s)]
        for row in rows
        if row["monotonic_ms"] > since_ms and row["quantity"] == "satellites"
    ]
    return facts


def _is_set_by(source: str) -> bool:
    is_so: bool = wait_for(
        lambda: MARK.exists() and MARK.read_text().startswith(source), 120, pause_s=0.5
    )
    return is_so


def _faults() -> set[str]:
    return {str(fault["source"]).rpartition(".")[2] for fault in now().get("faults", [])}


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment.replace("Z", "+00:00")).timestamp()


def _link() -> None:
    WISH.unlink()
    WISH.symlink_to("/etc/shadow")


def _set(box: InstalledBox) -> dict[str, Any]:
    if not MARK.exists():
        return {"mark": "", "mode": ""}
    return {"mark": MARK.read_text().split()[0], "mode": oct(MARK.stat().st_mode)[-3:]}


def wished(box: InstalledBox, true: World, source: str, ahead_s: float) -> dict[str, Any]:
    """What a wish of that source does to the clock that is there now."""

    def put() -> None:
        told = {"source": source, "name": "bad", "heard_at": time.clock_gettime(
            time.CLOCK_BOOTTIME), "time": time.time() + ahead_s}  # fmt: skip
        WISH.write_text(json.dumps(told))
        shutil.chown(WISH, "kiezbox", "kiezbox")

    return ordered(box, true, put)


def ordered(box: InstalledBox, true: World, put: Callable[[], object]) -> dict[str, Any]:
    put()
    before = true.off_s()
    try:
        box.systemctl("start", "kiezbox-clock.service")
    except RuntimeError:
        pass  # It says so itself.
    moved_s = true.off_s() - before
    return {"moved_s": moved_s, **box.show("kiezbox-clock.service", "Result")}


if __name__ == "__main__":
    note({"clock": clock})
