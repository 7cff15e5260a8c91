"""weewx, the weather station software most roofs run, with its simulator and an MQTT uploader."""

from __future__ import annotations

import subprocess
from pathlib import Path

from benchmarks.lib.contest import BENCH, Skipped

NAME = "weewx"
WITH_MQTT = "weewx with MQTT"

#: Works like weewx-mqtt 0.23 (github.com/matthewwall/weewx-mqtt), the extension in use, whose
#: code cannot be fetched from a registry: every loop packet goes through a queue to a RESTThread,
#: which adds the sums of rain from the database (its default, augment_record), makes a paho
#: client, connects, publishes one JSON object and a message per observation, and disconnects.
UPLOADER = """
import json
import queue
import random

import paho.mqtt.client as mqtt
import weewx
import weewx.manager
import weewx.restx


class MQTT(weewx.restx.StdRESTbase):
    def __init__(self, engine, config_dict):
        super().__init__(engine, config_dict)
        self.archive_queue = queue.Queue()
        port = int(config_dict["StdRESTful"]["MQTT"]["port"])
        manager = weewx.manager.get_manager_dict_from_config(config_dict, "wx_binding")
        self.archive_thread = Uploader(self.archive_queue, port, manager)
        self.archive_thread.start()
        self.bind(weewx.NEW_LOOP_PACKET, lambda event: self.archive_queue.put(event.packet))


class Uploader(weewx.restx.RESTThread):
    def __init__(self, q, port, manager):
        super().__init__(q, protocol_name="MQTT", manager_dict=manager)
        self.port = port

    def process_record(self, record, dbm):
        record = self.get_record(record, dbm)
        data = {name: "%s" % float(value) for name, value in record.items() if value is not None}
        client = mqtt.Client(client_id="weewx_%08x" % random.getrandbits(32))
        client.connect("127.0.0.1", self.port)
        client.loop_start()
        client.publish("weather/loop", json.dumps(data), qos=1)
        for name, value in data.items():
            client.publish("weather/" + name, value)
        client.loop_stop()
        client.disconnect()
"""

#: Run with weewx' own Python: ConfigObj keeps the rest of the file as weewx made it.
CONFIGURE = """
import sys, configobj
path, mode, database, port = sys.argv[1:]
config = configobj.ConfigObj(path, encoding="utf-8", file_error=True)
config["Simulator"]["mode"] = mode
if mode == "generator":
    config["Simulator"]["start"] = "2026-06-01T00:00"
config["StdArchive"]["archive_interval"] = "60"
config["StdArchive"]["record_generation"] = "software"
config["DatabaseTypes"]["SQLite"]["SQLITE_ROOT"] = database
services = config["Engine"]["Services"]
# As shipped, but for the HTML reports, which nobody needs who publishes.
services["report_services"] = "weewx.engine.StdPrint"
services["restful_services"] = ""
if port != "0":
    services["restful_services"] = "user.mqtt.MQTT"
    config["StdRESTful"]["MQTT"] = {"enable": "true", "port": port}
config.write()
"""


def program() -> Path:
    """weewx' daemon."""
    path = BENCH / "weewx" / "bin" / "weewxd"
    if not path.exists():
        raise Skipped("not installed: benchmarks/peers.sh")
    return path


def station(folder: Path, *, mode: str, database: Path, port: int = 0) -> list[str]:
    """A station with one archive record a minute and no reports; the command that runs it.

    ``mode``: "simulator" (a packet every 2.5 s) or "generator" (the same, as fast as it goes).
    ``port``: of the MQTT broker; 0: without MQTT.
    """
    here = program().parent
    config = folder / "weewx.conf"
    _call(here / "weectl", "station", "create", folder, "--no-prompt",
          "--driver=weewx.drivers.simulator")  # fmt: skip
    (folder / "bin" / "user" / "mqtt.py").write_text(UPLOADER)
    _call(here / "python", "-c", CONFIGURE, config, mode, database, port)
    return [str(program()), "--config", str(config)]


def _call(*argv: object) -> None:
    done = subprocess.run([str(word) for word in argv], capture_output=True, text=True, timeout=120)
    if done.returncode:
        raise Skipped(f"{argv[0]}: {(done.stderr or done.stdout).strip()[-300:]}")
