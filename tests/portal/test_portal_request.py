"""Bytes that phones send, and bytes that nobody should (RFC 9110, RFC 9112)."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiezbox.portal.request import MOST_AT_ONCE, MOST_BODY, BadRequest, Reader, Request

#: As Android's NetworkStack sends it (shared/reference/captive-portal.md, 2.3).
ANDROID = (
    b"GET /generate_204 HTTP/1.1\r\n"
    b"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/60.0.3112.32\r\n"
    b"Host: connectivitycheck.gstatic.com\r\n"
    b"Connection: close\r\nAccept-Encoding: gzip\r\n\r\n"
)

HOST = b"Host: box\r\n"


def read(received: bytes) -> Reader:
    reader = Reader()
    reader.feed(received)
    return reader


def parsed(received: bytes) -> Request:
    (request,) = read(received).requests
    return request


def refused(received: bytes) -> int:
    reader = Reader()
    with pytest.raises(BadRequest) as error:
        reader.feed(received)
    assert reader.is_over
    return error.value.status


def test_method_host_path_and_headers_are_read() -> None:
    request = parsed(ANDROID)

    assert (request.method, request.host) == ("GET", "connectivitycheck.gstatic.com")
    assert (request.path, request.query, request.body) == ("/generate_204", "", b"")
    assert request.headers["accept-encoding"] == "gzip"
    assert request.is_last


@pytest.mark.parametrize("end", range(len(ANDROID)))
def test_a_request_cut_at_any_byte_is_there_when_the_rest_comes(end: int) -> None:
    reader = read(ANDROID[:end])
    assert reader.requests == []
    assert reader.is_between() == (end == 0)

    reader.feed(ANDROID[end:])

    (request,) = reader.requests
    whole = parsed(ANDROID)
    assert (request.path, request.headers) == (whole.path, whole.headers)


@pytest.mark.parametrize(
    "target, found",
    [
        ("/", ("box", "/", "")),
        ("/en?utm=1", ("box", "/en", "utm=1")),
        ("/#now", ("box", "/", "")),
        ("http://www.msftconnecttest.com/redirect", ("www.msftconnecttest.com", "/redirect", "")),
        ("HTTP://Other:80?x=1", ("other", "/", "x=1")),
        ("http://other", ("other", "/", "")),
        ("*", ("box", "*", "")),
        ("/a?u=http://x/", ("box", "/a", "u=http://x/")),
        ("//evil/path", ("box", "//evil/path", "")),
    ],
)
def test_host_path_and_query_are_found_in_every_form_of_target(
    target: str, found: tuple[str, str, str]
) -> None:
    # RFC 9112, 3.2: origin-form, absolute-form (whose host counts), asterisk-form.
    request = parsed(f"GET {target} HTTP/1.1\r\nHost: Box:8081\r\n\r\n".encode())

    assert (request.host, request.path, request.query) == found


@pytest.mark.parametrize(
    "header, host",
    [
        ("KIEZBOX.internal:80", "kiezbox.internal"),
        ("kiezbox.internal.", "kiezbox.internal"),
        ("[fd00::1]:80", "fd00::1"),
        ("[::1]", "::1"),
        ("198.51.100.1", "198.51.100.1"),
        ("", ""),
    ],
)
def test_a_host_is_compared_without_case_port_and_brackets(header: str, host: str) -> None:
    assert parsed(f"GET / HTTP/1.1\r\nHost: {header}\r\n\r\n".encode()).host == host


@pytest.mark.parametrize("host", ["a/b", "user@box", "bo x", "b\u00f6x", "box?x", "../etc"])
def test_a_host_that_can_be_none_is_refused(host: str) -> None:
    # RFC 9112, 3.2: a server MUST respond with 400 to an invalid field value.
    assert refused(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()) == 400


def test_only_http_1_0_may_come_without_a_host() -> None:
    assert parsed(b"GET / HTTP/1.0\r\n\r\n").host == ""
    assert refused(b"GET / HTTP/1.1\r\n\r\n") == 400


def test_the_body_of_a_post_is_read() -> None:
    request = parsed(b"POST /stay HTTP/1.1\r\n" + HOST + b"Content-Length: 7\r\n\r\ntoken=1")

    assert request.body == b"token=1"


def test_a_chunked_body_is_put_together() -> None:
    # RFC 9112, 7.1, with an extension and a trailer.
    request = parsed(
        b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
        b"3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: x\r\n\r\n"
    )

    assert request.body == b"abcde"


def test_other_methods_bodies_are_read_away() -> None:
    reader = read(b"PUT / HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\n\r\nabcGET /2 HTTP/1.1\r\n"
                  + HOST + b"\r\n")  # fmt: skip

    assert [(each.method, each.path, each.body) for each in reader.requests] == [
        ("PUT", "/", b""),
        ("GET", "/2", b""),
    ]


TOO_LONG = b"x" * (MOST_BODY + 1)


@pytest.mark.parametrize(
    "received, status",
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),  # a TLS ClientHello
        (b"GET\r\n\r\n", 400),
        (b"GET /\r\n\r\n", 505),
        (b"GET / HTTP/2.0\r\n" + HOST + b"\r\n", 505),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + HOST + b"X: 1\r\n folded\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + HOST + b"X: a\0b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + HOST + b"X : a\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + HOST + b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\n" + b"Host: box\n\n", 400),
        (b"G3T / HTTP/1.1\r\n" + HOST + b"\r\n", 400),
        (b"GET /\xc3\xa4 HTTP/1.1\r\n" + HOST + b"\r\n", 400),
        (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\na", 400),
        (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 99999999999999999999\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 12289\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
         400),
        (b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n3001\r\n" + TOO_LONG,
         413),
        (b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 16384, 431),
        (b"GET /" + b"a" * 17000, 431),
        (b"GET / HTTP/1.1\r\n" + HOST + b"".join(b"X%d: y\r\n" % n for n in range(200)) + b"\r\n",
         431),
    ],
)  # fmt: skip
def test_what_is_not_http_1_is_refused(received: bytes, status: int) -> None:
    assert refused(received) == status


def test_what_came_before_the_nonsense_is_a_request_all_the_same() -> None:
    reader = Reader()

    with pytest.raises(BadRequest):
        reader.feed(b"GET /1 HTTP/1.1\r\n" + HOST + b"\r\nNONSENSE\r\n\r\n")

    assert [each.path for each in reader.requests] == ["/1"]


def test_headers_and_chunks_without_end_are_refused_in_time() -> None:
    for beginning, status in (
        (b"GET / HTTP/1.1\r\nX: ", 431),
        (b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n1;", 413),
    ):
        reader = read(beginning)

        with pytest.raises(BadRequest) as error:
            for _ in range(40):
                reader.feed(b"a" * 1000)

        assert error.value.status == status


def test_an_upgrade_is_answered_as_if_it_were_not_asked_for_and_ends_the_connection() -> None:
    # As Java's HttpClient begins on http:// (RFC 9110, 7.8: a server MAY ignore it).
    reader = read(
        b"GET /en HTTP/1.1\r\n" + HOST + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
        b"HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABk\r\n\r\nPRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    )

    assert [each.path for each in reader.requests] == ["/en"]
    assert reader.is_over


def test_so_many_requests_in_one_breath_and_no_more_are_taken() -> None:
    reader = read((b"GET / HTTP/1.1\r\n" + HOST + b"\r\n") * 1000)

    assert len(reader.requests) == MOST_AT_ONCE
    assert reader.is_over


def test_continue_is_to_be_said_once_and_only_for_a_body_that_waits() -> None:
    asking = b"POST / HTTP/1.1\r\n" + HOST + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n"

    reader = read(asking)
    assert reader.wants_to_be_told()
    assert not reader.wants_to_be_told()

    assert not read(asking[:-2]).wants_to_be_told()
    assert not read(asking + b"ab").wants_to_be_told()
    assert not read(asking.replace(b"1.1", b"1.0")).wants_to_be_told()


LEAN = """
import sys
from kiezbox.portal.request import Reader, request_parser
Reader()
assert "typing" not in sys.modules, "typing"
assert "httptools" not in sys.modules, "httptools"
import httptools
import typing
assert httptools.HttpRequestParser is request_parser()
assert typing.Optional[int] == int | None
"""


def test_the_parser_is_httptools_own_without_what_its_python_half_loads() -> None:
    # -S: nobody's sitecustomize or editable finder has loaded typing before.
    code = f"import sys\nsys.path[:] = {sys.path!r}\n{LEAN}"

    subprocess.run([sys.executable, "-S", "-c", code], check=True, timeout=20)


@given(st.binary(max_size=400))
@settings(max_examples=200, deadline=None)
def test_no_bytes_break_the_parser(data: bytes) -> None:
    from fuzz.target_portal_request import one

    one(data)
    one(ANDROID[:20] + data)
    one(b"GET / HTTP/1.1\r\n" + data + b"\r\n\r\n")
