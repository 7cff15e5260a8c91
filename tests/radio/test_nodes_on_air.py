"""Two whole nodes with a radio each: what one is told, the other shows; and how that looks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from peers.boxes import Box, settled, wait_for

from kiezbox.clock import ScaledClock
from kiezbox.hardware.simulated.meshtastic_air import MeshtasticAir
from kiezbox.radio.keys import make_key

pytest.importorskip("meshtastic")

LIMIT_S = 60.0

#: So much faster do nodes and air run than the test.
SPEED = 10.0


class Nodes:
    def __init__(self) -> None:
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self, box: Box) -> subprocess.Popen[bytes]:
        log = (box.folder / "log").open("ab")
        process = subprocess.Popen(
            box.command("run"), stdout=log, stderr=log, stdin=subprocess.DEVNULL
        )
        log.close()
        self.running.append(process)
        return process

    def close(self) -> None:
        for process in self.running:
            process.terminate()
        for process in self.running:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(20)


@pytest.fixture
def nodes() -> Iterator[Nodes]:
    made = Nodes()
    yield made
    made.close()


def with_radio(box: Box, boxes: list[Box], air: MeshtasticAir, key: str, anchor: float) -> None:
    radio = air.add(box.name, tcp=0, says_who_it_is=False)
    assert radio.address is not None
    host, port = radio.address
    box.settle(
        boxes,
        f'[radio]\naddress = "tcp:{host}:{port}"\npreset = "SHORT_FAST"\n'
        '[hardware]\ni2c = "sim:none"\n',
        # Nobody is reached by IP.
        kiez='listen = "127.0.0.1:0"',
    )
    path = box.folder / "kiez.key"
    path.write_text(key)
    path.chmod(0o600)


def radio_of(box: Box) -> dict[str, object]:
    try:
        return json.loads((box.folder / "run" / "now.json").read_text())["radio"] or {}
    except (OSError, ValueError):
        return {}


def test_two_nodes_exchange_what_people_write(tmp_path: Path, nodes: Nodes) -> None:
    boxes = settled(tmp_path, "kb-a", "kb-b")
    key = make_key(str(tmp_path / "key")).hex()
    anchor = time.time()
    with MeshtasticAir(ScaledClock(SPEED, anchor)) as air:
        for box in boxes:
            with_radio(box, boxes, air, key, anchor)
            nodes.start(box)
        for box in boxes:
            wait_for(
                lambda box=box: radio_of(box).get("state") == "connected",
                f"{box.name} has its radio: {(box.folder / 'log').read_text()}", LIMIT_S,
            )  # fmt: skip

        boxes[0].post("Wasser am Platz")
        wait_for(lambda: boxes[1].texts() == {"Wasser am Platz"}, "it came by radio", LIMIT_S)
        # The first node dies, and what it was on the air for is not forgotten.
        used = sum(each.airtime_s for each in air.recorded() if each.sender == "kb-a")
        nodes.running[0].send_signal(signal.SIGKILL)
        nodes.running[0].wait(20)
        os.unlink(boxes[0].folder / "run" / "now.json")
        nodes.start(boxes[0])
        wait_for(lambda: radio_of(boxes[0]).get("state") == "connected", "it is up again", LIMIT_S)
        assert radio_of(boxes[0])["airtime"]["used_s"] >= used  # type: ignore[index]

        boxes[1].post("Danke")
        wait_for(lambda: "Danke" in boxes[0].texts(), "the answer came", LIMIT_S)
        shown = subprocess.run(
            boxes[0].command("radio", "status"), capture_output=True, text=True, timeout=LIMIT_S
        )

    assert shown.returncode == 0, shown.stderr
    assert "radio      connected" in shown.stdout
    assert "EU_868, SHORT_FAST, channel 'Kiez'" in shown.stdout
    assert "of 360 s in the last hour" in shown.stdout


def test_a_node_without_the_key_says_so_and_runs(tmp_path: Path, nodes: Nodes) -> None:
    (box,) = settled(tmp_path, "kb-a")
    anchor = time.time()
    with MeshtasticAir(ScaledClock(SPEED, anchor)) as air:
        with_radio(box, [box], air, "", anchor)
        (box.folder / "kiez.key").unlink()
        nodes.start(box)
        wait_for(lambda: radio_of(box).get("state") == "off", "it says so", LIMIT_S)
        facts = json.loads((box.folder / "run" / "now.json").read_text())

        assert air.recorded() == []

    (fault,) = [each for each in facts["faults"] if each["source"] == "radio"]
    assert "there is no key of the Kiez" in fault["message"]
    assert "kiezbox radio key new" in fault["hint"]
