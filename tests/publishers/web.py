"""A web server on loopback that answers as it is told, and remembers what it was sent."""

from __future__ import annotations

import gzip
import http.server
import socket
import ssl
import threading
from collections.abc import Callable
from typing import NamedTuple

from broker import LIMIT_S


class Asked(NamedTuple):
    """One request; ``body`` as it is after Content-Encoding."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


class Said(NamedTuple):
    """One answer."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


class WebServer:
    """A real HTTP/1.1 server; ``answer`` is asked for each request."""

    def __init__(
        self,
        answer: Callable[[Asked], Said],
        *,
        context: ssl.SSLContext | None = None,
        port: int = 0,
    ) -> None:
        self.asked: list[Asked] = []
        self.answer = answer
        self._context = context
        self.port = port
        self._server: http.server.ThreadingHTTPServer | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"{'https' if self._context else 'http'}://127.0.0.1:{self.port}"

    def start(self) -> None:
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            timeout = LIMIT_S

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                headers = {name.lower(): value for name, value in self.headers.items()}
                asked = Asked(self.command, self.path, headers, body)
                said = outer.answer(asked)
                outer.asked.append(asked)
                self.send_response(said.status)
                for name, value in said.headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(said.body)))
                self.end_headers()
                self.wfile.write(said.body)

            def log_message(self, *_: object) -> None: ...

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None: ...

        self._server = Server(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_address[1]
        if self._context is not None:
            self._server.socket = self._context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    close = stop


class Drip:
    """Sends these pieces to whoever connects, one every ``pause_s``, for ever the last one."""

    def __init__(self, *pieces: bytes, pause_s: float = 0.02) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._pieces, self._pause_s = pieces, pause_s
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._is_over.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            with sock:
                try:
                    for piece in self._pieces:
                        sock.sendall(piece)
                    while not self._is_over.wait(self._pause_s):
                        sock.sendall(self._pieces[-1])
                except OSError:
                    continue

    def close(self) -> None:
        self._is_over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(LIMIT_S)
