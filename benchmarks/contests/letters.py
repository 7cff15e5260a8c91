"""Goal b2: 200 residents send a post each, again and again, on a card whose flush takes 25 ms."""

from __future__ import annotations

import os
import re
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.lib import installed
from benchmarks.lib.contest import KIEZBOX, Options, Outcome, Run, interleave
from benchmarks.lib.letters import FLUSH_MS, counted, send_at_once, send_without_pause, serving
from benchmarks.lib.portal import Box, get
from benchmarks.lib.proc import free_port
from benchmarks.peers import flask_letters, lighttpd_php
from kiezbox.clock import SystemClock
from kiezbox.store.log import Log

CLIENTS = 200

#: More letters in one moment than the mailroom takes.
FLOOD = 480

PATH = "/de/board"
POSTS = "SELECT count(*), count(DISTINCT text) FROM things WHERE kind = 7"


def measure(options: Options) -> Outcome:
    seconds = 2.0 if options.is_quick else 6.0
    outcome = Outcome(
        "letters",
        f"{CLIENTS} keep-alive clients (wrk) send a form each without a pause, {seconds:g} s, every"
        f" fsync {FLUSH_MS} ms longer; then the server is killed and what it had confirmed is"
        " counted in its database. Kiezbox checks the form's token, length, links and numbers,"
        " folds the post and answers with a whole page; the peers insert a row.",
        reference=(flask_letters.NAME, "confirmed_per_s"),
    )
    with tempfile.TemporaryDirectory(prefix="kiezbox-letters-") as name:
        folder = Path(name)
        box = Box(folder)
        contestants: dict[str, Callable[[], Run]] = {
            KIEZBOX: lambda: _ours(folder, box, seconds),
            f"{KIEZBOX}, flood": lambda: _flood(folder, box),
        }
        if not options.is_quick:
            contestants |= {
                lighttpd_php.NAME: lambda: _theirs(folder, lighttpd_php, seconds),
                flask_letters.NAME: lambda: _theirs(folder, flask_letters, seconds),
            }
        interleave(outcome, contestants, options)
    outcome.notes.append(installed.note())
    return outcome


def _command(box: Box, own: Path, port: int) -> tuple[list[str], Path]:
    words = own / "words.db"
    Log.open(str(words), SystemClock(), box="kb-bench").close()
    box.touch()
    return [*box.command(port), "--words", str(words), "--secrets", str(own)], words


def token_of(port: int) -> str:
    """Of a form as a guest is given it."""
    page = get(port, f"{PATH}/write")[2].decode()
    found = re.search(r'name=token value="([0-9a-f]{40})"', page)
    if found is None:
        raise RuntimeError("no form there")
    return found.group(1)


def _ours(folder: Path, box: Box, seconds: float) -> Run:
    with tempfile.TemporaryDirectory(dir=folder) as name:
        port = free_port()
        argv, words = _command(box, Path(name), port)
        with serving(argv, port, installed.ENVIRONMENT) as process:
            get(port, "/info")
            token = token_of(port)
            send_at_once(port, PATH, token, clients=1)
            seen = send_without_pause(
                Path(name), process.pid, port, PATH, token, clients=CLIENTS, seconds=seconds
            )
            os.killpg(process.pid, signal.SIGKILL)
        return {**seen, **_judged(seen, words, POSTS)}


def _theirs(folder: Path, peer: object, seconds: float) -> Run:
    with tempfile.TemporaryDirectory(dir=folder) as name:
        port = free_port()
        argv = peer.command(Path(name), port)  # type: ignore[attr-defined]
        with serving(argv, port, dict(os.environ)) as process:
            seen = send_without_pause(
                Path(name), process.pid, port, "/letters", "", clients=CLIENTS, seconds=seconds
            )
            os.killpg(process.pid, signal.SIGKILL)
        time.sleep(0.1)
        count: str = peer.COUNT  # type: ignore[attr-defined]
        return {**seen, **_judged(seen, Path(name) / "messages.db", count)}


def _judged(seen: Run, path: Path, sql: str) -> Run:
    """Every confirmed letter is a row of its own; those under way at the end may be rows, too."""
    rows, different = counted(path, sql)
    return {"lost": max(0, seen["confirmed"] - different), "twice": rows - different}


def _flood(folder: Path, box: Box) -> Run:
    with tempfile.TemporaryDirectory(dir=folder) as name:
        port = free_port()
        argv, words = _command(box, Path(name), port)
        with serving(argv, port, installed.ENVIRONMENT) as process:
            get(port, "/info")
            token = token_of(port)
            send_at_once(port, PATH, token, clients=1)
            found = send_at_once(port, PATH, token, clients=FLOOD)
            os.killpg(process.pid, signal.SIGKILL)
        rows, different = counted(words, POSTS)
        refused, taken = sorted(found.get("503", [])), sorted(found.get("200", []))
        return {
            "refused": len(refused),
            "refused_p99_ms": _share(refused, 0.99),
            "confirmed": len(taken),
            "p99_ms": _share(taken, 0.99),
            "lost": max(0, len(taken) + 1 - different),
            "unanswered": FLOOD - len(refused) - len(taken),
            "twice": rows - different,
        }


def _share(times: list[float], share: float) -> float:
    return times[min(len(times) - 1, int(len(times) * share))] if times else 0.0
