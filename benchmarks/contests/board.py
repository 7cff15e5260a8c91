"""Goal b1, with residents who write: the first page and the board's, while 20 posts a second arrive
and 10,000 are there.
"""

from __future__ import annotations

import contextlib
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.contests.letters import PATH, token_of
from benchmarks.lib import installed
from benchmarks.lib.contest import KIEZBOX, Options, Outcome, Run, interleave
from benchmarks.lib.letters import TEXT, send_at_once
from benchmarks.lib.portal import Box, get, load, serving
from benchmarks.lib.proc import free_port
from benchmarks.peers import nginx
from kiezbox.clock import SystemClock
from kiezbox.store.log import Draft, Log

CLIENTS = 200
POSTS_PER_S = 20
THERE_ALREADY = 10_000

#: Name → path.
PAGES = {"first page": "/", "board": PATH}


def measure(options: Options) -> Outcome:
    seconds = 1.0 if options.is_quick else 3.0
    outcome = Outcome(
        "board",
        f"{CLIENTS} keep-alive clients (wrk) read a page without a pause, {seconds:g} s, while"
        f" {POSTS_PER_S} posts a second arrive by HTTP and {THERE_ALREADY:,} are there. nginx has"
        " the same bytes as a file, and nobody writes.",
        reference=(f"{nginx.NAME}, board", "requests_per_s"),
    )
    with tempfile.TemporaryDirectory(prefix="kiezbox-board-") as name:
        folder = Path(name)
        box = Box(folder)
        words = folder / "words" / "words.db"
        fill(words, THERE_ALREADY)

        def command(port: int) -> list[str]:
            box.touch()
            return [*box.command(port), "--words", str(words), "--secrets", str(folder)]

        contestants: dict[str, Callable[[], Run]] = {}
        port = free_port()
        with serving(command(port), port):
            whole = {path: get(port, path)[2] for path in PAGES.values()}
        for what, path in PAGES.items():
            contestants[f"{KIEZBOX}, {what}"] = lambda path=path: _ours(command, seconds, path)
            if not options.is_quick:
                contestants[f"{nginx.NAME}, {what}"] = lambda path=path: _theirs(
                    folder, whole[path], seconds
                )
        interleave(outcome, contestants, options)
    outcome.notes.append(installed.note())
    return outcome


def fill(words: Path, count: int) -> None:
    """A log with so many posts."""
    log = Log.open(str(words), SystemClock(), box="kb-bench")
    with log.group():
        for number in range(count):
            log.add(Draft(kind="post", fields={"topic": number % 3, "text": TEXT.format(n=number)}))
    log.close()


def _ours(command: Callable[[int], list[str]], seconds: float, path: str) -> Run:
    port = free_port()
    with serving(command(port), port, core=0) as process:
        get(port, "/info")
        with _writing(port) as sent:
            seen = load(process.pid, port, clients=CLIENTS, seconds=seconds, path=path)
            return {**seen, "posts_per_s": sent["posts_per_s"]}


def _theirs(folder: Path, page: bytes, seconds: float) -> Run:
    with tempfile.TemporaryDirectory(dir=folder) as own:
        port = free_port()
        with serving(nginx.command(Path(own), page, port), port, core=0) as process:
            return load(process.pid, port, clients=CLIENTS, seconds=seconds)


@contextlib.contextmanager
def _writing(port: int) -> Iterator[dict[str, float]]:
    """A neighbour after the other, meanwhile; how many a second is there as soon as some are."""
    ends, seen = threading.Event(), {"posts_per_s": 0.0}
    token = token_of(port)

    def write() -> None:
        began, count = time.monotonic(), 0
        while not ends.wait(max(0.0, began + count / POSTS_PER_S - time.monotonic())):
            found = send_at_once(port, PATH, token, clients=1)
            count += "200" in found
            seen["posts_per_s"] = count / (time.monotonic() - began)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield seen
    finally:
        ends.set()
        writer.join()
