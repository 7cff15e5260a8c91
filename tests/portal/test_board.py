"""The neighbours' board, as a resident uses it: without script, cookie or account."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from residents import Resident
from street import Portal, portal

from kiezbox.clock import SystemClock
from kiezbox.store.log import Log


@pytest.fixture
def served(box: Path) -> Iterator[Portal]:
    words = str(box / "words" / "words.db")
    Log.open(words, SystemClock(), box="kb-musterplatz-1").close()
    with portal(box, "--secrets", str(box)) as found:
        yield found


def test_what_a_neighbour_writes_stands_on_the_board_as_it_was_written(served: Portal) -> None:
    neighbour = Resident(served.port)
    neighbour.open("/de/board/write")

    page = neighbour.send("/de/board", topic="0", text="Suche <b>Kerzen</b>")

    assert page.status == 200
    assert "Suche &lt;b&gt;Kerzen&lt;/b&gt;" in page.text


def test_a_form_sent_twice_is_one_post(served: Portal) -> None:
    neighbour = Resident(served.port)
    token = neighbour.open("/de/board/write").token

    for _ in range(2):
        page = neighbour.send("/de/board", token=token, topic="1", text="Biete Suppe")

    assert page.text.count("Biete Suppe") == 1


def test_a_form_without_the_guests_own_token_is_not_taken(served: Portal) -> None:
    neighbour, stranger = Resident(served.port), Resident(served.port, address="127.0.0.3")
    token = neighbour.open("/de/board/write").token
    stranger.open("/de/board/write")

    stranger.send("/de/board", token=token, topic="2", text="Nicht von mir")

    assert "Nicht von mir" not in neighbour.open("/de/board").text
