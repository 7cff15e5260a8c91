"""Refusals: calm, short, in six languages, soon; and a flood of forms keeps nobody from reading."""

from __future__ import annotations

import select
import socket
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import html5lib
import pytest
from residents import Resident
from street import LIMIT_S, Portal, portal, read_all, split

from kiezbox.clock import SystemClock
from kiezbox.i18n import entries_of
from kiezbox.portal.mailroom import MOST_WAITING
from kiezbox.portal.prepared import SORRY_IN, refusal
from kiezbox.store.log import Log

#: More than the mailroom takes, fewer than the hall holds.
FLOOD = 450

KEYS = {503: "busy", 504: "unsure", 408: "slow", 413: "long", 431: "long", 400: "failed"}


@pytest.fixture
def served(box: Path) -> Iterator[Portal]:
    Log.open(str(box / "words" / "words.db"), SystemClock(), box="kb-musterplatz-1").close()
    with portal(box, "--secrets", str(box)) as found:
        yield found


@pytest.mark.parametrize("status", KEYS)
def test_a_refusal_says_in_six_languages_what_to_do_and_weighs_little(status: int) -> None:
    found, headers, body = split(refusal(status))

    assert found == status
    assert len(refusal(status)) < 2500
    assert headers["connection"] == "close"
    assert headers["content-security-policy"].startswith("default-src 'none'")
    document = html5lib.parse(body, namespaceHTMLElements=False)
    said = {p.get("lang"): p.text for p in document.iter("p") if p.get("lang")}
    assert said == {each: entries_of(each, "sorry")[KEYS[status]] for each in SORRY_IN}
    assert [p.get("dir") for p in document.iter("p") if p.get("lang") == "ar"] == ["rtl"]
    assert [a.get("href") for a in document.iter("a")] == ["/"]


def test_a_browser_is_told_when_to_come_back() -> None:
    assert split(refusal(503))[1]["retry-after"] == "60"


def test_a_form_that_is_too_long_is_told_so(served: Portal) -> None:
    with served.connect() as connection:
        connection.sendall(
            b"POST /de/board HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 20000\r\n\r\n"
        )
        status, _, body = split(read_all(connection))

    assert status == 413
    assert entries_of("de", "sorry")["long"] in body.decode()


def _forms(served: Portal, count: int) -> dict[int, tuple[socket.socket, bytes]]:
    """Connections of one computer that speaks for many, and a form for each."""
    page = Resident(served.port, address="127.0.0.1").open("/de/board/write")
    made = {}
    for number in range(count):
        form = {"token": page.token, "topic": "1", "hours": "24", "text": f"Suppe, Topf {number}"}
        body = urlencode(form).encode()
        head = (
            "POST /de/board HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        connection = served.connect(LIMIT_S)
        made[connection.fileno()] = connection, head.encode() + body
    return made


def test_in_a_flood_of_forms_whoever_comes_in_vain_hears_it_first_and_a_reader_waits_for_none(
    served: Portal, box: Path
) -> None:
    # One of each first, so that what is loaded at the first one is there.
    Resident(served.port, address="127.0.0.1").open("/de")
    holder = sqlite3.connect(box / "words" / "words.db", isolation_level=None)
    forms = _forms(served, FLOOD)
    # Another process holds the log: nothing is stored meanwhile.
    holder.execute("BEGIN IMMEDIATE")
    poll, answered = select.epoll(), Counter[int]()
    for file, (connection, whole) in forms.items():
        connection.sendall(whole)
        poll.register(file, select.EPOLLIN)
    until = time.monotonic() + LIMIT_S
    while answered[503] < FLOOD - MOST_WAITING and time.monotonic() < until:
        for file, _ in poll.poll(1.0):
            answered[split(read_all(forms[file][0]))[0]] += 1
            poll.unregister(file)

    assert answered == {503: FLOOD - MOST_WAITING}
    assert served.ask("/de")[0] == 200

    holder.execute("ROLLBACK")
    holder.close()
    while answered[200] < MOST_WAITING and time.monotonic() < until:
        for file, _ in poll.poll(1.0):
            answered[split(read_all(forms[file][0]))[0]] += 1
            poll.unregister(file)
    for connection, _ in forms.values():
        connection.close()

    assert answered == {503: FLOOD - MOST_WAITING, 200: MOST_WAITING}
    db = sqlite3.connect(box / "words" / "words.db")
    assert db.execute("SELECT count(*) FROM things WHERE kind = 7").fetchone() == (MOST_WAITING,)
    db.close()
