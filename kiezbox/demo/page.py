"""The demo's page and its switches, on loopback only.

A page in another tab must not press our switches: the ``Host`` must be ours (a name that a
stranger's DNS points at 127.0.0.1 is not), and what changes something must come from our own
page and as JSON, which no form of another site can send unasked.
"""

from __future__ import annotations

import errno
import json
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qs, urlsplit

from kiezbox.demo.kiez import Kiez, NoSuchSwitch
from kiezbox.errors import KiezboxError

#: path -> (file in ``web/``, its type)
FILES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/style.css": ("style.css", "text/css; charset=utf-8"),
    "/kiez.js": ("kiez.js", "text/javascript; charset=utf-8"),
    "/signs.js": ("signs.js", "text/javascript; charset=utf-8"),
    "/panel.js": ("panel.js", "text/javascript; charset=utf-8"),
    "/plan.svg": ("plan.svg", "image/svg+xml"),
}

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
        " connect-src 'self'; frame-src http://127.0.0.1:*; base-uri 'none';"
        " form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

#: A switch is a few words.
MOST_BODY = 4096


class Page:
    """Holds the port from the start; answers as soon as it has a Kiez."""

    def __init__(self, port: int) -> None:
        """Take the port.

        Raises:
            KiezboxError: it cannot be had.
        """
        try:
            self._server = _Server(("127.0.0.1", port), _Handler)
        except (OSError, OverflowError) as error:
            raise _no_port(port, error) from error
        self.port: int = self._server.server_address[1]
        self.address = f"http://127.0.0.1:{self.port}/"
        self._thread: threading.Thread | None = None

    def serve(self, kiez: Kiez) -> None:
        """Answer from now on, in threads of its own."""
        self._server.kiez = kiez
        self._server.hosts = {f"{name}:{self.port}" for name in ("127.0.0.1", "localhost")}
        if self.port == 80:
            self._server.hosts |= {"127.0.0.1", "localhost"}
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.1,), name="page", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Give the port back. Idempotent."""
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join(2)
            self._thread = None
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # Somebody's keep-alive connection must not hold up the end.
    block_on_close = False
    kiez: Kiez
    hosts: set[str]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that closed its tab is no news."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    server_version = "kiezbox-demo"
    sys_version = ""
    #: Seconds; an idle connection is closed after them.
    timeout = 60

    def do_GET(self) -> None:
        if not self._is_ours():
            return
        url = urlsplit(self.path)
        if url.path == "/kiez.json":
            selected = parse_qs(url.query).get("box", [None])[0]
            self._send_json(self.server.kiez.document(selected))
        elif url.path in FILES:
            name, kind = FILES[url.path]
            self._send(
                HTTPStatus.OK, files("kiezbox.demo").joinpath("web", name).read_bytes(), kind
            )
        else:
            self._refuse(HTTPStatus.NOT_FOUND, "There is nothing here.")

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > MOST_BODY:
            self.close_connection = True
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "That is no switch.")
            return
        body = self.rfile.read(int(length))
        if not (self._is_ours() and self._is_from_our_page()):
            return
        if self.path != "/switch":
            self._refuse(HTTPStatus.NOT_FOUND, "There is nothing here.")
            return
        try:
            order = json.loads(body)
            self.server.kiez.press(str(order["switch"]), str(order["box"]), order.get("value"))
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
            self._refuse(HTTPStatus.BAD_REQUEST, 'A switch is {"switch": …, "box": …, "value": …}.')
        except NoSuchSwitch as error:
            self._refuse(HTTPStatus.BAD_REQUEST, str(error))
        else:
            self._send_json({})

    def _is_ours(self) -> bool:
        """Whether the request was meant for this server; otherwise it is answered here."""
        if self.headers.get("Host", "").lower() in self.server.hosts:
            return True
        self._refuse(
            HTTPStatus.MISDIRECTED_REQUEST, f"The demo is at http://127.0.0.1:{self._port}/."
        )
        return False

    def _is_from_our_page(self) -> bool:
        origin = self.headers.get("Origin")
        is_our_origin = origin is None or origin.lower() in {
            f"http://{host}" for host in self.server.hosts
        }
        is_json = self.headers.get_content_type() == "application/json"
        if is_our_origin and is_json:
            return True
        self._refuse(HTTPStatus.FORBIDDEN, "Only the demo's own page may press its switches.")
        return False

    @property
    def _port(self) -> int:
        return int(self.server.server_address[1])

    def _send_json(self, document: Any) -> None:
        body = json.dumps(document, ensure_ascii=False).encode()
        self._send(HTTPStatus.OK, body, "application/json")

    def _refuse(self, status: HTTPStatus, sentence: str) -> None:
        body = json.dumps({"error": sentence}, ensure_ascii=False).encode()
        self._send(status, body, "application/json")

    def _send(self, status: HTTPStatus, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """The terminal is for one line."""


def _no_port(port: int, error: Exception) -> KiezboxError:
    number = error.errno if isinstance(error, OSError) else None
    if number == errno.EADDRINUSE:
        return KiezboxError(
            f"demo: port {port} is taken",
            hint=f"Take another: --port {port + 1 if port < 65535 else 8080}."
            f" (`ss -ltnp 'sport = :{port}'` shows who has it; perhaps another demo.)",
        )
    if number == errno.EACCES:
        return KiezboxError(
            f"demo: port {port} is for root only", hint="Take one from 1024 up: --port 8080."
        )
    return KiezboxError(f"demo: cannot listen on port {port}: {error}", hint="Try --port 8080.")
