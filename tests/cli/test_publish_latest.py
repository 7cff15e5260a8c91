"""``kiezbox publish NAME --once`` where the other side takes no past: the newest values or a number
that says they did not arrive.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from contracts.receivers.sensor_community import ID
from publishers.web import Said, WebServer

from kiezbox.cli import console_script
from kiezbox.cli import publish as verb
from kiezbox.clock import ManualClock, SystemClock
from kiezbox.model import Measurement, Quantity
from kiezbox.settings import StoreSettings
from kiezbox.store import Store


class Box:
    """A box that was measured with and then stopped, and a map."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self._monkeypatch = monkeypatch
        self.status = 201
        self.server = WebServer(lambda _: Said(self.status, b'{"detail":"no such pin"}'))
        self.settings = folder / "kiezbox.toml"
        with socket.create_server(("127.0.0.1", 0)) as other:
            closed = other.getsockname()[1]
        self.settings.write_text(
            f"""
[box]
id = "kb-1"
[store]
path = "{folder}/kiezbox.db"
run_dir = "{folder}/run"
[sensors.roof]
driver = "bme280"
where = "outdoor"
[publishers.map]
driver = "sensor_community"
url = "{self.server.url}"
sensor_id = "{ID}"
[publishers.map.sensors.roof]
pin = 11
[publishers.home]
driver = "home_assistant"
host = "127.0.0.1"
port = {closed}
tls = false
[publishers.page]
driver = "prometheus"
port = {closed}
"""
        )

    def measure(self, *, age_s: float = 0.0) -> None:
        settings = StoreSettings(path=f"{self.folder}/kiezbox.db", run_dir=f"{self.folder}/run")
        store = Store.open(settings, "kb-1", ManualClock(SystemClock().now() - age_s))
        store.add("roof", [Measurement(Quantity.TEMPERATURE_C, 21.5)])
        store.close()

    def once(self, name: str) -> int:
        self._monkeypatch.setattr(
            "sys.argv", ["kiezbox", "publish", name, "--once", "--settings", str(self.settings)]
        )
        return console_script()


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Box]:
    monkeypatch.setattr(verb, "PATIENCE_S", 0.5)
    made = Box(tmp_path, monkeypatch)
    yield made
    made.server.close()


def test_the_newest_values_go_out_also_if_the_node_has_sent_them_already(
    box: Box, capsys: pytest.CaptureFixture[str]
) -> None:
    box.measure()

    assert (box.once("map"), box.once("map")) == (0, 0)

    assert [asked.headers["x-pin"] for asked in box.server.asked] == ["11", "11"]
    assert capsys.readouterr().out == "map: delivered the newest values: 1\n" * 2


@pytest.mark.parametrize("name", ["map", "home"])
def test_a_link_that_fails_is_said_by_the_exit_code(
    box: Box, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    box.measure()
    box.server.stop()

    assert box.once(name) == 6

    assert "127.0.0.1" in capsys.readouterr().err


@pytest.mark.parametrize("status", [400, 403])
def test_values_that_are_not_taken_are_said_by_the_exit_code(
    box: Box, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    box.measure()
    box.status = status

    assert box.once("map") == 6

    assert "no such pin" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["map", "home"])
def test_where_nothing_is_new_enough_nothing_was_sent(
    box: Box, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    box.measure(age_s=86_400)

    assert box.once(name) == 6

    assert "nothing was sent" in capsys.readouterr().err and box.server.asked == []


def test_what_waits_to_be_asked_delivers_nothing_by_itself(
    box: Box, capsys: pytest.CaptureFixture[str]
) -> None:
    box.measure()

    assert box.once("page") == 2

    assert "it waits to be asked" in capsys.readouterr().err
