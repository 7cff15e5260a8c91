"""Nobody wrote an address down: boxes hear each other by respondd, and exchange by link-local."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from beds.freifunk.places import Place, Resident
from beds.freifunk.test_boxes_among_themselves import MESH
from beds.netns.bed import wait_for

from kiezbox.store.box_key import own_key
from kiezbox.trust import Key

pytestmark = pytest.mark.bed

NAMES = ("one", "two", "bad")
ROOT = str(Path(__file__).resolve().parents[3])


def key_of(box: Resident) -> Key:
    folder = box.place.path(box.folder)
    words = folder / "words" / "words.db"
    return own_key(str(folder / "kiezbox.db"), str(words), f"kb-{box.name}")


def run(box: Resident, *words: str) -> subprocess.CompletedProcess[str]:
    return box.place.run(
        box.name,
        [sys.executable, "-m", "kiezbox", *words, "--settings", f"{box.folder}/kiezbox.toml"],
        env={**os.environ, "PYTHONPATH": ROOT}, is_checked=False,
    )  # fmt: skip


def peers(box: Resident) -> dict[str, Any]:
    try:
        now = json.loads((box.place.path(box.folder) / "run" / "now.json").read_text())
    except (OSError, ValueError):
        return {}
    return {each["box"]: each for each in now["peers"]}


def test_members_find_each_other_and_who_is_only_there_is_not_believed(tmp_path: Path) -> None:
    wires = [(f"{name}:mesh0", f"air:{name}") for name in NAMES]
    wires += [(f"{name}:ap0", f"{name}:ap1") for name in NAMES]
    with Place(tmp_path, wires, switches=["air"], addresses={}) as place:
        boxes = [Resident(place, name, MESH.format(name=name, broker=0)) for name in NAMES]
        keys = {f"kb-{box.name}": key_of(box).public.hex() for box in boxes}
        for box in boxes:
            # "bad" believes all; nobody believes it.
            known = keys if box.name == "bad" else {n: keys[n] for n in ("kb-one", "kb-two")}
            lines = "".join(f'{name} = "{key}"\n' for name, key in known.items())
            path = place.path(box.folder) / "kiezbox.toml"
            path.write_text(path.read_text() + f"\n[kiez.members]\n{lines}")
            box.apply("closed")
        one, two, bad = boxes
        programs = [
            place.start(
                box.name,
                [sys.executable, "-m", "kiezbox", "run", "--settings",
                 f"{box.folder}/kiezbox.toml"],
                PYTHONPATH=ROOT,
            )
            for box in boxes
        ]  # fmt: skip
        wait_for(lambda: set(bad.neighbours()) == {"kb-one", "kb-two"}, "bad hears both", 40)
        wait_for(lambda: peers(one).get("kb-two", {}).get("is_connected"), "one has two", 40)

        wait_for(lambda: peers(two).get("kb-one", {}).get("is_connected"), "two has one", 40)
        assert set(peers(one)) == {"kb-two"}
        assert not any(each["is_connected"] for each in peers(bad).values())
        listening = place.run("one", "ss -tn state established").stdout
        assert "fe80::" in listening and ":7412" in listening
        for program in programs:
            program.end()
