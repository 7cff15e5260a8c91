"""The node's worker: what it says of the other boxes, and what it does when something is wrong."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from peers.boxes import Box, settled, wait_for
from peers.running import Running

from kiezbox.node.peering import RETRY_S, Peering

pytestmark = pytest.mark.usefixtures("quick_calls")


class Told:
    """What a node's store and facts were told."""

    def __init__(self) -> None:
        self.faults: dict[tuple[str, str], str] = {}
        self.peers: list[dict[str, Any]] = []
        self.taken = 0

    def open_fault(self, source: str, kind: str, message: str, hint: str = "") -> bool:
        assert hint, "a fault says what to do"
        self.faults[source, kind] = message
        return True

    def close_fault(self, source: str, kind: str | None = None) -> bool:
        return self.faults.pop((source, kind or ""), None) is not None

    def set_peers(self, peers: list[dict[str, Any]]) -> None:
        self.peers = peers

    def note(self) -> None:
        self.taken += 1


@pytest.fixture
def boxes(tmp_path: Path) -> list[Box]:
    return settled(tmp_path, "kb-a", "kb-b")


@pytest.fixture
def told() -> Told:
    return Told()


def peering(box: Box, told: Told, **kiez: Any) -> Peering:
    settings = box.settings
    kiez = {"listen": "127.0.0.1:0", **kiez}
    settings = dataclasses.replace(settings, kiez=dataclasses.replace(settings.kiez, **kiez))
    return Peering(settings, told, box.clock, told, told.note)


@pytest.fixture
def opened() -> Iterator[list[Peering]]:
    some: list[Peering] = []
    yield some
    for each in some:
        each.close()


def test_it_names_the_members_and_says_what_came(
    boxes: list[Box], told: Told, opened: list[Peering]
) -> None:
    a, b = boxes
    b.post("Wasser am Platz")
    with Running(b) as at_b:
        task = peering(a, told, peers=(f"kb-b@127.0.0.1:{at_b.peers.port}",))
        opened.append(task)
        task.step()
        assert [each["box"] for each in told.peers] == ["kb-b"]

        def step() -> bool:
            assert task.step() == 0.0
            return told.peers[0]["received"] == 1 and told.peers[0]["is_connected"]

        wait_for(step, "it has come")
        assert told.taken and told.faults == {}
        assert a.texts() == {"Wasser am Platz"}


def test_that_nobody_was_heard_for_long_is_a_fault_until_somebody_is(
    boxes: list[Box], told: Told, opened: list[Peering]
) -> None:
    a, b = boxes
    with Running(b) as at_b:
        place = f"kb-b@127.0.0.1:{at_b.peers.port}"
    task = peering(a, told, peers=(place,), silent_s=0.3)
    opened.append(task)

    wait_for(lambda: task.step() == 0.0 and told.faults, "it says so")
    assert list(told.faults) == [("peers", "silent")]
    assert "kb-b" in told.faults["peers", "silent"]

    with Running(b, listen=place.partition("@")[2]):
        wait_for(lambda: task.step() == 0.0 and not told.faults, "it is content again")


def test_a_port_that_somebody_has_is_a_fault_and_tried_again(
    boxes: list[Box], told: Told, opened: list[Peering]
) -> None:
    a, b = boxes
    with Running(b) as at_b:
        task = peering(a, told, listen=f"127.0.0.1:{at_b.peers.port}")
        opened.append(task)
        assert task.step() == RETRY_S
        assert "cannot listen" in told.faults["peers", "unusable"]

    assert task.step() == 0.0
    assert told.faults == {}


def test_damaged_proofs_are_put_aside_and_come_again(
    boxes: list[Box], told: Told, opened: list[Peering]
) -> None:
    a, b = boxes
    a.post("Biete Kerzen")
    with Running(a) as at_a:
        with Running(b, [at_a.place]):
            wait_for(lambda: b.texts() == {"Biete Kerzen"}, "it is there")
        (b.folder / "proofs.db").write_bytes(b"no database" * 1000)
        with Running(b, [at_a.place]):
            wait_for(lambda: (b.folder / "proofs.db.damaged").exists(), "it was put aside")

            def can_hand_on() -> bool:
                path = b.folder / "out"
                path.unlink(missing_ok=True)
                return b.sync("export", str(path)).stdout.startswith("1 records")

            wait_for(can_hand_on, "b can prove it again")


def test_a_wait_ends_when_it_is_told_to(boxes: list[Box], told: Told) -> None:
    import threading
    import time

    task = peering(boxes[0], told)
    task.step()
    timer = threading.Timer(0.05, task.interrupt)
    timer.start()
    began = time.monotonic()
    task.step()
    task.close()
    task.close()
    timer.join()
    assert time.monotonic() - began < 5
