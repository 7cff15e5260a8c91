"""The simulated LoRaWAN modems, judged by other drivers, unchanged, over a pseudo-terminal,
and by logs of real modules.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import serial
from broker import wait_for
from publishers.lora_side import APP_KEY, DEV_EUI, JOIN_EUI, Radio
from rui3pylib import rui3pylib

from kiezbox.hardware.simulated.lora_modem import Uplink


@pytest.fixture
def rak(tmp_path: Path) -> Iterator[Radio]:
    radio = Radio(tmp_path, "rak3172")
    yield radio
    radio.close()


@pytest.fixture
def e5(tmp_path: Path) -> Iterator[Radio]:
    radio = Radio(tmp_path, "e5")
    yield radio
    radio.close()


class Terminal:
    """A terminal program: says a line, and reads what comes until it is quiet."""

    def __init__(self, radio: Radio) -> None:
        self._port = serial.Serial(radio.line.path, timeout=0.15)

    def say(self, line: str) -> list[str]:
        self._port.write(line.encode() + b"\r\n")
        return [part for part in self._port.read(4096).decode().splitlines() if part]

    def close(self) -> None:
        self._port.close()


def test_somebody_elses_rui3_driver_joins_and_sends(
    rak: Radio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """rui3pylib sleeps 3 s for each answer; here less, which is the only thing that is changed."""
    hasty = SimpleNamespace(sleep=lambda s: time.sleep(s / 40), monotonic=time.monotonic)
    monkeypatch.setattr(rui3pylib, "time", hasty)
    node = rui3pylib.RUI3Node(rak.line.path)
    try:
        assert node.is_open
        assert rui3pylib.check_success(node, f"AT+DEVEUI={DEV_EUI}")[1]
        assert rui3pylib.check_success(node, f"AT+APPEUI={JOIN_EUI}")[1]
        assert rui3pylib.check_success(node, f"AT+APPKEY={APP_KEY}")[1]
        response, is_started = rui3pylib.check_success(node, "AT+JOIN=1:0:8:0")
        assert is_started and "+EVT:JOINED" in response
        assert "AT+NJS=1" in str(rui3pylib.check_success(node, "AT+NJS=?")[0])
        assert "+EVT:TX_DONE" in str(node.send_data(2, "1001042F7A"))
        assert not rui3pylib.check_success(node, "AT+DR=9")[1]
    finally:
        node.close()

    assert rak.network.uplinks == [Uplink(2, bytes.fromhex("1001042F7A"), False, 0)]


E5LORA = f"""
import sys, time
from e5lora import Board
downs = []
board = Board(sys.argv[1], downs.append)
for command in ("MODE=LWOTAA", 'ID=DevEui,"{DEV_EUI}"', 'ID=AppEui,"{JOIN_EUI}"',
                'KEY=APPKEY,"{APP_KEY}"', "JOIN", "PORT=1"):
    board.add_command(command)
    time.sleep(0.6)
board.send_uplink([(4660, 2), (7, 1)])
until = time.monotonic() + 10
while not downs and time.monotonic() < until:
    time.sleep(0.05)
print(downs)
"""


def test_somebody_elses_e5_driver_joins_sends_and_hears_a_downlink(e5: Radio) -> None:
    """e5lora ends its lines with LF alone and writes all in capitals."""
    e5.network.downlink = (1, b"\x01\x02")

    done = subprocess.run(
        [sys.executable, "-c", E5LORA, e5.line.path], capture_output=True, text=True, timeout=60
    )

    assert done.stdout == "[b'\\x01\\x02']\n", done.stderr
    assert [uplink.payload for uplink in e5.network.uplinks] == [bytes.fromhex("123407")]


def test_an_e5_talks_as_in_seeeds_wiki(e5: Radio) -> None:
    """wiki.seeedstudio.com, "LoRa-E5 mini", "Connect and send data to The Things Network"."""
    terminal = Terminal(e5)
    try:
        assert terminal.say("AT") == ["+AT: OK"]
        assert terminal.say("AT+ID=DevEui") == ["+ID: DevEui, 2C:F7:F1:20:24:90:03:63"]
        assert terminal.say("AT+ID=AppEui") == ["+ID: AppEui, 80:00:00:00:00:00:00:07"]
        assert terminal.say('AT+KEY=APPKEY,"2B7E151628AED2A6ABF7158809CF4F3C"') == [
            "+KEY: APPKEY 2B7E151628AED2A6ABF7158809CF4F3C"
        ]
        e5.network.keys = tuple(e5.modem.keys.values())
        assert terminal.say("AT+DR=EU868") == ["+DR: EU868"]
        assert terminal.say("AT+MODE=LWOTAA") == ["+MODE: LWOTAA"]
        assert terminal.say("AT+JOIN") == [
            "+JOIN: Start",
            "+JOIN: NORMAL",
            "+JOIN: Network joined",
            "+JOIN: NetID 000013 DevAddr 26:01:5F:66",
            "+JOIN: Done",
        ]
        assert terminal.say('AT+MSGHEX="00 11 22 33 44"') == ["+MSGHEX: Start", "+MSGHEX: Done"]
        assert terminal.say('AT+CMSGHEX="0020001D"') == [
            "+CMSGHEX: Start",
            "+CMSGHEX: Wait ACK",
            "+CMSGHEX: ACK Received",
            "+CMSGHEX: RXWIN1, RSSI -70, SNR 8.0",
            "+CMSGHEX: Done",
        ]
        assert terminal.say("AT+JOIN") == ["+JOIN: Joined already"]
    finally:
        terminal.close()


@pytest.mark.parametrize("modem", ["rak3172", "e5"])
def test_commands_in_single_bytes_are_as_good_as_whole_ones(tmp_path: Path, modem: str) -> None:
    twin = Radio(tmp_path, modem)
    try:
        answers = b"".join(twin.modem.received(bytes((byte,))) for byte in b"AT\r\nAT\n")
    finally:
        twin.close()

    assert answers.count(b"OK") == 2


def test_who_sends_while_a_join_is_under_way_is_told_that_it_is_busy(e5: Radio) -> None:
    """As in github.com, Pervasive Nation's log of a real board: "+MSG: LoRaWAN modem is busy"."""
    e5.modem.received(b"AT+MODE=LWOTAA\r\nAT+JOIN\r\n")

    assert e5.modem.received(b'AT+MSGHEX="00"\r\n') == b"+MSGHEX: LoRaWAN modem is busy\r\n"


def test_a_devnonce_is_never_used_twice(rak: Radio) -> None:
    rak.network.is_in_reach = False
    for _ in range(3):
        rak.modem.received(b"AT+JOIN=1:0:8:0\r\n")
        wait_for(lambda: not rak.modem.is_busy, "the join is over")

    assert rak.network.nonces == [1, 2, 3]
