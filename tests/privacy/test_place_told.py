"""Where the box stands: everybody is told the same middle of the same square, and nobody more."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from box import Box, wait_for
from broker import Listener, Mosquitto, free_port
from hypothesis import given
from hypothesis import strategies as st
from portal.asking import Portal

from kiezbox.network.mesh import watching
from kiezbox.portal.sight import Sight
from kiezbox.privacy.grid import public_box, snapped
from kiezbox.settings import BoxSettings, Settings, parse

ROOM = Path(__file__).resolve().parents[2] / "kiezbox"

#: Who may look at the exact place, and why nobody hears of it.
MAY_KNOW = {
    "privacy/grid.py": "makes the public one of it",
    "node/fetching.py": "sources look on the box whether a warning's area holds it",
    "checks/surroundings.py": "the operator's own check",
    "cli/_points.py": "distances for the operator", "cli/_pointing.py": "the same",
    "cli/place.py": "the same", "cli/init.py": "asks for it",
}  # fmt: skip
#: Who names the place of what was made public before: handed a box by ``public_box``.
IS_HANDED = {"node/facts.py", "network/mesh.py"}


TABLE = {"id": "kb-1"}


def looks_at_the_place(path: Path) -> bool:
    """Whether it asks the settings of a box where it stands."""
    return any(
        isinstance(node, ast.Attribute)
        and node.attr in ("latitude", "longitude")
        and ast.unparse(node.value).endswith("box")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    )


def test_nobody_else_looks_where_the_box_stands() -> None:
    """A new file that does must say here why nobody hears of it, or take ``public_box``."""
    found = {str(path.relative_to(ROOM)) for path in ROOM.rglob("*.py") if looks_at_the_place(path)}

    assert found == {*MAY_KNOW, *IS_HANDED}
    for name in IS_HANDED:
        assert "public_box(" in (ROOM / name).read_text(encoding="utf-8")


@given(st.floats(-89.9, 89.9), st.floats(-180, 179.999), st.sampled_from([0.0, 100.0, 1000.0]))
def test_everybody_is_told_the_same(latitude: float, longitude: float, grid_m: float) -> None:
    place = {"latitude": latitude, "longitude": longitude, "public_grid_m": grid_m}
    box = parse(BoxSettings, TABLE | place)
    wanted = snapped(latitude, longitude, grid_m)[:2]

    told = public_box(box)
    (answers,) = watching(parse(Settings, {"box": TABLE | place})).values()
    mesh = json.loads(answers)["place"]

    assert (told.latitude, told.longitude) == wanted == tuple(mesh)
    assert public_box(box) == told


class Everybody:
    """A real box that tells everybody where it stands."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        broker = Mosquitto(folder)
        stack.callback(broker.close)
        self.listener = Listener(broker.port, "#")
        stack.callback(self.listener.close)
        link = f'host = "127.0.0.1"\nport = {broker.port}\ntls = false'
        self.stick = folder / "stick.senml"
        self.box = Box(
            folder,
            more=f"""
[publishers.mqtt]
{link}
[publishers.home_assistant]
{link}
[publishers.prometheus]
port = {free_port()}
[publishers.file]
path = "{self.stick}"
""",
        )
        stack.callback(self.box.close)
        text = self.box.settings.read_text()
        exact = text.replace("51.163\n", "51.163123\n").replace("10.448\n", "10.448123\n")
        self.box.settings.write_text(exact)


@pytest.fixture
def everybody(tmp_path: Path) -> Iterator[Everybody]:
    with ExitStack() as stack:
        yield Everybody(tmp_path, stack)


@pytest.mark.broker
def test_of_a_real_box_the_exact_place_is_in_no_byte_that_leaves_it(everybody: Everybody) -> None:
    box = everybody.box
    box.start()
    wait_for(lambda: len(everybody.listener.on("readings")) > 3, "readings at the broker")
    wait_for(everybody.stick.exists, "readings on the stick")
    portal = Portal(Sight(str(box.run_dir), str(box.store)))
    paths = ("/", "/de/air", "/de/where", "/de/about", "/situation.geojson", "/api/info")
    pages = [portal.ask(path).text for path in paths]

    said = [f"{each.topic} {each.payload!r}" for each in list(everybody.listener.heard)]
    told = "\n".join([*said, *pages, everybody.stick.read_text(), json.dumps(box.facts())])

    assert "51.1631" not in told and "10.4481" not in told
    assert "51.16286" in pages[-1] and "10.44768" in pages[-1], "the square of grid.py's example"
