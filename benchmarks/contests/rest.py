"""Goal a4: what a box costs while nothing happens but its ordinary work.

All contestants run side by side, each with a broker of its own, and are looked at over the same
stretch of time; so nobody's quiet minute is another's loud one.
"""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from benchmarks.lib import installed
from benchmarks.lib.broker import Receiver, broker
from benchmarks.lib.contest import Options, Outcome, Skipped, say
from benchmarks.lib.node import node
from benchmarks.lib.proc import context_switches, cpu_s, memory_mib, running, wait_for
from benchmarks.lib.weigh import weigh_node
from benchmarks.peers import weewx

#: weewx' simulator says something every 2.5 s; like for like, we read our sensor as often.
LIKE_S = 2.5
#: All four sensors: seven readings in ten seconds, four hundred times what goal a3 counts on.
FULL_S = 10.0
FULL = "kiezbox, all sensors"
#: The same box as it leaves the works: a read a minute.
DEFAULT_S = 60.0
DEFAULT = "kiezbox, a read a minute"
#: Until everything is imported, connected and has published.
WARM_UP_S = 12.0

Start = Callable[[Path], AbstractContextManager[int]]


def measure(options: Options) -> Outcome:
    """CPU and memory of each process over some minutes."""
    seconds = 900.0 if options.is_long else 8.0 if options.is_quick else 120.0
    outcome = Outcome(
        "rest",
        f"Side by side for {seconds:g} s each round; CPU by the process' CPU clock, memory by"
        f" smaps_rollup. Like for like: one serial sensor (SDS011 on a pty) every {LIKE_S:g} s and"
        f" MQTT QoS 1, against weewx with its simulator every {LIKE_S:g} s, an archive record a"
        f" minute, no reports, and an MQTT uploader. All sensors: BME280, SDS011, INA219 and a"
        f" grid pin every {FULL_S:g} s. A read a minute: the serial sensor again, at the default.",
        reference=(weewx.WITH_MQTT, "cpu_percent"),
    )
    contestants: dict[str, Start] = {
        "kiezbox": lambda folder: _kiezbox(folder, LIKE_S, is_full=False),
        DEFAULT: lambda folder: _kiezbox(folder, DEFAULT_S, is_full=False),
        FULL: lambda folder: _kiezbox(folder, FULL_S, is_full=True),
        weewx.WITH_MQTT: _weewx,
    }
    for number in range(options.rounds):
        say(f"rest: round {number + 1} of {options.rounds}: {seconds:g} s …")
        _round(outcome, contestants, seconds)
    outcome.notes.append(installed.note())
    with tempfile.TemporaryDirectory(prefix="kiezbox-rest-") as name, broker() as port:
        outcome.notes += weigh_node(Path(name), port)
    return outcome


def _round(outcome: Outcome, contestants: dict[str, Start], seconds: float) -> None:
    with contextlib.ExitStack() as stack:
        pids = {}
        for name, start in contestants.items():
            if name in outcome.skipped:
                continue
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="kiezbox-rest-"))
            try:
                pids[name] = stack.enter_context(start(Path(folder)))
            except Skipped as reason:
                outcome.skipped[name] = str(reason)
        time.sleep(WARM_UP_S)
        begun = time.monotonic()
        before = {name: (cpu_s(pid), context_switches(pid)) for name, pid in pids.items()}
        time.sleep(seconds)
        took_s = time.monotonic() - begun
        for name, pid in pids.items():
            cpu, switches = before[name]
            run = {
                "cpu_percent": (cpu_s(pid) - cpu) / took_s * 100,
                **memory_mib(pid),
                "switches_per_s": (context_switches(pid) - switches) / took_s,
            }
            outcome.runs.setdefault(name, []).append(run)


@contextlib.contextmanager
def _kiezbox(folder: Path, interval_s: float, *, is_full: bool) -> Iterator[int]:
    with (
        broker() as port,
        Receiver(port, "kiezbox/+/+/readings") as receiver,
        node(folder, port=port, interval_s=interval_s, is_full=is_full) as running_node,
    ):
        wait_for(lambda: receiver.received, "a reading at the broker")
        yield running_node.process.pid


@contextlib.contextmanager
def _weewx(folder: Path) -> Iterator[int]:
    with broker() as port, Receiver(port, "weather/loop") as receiver:
        argv = weewx.station(folder / "wx", mode="simulator", database=folder, port=port)
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        with running(argv, **quiet) as process:
            wait_for(lambda: receiver.received, "a packet at the broker")
            yield process.pid
