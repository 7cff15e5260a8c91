"""Goal e2: from the pin's edge to the first page, all of it our own, everything warm.

The real node over a bench, and the real portal. In the place of systemd, hostapd and dnsmasq is a
look at the folder: what they take is measured by ``failover``.
"""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.lib import installed
from benchmarks.lib.contest import Options, Outcome, Run, interleave
from benchmarks.lib.node import RunningNode, node
from benchmarks.lib.proc import free_port, running, wait_for

EDGES = 20
EDGES_QUICK = 4

#: The shortest debounce there is: it is taken off again.
BRIDGE_S = 0.5

#: An edge that nobody answers in so long counts as never heard.
LIMIT_S = 10.0

MORE = f"""
[power]
bridge_s = {BRIDGE_S}
return_hold_s = 0.5
[mode]
wlan_pause_s = 0
[network.access_point]
kind = "none"
"""

#: What the German page says while the grid is lost (kiezbox/portal/texts).
LOST = b"Stromausfall"


def measure(options: Options) -> Outcome:
    """Edge after edge at one box."""
    edges = EDGES_QUICK if options.is_quick else EDGES
    outcome = Outcome(
        "edge",
        f"{edges} edges of the grid's pin a round, at a node and a portal that have been running."
        f" From the edge, less the debounce ({BRIDGE_S:g} s): to the wanted file, to the last byte"
        " of a page asked for then, and to the first page that knows of it. Not in it: systemd,"
        " hostapd, DHCP (failover has them).",
    )
    interleave(outcome, {"kiezbox": lambda: _round(edges)}, options)
    outcome.notes.append(installed.note())
    return outcome


def _round(edges: int) -> Run:
    with tempfile.TemporaryDirectory(prefix="kiezbox-edge-") as name:
        folder = Path(name)
        with node(folder, port=free_port(), interval_s=1, is_full=True, more=MORE) as box:
            port = free_port()
            argv = [
                installed.program(), "portal", "--run-dir", str(box.run_dir),
                "--store", str(folder / "kiezbox.db"), "--listen", f"127.0.0.1:{port}",
            ]  # fmt: skip
            with running(
                argv,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=installed.ENVIRONMENT,
            ):
                wait_for(lambda: _page(port, quietly=True), "the portal")
                seen = [_edge(box, port) for _ in range(edges)]
    heard = [each for each in seen if each]
    found: dict[str, float] = {"unheard": edges - len(heard)}
    for metric in heard[0] if heard else ():
        values = sorted(each[metric] for each in heard)
        found[metric] = values[len(values) // 2]
        found[metric.replace("_ms", "_worst_ms")] = values[-1]
    return found


def _edge(box: RunningNode, port: int) -> dict[str, float]:
    """The grid goes and comes back; {} if nobody noticed that it went."""
    wait_for(lambda: (box.facts().get("grid") or {}).get("state") == "present", "the grid")
    wait_for(lambda: _wanted(box) == ["closed"], "a closed box")
    began = time.monotonic()
    box.bench.set_pin(17, False)
    time.sleep(BRIDGE_S - 0.05)
    if not _until(lambda: _wanted(box) == ["emergency"]):
        box.bench.set_pin(17, True)
        return {}
    wanted = time.monotonic()
    _page(port)
    served = time.monotonic()
    _until(lambda: LOST in _page(port))
    known = time.monotonic()
    box.bench.set_pin(17, True)
    return {
        "wanted_ms": (wanted - began - BRIDGE_S) * 1000,
        "page_ms": (served - wanted) * 1000,
        "own_ms": (served - began - BRIDGE_S) * 1000,
        "knowing_page_ms": (known - began - BRIDGE_S) * 1000,
    }


def _wanted(box: RunningNode) -> list[str]:
    return os.listdir(box.run_dir / "wanted")


def _until(condition: Callable[[], Any]) -> bool:
    """Asked every half millisecond, as inotify would tell at once."""
    limit = time.monotonic() + LIMIT_S
    while not condition():
        if time.monotonic() > limit:
            return False
        time.sleep(0.0005)
    return True


def _page(port: int, *, quietly: bool = False) -> bytes:
    """A whole page, over a new connection; ``quietly``: b"" while there is none yet."""
    try:
        with socket.create_connection(("127.0.0.1", port), 5) as link:
            link.sendall(
                b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Language: de\r\n"
                b"Connection: close\r\n\r\n"
            )
            answer = b""
            while data := link.recv(65536):
                answer += data
    except OSError:
        if quietly:
            return b""
        raise
    head, _, body = answer.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200") or b"</html>" not in body:
        raise RuntimeError(f"not the page: {answer[:200]!r}")
    return body
