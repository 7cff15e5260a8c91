"""Reading one HTTP request: a pure function over bytes, for the doorway (RFC 9112).

Only what is needed to answer is understood: method, path, and the headers by their lower-case
names. Bodies are never read.
"""

from __future__ import annotations

__all__ = ["MOST_BYTES", "BadRequest", "Request", "parse"]

#: Request line and headers. Phones send under 1 KiB.
MOST_BYTES = 8192


class BadRequest(Exception):
    """This is not HTTP. ``status`` is what to answer."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Request:
    """What was asked. ``path`` is without the query, as it came: not decoded."""

    __slots__ = ("headers", "method", "path")

    def __init__(self, method: str, path: str, headers: dict[str, str]) -> None:
        self.method = method
        self.path = path
        self.headers = headers


def parse(received: bytes) -> Request | None:
    """The request at the beginning of what was received; None: not all of it is here yet.

    Raises:
        BadRequest: what came can never become a request.
    """
    end = _end_of_headers(received)
    if end < 0:
        if len(received) > MOST_BYTES:
            raise BadRequest(431)
        return None
    if end > MOST_BYTES:
        raise BadRequest(431)
    # Latin-1 never fails; bytes that mean nothing in it are compared with nothing either.
    first, *lines = received[:end].decode("latin-1").splitlines() or [""]
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise BadRequest(400)
    method, target, _ = words
    if not (method.isascii() and method.isalpha() and 0 < len(method) <= 16):
        raise BadRequest(400)
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            # The first of several counts; nothing here is a list that must be joined.
            headers.setdefault(name.lower(), value.strip())
    return Request(method, _path(target), headers)


def _end_of_headers(received: bytes) -> int:
    """Where the headers end, or -1. A bare line feed ends a line too (RFC 9112, 2.2)."""
    ends = [end for end in (received.find(b"\r\n\r\n"), received.find(b"\n\n")) if end >= 0]
    return min(ends, default=-1)


def _path(target: str) -> str:
    """The path alone, also of ``http://host/path``."""
    if "://" in target[:8]:
        target = "/" + target.partition("://")[2].partition("/")[2]
    return target.partition("?")[0].partition("#")[0]
