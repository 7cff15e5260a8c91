"""A real node over simulated hardware: it measures, notices, remembers, and goes on."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from box import Box, wait_for

from kiezbox.store import StoreReader


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    box = Box(tmp_path)
    yield box
    box.close()


def latest(box: Box, sensor: str) -> list[float]:
    return [
        reading["value"]
        for name, reading in (box.facts().get("latest") or {}).items()
        if name.startswith(f"{sensor}/")
    ]


def test_what_the_chips_say_is_what_the_box_knows_and_stores(box: Box) -> None:
    box.start()

    wait_for(lambda: all(latest(box, s) for s in ("roof", "dust", "battery")), "every sensor")
    facts = box.facts()["latest"]
    wait_for(lambda: box.facts()["store"]["stored_serial"], "the first flush")
    assert box.stop() == 0

    assert facts["roof/temperature_c"]["value"] == pytest.approx(21.5, abs=0.05)
    assert facts["roof/humidity_percent"]["value"] == pytest.approx(55.0, abs=0.1)
    assert facts["dust/pm2_5_ug_m3"]["value"] == 8.5
    assert facts["battery/voltage_v"]["value"] == pytest.approx(13.2, abs=0.01)
    assert facts["battery/current_a"]["value"] == pytest.approx(-0.4, abs=0.01)
    stored = {str(series) for series in StoreReader(str(box.store)).series().values()}
    assert stored >= set(facts)


def test_a_lost_grid_becomes_an_emergency_and_a_returned_one_ends_it(box: Box) -> None:
    box.start()
    wait_for(lambda: box.facts()["grid"]["state"] == "present", "the grid")

    box.bench.set_pin(17, False)
    wait_for(lambda: box.mode() == "emergency", "the emergency")
    causes = [cause["cause"] for cause in box.facts()["mode"]["causes"]]
    box.bench.set_pin(17, True)
    wait_for(lambda: box.mode() == "normal", "the all-clear")

    assert causes == ["grid_lost"]
    moves = [(t.before, t.after) for t in StoreReader(str(box.store)).transitions("mode")]
    assert moves == [("emergency", "normal"), ("normal", "emergency")]


def test_a_box_killed_in_an_emergency_is_in_it_when_it_wakes(box: Box) -> None:
    box.start()
    wait_for(lambda: box.facts()["grid"]["state"] == "present", "the grid")
    box.bench.set_pin(17, False)
    wait_for(lambda: box.mode() == "emergency", "the emergency")
    since = box.facts()["mode"]["since"]

    box.kill()
    box.start()

    assert box.mode() == "emergency"
    assert box.facts()["mode"]["since"] == pytest.approx(since, abs=2.0)


def test_a_transition_that_was_stored_but_not_carried_out_is_carried_out_at_the_next_start(
    box: Box,
) -> None:
    box.start()
    wait_for(lambda: box.facts()["grid"]["state"] == "present", "the grid")
    box.kill()
    # What a power cut leaves behind between "stored" and "carried out".
    with sqlite3.connect(box.store) as db:
        newest = db.execute("SELECT max(id) FROM transitions").fetchone()[0]
        columns = "at, monotonic_ms, boot, machine, before, event, after, detail, clock_trusted"
        for number, (machine, before, event, after) in enumerate(
            [
                ("grid", "present", "gone", "bridging"),
                ("grid", "bridging", "confirmed", "lost"),
                ("mode", "normal", "cause", "emergency"),
            ],
            start=newest + 1,
        ):
            db.execute(
                f"INSERT INTO transitions (id, {columns}) VALUES (?,?,?,?,?,?,?,?,?,?)",
                (number, 0.0, 0, 0, machine, before, event, after, '{"wlan": true}', 1),
            )
    db.close()
    box.bench.set_pin(17, False)

    box.start()

    assert box.mode() == "emergency"
    wait_for(
        lambda: all(t.carried_out_at for t in StoreReader(str(box.store)).transitions()),
        "all carried out",
    )


@pytest.mark.parametrize(
    ("sensor", "target", "fault"),
    [
        ("roof", 0x76, "vanish"),
        ("roof", 0x76, "hang"),
        ("dust", "ttyUSB0", "unplug"),
        ("dust", "ttyUSB0", "garbage"),
    ],
)
def test_one_broken_sensor_is_named_once_the_others_go_on_and_it_comes_back_by_itself(
    box: Box, sensor: str, target: int | str, fault: str
) -> None:
    box.start()
    wait_for(lambda: all(latest(box, s) for s in ("roof", "dust", "battery")), "every sensor")

    box.bench.fault(target, fault)
    wait_for(lambda: not latest(box, sensor), "the fault to be noticed")
    faults = [f for f in box.facts()["faults"] if f["source"] == f"sensors.{sensor}"]
    before = box.facts()["latest"]["battery/voltage_v"]["taken_at"]
    wait_for(
        lambda: box.facts()["latest"]["battery/voltage_v"]["taken_at"] > before + 2,
        "the battery to be read on",
    )
    box.bench.fault(target, None)
    wait_for(lambda: latest(box, sensor), "the sensor to come back")
    wait_for(
        lambda: not [f for f in box.facts()["faults"] if f["source"] == f"sensors.{sensor}"],
        "the fault to be closed",
    )

    assert len(faults) == 1
    assert faults[0]["hint"]
    assert box.log.read_text().count(f"sensors.{sensor}: answers again") == 1


def test_an_operator_opens_the_box_for_a_while_and_takes_it_back(box: Box) -> None:
    box.start()

    opened = box.kiezbox("mode", "emergency", "--for", "1h", "--json")
    wait_for(lambda: box.mode() == "emergency", "the operator's emergency")
    taken_back = box.kiezbox("mode", "auto")
    wait_for(lambda: box.mode() == "normal", "the end of it")

    assert opened.returncode == 0, opened.stderr
    assert json.loads(opened.stdout)["order"]["mode"] == "emergency"
    assert taken_back.returncode == 0, taken_back.stderr


def test_an_exercise_is_marked_and_a_real_cause_ends_it_at_once(box: Box) -> None:
    box.start()
    wait_for(lambda: box.facts()["grid"]["state"] == "present", "the grid")
    box.kiezbox("mode", "exercise", "--for", "1h")
    wait_for(lambda: box.facts()["mode"]["is_exercise"], "the exercise")

    box.bench.set_pin(17, False)

    wait_for(lambda: box.mode() == "emergency", "the real emergency")
    assert not box.facts()["mode"]["is_exercise"]


def test_the_status_and_the_check_of_a_running_box_speak_of_everything_it_has(box: Box) -> None:
    box.start()
    wait_for(lambda: all(latest(box, s) for s in ("roof", "dust", "battery")), "every sensor")

    status, check = box.kiezbox("status"), box.kiezbox("check")

    assert status.returncode == 0, status.stderr
    for word in ("kb-test", "normal", "present", "roof/temperature_c", "dust/pm10", "battery"):
        assert word in status.stdout
    assert "roof: 3 values" in check.stdout
    found = json.loads(box.kiezbox("check", "--json").stdout)
    wrong = {each["check"] for each in found if each["level"] in ("warning", "broken")}
    # Nobody has said yet who answers for it, nor what is around it; all else is as it should be.
    assert wrong == {"operator", "surroundings"}, check.stdout


def test_two_nodes_never_run_on_one_box(box: Box) -> None:
    box.start()

    second = box.kiezbox("run")

    assert second.returncode == 1
    assert "another node already runs here" in second.stderr


def test_a_node_that_is_told_to_stop_takes_its_facts_away(box: Box) -> None:
    box.start()

    code = box.stop()

    assert code == 0
    assert not (box.run_dir / "now.json").exists()
    assert box.kiezbox("status").returncode == 8


def test_a_box_that_wakes_in_an_emergency_asks_for_its_wlan_before_anything_can_go_wrong(
    box: Box,
) -> None:
    box.start()
    wait_for(lambda: box.facts()["grid"]["state"] == "present", "the grid")
    box.bench.set_pin(17, False)
    wait_for(lambda: box.mode() == "emergency", "the emergency")
    box.kill()
    shutil.rmtree(box.run_dir)  # in memory on a box: gone with the power
    with box.settings.open("a") as settings:
        settings.write('[publishers.pigeons]\ndriver = "pigeons"\n')

    refused = box.kiezbox("run")

    assert refused.returncode == 3, refused.stderr
    assert os.listdir(box.run_dir / "wanted") == ["emergency"]


def test_a_node_that_ends_leaves_the_network_as_it_is(box: Box) -> None:
    box.start()

    box.stop()

    assert os.listdir(box.run_dir / "wanted") == ["closed"]
