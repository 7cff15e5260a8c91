"""Where the broker is: a name, an address of either family, or whichever box lends one."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from broker import free_port, wait_for
from publishers.rig import Rig

from kiezbox.errors import SettingsError
from kiezbox.publishers.mqtt import Settings
from kiezbox.settings import parse


def news(folder: Path, port: int, address: str = "127.0.0.1") -> None:
    """neighbours.json, as respondd would write it (``kiezbox.neighbours``)."""
    box = {"id": "kb-2", "name": "kb-2", "version": "0.1.0", "address": address, "seen_at": 0,
           "link_local": "fe80::1", "has_uplink": False, "broker_port": port}  # fmt: skip
    said = {"written_at": time.time(), "interface": "kb-mesh", "neighbours": [box], "clash": None}
    (folder / "new").write_text(json.dumps(said))
    (folder / "new").rename(folder / "neighbours.json")


def test_a_broker_is_found_in_the_mesh_and_found_again_elsewhere(rig: Rig) -> None:
    first, second = rig.broker(), rig.broker()
    publisher = rig.mqtt(1, up=False, host="mesh", neighbours=str(rig.folder))
    wait_for(lambda: "no box of the mesh lends" in str(publisher._problem), "there is none yet")

    news(rig.folder, first.port)
    wait_for(lambda: publisher.link() == "connected", "the first is found")
    news(rig.folder, second.port)
    first.stop()

    wait_for(
        lambda: publisher.link() == "connected" and str(second.port) in publisher._connection.where,
        "the second is found",
    )


def test_a_literal_ipv6_address_is_a_place(rig: Rig) -> None:
    port = free_port()
    rig.broker(f"allow_anonymous true\nlistener {port} ::1")

    publisher = rig.mqtt(port, host="::1")

    assert publisher.link() == "connected"


@pytest.mark.parametrize(
    "host", ["[fd00::1]", "[fd00::1]:1883", "10.0.0.1:1883", "mqtt://mqtt.example.org", ""]
)
def test_a_host_is_a_host_and_nothing_more(host: str) -> None:
    with pytest.raises(SettingsError, match="host"):
        parse(Settings, {"host": host})


@pytest.mark.parametrize("host", ["fd00::1", "fe80::1%kb-mesh", "10.0.0.1", "mqtt.example.org"])
def test_names_and_addresses_are_hosts(host: str) -> None:
    assert parse(Settings, {"host": host}).host == host


@pytest.mark.parametrize("secret", [{"tls": True}, {"tls": False, "username": "kiez"}])
def test_no_secret_is_said_to_whichever_box_lends_a_broker(secret: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match="tls and username must be off with host mesh"):
        parse(Settings, {"host": "mesh", **secret})
