"""A real node over simulated chips, in the tools people have, all at once: Home Assistant's broker,
InfluxDB's interface, and somebody who asks as Prometheus does.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from box import Box
from box import wait_for as wait_long
from broker import LIMIT_S, Listener, Mosquitto, free_port
from contracts.receivers._influx import Point, points
from prometheus_client.parser import text_string_to_metric_families
from publishers.web import Asked, Said, WebServer

BASE = "kiezbox/1/kb-test/home-assistant"


class Tools:
    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.broker = Mosquitto(folder)
        stack.callback(self.broker.close)
        self.listener = Listener(self.broker.port, "#")
        stack.callback(self.listener.close)
        self.points: list[Point] = []
        self.server = WebServer(self._write)
        stack.callback(self.server.close)
        self.port = free_port()
        (folder / "token").write_text("secret\n")
        self.box = Box(
            folder,
            more=f"""
[sensors.flat]
driver = "bme280"
interval_s = 1
[publishers.home_assistant]
host = "127.0.0.1"
port = {self.broker.port}
tls = false
[publishers.influx]
url = "{self.server.url}"
bucket = "kiez"
token_file = "{folder}/token"
[publishers.prometheus]
port = {self.port}
""",
        )
        stack.callback(self.box.close)

    def _write(self, asked: Asked) -> Said:
        if asked.headers["authorization"] != "Token secret":
            return Said(401)
        self.points += points(asked.body)
        return Said(204)

    def asked(self) -> dict[tuple[str, str], float]:
        """By metric and sensor, what is shown."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT_S)
        try:
            connection.request("GET", "/metrics")
            text = connection.getresponse().read().decode()
        except ConnectionRefusedError:
            return {}
        finally:
            connection.close()
        return {
            (sample.name, sample.labels["sensor"]): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def last(self, topic: str) -> Any:
        said = [heard for heard in list(self.listener.heard) if heard.topic == topic]
        return said[-1].json() if said and said[-1].payload else None

    def everything_that_went_out(self) -> str:
        heard = [f"{each.topic} {each.payload!r}" for each in list(self.listener.heard)]
        return json.dumps([heard, self.points, [*map(str, self.asked())]])


@pytest.fixture
def tools(tmp_path: Path) -> Iterator[Tools]:
    with ExitStack() as stack:
        yield Tools(tmp_path, stack)


@pytest.mark.broker
def test_a_box_is_seen_in_all_of_them_and_a_flat_in_none(tools: Tools) -> None:
    box = tools.box
    box.start()

    key = ("kiezbox_temperature_celsius", "roof")
    wait_long(lambda: abs(tools.asked().get(key, 0) - 21.5) < 0.05, "Prometheus' page")
    topic = f"{BASE}/roof/temperature_c"
    wait_long(lambda: abs((tools.last(topic) or {"value": 0})["value"] - 21.5) < 0.05, "a state")
    wait_long(lambda: any(each.measurement == "pm2_5_ug_m3" for each in tools.points), "a point")
    config = tools.last("homeassistant/device/kiezbox-kb-test/config")
    assert config["device"]["name"] == "Test"
    assert {"mode", "grid", "faults", "roof-temperature_c"} <= set(config["components"])
    wait_long(
        lambda: {each["link"] for each in box.facts()["publishers"].values()} == {"connected"},
        "all are connected",
    )

    box.bench.set_pin(17, False)
    wait_long(lambda: tools.last(f"{BASE}/state") == {"mode": "emergency", "state": "lost"},
              "the outage in Home Assistant")  # fmt: skip

    # The flat's sensor has been read all the time, and nobody was told of it.
    assert "flat" in json.dumps(box.facts())
    assert "flat" not in tools.everything_that_went_out()
    assert "10.448" not in tools.everything_that_went_out()


@pytest.mark.broker
def test_with_a_consent_a_flat_is_seen_and_when_it_is_revoked_it_is_taken_out(
    tools: Tools,
) -> None:
    box = tools.box
    for name in ("home_assistant", "prometheus"):
        given = box.kiezbox(
            "consent", "give", "flat", "--to", name, "--person", "tenant", "--purpose", "a study",
            "--for", "1d", "--quantity", "humidity_percent",
        )  # fmt: skip
        assert given.returncode == 0, given.stderr
    box.start()
    config = "homeassistant/device/kiezbox-kb-test/config"
    wait_long(lambda: ("kiezbox_humidity_ratio", "flat") in tools.asked(), "on Prometheus' page")
    wait_long(
        lambda: "flat-humidity_percent" in (tools.last(config) or {"components": {}})["components"],
        "in Home Assistant",
    )

    for number in ("1", "2"):
        assert box.kiezbox("consent", "revoke", number).returncode == 0

    wait_long(lambda: ("kiezbox_humidity_ratio", "flat") not in tools.asked(), "off the page")
    wait_long(
        lambda: tools.last(config)["components"]["flat-humidity_percent"] == {"platform": "sensor"},
        "out of Home Assistant",
    )
    assert "flat/temperature_c" not in tools.everything_that_went_out()
