"""How the tables come to be, and that a database of every release still opens."""

from __future__ import annotations

import gzip
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from storing import BOX, switch_off, warm

from kiezbox.clock import ManualClock
from kiezbox.errors import StoreError
from kiezbox.settings import StoreSettings
from kiezbox.store import Store, StoreReader
from kiezbox.store.database import SCHEMA_VERSION
from kiezbox.store.schema import MIGRATIONS

RECORDINGS = sorted((Path(__file__).parent.parent / "recordings").glob("store-*.db.gz"))


def test_every_step_of_the_schema_is_counted(open_store: Any, settings: Any) -> None:
    open_store()

    db = sqlite3.connect(settings.path)
    applied = db.execute("SELECT name FROM _sqlite_migrations ORDER BY id").fetchall()
    (version,) = db.execute("PRAGMA user_version").fetchone()
    db.close()

    assert [name for (name,) in applied] == [str(n) for n in range(1, SCHEMA_VERSION + 1)]
    assert version == SCHEMA_VERSION == len(MIGRATIONS._migrations)


def test_the_file_is_in_wal_mode_and_written_durably(open_store: Any) -> None:
    store = open_store()

    assert store._card.query("PRAGMA journal_mode") == [("wal",)]
    assert store._card.query("PRAGMA synchronous") == [(2,)]  # FULL, sqlite.org/pragma.html


NODE = """
import sys
from kiezbox.clock import SystemClock
from kiezbox.settings import StoreSettings
from kiezbox.store import Store
store = Store.open(StoreSettings(path=sys.argv[1]), "kb-1", SystemClock())
print(store.state, *[name for name in sys.modules if name.split(".")[0] == "sqlite_utils"])
store.close()
"""


def test_the_node_makes_its_database_without_loading_sqlite_utils(settings: Any) -> None:
    done = subprocess.run(
        [sys.executable, "-c", NODE, settings.path], capture_output=True, text=True, timeout=60
    )

    assert done.stdout == "ok\n", done.stderr
    with StoreReader(settings.path) as reader:
        assert reader.info()["boots"] == 1


def test_a_child_that_fails_leaves_the_box_measuring(
    settings: Any, clock: Any, monkeypatch: Any
) -> None:
    monkeypatch.delitem(sys.modules, "sqlite_utils")
    monkeypatch.setattr(sys, "executable", "/bin/false")

    store = Store.open(settings, BOX, clock)
    try:
        store.add("roof", warm())
        store.flush()
        assert store.state == "read-only"
        assert len(store.after(0, 10)) == 1

        monkeypatch.undo()
        store.flush()
        assert store.state == "ok"
    finally:
        switch_off(store)


def test_a_half_made_database_is_made_anew(open_store: Any, settings: Any) -> None:
    Path(settings.path + ".new").write_bytes(b"SQLite format 3\0" + os.urandom(5000))
    Path(settings.path + ".new-journal").write_bytes(os.urandom(5000))
    Path(settings.path + ".journal.new").write_bytes(os.urandom(100))

    store = open_store()

    assert store.state == "ok"
    assert not os.path.exists(settings.path + ".new")


def test_a_database_of_a_newer_kiezbox_is_refused_with_a_word_of_help(
    open_store: Any, settings: Any
) -> None:
    open_store().close()
    db = sqlite3.connect(settings.path)
    db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    db.close()

    for attempt in (open_store, StoreReader(settings.path).info):
        with pytest.raises(StoreError, match="schema") as caught:
            attempt()
        assert "newer" in caught.value.hint


def test_a_step_that_is_missing_is_taken_at_the_next_start(
    open_store: Any, settings: Any, monkeypatch: Any
) -> None:
    store = open_store()
    store.add("roof", warm())
    store.close()

    def second(db: Any) -> None:
        db.execute("CREATE TABLE novelty (id INTEGER)")
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")

    monkeypatch.setattr("kiezbox.store.database.SCHEMA_VERSION", SCHEMA_VERSION + 1)
    with pytest.raises(StoreError, match="older Kiezbox"):
        StoreReader(settings.path).info()
    monkeypatch.setattr(
        MIGRATIONS,
        "_migrations",
        [*MIGRATIONS._migrations, MIGRATIONS._Migration(str(SCHEMA_VERSION + 1), second)],
    )

    store = open_store()

    assert len(store.after(0, 10)) == 1
    assert store._card.query("SELECT * FROM novelty") == []


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda path: path.name)
def test_a_database_of_an_earlier_release_opens_with_all_it_holds(
    recording: Path, tmp_path: Path
) -> None:
    path = str(tmp_path / "kiezbox.db")
    Path(path).write_bytes(gzip.decompress(recording.read_bytes()))
    clock = ManualClock(1_790_000_000)

    store = Store.open(StoreSettings(path=path), BOX, clock)
    try:
        # What tests/recordings/make_store.py put there; it must never mean something else.
        batch = store.after(0, 1000)
        assert len(batch) == 84
        assert {str(name) for name in batch.series.values()} == {
            "roof/temperature_c",
            "roof/humidity_percent",
            "dust/pm2_5_ug_m3",
        }
        assert [r.value for r in batch][:3] == [20.0, 71.0, 8.0]
        assert (next(iter(batch)).taken_ms, next(iter(batch)).flag) == (1_780_000_000_000, 0)
        flagged = [reading for reading in batch if reading.flag]
        assert [(r.flag, r.raw, r.reason) for r in flagged] == [(1, 100.0, "stuck at 100 %")]
        assert store.boot > max(reading.boot for reading in batch)
        assert store.cursor("mqtt").backlog == list(batch)[41].serial
        assert store.kept("mode") == {"name": "emergency", "since": 1780000840.0}
        assert [fault.source for fault in store.faults()] == ["dust"]
        assert len(store.faults(only_open=False)) == 2
        lost, present = store.transitions()
        assert (lost.event, lost.carried_out_at is None, present.carried_out_at is None) == (
            "grid_gone",
            True,
            False,
        )
        assert [order.verb for order in store.orders()] == ["exercise"]
    finally:
        store.close()


def test_this_release_has_its_recording() -> None:
    import kiezbox

    assert f"store-{kiezbox.__version__}.db.gz" in [path.name for path in RECORDINGS]
    assert all(path.stat().st_size <= 10_000 for path in RECORDINGS)
