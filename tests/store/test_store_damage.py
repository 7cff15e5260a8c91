"""Bytes that are not what was written: what can be read is salvaged, the rest is said."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from cards import small_card
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from storing import fill, serials, switch_off, warm

from kiezbox.errors import StoreDamaged
from kiezbox.model import Cursor, Measurement, Quantity
from kiezbox.settings import StoreSettings
from kiezbox.store import Store, StoreReader, StoreWriter, upkeep
from kiezbox.store.migrate import _build, asides
from kiezbox.store.salvage import _TABLES, salvage

PAGE = 4096


class Lived:
    """A store that has lived: readings over several boots, orders, faults, a mode."""

    def __init__(self, open_store: Any, clock: Any, path: str) -> None:
        self.serials: list[int] = []
        for boot in range(3):
            store = open_store()
            for _ in range(200):
                added = store.add(
                    "roof",
                    [Measurement(quantity, 20.0 + boot) for quantity in list(Quantity)[:5]],
                )
                self.serials += [reading.serial for reading in added]
                clock.advance(60)
            store.set_cursor(Cursor("mqtt", self.serials[-100]))
            store.put_transition("grid", "present", "gone", "lost", {"boot": boot, "ü": "ß" * 3000})
            store.open_fault("roof", f"kind{boot}", "nothing answers", "Look at the cable.")
            store.put_dead_letter("mqtt", self.serials[-7], "422: no such channel")
            store.close()
            with StoreWriter(path, clock=clock) as writer:
                writer.order("exercise", clock.now() + 1e6, {"boot": boot})
        store = open_store()
        store.keep("mode", {"name": "emergency", "since": 1.5})
        store.close()
        self.clock = clock


@pytest.fixture
def lived(open_store: Any, clock: Any, settings: Any) -> Lived:
    return Lived(open_store, clock, settings.path)


def overwrite(path: str, at: int, data: bytes) -> None:
    with open(path, "r+b") as file:
        file.seek(at)
        file.write(data)


@pytest.mark.parametrize(
    ("name", "at", "length"),
    [("header", 0, 100), ("first page", 0, PAGE), ("schema and all inner pages", 0, 0)],
)
def test_without_header_or_schema_nothing_is_lost(
    lived: Lived, open_store: Any, settings: Any, name: str, at: int, length: int
) -> None:
    if length:
        overwrite(settings.path, at, os.urandom(length))
    else:
        data = Path(settings.path).read_bytes()
        for page in range(len(data) // PAGE):
            if data[page * PAGE] in (0x05, 0x02) or page == 0:
                overwrite(settings.path, page * PAGE, bytes(PAGE))

    store = open_store()

    assert store.state == "damaged"
    (fault,) = [fault for fault in store.faults() if fault.source == "store"]
    assert fault.kind == "damaged"
    assert asides(settings.path)[0] in fault.message
    assert serials(store.after(0, 10_000)) == lived.serials
    assert store.cursor("mqtt").backlog == lived.serials[-100]
    assert store.kept("mode") == {"name": "emergency", "since": 1.5}
    assert [t.detail["boot"] for t in store.transitions("grid")] == [2, 1, 0]
    assert [order.detail["boot"] for order in store.orders()] == [0, 1, 2]
    assert sorted(f.kind for f in store.faults()) == ["damaged", "kind0", "kind1", "kind2"]
    # And it goes on.
    added = fill(store, lived.clock, 3)
    assert added[0] > lived.serials[-1]
    assert store.flush() == added[-1]
    switch_off(store)
    store = open_store()
    assert serials(store.after(0, 10_000)) == lived.serials + added
    assert store.state == "ok"
    assert [fault for fault in store.faults() if fault.source == "store"] == []


@pytest.mark.parametrize("when", ["reading", "folding", "writing"])
def test_a_page_that_rots_while_the_node_runs_costs_its_own_rows(
    lived: Lived, open_store: Any, settings: Any, when: str
) -> None:
    pages = _reading_pages(settings.path)
    # The last page is where the next reading would go.
    broken = pages[-1] if when == "folding" else pages[len(pages) // 2]
    store = open_store()
    store._card.db.execute("PRAGMA shrink_memory")  # What SQLite has cached cannot rot.
    overwrite(settings.path, broken * PAGE, os.urandom(PAGE))
    if when == "writing":
        inner = [n for n in range(len(pages) * 2) if _page(settings.path, n)[:1] == b"\x05"]
        root = [n for n in range(1, 40) if n not in pages and n not in inner]
        for number in root:
            overwrite(settings.path, number * PAGE, os.urandom(PAGE))

    added = fill(store, lived.clock, 3)
    if when == "reading":
        store.after(0, 10_000)
    elif when == "writing":
        store.put_transition("grid", "present", "gone", "lost", {})
    assert store.flush() == added[-1]
    store.fold()
    left = serials(store.after(0, 10_000))

    assert store.state == "damaged"
    assert left == sorted(set(left))
    assert left[-3:] == added
    lost = len(lived.serials) + 3 - len(left)
    assert 0 < lost <= 4096 // 36  # A page of the shortest rows.
    assert set(left) <= {*lived.serials, *added}
    if when == "writing":
        assert store.transitions()[0].after == "lost"
    switch_off(store)
    store = open_store()
    assert serials(store.after(0, 10_000)) == left


def _page(path: str, number: int) -> bytes:
    with open(path, "rb") as file:
        file.seek(number * PAGE)
        return file.read(PAGE)


def _reading_pages(path: str) -> list[int]:
    """The leaf pages of the table of readings: those that hold three of its rows in a row."""
    from kiezbox.store.salvage import _Pages, _rows, _shape

    with _Pages(path) as pages:
        return [
            number - 1
            for number in range(1, pages.count + 1)
            if [_shape(row) for row in list(_rows(pages, number))[:3]] == ["Niiin?iti"] * 3
        ]


def test_readings_in_the_journal_outlive_a_damaged_database(
    lived: Lived, open_store: Any, settings: Any
) -> None:
    store = open_store()
    added = fill(store, lived.clock, 3)
    store.set_cursor(Cursor("mqtt", added[0]))
    store.flush()
    switch_off(store)
    overwrite(settings.path, 0, os.urandom(PAGE))

    store = open_store()

    assert serials(store.after(0, 10_000)) == lived.serials + added
    assert store.cursor("mqtt").backlog == added[0]


def test_what_only_the_write_ahead_log_holds_is_salvaged_too(
    lived: Lived, open_store: Any, settings: Any
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED_NODE, settings.path], capture_output=True, timeout=30
    )
    assert done.returncode == -9, done.stderr
    assert os.path.getsize(settings.path + "-wal") > 0
    for name in (settings.path, settings.path + "-shm"):
        overwrite(name, 0, os.urandom(100))

    store = open_store()

    assert [reading.value for reading in store.after(lived.serials[-1], 10)] == [77.0]
    assert store.transitions()[0].after == "in the log"


KILLED_NODE = """
import os, sys, sqlite_utils
from kiezbox.clock import ManualClock
from kiezbox.model import Measurement, Quantity
from kiezbox.settings import StoreSettings
from kiezbox.store import Store
store = Store.open(StoreSettings(path=sys.argv[1]), "kb-1", ManualClock(1790000000.0))
store.add("roof", [Measurement(Quantity.TEMPERATURE_C, 77)])
store.put_transition("grid", "a", "b", "in the log", {})
store.fold()
os.kill(os.getpid(), 9)
"""


def test_a_log_whose_database_was_taken_away_is_salvaged(
    lived: Lived, open_store: Any, settings: Any
) -> None:
    subprocess.run([sys.executable, "-c", KILLED_NODE, settings.path], timeout=30)
    os.remove(settings.path)

    store = open_store()

    assert 77.0 in [reading.value for reading in store.after(0, 10_000)]


@pytest.mark.parametrize("content", [b"", b"\0" * 8192, b"Bitte nicht \xff\xfe"])
def test_a_file_that_holds_nothing_of_ours_is_replaced(
    open_store: Any, clock: Any, settings: Any, content: bytes
) -> None:
    Path(settings.path).write_bytes(content)

    store = open_store()

    added = fill(store, clock, 3)
    assert store.flush() == added[-1]
    assert store.state in ("ok", "damaged")


@hypothesis_settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 2**32))
@example(seed=0)
def test_a_store_with_random_wounds_opens_and_takes_readings(
    tmp_path_factory: Any, seed: int
) -> None:
    from kiezbox.clock import ManualClock
    from kiezbox.settings import StoreSettings
    from kiezbox.store import Store

    folder = tmp_path_factory.mktemp("wounds")
    given = StoreSettings(path=str(folder / "k.db"), journal_kib=16)
    clock = ManualClock()
    store = Store.open(given, "kb-1", clock)
    fill(store, clock, 300)
    store.fold()
    store.put_transition("grid", "a", "b", "c", {})
    fill(store, clock, 10)
    store.flush()
    store.close()
    dice = random.Random(seed)
    for name in (given.path, given.path + ".journal"):
        size = os.path.getsize(name)
        for _ in range(dice.choice((1, 3))):
            length = dice.choice((1, 64, 512, 4096, 20_000))
            overwrite(name, dice.randrange(size), dice.randbytes(length))
        if dice.random() < 0.3:
            os.truncate(name, dice.randrange(size))

    for _ in range(2):
        store = Store.open(given, "kb-1", clock)
        serial = store.add("roof", warm())[0].serial
        store.put_transition("grid", "a", "b", "c", {})
        assert store.flush() == serial
        store.fold()
        # SQLite has no checksums: a bit within a row may turn unseen, but nothing may stop.
        assert serial in serials(store.after(0, 10_000))
        store.close()


def test_every_table_can_be_salvaged(lived: Lived, settings: Any, tmp_path: Path) -> None:
    # A box of 0.1.0 kept its bulletins here.
    with closing(sqlite3.connect(settings.path)) as old, old:
        row = ("kb-musterplatz-1", 1, "bulletin", 1.5, 2.5, "Wasser")
        old.execute("INSERT INTO records VALUES (?, ?, ?, ?, ?, ?)", row)
    source = sqlite3.connect(settings.path)
    tables = [
        name
        for (name,) in source.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        if not name.startswith(("sqlite_", "_sqlite"))
        # Said anew by the readings: test_store_tiers.
        and name not in ("tiers", "tier_state", "undated", "blocks")
    ]
    target = sqlite3.connect(_build(str(tmp_path / "new.db")), isolation_level=None)

    done = salvage(settings.path, target)

    assert done == (len(lived.serials), 0)
    assert len(tables) == len(_TABLES) - 2  # tiers, blocks
    for table in tables:
        wanted = source.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()
        assert wanted, f"the test left {table} empty"
        assert target.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall() == wanted, table
    source.close()
    target.close()


def test_salvaging_stops_at_its_deadline_with_the_newest_readings_read(
    lived: Lived, settings: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    from kiezbox.store import salvage as module

    monkeypatch.setattr(module, "_PAGES_AT_ONCE", 1)
    target = sqlite3.connect(_build(str(tmp_path / "new.db")), isolation_level=None)
    times = iter([0.0] * 3 + [100.0] * 100)
    monkeypatch.setattr(time, "monotonic", lambda: next(times))

    done = salvage(settings.path, target, deadline=50.0)

    assert 0 < done.readings < len(lived.serials)
    assert done.pages_left > 0
    rows = [row[0] for row in target.execute("SELECT serial FROM readings ORDER BY serial")]
    assert rows == lived.serials[-len(rows) :]
    target.close()


def test_without_room_to_salvage_the_box_goes_on_and_keeps_the_old_file(
    tmp_path: Path, clock: Any
) -> None:
    with small_card(tmp_path) as sd:
        given = StoreSettings(path=str(sd.mount / "k.db"), journal_kib=64)
        store = Store.open(given, "kb-1", clock)
        try:
            for _ in range(20):
                store.add("roof", warm() * 1250)
                store.fold()
            store.close()
            sd.fill(leaving=400_000)
            assert os.path.getsize(given.path) > 800_000
            overwrite(given.path, 0, os.urandom(PAGE))

            store = Store.open(given, "kb-1", clock)

            added = fill(store, clock, 3)
            assert store.flush() == added[-1]
            assert store.state == "damaged"
            assert serials(store.after(0, 10**6)) == added
            (aside,) = asides(given.path)
            assert os.path.getsize(aside) > 800_000
        finally:
            switch_off(store)


def test_a_cut_between_salvaging_and_putting_in_place_is_finished_at_the_next_start(
    lived: Lived, open_store: Any, settings: Any, monkeypatch: Any
) -> None:
    from kiezbox.store import migrate

    overwrite(settings.path, 0, os.urandom(100))
    for stop in range(1, 4):
        real, calls = os.rename, []

        def cut_off(old: Any, new: Any, stop: int = stop, calls: Any = calls, real: Any = real):
            calls.append(old)
            if len(calls) > stop:
                raise KeyboardInterrupt
            real(old, new)

        with monkeypatch.context() as patch:
            patch.setattr(os, "rename", cut_off)
            try:
                migrate.apply(settings.path, "salvage")
            except (KeyboardInterrupt, FileNotFoundError):
                pass

    store = open_store()

    assert serials(store.after(0, 10_000)) == lived.serials


def test_check_finds_the_damage_and_says_what_to_do(
    lived: Lived, open_store: Any, settings: Any
) -> None:
    assert all(finding.is_ok for finding in upkeep.check(settings.path))
    pages = _reading_pages(settings.path)
    overwrite(settings.path, pages[3] * PAGE, os.urandom(PAGE))

    database, journal = upkeep.check(settings.path)

    assert not database.is_ok and "Start the node anew" in database.hint
    assert journal.is_ok
    overwrite(settings.path, 0, os.urandom(100))
    database, journal = upkeep.check(settings.path)
    assert not database.is_ok
    with pytest.raises(StoreDamaged):
        StoreReader(settings.path).after(0, 1)

    store = open_store()
    store.flush()
    found = upkeep.check(settings.path)
    assert [(finding.what, finding.is_ok) for finding in found] == [
        ("database", True),
        ("journal", True),
        ("damaged files", False),
    ]
    assert "kiezbox store salvage" in found[2].hint


def test_mending_brings_back_old_readings_beside_the_running_node(
    lived: Lived, open_store: Any, settings: Any, tmp_path: Path
) -> None:
    os.rename(settings.path, tmp_path / "old.db")
    os.remove(settings.path + ".journal")
    store = open_store()
    added = fill(store, lived.clock, 3)
    store.set_cursor(Cursor("mqtt", added[1]))
    store.flush()

    done = upkeep.mend(settings.path, str(tmp_path / "old.db"))

    assert done.readings == len(lived.serials)
    assert serials(store.after(0, 10_000)) == lived.serials + added
    # Nor what an operator wanted then.
    assert store.orders() == []
    # Nobody's progress of then: it may be behind or ahead of what is true now.
    assert StoreReader(settings.path).cursor("mqtt").backlog == added[1]
    assert store.kept("mode") is None
    store.fold()
    assert store.cursor("mqtt").backlog == added[1]
    assert upkeep.mend(settings.path, str(tmp_path / "old.db")).readings == 0
