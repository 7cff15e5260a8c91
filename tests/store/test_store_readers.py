"""Other processes: what they see while the node writes, and what they may add."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest
from storing import fill, serials, warm

from kiezbox.errors import StoreError
from kiezbox.model import Cursor
from kiezbox.settings import StoreSettings
from kiezbox.store import StoreReader, StoreWriter

LIMIT_S = 30

#: Adds and flushes as fast as it can, folding every third time; prints how far it is safe.
BUSY_NODE = """
import sqlite_utils, sys
from kiezbox.clock import SystemClock
from kiezbox.model import Cursor, Measurement, Quantity
from kiezbox.settings import StoreSettings
from kiezbox.store import Store
store = Store.open(StoreSettings(path=sys.argv[1]), "kb-1", SystemClock())
number = 0
while True:
    for _ in range(3):
        store.add("roof", [Measurement(Quantity.TEMPERATURE_C, number)])
        number += 1
    store.set_cursor(Cursor("mqtt", store.newest_serial))
    store.keep_lazily("count", {"number": number})
    print(store.fold() and store.stored_serial if number % 9 == 0 else store.flush(), flush=True)
"""


@pytest.fixture
def busy_node(settings: Any) -> Any:
    process = subprocess.Popen(
        [sys.executable, "-c", BUSY_NODE, settings.path], stdout=subprocess.PIPE, text=True
    )
    yield process
    process.kill()
    process.wait(LIMIT_S)
    assert process.stdout is not None
    process.stdout.close()


def test_a_reader_sees_journal_and_database_but_not_the_nodes_memory(
    open_store: Any, clock: Any, settings: Any
) -> None:
    store = open_store()
    seen = fill(store, clock, 2)
    store.fold()
    seen += fill(store, clock, 2)
    store.set_cursor(Cursor("mqtt", seen[0]))
    store.keep_lazily("battery", {"charge_ah": 10.5})
    store.flush()
    fill(store, clock, 1)
    store.set_cursor(Cursor("mqtt", seen[1]))

    with StoreReader(settings.path) as reader:
        assert serials(reader.after(0, 10)) == seen
        assert reader.after(0, 10).series == store.after(0, 10).series == reader.series()
        assert reader.newest_serial == seen[-1]
        assert reader.count_after(seen[0]) == 3
        assert reader.count_after(seen[0], until=seen[2]) == 2
        assert reader.cursor("mqtt") == Cursor("mqtt", seen[0])
        assert reader.cursor("unheard_of") == Cursor("unheard_of")
        assert reader.kept("battery") == {"charge_ah": 10.5}
        assert reader.kept("unheard_of") is None


def test_a_reader_never_misses_or_repeats_a_reading_while_the_node_folds(
    busy_node: Any, settings: Any
) -> None:
    busy_node.stdout.readline()
    reader = StoreReader(settings.path)
    rounds, newest = 0, 0
    end = time.monotonic() + 2

    while time.monotonic() < end or rounds < 50:
        safe = int(busy_node.stdout.readline())
        batch = reader.after(newest, 100_000)
        numbers = [reading.value for reading in batch]
        got = serials(batch)
        # A node that counts from 0: the n-th reading has the value n.
        assert numbers == [serial % 2**36 - 1 for serial in got]
        assert got == list(range(got[0], got[0] + len(got))) if got else True
        assert not newest or not got or got[0] == newest + 1
        newest = got[-1] if got else newest
        assert newest >= safe
        count = reader.kept("count")
        assert count is not None and count["number"] >= newest % 2**36
        assert reader.cursor("mqtt").backlog >= newest
        rounds += 1

    assert busy_node.poll() is None
    reader.close()


def test_orders_come_in_beside_a_busy_node(busy_node: Any, settings: Any) -> None:
    busy_node.stdout.readline()

    with StoreWriter(settings.path) as writer:
        for number in range(20):
            writer.order("exercise", time.time() + 60, {"by": f"operator {number}"})
        assert len(writer.orders()) == 20

    assert busy_node.poll() is None


def test_the_node_notices_that_another_process_wrote(open_store: Any, settings: Any) -> None:
    store = open_store()
    before = store.changed()
    store.add("roof", warm())
    store.flush()
    store.keep("mode", {"name": "normal"})
    assert store.changed() == before

    with StoreWriter(settings.path) as writer:
        number = writer.order("maintenance", None, {"why": "new antenna"})

    assert store.changed() != before
    (order,) = store.orders()
    assert (order.id, order.verb, order.until, order.detail) == (
        number,
        "maintenance",
        None,
        {"why": "new antenna"},
    )
    store.order_taken(number)
    assert store.orders() == []
    with StoreReader(settings.path) as reader:
        assert reader.orders() == []


def test_without_a_store_a_reader_says_who_makes_it(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no store at") as caught:
        StoreReader(str(tmp_path / "none.db")).after(0, 1)

    assert "kiezbox run" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_a_reader_follows_when_another_file_takes_the_place(
    open_store: Any, clock: Any, settings: Any, tmp_path: Path
) -> None:
    store = open_store()
    fill(store, clock, 2)
    store.close()
    reader = StoreReader(settings.path)
    assert reader.count_after(0) == 2
    for name in os.listdir(tmp_path):
        os.remove(tmp_path / name)

    store = open_store()
    fill(store, clock, 1)
    store.flush()

    assert reader.count_after(0) == 1
    reader.close()


def test_a_file_of_another_program_is_refused(tmp_path: Path, open_store: Any) -> None:
    import dataclasses
    import sqlite3

    path = str(tmp_path / "other.db")
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE songs (title)")
    db.close()

    with pytest.raises(StoreError, match="not Kiezbox's database"):
        StoreReader(path).info()
    with pytest.raises(StoreError, match="not Kiezbox's database"):
        open_store(dataclasses.replace(open_store()._settings, path=path))


#: The libraries first: another user may not be allowed to look for them.
PORTAL = """
import json, os, sys
from kiezbox.store import StoreReader
os.setgroups([]); os.setgid(65534); os.setuid(65534)
with StoreReader(sys.argv[1]) as reader:
    print(json.dumps([reading.value for reading in reader.after(0, 100)]))
"""

KILLED_NODE = """
import os, sys, sqlite_utils
from kiezbox.clock import SystemClock
from kiezbox.model import Measurement, Quantity
from kiezbox.settings import StoreSettings
from kiezbox.store import Store
store = Store.open(StoreSettings(path=sys.argv[1]), "kb-1", SystemClock())
store.add("roof", [Measurement(Quantity.TEMPERATURE_C, 7)])
store.flush()
os.kill(os.getpid(), 9)
"""


@pytest.fixture
def street() -> Any:
    """A folder that everybody can look into."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        yield folder


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize("node", ["running", "stopped", "killed"])
def test_a_user_without_rights_reads_whether_the_node_runs_or_not(
    open_store: Any, clock: Any, street: str, node: str
) -> None:
    path = f"{street}/kiezbox.db"
    if node == "killed":
        # What a killed node leaves: -wal and -shm, and nobody who holds them.
        done = subprocess.run([sys.executable, "-c", KILLED_NODE, path], timeout=LIMIT_S)
        assert done.returncode == -signal.SIGKILL
    else:
        store = open_store(StoreSettings(path=path))
        store.add("roof", warm(7.0))
        store.flush()
        if node == "stopped":
            store.close()

    done = subprocess.run(
        [sys.executable, "-c", PORTAL, path], capture_output=True, text=True, timeout=LIMIT_S
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [7.0]


def test_info_counts_what_is_there(open_store: Any, clock: Any, settings: Any) -> None:
    store = open_store()
    added = fill(store, clock, 2)
    store.fold()
    added += fill(store, clock, 3)
    store.set_cursor(Cursor("mqtt", added[1]))
    store.flush()
    store.open_fault("roof", "missing", "nothing answers")

    info = StoreReader(settings.path).info()

    assert info["box"] == "kb-musterplatz-1"
    assert (info["readings"], info["readings_in_journal"], info["boots"]) == (5, 3, 1)
    assert (info["oldest_serial"], info["newest_serial"]) == (added[0], added[-1])
    assert info["open_faults"] == 1
    assert info["cursors"]["mqtt"]["backlog"] == added[1]
    assert list(info["series"].values()) == ["roof/temperature_c"]
