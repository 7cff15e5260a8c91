"""What ten sensors cost a box: every bus, every kind, a reading a minute each.

No peer reads these ten; the goals are shares of a core and mebibytes of their own.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.lib import installed
from benchmarks.lib.broker import Receiver, broker
from benchmarks.lib.contest import Options, Outcome, say
from benchmarks.lib.proc import context_switches, cpu_s, memory_mib, running, wait_for

WHO = "kiezbox, ten sensors"

#: Driver → the address of its twin; 0: on a serial port.
TEN = {
    "bme280": 0x76, "sht4x": 0x44, "scd4x": 0x62, "sgp40": 0x59, "bh1750": 0x23, "ina226": 0x40,
    "max17048": 0x36, "sps30": 0x69, "sds011": 0, "plantower": 0,
}  # fmt: skip

HEAD = """\
[box]
id = "kb-senses"
[store]
path = "{folder}/kiezbox.db"
run_dir = "{folder}/run"
[publishers.mqtt]
host = "127.0.0.1"
port = {port}
tls = false
[hardware]
i2c = "{bench}"
gpio = "{bench}"
"""

INTERVAL_S = 60.0

#: Until every sensor has warmed up and said something.
WARM_UP_S = 75.0


def measure(options: Options) -> Outcome:
    """CPU and memory of the node, over whole minutes."""
    seconds = 900.0 if options.is_long else 0.0 if options.is_quick else 180.0
    outcome = Outcome(
        "senses",
        f"{len(TEN)} sensors ({', '.join(TEN)}) as registers and bytes, each read once in"
        f" {INTERVAL_S:g} s, judged, stored and published by MQTT, for {seconds:g} s; fans and"
        " lasers rest between two readings.",
    )
    for number in range(1 if options.is_quick else options.rounds):
        say(f"senses: round {number + 1}: {WARM_UP_S + seconds:g} s …")
        with tempfile.TemporaryDirectory(prefix="kiezbox-senses-") as name:
            outcome.runs.setdefault(WHO, []).append(_run(Path(name), seconds))
    outcome.notes.append(installed.note())
    return outcome


def _run(folder: Path, seconds: float) -> dict[str, float]:
    with broker() as port, Receiver(port, "kiezbox/+/+/readings"), _node(folder, port) as process:
        now_json = folder / "run" / "now.json"

        def heard() -> set[str]:
            latest = json.loads(now_json.read_text())["latest"] if now_json.exists() else {}
            return {name.partition("/")[0] for name in latest}

        wait_for(lambda: heard() >= set(TEN), "a word of each sensor", WARM_UP_S)
        begun, cpu = time.monotonic(), cpu_s(process.pid)
        switches = context_switches(process.pid)
        time.sleep(seconds)
        took_s = max(time.monotonic() - begun, 1e-9)
        found = {
            **memory_mib(process.pid),
            "series": float(len(json.loads(now_json.read_text())["latest"])),
        }
        if seconds:
            found["cpu_percent"] = (cpu_s(process.pid) - cpu) / took_s * 100
            found["switches_per_s"] = (context_switches(process.pid) - switches) / took_s
        return found


@contextlib.contextmanager
def _node(folder: Path, port: int) -> Iterator[Any]:
    from kiezbox.hardware.simulated.bench import Bench

    with Bench(folder / "bench") as bench:
        text = HEAD.format(folder=folder, port=port, bench=bench.address)
        for number, (driver, address) in enumerate(TEN.items()):
            module = importlib.import_module(f"kiezbox.hardware.simulated.{driver}")
            part = getattr(module, f"Simulated{driver.capitalize()}")()
            text += f'[sensors.{driver}]\ndriver = "{driver}"\nwhere = "outdoor"\n'
            text += f"interval_s = {INTERVAL_S:g}\n"
            if address:
                bench.attach(address, part)
                text += f"address = 0x{address:02x}\n"
            else:
                text += f'port = "{bench.attach_serial(f"ttyUSB{number}", part)}"\n'
        settings = folder / "kiezbox.toml"
        settings.write_text(text)
        argv = [installed.program(), "run", "--settings", str(settings), "--log", "warning"]
        with (
            (folder / "node.log").open("wb") as log,
            running(argv, stderr=log, env=installed.ENVIRONMENT) as process,
        ):
            try:
                yield process
            except BaseException:
                print((folder / "node.log").read_text())
                raise
