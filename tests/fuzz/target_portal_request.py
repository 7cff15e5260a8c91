"""The portal's requests: bytes from anybody who joins the WLAN.

Fed in one piece and in two, which must be the same: a network cuts where it likes.
"""

from __future__ import annotations

from kiezbox.portal.request import MOST_AT_ONCE, MOST_BODY, BadRequest, Reader, Request

HOST = b"Host: box\r\n"

SEEDS = [
    b"GET /generate_204 HTTP/1.1\r\nUser-Agent: Dalvik/2.1.0\r\nHost: connectivitycheck.gstatic.com"
    b"\r\nConnection: Keep-Alive\r\nAccept-Encoding: gzip\r\n\r\n",
    b"GET http://www.msftconnecttest.com/redirect?x=1#y HTTP/1.0\r\n" + HOST + b"\r\n",
    b"POST /stay HTTP/1.1\r\nHost: [::1]:80\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"
    b"bodyGET / HTTP/1.1\r\n" + HOST + b"\r\n",
    b"POST / HTTP/1.1\r\n"
    + HOST
    + b"Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nA: b\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + HOST + b"Connection: upgrade\r\nUpgrade: h2c\r\n\r\nPRI * HTTP/2.0\r\n",
]

Found = tuple[list[tuple[str, ...]], int]


def one(data: bytes) -> None:
    """Nothing but requests, "not yet" or BadRequest comes out."""
    whole = _fed(data)
    middle = len(data) // 2
    assert _fed(data[:middle], data[middle:]) == whole


def _fed(*pieces: bytes) -> Found:
    reader, status = Reader(), 0
    for piece in pieces:
        if reader.is_over:
            break
        try:
            reader.feed(piece)
        except BadRequest as error:
            status = error.status
            assert status in (400, 413, 431, 505)
            assert reader.is_over
        reader.wants_to_be_told()
    assert len(reader.requests) <= MOST_AT_ONCE
    return [_checked(request) for request in reader.requests], status


def _checked(request: Request) -> tuple[str, ...]:
    assert request.method.isascii() and request.method.replace("-", "").isalpha()
    assert request.host == request.host.lower() and not set(request.host) & set("/\\@?# \r\n\0")
    assert not set(request.path) & set("?# \r\n\0")
    assert len(request.body) <= MOST_BODY
    assert all(name == name.lower() for name in request.headers)
    assert not any(set(value) & set("\r\n\0") for value in request.headers.values())
    return request.method, request.host, request.path, request.query, request.body.decode("latin-1")
