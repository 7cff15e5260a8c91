"""mosquitto_pub -l -q 1: a text file, a line a message. No database, no ids of its own."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

from benchmarks.lib.contest import Skipped

NAME = "mosquitto_pub -l"

#: Version 2.0.11 silently loses what comes beyond 65,535 lines and exits with 0.
MOST_LINES = 60_000


def program() -> str:
    """The client's program."""
    path = shutil.which("mosquitto_pub")
    if path is None:
        raise Skipped("no mosquitto_pub here: apt install mosquitto-clients")
    return path


def publish(port: int, lines: Path, topic: str, *, limit_s: float = 120.0) -> tuple[float, float]:
    """Send every line; (moment begun, moment ended) by the monotonic clock.

    It returns when the broker has acknowledged all.
    """
    with lines.open("rb") as file:
        begun = time.monotonic()
        subprocess.run(
            [program(), "-h", "127.0.0.1", "-p", str(port), "-q", "1", "-l", "-t", topic],
            stdin=file,
            check=True,
            timeout=limit_s,
        )
        return begun, time.monotonic()
