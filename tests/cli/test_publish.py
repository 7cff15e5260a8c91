"""``kiezbox publish NAME --once``: everything out, then the end, and a number that says how."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from senml_rfc8428 import resolve

from kiezbox.clock import ManualClock
from kiezbox.model import Measurement, Quantity
from kiezbox.settings import StoreSettings
from kiezbox.store import Store


class Box:
    """A box that was measured with and then stopped."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stick = folder / "readings.senml"
        self.settings = folder / "kiezbox.toml"
        self.settings.write_text(
            f"""
[box]
id = "kb-1"
[store]
path = "{folder}/kiezbox.db"
run_dir = "{folder}/run"
[sensors.roof]
driver = "bme280"
where = "outdoor"
[sensors.flat]
driver = "bme280"
[publishers.stick]
driver = "file"
path = "{self.stick}"
[publishers.nowhere]
driver = "file"
path = "{folder}"
"""
        )

    def open(self) -> Store:
        settings = StoreSettings(path=f"{self.folder}/kiezbox.db", run_dir=f"{self.folder}/run")
        return Store.open(settings, "kb-1", ManualClock())

    def measure(self, count: int) -> None:
        store = self.open()
        for number in range(count):
            store.add("roof", [Measurement(Quantity.TEMPERATURE_C, float(number))])
        store.close()

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "kiezbox", "publish", *arguments, "--settings", self.settings],
            capture_output=True,
            text=True,
            timeout=60,
        )


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path)


def test_publish_once_delivers_everything_and_remembers_it(box: Box) -> None:
    box.measure(2500)

    first = box.run("stick", "--once", "--json")
    second = box.run("stick", "--once")

    assert (first.returncode, json.loads(first.stdout)) == (
        0,
        {"publisher": "stick", "delivered": 2500},
    )
    assert (second.returncode, second.stdout) == (
        0,
        "stick: nothing was waiting, so nothing was tried\n",
    )
    packs = box.stick.read_bytes().splitlines()
    assert len([record for pack in packs for record in resolve(pack)]) == 2500


def test_by_hand_no_more_of_a_flat_leaves_the_box_than_by_itself(box: Box) -> None:
    store = box.open()
    for sensor in ("flat", "roof", "flat"):
        store.add(sensor, [Measurement(Quantity.TEMPERATURE_C, 21.5)])
    store.close()

    done = box.run("stick", "--once")

    assert (done.returncode, done.stdout) == (0, "stick: delivered 1 readings, nothing is left\n")
    packs = box.stick.read_bytes().splitlines()
    names = [record["n"] for pack in packs for record in resolve(pack)]
    assert names == ["kb-1/roof/temperature_c"]


def test_publish_says_what_is_in_the_way(box: Box) -> None:
    box.measure(1)

    done = box.run("nowhere", "--once")

    assert done.returncode == 6
    assert "Is a directory" in done.stderr
    assert "Traceback" not in done.stderr


def test_publish_does_not_fight_with_a_running_node(box: Box) -> None:
    store = box.open()
    try:
        done = box.run("stick", "--once")
    finally:
        store.close()

    assert done.returncode == 5
    assert "another node uses" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["radio", "--once"], 3, "There are: nowhere, stick."),
        (["stick"], 2, "--once"),
        ([], 2, "usage: kiezbox publish"),
    ],
)
def test_publish_explains_a_wrong_call(
    box: Box, arguments: list[str], code: int, says: str
) -> None:
    done = box.run(*arguments)

    assert done.returncode == code
    assert says in done.stderr


def test_dead_letters_are_shown_sent_again_and_forgotten(box: Box) -> None:
    store = box.open()
    (reading,) = store.add("roof", [Measurement(Quantity.TEMPERATURE_C, 21.5)])
    store.flush()
    store.put_dead_letter("stick", reading.serial, "422: no such channel")
    store.close()
    box.run("stick", "--once")

    shown = box.run("stick", "--dead-letters")
    again = box.run("stick", "--dead-letters", "--retry")
    sent = box.run("stick", "--once", "--json")
    after = box.run("stick", "--dead-letters")

    assert "422: no such channel" in shown.stdout and "--retry" in shown.stdout
    assert again.stdout == "stick: 1 dead letters will be sent again\n"
    assert json.loads(sent.stdout)["delivered"] == 1
    assert after.stdout == "stick: nothing was rejected\n"
    assert len(box.stick.read_bytes().splitlines()) == 2

    store = box.open()
    store.put_dead_letter("stick", reading.serial, "422: no such channel")
    store.close()
    assert json.loads(box.run("stick", "--dead-letters", "--json").stdout)[0]["serial"] == (
        reading.serial
    )
    assert "1 dead letters forgotten" in box.run("stick", "--dead-letters", "--forget").stdout
    assert json.loads(box.run("stick", "--dead-letters", "--json").stdout) == []
    assert box.run("stick", "--retry").returncode == 2


def test_check_tells_of_dead_letters(box: Box) -> None:
    from kiezbox.checks import Examined, Level
    from kiezbox.checks.dead_letters import run
    from kiezbox.settings import BoxSettings, Settings

    settings = Settings(
        box=BoxSettings(id="kb-1"), store=StoreSettings(path=f"{box.folder}/kiezbox.db")
    )
    assert list(run(Examined(settings, ManualClock(), None))) == []
    store = box.open()
    assert list(run(Examined(settings, ManualClock(), None))) == []
    store.put_dead_letter("stick", 7, "422: no such channel")
    store.close()

    (finding,) = run(Examined(settings, ManualClock(), None))

    assert finding.level == Level.WARNING
    assert "stick: 1 readings were rejected" in finding.message and "422" in finding.message
    assert "kiezbox publish stick --dead-letters" in finding.hint
