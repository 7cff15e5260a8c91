"""Boxes that exchange by TCP: real sockets at loopback, real logs on disk."""

from __future__ import annotations

import socket
from pathlib import Path
from random import Random
from time import monotonic

import pytest
from peers.boxes import Box, settled, wait_for
from peers.running import Running

from kiezbox.settings.kiez import Place

pytestmark = pytest.mark.usefixtures("quick_calls")


@pytest.fixture
def boxes(tmp_path: Path) -> list[Box]:
    return settled(tmp_path, "kb-a", "kb-b", "kb-c")


def test_what_one_wrote_before_and_after_they_met_the_other_has(boxes: list[Box]) -> None:
    a, b, _ = boxes
    a.post("vorher")
    b.post("auch vorher")
    with Running(b) as at_b, Running(a, [at_b.place]):
        wait_for(lambda: b.texts() == {"vorher", "auch vorher"} == a.texts(), "they are equal")
        b.post("nachher")
        wait_for(lambda: "nachher" in a.texts(), "it comes by itself")


def test_it_goes_through_the_middle_box_to_one_that_cannot_be_reached(boxes: list[Box]) -> None:
    a, b, c = boxes
    with Running(b) as at_b, Running(a, [at_b.place]), Running(c, [at_b.place]):
        a.post("von a")
        c.post("von c")
        wait_for(lambda: a.texts() == b.texts() == c.texts() == {"von a", "von c"}, "all equal")


def test_a_thousand_records_come_over(boxes: list[Box]) -> None:
    a, b, _ = boxes
    texts = {f"Wort {n}" for n in range(1000)}
    a.post(*texts)
    with Running(b) as at_b, Running(a, [at_b.place]):
        wait_for(lambda: b.texts() == texts, "all of them")


def test_a_box_that_went_and_came_back_has_all_within_seconds(boxes: list[Box]) -> None:
    a, b, _ = boxes
    with Running(a) as at_a:
        port = at_a.peers.port
        with Running(b, [at_a.place]) as at_b:
            wait_for(lambda: at_b.is_connected("kb-a"), "they meet")
        a.post(*(f"Wort {n}" for n in range(100)))
        at_a.places = []
        with Running(b, [at_a.place]):
            wait_for(lambda: len(b.texts()) == 100, "b has them", 5)
        assert port


def test_what_a_stick_brings_to_a_running_box_goes_on_to_the_others(boxes: list[Box]) -> None:
    a, b, c = boxes
    c.post("von c")
    path = c.folder.parent / "stick"
    c.sync("export", str(path))
    with Running(b) as at_b, Running(a, [at_b.place]) as at_a:
        wait_for(lambda: at_a.is_connected("kb-b"), "they meet")
        assert a.sync("import", str(path)).returncode == 0
        wait_for(lambda: b.texts() == {"von c"}, "b has it, too")


@pytest.mark.long
def test_boxes_that_come_and_go_at_random_are_equal_in_the_end(tmp_path: Path) -> None:
    """Each lives for a random while, in which some of the others can be reached."""
    dice = Random(11)
    boxes = settled(tmp_path, *(f"kb-{n}" for n in range(5)))
    ports = {box.name: free_port() for box in boxes}
    places = [Place(name, "127.0.0.1", port) for name, port in ports.items()]
    texts = set()
    running: dict[str, Running] = {}

    def start(box: Box, reachable: list[Place]) -> None:
        running[box.name] = Running(
            box, reachable, listen=f"127.0.0.1:{ports[box.name]}", audit_every_s=3.0
        ).__enter__()

    try:
        for n in range(60):
            box = dice.choice(boxes)
            if box.name in running and dice.random() < 0.5:
                running.pop(box.name).__exit__()
            elif box.name not in running:
                start(box, dice.sample(places, dice.randrange(1, 5)))
            box = dice.choice(boxes)
            texts.add(f"Wort {n}")
            box.post(f"Wort {n}")
            ends_at = monotonic() + dice.random() * 0.5
            wait_for(lambda end=ends_at: monotonic() > end, "time passes")
        for box in boxes:
            if box.name in running:
                running[box.name].places = places
            else:
                start(box, places)
        for box in boxes:
            wait_for(lambda one=box: one.texts() == texts, f"{box.name} has all", 40)
    finally:
        for each in running.values():
            each.__exit__()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])
