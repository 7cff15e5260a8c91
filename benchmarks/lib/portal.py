"""The portal over what a real node has left, and who asks it."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.lib import installed
from benchmarks.lib.broker import broker
from benchmarks.lib.contest import Run, Skipped
from benchmarks.lib.node import node
from benchmarks.lib.proc import cpu_s, memory_mib, running, wait_for

QUIET = {
    "stdout": subprocess.DEVNULL,
    "stderr": subprocess.DEVNULL,
    "env": installed.ENVIRONMENT,
}

#: A page that takes so long counts as never served.
LIMIT_S = 20.0


#: Of now.json (docs/architecture.md).
NETWORK_FIELDS = (
    "wanted", "since", "access_point", "ssid", "name", "address", "https_name", "is_on_air",
    "slice", "guests", "uplink", "guest_uplink", "mesh",
)  # fmt: skip


class Box:
    """A folder with the facts and the database of a node that ran; its WLAN is on the air."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "box"
        with broker() as port:
            with node(self.folder, port=port, interval_s=1, is_full=True) as running_node:
                now_json = running_node.run_dir / "now.json"
                # The first ones may come before the mode is known.
                wait_for(lambda: json.loads(now_json.read_text())["mode"], "a mode")
                facts = json.loads(now_json.read_text())
        network = dict.fromkeys(NETWORK_FIELDS) | {
            "wanted": "emergency", "access_point": "radio", "ssid": "Kiezbox-Notfall",
            "name": "kiezbox.internal", "address": "198.51.100.1", "is_on_air": True,
            "uplink": "none", "guest_uplink": "none",
        }  # fmt: skip
        self._facts = {**facts, "network": network}
        self._facts["mode"] |= {"name": "emergency"}
        self.touch()

    def touch(self) -> None:
        """The node has just spoken."""
        path = self.folder / "run" / "now.json"
        aside = path.with_suffix(".new")
        aside.write_text(json.dumps({**self._facts, "written_at": time.time()}))
        os.replace(aside, path)

    def command(self, port: int) -> list[str]:
        """What to start so that the portal serves on the port."""
        return [
            installed.program(), "portal", "--run-dir", str(self.folder / "run"),
            "--store", str(self.folder / "kiezbox.db"), "--listen", f"127.0.0.1:{port}",
        ]  # fmt: skip


def get(port: int, path: str = "/", **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers by their lower-case names, body as it was sent."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT_S)
    with contextlib.closing(connection):
        asked = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("GET", path, headers={**asked, "Connection": "close"})
        answer = connection.getresponse()
        named = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, named, answer.read()


def answers(port: int) -> bool:
    """Whether the first page is there."""
    with contextlib.suppress(OSError, http.client.HTTPException):
        return get(port)[0] == 200
    return False


@contextlib.contextmanager
def serving(argv: Sequence[str], port: int, core: int | None = None) -> Iterator[Any]:
    """A server that answers, on one core alone if asked to."""
    with running([*pinned(core), *argv], **QUIET) as process:
        wait_for(lambda: answers(port), "the first page")
        yield process


def pinned(core: int | None) -> list[str]:
    """What to put before a command so that it stays on a core; nothing where there is only one."""
    count = os.cpu_count() or 1
    if core is None or count < 2 or not shutil.which("taskset"):
        return []
    return ["taskset", "--cpu-list", str(core % count)]


def children(pid: int) -> list[int]:
    """A process and those it has started (nginx's workers)."""
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [pid, *(int(child) for child in path.read_text().split())]


_LATENCY = re.compile(r"^\s+(50|99)%\s+([\d.]+)(us|ms|s|m)\s*$", re.MULTILINE)
_UNIT_MS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60000.0}


#: 200 phones of one make: each asks five times a second on a new connection, as Android does.
PHONES, PROBES_PER_S = 200, 5.0
_PROBING = """\
wrk.path = "/generate_204"
wrk.headers["Host"] = "connectivitycheck.gstatic.com"
wrk.headers["User-Agent"] = "Dalvik/2.1.0 (Linux; U; Android 15)"
wrk.headers["Connection"] = "close"
function delay() return {pause_ms} end
"""


@contextlib.contextmanager
def probing(folder: Path, port: int, seconds: float) -> Iterator[dict[str, float]]:
    """Phones that probe meanwhile; ``probes_per_s`` is filled in at the end."""
    script = folder / "probing.lua"
    script.write_text(_PROBING.format(pause_ms=round(1000 / PROBES_PER_S)))
    seen: dict[str, float] = {}
    argv = [
        *pinned(1), _wrk(), "--threads", "1", "--connections", str(PHONES), "--duration",
        f"{seconds + 1:g}s", "--script", str(script), f"http://127.0.0.1:{port}/",
    ]  # fmt: skip
    with running(argv, stdout=subprocess.PIPE, text=True) as process:
        time.sleep(0.5)
        yield seen
        done, _ = process.communicate(timeout=seconds + LIMIT_S)
    for trouble in ("Non-2xx", "Socket errors"):
        if trouble in done:
            raise RuntimeError(done)
    (rate,) = re.findall(r"Requests/sec:\s+([\d.]+)", done)
    seen["probes_per_s"] = float(rate)


def _wrk() -> str:
    found = shutil.which("wrk")
    if found is None:
        raise Skipped("no wrk here: apt install wrk")
    return found


def load(
    pid: int,
    port: int,
    *,
    clients: int,
    seconds: float,
    headers: Sequence[str] = (),
    path: str = "/",
) -> Run:
    """So many keep-alive clients that ask without a pause (wrk): throughput, latency, cost.

    Raises:
        Skipped: there is no wrk.
        RuntimeError: an answer was missing or was no page.
    """
    wrk = _wrk()
    asked = [part for header in headers for part in ("--header", header)]
    processes = children(pid)
    cpu = -sum(map(cpu_s, processes))
    done = subprocess.run(
        [*pinned(1), wrk, "--threads", "1", "--connections", str(clients), "--latency",
         "--duration", f"{seconds:g}s", "--timeout", "10s", *asked, f"http://127.0.0.1:{port}{path}"],
        capture_output=True, text=True, check=True, timeout=seconds + LIMIT_S,
    ).stdout  # fmt: skip
    cpu += sum(map(cpu_s, processes))
    for trouble in ("Non-2xx", "Socket errors"):
        if trouble in done:
            raise RuntimeError(done)
    latencies = {
        share: float(value) * _UNIT_MS[unit] for share, value, unit in _LATENCY.findall(done)
    }
    (count,) = re.findall(r"(\d+) requests in", done)
    (rate,) = re.findall(r"Requests/sec:\s+([\d.]+)", done)
    return {
        "requests_per_s": float(rate),
        "p50_ms": latencies["50"],
        "p99_ms": latencies["99"],
        "cpu_us": cpu / int(count) * 1e6,
        "rss_mib": sum(memory_mib(process)["rss_mib"] for process in processes),
    }
