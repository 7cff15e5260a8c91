"""The real node over a simulated bench, for benchmarks that need all of it."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.lib import installed
from benchmarks.lib.proc import running, wait_for

BOX = "kb-bench"

#: What every box has; the sensors and the rest follow.
HEAD = """\
[box]
id = "{box}"
[store]
path = "{store}"
run_dir = "{run_dir}"
[publishers.mqtt]
host = "127.0.0.1"
port = {port}
tls = false
[hardware]
i2c = "{bench}"
gpio = "{bench}"
[portal]
listen = "127.0.0.1:0"
"""

#: A serial sensor that is awake all the time.
SERIAL = """\
[sensors.dust]
driver = "sds011"
where = "outdoor"
port = "{serial}"
interval_s = {interval_s}
warm_up_s = 0
"""

#: All four sensors of step 1 and the grid pin.
REST = """\
[sensors.roof]
driver = "bme280"
where = "outdoor"
interval_s = {interval_s}
[sensors.battery]
driver = "ina219"
where = "box"
interval_s = {interval_s}
[power.battery]
sensor = "battery"
[power.grid.mains]
driver = "pin"
"""


@dataclass(frozen=True, slots=True)
class RunningNode:
    """A node that has said that it is up."""

    process: subprocess.Popen[Any]
    run_dir: Path
    settings: Path
    bench: Any

    def facts(self) -> dict[str, Any]:
        """now.json, or {} while there is none."""
        with contextlib.suppress(FileNotFoundError):
            facts: dict[str, Any] = json.loads((self.run_dir / "now.json").read_text())
            return facts
        return {}


@contextlib.contextmanager
def node(
    folder: Path,
    *,
    port: int,
    interval_s: float,
    is_full: bool = False,
    box: str = BOX,
    store: Path | None = None,
    more: str = "",
) -> Iterator[RunningNode]:
    """``kiezbox run`` in a process of its own, with its bench in this one.

    ``is_full``: all four sensors and the grid pin, else the serial sensor only.
    """
    from kiezbox.hardware.simulated.bench import Bench
    from kiezbox.hardware.simulated.bme280 import SimulatedBme280
    from kiezbox.hardware.simulated.ina219 import SimulatedIna219
    from kiezbox.hardware.simulated.sds011 import SimulatedSds011

    folder.mkdir(exist_ok=True)
    with Bench(folder / "bench") as bench:
        bench.attach(0x76, SimulatedBme280())
        meter = SimulatedIna219()
        meter.set(bus_v=13.2, current_a=-0.4)
        bench.attach(0x40, meter)
        serial = bench.attach_serial("ttyUSB0", SimulatedSds011())
        bench.set_pin(17, True)
        text = HEAD + SERIAL + (REST if is_full else "")
        settings = folder / "kiezbox.toml"
        settings.write_text(
            text.format(
                box=box,
                store=store or folder / "kiezbox.db",
                run_dir=folder / "run",
                bench=bench.address,
                serial=serial,
                interval_s=interval_s,
                port=port,
            )
            + more
        )
        argv = [installed.program(), "run", "--settings", str(settings)]
        log = folder / "node.log"
        with (
            log.open("wb") as file,
            running([*argv, "--log", "warning"], stderr=file, env=installed.ENVIRONMENT) as process,
        ):
            found = RunningNode(process, folder / "run", settings, bench)
            wait_for(
                lambda: process.poll() is not None or found.facts().get("latest"),
                "the node's first reading",
                30.0,
            )
            if process.poll() is not None:
                raise RuntimeError(log.read_text())
            yield found
