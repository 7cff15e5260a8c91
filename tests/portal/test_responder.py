"""The responder against the street: slow, rude, malformed and many visitors."""

from __future__ import annotations

import _socket
import gzip
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from street import LIMIT_S, NOW, now_json, read_all, split, wait_for, write_facts

from kiezbox.clock import ManualClock
from kiezbox.portal import crowd, responder, visit
from kiezbox.portal.forms import Forms
from kiezbox.portal.guests import Guests
from kiezbox.portal.request import MOST_HEAD, Request
from kiezbox.portal.responder import Responder
from kiezbox.portal.serve import Contents
from kiezbox.portal.sight import Sight
from kiezbox.portal.visit import Door

HOST = b"Host: kiezbox.internal\r\n"
PAGE = b"GET / HTTP/1.1\r\n" + HOST + b"\r\n"
LAST_PAGE = b"GET / HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"
PROBE = b"GET /generate_204 HTTP/1.1\r\nHost: connectivitycheck.gstatic.com\r\n\r\n"

Answer = tuple[int, dict[str, str], bytes]


class Guest:
    """A connection of a guest, who reads one answer after the other."""

    def __init__(self, port: int, source: str = "127.0.0.1") -> None:
        self.socket = socket.create_connection(
            ("127.0.0.1", port), timeout=LIMIT_S, source_address=(source, 0)
        )
        self._read = b""

    def __enter__(self) -> Guest:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def say(self, request: bytes) -> None:
        self.socket.sendall(request)

    def hear(self, *, is_head: bool = False) -> Answer:
        """The next answer; the connection must not end before it does."""
        while b"\r\n\r\n" not in self._read:
            self._more()
        head, _, self._read = self._read.partition(b"\r\n\r\n")
        status, headers, _ = split(head + b"\r\n\r\n")
        length = 0 if is_head else int(headers.get("content-length", "0"))
        while len(self._read) < length:
            self._more()
        body, self._read = self._read[:length], self._read[length:]
        return status, headers, body

    def ask(self, request: bytes = PAGE) -> Answer:
        self.say(request)
        return self.hear()

    def is_let_go(self) -> bool:
        """Waits until the other side has closed, and has said nothing before."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionError:
            return True

    def _more(self) -> None:
        received = self.socket.recv(65536)
        if not received:
            raise ConnectionError("closed in the middle of an answer")
        self._read += received


class Street:
    """A responder that serves, and the ways to it."""

    def __init__(self, serving: Responder, port: int, folder: Path) -> None:
        self.responder = serving
        self.port = port
        self.folder = folder

    def guest(self, source: str = "127.0.0.1") -> Guest:
        return Guest(self.port, source)

    def ask(self, request: bytes = LAST_PAGE, source: str = "127.0.0.1") -> int:
        """The status; the whole answer must have come, and then the end."""
        with self.guest(source) as guest:
            guest.say(request)
            status, headers, body = split(read_all(guest.socket))
            assert len(body) == int(headers["content-length"])
            return status


Opened = Callable[..., Street]


@pytest.fixture
def opened(box: Path) -> Iterator[Opened]:
    """Opens a street; with other contents if asked to."""
    ending: list[tuple[Responder, threading.Thread]] = []

    def open_street(contents: object = None, **options: int) -> Street:
        listener = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
        listener.bind(("127.0.0.1", 0))
        listener.listen(1024)
        sight = Sight(str(box / "run"), str(box / "kiezbox.db"), ManualClock(NOW))
        serving = Responder(
            [Door(listener)], contents or Contents(sight, Guests(), Forms()), **options
        )
        server = threading.Thread(target=serving.run, daemon=True)
        server.start()
        ending.append((serving, server))
        return Street(serving, listener.getsockname()[1], box)

    yield open_street
    for serving, server in ending:
        serving.stop(within_s=0)
        server.join(LIMIT_S)
        assert not server.is_alive()
        serving.close()
        assert len(serving.crowd) == 0


@pytest.fixture
def street(opened: Opened) -> Street:
    return opened()


# --- answers -------------------------------------------------------------------------------------


def test_one_connection_serves_one_request_after_the_other(street: Street) -> None:
    with street.guest() as guest:
        answers = [guest.ask(request)[0] for request in (PAGE, PROBE, PAGE, PAGE)]

    assert answers == [200, 302, 200, 200]


def test_requests_in_one_breath_are_answered_in_their_order(street: Street) -> None:
    with street.guest() as guest:
        guest.say(PAGE + PROBE + PAGE)

        assert [guest.hear()[0] for _ in range(3)] == [200, 302, 200]


def test_more_requests_in_one_breath_than_anybody_needs_end_with_the_connection(
    street: Street,
) -> None:
    with street.guest() as guest:
        guest.say(PROBE * 200)

        answers = [guest.hear() for _ in range(16)]
        assert [status for status, _, _ in answers] == [302] * 16
        assert answers[-1][1]["connection"] == "close"
        assert guest.is_let_go()


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
def test_the_connection_ends_with_the_answer_where_that_is_asked_for(
    street: Street, version: bytes
) -> None:
    with street.guest() as guest:
        _, headers, _ = guest.ask(LAST_PAGE.replace(b"1.1", version))

        assert headers["connection"] == "close"
        assert guest.is_let_go()


def test_a_head_gets_the_headers_of_a_get(street: Street) -> None:
    with street.guest() as guest:
        _, of_get, body = guest.ask(PAGE)
        guest.say(PAGE.replace(b"GET", b"HEAD"))
        status, of_head, _ = guest.hear(is_head=True)

        assert (status, of_head) == (200, of_get)
        assert int(of_head["content-length"]) == len(body)
        assert guest.ask(PROBE)[0] == 302


def test_gzip_and_plain_are_the_same_page_but_for_the_guests_own_token(street: Street) -> None:
    with street.guest() as guest:
        _, _, plain = guest.ask()
        _, headers, packed = guest.ask(PAGE[:-2] + b"Accept-Encoding: gzip\r\n\r\n")

    page = gzip.decompress(packed)
    start = plain.index(b'name=token value="') + len(b'name=token value="')
    assert headers["content-encoding"] == "gzip"
    assert (page[:start], page[start + 40 :]) == (plain[:start], plain[start + 40 :])
    assert page[start : start + 40].isalnum()
    assert len(packed) < 3000


def test_every_guest_gets_a_token_of_its_own_and_may_stay_with_it(street: Street) -> None:
    tokens = {}
    for source in ("127.0.0.2", "127.0.0.3"):
        with street.guest(source) as guest:
            _, _, page = guest.ask()
            tokens[source] = page.partition(b'name=token value="')[2][:40]

    def stay(source: str, token: bytes) -> str:
        form = b"token=" + token
        request = b"POST /stay HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % len(form)
        with street.guest(source) as guest:
            status, headers, _ = guest.ask(request + form)
            assert status == 303
            return headers["location"]

    assert stay("127.0.0.2", tokens["127.0.0.3"]) == "/"
    assert stay("127.0.0.2", tokens["127.0.0.2"]) == "/connected"
    with street.guest("127.0.0.2") as guest:
        assert guest.ask(PROBE)[0] == 204
    with street.guest("127.0.0.3") as guest:
        assert guest.ask(PROBE)[0] == 302


def test_a_page_says_at_once_what_now_json_says(street: Street) -> None:
    with street.guest() as guest:
        assert "Stromausfall" in guest.ask()[2].decode()

        write_facts(street.folder / "run", now_json(mode__name="exercise", mode__is_exercise=True))

        wait_for(lambda: "Übung" in guest.ask()[2].decode(), "the new page", 2)


def test_a_post_that_waits_is_told_to_continue(street: Street) -> None:
    with street.guest() as guest:
        guest.say(
            b"POST /stay HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\nExpect: 100-continue\r\n\r\n"
        )
        assert guest.hear()[0] == 100

        guest.say(b"token")

        assert guest.hear()[0] == 303


def test_an_error_of_ours_costs_one_answer_and_not_the_door(
    street: Street, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(Sight, "facts", lambda _: 1 / 0)
        assert street.ask() == 500

    assert street.ask() == 200
    assert "ZeroDivisionError" in capfd.readouterr().err


def test_an_error_in_what_each_guest_gets_costs_that_guest_alone(
    street: Street, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(Guests, "_token", lambda *_: 1 / 0)
        for request in (PAGE, PAGE):
            with street.guest() as guest:
                guest.say(request)
                assert guest.is_let_go()

    assert street.ask() == 200
    assert "ZeroDivisionError" in capfd.readouterr().err


def test_the_address_of_a_guest_is_the_sockets_and_never_a_headers(opened: Opened) -> None:
    seen: list[tuple[str, str]] = []

    class Spy:
        def answer(self, request: object) -> object:
            from kiezbox.portal.answered import Answer

            seen.append((request.client, request.local))  # type: ignore[attr-defined]
            return Answer(200, b"seen")

        def version(self) -> int:
            return 1

    lying = b"X-Forwarded-For: 10.0.0.1\r\nForwarded: for=10.0.0.1\r\nX-Real-IP: 10.0.0.1\r\n\r\n"

    opened(Spy()).ask(LAST_PAGE[:-2] + lying, "127.0.0.9")

    assert seen == [("127.0.0.9", "127.0.0.1")]


# --- what is no request --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "request_, status",
    [
        (b"nonsense\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + HOST + HOST + b"\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"a" * MOST_HEAD, 431),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 30000, 431),
        (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 300000\r\n\r\n" + b"x" * 300_000, 413),
        (b"GET / HTTP/2.0\r\n" + HOST + b"\r\n", 505),
    ],
)
def test_what_is_no_request_is_answered_and_the_next_one_served(
    street: Street, request_: bytes, status: int
) -> None:
    assert street.ask(request_) == status
    assert street.ask() == 200


def test_one_byte_at_a_time_is_a_request_too(street: Street) -> None:
    with street.guest() as guest:
        guest.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in PAGE:
            guest.say(bytes([byte]))

        assert guest.hear()[0] == 200


def test_whoever_has_said_all_and_closed_its_side_gets_its_answer(street: Street) -> None:
    with street.guest() as guest:
        guest.say(PAGE)
        guest.socket.shutdown(socket.SHUT_WR)

        assert guest.hear()[0] == 200


def test_a_guest_who_still_talks_after_a_refusal_is_heard_out(street: Street) -> None:
    # A reset would make some systems throw away an answer that was not read yet.
    with street.guest() as talker:
        talker.say(b"nonsense\r\n\r\n")
        assert talker.hear()[0] == 400

        for _ in range(5):
            talker.say(b"more")
            select.select([], [], [], 0.02)


@given(st.binary(min_size=1, max_size=300))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_bytes_close_the_door(street: Street, data: bytes) -> None:
    with street.guest() as guest:
        guest.say(data)
        guest.socket.shutdown(socket.SHUT_WR)
        read_all(guest.socket)

    assert street.ask() == 200


# --- the slow ------------------------------------------------------------------------------------


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time limits of a tenth."""
    monkeypatch.setattr(visit, "IDLE_S", visit.IDLE_S / 10)
    for name in ("REQUEST_S", "ANSWER_S", "IDLE_S", "LINGER_S", "SWEEP_S"):
        monkeypatch.setattr(responder, name, getattr(responder, name) / 10)


def test_who_dawdles_is_shown_out_and_nobody_waits_for_it(hurried: None, street: Street) -> None:
    with street.guest() as dawdler:
        dawdler.say(b"GET / HT")
        began = time.monotonic()
        for _ in range(5):
            assert street.ask() == 200
        assert time.monotonic() - began < 0.4

        assert dawdler.hear()[0] == 408
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "beginning",
    [b"GET / HTTP/1.1\r\n", b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 4000\r\n\r\n",
     PROBE + b"GET / HTTP/1.1\r\nX: "],
)  # fmt: skip
def test_dribbling_on_does_not_buy_more_time(
    hurried: None, street: Street, beginning: bytes
) -> None:
    began = time.monotonic()
    with street.guest() as dribbler:
        dribbler.socket.settimeout(0.02)
        dribbler.say(beginning)
        answered = b""
        while b"408" not in answered and time.monotonic() - began < LIMIT_S:
            try:
                dribbler.say(b"X")
                answered += dribbler.socket.recv(1000)
            except TimeoutError:
                continue

    assert b"HTTP/1.1 408" in answered
    assert time.monotonic() - began < 3


def test_who_says_nothing_is_let_go_after_a_while(hurried: None, street: Street) -> None:
    with street.guest() as silent, street.guest() as served:
        assert served.ask()[0] == 200
        began = time.monotonic()

        assert silent.is_let_go() and served.is_let_go()

        assert 0.5 < time.monotonic() - began < 5


def test_who_does_not_take_its_answers_is_let_go(hurried: None, street: Street) -> None:
    with socket.socket() as greedy:
        greedy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        greedy.connect(("127.0.0.1", street.port))
        greedy.settimeout(0.5)

        began = time.monotonic()
        with pytest.raises((TimeoutError, ConnectionError)):
            while time.monotonic() - began < LIMIT_S:
                greedy.sendall(PAGE * 16)

        wait_for(lambda: len(street.responder.crowd) == 0, "the guest to be let go", 5)


def test_who_never_leaves_after_a_refusal_is_let_go(hurried: None, street: Street) -> None:
    with street.guest() as clinger:
        clinger.say(b"nonsense\r\n\r\n")
        assert clinger.hear()[0] == 400
        began = time.monotonic()

        with pytest.raises(ConnectionError):
            while time.monotonic() - began < LIMIT_S:
                clinger.say(b"more")
                time.sleep(0.01)


def test_guests_who_vanish_leave_nothing_behind(street: Street) -> None:
    for n in range(50):
        guest = street.guest()
        guest.say(PAGE[: n % len(PAGE)])
        # Linger 0: a reset instead of a goodbye.
        guest.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        guest.socket.close()

    assert street.ask() == 200
    wait_for(lambda: len(street.responder.crowd) == 0, "nobody to be left")


# --- the many ------------------------------------------------------------------------------------


def test_six_hundred_connections_of_one_guest_take_nothing_from_another(street: Street) -> None:
    with street.guest("127.0.0.3") as other:
        assert other.ask()[0] == 200
        crowding = [street.guest("127.0.0.2") for _ in range(600)]
        for n, each in enumerate(crowding):
            try:
                each.say(b"GET / HTTP" if n % 2 else b"G")
            except ConnectionError:
                pass

        assert [other.ask()[0] for _ in range(20)] == [200] * 20
        assert [street.ask(source="127.0.0.4") for _ in range(20)] == [200] * 20
        assert len(street.responder.crowd) <= crowd.MOST_OF_ONE + 2
        for each in crowding:
            each.socket.close()


def test_a_guest_with_too_many_connections_loses_one_that_it_does_not_use(street: Street) -> None:
    guests = [street.guest("127.0.0.2") for _ in range(crowd.MOST_OF_ONE)]
    for guest in guests[:-1]:
        guest.say(b"GET ")
    wait_for(lambda: len(street.responder.crowd) == crowd.MOST_OF_ONE, "all to be there")
    assert street.ask(source="127.0.0.3") == 200  # What was said before was read.

    with street.guest("127.0.0.2") as newest:
        assert newest.ask()[0] == 200

    assert guests[-1].is_let_go()
    for guest in guests[:-1]:
        guest.say(PAGE[4:])
        assert guest.hear()[0] == 200
        guest.socket.close()


def test_where_the_house_is_full_whoever_takes_most_makes_room(opened: Opened) -> None:
    street = opened(most=24)
    modest = [street.guest(f"127.0.0.{n}") for n in range(10, 20)]
    for guest in modest:
        assert guest.ask()[0] == 200
    greedy = [street.guest("127.0.0.2") for _ in range(14)]
    wait_for(lambda: len(street.responder.crowd) == 24, "all to be there")

    for n in range(30, 40):
        with street.guest(f"127.0.0.{n}") as newcomer:
            assert newcomer.ask()[0] == 200

    assert [guest.ask()[0] for guest in modest] == [200] * 10
    for guest in (*modest, *greedy):
        guest.socket.close()


def test_where_all_have_one_connection_who_needs_it_least_makes_room(opened: Opened) -> None:
    street = opened(most=8)
    idle = [street.guest(f"127.0.0.{n}") for n in range(10, 18)]
    for guest in idle:
        assert guest.ask()[0] == 200

    with street.guest("127.0.0.2") as newcomer:
        assert newcomer.ask()[0] == 200

    assert idle[0].is_let_go()
    assert [guest.ask()[0] for guest in idle[1:]] == [200] * 7
    for guest in idle:
        guest.socket.close()


def test_what_runs_on_the_box_itself_speaks_for_many(street: Street) -> None:
    guests = [street.guest() for _ in range(100)]

    assert [guest.ask()[0] for guest in guests] == [200] * 100
    for guest in guests:
        guest.socket.close()


@pytest.mark.parametrize(
    "client, other, is_same",
    [
        ("10.42.0.7", "10.42.0.8", False),
        ("fd00::1", "fd00::2", True),
        ("fd00::1", "fd00:0:0:1::1", False),
        ("fe80::1", "fe80::ffff:1", True),
    ],
)
def test_all_addresses_that_a_guest_can_give_itself_are_one_party(
    client: str, other: str, is_same: bool
) -> None:
    assert (crowd.party_of(client) == crowd.party_of(other)) == is_same


@pytest.mark.parametrize(
    "address, plain",
    [
        ("10.42.0.7", "10.42.0.7"),
        ("::ffff:10.42.0.7", "10.42.0.7"),
        ("fe80::1%kb-street", "fe80::1"),
        ("fd00::1", "fd00::1"),
        ("::1", "::1"),
    ],
)
def test_an_address_has_one_form(address: str, plain: str) -> None:
    assert crowd.plain_address(address) == plain


def test_who_asks_for_what_costs_much_waits_and_nobody_else_does(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crowd, "BURST_S", 0.05)
    monkeypatch.setattr(crowd, "SHARE", 0.5)

    served: list[str] = []

    class Slow:
        def answer(self, request: Request) -> object:
            from kiezbox.portal.answered import Answer

            time.sleep(0.01)
            served.append(request.client)
            return Answer(200, b"slow")

        def version(self) -> int:
            return 1

    street = opened(Slow())
    with street.guest("127.0.0.2") as costly, street.guest("127.0.0.3") as modest:
        costly.say(PAGE * 16)

        assert modest.ask()[2] == b"slow"
        assert [costly.hear()[0] for _ in range(16)] == [200] * 16
        assert served.index("127.0.0.3") < 15
