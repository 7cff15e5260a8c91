"""Who sends forms, without a pause or all at the same moment, on a card whose flush takes 25 ms."""

from __future__ import annotations

import functools
import random
import re
import select
import shutil
import socket
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

from benchmarks.lib.contest import BENCH, Run, Skipped
from benchmarks.lib.portal import _LATENCY, _UNIT_MS, LIMIT_S, children, get, pinned
from benchmarks.lib.proc import cpu_s, memory_mib, running, wait_for

FLUSH_MS = 25

#: What a neighbour writes; {n} makes each another one.
TEXT = "Suche Kerzen und eine Taschenlampe, Haus 7, bei der Nummer {n}. Danke!"

_SENDING = """\
local count = 0
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
function request()
  count = count + 1
  return wrk.format(nil, "{path}", nil, "{before}" .. count .. "{after}")
end
"""


@functools.cache
def shim() -> str:
    """The library that makes flushes slow, built when it is needed first.

    Raises:
        Skipped: there is no C compiler.
    """
    compiler = shutil.which("cc")
    if compiler is None:
        raise Skipped("no C compiler here: apt install gcc")
    library = BENCH / "slow_flush.so"
    source = Path(__file__).with_name("slow_flush.c")
    BENCH.mkdir(exist_ok=True)
    subprocess.run(
        [compiler, "-O2", "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"], check=True
    )
    return str(library)


def environment(base: dict[str, str]) -> dict[str, str]:
    """For a server whose card is slow."""
    return {**base, "LD_PRELOAD": shim(), "SLOW_FLUSH_MS": str(FLUSH_MS)}


@contextmanager
def serving(argv: list[str], port: int, base: dict[str, str]) -> Iterator[subprocess.Popen[Any]]:
    """A server that answers, alone on one core, on a slow card."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with running([*pinned(0), *argv], **quiet, env=environment(base)) as process:
        wait_for(lambda: _answers(port), "the first page")
        yield process


def _answers(port: int) -> bool:
    try:
        return get(port)[0] in (200, 303)
    except OSError:
        return False


def form(token: str = "") -> tuple[str, str]:
    """A form's bytes before and after what makes it another one."""
    before, _, after = TEXT.partition("{n}")
    salt = f"{random.getrandbits(32):x}-"
    return (
        f"token={token}&topic=0&hours=24&number_ok=1&text={quote_plus(before)}{salt}",
        quote_plus(after),
    )


def send_without_pause(
    folder: Path, pid: int, port: int, path: str, token: str, *, clients: int, seconds: float
) -> Run:
    """So many clients that send a form as soon as the last one is answered (wrk).

    Raises:
        Skipped: there is no wrk.
    """
    wrk = shutil.which("wrk")
    if wrk is None:
        raise Skipped("no wrk here: apt install wrk")
    script = folder / "sending.lua"
    before, after = form(token)
    script.write_text(_SENDING.format(path=path, before=before, after=after))
    processes = children(pid)
    cpu = -sum(map(cpu_s, processes))
    done = subprocess.run(
        [*pinned(1), wrk, "--threads", "1", "--connections", str(clients), "--latency",
         "--duration", f"{seconds:g}s", "--timeout", "20s", "--script", str(script),
         f"http://127.0.0.1:{port}/"],
        capture_output=True, text=True, check=True, timeout=seconds + LIMIT_S,
    ).stdout  # fmt: skip
    cpu += sum(map(cpu_s, processes))
    latencies = {
        share: float(value) * _UNIT_MS[unit] for share, value, unit in _LATENCY.findall(done)
    }
    (count,) = re.findall(r"(\d+) requests in", done)
    (rate,) = re.findall(r"Requests/sec:\s+([\d.]+)", done)
    refused = sum(map(int, re.findall(r"Non-2xx or 3xx responses: (\d+)", done)))
    stored = int(count) - refused
    return {
        "confirmed": stored,
        "refused": refused,
        "confirmed_per_s": float(rate) * stored / max(1, int(count)),
        "p50_ms": latencies["50"],
        "p99_ms": latencies["99"],
        "cpu_us": cpu / max(1, int(count)) * 1e6,
        "rss_mib": sum(memory_mib(process)["rss_mib"] for process in processes),
    }


def counted(path: Path, sql: str) -> tuple[int, int]:
    """Rows, and different ones among them."""
    with closing(sqlite3.connect(path)) as db:
        rows, different = db.execute(sql).fetchone()
    return int(rows), int(different)


def send_at_once(port: int, path: str, token: str, *, clients: int) -> dict[str, list[float]]:
    """So many forms in one moment, each on a connection that is open already: status → milliseconds
    from the first byte sent to the last one received.
    """
    before, after = form(token)
    poll, open_ones = select.epoll(), {}
    for number in range(clients):
        connection = socket.create_connection(("127.0.0.1", port))
        body = f"{before}{number}{after}".encode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        open_ones[connection.fileno()] = [connection, head.encode() + body, b"", 0.0]
    time.sleep(0.5 if clients > 1 else 0)
    for each in open_ones.values():
        each[3] = time.perf_counter()
        each[0].sendall(each[1])
        poll.register(each[0].fileno(), select.EPOLLIN)
    found: dict[str, list[float]] = {}
    until = time.monotonic() + LIMIT_S
    while open_ones and time.monotonic() < until:
        for file, _ in poll.poll(1.0):
            each = open_ones[file]
            try:
                piece = each[0].recv(65536)
            except OSError:
                piece = b""
            each[2] += piece
            if not piece:
                took_ms = (time.perf_counter() - each[3]) * 1000
                status = each[2][9:12].decode() or "none"
                found.setdefault(status, []).append(took_ms)
                poll.unregister(file)
                each[0].close()
                del open_ones[file]
    for each in open_ones.values():
        each[0].close()
        found.setdefault("none", []).append(float("inf"))
    return found
