"""One GET, bounded in bytes and in time, over TLS.

``urllib`` bounds each wait but not their sum, so a server that sends a byte every nine seconds
would hold it for ever; here a timer shuts the connection when the whole answer is due.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import zlib
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

from kiezbox import __version__
from kiezbox.errors import SourceError
from kiezbox.settings.sources import wrong_url

__all__ = ["Fetched", "Web"]

#: How often an answer may point elsewhere.
MOST_REDIRECTS = 3

_MOVED = (301, 302, 303, 307, 308)


class Fetched(NamedTuple):
    """``is_new``: False if the server says it has not changed (304); then there is no body.
    ``tag`` and ``modified`` are to be given back the next time (RFC 9110, 13.1).
    """

    body: bytes
    tag: str
    modified: str
    is_new: bool = True


class Web:
    """For one thread, but for ``interrupt``. Each answer has its own connection."""

    def __init__(self, *, timeout_s: float, most_bytes: int) -> None:
        self._timeout_s = timeout_s
        self._most_bytes = most_bytes
        self._connection: http.client.HTTPConnection | None = None
        self._is_over = self._is_closed = False

    def get(self, url: str, *, tag: str = "", modified: str = "") -> Fetched:
        """The answer in full.

        Raises:
            SourceError: not here in time, too long, cut off, or another status than 200 or 304.
        """
        self._is_over = False
        timer = threading.Timer(self._timeout_s, self._end)
        timer.daemon = True
        timer.start()
        try:
            for _ in range(MOST_REDIRECTS + 1):
                if self._is_closed:
                    raise SourceError("the box is being stopped")
                found = self._once(url, tag, modified)
                if isinstance(found, Fetched):
                    return found
                url = _checked(urljoin(url, found))
            raise SourceError(f"{url}: points elsewhere again and again", kind="refused")
        except (OSError, http.client.HTTPException, ValueError) as error:
            if isinstance(error, SourceError):
                raise
            why = f"no whole answer in {self._timeout_s:g} s" if self._is_over else _said(error)
            raise SourceError(
                f"{url}: {why}", hint="Has the box the internet, and is the address right?"
            ) from error
        finally:
            timer.cancel()
            self._connection = None

    def interrupt(self) -> None:
        """Whoever waits for an answer waits no more, and there are no further ones. From another
        thread.
        """
        self._is_closed = True
        self._end()

    def _end(self) -> None:
        self._is_over = True
        connection = self._connection
        sock = connection.sock if connection is not None else None
        if sock is not None:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def _once(self, url: str, tag: str, modified: str) -> Fetched | str:
        """The answer, or where it is to be had."""
        parts = urlsplit(_checked(url))
        assert parts.hostname is not None
        connection = self._connection = _connect(parts.scheme, parts.hostname, parts.port, self)
        try:
            asked = {"User-Agent": f"Kiezbox/{__version__}", "Accept-Encoding": "gzip"}
            asked |= {"If-None-Match": tag} if tag else {}
            asked |= {"If-Modified-Since": modified} if modified else {}
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("GET", path, headers=asked)
            answer = connection.getresponse()
            if answer.status in _MOVED:
                return answer.getheader("Location", "")
            if answer.status == 304 and (tag or modified):
                return Fetched(b"", tag, modified, is_new=False)
            if answer.status != 200:
                raise SourceError(
                    f"{url}: status {answer.status}",
                    hint="404: is the area's key right? 5xx: their trouble, it passes.",
                    kind="refused",
                )
            body = self._body(url, answer)
            return Fetched(
                body, answer.getheader("ETag", "")[:200], answer.getheader("Last-Modified", "")[:80]
            )
        finally:
            connection.close()

    def _body(self, url: str, answer: http.client.HTTPResponse) -> bytes:
        pieces, size = [], 0
        while piece := answer.read(65536):
            size += len(piece)
            if size > self._most_bytes:
                raise self._too_long(url)
            pieces.append(piece)
        if self._is_over:
            # The socket was shut: what looks like the end of the answer may be none.
            raise TimeoutError
        # http.client notices a cut answer only where it is read at once.
        declared = answer.getheader("Content-Length", "")
        if declared.isdecimal() and int(declared) != size:
            raise SourceError(f"{url}: cut off after {size} of {declared} bytes")
        body = b"".join(pieces)
        if answer.getheader("Content-Encoding", "").lower() != "gzip":
            return body
        # 31: a gzip frame (zlib.h, inflateInit2). Bounded, or a few kB could become a gigabyte.
        unpacker = zlib.decompressobj(31)
        try:
            body = unpacker.decompress(body, self._most_bytes + 1)
        except zlib.error as error:
            raise SourceError(f"{url}: {error}", kind="garbled") from error
        if len(body) > self._most_bytes:
            raise self._too_long(url)
        if not unpacker.eof:
            raise SourceError(f"{url}: the answer is cut off", kind="garbled")
        return body

    def _too_long(self, url: str) -> SourceError:
        return SourceError(
            f"{url}: more than {self._most_bytes >> 20} MiB",
            hint="most_mib allows more; a list for a smaller area is shorter.",
            kind="too-long",
        )


def _connect(scheme: str, host: str, port: int | None, web: Web) -> http.client.HTTPConnection:
    # Each single wait; the sum of them is the timer's.
    wait_s = web._timeout_s
    if scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(host, port, timeout=wait_s, context=context)
    return http.client.HTTPConnection(host, port, timeout=wait_s)


def _checked(url: str) -> str:
    wrong = wrong_url(url)
    if wrong:
        raise SourceError(f"{url[:200]!r} {wrong}", kind="refused")
    return url


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__
