"""Bytes that phones send, and bytes that nobody should."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiezbox.portal.request import MOST_BYTES, BadRequest, Request, parse

#: As Android's NetworkStack sends it (shared/reference/captive-portal.md, 2.3).
ANDROID = (
    b"GET /generate_204 HTTP/1.1\r\n"
    b"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/60.0.3112.32\r\n"
    b"Host: connectivitycheck.gstatic.com\r\n"
    b"Connection: close\r\nAccept-Encoding: gzip\r\n\r\n"
)


def parsed(received: bytes) -> Request:
    request = parse(received)
    assert request is not None
    return request


def test_method_path_and_headers_are_read() -> None:
    request = parsed(ANDROID)

    assert (request.method, request.path) == ("GET", "/generate_204")
    assert request.headers["host"] == "connectivitycheck.gstatic.com"
    assert request.headers["accept-encoding"] == "gzip"


@pytest.mark.parametrize("end", range(len(ANDROID)))
def test_a_request_cut_at_any_byte_is_not_there_yet(end: int) -> None:
    assert parse(ANDROID[:end]) is None


@pytest.mark.parametrize(
    "target, path",
    [
        ("/", "/"),
        ("/en?utm=1", "/en"),
        ("/#now", "/"),
        ("http://www.msftconnecttest.com/redirect", "/redirect"),
        ("HTTP://box", "/"),
        ("*", "*"),
        ("/a?u=http://x/", "/a"),
    ],
)
def test_the_path_is_found_in_every_form_of_target(target: str, path: str) -> None:
    # RFC 9112, 3.2: origin-form, absolute-form, asterisk-form.
    assert parsed(f"GET {target} HTTP/1.1\r\n\r\n".encode()).path == path


def test_bare_line_feeds_end_lines_too() -> None:
    # RFC 9112, 2.2: a recipient MAY recognize a single LF as a line terminator.
    request = parsed(b"GET /en HTTP/1.0\nHost: box\n\nbody")

    assert (request.path, request.headers) == ("/en", {"host": "box"})


@pytest.mark.parametrize(
    "received",
    [
        b"\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET / HTTP/2\r\n\r\n",
        b"GET /  HTTP/1.1\r\n\r\n",
        b"GET / SIP/2.0\r\n\r\n",
        b"G3T / HTTP/1.1\r\n\r\n",
        b"\xc3\x84 / HTTP/1.1\r\n\r\n",
        b"%s / HTTP/1.1\r\n\r\n" % (b"A" * 17),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",  # a TLS ClientHello
    ],
)
def test_what_is_not_http_1_is_refused(received: bytes) -> None:
    with pytest.raises(BadRequest) as refused:
        parse(received)

    assert refused.value.status == 400


def test_headers_without_end_are_refused_once_they_are_too_long() -> None:
    endless = b"GET / HTTP/1.1\r\nX: "

    assert parse(endless.ljust(MOST_BYTES, b"a")) is None
    with pytest.raises(BadRequest) as refused:
        parse(endless.ljust(MOST_BYTES + 1, b"a"))
    assert refused.value.status == 431


def test_a_long_body_is_not_a_long_header() -> None:
    request = parsed(b"POST / HTTP/1.1\r\nContent-Length: 99999\r\n\r\n" + b"x" * 99999)

    assert request.method == "POST"


def test_lines_that_are_no_headers_are_passed_over() -> None:
    request = parsed(b"GET / HTTP/1.1\r\nnonsense\r\n folded\r\n: empty\r\nHost: box\r\n\r\n")

    assert request.headers["host"] == "box"


@given(st.binary(max_size=400))
@settings(max_examples=300, deadline=None)
def test_no_bytes_break_the_parser(data: bytes) -> None:
    from fuzz.target_portal_request import one

    one(data)
    one(ANDROID[:20] + data)
    one(b"GET / HTTP/1.1\r\n" + data + b"\r\n\r\n")
