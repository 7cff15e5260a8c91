"""What the portal sees of now.json and of the store, sound or not."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from street import (
    NORMAL,
    NOW,
    hang_outside,
    make_store,
    now_json,
    open_store,
    outage,
    write_facts,
)

from kiezbox.clock import ManualClock, ScaledClock, SystemClock
from kiezbox.model import Flag, Measurement, Quantity
from kiezbox.portal.sight import Sight, WallClock, parse_json

#: A look never takes longer, whatever holds the store. Waiting for it the usual way takes 5 s.
A_LOOK_S = 2.0


def sight(folder: Path, now: float = NOW) -> Sight:
    return Sight(str(folder / "run"), str(folder / "kiezbox.db"), ManualClock(now))


# --- now.json ------------------------------------------------------------------------------------


def test_now_json_is_what_is_shown(tmp_path: Path) -> None:
    write_facts(tmp_path / "run", outage())

    facts = sight(tmp_path).facts()

    assert (facts["source"], facts["state"]) == ("node", "active")
    assert facts["mode"]["name"] == "emergency"
    assert facts["unreadable"] == []


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[" * 100_000, b"\xff\xfe", b"null", b"7", b"{}", json.dumps(NORMAL).encode()[:-9]]
    + [b" " * 300_000, b'{"a":' + b"9" * 5000 + b"}"],
)
def test_a_now_json_that_is_none_is_named_and_nothing_breaks(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "now.json").write_bytes(content)

    facts = sight(tmp_path).facts()

    assert facts["state"] == "unknown"
    assert facts["unreadable"] or content == b"null"


@pytest.mark.parametrize("kind", ["folder", "pipe", "missing", "dangling"])
def test_what_is_no_file_at_all_is_not_waited_for(tmp_path: Path, kind: str) -> None:
    (tmp_path / "run").mkdir()
    path = tmp_path / "run" / "now.json"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "dangling":
        path.symlink_to(tmp_path / "nowhere")
    began = time.monotonic()

    facts = sight(tmp_path).facts()

    assert facts["state"] == "unknown"
    assert time.monotonic() - began < A_LOOK_S


documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda below: st.lists(below, max_size=5) | st.dictionaries(st.text(), below, max_size=5),
)


@given(documents, st.sampled_from(["", " ", "\n\t"]))
@settings(max_examples=80, deadline=None)
def test_json_is_read_as_the_json_module_reads_it(document: Any, around: str) -> None:
    text = around + json.dumps(document) + around

    assert repr(parse_json(text.encode())) == repr(json.loads(text))


@given(st.binary(max_size=60) | st.text(alphabet='{}[]",:0123e-.truefalsn \\u').map(str.encode))
@settings(max_examples=150, deadline=None)
def test_what_the_json_module_refuses_is_refused(received: bytes) -> None:
    try:
        expected = repr(json.loads(received.decode()))
    except ValueError:
        with pytest.raises(ValueError):
            parse_json(received)
    else:
        assert repr(parse_json(received)) == expected


# --- what makes another page --------------------------------------------------------------------


def test_a_new_now_json_is_another_version(box: Path) -> None:
    seen = sight(box)
    before = seen.version()

    write_facts(box / "run", outage())

    assert seen.version() != before


# --- the street ----------------------------------------------------------------------------------


def test_the_street_is_what_now_json_last_said_of_it(tmp_path: Path) -> None:
    seen = sight(tmp_path)
    assert (seen.street().address, seen.street().posture) == (None, None)
    write_facts(tmp_path / "run", outage(network__https_name="Portal.Example.org"))

    street = seen.street()

    assert (street.address, street.posture, street.mode) == (
        "198.51.100.1", "emergency", "emergency",
    )  # fmt: skip
    assert street.hosts == {"198.51.100.1", "kiezbox.internal", "portal.example.org"}
    for gone in (None, "nonsense", outage(network=None)):
        write_facts(tmp_path / "run", gone)
        assert seen.street() is street, "a node that has gone took no WLAN down"


@pytest.mark.parametrize("state", ["missing", "a folder", "foreign", "noise", "cut", "locked"])
def test_a_store_that_cannot_be_read_is_unknown_and_nobody_waits(
    tmp_path: Path, state: str
) -> None:
    path = tmp_path / "kiezbox.db"
    holder = None
    if state == "a folder":
        path.mkdir()
    elif state == "foreign":
        with sqlite3.connect(path) as foreign:
            foreign.execute("CREATE TABLE records (origin, kind)")
        foreign.close()
    elif state == "noise":
        path.write_bytes(b"SQLite format 3\0" + bytes(range(256)) * 64)
    elif state in ("cut", "locked"):
        make_store(tmp_path)
        if state == "cut":
            os.truncate(path, path.stat().st_size // 2)
        else:
            holder = sqlite3.connect(path, isolation_level=None)
            holder.execute("PRAGMA locking_mode = EXCLUSIVE")
            holder.execute("BEGIN EXCLUSIVE")
    began = time.monotonic()

    facts = sight(tmp_path).facts()

    assert (facts["state"], facts["source"]) == ("unknown", None)
    assert time.monotonic() - began < A_LOOK_S
    if holder:
        holder.close()


# --- the last known state ------------------------------------------------------------------------


def test_without_a_node_the_store_says_what_was_last_known(tmp_path: Path) -> None:
    clock = ManualClock(NOW)
    store = open_store(tmp_path, clock)
    store.add("roof", [Measurement(Quantity.TEMPERATURE_C, 3.0)])
    clock.advance(60)
    store.add("roof", [Measurement(Quantity.TEMPERATURE_C, 4.5)])
    store.add("roof", [Measurement(Quantity.HUMIDITY_PERCENT, 99.0, 99.0, Flag.SUSPECT, "stuck")])
    detail = {"causes": {"grid_lost": "lost"}, "order": None, "wlan": True}
    store.put_transition("grid", "bridging", "confirmed", "lost", {})
    store.put_transition("mode", "normal", "cause", "emergency", detail)
    store.close()
    hang_outside(tmp_path, "roof")

    facts = sight(tmp_path, NOW + 3600).facts()

    assert (facts["source"], facts["state"]) == ("store", "stale")
    assert facts["written_at"] == NOW + 60
    assert (facts["box"]["id"], facts["mode"]["name"]) == ("kb-musterplatz-1", "emergency")
    assert [cause["cause"] for cause in facts["mode"]["causes"]] == ["grid_lost"]
    assert facts["grid"]["state"] == "lost"
    assert facts["latest"]["roof/temperature_c"]["value"] == 4.5
    assert facts["latest"]["roof/humidity_percent"]["flag"] == Flag.SUSPECT
    assert facts["unreadable"] == []


def test_what_only_the_store_says_is_never_fresh(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.add("roof", [Measurement(Quantity.TEMPERATURE_C, 3.0)])
    store.close()

    assert sight(tmp_path, NOW + 1).facts()["state"] == "stale"


def test_an_old_now_json_is_believed_before_the_store(tmp_path: Path) -> None:
    make_store(tmp_path)
    write_facts(tmp_path / "run", now_json(written_at=NOW - 7200))

    facts = sight(tmp_path).facts()

    assert (facts["source"], facts["state"]) == ("node", "stale")


def test_an_unreadable_now_json_is_named_beside_what_the_store_knows(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.add("roof", [Measurement(Quantity.TEMPERATURE_C, 3.0)])
    store.close()
    (tmp_path / "run").mkdir(exist_ok=True)
    (tmp_path / "run" / "now.json").write_text("half a docu")

    facts = sight(tmp_path).facts()

    assert (facts["source"], facts["unreadable"]) == ("store", ["now.json"])


# --- clocks --------------------------------------------------------------------------------------


def test_a_faster_clock_makes_facts_last_as_much_longer(tmp_path: Path) -> None:
    clock = ScaledClock(600.0, time.time() - 10)
    write_facts(tmp_path / "run", now_json(written_at=clock.now() - 6000))

    facts = Sight(str(tmp_path / "run"), str(tmp_path / "no.db"), clock).facts()

    assert facts["state"] == "active"


def test_the_portals_own_clock_is_the_systems() -> None:
    assert abs(WallClock().now() - SystemClock().now()) < 1.0
