"""The node's worker: pauses, faults, the mode's cause; and the same by hand on the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import caps
import pytest
from boxes import Box
from serving import Server

from kiezbox.clock import ManualClock, SystemClock
from kiezbox.errors import SettingsError
from kiezbox.node.assemble import assemble
from kiezbox.node.fetching import fetch_of
from kiezbox.settings import parse
from kiezbox.sources import dwd, nina
from kiezbox.store import StoreReader

DASHBOARD = f"dashboard/{caps.ARS[:5]}0000000.json"

HOUR = 3600.0


def serve(server: Server, *messages: dict[str, Any]) -> None:
    server.put(DASHBOARD, caps.listed(*messages))
    for each in messages:
        server.put(f"warnings/{each['identifier']}.json", each)


def test_pauses_after_failures_grow_up_to_the_interval_and_begin_anew(
    box: Box, server: Server, clock: ManualClock
) -> None:
    task = box.nina()
    server.raw[DASHBOARD] = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"

    pauses = [task.step() for _ in range(6)]
    del server.raw[DASHBOARD]
    serve(server)
    good = task.step()
    server.raw[DASHBOARD] = b"no"

    assert pauses == [60, 120, 240, 480, 600, 600]
    assert good == 600
    assert task.step() == 60


@pytest.mark.parametrize(("chance", "good", "bad"), [(0.0, 480, 48), (1.0, 720, 72)])
def test_a_city_of_boxes_that_start_together_does_not_ask_together(
    box: Box, server: Server, chance: float, good: float, bad: float
) -> None:
    box.chance = chance
    task = box.nina()
    serve(server)
    assert task.step() == pytest.approx(good)

    server.raw[DASHBOARD] = b"no"
    assert task.step() == pytest.approx(bad)


def test_chance_is_another_one_each_time(box: Box) -> None:
    task = fetch_of("nina", box.settings({"nina": {"ars": caps.ARS, "url": "http://127.0.0.1:1/"}}),
                    box.faults, box.clock).task()  # fmt: skip
    try:
        pauses = {task.step() for _ in range(6)}
    finally:
        task.close()

    # The first two could not be told apart by doubling alone.
    assert len(pauses) == 6


def test_when_a_source_was_asked_last_is_on_the_card_whole_or_not_at_all(
    box: Box, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Synced before it takes the other's place: what a power cut leaves is the old or the new."""
    done: list[str] = []
    sync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda file: (done.append("sync"), sync(file))[1])
    monkeypatch.setattr(os, "replace", lambda a, b: (done.append("replace"), replace(a, b))[1])
    serve(server)

    box.nina().step()

    assert done[-2:] == ["sync", "replace"]
    looked = json.loads((box.folder / "source-nina.json").read_text())
    assert looked["checked_at"] == box.clock.now()


def test_a_source_that_is_out_of_reach_is_a_fault_only_after_long(
    box: Box, server: Server, clock: ManualClock
) -> None:
    server.raw[DASHBOARD] = b"\r\n"
    task = box.nina(silent_s=6 * HOUR)
    for _ in range(5):
        task.step()
        clock.advance(HOUR)
    assert box.faults.open == {}

    clock.advance(HOUR)
    task.step()

    assert box.faults.open["sources.nina"][0] == "unreachable"
    del server.raw[DASHBOARD]
    serve(server)
    task.step()
    assert box.faults.open == {}


def test_a_key_that_the_source_does_not_know_is_a_fault_at_the_third_answer(
    box: Box, server: Server
) -> None:
    task = box.nina()

    for _ in range(2):
        task.step()
    assert box.faults.open == {}
    task.step()

    kind, message = box.faults.open["sources.nina"]
    assert kind == "refused" and "status 404" in message


def test_what_is_missing_is_asked_for_again_soon(
    box: Box, server: Server, clock: ManualClock
) -> None:
    serve(server, caps.message(1, clock.now()))
    del server.files["warnings/mow.XX-0001.json"]

    assert box.nina().step() == 60


@pytest.mark.parametrize(
    ("changes", "is_alarm"),
    [
        ({}, True),
        ({"severity": "Extreme"}, True),
        ({"severity": "Moderate"}, False),
        ({"urgency": "Future"}, False),
        ({"urgency": None}, False),
        ({"eventCode": [{"valueName": "x", "value": "BBK-EVC-050"}]}, False),
    ],
)
def test_the_mode_hears_of_what_is_severe_and_must_be_acted_on_at_once(
    box: Box, server: Server, clock: ManualClock, changes: dict[str, Any], is_alarm: bool
) -> None:
    serve(server, caps.message(1, clock.now(), [caps.info(clock.now(), **changes)]))
    task = box.nina()

    task.step()

    assert task.alarm() == ("Hochwasser am Mühlbach" if is_alarm else None)
    clock.advance(13 * HOUR)
    assert task.alarm() is None


def test_a_box_that_starts_in_an_outage_knows_what_held_before(
    box: Box, server: Server, clock: ManualClock
) -> None:
    serve(server, caps.message(1, clock.now()))
    box.nina().step()
    server.raw[DASHBOARD] = b"\r\n"
    clock.advance(HOUR)

    restarted = box.nina()
    restarted.step()

    assert restarted.alarm() == "Hochwasser am Mühlbach"


def test_an_all_clear_ends_the_modes_cause(box: Box, server: Server, clock: ManualClock) -> None:
    alert = caps.message(1, clock.now() - HOUR)
    serve(server, alert)
    task = box.nina()
    task.step()
    infos = [caps.info(clock.now(), responseType=["AllClear"])]
    end = caps.message(2, clock.now(), infos, msgType="Cancel", references=caps.referring(alert))

    serve(server, alert, end)
    task.step()

    assert task.alarm() is None


def test_an_interrupted_source_ends_at_once(box: Box, server: Server) -> None:
    server.raw[DASHBOARD] = None
    task = box.nina(timeout_s=60.0)
    pauses: list[float] = []
    thread = threading.Thread(target=lambda: pauses.append(task.step()))
    thread.start()
    limit = time.monotonic() + 10
    while not server.asked and time.monotonic() < limit:
        time.sleep(0.005)
    begun = time.monotonic()

    task.interrupt()
    thread.join(10)

    assert pauses and time.monotonic() - begun < 2


def test_a_box_that_stops_asks_no_further_and_does_not_wait(box: Box, server: Server) -> None:
    task = box.nina(timeout_s=60.0)

    task.interrupt()

    assert task.step() == 60 and server.asked == []


def test_a_log_that_cannot_be_written_is_a_fault_and_no_crash(
    box: Box, server: Server, clock: ManualClock
) -> None:
    serve(server, caps.message(1, clock.now()))
    (box.folder / "words").write_text("a file where the folder should be")

    assert box.nina().step() == 600

    assert box.faults.open["sources.nina"][0] == "unwritable"
    (box.folder / "words").unlink()
    box.nina().step()
    assert box.faults.open == {} and len(box.kept()) == 1


@pytest.mark.parametrize(
    ("kind", "table", "told"),
    [
        (nina.Settings, {}, "ars is missing"),
        (nina.Settings, {"ars": "5315"}, "twelve digits"),
        (nina.Settings, {"ars": caps.ARS, "url": "http://warnung.example/"}, "https://"),
        (nina.Settings, {"ars": caps.ARS, "lists": ["mowas", "fax"]}, "must name some of"),
        (nina.Settings, {"ars": caps.ARS, "lists": []}, "must name some of"),
        (dwd.Settings, {"cells": ["Musterstadt"]}, "WARNCELLID"),
        (dwd.Settings, {"url": "ftp://opendata.example/"}, "https://"),
    ],
)
def test_settings_say_what_is_wrong_with_them(kind: type, table: dict[str, Any], told: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse(kind, table)

    assert told in str(caught.value)


def test_the_node_asks_while_it_runs_and_says_nothing_of_a_source_that_is_slow(
    box: Box, server: Server
) -> None:
    serve(server, caps.message(1, time.time()))
    settings = box.settings({"nina": {"url": server.url, "ars": caps.ARS, "timeout_s": 2.0}})
    node = assemble(settings, SystemClock())
    thread = threading.Thread(target=node.run)
    thread.start()
    limit = time.monotonic() + 20
    try:
        while not (os.path.exists(box.words) and box.kept()):
            assert time.monotonic() < limit, "the node has fetched nothing"
            time.sleep(0.02)
    finally:
        node.stop()
        thread.join(20)

    assert not thread.is_alive()
    assert [body["identifier"] for body in box.kept()] == ["mow.XX-0001"]
    with StoreReader(settings.store.path) as reader:
        assert [fault for fault in reader.faults() if "sources" in fault.source] == []


def kiezbox(settings: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "kiezbox", *arguments, "--settings", str(settings)],
        capture_output=True,
        text=True,
        timeout=30,
    )


@pytest.fixture
def toml(box: Box, server: Server) -> Path:
    path = box.folder / "kiezbox.toml"
    path.write_text(
        f'[box]\nid = "kb-1"\n[store]\npath = "{box.folder}/kiezbox.db"\n'
        f'run_dir = "{box.folder}/run"\n'
        f'[sources.nina]\nurl = "{server.url}"\nars = "{caps.ARS}"\ntimeout_s = 5\n'
    )
    return path


def test_an_operator_tries_the_settings_by_hand(box: Box, server: Server, toml: Path) -> None:
    serve(server, caps.message(1, time.time()))

    before = kiezbox(toml, "source", "list")
    fetched = kiezbox(toml, "source", "fetch", "nina")
    after = kiezbox(toml, "source", "list", "--json")

    assert "never been asked" in before.stdout
    assert (fetched.returncode, fetched.stdout) == (
        0, "nina: 1 listed, 1 new, 0 changed, 0 gone\n",
    )  # fmt: skip
    (listed,) = json.loads(after.stdout)
    assert (listed["source"], listed["driver"], listed["listed"]) == ("nina", "nina", 1)


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("fetch", "dwd"), 3, "there is no [sources.dwd]"),
        (("fetch",), 2, "needs the name of a source"),
        (("list", "nina"), 2, "needs nothing more"),
        # Nothing is served: the district is not known.
        (("fetch", "nina"), 10, "status 404"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(
    toml: Path, arguments: tuple[str, ...], code: int, told: str
) -> None:
    done = kiezbox(toml, "source", *arguments)

    assert done.returncode == code
    assert told in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize(("ago_s", "level"), [(None, "BROKEN"), (60.0, "FINE"), (7 * HOUR, "NOTE")])
def test_a_check_says_how_long_ago_a_source_was_asked(
    box: Box, clock: ManualClock, ago_s: float | None, level: str
) -> None:
    from kiezbox.checks import Examined, sources

    settings = box.settings({"nina": {"ars": caps.ARS}})
    if ago_s is not None:
        (box.folder / "words").mkdir()
        looked = {"checked_at": clock.now() - ago_s}
        (box.folder / "source-nina.json").write_text(json.dumps(looked))

    (finding,) = sources.run(Examined(settings, clock, None))

    assert finding.level.name == level and "nina" in finding.message


def test_a_box_without_sources_is_told_what_it_lacks(box: Box, clock: ManualClock) -> None:
    from kiezbox.checks import Examined, sources

    (finding,) = sources.run(Examined(box.settings({}), clock, None))

    assert "sources.nina" in finding.hint
