"""Boots a computer inside this one: user-mode Linux over the host's own files.

The kernel is an ordinary program; it sees the host's files read-only under a layer in memory, so
that the checkout and its Python are simply there. It runs one script as root and ends. What the
script leaves in the folder ``out`` is what the test reads. Several may run side by side.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest
from shared import SHARED

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parent.parent.parent
CACHE = Path("/var/cache/kiezbox-test")

#: Names for machines that run side by side.
_NUMBERS = itertools.count()


@dataclass(frozen=True)
class Kernel:
    """The kernel, and the module that pretends I2C chips; a pair from one build."""

    linux: Path
    i2c_stub: Path


def find_kernel(unpack_into: Path) -> Kernel:
    """The test kernel, or a skip that says how to get it."""
    named = os.environ.get("KIEZBOX_UML_KERNEL")
    linux = Path(named) if named else CACHE / "linux-kiez"
    if linux.exists() and (named or _is_of_this_recipe(linux)):
        return Kernel(linux, _module_beside(linux))
    packed = SHARED / "testbed" / "linux-kiez.xz"
    if named or not packed.exists() or not shutil.which("xz"):
        older = f" (what is in {CACHE} was built from an older recipe)" if linux.exists() else ""
        pytest.skip(
            f"no test kernel{older}: run `make kernel` once (7 min), or name one in"
            " KIEZBOX_UML_KERNEL"
        )
    linux = unpack_into / "linux-kiez"
    with linux.open("wb") as file:
        subprocess.run(["xz", "-dc", str(packed)], stdout=file, check=True, timeout=60)
    linux.chmod(0o755)
    return Kernel(linux, _module_beside(packed))


def _is_of_this_recipe(linux: Path) -> bool:
    """Whether `build-kernel` would find it good: by the same hash."""
    recipe = b"".join(
        (HERE / name).read_bytes() for name in ("build-kernel", "kernel.config", "kernel.patch")
    )
    key = linux.with_name("linux-kiez.key")
    return key.exists() and key.read_text().strip() == hashlib.sha256(recipe).hexdigest()[:16]


def _module_beside(linux: Path) -> Path:
    modules = sorted(linux.parent.glob("i2c-stub*.ko"))
    if not modules:
        pytest.skip(
            f"the module i2c-stub.ko is not beside {linux}: see tests/beds/uml/build-kernel"
        )
    return modules[0]


def _places() -> list[str]:
    """What the guest needs of the host's files beyond /usr: the checkout and its Python."""
    places = {str(CHECKOUT), sys.prefix, sys.base_prefix}
    return sorted(place for place in places if place not in ("/", "/usr"))


@dataclass(frozen=True)
class Run:
    """How a machine's one script ended: its exit code (None: it never ended) and its folder."""

    code: int | None
    out: Path

    def facts(self, *, was_cut: bool = False) -> dict[str, Any]:
        """What the script found, by experiment; fails if the machine or an experiment did.
        ``was_cut``: the machine did not end by itself, and was not meant to.
        """
        console = (self.out / "console.log").read_text(encoding="utf-8", errors="replace")
        assert was_cut or self.code == 0, f"the machine ended with {self.code}:\n{console[-4000:]}"
        facts = self.out / "facts.json"
        assert facts.exists(), f"the machine found nothing:\n{console[-4000:]}"
        found: dict[str, Any] = json.loads(facts.read_text(encoding="utf-8"))
        for name, what in found.items():
            assert "traceback" not in what, f"{name}:\n{what['traceback']}"
        return found


class Machine:
    """A machine that is on. Leaving the ``with`` cuts its power, if it still has any.

    ``script`` lies in this folder (or is a path from here) and gets ``$OUT`` and ``$I2C_STUB``.
    ``radios``: virtual WLAN radios, wlan0 and on, which all hear each other. ``disk``: a file
    that is /dev/ubda inside and outlives the machine. A machine that travels in time skips the
    time in which everybody waits: its clocks go on as if it had passed; ``starts_at`` is what
    they say at first, in Unix seconds.
    """

    def __init__(
        self,
        kernel: Kernel,
        out: Path,
        script: str,
        *arguments: str,
        radios: int = 0,
        disk: Path | None = None,
        memory_mb: int = 512,
        travels_in_time: bool = False,
        starts_at: int | None = None,
        limit_s: float = 120.0,
    ) -> None:
        if os.geteuid() != 0 or not shutil.which("unshare"):
            pytest.skip(
                "user-mode Linux needs root here: it mounts and gets its own process numbers"
            )
        out.mkdir(parents=True, exist_ok=True)
        self._out = out
        self._code = out / "code"
        self._code.unlink(missing_ok=True)
        self._until = time.monotonic() + limit_s
        shutil.copy(kernel.i2c_stub, out / "i2c-stub.ko")
        command = shlex.join([sys.executable, f"{HERE}/{script}", *arguments])
        (out / "command").write_text(
            f"export OUT={out} I2C_STUB={out}/i2c-stub.ko\n{command}\n", encoding="utf-8"
        )
        argv = [
            # Ends the machine with us, even if we are killed.
            "setpriv", "--pdeathsig", "KILL", "unshare", "--pid", "--fork", "--kill-child=KILL",
            str(kernel.linux), f"mem={memory_mb}M",
            f"umid=kiezbox-{os.getpid()}-{next(_NUMBERS)}", f"uml_dir={out}",
            "root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro", f"init={HERE}/init",
            "con0=null,fd:1", "con=null", "ssl=null", "quiet", "panic=-1",
            f"mac80211_hwsim.radios={radios}",
            f"KB_OUT={out}", f"KB_PLACES={':'.join(_places())}",
            *([f"ubd0={disk}"] if disk else []),
            *(["time-travel"] if travels_in_time else []),
            # In nanoseconds, whatever the option's help says (arch/um/kernel/time.c of 6.1).
            *([f"time-travel-start={starts_at * 10**9}"] if starts_at else []),
        ]  # fmt: skip
        with (out / "console.log").open("wb") as console:
            self._process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                # The machine's memory is a file that is mapped executable; /tmp may forbid that.
                env={**os.environ, "TMPDIR": "/dev/shm"},
                start_new_session=True,
            )

    def __enter__(self) -> Machine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        self.cut()

    def wait(self) -> Run:
        """Until the machine is off, or has said how it ended and yet does not go off.

        One of forty boots printed "Power down" and then kept a processor busy for ever.
        """
        while self._process.poll() is None and time.monotonic() < self._until:
            if self._code.exists():
                self._until = min(self._until, time.monotonic() + 3.0)
            time.sleep(0.02)
        self.cut()
        return Run(int(self._code.read_text()) if self._code.exists() else None, self._out)

    def wait_for(self, name: str) -> bool:
        """Whether the script wrote ``name`` before the machine ended or its time was up."""
        file = self._out / name
        while not file.exists():
            if self._process.poll() is not None or time.monotonic() > self._until:
                return False
            time.sleep(0.02)
        return True

    def cut(self) -> None:
        """Take its power away, as a fuse does: nothing is told, nothing is written."""
        if self._process.poll() is None:
            # All that was started is unshare; the machine dies with it.
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(10)


def boot(kernel: Kernel, out: Path, script: str, *arguments: str, **options: Any) -> Run:
    """Boot, run a Python script of this folder as root, power off. Options as for `Machine`."""
    with Machine(kernel, out, script, *arguments, **options) as machine:
        return machine.wait()


def skip_without(*programs: str) -> None:
    """Skip, loudly, when a Debian package that the guest uses is not here."""
    places = "/usr/sbin:/usr/bin:/sbin:/bin"
    missing = [name for name in programs if not shutil.which(name, path=places)]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)} (tests/prepare installs them)")
