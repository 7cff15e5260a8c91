"""What a process costs, as the kernel counts it; and ending what we started."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

#: Nothing we start takes longer to come up or to go down.
LIMIT_S = 20.0


def cpu_s(pid: int) -> float:
    """CPU seconds of a process, ended threads included, to the nanosecond.

    The process' CPU-time clock (clock_getcpuclockid(3)); /proc/PID/stat counts in 10 ms.
    """
    return time.clock_gettime((~pid << 3) | 2)


def memory_mib(pid: int) -> dict[str, float]:
    """RSS, PSS and the highest RSS so far, in MiB (/proc/PID/smaps_rollup, status)."""
    found = {}
    for name, path in (("Rss", "smaps_rollup"), ("Pss", "smaps_rollup"), ("VmHWM", "status")):
        for line in Path(f"/proc/{pid}/{path}").read_text(encoding="utf-8").splitlines():
            if line.startswith(name + ":"):
                found[name] = int(line.split()[1]) / 1024
    return {
        "rss_mib": found["Rss"],
        "pss_mib": found["Pss"],
        "hwm_mib": found["VmHWM"],
    }


def context_switches(pid: int) -> int:
    """How often its threads gave up the CPU or had it taken: a figure for wake-ups."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        for line in (task / "status").read_text(encoding="utf-8").splitlines():
            if line.startswith(("voluntary_ctxt", "nonvoluntary_ctxt")):
                total += int(line.split()[1])
    return total


def wait_for(condition: Callable[[], Any], what: str, limit_s: float = LIMIT_S) -> Any:
    """Ask until the answer is truthy; returns it.

    Raises:
        TimeoutError: it never was.
    """
    until = time.monotonic() + limit_s
    while not (answer := condition()):
        if time.monotonic() > until:
            raise TimeoutError(f"waited {limit_s:g} s for {what}")
        time.sleep(0.005)
    return answer


def free_port() -> int:
    """A TCP port on loopback that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def accepts(port: int) -> bool:
    """Whether somebody listens on this port of loopback."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


@contextlib.contextmanager
def running(argv: Sequence[str], **options: Any) -> Iterator[subprocess.Popen[Any]]:
    """A process in a group of its own, ended (the whole group) on leaving."""
    process = subprocess.Popen(argv, start_new_session=True, **options)
    try:
        yield process
    finally:
        end(process)


def end(process: subprocess.Popen[Any]) -> None:
    """SIGTERM to the group, SIGKILL to what does not listen. Idempotent."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)
            if number == signal.SIGTERM:
                continue
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe:
            with contextlib.suppress(OSError):
                pipe.close()
