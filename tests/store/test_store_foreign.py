"""What was heard of Kiezbox 2.0 outlives a restart, costs the card little, and stays small."""

from __future__ import annotations

import json
import select
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from kiezbox.clock import ManualClock
from kiezbox.errors import StoreError
from kiezbox.store import foreign, foreign_file
from kiezbox.store.foreign import ForeignStore

#: From the project's vectors of Kiezbox 2.0: a box, and a button.
CORE = bytes.fromhex(
    "22400a060801107120001080c3bbc2061a30120208011a2a08cee6ffffffffffffff011098a70118bce30220f48f01"
    "288c6030d40238b46040c66448900350eaad01"
)
FIRE = bytes.fromhex("3219080110051880c3bbc206220d4bc3bc636865206272656e6e74")

Open = Callable[[], ForeignStore]


@pytest.fixture
def path(tmp_path: Path) -> str:
    return foreign_file.path_of(str(tmp_path / "kiezbox.db"))


@pytest.fixture
def start(path: str, tmp_path: Path, clock: ManualClock) -> Iterator[Open]:
    """A start of the node; what is not closed was cut off."""
    opened: list[ForeignStore] = []

    def one() -> ForeignStore:
        opened.append(ForeignStore(path, clock, run_dir=str(tmp_path)))
        return opened[-1]

    yield one
    for each in opened:
        each._db.close()


def shown(tmp_path: Path) -> Any:
    return foreign_file.read_view(str(tmp_path))


def rows(path: str, question: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as db:
        return db.execute(question).fetchall()


def test_a_neighbour_is_known_again_after_a_restart(
    start: Open, tmp_path: Path, clock: ManualClock
) -> None:
    store = start()
    store.heard(CORE, 0x433D0CAD, -92, 6.25, clock.now())
    (before,) = shown(tmp_path)["neighbours"]
    store.close()
    (tmp_path / foreign_file.FILE).unlink()

    start()

    assert shown(tmp_path)["neighbours"] == [before]
    assert (before["name"], before["battery_v"], before["rssi_dbm"]) == ("113/1", 12.87, -92)
    assert before["last_heard_at"] == clock.now()


def test_a_new_neighbour_and_a_cry_for_help_are_on_the_card_at_once(
    start: Open, path: str, clock: ManualClock
) -> None:
    store = start()
    store.heard(CORE, 1, -92, 6.0, clock.now())
    assert rows(path, "SELECT node FROM nodes") == [(1,)]
    clock.advance(10)

    store.heard(FIRE, 1, -92, 6.0, clock.now())

    assert rows(path, "SELECT kind FROM messages") == [("update",), ("distress",)]


def test_a_box_that_talks_every_ten_seconds_costs_a_write_a_minute(
    start: Open, path: str, clock: ManualClock
) -> None:
    store = start()
    writes = 0
    before = None
    for _ in range(360):
        store.heard(CORE, 1, -92, 6.0, clock.now())
        clock.advance(10)
        after = rows(path, "SELECT messages FROM nodes")
        writes += after != before
        before = after

    assert 59 <= writes <= 61
    assert 59 <= len(rows(path, "SELECT number FROM messages")) <= 61
    assert rows(path, "SELECT messages FROM nodes")[0][0] >= 355


def test_a_flood_of_orders_and_buttons_keeps_a_dozen_a_minute(
    start: Open, path: str, clock: ManualClock
) -> None:
    store = start()
    for number in range(1000):
        store.heard(FIRE[:-1] + bytes((97 + number % 26,)), 7, -92, 6.0, clock.now())
        clock.advance(0.05)
    store.close()

    assert len(rows(path, "SELECT number FROM messages")) == 12


def test_who_cries_for_help_is_heard_where_the_table_is_full(
    start: Open, path: str, clock: ManualClock
) -> None:
    store = start()
    for at in (0, 3601):
        clock.advance(at)
        for node in range(64):
            store.heard(CORE, node, -92, 6.0, clock.now())

    heard = store.heard(FIRE, 999, -92, 6.0, clock.now())
    store.close()

    assert heard.neighbour is None
    assert rows(path, "SELECT node FROM messages WHERE kind = 'distress'") == [(999,)]


def test_the_words_of_a_cry_for_help_are_for_who_may_read_the_file(
    start: Open, path: str, tmp_path: Path, clock: ManualClock
) -> None:
    """The view lies where every user of the box can read it, the street's portal among them."""
    start().heard(FIRE, 7, -92, 6.0, clock.now())

    (cry,) = shown(tmp_path)["distress"]
    assert (cry["kind"], cry["button_id"]) == ("fire", 5)
    assert "brennt" not in (tmp_path / foreign_file.FILE).read_text()
    db = foreign_file.open_for_reading(path)
    assert db is not None
    with closing(db):
        (told,) = foreign_file.view(db, clock.now(), with_texts=True)["distress"]
    assert told["text"] == "Küche brennt"


def test_old_messages_go_where_there_are_too_many(
    start: Open, path: str, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(foreign, "MOST_MESSAGES", 5)
    store = start()
    for _ in range(9):
        store.heard(CORE, 1, -92, 6.0, clock.now())
        clock.advance(60)
    store.close()

    kept = [at for (at,) in rows(path, "SELECT heard_at FROM messages ORDER BY number")]
    assert len(kept) == 5 and kept[-1] == clock.now() - 60


def test_a_clock_that_jumps_by_years_forgets_nobody(
    start: Open, path: str, clock: ManualClock
) -> None:
    store = start()
    store.heard(CORE, 1, -92, 6.0, 1000.0)
    store.heard(CORE, 2, -92, 6.0, 4e9)
    clock.advance(60)
    store.heard(CORE, 3, -92, 6.0, clock.now())
    store.close()

    assert rows(path, "SELECT node FROM nodes") == [(1,), (2,), (3,)]


def test_a_cry_for_help_is_erased_after_three_days(
    start: Open, path: str, tmp_path: Path, clock: ManualClock
) -> None:
    store = start()
    store.heard(FIRE, 7, -92, 6.0, clock.now())
    store.waiting(clock.now())
    clock.advance(72 * 3600 - 60)
    store.waiting(clock.now())
    assert b"brennt" in Path(path).read_bytes() + Path(f"{path}-wal").read_bytes()
    assert len(shown(tmp_path)["distress"]) == 1
    clock.advance(3660)

    store.waiting(clock.now())

    assert rows(path, "SELECT number FROM messages") == []
    assert b"brennt" not in Path(path).read_bytes() + Path(f"{path}-wal").read_bytes()
    assert shown(tmp_path)["distress"] == []


def test_a_cry_that_was_heard_with_a_wrong_clock_is_not_erased_when_the_time_is_known(
    start: Open, path: str, tmp_path: Path, clock: ManualClock
) -> None:
    """A box that wakes in a blackout dates it weeks behind; then GPS tells the time."""
    right = clock.now()
    clock.set_wall(right - 40 * 86400)
    clock.trusted = False
    store = start()
    store.heard(FIRE, 7, -92, 6.0, clock.now())
    clock.set_wall(right)
    clock.trusted = True

    for _ in range(2):
        clock.advance(3601)
        store.waiting(clock.now())
        assert len(rows(path, "SELECT number FROM messages")) == 1
        (cry,) = shown(tmp_path)["distress"]
        assert not cry["clock_trusted"]
        store.close()
        store = start()

    clock.advance(72 * 3600 + 1)
    store.waiting(clock.now())
    assert rows(path, "SELECT number FROM messages") == []


def test_an_order_waits_for_the_radio_and_stays_in_the_log(
    start: Open, path: str, clock: ManualClock
) -> None:
    store = start()
    number = foreign_file.order(
        path, "ada", "box 1, district 113", "mode emergency", b"\x2a\x00", clock.now(), lasts_s=600
    )

    (waiting,) = store.waiting(clock.now())
    assert (waiting.number, waiting.by, waiting.payload) == (number, "ada", b"\x2a\x00")
    store.mark(number, "sent", clock.now() + 2)

    assert store.waiting(clock.now()) == []
    db = foreign_file.open_for_reading(path)
    assert db is not None
    with closing(db):
        (logged,) = foreign_file.orders(db)
    assert (logged.state, logged.state_at, logged.what) == (
        "sent", clock.now() + 2, "mode emergency",
    )  # fmt: skip


@pytest.mark.parametrize("later_s", [601.0, -100_000.0])
def test_an_order_that_nobody_expects_any_more_is_not_sent(
    start: Open, path: str, clock: ManualClock, later_s: float
) -> None:
    """The radio came back after hours, or the clock was set back by a day."""
    store = start()
    foreign_file.order(path, "ada", "box 1", "router off", b"\x2a", clock.now(), lasts_s=600)

    assert store.waiting(clock.now() + later_s) == []
    assert rows(path, "SELECT state FROM orders") == [("expired",)]


def test_a_card_that_takes_nothing_stops_nobody_from_listening(
    start: Open, path: str, clock: ManualClock
) -> None:
    store = start()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        store._db.execute("PRAGMA busy_timeout = 1")
        other.execute("BEGIN IMMEDIATE")
        assert store.heard(CORE, 1, -92, 6.0, clock.now()).is_new
        with pytest.raises(StoreError):
            store.flush()
        other.execute("COMMIT")
    clock.advance(60)

    store.heard(CORE, 1, -92, 6.0, clock.now())

    assert rows(path, "SELECT messages FROM nodes") == [(2,)]


def test_a_damaged_file_is_put_aside_and_the_radio_goes_on(
    start: Open, path: str, clock: ManualClock
) -> None:
    Path(path).write_bytes(b"no database at all, " * 400)

    start().heard(CORE, 1, -92, 6.0, clock.now())

    assert rows(path, "SELECT node FROM nodes") == [(1,)]
    assert Path(f"{path}.damaged").read_bytes().startswith(b"no database")


@pytest.mark.parametrize("text", ["", "[]", "{", json.dumps({"neighbours": []})])
def test_a_view_that_is_half_written_or_foreign_is_an_empty_one(tmp_path: Path, text: str) -> None:
    (tmp_path / foreign_file.FILE).write_text(text)

    assert shown(tmp_path) == {"neighbours": [], "distress": []}


def test_a_node_that_is_killed_knows_its_neighbours_again(path: str, clock: ManualClock) -> None:
    """A new neighbour and a cry for help, then kill -9 with both still open."""
    program = (
        "import sys, time\n"
        "from kiezbox.clock import SystemClock\n"
        "from kiezbox.store.foreign import ForeignStore\n"
        f"store = ForeignStore({path!r}, SystemClock())\n"
        f"store.heard(bytes.fromhex({CORE.hex()!r}), 1, -92, 6.25, 1780000000.0)\n"
        "print('heard', flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as node:
        try:
            assert node.stdout is not None
            assert select.select([node.stdout], [], [], 30)[0], "nothing heard within 30 s"
            assert node.stdout.readline() == b"heard\n"
        finally:
            node.kill()

    store = ForeignStore(path, clock)
    store.close()

    assert rows(path, "SELECT node, messages FROM nodes") == [(1, 1)]
