"""Boxes that exchange by TCP: real sockets at loopback, real logs on disk."""

from __future__ import annotations

from pathlib import Path

import pytest
from peers.boxes import Box, settled, wait_for
from peers.running import Running


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
