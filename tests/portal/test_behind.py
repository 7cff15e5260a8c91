"""What stands behind the responder: a real waitress, and applications that behave and misbehave."""

from __future__ import annotations

import _socket
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from street import LIMIT_S, read_all, split, wait_for

from kiezbox.portal import behind, responder
from kiezbox.portal.answered import Answer
from kiezbox.portal.behind import MOST_ANSWER, Behind
from kiezbox.portal.request import Request
from kiezbox.portal.responder import Responder
from kiezbox.portal.visit import Door

Start = Callable[..., Any]


class Contents:
    """``/here`` is answered by the responder, all else by the application."""

    def answer(self, request: Request) -> Answer:
        return Answer(200, b"here") if request.path == "/here" else Answer(200, b"", is_flask=True)

    def fill(self, request: Request) -> bytes:
        return b""

    def told(self, request: Request, name: str) -> str:
        return request.headers.get(name, "")

    def version(self) -> int:
        return 1


class House:
    """A responder with an application behind it."""

    def __init__(self, application: Any, threads: int = 4) -> None:
        listener = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
        listener.bind(("127.0.0.1", 0))
        listener.listen(100)
        self.port = listener.getsockname()[1]
        self.responder = Responder([Door(listener)], Contents())
        self.behind = Behind(self.responder, lambda: application, threads=threads)
        self.responder.behind = self.behind
        self.server = threading.Thread(target=self.responder.run, daemon=True)
        self.server.start()

    def connect(self, source: str = "127.0.0.1") -> socket.socket:
        return socket.create_connection(
            ("127.0.0.1", self.port), timeout=LIMIT_S, source_address=(source, 0)
        )

    def ask(
        self, path: str, *headers: str, method: str = "GET", body: bytes = b"", source: str = ""
    ) -> tuple[int, dict[str, str], bytes]:
        lines = [f"{method} {path} HTTP/1.1", "Host: kiezbox.internal", "Connection: close"]
        lines += [*headers, *([f"Content-Length: {len(body)}"] if body else []), "\r\n"]
        with self.connect(source or "127.0.0.1") as guest:
            guest.sendall("\r\n".join(lines).encode() + body)
            return split(read_all(guest))

    def close(self) -> None:
        self.responder.stop(within_s=0)
        self.server.join(LIMIT_S)
        assert not self.server.is_alive()
        self.responder.close()


@pytest.fixture
def house() -> Iterator[Callable[..., House]]:
    all_built: list[House] = []

    def build(application: Any, **options: int) -> House:
        all_built.append(House(application, **options))
        return all_built[-1]

    yield build
    for each in all_built:
        each.close()


def echo(environ: dict[str, Any], start_response: Start) -> list[bytes]:
    """What the application is told, line by line."""
    names = ("REQUEST_METHOD", "PATH_INFO", "QUERY_STRING", "REMOTE_ADDR", "HTTP_HOST",
             "kiezbox.local", "wsgi.url_scheme", "HTTP_ACCEPT_LANGUAGE")  # fmt: skip
    told = [f"{name}={environ.get(name)}" for name in names]
    told += sorted(name for name in environ if "KIEZBOX" in name or "FORWARDED" in name)
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return ["\n".join(told).encode() + b"\n" + body]


def test_the_application_is_told_all_of_the_request(house: Callable[..., House]) -> None:
    status, headers, told = house(echo).ask(
        "/a%20b?c=d", "Accept-Language: tr", method="POST", body=b"token=1", source="127.0.0.7"
    )

    assert status == 200
    assert told.decode().splitlines() == [
        "REQUEST_METHOD=POST", "PATH_INFO=/a b", "QUERY_STRING=c=d", "REMOTE_ADDR=127.0.0.7",
        "HTTP_HOST=kiezbox.internal", "kiezbox.local=127.0.0.1", "wsgi.url_scheme=http",
        "HTTP_ACCEPT_LANGUAGE=tr", "token=1",
    ]  # fmt: skip
    assert int(headers["content-length"]) == len(told)


def test_no_header_forges_an_address(house: Callable[..., House]) -> None:
    lies = ["X-Forwarded-For: 10.0.0.1", "Forwarded: for=10.0.0.1", "X-Real-IP: 10.0.0.1",
            "X-Kiezbox-Client: 10.0.0.1", "X_Kiezbox_Client: 10.0.0.1", "x-kiezbox-SECRET: x",
            "X-Forwarded-Proto: https", "Via: 1.1 proxy"]  # fmt: skip

    _, _, told = house(echo).ask("/", *lies, source="127.0.0.7")

    assert b"REMOTE_ADDR=127.0.0.7\n" in told and b"wsgi.url_scheme=http\n" in told
    assert b"KIEZBOX" not in told and b"FORWARDED" not in told


def test_another_program_of_this_machine_is_not_heard(house: Callable[..., House]) -> None:
    built = house(echo)
    assert built.ask("/")[0] == 200

    with socket.socket(socket.AF_UNIX) as program:
        program.settimeout(LIMIT_S)
        program.connect(built.behind._address)
        program.sendall(b"GET / HTTP/1.0\r\nX-Kiezbox-Client: 10.0.0.1\r\n"
                        b"X-Kiezbox-Secret: guessed\r\n\r\n")  # fmt: skip

        assert read_all(program).startswith(b"HTTP/1.0 403 ")


def test_a_head_is_answered_without_its_body(house: Callable[..., House]) -> None:
    built = house(echo)
    _, of_get, body = built.ask("/x")

    status, of_head, nothing = built.ask("/x", method="HEAD")

    assert (status, of_head, nothing) == (200, of_get, b"")
    assert int(of_head["content-length"]) == len(body)


def test_what_is_of_the_inner_connection_stays_there(house: Callable[..., House]) -> None:
    def piecewise(environ: dict[str, Any], start_response: Start) -> Iterator[bytes]:
        start_response("200 OK", [("X-Own", "yes"), ("Date", "now"), ("Server", "gossip")])
        yield b"one "
        yield b"two"

    status, headers, body = house(piecewise).ask("/")

    assert (status, body, headers["content-length"]) == (200, b"one two", "7")
    assert headers.keys() == {"x-own", "content-length", "connection"}


def test_the_connection_goes_on_after_an_answer_from_behind(house: Callable[..., House]) -> None:
    request = b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n"
    with house(echo).connect() as guest:
        guest.sendall(request % 1 + b"GET /here HTTP/1.1\r\nHost: a\r\n\r\n" + request % 2)
        received = b""
        while b"PATH_INFO=/2" not in received:
            received += guest.recv(65536)

    places = [received.index(word) for word in (b"PATH_INFO=/1", b"here", b"PATH_INFO=/2")]
    assert places == sorted(places)


def long_answer(length: int) -> Any:
    def application(environ: dict[str, Any], start_response: Start) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "application/octet-stream")])
        return [b"\xff" * length]

    return application


@pytest.mark.parametrize("length, status", [(MOST_ANSWER, 200), (MOST_ANSWER + 1, 502)])
def test_an_answer_has_a_longest_length(
    house: Callable[..., House], length: int, status: int
) -> None:
    found, _, body = house(long_answer(length)).ask("/")

    assert found == status
    assert len(body) == length or status == 502


def test_an_application_that_breaks_costs_one_answer(
    house: Callable[..., House], capfd: pytest.CaptureFixture[str]
) -> None:
    def breaking(environ: dict[str, Any], start_response: Start) -> list[bytes]:
        if environ["PATH_INFO"] == "/bad":
            raise ZeroDivisionError
        return echo(environ, start_response)

    built = house(breaking)

    assert built.ask("/bad")[0] == 500
    assert built.ask("/good")[0] == 200


class Slow:
    """Answers when told to; counts who waits."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.inside: list[str] = []

    def __call__(self, environ: dict[str, Any], start_response: Start) -> list[bytes]:
        if environ["PATH_INFO"] == "/slow":
            self.inside.append(environ["REMOTE_ADDR"])
            self.go_on.wait(LIMIT_S)
        return echo(environ, start_response)


@pytest.fixture
def slow() -> Iterator[Slow]:
    made = Slow()
    yield made
    made.go_on.set()


SLOW = b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n"


def test_who_waits_too_long_is_told_so(
    house: Callable[..., House], slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(responder, "ANSWER_S", 0.3)
    monkeypatch.setattr(responder, "SWEEP_S", 0.05)
    built = house(slow)
    began = time.monotonic()

    assert built.ask("/slow")[0] == 504

    assert time.monotonic() - began < 5
    assert built.ask("/here")[2] == b"here"


def test_told_to_stop_it_does_not_wait_for_an_application(
    house: Callable[..., House], slow: Slow
) -> None:
    built = house(slow)
    with built.connect() as waiting:
        waiting.sendall(SLOW)
        wait_for(lambda: slow.inside, "it to be inside")
        began = time.monotonic()

        built.responder.stop(within_s=0.2)
        built.server.join(LIMIT_S)

        assert time.monotonic() - began < 2


def test_one_guest_cannot_take_all_threads_and_the_responder_goes_on(
    house: Callable[..., House], slow: Slow
) -> None:
    built = house(slow, threads=4)
    greedy = [built.connect("127.0.0.2") for _ in range(8)]
    for each in greedy:
        each.sendall(SLOW)
    wait_for(lambda: len(slow.inside) == 2, "half of the threads to be taken")

    assert built.ask("/quick", source="127.0.0.3")[0] == 200
    assert built.ask("/here", source="127.0.0.2")[2] == b"here"
    assert slow.inside == ["127.0.0.2"] * 2

    slow.go_on.set()
    for each in greedy:
        assert each.recv(12) == b"HTTP/1.1 200"
        each.close()


def test_more_than_can_wait_are_refused_at_once(
    house: Callable[..., House], slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(behind, "MOST_WAITING", 3)
    built = house(slow, threads=1)
    waiting = [built.connect(f"127.0.0.{n}") for n in range(10, 14)]
    waiting[0].sendall(SLOW)
    wait_for(lambda: slow.inside, "the first to be inside")
    for each in waiting[1:]:
        each.sendall(SLOW)
    wait_for(lambda: len(built.behind._waiting) == 3, "the others to wait")

    assert built.ask("/slow")[0] == 503

    slow.go_on.set()
    for each in waiting:
        assert each.recv(12) == b"HTTP/1.1 200"
        each.close()


def test_guests_who_leave_while_they_wait_leave_nothing_behind(
    house: Callable[..., House], slow: Slow
) -> None:
    built = house(slow, threads=2)
    for n in range(10, 16):
        guest = built.connect(f"127.0.0.{n}")
        guest.sendall(SLOW)
        if n < 12:
            wait_for(lambda n=n: len(slow.inside) == n - 9, "it to be inside")
        guest.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        guest.close()

    wait_for(lambda: len(built.responder.crowd) == 0, "everybody to be gone")
    slow.go_on.set()
    assert built.ask("/quick")[0] == 200
    assert not built.behind._waiting and not built.behind._away
