"""Three real nodes, each in a network of its own, on one wire that can be cut."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from beds.freifunk.places import Place
from beds.netns.bed import Program, wait_for
from peers.boxes import Box

pytestmark = pytest.mark.bed

NAMES = ("one", "two", "far")
ADDRESSES = {name: f"10.43.0.{n}" for n, name in enumerate(NAMES, 1)}


class Node(Box):
    """A box of the bed: its files lie outside, its node runs inside."""

    def __init__(self, place: Place, name: str) -> None:
        super().__init__(place.folder, f"kb-{name}")
        self.place, self.where = place, name
        self.program: Program | None = None

    def start(self) -> None:
        self.program = self.place.start(
            self.where, [sys.executable, "-m", "kiezbox", "run", "--settings", str(self.path)]
        )

    def now(self) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads((self.folder / "run" / "now.json").read_text())
            return found
        except (OSError, ValueError):
            return {}

    def connected(self) -> set[str]:
        return {each["box"] for each in self.now().get("peers", []) if each["is_connected"]}


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[list[Node]]:
    wires = [(f"{name}:mesh0", f"air:{name}") for name in NAMES]
    addresses = {f"{name}:mesh0": [f"{ADDRESSES[name]}/16"] for name in NAMES}
    with Place(tmp_path, wires, switches=["air"], addresses=addresses) as place:
        nodes = [Node(place, name) for name in NAMES]
        for node in nodes:
            others = [each for each in nodes if each is not node]
            peers = ", ".join(f'"{each.name}@{ADDRESSES[each.where]}"' for each in others)
            node.settle(nodes, kiez=f"peers = [{peers}]")
            node.log().close()
        for node in nodes:
            node.start()
        yield nodes
        for node in nodes:
            if node.program is not None:
                node.program.end()


def cut(node: Node, state: str) -> None:
    node.place.run("air", f"ip link set {node.where} {state}")


def all_meet(nodes: list[Node]) -> None:
    names = {node.name for node in nodes}
    for node in nodes:
        wait_for(lambda n=node: n.connected() == names - {n.name}, f"{node.name} meets all", 30)


def equal_within(nodes: list[Node], count: int, limit_s: float) -> float:
    began = time.monotonic()
    wait_for(
        lambda: all(len(node.texts()) == count for node in nodes),
        f"all have {count}: {[len(node.texts()) for node in nodes]}", limit_s,
    )  # fmt: skip
    assert len({frozenset(node.texts()) for node in nodes}) == 1
    return time.monotonic() - began


def test_news_is_everywhere_within_seconds(nodes: list[Node]) -> None:
    all_meet(nodes)
    nodes[0].post("Wasser am Platz")

    took_s = equal_within(nodes, 1, 3)
    print(f"everywhere after {took_s:.2f} s")

    status = subprocess.run(
        nodes[1].command("status"), capture_output=True, text=True, timeout=30
    ).stdout
    assert "peer       kb-one connected, 1 records came" in status


def test_after_a_partition_all_have_all_within_five_seconds(nodes: list[Node]) -> None:
    all_meet(nodes)
    one, two, far = nodes
    cut(far, "down")
    wait_for(lambda: far.connected() == set() and one.connected() == {"kb-two"}, "they part", 40)
    for n in range(50):
        one.post(f"drinnen {n}")
    far.post(*(f"draußen {n}" for n in range(50)))
    equal_within([one, two], 50, 10)

    cut(far, "up")
    took_s = equal_within(nodes, 100, 5)

    print(f"equal {took_s:.1f} s after the link was back")


def test_a_node_killed_in_the_middle_loses_nothing(nodes: list[Node]) -> None:
    all_meet(nodes)
    one, two, far = nodes
    cut(far, "down")
    wait_for(lambda: far.connected() == set(), "they part", 40)
    one.post(*(f"drinnen {n}" for n in range(400)))
    far.post(*(f"draußen {n}" for n in range(400)))
    cut(far, "up")
    for _ in range(3):
        before = len(far.texts())
        wait_for(lambda b=before: len(far.texts()) > b or len(far.texts()) == 800, "goes on", 20)
        assert far.program is not None
        far.program.end(signal.SIGKILL)
        far.start()

    equal_within(nodes, 800, 30)
