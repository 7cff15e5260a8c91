"""Goal e1: from the start of the portal's process to the first whole page on a phone."""

from __future__ import annotations

import socket
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.lib import installed
from benchmarks.lib.contest import Options, Outcome, Run, interleave
from benchmarks.lib.portal import LIMIT_S, QUIET, Box
from benchmarks.lib.proc import cpu_s, free_port, running
from benchmarks.peers import flask_waitress, nginx

Command = Callable[[Path, int], list[str]]


def measure(options: Options) -> Outcome:
    """Each server is started and asked for its first page until it comes."""
    outcome = Outcome("start", "", reference=(nginx.NAME, "first_page_ms"))
    with tempfile.TemporaryDirectory(prefix="kiezbox-start-") as name:
        folder = Path(name)
        box = Box(folder)

        def ours(_: Path, port: int) -> list[str]:
            box.touch()
            return box.command(port)

        page = _page_of(ours, folder)
        outcome.setting = (
            "exec to the last byte of the first 200 on loopback, asked every half millisecond."
            f" Kiezbox makes the page from a running box's facts; the peers serve the same"
            f" {len(page)} bytes as they are."
        )
        contestants: dict[str, Command] = {
            "kiezbox": ours,
            nginx.NAME: lambda folder, port: nginx.command(folder, page, port),
            flask_waitress.NAME: lambda folder, port: flask_waitress.command(folder, page, port),
        }
        interleave(
            outcome,
            {who: (lambda make=make: _run(folder, make)) for who, make in contestants.items()},
            options,
        )
    outcome.notes.append(installed.note())
    return outcome


def _page_of(make: Command, folder: Path) -> bytes:
    port = free_port()
    with running(make(folder, port), **QUIET):
        return _first_page(port).partition(b"\r\n\r\n")[2]


def _run(folder: Path, make: Command) -> Run:
    with tempfile.TemporaryDirectory(dir=folder) as own:
        port = free_port()
        argv = make(Path(own), port)
        begun = time.monotonic()
        with running(argv, **QUIET) as process:
            _first_page(port)
            took_s = time.monotonic() - begun
            return {"first_page_ms": took_s * 1000, "cpu_ms": cpu_s(process.pid) * 1000}


def _first_page(port: int) -> bytes:
    """Ask until somebody answers with a whole 200."""
    until = time.monotonic() + LIMIT_S
    while time.monotonic() < until:
        try:
            with socket.create_connection(("127.0.0.1", port), 5) as link:
                link.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
                answer = b""
                while data := link.recv(65536):
                    answer += data
        except OSError:
            time.sleep(0.0005)
            continue
        head, _, body = answer.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200") or b"</html>" not in body:
            raise RuntimeError(f"not the page: {answer[:200]!r}")
        return answer
    raise TimeoutError(f"no page within {LIMIT_S:g} s")
