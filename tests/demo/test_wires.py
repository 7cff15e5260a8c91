"""Broker, listener and uplink: what carries readings in the demo, and what cuts the way."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from paho.mqtt import publish
from running import LIMIT_S, wait_for

from kiezbox.demo import broker
from kiezbox.demo.listener import Arrived, Listener
from kiezbox.demo.uplink import Uplink
from kiezbox.errors import MissingPackage


@pytest.fixture(params=["mosquitto", "amqtt"])
def broker_port(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[int]:
    """Each of the two brokers, started as the demo starts it."""
    port = broker.free_port()
    name, command = broker.command(tmp_path, port)
    if request.param == "amqtt":
        command = [sys.executable, "-m", "kiezbox.demo.broker", str(port)]
    elif name != "Mosquitto":
        pytest.skip("Mosquitto is not installed: apt-get install mosquitto")
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: broker.answers(port), "the broker answers")
        yield port
    finally:
        process.terminate()
        process.wait(LIMIT_S)


def senml(*ids: str) -> str:
    """A pack as RFC 8428 has it, with our ids."""
    records = [{"n": "kb-1/air/temperature_c", "u": "Cel", "v": 20.5, "id": id} for id in ids]
    return json.dumps(records)


def test_the_listener_counts_each_reading_once_and_notes_repeats(broker_port: int) -> None:
    listener = Listener(broker_port)
    try:
        wait_for(listener.is_listening, "the listener listens")

        send(broker_port, "kb-1", senml("7-1", "7-2"))
        send(broker_port, "kb-1", senml("7-2", "7-3"))
        send(broker_port, "kb-1", "this is no pack")
        send(broker_port, "kb-2", senml("7-1"))

        wait_for(lambda: listener.arrived("kb-1").messages == 3, "three messages")
        wait_for(lambda: listener.arrived("kb-2").messages == 1, "one message")
        assert listener.arrived("kb-1") == Arrived(readings=3, repeats=1, messages=3)
        assert listener.arrived("kb-2") == Arrived(readings=1, repeats=0, messages=1)
    finally:
        listener.close()


def send(port: int, box: str, payload: str) -> None:
    publish.single(
        f"kiezbox/1/{box}/readings", payload, qos=1, hostname="127.0.0.1", port=port, client_id=""
    )


def test_without_any_broker_the_demo_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "MOSQUITTO", ("no-such-program",))
    monkeypatch.setattr(broker, "find_spec", lambda name: None)

    with pytest.raises(MissingPackage) as error:
        broker.command(tmp_path, 1)

    assert "amqtt" in error.value.hint and "apt install mosquitto" in error.value.hint


# --- the uplink ----------------------------------------------------------------------------------


@pytest.fixture
def far_end() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(LIMIT_S)
        yield listener


@pytest.fixture
def uplink(far_end: socket.socket) -> Iterator[Uplink]:
    uplink = Uplink(far_end.getsockname()[1])
    yield uplink
    uplink.close()
    uplink.close()


def connect(uplink: Uplink) -> socket.socket:
    return socket.create_connection(("127.0.0.1", uplink.port), timeout=LIMIT_S)


def test_an_uplink_carries_bytes_both_ways(uplink: Uplink, far_end: socket.socket) -> None:
    with connect(uplink) as near:
        far, _ = far_end.accept()
        with far:
            near.sendall(b"there")
            far.settimeout(LIMIT_S)
            assert far.recv(100) == b"there"

            far.sendall(b"and back")
            assert near.recv(100) == b"and back"


def is_over(end: socket.socket) -> bool:
    """Whether the other side ended the connection, politely or not."""
    end.settimeout(LIMIT_S)
    try:
        return end.recv(100) == b""
    except ConnectionResetError:
        return True


def test_cutting_an_uplink_ends_what_was_open_on_both_sides(
    uplink: Uplink, far_end: socket.socket
) -> None:
    with connect(uplink) as near:
        far, _ = far_end.accept()
        with far:
            uplink.cut()

            assert is_over(near)
            assert is_over(far)


def test_a_cut_uplink_takes_no_connection_and_keeps_its_port(uplink: Uplink) -> None:
    uplink.cut()

    for _ in range(3):
        try:
            with connect(uplink) as near:
                assert is_over(near)
        except ConnectionResetError:
            continue
    with pytest.raises(OSError):
        socket.create_server(("127.0.0.1", uplink.port))


def test_a_restored_uplink_leads_to_the_same_place_again(
    uplink: Uplink, far_end: socket.socket
) -> None:
    uplink.cut()
    uplink.restore()

    with connect(uplink) as near:
        far, _ = far_end.accept()
        with far:
            near.sendall(b"again")
            far.settimeout(LIMIT_S)
            assert far.recv(100) == b"again"


def test_an_end_that_says_goodbye_is_passed_on(uplink: Uplink, far_end: socket.socket) -> None:
    with connect(uplink) as near:
        far, _ = far_end.accept()
        far.close()

        assert near.recv(100) == b""
