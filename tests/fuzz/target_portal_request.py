"""The doorway's request parser: bytes from anybody who joins the WLAN."""

from __future__ import annotations

from kiezbox.portal.request import MOST_BYTES, BadRequest, parse

SEEDS = [
    b"GET /generate_204 HTTP/1.1\r\nUser-Agent: Dalvik/2.1.0\r\nHost: connectivitycheck.gstatic.com"
    b"\r\nConnection: Keep-Alive\r\nAccept-Encoding: gzip\r\n\r\n",
    b"GET http://www.msftconnecttest.com/redirect?x=1#y HTTP/1.0\nHost: box\n\n",
    b'POST /en HTTP/1.1\r\nContent-Length: 4\r\nIf-None-Match: W/"0", *\r\n\r\nbody',
]


def one(data: bytes) -> None:
    """Nothing but a request, "not yet" or BadRequest comes out."""
    try:
        request = parse(data)
    except BadRequest as error:
        assert error.status in (400, 431)
        return
    if request is None:
        assert len(data) <= MOST_BYTES
        return
    assert request.method.isascii() and request.method.isalpha()
    assert "?" not in request.path and "#" not in request.path
    assert all(name == name.lower() for name in request.headers)
