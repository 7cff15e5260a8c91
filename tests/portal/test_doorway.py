"""The doorway against the street: slow, rude, malformed and many visitors."""

from __future__ import annotations

import _socket
import select
import socket
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from street import LIMIT_S, NOW, read_all, split

from kiezbox.clock import ManualClock
from kiezbox.portal import doorway
from kiezbox.portal.doorway import Doorway
from kiezbox.portal.request import MOST_BYTES
from kiezbox.portal.sight import Sight

PAGE = b"GET / HTTP/1.1\r\nHost: box\r\n\r\n"


class Street:
    """A doorway that is open, and the way to it."""

    def __init__(self, port: int) -> None:
        self.port = port

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=LIMIT_S)

    def ask(self, request: bytes = PAGE) -> int:
        """The status; the whole answer must have come."""
        with self.connect() as visitor:
            visitor.sendall(request)
            return status_of(visitor)


def status_of(visitor: socket.socket) -> int:
    status, headers, body = split(read_all(visitor))
    assert len(body) == int(headers["content-length"])
    return status


@pytest.fixture
def street(box: Path) -> Iterator[Street]:
    listener = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
    listener.bind(("127.0.0.1", 0))
    listener.listen(512)
    sight = Sight(str(box / "run"), str(box / "kiezbox.db"), ManualClock(NOW))
    door, closing = Doorway([listener], sight), threading.Event()

    def serve() -> None:
        door.run(closing.is_set, tick_ms=5)
        door.finish()

    server = threading.Thread(target=serve, daemon=True)
    server.start()
    yield Street(listener.getsockname()[1])
    closing.set()
    server.join(LIMIT_S)
    assert not server.is_alive()
    assert not door.has_visits()
    listener.close()


def test_the_first_page_is_served(street: Street) -> None:
    assert street.ask() == 200


@pytest.mark.parametrize(
    "request_, status",
    [
        (b"nonsense\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * MOST_BYTES, 431),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 3000, 431),
    ],
)
def test_what_is_no_request_is_answered_and_the_next_one_served(
    street: Street, request_: bytes, status: int
) -> None:
    assert street.ask(request_) == status
    assert street.ask() == 200


def test_one_byte_at_a_time_is_a_request_too(street: Street) -> None:
    with street.connect() as visitor:
        visitor.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in PAGE:
            visitor.sendall(bytes([byte]))

        assert status_of(visitor) == 200


def test_whoever_has_said_all_and_closed_his_side_gets_his_answer(street: Street) -> None:
    with street.connect() as visitor:
        visitor.sendall(PAGE)
        visitor.shutdown(socket.SHUT_WR)

        assert status_of(visitor) == 200


def test_a_long_body_is_not_read_and_does_not_cost_the_answer(street: Street) -> None:
    # Closing with unread bytes would reset the connection and take the answer away
    # (RFC 9112, 9.6).
    body = b"x" * 300_000
    request = b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body)

    with street.connect() as visitor:
        visitor.sendall(request + body)

        assert status_of(visitor) == 302


def test_a_visitor_who_still_talks_after_his_answer_is_heard_out(street: Street) -> None:
    # A reset would make some systems throw away an answer that was not read yet.
    with street.connect() as talker:
        talker.sendall(PAGE)
        assert status_of(talker) == 200

        for _ in range(5):
            talker.sendall(b"more")
            select.select([], [], [], 0.02)


def test_a_visitor_who_dawdles_is_shown_out_and_nobody_waits_for_him(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doorway, "REQUEST_S", 0.4)
    with street.connect() as dawdler:
        dawdler.sendall(b"GET / HT")
        began = time.monotonic()
        for _ in range(5):
            assert street.ask() == 200
        assert time.monotonic() - began < 0.4

        assert status_of(dawdler) == 408
    assert time.monotonic() - began < 5


def test_dribbling_on_does_not_buy_more_time(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doorway, "REQUEST_S", 0.3)
    began = time.monotonic()
    with street.connect() as dribbler:
        dribbler.settimeout(0.02)
        answered = b""
        while not answered and time.monotonic() - began < LIMIT_S:
            try:
                dribbler.sendall(b"X")
                answered = dribbler.recv(100)
            except TimeoutError:
                continue

    assert answered.startswith(b"HTTP/1.1 408")
    assert time.monotonic() - began < 3


def test_a_visitor_who_never_leaves_after_his_answer_is_let_go(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doorway, "LINGER_S", 0.2)
    with street.connect() as clinger:
        clinger.sendall(PAGE)
        assert status_of(clinger) == 200
        began = time.monotonic()

        with pytest.raises(ConnectionError):
            while time.monotonic() - began < LIMIT_S:
                clinger.sendall(b"more")
                time.sleep(0.01)


def test_more_visitors_than_there_is_room_for_do_not_close_the_door(street: Street) -> None:
    idlers = [street.connect() for _ in range(doorway.MOST_VISITS + 40)]

    answers = [street.ask() for _ in range(20)]

    assert answers == [200] * 20
    for idler in idlers:
        idler.close()


def test_visitors_who_vanish_leave_nothing_behind(street: Street) -> None:
    for n in range(50):
        visitor = street.connect()
        visitor.sendall(PAGE[: n % len(PAGE)])
        # Linger 0: a reset instead of a goodbye.
        visitor.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        visitor.close()

    assert street.ask() == 200


def test_an_error_of_ours_costs_one_answer_and_not_the_door(
    street: Street, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(Sight, "facts", lambda _: 1 / 0)
        assert street.ask() == 500

    assert street.ask() == 200
    assert "ZeroDivisionError" in capfd.readouterr().err


@given(st.binary(min_size=1, max_size=300))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_bytes_close_the_door(street: Street, data: bytes) -> None:
    with street.connect() as visitor:
        visitor.sendall(data)
        visitor.shutdown(socket.SHUT_WR)
        read_all(visitor)

    assert street.ask() == 200
