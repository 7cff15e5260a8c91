"""Which kept pages are given again while neighbours write, over a real log of words."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from street import now_json, open_store, post, write_facts
from warned import warn

from kiezbox.clock import SystemClock
from kiezbox.portal.forms import Forms
from kiezbox.portal.guests import Guests
from kiezbox.portal.prepared import LOOK_S, Prepared, Wire
from kiezbox.portal.request import Request
from kiezbox.portal.serve import Contents
from kiezbox.portal.sight import Sight
from kiezbox.store.log import Draft, Log

BOX = "kb-musterplatz-1"


class Reader:
    """Whoever asks for pages, by their own clock, which stands unless it is told to go on."""

    def __init__(self, folder: Path) -> None:
        sight = Sight(str(folder / "run"), str(folder / "kiezbox.db"))
        self.prepared = Prepared(Contents(sight, Guests(), Forms(b"secret")))
        self.now = 1000.0

    def given(self, path: str) -> Wire:
        """The page, kept or made."""
        self.now += LOOK_S
        self.prepared.look(self.now)
        request = Request("GET", "localhost", path, "", {})
        wire = self.prepared.find(request, self.now) or self.prepared.make(request, self.now)
        assert isinstance(wire, Wire)
        return wire


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    write_facts(tmp_path / "run", now_json())
    post(tmp_path, "Warmer Raum: Turnhalle")
    with closing(open_store(tmp_path)):
        yield tmp_path


@pytest.fixture
def reader(folder: Path) -> Reader:
    return Reader(folder)


def open_log(folder: Path) -> Log:
    return Log.open(str(folder / "words" / "words.db"), SystemClock(), box=BOX)


def write(folder: Path, kind: str, **fields: object) -> None:
    with closing(open_log(folder)) as log:
        log.add(Draft(kind=kind, fields=fields))


def test_neighbours_who_write_do_not_make_the_first_page_anew_but_the_boards(
    folder: Path, reader: Reader
) -> None:
    first, board = reader.given("/de"), reader.given("/de/board")

    for number in range(20):
        write(folder, "post", topic=1, text=f"Biete {number} Kerzen")
        reader.prepared.forget()

        assert reader.given("/de") is first
        newer = reader.given("/de/board")
        assert newer is not board
        assert f"Biete {number} Kerzen".encode() in newer.filled(b"")
        board = newer


CHANGES: dict[str, Callable[[Path], object]] = {
    "a bulletin": lambda folder: write(folder, "bulletin", text="Wasser am Platz"),
    "a warning": lambda folder: warn(folder, 1),
    "now.json": lambda folder: write_facts(folder / "run", now_json(mode={"name": "emergency"})),
    "the store": lambda folder: os.utime(folder / "kiezbox.db-wal"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_stands_on_the_first_page_makes_it_anew_at_once(
    folder: Path, reader: Reader, change: str
) -> None:
    first = reader.given("/de")
    assert reader.given("/de") is first

    CHANGES[change](folder)

    newer = reader.given("/de")
    assert newer is not first
    assert reader.given("/de") is newer


def test_a_post_and_a_bulletin_of_one_moment_are_both_seen(folder: Path, reader: Reader) -> None:
    reader.given("/de")
    write(folder, "post", topic=1, text="Biete Kerzen")
    write(folder, "bulletin", text="Wasser am Platz")

    assert b"Wasser am Platz" in reader.given("/de").whole


def test_the_first_page_is_made_anew_when_its_time_is_over_whoever_vouched_for_it(
    folder: Path, reader: Reader
) -> None:
    first = reader.given("/de")
    write(folder, "post", topic=1, text="Biete Kerzen")
    assert reader.given("/de") is first

    reader.now += 1.0

    assert reader.given("/de") is not first


def test_where_nobody_can_say_whether_it_is_still_true_the_first_page_is_made_anew(
    folder: Path, reader: Reader
) -> None:
    first = reader.given("/de")
    words = folder / "words" / "words.db"
    with closing(sqlite3.connect(words)) as db:
        db.execute("DROP TABLE things")

    assert reader.given("/de") is not first
