"""What the portal reads of the log of words is what the log says, whatever became of the file."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from kiezbox.clock import ManualClock
from kiezbox.portal import shown
from kiezbox.portal.shown import Shown
from kiezbox.records import KINDS, Ref, Thing
from kiezbox.records.folds import fold
from kiezbox.store import log_reading
from kiezbox.store.log import Draft, Log

BOX = "kb-musterplatz-1"
NOW = 1_780_000_000.0


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    opened = Log.open(str(tmp_path / "words.db"), ManualClock(NOW), box=BOX)
    for number in range(5):
        opened.add(
            Draft(kind="post", fields={"topic": number % 3, "text": f"Nummer {number} 🕯 \u200f<b>"})
        )
    opened.add(Draft(kind="bulletin", fields={"text": "Wasser", "severity": 2}))
    yield opened
    opened.close()


def as_thing(seen: shown.Seen) -> Thing:
    named = {field.name: getattr(seen, field.name) for field in fields(Thing)}
    return Thing(**{**named, "is_hidden": bool(seen.is_hidden)})


def test_the_kinds_numbers_are_those_of_the_records() -> None:
    with_pages = {number: kind.name for number, kind in KINDS.items() if kind.name in shown.KINDS}

    assert {number: name for name, number in shown.KINDS.items()} == with_pages
    assert not [kind.name for kind in KINDS.values() if kind.changes and kind.name in shown.KINDS]


def test_the_columns_are_those_of_the_log_and_of_a_thing() -> None:
    assert shown._COLUMNS == log_reading.THING_COLUMNS
    assert shown._COLUMNS.split(", ") == [field.name for field in fields(Thing)]


def test_what_is_shown_is_what_the_log_says(log: Log) -> None:
    view = Shown(log.path)

    assert [as_thing(each) for each in view.things("post", NOW)] == log.things("post")
    assert [as_thing(each) for each in view.things("bulletin", NOW)] == log.things("bulletin")
    (seek,) = (view.things("post", NOW, topic="offer", limit=1),)
    assert [each.topic for each in seek] == ["offer"]
    assert view.count("post", NOW) == 5
    assert view.count("post", NOW, topic="info") == 1
    found = view.thing(f"{BOX}.3")
    assert found is not None and as_thing(found) == log.thing(Ref(BOX, 3))


@pytest.mark.parametrize("name", ["", ".", "x", f"{BOX}.", f"{BOX}.x", f"{BOX}.99", "x.1", ".1",
                                  f"{BOX}.{'9' * 40}", f"{BOX}.²"])  # fmt: skip
def test_a_name_that_is_none_finds_nothing(log: Log, name: str) -> None:
    assert Shown(log.path).thing(name) is None


def test_what_has_expired_is_not_shown(log: Log) -> None:
    assert Shown(log.path).things("post", NOW + 2 * 86400) == []


def test_without_a_log_there_is_nothing_and_then_there_is(tmp_path: Path) -> None:
    view = Shown(str(tmp_path / "later.db"))
    assert (view.things("post", NOW), view.count("post", NOW)) == ([], 0)
    assert view.rows("SELECT 1") is None

    log = Log.open(view.path, ManualClock(NOW), box=BOX)
    log.add(Draft(kind="post", fields={"topic": 0, "text": "Da"}))

    assert [each.text for each in view.things("post", NOW)] == ["Da"]
    log.close()


def test_a_log_that_was_replaced_is_seen_at_once(log: Log, tmp_path: Path) -> None:
    view = Shown(log.path)
    assert len(view.things("post", NOW)) == 5
    other = Log.open(str(tmp_path / "other.db"), ManualClock(NOW), box=BOX)
    other.add(Draft(kind="post", fields={"topic": 0, "text": "Aus der Sicherung"}))
    other.close()
    log.close()

    os.rename(other.path, log.path)
    for side in ("-wal", "-shm"):
        Path(log.path + side).unlink(missing_ok=True)

    assert [each.text for each in view.things("post", NOW)] == ["Aus der Sicherung"]


def test_a_log_that_somebody_holds_costs_a_moment_and_the_words(log: Log) -> None:
    log.close()
    holder = sqlite3.connect(log.path, isolation_level=None)
    # As while a log is being mended.
    holder.execute("PRAGMA locking_mode = EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")

    assert Shown(log.path).rows("SELECT count(*) FROM things") is None

    holder.close()
    assert Shown(log.path).rows("SELECT count(*) FROM things") == [(6,)]


def test_a_damaged_log_costs_the_words_and_nothing_else(log: Log) -> None:
    log.close()
    Path(log.path).write_bytes(b"\xaa" * 20000)

    assert Shown(log.path).things("post", NOW) == []


def test_several_threads_look_at_once(log: Log) -> None:
    view, seen = Shown(log.path), []

    def look() -> None:
        seen.extend(len(view.things("post", NOW)) for _ in range(50))

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert seen == [5] * 200


def test_without_rights_in_the_folder_and_a_writer_the_log_is_read_all_the_same(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may do everything, so SQLite is made to say what it says to others."""
    log.close()
    folder = Path(log.path).parent
    read_only = folder / "ro"
    read_only.mkdir()
    os.rename(log.path, read_only / "words.db")
    before = sorted(each.name for each in read_only.iterdir())
    connect = shown._sqlite3.connect

    def without_rights(address: str, **more: object) -> object:
        if "immutable" not in address:
            raise shown._sqlite3.OperationalError("unable to open database file")
        return connect(address, **more)

    monkeypatch.setattr(shown._sqlite3, "connect", without_rights)

    assert len(Shown(str(read_only / "words.db")).things("post", NOW)) == 5
    assert sorted(each.name for each in read_only.iterdir()) == before


def test_every_kind_that_can_be_shown_has_a_fold() -> None:
    missing = []
    for kind in KINDS.values():
        if kind.name in shown.KINDS:
            try:
                __import__(f"kiezbox.records.folds.{kind.name}")
            except ImportError:
                missing.append(kind.name)

    assert missing == []
    assert fold
