"""A whole box for tests: a bench with simulated chips, and a real ``kiezbox run`` over it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kiezbox.hardware.simulated.bench import Bench
from kiezbox.hardware.simulated.bme280 import SimulatedBme280
from kiezbox.hardware.simulated.ina219 import SimulatedIna219
from kiezbox.hardware.simulated.sds011 import SimulatedSds011

#: Everything here waits for conditions; nothing ever waits longer than this.
LIMIT_S = 30.0

#: How fast a test's box lives: its seconds are a quarter of ours. Deadlines of buses are real.
SPEED = 4.0


def wait_for(what: Callable[[], Any], why: str, limit_s: float = LIMIT_S) -> Any:
    """The first true answer, or a failure that says what was waited for."""
    limit = time.monotonic() + limit_s
    while True:
        answer = what()
        if answer:
            return answer
        assert time.monotonic() < limit, f"not within {limit_s:g} s: {why}"
        time.sleep(0.02)


class Box:
    """Bench, settings and node. Timings are short; what a test needs otherwise it says."""

    def __init__(self, folder: Path, *, box: str = "kb-test", more: str = "") -> None:
        self.folder = folder
        self.bench = Bench(folder / "bench")
        self.climate = SimulatedBme280()
        self.climate.set(temperature_c=21.5, humidity_percent=55.0, pressure_hpa=1008.0)
        self.meter = SimulatedIna219()
        self.meter.set(bus_v=13.2, current_a=-0.4)
        self.dust = SimulatedSds011()
        self.dust.set(pm2_5=8.5, pm10=14.2)
        self.bench.attach(0x76, self.climate)
        self.bench.attach(0x40, self.meter)
        port = self.bench.attach_serial("ttyUSB0", self.dust)
        self.bench.set_pin(17, True)
        self.settings = folder / "kiezbox.toml"
        self.run_dir = folder / "run"
        self.store = folder / "kiezbox.db"
        self.settings.write_text(
            f"""
[box]
id = "{box}"
name = "Test"
latitude = 51.163
longitude = 10.448
[store]
path = "{self.store}"
run_dir = "{self.run_dir}"
flush_s = 0.5
[hardware]
i2c = "{self.bench.address}"
gpio = "{self.bench.address}"
[sensors.roof]
driver = "bme280"
where = "outdoor"
interval_s = 1
deadline_s = 2
[sensors.dust]
driver = "sds011"
where = "outdoor"
port = "{port}"
interval_s = 1
warm_up_s = 0
deadline_s = 3
[sensors.battery]
driver = "ina219"
where = "box"
interval_s = 1
deadline_s = 2
[power]
interval_s = 0.1
bridge_s = 1
agreed_bridge_s = 0.5
return_hold_s = 4
[clock]
speed = {SPEED}
wall_anchor = {time.time()}
[power.battery]
sensor = "battery"
[power.grid.mains]
driver = "pin"
[mode]
wlan_pause_s = 2
[network]
run_dir = "{folder / "network"}"
[network.access_point]
kind = "none"
{more}
"""
        )
        self.node: subprocess.Popen[bytes] | None = None
        self.log = folder / "node.log"

    def start(self) -> None:
        """Start the node and wait for its first word."""
        with open(self.log, "ab") as log:
            self.node = subprocess.Popen(
                [sys.executable, "-m", "kiezbox", "run", "--settings", str(self.settings)],
                stdout=log,
                stderr=log,
            )
        wait_for(self._is_up, "the node's first facts")

    def _is_up(self) -> bool:
        assert self.node is not None
        assert self.node.poll() is None, self.log.read_text()
        return bool(self.facts().get("mode"))

    def facts(self) -> dict[str, Any]:
        """now.json, or {} while there is none."""
        try:
            facts: dict[str, Any] = json.loads((self.run_dir / "now.json").read_text())
        except FileNotFoundError:
            return {}
        return facts

    def mode(self) -> str:
        return str((self.facts().get("mode") or {}).get("name"))

    def kiezbox(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The command line, for this box."""
        return subprocess.run(
            [sys.executable, "-m", "kiezbox", *arguments, "--settings", str(self.settings)],
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
        )

    def kill(self) -> None:
        """kill -9."""
        if self.node is not None:
            self.node.send_signal(signal.SIGKILL)
            self.node.wait(LIMIT_S)
            self.node = None
            (self.run_dir / "now.json").unlink(missing_ok=True)

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        assert self.node is not None
        self.node.terminate()
        code = self.node.wait(LIMIT_S)
        self.node = None
        return code

    def close(self) -> None:
        self.kill()
        self.bench.close()
