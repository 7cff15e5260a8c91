"""Inside the virtual machine: a box as a maker installs it, under a systemd of its own.

Its units are the ones in ``systemd/``, unchanged; its program is the checkout's. What it measures
and senses are the machine's own pins and bus (``guest.py``).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from guest import GpioChip, bme280_on_the_bus, wait_for

from kiezbox.posture import Posture

CHECKOUT = Path(__file__).resolve().parent.parent.parent.parent
SYSTEMD = CHECKOUT / "systemd"
OPT = Path("/opt/kiezbox")
PROGRAM = OPT / ".venv" / "bin" / "kiezbox"
UNITS = Path("/etc/systemd/system")
NOW = Path("/run/kiezbox/now.json")
SETTINGS = Path("/etc/kiezbox/kiezbox.toml")

#: A box with a sensor and a grid pin. Every limit and pause is the default that boxes have.
TOML = """
[box]
id = "kb-bed"
name = "Bed"

[hardware]
i2c = "{i2c}"
gpio = "{gpio}"

[sensors.roof]
driver = "bme280"
where = "outdoor"
address = 0x76
interval_s = {interval_s}

[power.grid.mains]
driver = "pin"
pin = 17
pull = "none"
"""

#: Folders of links to what systemd and the host's packages do at every start; journald stays.
_HOSTS_OWN = ("sysinit.target.wants", "local-fs.target.wants", "sockets.target.wants")

#: The machine's first process made us a chroot, in which nobody may have a user namespace
#: (PrivateUsers=). So from its own root, the overlay becomes the root of all. Shared, as systemd
#: itself makes it outside containers: credentials are mounted beside the service and come in so.
_BECOME_PID_1 = """
cd /mnt/root && mkdir -p .old && pivot_root . .old && umount -l /.old && mount -t proc proc /proc
mount --make-rshared /
exec /lib/systemd/systemd --system --unit=bed.target --log-target=console --log-color=no \
    --show-status=no --default-standard-output=journal
"""


def run(*command: str, limit_s: float = 120) -> str:
    """What it printed; an error with all it said if it failed."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=limit_s)
    if done.returncode:
        raise RuntimeError(f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


class InstalledBox:
    """What docs/maker.md and systemd/README.md let a maker do.

    ``more``: further settings. ``i2c``: another bus than the kernel's (a bench). ``on_disk``: the
    box's memory is on the machine's disk, and outlives it.
    """

    def __init__(
        self, more: str = "", *, i2c: str = "", interval_s: float = 5, on_disk: bool = False
    ) -> None:
        self.python = self._interpreter()
        #: The bed's systemd, as the machine numbers it; 0 until `start`.
        self.pid_1 = 0
        self._put_program()
        for kind in ("service", "socket", "target", "path", "timer"):
            for unit in SYSTEMD.glob(f"*.{kind}"):
                shutil.copy(unit, UNITS)
        if on_disk:
            mount_disk(Path("/var/lib/kiezbox"))
        run("systemd-sysusers", str(SYSTEMD / "sysusers.d" / "kiezbox.conf"))
        run("systemd-tmpfiles", "--create", str(SYSTEMD / "tmpfiles.d" / "kiezbox.conf"))
        self.chip, self.bus = GpioChip(), i2c or bme280_on_the_bus()
        self.chip.drive(17, True)
        for device, group in ((self.bus, "i2c"), (self.chip.path, "gpio")):
            if device.startswith("/dev/"):
                shutil.chown(device, group=group)
                os.chmod(device, 0o660)
        SETTINGS.write_text(
            TOML.format(i2c=self.bus, gpio=self.chip.path, interval_s=interval_s) + more
        )
        shutil.chown(SETTINGS, "root", "kiezbox")
        SETTINGS.chmod(0o640)

    def _interpreter(self) -> str:
        if sys.base_prefix == "/usr":
            return sys.executable
        # An interpreter in somebody's home is hidden from the units, as homes are.
        Path("/opt/python").mkdir()
        run("mount", "--bind", sys.base_prefix, "/opt/python")
        return f"/opt/python/bin/python3.{sys.version_info.minor}"

    def _put_program(self) -> None:
        PROGRAM.parent.mkdir(parents=True)
        packages = next(path for path in sys.path if path.endswith("site-packages"))
        Path("/opt/packages").mkdir()
        run("mount", "--bind", packages, "/opt/packages")
        # With what Python compiled already: its files are good for as long as the times agree.
        shutil.copytree(CHECKOUT / "kiezbox", OPT / "kiezbox")
        for name, module in (("kiezbox", "-m kiezbox"), ("python", "")):
            program = PROGRAM.with_name(name)
            program.write_text(
                "#!/bin/sh\n"
                "export PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=/opt/kiezbox:/opt/packages\n"
                # Its own library, not the distribution's of another patch level: _ssl would miss
                # a symbol.
                "export LD_LIBRARY_PATH=/opt/python/lib\n"
                f'exec {self.python} {module} "$@"\n'
            )
            program.chmod(0o755)

    def start(self, *units: str, limit_s: float = 120) -> None:
        """A systemd as PID 1 that starts ``units`` (default: all that are enabled by [Install])
        and nothing of the host's; returns as soon as it answers."""
        mask_the_hosts_own()
        wanted = " ".join(("systemd-journald.service", *(units or enabled())))
        (UNITS / "bed.target").write_text(f"[Unit]\nDefaultDependencies=no\nWants={wanted}\n")
        run("mount", "-t", "cgroup2", "none", "/sys/fs/cgroup")
        log = (Path(os.environ["OUT"]) / "systemd.log").open("wb")
        unshare = subprocess.Popen(
            [
                "nsenter", "--target=1", "--mount", "--root=/proc/1/root", "--wd=/",
                "unshare", "--pid", "--fork", "--mount", "sh", "-c", _BECOME_PID_1,
            ],
            env={"container": "bed", "PATH": os.environ["PATH"]},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )  # fmt: skip
        if not wait_for(lambda: bool(children_of(unshare.pid)), 30):
            raise RuntimeError("unshare started nothing")
        (self.pid_1,) = children_of(unshare.pid)
        if not wait_for(Path("/run/systemd/private").exists, limit_s, pause_s=0.1):
            raise RuntimeError("no systemd")

    def enter(self, *command: str) -> str:
        """Among the processes of the bed's systemd; it answers nobody else."""
        return run(
            "nsenter", f"--target={self.pid_1}", "--pid", "--mount", "--root", "--wd", *command
        )

    def systemctl(self, *arguments: str) -> str:
        return self.enter("systemctl", *arguments)

    def kiezbox(self, *arguments: str) -> str:
        """As docs/install.md has it: with the node's own user, and its groups."""
        return self.enter(
            "setpriv", "--reuid=kiezbox", "--regid=kiezbox", "--init-groups",
            str(PROGRAM), *arguments,
        )  # fmt: skip

    def show(self, unit: str, *properties: str) -> dict[str, str]:
        lines = self.systemctl("show", unit, *(f"--property={name}" for name in properties))
        return dict(line.split("=", 1) for line in lines.splitlines())

    def is_active(self, unit: str) -> bool:
        return self.show(unit, "ActiveState").get("ActiveState") == "active"

    def journal(self) -> str:
        return self.enter("journalctl", "--no-pager", "--output=short-monotonic")


def mask_the_hosts_own() -> None:
    """No udev, no clock setting, no mounts of the host's: half of a start."""
    for folder in _HOSTS_OWN:
        for place in (Path("/lib/systemd/system"), UNITS):
            for link in (place / folder).glob("*"):
                if "journald" in link.name or link.name.startswith("kiezbox"):
                    continue
                (UNITS / link.name).unlink(missing_ok=True)
                (UNITS / link.name).symlink_to("/dev/null")


def enabled() -> list[str]:
    """What provisioning switches on: our units with an [Install], a template once a posture."""
    names = []
    for unit in sorted(UNITS.glob("kiezbox*")):
        text = unit.read_text() if unit.is_file() and not unit.is_symlink() else ""
        install = text.partition("\n[Install]")[2]
        default = re.search(r"^DefaultInstance=(\S+)", install, re.MULTILINE)
        instances = [default.group(1)] if default else list(Posture)
        if install and "@." in unit.name:
            names += [unit.name.replace("@.", f"@{instance}.") for instance in instances]
        elif install:
            names.append(unit.name)
    return names


def mount_disk(place: Path) -> None:
    """The machine's own disk, with a file system that was there already or is made now."""
    device = "/dev/ubda"
    place.mkdir(parents=True, exist_ok=True)
    if subprocess.run(["e2fsck", "-p", device], capture_output=True, timeout=60).returncode > 2:
        run("mkfs.ext4", "-q", "-F", device)
    run("mount", "-t", "ext4", device, str(place))


def children_of(parent: int) -> list[int]:
    """By /proc/PID/stat: the fourth field is the parent (proc(5))."""
    stats = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            stats.append(path.read_text().rpartition(")"))
        except (FileNotFoundError, ProcessLookupError):
            continue  # ended meanwhile
    return [int(s[0].split()[0]) for s in stats if int(s[2].split()[1]) == parent]


def processes(unit: str) -> list[int]:
    """Numbers of a unit's processes, by its control group; ``unit`` may hold wildcards."""
    return sorted(number for numbers in groups(unit).values() for number in numbers)


def groups(unit: str) -> dict[str, list[int]]:
    """The processes of each control group that is named so."""
    found: dict[str, list[int]] = {}
    # os.walk and not Path.glob: units end while it goes round, and glob minds.
    for folder, _, files in os.walk("/sys/fs/cgroup"):
        name = os.path.basename(folder)
        if "cgroup.procs" in files and fnmatch(name, unit):
            try:
                numbers = Path(folder, "cgroup.procs").read_text().split()
            except OSError:
                continue  # the unit ended meanwhile
            found.setdefault(name, []).extend(map(int, numbers))
    return found


def now() -> dict[str, Any]:
    """What the node says just now; empty while it does not run. Read only when it is another."""
    try:
        found = NOW.stat()
        if _last[0] != (found.st_ino, found.st_mtime_ns):
            _last[:] = [(found.st_ino, found.st_mtime_ns), json.loads(NOW.read_text())]
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    facts: dict[str, Any] = _last[1]
    return facts


#: Which now.json was read last, and what was in it.
_last: list[Any] = [(0, 0), {}]


def mode() -> str | None:
    return (now().get("mode") or {}).get("name")


def until(condition: Any, limit_s: float, why: str, *, pause_s: float = 0.05) -> float:
    """Seconds until the condition held; an error that says what was waited for."""
    began = time.monotonic()
    if not wait_for(condition, limit_s, pause_s=pause_s):
        raise TimeoutError(f"not within {limit_s:g} s: {why}")
    return time.monotonic() - began
