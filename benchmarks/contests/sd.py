"""Goal a3: what reaches the memory card, in bytes and flushes a minute.

Time is simulated, so ext4's own clock stands still: it commits changed inodes every 5 s, and here
all is over before. The long run adds ten real minutes of the real node (see docs/benchmarks.md).
"""

from __future__ import annotations

import contextlib
import random
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.lib import boxes
from benchmarks.lib.blockdev import Card, Written, card
from benchmarks.lib.broker import Receiver, broker
from benchmarks.lib.contest import Options, Outcome, Run, Skipped, interleave, say
from benchmarks.lib.node import node
from benchmarks.lib.proc import running, wait_for
from benchmarks.peers import weewx

#: Two folds at the default of four hours.
MINUTES = 480
PEER_MINUTES = 60
REAL_MINUTES = 10
#: Until SQLite's WAL has its full size and is written from the start again: it then costs least.
WARM_MINUTES = 1500
SMALL_BLOCKS = "kiezbox, blocks of 1 KiB"
PLAIN_SQLITE = "SQLite WAL FULL, commit a minute"


def measure(options: Options) -> Outcome:
    """Simulated hours of seven readings a minute onto a fresh card each."""
    outcome = Outcome(
        "sd",
        f"Seven readings a minute onto a loop-mounted ext4 (4 KiB blocks), as counted in"
        f" /sys/block/loopN/stat, a sync of all that waits included. Kiezbox: {MINUTES} simulated"
        f" minutes with flush_s 60 and fold_s 14400, MQTT publisher on, a battery count a minute."
        f" Peers: {PEER_MINUTES} minutes; weewx writes one archive record a minute with all its"
        f" columns.",
        reference=(weewx.NAME, "bytes_per_min"),
    )
    contestants = {
        "kiezbox": lambda: _kiezbox(4096),
        SMALL_BLOCKS: lambda: _kiezbox(1024),
        PLAIN_SQLITE: _plain_sqlite,
        weewx.NAME: _weewx,
    }
    interleave(outcome, contestants, options)
    if options.is_long:
        for name, mount in (
            ("as mounted by default", ""),
            ("mounted with commit=600", "commit=600"),
        ):
            say(f"sd: {REAL_MINUTES} real minutes, {name} …")
            try:
                run = _real_time(mount)
            except Skipped as reason:
                outcome.skipped[f"kiezbox, real time, {name}"] = str(reason)
            else:
                outcome.runs[f"kiezbox, real time, {name}"] = [run]
    return outcome


def _figures(written: Written, minutes: float) -> Run:
    return {
        "bytes_per_min": written.bytes / minutes,
        "flushes_per_min": written.flushes / minutes,
        "writes_per_min": written.writes / minutes,
    }


def _kiezbox(block_bytes: int) -> Run:
    """The node's store and carrier, a minute at a time, as its workers drive them."""
    from kiezbox.clock import ManualClock
    from kiezbox.node.carrier import Carrier
    from kiezbox.node.storing import Storing
    from kiezbox.settings import StoreSettings
    from kiezbox.store import Store

    with (
        card(block_bytes=block_bytes) as medium,
        tempfile.TemporaryDirectory(prefix="kiezbox-run-") as run_dir,
        broker() as port,
        Receiver(port, "kiezbox/+/+/readings") as receiver,
    ):
        clock, rng = ManualClock(), random.Random(1)
        settings = StoreSettings(path=str(medium.path / "kiezbox.db"), run_dir=run_dir)
        store = Store.open(settings, boxes.BOX, clock)
        storing = Storing(store, settings, clock)
        with boxes.publisher(port, clock) as publisher:
            carrier = Carrier(store, publisher, "mqtt", clock)
            before = medium.written()
            added = worst_s = 0.0
            for minute in range(MINUTES):
                added += boxes.add_minute(store, rng)
                store.keep_lazily("battery", boxes.battery_document(minute))
                while carrier.backlog():
                    carrier.step()
                worst_s = max(worst_s, settings.flush_s)
                clock.advance(storing.step())
            written = medium.written() - before
        receiver.settle()
        if (arrived := len(boxes.ids_in(receiver.messages()))) != added:
            raise RuntimeError(f"{arrived} of {added:g} readings arrived: no figure")
        store.close()
    return {**_figures(written, MINUTES), "loss_window_s": worst_s}


def _plain_sqlite() -> Run:
    """What is left when one does without a journal of one's own."""
    with card() as medium, contextlib.closing(sqlite3.connect(medium.path / "box.db")) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("CREATE TABLE readings (id INTEGER PRIMARY KEY, series, taken_ms, value)")
        db.commit()
        rng = random.Random(1)
        for minute in range(-WARM_MINUTES, PEER_MINUTES):
            if minute == 0:
                before = medium.written()
            rows = [(n, 60_000 * minute, rng.uniform(0, 2000)) for n in range(len(boxes.SERIES))]
            db.executemany("INSERT INTO readings (series, taken_ms, value) VALUES (?, ?, ?)", rows)
            db.commit()
        return _figures(medium.written() - before, PEER_MINUTES)


def _weewx() -> Run:
    """In its generator mode, an hour takes a second; everything else is as on a roof."""
    with card() as medium, tempfile.TemporaryDirectory(prefix="kiezbox-weewx-") as folder:
        argv = weewx.station(Path(folder) / "wx", mode="generator", database=medium.path)

        def records() -> int:
            with contextlib.suppress(sqlite3.Error), _looking_at(medium) as db:
                return int(db.execute("SELECT count(*) FROM archive").fetchone()[0])
            return 0

        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        with running(argv, **quiet):
            wait_for(lambda: records() >= 2, "weewx' first records")
            begun, before = records(), medium.written()
            wait_for(lambda: records() >= begun + PEER_MINUTES, "an hour of weewx", 120.0)
            written, ended = medium.written() - before, records()
    return _figures(written, ended - begun)


@contextlib.contextmanager
def _looking_at(medium: Card) -> Iterator[sqlite3.Connection]:
    path = f"file:{medium.path}/weewx.sdb?mode=ro"
    with contextlib.closing(sqlite3.connect(path, uri=True)) as db:
        yield db


def _real_time(mount: str) -> Run:
    """Nothing simulated but the sensors: the real node, its threads, ext4's own five seconds."""
    with (
        card(options=mount) as medium,
        tempfile.TemporaryDirectory(prefix="kiezbox-real-") as name,
        broker() as port,
        node(
            Path(name),
            port=port,
            interval_s=60,
            is_full=True,
            store=medium.path / "kiezbox.db",
        ),
    ):
        time.sleep(90)  # the first minute opens and closes faults, and draws the boot number
        before = medium.written()
        time.sleep(60 * REAL_MINUTES)
        return _figures(medium.written() - before, REAL_MINUTES)
