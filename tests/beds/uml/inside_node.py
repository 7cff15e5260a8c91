"""Runs inside the virtual machine: a whole node, with the settings a maker would write, on the
kernel's pins and bus, through an evening without electricity. Ends in ``$OUT/facts.json``.

The machine travels in time: while everybody waits, the clock jumps. Ten minutes of holding down
take seconds, and the node cannot tell.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from guest import GpioChip, bme280_on_the_bus, note, wait_for

OUT = Path(os.environ["OUT"])
SETTINGS = Path("/run/kiezbox.toml")
NOW = Path("/run/kiezbox/now.json")

#: Only addresses; every limit and pause is the default that boxes will have.
TOML = """
[box]
id = "kb-bed"

[store]
path = "/var/lib/kiezbox/kiezbox.db"

[hardware]
i2c = "{i2c}"
gpio = "{gpio}"

[sensors.roof]
driver = "bme280"
where = "outdoor"
address = 0x76
interval_s = 5

[power.grid.mains]
driver = "pin"
pin = 17
pull = "none"
"""


def start() -> subprocess.Popen[bytes]:
    NOW.unlink(missing_ok=True)
    with (OUT / "node.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "kiezbox", "run", "--settings", str(SETTINGS)],
            stdout=log,
            stderr=log,
            cwd="/",  # in /run, Python would take the run directory for the package
        )


def now() -> dict[str, Any]:
    try:
        facts: dict[str, Any] = json.loads(NOW.read_text())
    except FileNotFoundError:
        facts = {}
    return facts


def grid(facts: dict[str, Any]) -> str | None:
    return (facts.get("grid") or {}).get("state")


def mode(facts: dict[str, Any]) -> str | None:
    return (facts.get("mode") or {}).get("name")


def until(condition: Callable[[dict[str, Any]], bool], limit_s: float) -> float:
    """Seconds until now.json says so."""
    began = time.monotonic()
    if not wait_for(lambda: condition(now()), limit_s, pause_s=0.2):
        raise TimeoutError(f"after {limit_s} s: {json.dumps(now(), indent=1)}")
    return time.monotonic() - began


def evening() -> dict[str, Any]:
    chip = GpioChip()
    SETTINGS.write_text(TOML.format(i2c=bme280_on_the_bus(), gpio=chip.path))
    os.makedirs("/var/lib/kiezbox")
    facts: dict[str, Any] = {}

    node = start()
    until(lambda facts: grid(facts) is not None, 30)
    # Only now: gpio-sim forgets what drives a line when the line is asked for.
    chip.drive(17, True)
    until(lambda facts: grid(facts) == "present" and bool(facts["latest"]), 60)
    facts["before"] = now()

    chip.drive(17, False)
    facts["seconds_to_emergency"] = until(lambda facts: mode(facts) == "emergency", 60)
    status = subprocess.run(
        [sys.executable, "-m", "kiezbox", "status", "--json", "--settings", str(SETTINGS)],
        stdout=subprocess.PIPE,
        cwd="/",
        timeout=60,
        check=True,
    )
    facts["status"] = json.loads(status.stdout)

    node.kill()
    node.wait(10)
    node = start()
    until(lambda facts: mode(facts) is not None, 60)
    facts["after_the_kill"] = now()

    chip.drive(17, True)
    facts["seconds_to_normal"] = until(lambda facts: mode(facts) == "normal", 1200)

    node.send_signal(signal.SIGTERM)
    facts["exit_code"] = node.wait(30)
    return facts


if __name__ == "__main__":
    note({"evening": evening})
