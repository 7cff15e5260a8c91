"""Boots a computer inside this one: user-mode Linux over the host's own files.

The kernel is an ordinary program; it sees the host's files read-only under a layer in memory, so
that the checkout and its Python are simply there. It runs one script as root and ends. What the
script leaves in the folder ``out`` is what the test reads.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from shared import SHARED

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parent.parent.parent
CACHE = Path("/var/cache/kiezbox-test")


@dataclass(frozen=True)
class Kernel:
    """The kernel, and the module that pretends I2C chips; a pair from one build."""

    linux: Path
    i2c_stub: Path


def find_kernel(unpack_into: Path) -> Kernel:
    """The test kernel, or a skip that says how to get it."""
    named = os.environ.get("KIEZBOX_UML_KERNEL")
    for linux in [Path(named)] if named else [CACHE / "linux-kiez"]:
        if linux.exists():
            return Kernel(linux, _module_beside(linux))
    packed = SHARED / "testbed" / "linux-kiez.xz"
    if named or not packed.exists() or not shutil.which("xz"):
        pytest.skip(
            "no test kernel: run tests/beds/uml/build-kernel once (5 min), or name one in"
            " KIEZBOX_UML_KERNEL"
        )
    linux = unpack_into / "linux-kiez"
    with linux.open("wb") as file:
        subprocess.run(["xz", "-dc", str(packed)], stdout=file, check=True, timeout=60)
    linux.chmod(0o755)
    return Kernel(linux, _module_beside(packed))


def _module_beside(linux: Path) -> Path:
    modules = sorted(linux.parent.glob("i2c-stub*.ko"))
    if not modules:
        pytest.skip(
            f"the module i2c-stub.ko is not beside {linux}: see tests/beds/uml/build-kernel"
        )
    return modules[0]


def _wait(process: subprocess.Popen[bytes], code: Path, limit_s: float) -> None:
    """Until the machine is off, or has said how it ended and yet does not go off.

    One of forty boots printed "Power down" and then kept a processor busy for ever.
    """
    until = time.monotonic() + limit_s
    while process.poll() is None and time.monotonic() < until:
        if code.exists():
            until = min(until, time.monotonic() + 3.0)
        time.sleep(0.02)


def _places() -> list[str]:
    """What the guest needs of the host's files beyond /usr: the checkout and its Python."""
    places = {str(CHECKOUT), sys.prefix, sys.base_prefix}
    return sorted(place for place in places if place not in ("/", "/usr"))


@dataclass(frozen=True)
class Run:
    """How a machine's one script ended: its exit code (None: it never ended) and its folder."""

    code: int | None
    out: Path

    def facts(self) -> dict[str, Any]:
        """What the script found, by experiment; fails if the machine or an experiment did."""
        console = (self.out / "console.log").read_text(encoding="utf-8", errors="replace")
        assert self.code == 0, f"the machine ended with {self.code}:\n{console[-4000:]}"
        found: dict[str, Any] = json.loads((self.out / "facts.json").read_text(encoding="utf-8"))
        for name, facts in found.items():
            assert "traceback" not in facts, f"{name}:\n{facts['traceback']}"
        return found


def boot(
    kernel: Kernel,
    out: Path,
    script: str,
    *,
    travels_in_time: bool = False,
    limit_s: float = 120.0,
) -> Run:
    """Boot, run a Python script of this folder as root, power off.

    The script gets ``$OUT`` and ``$I2C_STUB``. A machine that travels in time skips the time in
    which everybody waits: its clocks go on as if it had passed.
    """
    if os.geteuid() != 0 or not shutil.which("unshare"):
        pytest.skip("user-mode Linux needs root here: it mounts and gets its own process numbers")
    out.mkdir(parents=True, exist_ok=True)
    code = out / "code"
    shutil.copy(kernel.i2c_stub, out / "i2c-stub.ko")
    (out / "command").write_text(
        f"export OUT={out} I2C_STUB={out}/i2c-stub.ko\n{sys.executable} {HERE}/{script}\n",
        encoding="utf-8",
    )
    arguments = [
        # Ends the machine even if this process is killed meanwhile.
        "timeout", "--signal=KILL", str(limit_s + 10),
        "unshare", "--pid", "--fork", "--kill-child=KILL",
        str(kernel.linux), "mem=512M", f"umid=kiezbox-{os.getpid()}", f"uml_dir={out}",
        "root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro", f"init={HERE}/init",
        "con0=null,fd:1", "con=null", "ssl=null", "quiet", "panic=-1",
        f"KB_OUT={out}", f"KB_PLACES={':'.join(_places())}",
        *(["time-travel"] if travels_in_time else []),
    ]  # fmt: skip
    with (out / "console.log").open("wb") as console:
        process = subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
            # The machine's memory is a file that is mapped executable; /tmp may forbid that.
            env={**os.environ, "TMPDIR": "/dev/shm"},
            start_new_session=True,
        )
        try:
            _wait(process, code, limit_s)
        finally:
            if process.poll() is None:
                # All that was started: timeout and unshare; the machine dies with unshare.
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(10)
    return Run(int(code.read_text()) if code.exists() else None, out)
