"""A very small web server for one page: bounded in connections, bytes and time.

Whoever asks gets one answer and a closed connection. A client that sends its request a byte at a
time, or does not read, holds its place for ``WHOLE_S`` at most; while all places are taken, the one
that came first has to go.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

__all__ = ["Listener", "Page"]

log = logging.getLogger("kiezbox")

#: Connections at once.
MOST = 8

#: Seconds for the whole of a request and its answer.
WHOLE_S = 5.0

#: Bytes of a request: its line and its headers.
MOST_BYTES = 8192

_PHRASES = {200: "OK", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed"}


class Page(NamedTuple):
    """An answer."""

    status: int
    content_type: str
    body: bytes


class Listener:
    """``answer(target)`` is called in threads of its own, for each GET and HEAD."""

    def __init__(self, host: str, port: int, answer: Callable[[str], Page]) -> None:
        """Raises:
        OSError: the port is taken, or the address is none of ours.
        """
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.create_server((host, port), family=family, backlog=64)
        self.port: int = self._socket.getsockname()[1]
        self._answer = answer
        self._open: dict[socket.socket, None] = {}
        self._lock = threading.Lock()
        self._is_closed = False
        self._thread = threading.Thread(target=self._accept, name="listener", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop, also in the middle of an answer. Idempotent."""
        self._is_closed = True
        with suppress(OSError):
            # Wakes the thread that waits in accept().
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        with self._lock:
            for client in self._open:
                _shut(client)
        self._thread.join(WHOLE_S)

    def _accept(self) -> None:
        while not self._is_closed:
            try:
                client, _ = self._socket.accept()
            except OSError as error:
                if not self._is_closed:
                    # Out of file descriptors, most likely: others close some.
                    log.warning("publishers: cannot take a connection: %s", error)
                    time.sleep(0.2)
                continue
            with self._lock:
                if len(self._open) >= MOST:
                    oldest = next(iter(self._open))
                    del self._open[oldest]
                    _shut(oldest)
                self._open[client] = None
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        until = time.monotonic() + WHOLE_S
        try:
            asked = _request(client, until)
            if asked is not None:
                self._send(client, asked, until)
        except OSError as error:
            log.debug("publishers: a client went: %s", error)
        finally:
            with self._lock:
                self._open.pop(client, None)
            client.close()

    def _send(self, client: socket.socket, asked: bytes, until: float) -> None:
        words = asked.split(b"\r\n", 1)[0].split(b" ")
        text = "text/plain; charset=utf-8"
        if len(words) != 3 or not words[2].startswith(b"HTTP/1."):
            page = Page(400, text, b"This is no request\n")
        elif words[0] not in (b"GET", b"HEAD"):
            page = Page(405, text, b"Only GET and HEAD\n")
        else:
            page = self._answer(words[1].decode("latin-1"))
        head = (
            f"HTTP/1.1 {page.status} {_PHRASES[page.status]}\r\nContent-Type: {page.content_type}"
            f"\r\nContent-Length: {len(page.body)}\r\nConnection: close\r\n"
            + ("Allow: GET, HEAD\r\n" if page.status == 405 else "")
            + "Cache-Control: no-store\r\n\r\n"
        ).encode()
        _send_all(client, head + (b"" if words[0] == b"HEAD" else page.body), until)


def _request(client: socket.socket, until: float) -> bytes | None:
    """Line and headers, or None: it hung up, was too slow, or said too much."""
    said = b""
    while b"\r\n\r\n" not in said:
        left_s = until - time.monotonic()
        if left_s <= 0 or len(said) > MOST_BYTES:
            return None
        client.settimeout(left_s)
        piece = client.recv(4096)
        if not piece:
            return None
        said += piece
    return said


def _send_all(client: socket.socket, data: bytes, until: float) -> None:
    # sendall() bounds the whole of it by the time-out.
    client.settimeout(max(0.01, until - time.monotonic()))
    client.sendall(data)
    client.shutdown(socket.SHUT_WR)


def _shut(client: socket.socket) -> None:
    with suppress(OSError):
        client.shutdown(socket.SHUT_RDWR)
