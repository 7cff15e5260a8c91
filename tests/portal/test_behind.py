"""What stands behind the responder: threads, and answers that come, break, or take their time."""

from __future__ import annotations

import _socket
import errno
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from street import LIMIT_S, read_all, split, wait_for

from kiezbox.portal import behind, responder
from kiezbox.portal.answered import Answer
from kiezbox.portal.behind import Behind
from kiezbox.portal.request import Request
from kiezbox.portal.responder import Responder
from kiezbox.portal.visit import Door

Make = Callable[[Request], Answer]


class Contents:
    """``/here`` is answered by the responder, all else behind it."""

    def __init__(self) -> None:
        self.said = 1

    def answer(self, request: Request) -> Answer:
        return Answer(200, b"here") if request.path == "/here" else Answer(200, b"", is_slow=True)

    def own(self, path: str) -> Callable[[str], bytes]:
        return lambda client: b""

    def told(self, request: Request, name: str) -> str:
        return request.headers.get(name, "")

    def version(self) -> int:
        return self.said


class House:
    """A responder with something behind it."""

    def __init__(self, make: Make, threads: int = 4) -> None:
        listener = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
        listener.bind(("127.0.0.1", 0))
        listener.listen(100)
        self.port = listener.getsockname()[1]
        self.contents = Contents()
        self.responder = Responder([Door(listener)], self.contents)
        self.behind = Behind(self.responder, make, threads=threads)
        self.responder.behind = self.behind
        self.server = threading.Thread(target=self.responder.run, daemon=True)
        self.server.start()

    def connect(self, source: str = "127.0.0.1") -> socket.socket:
        return socket.create_connection(
            ("127.0.0.1", self.port), timeout=LIMIT_S, source_address=(source, 0)
        )

    def ask(
        self, path: str, *headers: str, method: str = "GET", source: str = ""
    ) -> tuple[int, dict[str, str], bytes]:
        lines = [f"{method} {path} HTTP/1.1", "Host: kiezbox.internal", "Connection: close"]
        with self.connect(source or "127.0.0.1") as guest:
            guest.sendall("\r\n".join([*lines, *headers, "\r\n"]).encode())
            return split(read_all(guest))

    def close(self) -> None:
        self.responder.stop(within_s=0)
        self.server.join(LIMIT_S)
        assert not self.server.is_alive()
        self.behind.close()
        self.responder.close()


@pytest.fixture
def house() -> Iterator[Callable[..., House]]:
    all_built: list[House] = []

    def build(make: Make, **options: int) -> House:
        all_built.append(House(make, **options))
        return all_built[-1]

    yield build
    for each in all_built:
        each.close()


def echo(request: Request) -> Answer:
    """What is known of who asks for what."""
    told = f"path={request.path}\nquery={request.query}\nclient={request.client}\n"
    return Answer(200, told.encode() + request.headers.get("accept-language", "").encode())


def test_who_is_called_in_and_cannot_come_is_called_again_for_the_next(
    house: Callable[..., House], capfd: pytest.CaptureFixture[str]
) -> None:
    built = house(echo)
    built.responder.behind = None
    troubles = [OSError(errno.EIO, "the card stutters")]

    def call_in() -> None:
        if troubles:
            raise troubles.pop()
        built.responder.behind = built.behind

    built.responder.call_in = call_in

    assert [built.ask(path)[0] for path in ("/here", "/slow", "/slow")] == [200, 503, 200]
    assert "the card stutters" in capfd.readouterr().err


def test_who_asked_for_what_is_known_behind(house: Callable[..., House]) -> None:
    lies = ["X-Forwarded-For: 10.0.0.1", "Forwarded: for=10.0.0.1", "X-Real-IP: 10.0.0.1"]

    status, headers, told = house(echo).ask(
        "/a?c=d", "Accept-Language: tr", *lies, source="127.0.0.7"
    )

    assert status == 200
    assert told.decode().splitlines() == ["path=/a", "query=c=d", "client=127.0.0.7", "tr"]
    assert int(headers["content-length"]) == len(told)


def test_a_head_is_answered_without_its_body(house: Callable[..., House]) -> None:
    built = house(echo)
    _, of_get, body = built.ask("/x")

    status, of_head, nothing = built.ask("/x", method="HEAD")

    assert (status, of_head, nothing) == (200, of_get, b"")
    assert int(of_head["content-length"]) == len(body)


def test_the_connection_goes_on_after_an_answer_from_behind(house: Callable[..., House]) -> None:
    request = b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n"
    with house(echo).connect() as guest:
        guest.sendall(request % 1 + b"GET /here HTTP/1.1\r\nHost: a\r\n\r\n" + request % 2)
        received = b""
        while b"path=/2" not in received:
            received += guest.recv(65536)

    places = [received.index(word) for word in (b"path=/1", b"here", b"path=/2")]
    assert places == sorted(places)


def test_an_answer_that_breaks_costs_nobody_else_theirs(
    house: Callable[..., House], capfd: pytest.CaptureFixture[str]
) -> None:
    def breaking(request: Request) -> Answer:
        if request.path == "/bad":
            raise ZeroDivisionError
        return echo(request)

    built = house(breaking, threads=1)

    assert built.ask("/bad")[0] == 500
    assert built.ask("/good")[0] == 200
    assert "ZeroDivisionError" in capfd.readouterr().err


def test_no_thread_begins_before_somebody_asks_for_what_is_slow(
    house: Callable[..., House],
) -> None:
    built = house(echo)
    before = threading.active_count()
    assert built.ask("/here")[0] == 200
    assert threading.active_count() == before

    assert built.ask("/slow")[0] == 200
    assert threading.active_count() == before + 4


class Counting:
    """Pages that may be kept for a minute; each says how many were made before it."""

    def __init__(self) -> None:
        self.made = 0
        self.go_on = threading.Event()

    def __call__(self, request: Request) -> Answer:
        self.made += 1
        page = Answer(200, b"%d" % self.made, keep_s=60.0)
        if request.path == "/slow":
            self.go_on.wait(LIMIT_S)
        return page


def test_what_one_has_asked_for_is_given_to_all_who_wait_for_the_same(
    house: Callable[..., House],
) -> None:
    counting = Counting()
    built = house(counting, threads=1)
    waiting = [built.connect(f"127.0.0.{n}") for n in range(10, 14)]
    for each in waiting:
        each.sendall(SLOW)
    wait_for(lambda: len(built.behind._waiting) == 3, "the others to wait")

    counting.go_on.set()

    for each in waiting:
        assert each.recv(4096).endswith(b"\r\n\r\n1")
        each.close()
    assert counting.made == 1


def test_an_answer_begun_before_a_change_is_not_kept_after_it(
    house: Callable[..., House],
) -> None:
    counting = Counting()
    built = house(counting)
    with built.connect() as first:
        first.sendall(SLOW)
        wait_for(lambda: counting.made == 1, "it to be begun")
        built.contents.said = 2
        wait_for(lambda: built.ask("/here") and built.responder.generation == 2, "it to be seen")
        counting.go_on.set()
        assert first.recv(4096).endswith(b"\r\n\r\n1")

    assert built.ask("/slow")[2] == b"2"
    assert built.ask("/slow")[2] == b"2"


class Slow:
    """Answers when told to; counts who waits."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.inside: list[str] = []

    def __call__(self, request: Request) -> Answer:
        if request.path == "/slow":
            self.inside.append(request.client)
            self.go_on.wait(LIMIT_S)
        return echo(request)


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


def test_told_to_stop_it_does_not_wait_for_what_is_slow(
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
    assert not built.behind._waiting


def test_hanging_up_gives_a_guest_no_more_threads(house: Callable[..., House], slow: Slow) -> None:
    built = house(slow, threads=2)
    for _ in range(5):
        guest = built.connect("127.0.0.9")
        guest.sendall(SLOW)
        wait_for(lambda: slow.inside, "the first to be inside")
        guest.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        guest.close()
        wait_for(lambda: len(built.responder.crowd) == 0, "it to be gone")

    assert built.ask("/quick", source="127.0.0.3")[0] == 200
    assert slow.inside == ["127.0.0.9"]


def test_who_rings_after_the_end_writes_into_nobody_elses_file(tmp_path: Path) -> None:
    listener = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
    listener.bind(("127.0.0.1", 0))
    listener.listen(1)
    ended = Responder([Door(listener)], Contents())
    ended.close()
    # The lowest free numbers: with them that of the bell, if it is free.
    files = [(tmp_path / str(n)).open("wb", buffering=0) for n in range(20)]

    ended.ring()

    assert [path.stat().st_size for path in tmp_path.iterdir()] == [0] * 20
    for file in files:
        file.close()
    listener.close()
