"""A Mosquitto on the box that bridges to the city's: what many stations do instead of a queue.

With its defaults it keeps 1,000 messages and drops the rest; here it may keep all, and saves
them to disk before the link comes up.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.lib.broker import CONFIG, mosquitto
from benchmarks.lib.proc import accepts, cpu_s, end, free_port, memory_mib, running, wait_for
from benchmarks.peers import mosquitto_pub

NAME = "mosquitto bridge"

BRIDGE = """\
user root
persistence true
persistence_location {folder}/
autosave_interval 0
connection city
address 127.0.0.1:{sink}
topic box/# out 1
bridge_protocol_version mqttv311
cleansession false
start_type automatic
restart_timeout 1
"""


def drain(
    folder: Path, sink: int, lines: Path, has_arrived: Callable[[], bool]
) -> dict[str, float]:
    """Queue every line in the bridge, save, start it anew with the link up, until all arrived.

    CPU and memory are the bridge's.
    """
    port = free_port()
    config = folder / "bridge.conf"
    nowhere = free_port()
    config.write_text(CONFIG.format(port=port) + BRIDGE.format(folder=folder, sink=nowhere))
    with running([mosquitto(), "-c", str(config)], stderr=subprocess.DEVNULL) as edge:
        wait_for(lambda: accepts(port), "the bridge")
        mosquitto_pub.publish(port, lines, "box/readings")
        end(edge)  # SIGTERM: the queue goes to disk
    config.write_text(CONFIG.format(port=port) + BRIDGE.format(folder=folder, sink=sink))
    with running([mosquitto(), "-c", str(config)], stderr=subprocess.DEVNULL) as edge:
        begun = time.monotonic()
        wait_for(has_arrived, "the bridge's readings", 60.0)
        seconds = time.monotonic() - begun
        return {"with_start_s": seconds, "cpu_s": cpu_s(edge.pid), **memory_mib(edge.pid)}
