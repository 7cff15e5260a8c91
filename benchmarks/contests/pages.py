"""Goal b3: what a page weighs on the air, every one of them in every language."""

from __future__ import annotations

import gzip
import tempfile
from pathlib import Path

from benchmarks.contests.board import fill
from benchmarks.lib import installed
from benchmarks.lib.contest import KIEZBOX, Options, Outcome, Run, interleave
from benchmarks.lib.portal import Box, get, serving
from benchmarks.lib.proc import free_port
from kiezbox.i18n import LANGUAGES
from kiezbox.portal.answers import ROOMS

#: Bodies with gzip, in bytes; pictures (maps, charts) are pages of their own and may weigh 25 kB.
MOST = 3000

#: Rooms that are for programs, or to be printed.
OTHERS = ("api", "box.json", "city", "captive-portal", "poster")


def measure(options: Options) -> Outcome:
    outcome = Outcome(
        "pages",
        f"Every room of the portal in {len(LANGUAGES)} languages, in an emergency, with 40 posts on"
        " the board: bytes of the body with gzip.",
    )
    with tempfile.TemporaryDirectory(prefix="kiezbox-pages-") as name:
        folder = Path(name)
        box = Box(folder)
        words = folder / "words" / "words.db"
        fill(words, 40)
        interleave(outcome, {KIEZBOX: lambda: _weigh(box, words, outcome)}, options)
    outcome.notes.append(installed.note())
    return outcome


def _weigh(box: Box, words: Path, outcome: Outcome) -> Run:
    port = free_port()
    weights = {}
    with serving([*box.command(port), "--words", str(words)], port):
        for language in LANGUAGES:
            for room in ("", *(room for room in ROOMS if room not in OTHERS)):
                path = f"/{language}/{room}".rstrip("/")
                status, headers, body = get(port, path, accept_encoding="gzip")
                if status == 200 and headers["content-type"].startswith("text/html"):
                    is_zipped = headers.get("content-encoding") == "gzip"
                    weights[path] = len(body) if is_zipped else len(gzip.compress(body))
    heavy = sorted((size, path) for path, size in weights.items())[::-1]
    outcome.notes = [f"heaviest: {', '.join(f'{path} {size}' for size, path in heavy[:6])}"]
    return {
        "pages": len(weights),
        "bytes_most": heavy[0][0],
        "bytes_mean": sum(weights.values()) / len(weights),
        "too_heavy": sum(size > MOST for size in weights.values()),
    }
