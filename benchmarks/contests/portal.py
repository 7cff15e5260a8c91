"""Goals b1 and b3: 200 phones ask for the first page, all at once and without a pause."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.lib import installed
from benchmarks.lib.contest import Options, Outcome, Run, Skipped, interleave
from benchmarks.lib.portal import Box, get, load, serving
from benchmarks.lib.proc import free_port
from benchmarks.peers import flask_bjoern, flask_waitress, nginx

CLIENTS = 200
ZIPPED = ("Accept-Encoding: gzip",)

#: The folder for its files and the port → what to start.
Command = Callable[[Path, int], list[str]]


def measure(options: Options) -> Outcome:
    """Kiezbox makes its page and serves it; the peers serve the same bytes as they are."""
    outcome = Outcome("portal", "", reference=(nginx.NAME, "requests_per_s"))
    seconds = 1.0 if options.is_quick else 3.0
    with tempfile.TemporaryDirectory(prefix="kiezbox-portal-") as name:
        folder = Path(name)
        box = Box(folder)
        page, zipped = _pages(box)
        outcome.setting = (
            f"{CLIENTS} keep-alive clients (wrk), {seconds:g} s, the server alone on its core if"
            f" there are two. A page of {len(page)} bytes, {len(zipped)} with gzip; Kiezbox gives"
            " each guest a token of its own in it."
        )

        def ours(_: Path, port: int) -> list[str]:
            box.touch()
            return box.command(port)

        contestants: dict[str, Callable[[], Run]] = {
            "kiezbox": lambda: _run(folder, ours, seconds, warm="/info", bytes_on_air=len(zipped)),
            "kiezbox, gzip": lambda: _run(folder, ours, seconds, ZIPPED, warm="/info"),
        }
        peers: dict[str, tuple[Command, tuple[str, ...]]] = {
            nginx.NAME: (lambda folder, port: nginx.command(folder, page, port), ()),
            f"{nginx.NAME}, gzip": (
                lambda folder, port: nginx.command(folder, page, port, zipped),
                ZIPPED,
            ),
            flask_bjoern.NAME: (lambda folder, port: flask_bjoern.command(folder, page, port), ()),
            flask_waitress.NAME: (
                lambda folder, port: flask_waitress.command(folder, page, port),
                (),
            ),
        }
        if options.is_quick:
            # Memory and bytes are ours alone.
            peers.clear()
        for who, (command, headers) in peers.items():
            contestants[who] = lambda command=command, headers=headers: _run(
                folder, command, seconds, headers
            )
        interleave(outcome, contestants, options)
    outcome.notes.append(installed.note())
    return outcome


def _pages(box: Box) -> tuple[bytes, bytes]:
    port = free_port()
    with serving(box.command(port), port):
        return get(port)[2], get(port, accept_encoding="gzip")[2]


def _run(
    folder: Path,
    make: Command,
    seconds: float,
    headers: tuple[str, ...] = (),
    *,
    warm: str = "/",
    bytes_on_air: int | None = None,
) -> Run:
    with tempfile.TemporaryDirectory(dir=folder) as own:
        port = free_port()
        with serving(make(Path(own), port), port, core=0) as process:
            if get(port, warm)[0] != 200:
                raise Skipped(f"{warm} is not served")
            seen = load(process.pid, port, clients=CLIENTS, seconds=seconds, headers=headers)
    return seen if bytes_on_air is None else {**seen, "bytes_on_air": bytes_on_air}
