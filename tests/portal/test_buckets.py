"""A hostile neighbour with a script: what it can fill, what it can break, and who still gets
through.
"""

from __future__ import annotations

import json
import os
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from asking import GUEST
from asking import Portal as Door
from chromium import Chromium
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from residents import Resident
from street import Portal, fresh, outage, portal, read_all, split, wait_for, write_facts

from kiezbox.clock import SystemClock
from kiezbox.portal.answers import ROOMS, answer
from kiezbox.portal.asking import Ask
from kiezbox.portal.buckets import MOST_PARTIES, Buckets, Limits
from kiezbox.portal.gate import ABUSE_FILE, COSTS, VITAL, WITHOUT_TOKEN
from kiezbox.portal.public import voice_of
from kiezbox.portal.request import MOST_BODY, Request
from kiezbox.store import house_rules
from kiezbox.store.log import Draft, Log

FORM = "application/x-www-form-urlencoded"


class Monotonic:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def served(box: Path) -> Iterator[Portal]:
    write_facts(box / "run", fresh(outage()))
    with portal(box, "--secrets", str(box)) as found:
        yield found


def posts(box: Path) -> list[str]:
    log = Log.open(str(box / "words" / "words.db"), SystemClock())
    try:
        return [thing.text for thing in log.things("post", limit=100_000)]
    finally:
        log.close()


def publish(neighbour: Resident, text: str) -> bool:
    neighbour.open("/de/board/write")
    return "Ihr Text hängt jetzt" in neighbour.send("/de/board", topic="0", text=text).text


# --- the buckets themselves ----------------------------------------------------------------------


def test_a_guest_has_its_burst_and_then_what_comes_back() -> None:
    clock = Monotonic()
    buckets = Buckets(Limits(client_burst=30, client_per_minute=3), monotonic=clock)
    spent = 0
    while not buckets.wait_s("10.42.0.7", 3):
        buckets.take("10.42.0.7", 3)
        spent += 3

    assert spent == 30
    assert buckets.wait_s("10.42.0.7", 3) == pytest.approx(60)
    assert buckets.wait_s("10.42.0.8", 3) == 0

    clock.now += 60
    assert buckets.wait_s("10.42.0.7", 3) == 0


def test_65000_addresses_of_one_network_are_one_guest() -> None:
    clock = Monotonic()
    buckets = Buckets(Limits(client_burst=30, network_factor=10), monotonic=clock)
    taken = 0
    for n in range(65_000):
        client = f"fd12:3456:789a:1::{n:x}"
        if not buckets.wait_s(client, 3):
            buckets.take(client, 3)
            taken += 1

    assert taken == 30 * 10 / 3
    assert len(buckets) == 1
    assert buckets.wait_s("fd12:3456:789a:2::1", 3) == 0
    assert buckets.wait_s("10.42.0.7", 3) == 0


def spent_in_a_day(buckets: Buckets, clock: Monotonic, *, is_vital: bool) -> int:
    """Points of one guest who sends whenever it is let."""
    spent = 0
    for _ in range(24 * 60):
        while not buckets.wait_s("10.42.0.7", 1, is_vital=is_vital):
            buckets.take("10.42.0.7", 1)
            spent += 1
        clock.now += 60
    return spent


def test_who_sends_all_day_long_has_what_was_there_and_what_a_day_brings() -> None:
    clock = Monotonic()
    buckets = Buckets(Limits(client_per_day=150), monotonic=clock)

    assert 290 <= spent_in_a_day(buckets, clock, is_vital=False) <= 301
    # Whoever is given the address next is not shut out: a point in ten minutes comes back.
    assert buckets.wait_s("10.42.0.7", 1) <= 600
    assert buckets.wait_s("10.42.0.8", 1) == 0


def test_who_has_used_up_the_day_can_still_ask_for_help_every_ten_minutes() -> None:
    clock = Monotonic()
    buckets = Buckets(Limits(client_per_day=30), monotonic=clock)
    spent_in_a_day(buckets, clock, is_vital=False)

    buckets.take("10.42.0.7", 1)

    assert buckets.wait_s("10.42.0.7", 3) > 600
    assert 0 < buckets.wait_s("10.42.0.7", 1, is_vital=True) <= 600
    clock.now += 600
    assert buckets.wait_s("10.42.0.7", 1, is_vital=True) == 0


def test_guests_without_end_cost_no_memory_without_end() -> None:
    buckets = Buckets(Limits(box_burst=1e6), monotonic=Monotonic())
    for n in range(2 * MOST_PARTIES):
        buckets.take(f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}", 1)

    assert len(buckets) == MOST_PARTIES


def test_a_flood_from_many_addresses_leaves_a_part_for_others_and_the_last_for_help() -> None:
    limits = Limits(client_burst=30, box_burst=1000, box_per_minute=60)
    buckets = Buckets(limits, monotonic=Monotonic())
    flood = [f"10.42.{n >> 8}.{n & 255}" for n in range(1000)]
    for client in flood:
        while not buckets.wait_s(client, 3):
            buckets.take(client, 3)

    # Whoever comes first may still take from the tenth before the last, the flood as well ...
    assert buckets.wait_s("10.43.0.1", 3) > 0
    # ... and nobody but who needs help from the last.
    assert buckets.wait_s("10.43.0.1", 1, is_vital=True) == 0
    assert buckets.wait_s(flood[0], 1, is_vital=True) > 0


def test_what_runs_on_the_box_itself_speaks_for_many() -> None:
    buckets = Buckets(Limits(client_burst=5), monotonic=Monotonic())
    for _ in range(1000):
        buckets.take("127.0.0.1", 3)

    assert buckets.wait_s("127.0.0.1", 3) == 0
    assert len(buckets) == 0


def test_costs_are_of_rooms_that_there_are() -> None:
    assert {*COSTS, *VITAL, *WITHOUT_TOKEN} <= set(ROOMS.values())
    assert ABUSE_FILE == house_rules.FILE


# --- the gate ------------------------------------------------------------------------------------


def test_no_room_takes_a_form_without_a_token(door: Door) -> None:
    for name, room in ROOMS.items():
        if room in WITHOUT_TOKEN:
            continue
        module = __import__("kiezbox.portal.pages", fromlist=[room])
        try:
            module = __import__(f"kiezbox.portal.pages.{room}", fromlist=["send"])
        except ModuleNotFoundError:
            continue
        if not hasattr(module, "send"):
            continue
        request = Request("POST", "", f"/de/{name}", "", {}, body=b"text=Hallo", client="10.42.0.7")

        found = answer(request, door.sight, door.guests, door.forms)

        assert found.job is None, name
        assert found.status == 400, name


def test_who_is_over_it_finds_everything_filled_in_and_when_to_come_back(served: Portal) -> None:
    neighbour = Resident(served.port)
    for n in range(10):
        assert publish(neighbour, f"Nummer {n}")
    neighbour.open("/de/board/write")

    page = neighbour.send("/de/board", topic="2", text='"Elf" <b>\nund mehr', hours="48")

    assert page.status == 429
    assert 0 < int(page.headers["retry-after"]) <= 61
    assert "In etwa 1 Minute geht es weiter" in page.text or "In etwa 2 Minuten" in page.text
    assert "&quot;Elf&quot; &lt;b&gt;\r\nund mehr</textarea>" in page.text.replace("\n", "\r\n")
    assert '<input type=hidden name="topic" value="2">' in page.text
    assert '<input type=hidden name="hours" value="48">' in page.text
    assert page.token


def test_headers_make_nobody_somebody_else(box: Path, served: Portal) -> None:
    neighbour = Resident(served.port)
    token = neighbour.open("/de/board/write").token
    statuses = []
    for n in range(14):
        forged = {
            "X_Forwarded_For": f"10.9.9.{n}", "Forwarded": f"for=10.9.9.{n}",
            "X_Real_IP": f"10.9.9.{n}", "X_Kiezbox_Client": "127.0.0.1",
        }  # fmt: skip
        body = urlencode({"token": token, "topic": "0", "text": f"Nummer {n}"}).encode()
        statuses.append(neighbour.ask("POST", "/de/board", body, forged).status)

    assert statuses == [200] * 10 + [429] * 4
    assert len(posts(box)) == 10


def test_what_costs_more_than_was_there_is_owed() -> None:
    clock = Monotonic()
    buckets = Buckets(Limits(client_burst=30, client_per_minute=3), monotonic=clock)
    for _ in range(3):
        buckets.take("10.42.0.7", 12)

    assert buckets.wait_s("10.42.0.7", 1) == pytest.approx(140)


# --- what another page sends ---------------------------------------------------------------------

ELSEWHERE: list[dict[str, str]] = [
    {"origin": "http://evil.example"},
    {"origin": "http://198.51.100.1:8080"},
    {"sec-fetch-site": "cross-site", "origin": "null"},
    {"sec-fetch-site": "same-site"},
]

OUR_OWN: list[dict[str, str]] = [
    {},
    # Our pages say Referrer-Policy: no-referrer, so the browser says this of them (Fetch, 3.2).
    {"origin": "null"},
    {"origin": "http://198.51.100.1"},
    {"sec-fetch-site": "same-origin", "origin": "null"},
    {"sec-fetch-site": "none"},
]


def sent(door: Door, headers: dict[str, str], *, has_token: bool = True) -> Any:
    token = door.ask("/de/board/write").token if has_token else b""
    body = b"topic=2&hours=24&text=Alle+in+die+Keller&token=" + token
    request = Request(
        "POST", "198.51.100.1", "/de/board", "", {"host": "198.51.100.1", **headers},
        client=GUEST, local="198.51.100.1", body=body,
    )  # fmt: skip
    return answer(request, door.sight, door.guests, door.forms)


@pytest.mark.parametrize("headers", ELSEWHERE, ids=str)
@pytest.mark.parametrize("has_token", [True, False])
def test_a_form_from_another_page_is_not_taken_nor_handed_on_for_one_press_of_a_button(
    door: Door, headers: dict[str, str], has_token: bool
) -> None:
    found = sent(door, headers, has_token=has_token)

    assert found.job is None
    assert found.status == 400
    assert b"Keller" not in found.body


@pytest.mark.parametrize("headers", OUR_OWN, ids=str)
def test_a_form_from_our_own_page_is_taken_whatever_the_browser_says_of_it(
    door: Door, headers: dict[str, str]
) -> None:
    assert sent(door, headers).job is not None
    assert b"Keller" in sent(door, headers, has_token=False).body


# --- reckoning, reporting ------------------------------------------------------------------------


def spent_on(door: Door, path: str, form: dict[str, str], client: str) -> int:
    """How often it is taken before the guest must wait."""
    for count in range(100):
        token = door.ask("/de/board/write", client=client).token.decode()
        body = urlencode({**form, "token": token}).encode()
        headers = {"host": "198.51.100.1"}
        request = Request(
            "POST", "198.51.100.1", path, "", headers, client=client, body=body,
            local="198.51.100.1",
        )  # fmt: skip
        if answer(request, door.sight, door.guests, door.forms).status == 429:
            return count
    return 100


def test_what_must_be_reckoned_costs_more_so_that_few_cannot_hold_up_all(door: Door) -> None:
    from kiezbox.sealing.code_words import words_of

    words = " ".join(words_of(bytes(16), "de"))

    assert spent_on(door, "/de/safe/look", {"words": words}, GUEST) == 8


def test_one_guest_reports_three_things_at_once_and_then_waits(door: Door, box: Path) -> None:
    with closing(Log.open(str(box / "words" / "words.db"), SystemClock())) as log:
        (added,) = log.add(Draft(kind="post", fields={"topic": 1, "text": "Biete Suppe"}))
    path = f"/de/board/{added.ref.origin}.{added.ref.sequence}"

    assert spent_on(door, path, {"act": "report", "reason": "1"}, GUEST) == 3


def joined(box: Path, address: str, seconds_ago: float, door: Door) -> None:
    lease = box / "joined" / address
    lease.write_bytes(b"")
    os.utime(lease, (0, door.clock.now - seconds_ago))


def test_all_who_have_just_come_are_one_voice_about_a_post_and_those_before_one_each(
    door: Door, box: Path
) -> None:
    for n in range(3):
        joined(box, f"10.42.0.{10 + n}", 30, door)
        joined(box, f"10.42.0.{20 + n}", 3600, door)

    def voices(*addresses: str) -> int:
        asks = [
            Ask(Request("POST", "", "/de/board", "", {}, client=each), door.sight, door.forms,
                "de", "board", (), door.guests)
            for each in addresses
        ]  # fmt: skip
        return len({voice_of(ask, "kb-musterplatz-1.7") for ask in asks})

    assert voices("10.42.0.10", "10.42.0.11", "10.42.0.12") == 1
    # Somebody who took an address without asking for it, and all by IPv6.
    assert voices("10.42.0.10", "10.42.0.99", "fd12::1", "fd13::1") == 1
    assert voices("10.42.0.20", "10.42.0.21", "10.42.0.22", "10.42.0.10") == 4


def test_where_no_addresses_are_given_out_everybody_is_a_voice(door: Door) -> None:
    assert not door.guests.is_newcomer("10.42.0.7")


def test_a_neighbour_gets_its_page_and_its_post_through_while_another_floods(
    box: Path, served: Portal
) -> None:
    vandal = Resident(served.port)
    token = vandal.open("/de/board/write").token
    statuses: list[int] = []
    is_over = threading.Event()

    def flood(first: int) -> None:
        """Five hundred posts on as few connections as possible."""
        n = first
        while n < first + 500 and not is_over.is_set():
            try:
                with socket.create_connection(
                    ("127.0.0.1", served.port), 10, source_address=("127.0.0.2", 0)
                ) as connection:
                    for _ in range(16):
                        body = urlencode(
                            {"token": token, "topic": "0", "text": f"Flut {n}"}
                        ).encode()
                        connection.sendall(
                            b"POST /de/board HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: %b\r\n"
                            b"Content-Length: %d\r\n\r\n%b" % (FORM.encode(), len(body), body)
                        )
                        n += 1
                    connection.shutdown(socket.SHUT_WR)
                    heads = read_all(connection)
                    statuses.extend(map(int, re.findall(rb"HTTP/1.1 (\d+)", heads)))
            except OSError:
                continue

    threads = [threading.Thread(target=flood, args=(first,)) for first in (0, 500)]
    for thread in threads:
        thread.start()
    try:
        wait_for(lambda: 429 in statuses, "the flood to reach its measure")
        neighbour = Resident(served.port, address="127.0.0.9")
        for n in range(5):
            assert "Flut" in neighbour.open("/de/board").text
            assert publish(neighbour, f"Wasser gibt es am Platz ({n})")
        for thread in threads:
            thread.join(30)
    finally:
        is_over.set()

    found = posts(box)
    assert len(statuses) >= 1000
    assert sum("Wasser gibt es" in text for text in found) == 5
    # Ten at once, and three a minute come back in points: one post.
    assert 10 <= sum("Flut" in text for text in found) <= 12


def test_a_form_replayed_a_hundred_times_is_one_post(box: Path, served: Portal) -> None:
    neighbour = Resident(served.port)
    body = urlencode(
        {"token": neighbour.open("/de/board/write").token, "topic": "0", "text": "Einmal"}
    ).encode()
    for _ in range(100):
        neighbour.send_raw("/de/board", body)

    assert posts(box) == ["Einmal"]


def test_the_operators_rules_hold_as_soon_as_they_are_written(door: Door, box: Path) -> None:
    def status(text: str) -> int:
        token = door.forms.token("10.42.0.7").decode()
        body = urlencode({"token": token, "topic": "0", "text": text}).encode()
        request = Request("POST", "", "/de/board", "", {}, body=body, client="10.42.0.7")
        found = answer(request, door.sight, door.guests, door.forms)
        return 200 if found.job else found.status

    assert status("So ein Depp") == 200

    rules = {"limits": {"client_burst": 5, "client_per_minute": 0.1}, "blocked": ["Depp"]}
    (box / "run" / ABUSE_FILE).write_text(json.dumps(rules))
    door.forms.house._look_again_at = 0.0

    assert status("So ein Depp") == 400
    assert [status("So ein Tag") for _ in range(3)] == [200, 429, 429]

    (box / "run" / ABUSE_FILE).write_text('{"limits": {"client_burst": "')
    door.forms.house._look_again_at = 0.0
    assert status("So ein Tag") == 429


# --- what it sends -------------------------------------------------------------------------------

NASTY = [
    b"'); DROP TABLE things; --",
    b"%00%01%1b[31mrot",
    b"%C0%AF%E0%80%AF overlong",
    b"%ED%A0%80%ED%B0%80 surrogates",
    b"%FF%FE\xff\xfe latin",
    "\u202eABC\u202d \u2066x\u2069".encode(),
    b"%F0%9F%91%A8 %F4%90%80%80",
    b"<script>alert(1)</script>",
    b"a" * 300 + b"%CC%81" * 300,
    b"%",
    b"%zz",
    b"&text=2&text=3;text=4",
]


@pytest.mark.parametrize("text", NASTY, ids=range(len(NASTY)))
def test_whatever_bytes_come_the_board_stays_a_board(
    box: Path, served: Portal, text: bytes
) -> None:
    vandal = Resident(served.port)
    token = vandal.open("/de/board/write").token.encode()

    page = vandal.send_raw("/de/board", b"token=" + token + b"&topic=0&text=" + text)

    assert page.status in (200, 400)
    neighbour = Resident(served.port, address="127.0.0.9")
    assert publish(neighbour, "Suche Kerzen")
    board = neighbour.open("/de/board")
    assert "Suche Kerzen" in board.text
    for never in ("<script", "\x00", "\x1b", "\u202e", "\u2066"):
        assert never not in board.text


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    body=st.binary(max_size=400) | st.text(max_size=200).map(str.encode),
    rest=st.sampled_from(["", "/write", "/kb-musterplatz-1.1", "/x", "/%00", "/report"]),
    name=st.sampled_from(["board", "say"]),
    act=st.sampled_from([b"", b"report", b"solved", b"withdrawn", b"x"]),
)
def test_no_form_whatsoever_breaks_a_page(
    door: Door, body: bytes, rest: str, name: str, act: bytes
) -> None:
    token = door.forms.token("127.0.0.1")
    whole = b"token=" + token + b"&topic=0&what=heat&act=" + act + b"&text=" + body
    request = Request("POST", "", f"/de/{name}{rest}", "", {}, body=whole, client="127.0.0.1")

    found = answer(request, door.sight, door.guests, door.forms)

    assert found.job is not None or found.status in (200, 303, 400, 404)


def test_fields_without_end_are_refused_and_others_served(served: Portal) -> None:
    vandal = Resident(served.port)
    token = vandal.open("/de/board/write").token

    sent = []
    for body in (
        b"token=" + token.encode() + b"&topic=0&text=" + b"a" * MOST_BODY,
        b"&".join(b"a%d=1" % n for n in range(1500)),
        b"text=" + b"%41" * 3000,
    ):
        with vandal_connection(served.port) as connection:
            head = f"POST /de/board HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n"
            try:
                connection.sendall(head.encode() + b"Connection: close\r\n\r\n" + body)
            except OSError:
                pass
            sent.append(split(read_all(connection))[0])

    assert sent[0] == 413
    assert set(sent) <= {400, 413}
    assert publish(Resident(served.port, address="127.0.0.9"), "Suche Kerzen")


def vandal_connection(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), 10, source_address=("127.0.0.2", 0))


#: Cross-site scripting by element, attribute, address, style, entity and broken markup.
SCRIPTS = [
    "<script>window.x=1</script>",
    "<img src=x onerror=window.x=1>",
    "<svg/onload=window.x=1>",
    "</p></article><iframe srcdoc='<script>parent.x=1</script>'>",
    "<style>@import 'b.css';*{background:url(a.png)}</style>",
    "&lt;script&gt;window.x=1&lt;/script&gt;",
    "</textarea><script>window.x=1</script>",
    '" autofocus onfocus=window.x=1 x="',
    "' onmouseover='window.x=1",
    "<base href=x><form action=y><button>OK",
    "<meta http-equiv=refresh content=0;url=z>",
    '<!--<p title="--><b onclick=window.x=1>',
]


@pytest.mark.browser
def test_in_a_real_browser_nothing_that_neighbours_write_runs_or_loads(
    box: Path, served: Portal
) -> None:
    texts = []
    for n, text in enumerate(SCRIPTS):
        assert publish(Resident(served.port, address=f"127.0.0.{20 + n}"), text), text
        texts.append(text)
    looking = """JSON.stringify({
      x: window.x || 0,
      loaded: performance.getEntriesByType('resource').length,
      foreign: document.querySelectorAll(
        'script, img, iframe, svg:not(.pic), base, meta[http-equiv], main style, main form').length,
      inside: document.querySelectorAll('article p *').length,
      handlers: [...document.querySelectorAll('*')].filter(
        e => e.getAttributeNames().some(a => a.startsWith('on'))).length,
      texts: [...document.querySelectorAll('article p[dir]')].map(e => e.textContent),
    })"""
    with Chromium() as browser:
        browser.open(f"http://127.0.0.1:{served.port}/de/board", 360)
        asked = browser.ask("Runtime.evaluate", expression=looking, returnByValue=True)
        found = json.loads(asked["result"]["value"])
        width = browser.ask("Page.getLayoutMetrics")["cssContentSize"]["width"]

    assert found.pop("texts") == texts[::-1]
    assert found == {"x": 0, "loaded": 0, "foreign": 0, "inside": 0, "handlers": 0}
    assert width == 360


def test_a_stranger_finds_nothing_of_what_others_sent(served: Portal) -> None:
    """A page with somebody's words in it is kept for nobody else."""
    writer = Resident(served.port)
    writer.open("/de/board/write")
    page = writer.send("/de/board", topic="", text="Nur für mich und länger als dreißig Zeichen")
    assert "Nur für mich" in page.text

    for path in ("/de/board", "/de/board/write"):
        assert "Nur für mich" not in Resident(served.port, address="127.0.0.9").open(path).text
