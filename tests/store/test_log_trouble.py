"""The log of words on bad cards: damaged, full, read-only, replaced; and with other processes."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cards import SmallCard, small_card
from telling import BOX, open_log, post, texts

from kiezbox.clock import ManualClock
from kiezbox.errors import StoreError, StoreFull, StoreReadOnly
from kiezbox.store import log_file, log_mending
from kiezbox.store.log import Draft, Log, NotStored

PAGE = 4096
LIMIT_S = 60


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a log with three hundred posts, closed."""
    folder = tmp_path_factory.mktemp("log")
    log = open_log(folder, ManualClock())
    with log.group():
        for number in range(300):
            log.add(post(f"Nummer {number:03} {'x' * (number % 90)}"))
    log._db.execute("INSERT INTO switches VALUES ('exercise', 1)")
    log.close()
    return folder


@pytest.fixture
def path(made: Path, tmp_path: Path) -> Path:
    """A copy of that log."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return tmp_path / "words" / "words.db"


def mended(path: Path, clock: ManualClock, *, box: str = "") -> Log:
    """Open it and look after it as the node does: damage is met, and the next try goes well."""
    log = Log.open(str(path), clock, box=box)
    for _ in range(3):
        try:
            log.erase()
            log.add(post("Danach"))
            break
        except StoreError:
            continue
    return log


# --- damage -------------------------------------------------------------------------------------


def bad_header(data: bytearray) -> None:
    data[:100] = bytes(100)


def bad_schema(data: bytearray) -> None:
    data[100:PAGE] = b"\xaa" * (PAGE - 100)


def one_zero_page(data: bytearray) -> None:
    middle = len(data) // PAGE // 2 * PAGE
    data[middle : middle + PAGE] = bytes(PAGE)


def cut_in_half(data: bytearray) -> None:
    del data[len(data) // 2 // PAGE * PAGE + 700 :]


def flipped_bits(data: bytearray) -> None:
    dice = random.Random(5)
    for _ in range(60):
        data[dice.randrange(PAGE, len(data))] ^= 1 << dice.randrange(8)


@pytest.mark.parametrize(
    ("spoil", "least"),
    [(bad_header, 280), (bad_schema, 300), (one_zero_page, 250), (cut_in_half, 50),
     (flipped_bits, 200)],
    ids=lambda each: getattr(each, "__name__", None),
)  # fmt: skip
def test_a_damaged_log_is_put_aside_and_what_can_be_read_of_it_goes_on(
    path: Path, clock: ManualClock, spoil: Callable[[bytearray], None], least: int
) -> None:
    data = bytearray(path.read_bytes())
    spoil(data)
    path.write_bytes(data)

    log = mended(path, clock)

    found = texts(log)
    assert len([text for text in found if text.startswith("Nummer")]) >= least
    assert "Danach" in found
    assert log.box == BOX
    assert log._read("PRAGMA integrity_check") == [("ok",)]
    if spoil is not flipped_bits:  # Those may all have hit texts.
        assert list(path.parent.glob("words.db.damaged-*"))
    log.close()


def test_after_damage_no_number_is_given_a_second_time(path: Path, clock: ManualClock) -> None:
    data = bytearray(path.read_bytes())
    cut_in_half(data)
    path.write_bytes(data)

    log = mended(path, clock)

    newest = log.things("post", limit=1)[0]
    assert newest.text == "Danach"
    assert newest.sequence > 300
    assert log.after(300)[0][0] > 300
    log.close()


def test_switches_and_keys_survive_a_bad_header(path: Path, clock: ManualClock) -> None:
    data = bytearray(path.read_bytes())
    bad_header(data)
    path.write_bytes(data)

    log = mended(path, clock)

    assert log._read("SELECT * FROM switches") == [("exercise", 1)]
    log.close()


def test_what_stood_in_the_wal_alone_is_read_from_there(path: Path, clock: ManualClock) -> None:
    log = Log.open(str(path), clock)
    log.add(post("Nur im WAL"))
    data = bytearray(path.read_bytes())
    bad_header(data)
    os.write(fd := os.open(path, os.O_WRONLY), data)
    os.close(fd)

    other = mended(path, clock)

    assert "Nur im WAL" in texts(other)
    other.close()
    log.close()


def test_an_empty_file_where_the_log_was_is_damage(path: Path, clock: ManualClock) -> None:
    path.write_bytes(b"")

    log = Log.open(str(path), clock)

    assert texts(log) == []
    assert log.add(post())[0].ref.sequence > 300
    log.close()


@pytest.mark.parametrize("content", [b"An ordinary text.\n" * 1000, None], ids=["text", "database"])
def test_a_foreign_file_is_left_alone(
    tmp_path: Path, clock: ManualClock, content: bytes | None
) -> None:
    foreign = tmp_path / "words.db"
    if content is None:
        db = sqlite3.connect(foreign)
        db.execute("CREATE TABLE recipes (name TEXT)")
        db.close()
        content = foreign.read_bytes()
    foreign.write_bytes(content)

    with pytest.raises(StoreError, match="not Kiezbox's log"):
        Log.open(str(foreign), clock, box=BOX)

    assert foreign.read_bytes() == content
    assert [each.name for each in tmp_path.iterdir()] == ["words.db"]


def test_two_processes_that_meet_the_same_damage_mend_it_once(
    path: Path, clock: ManualClock
) -> None:
    data = bytearray(path.read_bytes())
    bad_header(data)
    path.write_bytes(data)
    program = (
        "import sys; from kiezbox.clock import ManualClock; from kiezbox.store.log import *\n"
        "log = Log.open(sys.argv[1], ManualClock())\n"
        "log.add(Draft(kind='post', fields={'topic': 0, 'text': sys.argv[2]}))"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", program, str(path), f"Prozess {number}"])
        for number in range(4)
    ]

    assert [each.wait(LIMIT_S) for each in running] == [0, 0, 0, 0]

    log = Log.open(str(path), clock)
    found = texts(log)
    assert sorted(text for text in found if text.startswith("Prozess")) == [
        f"Prozess {number}" for number in range(4)
    ]
    assert len(found) >= 284
    assert len(list(path.parent.glob("words.db.damaged-*"))) == 1
    log.close()


@pytest.mark.parametrize("moment", ["made", "rename", "share"])
def test_a_mending_that_a_power_cut_ends_is_finished_by_whoever_comes_next(
    path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    data = bytearray(path.read_bytes())
    bad_header(data)
    path.write_bytes(data)

    class Cut(BaseException):
        pass

    def cut(*_: object) -> None:
        raise Cut

    with monkeypatch.context() as patched:
        if moment == "rename":
            rename = os.rename
            patched.setattr(
                os, "rename", lambda a, b: cut() if str(a).endswith(".new") else rename(a, b)
            )
        else:
            patched.setattr(log_file, moment, cut)
        with pytest.raises(Cut):
            Log.open(str(path), clock)

    log = Log.open(str(path), clock)

    assert len(texts(log)) >= 280
    log.close()


# --- another file -------------------------------------------------------------------------------


def test_a_log_that_was_replaced_under_a_writer_gets_what_it_writes_next(
    path: Path, clock: ManualClock, tmp_path: Path
) -> None:
    log = Log.open(str(path), clock)
    other = open_log(tmp_path / "other", clock)
    other.add(post("Aus der Sicherung"))
    other.close()
    os.rename(other.path, path)
    for side in ("-wal", "-shm"):
        Path(f"{path}{side}").unlink(missing_ok=True)

    log.add(post("Danach"))

    assert sorted(texts(log)) == ["Aus der Sicherung", "Danach"]
    log.close()


def test_what_was_written_into_a_file_that_was_just_put_aside_is_not_called_stored(
    path: Path, clock: ManualClock
) -> None:
    log = Log.open(str(path), clock)

    with pytest.raises(StoreError, match="replaced"), log.group():
        log.add(post("Zu spät"))
        os.rename(path, f"{path}.elsewhere")

    log.close()


def test_a_connection_whose_transaction_was_never_ended_is_not_trusted(
    path: Path, clock: ManualClock
) -> None:
    log = Log.open(str(path), clock)
    log._db.execute("BEGIN")

    log.add(post("Danach"))

    other = Log.open(str(path), clock)
    assert "Danach" in texts(other)
    other.close()
    log.close()


def test_whoever_waits_too_long_for_another_writer_is_told_so(
    path: Path, clock: ManualClock
) -> None:
    log = Log.open(str(path), clock)
    log._db.execute("PRAGMA busy_timeout = 20")
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")

    with pytest.raises(StoreError, match="locked"):
        log.add(post("Zu spät"))
    holder.execute("ROLLBACK")
    holder.close()

    log.add(post("Danach"))
    assert "Zu spät" not in texts(log)
    log.close()


# --- the card -----------------------------------------------------------------------------------


@pytest.fixture
def sd(tmp_path: Path) -> Iterator[SmallCard]:
    with small_card(tmp_path) as made:
        yield made


def test_on_a_full_card_nothing_is_confirmed_and_all_goes_on_when_there_is_room(
    sd: SmallCard, clock: ManualClock
) -> None:
    log = open_log(sd.mount, clock)
    log.add(post("Davor"))
    sd.fill()
    kept = 0

    with pytest.raises((StoreFull, StoreReadOnly)):
        for _ in range(2000):
            log.add(post("x" * 1000))
            kept += 1
    (sd.mount / "ballast").unlink()
    log.add(post("Danach"))

    found = texts(log)
    assert {"Davor", "Danach"} <= set(found)
    assert len(found) == kept + 2
    log.close()


def test_on_a_full_card_a_group_is_stored_as_a_whole_or_not_at_all(
    sd: SmallCard, clock: ManualClock
) -> None:
    log = open_log(sd.mount, clock)
    log.add(post("Davor"))
    sd.fill()
    stored, refused = [], False
    for number in range(400):
        group = [f"{number}/{each} {'x' * 700}" for each in range(5)]
        try:
            with log.group():
                for text in group:
                    with log.undoing():
                        log.add(post(text))
            stored += group
        except StoreError:
            refused = True
    (sd.mount / "ballast").unlink()

    assert refused
    assert sorted(texts(log)) == sorted(["Davor", *stored])
    log.close()


def test_a_card_that_became_read_only_is_read_and_refuses_words(
    sd: SmallCard, clock: ManualClock
) -> None:
    log = open_log(sd.mount, clock)
    log.add(post("Davor"))
    log.close()
    sd.protect(True)

    with pytest.raises(StoreError):
        log = Log.open(log.path, clock)
        log.add(post("Zu spät"))

    sd.protect(False)
    log = Log.open(log.path, clock)
    assert texts(log) == ["Davor"]
    log.close()


def test_a_transaction_that_sqlite_took_back_takes_the_parts_after_it_along(
    path: Path, clock: ManualClock
) -> None:
    """As on a full card, where SQLite rolls back by itself (sqlite.org/lang_transaction.html)."""
    log = Log.open(str(path), clock)

    with pytest.raises(StoreError), log.group():
        with pytest.raises(NotStored), log.undoing():
            log.add(post("Erster"))
            log._db.execute("ROLLBACK")
            raise sqlite3.OperationalError("database or disk is full")
        with log.undoing():
            log.add(post("Zweiter"))

    assert not {"Erster", "Zweiter"} & set(texts(log))
    log.close()


# --- rights and places --------------------------------------------------------------------------


def test_where_a_group_may_write_into_the_folder_it_may_write_the_log(
    tmp_path: Path, clock: ManualClock
) -> None:
    folder = tmp_path / "words"
    folder.mkdir()
    os.chmod(folder, 0o2770)
    before = os.umask(0o077)
    try:
        log = open_log(tmp_path, clock)
        log.add(post())
        modes = {each.name: oct(each.stat().st_mode & 0o777) for each in folder.iterdir()}
    finally:
        os.umask(before)

    assert set(modes) == {"words.db", "words.db-wal", "words.db-shm", "words.db.lock"}
    assert set(modes.values()) == {"0o660"}
    log.close()


def test_without_a_log_there_is_none_for_whoever_does_not_know_the_box(
    tmp_path: Path, clock: ManualClock
) -> None:
    with pytest.raises(StoreError, match="no log of words"):
        Log.open(str(tmp_path / "words" / "words.db"), clock)

    assert list(tmp_path.iterdir()) == []


def test_a_log_of_a_newer_kiezbox_is_refused(path: Path, clock: ManualClock) -> None:
    db = sqlite3.connect(path)
    db.execute(f"PRAGMA user_version = {log_file.SCHEMA_VERSION + 1}")
    db.close()

    with pytest.raises(StoreError, match="schema"):
        Log.open(str(path), clock)


def test_a_log_is_read_while_another_thread_writes_a_group(path: Path, clock: ManualClock) -> None:
    log, reader = Log.open(str(path), clock), Log.open(str(path), clock)
    inside, go_on = threading.Event(), threading.Event()

    def write() -> None:
        with log.group():
            log.add(post("Im Entstehen"))
            inside.set()
            go_on.wait(LIMIT_S)

    writer = threading.Thread(target=write)
    writer.start()
    assert inside.wait(LIMIT_S)
    before = texts(reader)
    go_on.set()
    writer.join(LIMIT_S)

    assert "Im Entstehen" not in before
    assert "Im Entstehen" in texts(reader)
    reader.close()
    log.close()


def test_damage_that_cannot_be_mended_is_said_and_closes_nothing_else(
    path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = bytearray(path.read_bytes())
    bad_header(data)
    path.write_bytes(data)

    def no_room(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(log_mending, "_make", no_room)
        with pytest.raises(StoreError):
            Log.open(str(path), clock)

    log = Log.open(str(path), clock)
    assert len(texts(log)) >= 280
    assert log.add(Draft(kind="post", fields={"topic": 0, "text": "?"}))[0].ref.origin == BOX
    log.close()
