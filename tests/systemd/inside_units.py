"""Runs inside the virtual machine: a real systemd starts the real units, with the kernel's own
pins and bus. Ends in ``$OUT/facts.json``; ``test_real_systemd.py`` says what is right.

The machine travels in time: while everybody waits, the clock jumps, so a watchdog of a minute
takes no minute.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

TESTS = Path(__file__).resolve().parent.parent
CHECKOUT = TESTS.parent
sys.path[:0] = [str(TESTS / "beds" / "uml"), str(CHECKOUT)]

from guest import GpioChip, bme280_on_the_bus, note, wait_for  # noqa: E402

OPT = Path("/opt/kiezbox")
UNITS = Path("/etc/systemd/system")
NOW = Path("/run/kiezbox/now.json")

TOML = """
[box]
id = "kb-bed"
name = "Bed"

[hardware]
i2c = "{i2c}"
gpio = "{gpio}"

[sensors.roof]
driver = "bme280"
address = 0x76
interval_s = 5

[power.grid.mains]
driver = "pin"
pin = 17
pull = "none"
"""

#: What a process in a unit's sandbox finds when it looks around: the units' own text, with this
#: in place of the program.
PROBE = """
import ctypes, errno, json, mmap, os, socket, sys

def attempt(what):
    try:
        what()
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error.errno))
    return "possible"

def write(path):
    with open(path, "ab") as file:
        file.write(b"x")

def call(number, *arguments):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(number, *arguments) < 0:
        raise OSError(ctypes.get_errno(), "system call")

print(json.dumps({
    "user": os.getuid(),
    "read /etc/kiezbox": attempt(lambda: os.listdir("/etc/kiezbox")),
    "write /etc": attempt(lambda: write("/etc/probe")),
    "write /opt/kiezbox": attempt(lambda: write("/opt/kiezbox/probe")),
    "write the store": attempt(lambda: write("/var/lib/kiezbox/probe")),
    "write the run folder": attempt(lambda: write("/run/kiezbox/probe")),
    "write /tmp": attempt(lambda: write("/tmp/probe")),
    "read the database": attempt(lambda: open("/var/lib/kiezbox/kiezbox.db", "rb").read()),
    "change the database": attempt(lambda: open("/var/lib/kiezbox/kiezbox.db", "r+b")),
    "see homes": attempt(lambda: os.listdir("/root")),
    "open the bus": attempt(lambda: os.open(sys.argv[1], os.O_RDWR)),
    "open the pins": attempt(lambda: os.open(sys.argv[2], os.O_RDWR)),
    "open null": attempt(lambda: os.open("/dev/null", os.O_RDWR)),
    "talk IP": attempt(lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM)),
    "talk raw": attempt(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW)),
    "talk netlink": attempt(lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)),
    "write and run memory": attempt(
        lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)),
    # Numbers of x86-64, as the kernel of the bed.
    "load a module": attempt(lambda: call(175, b"", 0, b"")),
    "new namespace": attempt(lambda: call(272, 0x10000000)),
    "become root": attempt(lambda: os.setuid(0)),
    "interfaces": sorted(
        line.split(":")[0].strip() for line in open("/proc/self/net/dev") if ":" in line),
    "processes": sum(name.isdigit() for name in os.listdir("/proc")),
}))
"""


def run(*command: str, limit_s: float = 120) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=limit_s)
    if done.returncode:
        raise RuntimeError(f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


def install() -> GpioChip:
    """What docs/maker.md and systemd/README.md let a maker do; the program from the checkout."""
    program = OPT / ".venv" / "bin" / "kiezbox"
    program.parent.mkdir(parents=True)
    python = sys.executable
    if sys.base_prefix != "/usr":
        # An interpreter in somebody's home is hidden from the units, as homes are.
        Path("/opt/python").mkdir()
        run("mount", "--bind", sys.base_prefix, "/opt/python")
        python = f"/opt/python/bin/python3.{sys.version_info.minor}"
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    Path("/opt/packages").mkdir()
    run("mount", "--bind", packages, "/opt/packages")
    shutil.copytree(CHECKOUT / "kiezbox", "/opt/code/kiezbox")
    program.write_text(
        f"#!/bin/sh\nPYTHONDONTWRITEBYTECODE=1 PYTHONPATH=/opt/code:/opt/packages"
        f' exec {python} -m kiezbox "$@"\n'
    )
    program.chmod(0o755)
    ours = CHECKOUT / "systemd"
    for unit in (*ours.glob("*.service"), *ours.glob("*.socket")):
        shutil.copy(unit, UNITS)
    run("systemd-sysusers", str(ours / "sysusers.d" / "kiezbox.conf"))
    run("systemd-tmpfiles", "--create", str(ours / "tmpfiles.d" / "kiezbox.conf"))
    chip, bus = GpioChip(), bme280_on_the_bus()
    chip.drive(17, True)
    shutil.chown(bus, group="i2c")
    shutil.chown(chip.path, group="gpio")
    for device in (bus, chip.path):
        os.chmod(device, 0o660)
    settings = Path("/etc/kiezbox/kiezbox.toml")
    settings.write_text(TOML.format(i2c=bus, gpio=chip.path))
    shutil.chown(settings, "root", "kiezbox")
    settings.chmod(0o640)
    probe = OPT / "probe.py"
    probe.write_text(PROBE)
    for name in ("node", "portal"):
        unit = (ours / f"kiezbox-{name}.service").read_text()
        own = ("Type=", "NotifyAccess=", "ExecStart=", "Restart=", "WatchdogSec=", "Requires=")
        lines = [line for line in unit.splitlines() if not line.startswith(own)]
        (UNITS / f"probe-{name}.service").write_text("\n".join(lines))
        (UNITS / f"probe-{name}.service.d").mkdir()
        (UNITS / f"probe-{name}.service.d" / "probe.conf").write_text(
            f"[Service]\nType=oneshot\nExecStart={python} {probe} {bus} {chip.path}\n"
            f"StandardOutput=file:/run/probe-{name}\nRuntimeDirectoryPreserve=yes\n"
        )
    return chip


#: The machine's first process made us a chroot, in which nobody may have a user namespace
#: (PrivateUsers=). So from its own root, the overlay becomes the root of all.
BECOME_PID_1 = """
cd /mnt/root && mkdir -p .old && pivot_root . .old && umount -l /.old && mount -t proc proc /proc
exec /lib/systemd/systemd --system --unit=bed.target --log-target=console --log-color=no \
    --show-status=no --default-standard-output=journal
"""

#: The bed's systemd, as the machine numbers it.
PID_1: list[int] = []


def start_systemd() -> None:
    """PID 1 of its own, with our socket and node and nothing else of the host's."""
    for unit in ("systemd-udevd.service", "systemd-networkd.service", "systemd-timesyncd.service"):
        (UNITS / unit).unlink(missing_ok=True)
        (UNITS / unit).symlink_to("/dev/null")
    (UNITS / "bed.target").write_text(
        "[Unit]\nDefaultDependencies=no\nWants=systemd-journald.service kiezbox-portal.socket"
        " kiezbox-node.service\n"
    )
    run("mount", "-t", "cgroup2", "none", "/sys/fs/cgroup")
    log = (Path(os.environ["OUT"]) / "systemd.log").open("wb")
    unshare = subprocess.Popen(
        [
            "nsenter", "--target=1", "--mount", "--root=/proc/1/root", "--wd=/",
            "unshare", "--pid", "--fork", "--mount", "sh", "-c", BECOME_PID_1,
        ],
        env={"container": "bed", "PATH": os.environ["PATH"]},
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
    )  # fmt: skip
    if not wait_for(lambda: bool(children_of(unshare.pid)), 30):
        raise RuntimeError("unshare started nothing")
    PID_1.extend(children_of(unshare.pid))


def children_of(parent: int) -> list[int]:
    """By /proc/PID/stat: the fourth field is the parent (proc(5))."""
    stats = [path.read_text().rpartition(")") for path in Path("/proc").glob("[0-9]*/stat")]
    return [int(s[0].split()[0]) for s in stats if int(s[2].split()[1]) == parent]


def enter() -> tuple[str, ...]:
    return ("nsenter", f"--target={PID_1[0]}", "--pid", "--mount", "--root", "--wd")


def systemctl(*arguments: str) -> str:
    """Ask the systemd of the bed, from among its own processes: it answers nobody else."""
    return run(*enter(), "systemctl", *arguments)


def now() -> dict[str, Any] | None:
    """What the node says just now; None while it does not run."""
    return json.loads(NOW.read_text()) if NOW.exists() else None


def show(unit: str, *properties: str) -> dict[str, str]:
    lines = systemctl("show", unit, *(f"--property={name}" for name in properties))
    return dict(line.split("=", 1) for line in lines.splitlines())


def is_active(unit: str) -> bool:
    return show(unit, "ActiveState").get("ActiveState") == "active"


def page(address: str = "http://127.0.0.1/") -> str:
    return run("curl", "--silent", "--include", "--max-time", "60", address)


def post(text: str) -> None:
    """As docs/operator.md has it: with the node's own user."""
    program = str(OPT / ".venv" / "bin" / "kiezbox")
    run(*enter(), "setpriv", "--reuid=kiezbox", "--regid=kiezbox", "--clear-groups",
        program, "bulletin", "post", text)  # fmt: skip


def modes() -> dict[str, str]:
    folders = [Path("/var/lib/kiezbox"), Path("/run/kiezbox"), Path("/etc/kiezbox")]
    paths = [*folders, *(path for folder in folders for path in folder.iterdir())]
    return {
        str(path): f"{oct(path.stat().st_mode)[-3:]} {path.owner()}:{path.group()}"
        for path in paths
    }


def units() -> dict[str, Any]:
    facts: dict[str, Any] = {}
    chip = install()
    start_systemd()
    if not wait_for(lambda: Path("/run/systemd/private").exists(), 120, pause_s=0.2):
        raise RuntimeError("no systemd")
    facts["node_is_ready"] = wait_for(lambda: is_active("kiezbox-node.service"), 120, pause_s=0.5)
    facts["node_measures"] = wait_for(
        lambda: "roof/temperature_c" in (now() or {}).get("latest", {}), 60, pause_s=0.5
    )
    facts["portal_before_the_first_visitor"] = is_active("kiezbox-portal.service")
    facts["first_page"] = page()
    facts["portal_after_the_first_visitor"] = is_active("kiezbox-portal.service")
    facts["page_over_ipv6"] = page("http://[::1]/")
    post("Brot gibt es in der Schule")
    facts["shows_the_bulletin"] = wait_for(lambda: "in der Schule" in page(), 30, pause_s=1.0)
    facts["modes"] = modes()
    for name in ("node", "portal"):
        systemctl("start", f"probe-{name}.service")
        facts[f"{name}_probe"] = json.loads(Path(f"/run/probe-{name}").read_text())
    facts["killed"] = comes_back("SIGKILL")
    facts["hung"] = comes_back("SIGSTOP")
    chip.drive(17, False)
    facts["is_emergency"] = wait_for(
        lambda: ((now() or {}).get("mode") or {}).get("name") == "emergency", 60, pause_s=0.5
    )
    facts["emergency_page"] = page()
    systemctl("stop", "kiezbox-node.service")
    facts["stopped"] = show("kiezbox-node.service", "Result", "ActiveState")
    facts["page_without_node"] = page()
    systemctl("kill", "--signal=SIGKILL", "kiezbox-portal.service")
    facts["page_after_a_killed_portal"] = page()
    return facts


def comes_back(signal: str) -> dict[str, Any]:
    """Hit the node, and see whether systemd brings it back."""
    before = show("kiezbox-node.service", "MainPID", "NRestarts")
    at = time.monotonic()
    systemctl("kill", f"--signal={signal}", "kiezbox-node.service")

    def is_back() -> bool:
        now = show("kiezbox-node.service", "MainPID", "NRestarts", "ActiveState")
        return now["ActiveState"] == "active" and now["NRestarts"] > before["NRestarts"]

    return {"is_back": wait_for(is_back, 180, pause_s=1.0), "after_s": time.monotonic() - at}


note({"units": units})
