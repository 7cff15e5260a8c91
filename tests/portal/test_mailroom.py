"""The mailroom: one transaction for many letters, nobody told too early, a queue with an end."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from street import wait_for

from kiezbox.clock import ManualClock
from kiezbox.portal.answered import Answer
from kiezbox.portal.asking import Job
from kiezbox.portal.mailroom import MOST_OF_GUEST, MOST_SLOW, MOST_WAITING, Mailroom
from kiezbox.portal.prepared import Wire
from kiezbox.store.log import Draft, Log

BOX = "kb-musterplatz-1"
LIMIT_S = 30


class Visit:
    """Of the responder's visits: who it is, and whether it is one of many."""

    def __init__(self, client: str = "10.42.0.7", *, most: int = 16) -> None:
        self.client = self.key = client
        self.party = self
        self.most = most


class Hall:
    """In the responder's place: it is rung for, and hears the answers."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.answers: dict[Any, Wire | int] = {}
        #: What a stranger reads in the file at the moment an answer is given.
        self.stored: dict[Any, list[str]] = {}
        self.bell = threading.Event()
        self.room: Mailroom

    def ring(self) -> None:
        self.bell.set()

    def forget(self) -> None:
        """Pages that were kept."""

    def answer(self, visit: Any, wire: Wire | int) -> None:
        self.answers[visit] = wire
        self.stored[visit] = stored(self.path)

    def wait(self, count: int) -> None:
        def is_done() -> bool:
            self.room.go_on()
            return len(self.answers) >= count

        wait_for(is_done, f"{count} answers")

    def said(self, visit: Any) -> str | int:
        wire = self.answers[visit]
        return wire if isinstance(wire, int) else wire.whole.partition(b"\r\n\r\n")[2].decode()


def stored(path: str) -> list[str]:
    db = sqlite3.connect(path)
    try:
        return [text for (text,) in db.execute("SELECT text FROM things ORDER BY sequence")]
    finally:
        db.close()


def posting(text: str) -> Job:
    def work(log: Log) -> Answer:
        log.add(Draft(kind="post", fields={"topic": 0, "text": text}))
        return Answer(200, text.encode(), "text/plain")

    return Job(work)


@pytest.fixture
def path(tmp_path: Path) -> str:
    log = Log.open(str(tmp_path / "words.db"), ManualClock(), box=BOX)
    log.close()
    return log.path


@pytest.fixture
def hall(path: str) -> Iterator[Hall]:
    made = Hall(path)
    made.room = Mailroom(made, lambda: Log.open(path, ManualClock()))  # type: ignore[arg-type]
    yield made


@pytest.fixture
def held(hall: Hall) -> Iterator[Callable[[], None]]:
    """Another process holds the log, until this is called: letters pile up."""
    holder = sqlite3.connect(hall.path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")

    def let_go() -> None:
        if holder.in_transaction:
            holder.execute("ROLLBACK")

    yield let_go
    let_go()
    holder.close()


def test_an_answer_comes_when_its_letter_is_stored(hall: Hall) -> None:
    visits = [Visit(f"10.42.0.{number}") for number in range(20)]

    for number, visit in enumerate(visits):
        assert hall.room.ask(visit, posting(f"Nummer {number}"))  # type: ignore[arg-type]
    hall.wait(20)

    for number, visit in enumerate(visits):
        assert hall.said(visit) == f"Nummer {number}"
        assert f"Nummer {number}" in hall.stored[visit]


def test_letters_that_came_meanwhile_go_into_one_transaction(
    hall: Hall, held: Callable[[], None]
) -> None:
    counted = sqlite3.connect(hall.path)
    before = counted.execute("PRAGMA data_version").fetchone()
    visits = [Visit(f"10.42.1.{number}") for number in range(60)]
    for number, visit in enumerate(visits):
        hall.room.ask(visit, posting(f"Nummer {number}"))  # type: ignore[arg-type]

    held()
    hall.wait(60)

    sizes = sorted({len(hall.stored[visit]) for visit in visits})
    assert len(sizes) <= 3, "more transactions than the first one's and the rest's"
    assert counted.execute("PRAGMA data_version").fetchone() != before
    counted.close()


def test_a_letter_that_fails_costs_none_of_the_others(
    hall: Hall, capsys: pytest.CaptureFixture[str]
) -> None:
    def work(log: Log) -> Answer:
        log.add(Draft(kind="post", fields={"topic": 0, "text": "Halb"}))
        raise ZeroDivisionError

    good, bad, late = Visit(), Visit(), Visit()
    for visit, job in ((good, posting("Davor")), (bad, Job(work)), (late, posting("Danach"))):
        hall.room.ask(visit, job)  # type: ignore[arg-type]
    hall.wait(3)

    assert (hall.said(good), hall.said(bad), hall.said(late)) == ("Davor", 500, "Danach")
    assert stored(hall.path) == ["Davor", "Danach"]
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_where_the_card_does_not_take_it_nobody_is_told_that_it_did(
    hall: Hall, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(log: Log) -> Answer:
        # As on a full card: SQLite takes back the whole transaction and says so.
        log._db.execute("ROLLBACK")
        raise sqlite3.OperationalError("database or disk is full")

    visits = [Visit(f"10.42.0.{number}") for number in range(3)]
    for visit, job in zip(visits, (posting("Davor"), Job(full), posting("Danach")), strict=True):
        hall.room.ask(visit, job)  # type: ignore[arg-type]
    hall.wait(3)

    said = [hall.said(visit) for visit in visits]
    assert stored(hall.path) == [each for each in said if isinstance(each, str)]
    assert said[1] == 503
    assert capsys.readouterr().err.count("Traceback") == 0

    again = Visit()
    hall.room.ask(again, posting("Wieder"))  # type: ignore[arg-type]
    hall.wait(4)
    assert hall.said(again) == "Wieder"


def test_without_a_log_nobody_is_told_that_anything_is_stored_and_it_is_said_once(
    tmp_path: Path, path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    hall, clock = Hall(path), ManualClock()
    there = [str(tmp_path / "none.db")]
    hall.room = Mailroom(hall, lambda: Log.open(there[0], clock))  # type: ignore[arg-type]
    visits = [Visit(f"10.42.0.{number}") for number in range(3)]
    for number, visit in enumerate(visits):
        hall.room.ask(visit, posting("Zu früh"))  # type: ignore[arg-type]
        hall.wait(number + 1)

    assert [hall.said(visit) for visit in visits] == [503, 503, 503]
    assert capsys.readouterr().err.count("no log of words") == 1

    there[0] = path
    late = Visit()
    hall.room.ask(late, posting("Jetzt"))  # type: ignore[arg-type]
    hall.wait(4)
    assert hall.said(late) == "Jetzt"


def test_who_finds_the_queue_full_is_told_at_once(hall: Hall, held: Callable[[], None]) -> None:
    asked = [
        hall.room.ask(Visit(f"10.42.{n // 100}.{n % 100}"), posting(str(n)))  # type: ignore[arg-type]
        for n in range(MOST_WAITING + 5)
    ]

    assert asked == [True] * MOST_WAITING + [False] * 5

    held()
    hall.wait(MOST_WAITING)
    assert hall.room.ask(Visit(), posting("Danach"))  # type: ignore[arg-type]
    hall.wait(MOST_WAITING + 1)


def test_who_sends_and_hangs_up_again_and_again_fills_its_own_share_alone(
    hall: Hall, held: Callable[[], None]
) -> None:
    taken = 0
    for _ in range(100):
        visit = Visit("10.42.0.66")
        taken += hall.room.ask(visit, posting("Flut"))  # type: ignore[arg-type]
        hall.room.forget(visit)  # type: ignore[arg-type]

    assert taken == MOST_OF_GUEST
    assert hall.room.ask(Visit("10.42.0.7"), posting("Nachbarin"))  # type: ignore[arg-type]
    held()
    hall.wait(1)
    # It was sent, and whoever sent it may have lost the WLAN only.
    assert stored(hall.path).count("Flut") == MOST_OF_GUEST


def test_what_runs_on_the_box_itself_speaks_for_many(hall: Hall, held: Callable[[], None]) -> None:
    asked = [hall.room.ask(Visit("127.0.0.1", most=0), posting("x")) for _ in range(50)]  # type: ignore[arg-type]

    assert all(asked)
    held()
    hall.wait(50)


def test_what_must_be_reckoned_first_holds_up_nobody_else_and_its_line_is_short(
    hall: Hall,
) -> None:
    go_on = threading.Event()

    def prepare() -> str:
        go_on.wait(LIMIT_S)
        return "Gerechnetes"

    def work(log: Log, prepared: str) -> Answer:
        return posting(prepared).work(log)

    slow = [Visit(f"10.42.0.{number}") for number in range(MOST_SLOW)]
    assert all(hall.room.ask(visit, Job(work, prepare)) for visit in slow)  # type: ignore[arg-type]
    assert not hall.room.ask(Visit("10.42.0.99"), Job(work, prepare))  # type: ignore[arg-type]
    quick = Visit()
    hall.room.ask(quick, posting("Schnelles"))  # type: ignore[arg-type]
    hall.wait(1)
    assert hall.said(quick) == "Schnelles"

    go_on.set()
    hall.wait(1 + MOST_SLOW)

    assert {hall.said(visit) for visit in slow} == {"Gerechnetes"}


def test_a_reckoning_that_fails_is_told_and_the_next_one_goes_on(
    hall: Hall, capsys: pytest.CaptureFixture[str]
) -> None:
    def failing() -> str:
        raise ZeroDivisionError

    def work(log: Log, prepared: str) -> Answer:
        return posting(prepared).work(log)

    bad, good = Visit(), Visit()
    hall.room.ask(bad, Job(work, failing))  # type: ignore[arg-type]
    hall.room.ask(good, Job(work, lambda: "Gutes"))  # type: ignore[arg-type]
    hall.wait(2)

    assert (hall.said(bad), hall.said(good)) == (503, "Gutes")
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_a_damaged_log_is_mended_and_the_letter_sent_again_is_stored(
    hall: Hall, capsys: pytest.CaptureFixture[str]
) -> None:
    first = Visit()
    hall.room.ask(first, posting("Davor"))  # type: ignore[arg-type]
    hall.wait(1)
    db = sqlite3.connect(hall.path)
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    data = bytearray(Path(hall.path).read_bytes())
    data[:4096] = b"\xaa" * 4096
    with open(hall.path, "r+b") as file:
        file.write(data)
    told: list[str | int] = []

    def is_stored() -> bool:
        visit = Visit()
        hall.room.ask(visit, posting("Danach"))  # type: ignore[arg-type]
        hall.wait(len(hall.answers) + 1)
        told.append(hall.said(visit))
        return told[-1] == "Danach"

    wait_for(is_stored, "a letter that is stored")

    assert set(told) <= {"Danach", 503}
    assert stored(hall.path)[:1] == ["Davor"]
    assert "Danach" in stored(hall.path)
    capsys.readouterr()
