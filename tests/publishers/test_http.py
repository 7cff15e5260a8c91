"""The small HTTP client of the publishers, against real servers on loopback, good and bad."""

from __future__ import annotations

import email.utils
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from broker import Liar, free_port, wait_for
from network.authority import Authority
from publishers.web import Asked, Drip, Said, WebServer

from kiezbox.clock import ManualClock
from kiezbox.errors import PublishError, Refused, Rejected, Unreachable
from kiezbox.publishers._http import MOST_BYTES, MOST_PAUSE_S, Client, secret, wrong_url


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def server(stack: ExitStack, said: Said | None = None, **options: Any) -> WebServer:
    web = WebServer(lambda asked: said or Said(204), **options)
    stack.callback(web.close)
    return web


def drip(stack: ExitStack, *pieces: bytes) -> Drip:
    one = Drip(*pieces)
    stack.callback(one.close)
    return one


def client(url: str, **options: Any) -> Client:
    return Client(url, options.pop("clock", ManualClock()), **options)


def test_a_body_arrives_as_it_was_behind_the_addresss_path(stack: ExitStack) -> None:
    web = server(stack)
    one = client(f"{web.url}/behind/a/proxy/")

    answer = one.post("/write?db=kiez", b"\x00 body", {"X-PIN": "11"})

    assert (answer.status, one.link) == (204, "connected")
    (asked,) = web.asked
    assert (asked.method, asked.target) == ("POST", "/behind/a/proxy/write?db=kiez")
    assert asked.body == b"\x00 body"
    assert asked.headers["x-pin"] == "11"
    assert asked.headers["user-agent"].startswith("Kiezbox/")


def test_a_compressed_body_says_so_and_is_smaller(stack: ExitStack) -> None:
    web = server(stack)

    client(web.url).post("/", b"a line\n" * 1000, compress=True)

    assert web.asked[0].body == b"a line\n" * 1000
    assert web.asked[0].headers["content-encoding"] == "gzip"
    assert int(web.asked[0].headers["content-length"]) < 200


@pytest.mark.parametrize(
    ("status", "error", "link"),
    [
        (301, Refused, "refused"), (307, Refused, "refused"), (400, Rejected, "connected"),
        (401, Refused, "refused"), (403, Refused, "refused"), (404, Refused, "refused"),
        (408, Unreachable, "waiting"), (413, Rejected, "connected"), (418, Refused, "refused"),
        (422, Rejected, "connected"), (429, Unreachable, "waiting"),
        (500, Unreachable, "waiting"), (502, Unreachable, "waiting"),
        (503, Unreachable, "waiting"), (504, Unreachable, "waiting"),
    ],
)  # fmt: skip
def test_each_status_calls_a_person_or_drops_the_item_or_waits(
    stack: ExitStack, status: int, error: type[PublishError], link: str
) -> None:
    web = server(stack)
    one = client(web.url)
    one.post("/", b"first")
    web.answer = lambda asked: Said(status, b'{"error":"why\nso"}', (("Location", "/there"),))

    with pytest.raises(error) as caught:
        one.post("/", b"second")

    assert type(caught.value) is error
    assert caught.value.hint and str(status) in str(caught.value)
    assert '{"error":"why so"}' in str(caught.value)
    assert one.link == link
    assert len(web.asked) == 2, "no answer is followed to another place"


@pytest.mark.parametrize("status", [429, 503])
def test_a_pause_that_the_server_asks_for_is_kept(stack: ExitStack, status: int) -> None:
    clock = ManualClock()
    web = server(stack, Said(status, headers=(("Retry-After", "60"),)))
    one = client(web.url, clock=clock)
    with pytest.raises(Unreachable):
        one.post("/", b"")
    web.answer = lambda asked: Said(204)

    clock.advance(59)
    with pytest.raises(Unreachable, match="1 s are left"):
        one.post("/", b"")
    assert len(web.asked) == 1, "it was not even asked"
    clock.advance(2)
    one.post("/", b"")

    assert one.link == "connected"


def test_the_pause_may_be_a_date_and_a_mad_one_is_cut_short(stack: ExitStack) -> None:
    clock = ManualClock()
    date = email.utils.formatdate(clock.now() + 30, usegmt=True)
    web = server(stack, Said(503, headers=(("Retry-After", date),)))
    one = client(web.url, clock=clock)

    for left, said in ((30, "99999999999"), (MOST_PAUSE_S, "soon, I think")):
        with pytest.raises(Unreachable):
            one.post("/", b"")
        with pytest.raises(Unreachable, match=f"{left:.0f} s are left"):
            one.post("/", b"")
        clock.advance(left + 1)
        web.answer = lambda asked, said=said: Said(503, headers=(("Retry-After", said),))
    with pytest.raises(Unreachable, match="503"):
        one.post("/", b"")
    with pytest.raises(Unreachable, match="503 Service"):
        one.post("/", b"")


def test_nothing_there_is_unreachable_and_comes_back(stack: ExitStack) -> None:
    port = free_port()
    one = client(f"http://127.0.0.1:{port}")

    with pytest.raises(Unreachable, match="nothing listens") as caught:
        one.post("/", b"")

    assert caught.value.hint and one.link == "waiting"
    server(stack, port=port)
    one.post("/", b"")
    assert one.link == "connected"


@pytest.mark.parametrize(
    "answer", [b"", b"SSH-2.0-OpenSSH_9.2\r\n", b"\x15\x03\x01\x00\x02\x02\x46", b"HTTP/1.1 99\r\n"]
)
def test_what_is_no_http_is_unreachable_and_never_a_surprise(
    stack: ExitStack, answer: bytes
) -> None:
    liar = Liar(answer, hangs_up=True)
    stack.callback(liar.close)

    with pytest.raises(Unreachable) as caught:
        client(f"http://127.0.0.1:{liar.port}").post("/", b"body")

    assert caught.value.hint


@pytest.mark.parametrize(
    "pieces",
    [
        (b"HTTP/1.1 204 No Content\r\n", b"X: y\r\n"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b"."),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n.\r\n"),
    ],
    ids=["headers without end", "body without end", "chunks without end"],
)
def test_an_answer_that_drips_for_ever_ends_with_the_deadline(
    stack: ExitStack, pieces: tuple[bytes, ...]
) -> None:
    one = client(f"http://127.0.0.1:{drip(stack, *pieces).port}", whole_s=0.3)
    began = time.monotonic()

    with pytest.raises(Unreachable):
        one.post("/", b"")

    assert time.monotonic() - began < 2
    assert one.link == "waiting"


def test_a_handshake_that_drips_for_ever_ends_with_the_deadline(stack: ExitStack) -> None:
    # The head of a TLS record of 16 KiB (RFC 8446, 5.1), then a byte of it now and then.
    one = client(
        f"https://127.0.0.1:{drip(stack, bytes.fromhex('1603034000'), b'.').port}", whole_s=0.3
    )
    began = time.monotonic()

    with pytest.raises(Unreachable):
        one.post("/", b"")

    assert time.monotonic() - began < 2


def test_an_endless_good_answer_is_cut_and_counts(stack: ExitStack) -> None:
    web = server(stack, Said(200, b"x" * (3 * MOST_BYTES)))

    assert len(client(web.url).post("/", b"").body) == MOST_BYTES


def test_interrupting_ends_the_wait_and_all_that_follow(stack: ExitStack) -> None:
    silent = Drip(b"HTTP/1.1 ", pause_s=60)
    stack.callback(silent.close)
    one = client(f"http://127.0.0.1:{silent.port}")
    caught: list[BaseException] = []

    def post() -> None:
        try:
            one.post("/", b"")
        except PublishError as error:
            caught.append(error)

    thread = threading.Thread(target=post)
    thread.start()
    wait_for(lambda: one._sock is not None, "it is under way")
    one.interrupt()
    thread.join(5)

    assert isinstance(caught[0], Unreachable)
    with pytest.raises(Unreachable, match="closed"):
        one.post("/", b"")


class Tls:
    def __init__(self, folder: Path, name: str = "localhost") -> None:
        authority = Authority(folder / "authority")
        chain = authority.certificate(folder / "leaf", name=name)
        self.root = str(authority.root)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(chain / "fullchain.pem", chain / "privkey.pem")


def test_over_tls_a_server_whose_authority_we_know_gets_it(
    stack: ExitStack, tmp_path: Path
) -> None:
    tls = Tls(tmp_path)
    web = server(stack, context=tls.context)

    client(f"https://localhost:{web.port}", ca_file=tls.root).post("/write", b"body")

    assert web.asked[0].body == b"body"


@pytest.mark.parametrize("case", ["unknown authority", "another name", "no such file"])
def test_over_tls_nothing_is_said_to_whom_we_do_not_know(
    stack: ExitStack, tmp_path: Path, case: str
) -> None:
    tls = Tls(tmp_path, "elsewhere.example.org" if case == "another name" else "localhost")
    web = server(stack, context=tls.context)
    files = {"unknown authority": "", "another name": tls.root, "no such file": "/no/such.pem"}
    one = client(f"https://localhost:{web.port}", ca_file=files[case])

    with pytest.raises(Refused) as caught:
        one.post("/write", b"secret")

    assert "ca_file" in caught.value.hint and one.link == "refused"
    assert web.asked == []


def test_https_to_a_port_that_speaks_none_says_so(stack: ExitStack) -> None:
    web = server(stack)

    with pytest.raises((Refused, Unreachable)) as caught:
        client(f"https://127.0.0.1:{web.port}").post("/", b"")

    assert "https" in caught.value.hint


@pytest.mark.parametrize(
    ("url", "is_fine"),
    [
        ("https://influx.example.org", True), ("http://127.0.0.1:8086/path/", True),
        ("http://[fd00::1]:8086", True), ("influx.example.org", False),
        ("https://user:password@influx.example.org", False), ("https://", False),
        ("http://host:99999", False), ("http://host/a b", False), ("http://host/\r\nX: y", False),
        ("http://[fd00::1", False), ("http://host/#part", False),
    ],
)  # fmt: skip
def test_an_address_that_cannot_be_posted_to_is_told_from_one_that_can(
    url: str, is_fine: bool
) -> None:
    assert (wrong_url(url) == "") is is_fine


@pytest.mark.parametrize("held", [b"", b"\n", b"two\nlines", b"\xff", b"x" * 5000, "ü".encode()])
def test_a_file_that_holds_no_token_is_refused(tmp_path: Path, held: bytes) -> None:
    path = tmp_path / "token"
    path.write_bytes(held)

    with pytest.raises(Refused, match="token_file"):
        secret(str(path), "token_file")
    with pytest.raises(Refused, match="No such file"):
        secret(str(tmp_path / "none"), "token_file")


def test_a_token_is_read_without_the_lines_end_and_anew(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("abc==\n")
    first = secret(str(path), "token_file")
    path.write_text("def")

    assert (first, secret(str(path), "token_file")) == ("abc==", "def")


def test_many_requests_leave_nothing_open(stack: ExitStack) -> None:
    web = server(stack)
    one = client(web.url)
    before = threading.active_count()

    for _ in range(50):
        one.post("/", b"x")
    asked: list[Asked] = web.asked

    assert len(asked) == 50
    wait_for(lambda: threading.active_count() <= before, "the timers are gone")
    assert one._sock is None
