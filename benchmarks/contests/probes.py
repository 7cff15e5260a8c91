"""Goal b1, its other half: phones that probe without end must not keep readers waiting."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.lib import installed
from benchmarks.lib.contest import KIEZBOX, Options, Outcome, Run, interleave
from benchmarks.lib.portal import PHONES, PROBES_PER_S, Box, get, load, probing, serving
from benchmarks.lib.proc import free_port

#: Keep-alive clients that read the first page without a pause.
READERS = 200


def measure(options: Options) -> Outcome:
    """The same readers, with and without the phones."""
    seconds = 1.0 if options.is_quick else 3.0
    outcome = Outcome(
        "probes",
        f"{READERS} keep-alive clients read the first page without a pause, {seconds:g} s, the"
        f" server alone on its core if there are two; meanwhile {PHONES} phones probe"
        f" {PROBES_PER_S:g} times a second each, on new connections, or they do not.",
        reference=(KIEZBOX, "requests_per_s"),
    )
    with tempfile.TemporaryDirectory(prefix="kiezbox-probes-") as name:
        folder = Path(name)
        box = Box(folder)
        interleave(
            outcome,
            {
                KIEZBOX: lambda: _run(box, seconds, is_probed=False),
                f"{KIEZBOX}, probed": lambda: _run(box, seconds, is_probed=True),
            },
            options,
        )
    outcome.notes.append(installed.note())
    return outcome


def _run(box: Box, seconds: float, *, is_probed: bool) -> Run:
    port = free_port()
    box.touch()
    with serving(box.command(port), port, core=0) as process:
        # Flask is loaded now, and not in the middle.
        get(port, "/info")
        if not is_probed:
            return load(process.pid, port, clients=READERS, seconds=seconds)
        with probing(box.folder, port, seconds) as seen:
            run = load(process.pid, port, clients=READERS, seconds=seconds)
    return {**run, **seen}
