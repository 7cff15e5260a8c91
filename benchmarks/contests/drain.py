"""Goal a1: how fast a backlog leaves the box once the link is back.

The clock runs from the first reading fetched until the later of two moments: the sender knows
that everything was acknowledged (and has remembered it durably), the last reading is at the
subscriber.
"""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from benchmarks.lib import boxes, installed
from benchmarks.lib.broker import Receiver, broker
from benchmarks.lib.contest import ROOT, Options, Outcome, Run, Skipped, interleave
from benchmarks.peers import mosquitto_bridge, mosquitto_pub, paho_naive

#: The naive client is so slow that it gets fewer; its figure is per second all the same.
NAIVE = 2_000


def measure(options: Options) -> Outcome:
    """Everybody drains the same readings into a broker of its own."""
    count = 14_000 if options.is_quick else mosquitto_pub.MOST_LINES
    outcome = Outcome("drain", "", reference=(mosquitto_pub.NAME, "readings_per_s"))
    with tempfile.TemporaryDirectory(prefix="kiezbox-drain-") as name:
        folder = Path(name)
        lines = boxes.fill(folder / "full.db", count)[:count]
        text = folder / "lines"
        text.write_text("".join(line + "\n" for line in lines))
        size = sum(map(len, lines)) / len(lines)
        outcome.setting = (
            f"{count} readings, QoS 1, Mosquitto on loopback with set_tcp_nodelay. Peers: a"
            f" reading a message, {size:.0f} bytes of JSON ({lines[0]}). Kiezbox: SenML packs of"
            " up to 1,000 readings from its database. Naive paho: 2,000 of them."
        )
        contestants = {
            "kiezbox": lambda: _kiezbox(folder, count),
            mosquitto_pub.NAME: lambda: _mosquitto_pub(text, count),
            mosquitto_bridge.NAME: lambda: _bridge(text, count),
            paho_naive.NAME: lambda: _naive(folder, lines[:NAIVE]),
        }
        interleave(outcome, contestants, options)
    return outcome


def _figures(ids: Iterable[str], count: int, seconds: float, cpu_s: float, size: int) -> Run:
    """Correctness first: whoever lost one has no speed."""
    times = Counter(ids)
    if len(times) != count:
        raise RuntimeError(f"{len(times)} of {count} readings arrived: no figure")
    return {
        "readings_per_s": count / seconds,
        "cpu_us_per_reading": cpu_s / count * 1e6,
        "bytes_per_reading": size / count,
        "duplicates": sum(times.values()) - count,
    }


def _kiezbox(folder: Path, count: int) -> Run:
    with tempfile.TemporaryDirectory(dir=folder) as name, broker() as port:
        for suffix in ("", "-wal", ".journal"):
            if (source := folder / f"full.db{suffix}").exists():
                shutil.copy(source, Path(name) / f"box.db{suffix}")
        with Receiver(port, f"kiezbox/1/{boxes.BOX}/readings") as receiver:
            done = subprocess.run(
                [installed.python(), boxes.__file__, f"{name}/box.db", str(port)],
                cwd=ROOT, capture_output=True, text=True, timeout=120,
            )  # fmt: skip
            if done.returncode:
                raise RuntimeError(done.stderr)
            receiver.settle()
            messages = receiver.messages()
    said = json.loads(done.stdout.splitlines()[-1])
    seconds = max(said["ended"], messages[-1][0]) - said["begun"]
    ids = boxes.ids_in(messages)
    # The store was filled to a whole minute.
    ids = ids[:count] if len(set(ids)) > count else ids
    return _figures(ids, count, seconds, said["cpu_s"], sum(len(m[2]) for m in messages))


def _plain(messages: list[tuple[float, str, bytes]]) -> list[str]:
    return [json.loads(payload)["id"] for _, _, payload in messages]


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _mosquitto_pub(text: Path, count: int) -> Run:
    mosquitto_pub.program()
    with broker() as port, Receiver(port, "box/readings") as receiver:
        before = _children_s()
        begun, ended = mosquitto_pub.publish(port, text, "box/readings")
        cpu_s = _children_s() - before
        receiver.settle()
        messages = receiver.messages()
    seconds = max(ended, messages[-1][0]) - begun
    return _figures(_plain(messages), count, seconds, cpu_s, sum(len(m[2]) for m in messages))


def _bridge(text: Path, count: int) -> Run:
    """From the moment the bridge is connected (it says so) to the last message at the sink."""
    with (
        tempfile.TemporaryDirectory(prefix="kiezbox-bridge-") as name,
        broker() as port,
        Receiver(port, "box/readings") as receiver,
        Receiver(port, "$SYS/broker/connection/#") as link,
    ):
        # A PUBLISH of QoS 0 is the payload, the topic and four bytes (five from 128 on).
        sizes = [len(line) + len("box/readings") + 2 for line in text.read_bytes().splitlines()]
        whole = sum(size + (2 if size < 128 else 3) for size in sizes)
        used = mosquitto_bridge.drain(Path(name), port, text, lambda: receiver.received >= whole)
        receiver.settle()
        messages = receiver.messages()
        up = [moment for moment, _, payload in link.messages() if payload == b"1"]
    seconds = messages[-1][0] - up[0]
    size = sum(len(m[2]) for m in messages)
    return {
        **_figures(_plain(messages), count, seconds, used["cpu_s"], size),
        "rss_mib": used["rss_mib"],
    }


def _naive(folder: Path, lines: list[str]) -> Run:
    with tempfile.TemporaryDirectory(dir=folder) as name, broker() as port:
        database = Path(name) / "queue.db"
        paho_naive.prepare(database, lines)
        with Receiver(port, "box/readings") as receiver:
            done = subprocess.run(
                [sys.executable, paho_naive.__file__, str(database), str(port), "box/readings"],
                capture_output=True, text=True, timeout=120,
            )  # fmt: skip
            if done.returncode:
                raise Skipped(done.stderr.strip().splitlines()[-1])
            receiver.settle()
            messages = receiver.messages()
    seconds, cpu_s, _ = map(float, done.stdout.split())
    size = sum(len(m[2]) for m in messages)
    return _figures(_plain(messages), len(lines), seconds, cpu_s, size)
