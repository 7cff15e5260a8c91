"""An HTTP server on loopback: files by path, with tags, and with every way to fail."""

from __future__ import annotations

import gzip
import json
import socket
import threading
from typing import Any
from urllib.parse import unquote


class Server:
    """``files`` by path without the first "/"; ``asked`` has every request as (path, headers)."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        #: What goes out instead of an answer: path → raw bytes, or None: nothing, for ever.
        self.raw: dict[str, bytes | None] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.is_zipping = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/"

    def put(self, path: str, content: Any) -> None:
        """Bytes as they are, everything else as JSON."""
        self.files[path] = content if isinstance(content, bytes) else json.dumps(content).encode()

    def count(self, path: str) -> int:
        """How often it was asked for."""
        return sum(asked == path for asked, _ in self.asked)

    def __enter__(self) -> Server:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        for each in (self._listener, *self._open):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            each.close()
        for thread in self._threads:
            thread.join(5)

    def _start(self, run: Any, *arguments: Any) -> None:
        thread = threading.Thread(target=run, args=arguments, name="served", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(connection)
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        try:
            head = b""
            while b"\r\n\r\n" not in head:
                piece = connection.recv(65536)
                if not piece:
                    return
                head += piece
            first, *lines = head.decode("latin-1").split("\r\n")
            path = unquote(first.split(" ")[1]).lstrip("/")
            headers = {n.lower(): v for n, _, v in (line.partition(": ") for line in lines) if n}
            self.asked.append((path, headers))
            if path in self.raw:
                raw = self.raw[path]
                if raw is None:
                    connection.recv(1)  # until the other side has had enough
                    return
                connection.sendall(raw)
                if isinstance(raw, Held):
                    connection.recv(1)
            else:
                connection.sendall(self._answer(path, headers))
        except OSError:
            pass
        finally:
            connection.close()

    def _answer(self, path: str, headers: dict[str, str]) -> bytes:
        body = self.files.get(path)
        if body is None:
            return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        tag = f'"{hash(body) & 0xFFFFFFFF:08x}"'
        if headers.get("if-none-match") == tag:
            return b"HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n"
        more = ""
        if self.is_zipping and "gzip" in headers.get("accept-encoding", ""):
            body, more = gzip.compress(body), "Content-Encoding: gzip\r\n"
        head = (
            f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nETag: {tag}\r\n{more}"
            "Connection: close\r\n\r\n"
        )
        return head.encode() + body


class Held(bytes):
    """Sent, and then the connection stays open."""
