"""A root file system that may be spoiled: an overlay over this machine's own, or over a clean
Debian. All of it lives in a mount namespace of its own, so it is gone with its last process."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent.parent

#: Where roots made by debootstrap are kept: making one takes a minute.
ROOTS = Path(os.environ.get("KIEZBOX_ROOTS", "/var/cache/kiezbox-test/roots"))

#: What the checkout's Python has installed.
PACKAGES = next(path for path in sys.path if path.endswith("site-packages"))

#: Whoever starts this holds its standard input; when that is closed, everything ends.
HOLD = """
set -e
mount --make-rprivate /
mount -t tmpfs -o size=2g none "$PLACE"
mkdir "$PLACE/upper" "$PLACE/work" "$PLACE/root"
mount -t overlay none -o "lowerdir=$LOWER,upperdir=$PLACE/upper,workdir=$PLACE/work" "$PLACE/root"
cd "$PLACE/root"
mkdir -p proc sys dev run tmp src packages
mount -t proc none proc
mount --rbind /dev dev
mount -t sysfs -o ro none sys 2>/dev/null || mount --rbind -o ro /sys sys
mount -t tmpfs none run
mount -t tmpfs none tmp
mount -t tmpfs none src
cp -R "$CHECKOUT/provisioning" "$CHECKOUT/systemd" "$CHECKOUT/docs" "$CHECKOUT/kiezbox" \
    "$CHECKOUT/pyproject.toml" "$CHECKOUT/README.md" src
mount -o remount,ro src
# Wherever the checkout lies: a fresh clone may be in /tmp, which is another one in here.
mount --rbind "$PACKAGES" packages
echo ready
cat >/dev/null
"""


class Root:
    """A context manager. ``lower`` is what it shows and never changes."""

    def __init__(self, lower: Path = Path("/"), *, is_online: bool = False) -> None:
        self.lower = lower
        self._place = Path(tempfile.mkdtemp(prefix="kiezbox-root-"))
        networks = [] if is_online else ["--net"]
        self._holder = subprocess.Popen(
            ["unshare", "--mount", "--pid", *networks, "--fork", "--kill-child=KILL",
             "sh", "-c", HOLD],
            env={"PATH": os.environ["PATH"], "PLACE": str(self._place), "LOWER": str(lower),
                 "CHECKOUT": str(CHECKOUT), "PACKAGES": PACKAGES},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._holder.stdout is not None and self._holder.stderr is not None
        if self._holder.stdout.readline() != "ready\n":
            reason = self._holder.stderr.read().strip()
            self.close()
            pytest.skip(f"skipped, because no overlay of {lower} could be mounted: {reason}")
        children = Path(f"/proc/{self._holder.pid}/task/{self._holder.pid}/children")
        self._inside = children.read_text().split()[0]

    def run(
        self,
        *command: str,
        limit_s: float = 60,
        stdin: str = "",
        environment: Mapping[str, str] | None = None,
        typed: str | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Inside, as root, with the environment of a fresh login. ``typed``: somebody sits at a
        terminal and types this."""
        inside = ["nsenter", f"--target={self._inside}", "--mount", "--pid", "--net",
                  "chroot", str(self._place / "root"), *command]  # fmt: skip
        login = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8"}
        options: dict[str, Any] = {
            "capture_output": True, "text": True, "timeout": limit_s,
            "env": {**login, **(environment or {})},
        }  # fmt: skip
        if typed is None:
            return subprocess.run(inside, input=stdin, **options)
        keyboard, terminal = pty.openpty()
        try:
            os.write(keyboard, typed.encode())
            return subprocess.run(inside, stdin=terminal, **options)
        finally:
            os.close(keyboard)
            os.close(terminal)

    def do(self, *command: str, limit_s: float = 60) -> str:
        """The same for what must succeed."""
        done = self.run(*command, limit_s=limit_s)
        assert done.returncode == 0, f"{command}: {done.stdout}\n{done.stderr}"
        return done.stdout

    def install(
        self, *options: str, limit_s: float = 60, stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """provisioning/install of this checkout."""
        return self.run("/src/provisioning/install", *options, limit_s=limit_s, stdin=stdin)

    def path(self, inside: str) -> Path:
        """The file as it is seen from outside."""
        return Path(f"/proc/{self._inside}/root{self._place}/root/{inside.lstrip('/')}")

    def write(self, inside: str, text: str) -> None:
        path = self.path(inside)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def changes(self) -> dict[str, tuple[int, int, int, str]]:
        """Everything that differs from the lower root: path → mode, user, mtime, content."""
        upper = Path(f"/proc/{self._inside}/root{self._place}/upper")
        found = {}
        for path in sorted(upper.rglob("*")):
            name, facts = "/" + str(path.relative_to(upper)), path.lstat()
            if path.is_symlink():
                found[name] = (facts.st_mode, facts.st_uid, 0, os.readlink(path))
            elif path.is_file():
                content = path.read_bytes().hex()
                found[name] = (facts.st_mode, facts.st_uid, facts.st_mtime_ns, content)
            elif not path.is_dir():
                found[name] = (facts.st_mode, facts.st_uid, 0, "removed")
        return found

    def close(self) -> None:
        """Nothing is left behind, whatever happened before."""
        if self._holder.stdin is not None:
            self._holder.stdin.close()
        try:
            self._holder.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._holder.kill()
            self._holder.wait(timeout=10)
        for pipe in (self._holder.stdout, self._holder.stderr):
            if pipe is not None:
                pipe.close()
        shutil.rmtree(self._place, ignore_errors=True)

    def __enter__(self) -> Root:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.close()


def this_machine() -> Root:
    """An overlay over this machine's own files, or a skip that says why not."""
    if os.geteuid() != 0:
        pytest.skip("skipped, because only root may mount an overlay")
    for tool in ("unshare", "nsenter", "systemctl", "systemd-sysusers", "systemd-tmpfiles"):
        if not shutil.which(tool):
            pytest.skip(f"skipped, because {tool} is not installed")
    if not Path("/etc/debian_version").exists():
        pytest.skip("skipped, because this is no Debian")
    return Root()


def debian(suite: str) -> Path:
    """A clean root of that Debian, made by debootstrap where none is kept."""
    place = ROOTS / suite
    if place.is_dir():
        return place
    if os.geteuid() != 0 or not shutil.which("debootstrap"):
        pytest.skip(f"skipped, because {place} is not there and debootstrap cannot make it")
    ROOTS.mkdir(parents=True, exist_ok=True)
    half = ROOTS / f"{suite}.half"
    shutil.rmtree(half, ignore_errors=True)
    done = subprocess.run(
        ["debootstrap", "--variant=minbase", suite, str(half)],
        capture_output=True, text=True, timeout=1200,
    )  # fmt: skip
    if done.returncode:
        pytest.skip(f"skipped, because debootstrap made no {suite}: {done.stdout[-300:]}")
    return half.rename(place)


def seed_program(root: Root) -> None:
    """The program of this checkout where 40-program would put it: pip takes half a minute."""
    root.write(
        "/opt/kiezbox/.venv/bin/kiezbox",
        "#!/bin/sh\nPYTHONDONTWRITEBYTECODE=1 PYTHONPATH=/src:/packages"
        f' exec {os.path.realpath(sys.executable)} -m kiezbox "$@"\n',
    )  # fmt: skip
    root.path("/opt/kiezbox/.venv/bin/kiezbox").chmod(0o755)
    root.path("/opt/kiezbox/.venv/bin/python").symlink_to(os.path.realpath(sys.executable))
    fingerprint = root.do("/src/provisioning/40-program", "fingerprint")
    root.write("/var/lib/kiezbox-provisioning/program", fingerprint)
