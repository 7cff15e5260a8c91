"""Behind the responder: Flask on waitress, for what takes long.

It runs in threads of this process and is reached over a Unix socket, one whole request and one
whole answer at a time, so that no guest's slowness ever reaches it. It is loaded when the first
visitors have been served (0.2 s on a computer, seconds on a small box).

The socket has an address that the kernel has chosen, in no file system. In its unit the process is
alone in its network, and nobody else can reach it; where it is not, whoever connects lacks the
secret, without which nothing is answered. So the client's address, which goes along in a header,
cannot be forged: neither by a guest, whose headers of that name are dropped, nor by a program.
"""

from __future__ import annotations

import _socket
import errno
import gc
import os
import sys

from kiezbox.portal.answered import Answer
from kiezbox.portal.prepared import Wire
from kiezbox.portal.request import response_parser

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from kiezbox.portal.request import Request
    from kiezbox.portal.responder import Responder
    from kiezbox.portal.visit import Visit

    #: A WSGI application (PEP 3333).
    Application = Callable[..., Any]

__all__ = ["MOST_ANSWER", "Behind", "behind_the_door"]

#: Longest answer, which is held in memory as a whole.
MOST_ANSWER = 262_144

#: Requests that wait for their turn; further ones are refused.
MOST_WAITING = 64

#: Of a connection and not of a message (RFC 9110, 7.6.1), or said anew here; and what only a
#: trusted proxy may say, of which there is none.
_DROPPED = frozenset(
    "connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer"
    " transfer-encoding upgrade content-length expect host forwarded via x-real-ip date server"
    .split()
)  # fmt: skip
_DROPPED_KINDS = ("x-forwarded-", "x-kiezbox-")

#: What waitress may take from us; we have looked at it before.
_WAITRESS = {
    "ident": None,
    "connection_limit": 256,
    "channel_timeout": 30,
    "cleanup_interval": 30,
    # It looks around so often though nothing happens (seconds; 1 by default): a box sleeps.
    "asyncore_loop_timeout": 3600,
    "max_request_header_size": 32768,
    "max_request_body_size": 65536,
    "asyncore_use_poll": True,
    "clear_untrusted_proxy_headers": True,
}


class _Errand:
    """One request on its way there and back."""

    __slots__ = ("request", "reply", "socket", "visit")

    def __init__(self, visit: Visit, request: Request) -> None:
        self.visit = visit
        self.request = request
        self.socket: _socket.socket | None = None
        self.reply = _Reply()


class Behind:
    """Carries requests to the application and answers back, for one responder."""

    def __init__(
        self, responder: Responder, application: Callable[[], Application], *, threads: int = 8
    ) -> None:
        """``application`` is called in a thread of its own, once, and may import a lot."""
        self._responder = responder
        self._application = application
        self._threads = threads
        self._secret = os.urandom(16).hex()
        self._address = b""
        #: "no", "loading", "ready", "missing"
        self._state = "no"
        self._waiting: dict[Visit, _Errand] = {}
        self._away: dict[Visit, _Errand] = {}

    # --- loading ---------------------------------------------------------------------------------

    def load(self) -> None:
        """Begin to load; idempotent."""
        if self._state == "no":
            import threading

            self._state = "loading"
            threading.Thread(target=self._load, name="flask", daemon=True).start()

    def _load(self) -> None:
        try:
            server = self._server()
        except ImportError as error:
            # A page without Flask is worth more to the street than an error message.
            print(
                f"kiezbox portal: {error.name} is not installed; some pages are not to be had\n"
                "         pip install 'kiezbox[portal]'",
                file=sys.stderr,
                flush=True,
            )
            self._state = "missing"
        else:
            # What was loaded stays: the collector need not walk through it again and again.
            gc.freeze()
            self._state = "ready"
        self._responder.ring()
        if self._state == "ready":
            server.run()

    def _server(self) -> Any:
        import logging
        import socket

        from waitress.server import create_server

        # It counts its queue aloud; a full house is not worth a line per visitor on the card.
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        application = behind_the_door(self._application(), self._secret)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind("")  # The kernel chooses (unix(7), autobind).
        listener.listen(256)
        self._address = listener.getsockname()
        return create_server(application, sockets=[listener], threads=self._threads, **_WAITRESS)

    # --- errands ---------------------------------------------------------------------------------

    def ask(self, visit: Visit, request: Request) -> bool:
        """The answer comes to ``Responder.answer``, later and never at once; False: it will not."""
        if self._state == "missing" or len(self._waiting) >= MOST_WAITING:
            return False
        self._waiting[visit] = _Errand(visit, request)
        self.load()
        self._responder.ring()
        return True

    def forget(self, visit: Visit) -> None:
        """Nobody waits for this any more."""
        self._waiting.pop(visit, None)
        errand = self._away.pop(visit, None)
        if errand is not None and errand.socket is not None:
            visit.party.errands -= 1
            self._responder.listen_no_more_to(errand.socket.fileno())
            errand.socket.close()
            errand.socket = None

    def go_on(self) -> None:
        """Send off whoever's turn it is: no guest takes more than half of the threads."""
        if self._state == "missing":
            for visit in list(self._waiting):
                self.forget(visit)
                self._responder.answer(visit, 503)
        if self._state != "ready":
            return
        most_of_one = max(1, self._threads // 2)
        for visit, errand in list(self._waiting.items()):
            if len(self._away) >= self._threads:
                return
            if visit.party.errands < most_of_one:
                del self._waiting[visit]
                self._send_off(errand)

    def _send_off(self, errand: _Errand) -> None:
        visit = errand.visit
        errand.socket = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM | _socket.SOCK_CLOEXEC)
        self._away[visit] = errand
        visit.party.errands += 1
        self._responder.listen_to(errand.socket.fileno(), lambda: self._read(errand))
        whole = self._written(errand.request)
        try:
            errand.socket.setblocking(False)
            errand.socket.connect(self._address)
            # It is shorter than what the kernel takes at once (net.core.wmem_default).
            if errand.socket.send(whole) != len(whole):
                raise OSError(errno.ENOBUFS, "the kernel took only a part")
        except OSError:
            self._done(errand, 503)

    def _read(self, errand: _Errand) -> None:
        if errand.socket is None:
            return
        try:
            received = errand.socket.recv(65536)
            if received:
                errand.reply.feed(received)
                if not errand.reply.is_whole:
                    return
        except BlockingIOError:
            return
        except (OSError, ValueError):
            self._done(errand, 502)
            return
        self._done(errand, errand.reply.wire() or 502)

    def _done(self, errand: _Errand, wire: Wire | int) -> None:
        self.forget(errand.visit)
        self._responder.answer(errand.visit, wire)
        self.go_on()

    def _written(self, request: Request) -> bytes:
        """The request as it goes to the application."""
        target = request.path + ("?" + request.query if request.query else "")
        # A HEAD is answered like a GET, without what follows.
        method = "GET" if request.method == "HEAD" else request.method
        host = f"[{request.host}]" if ":" in request.host else request.host
        lines = [
            f"{method} {target} HTTP/1.1",
            f"Host: {request.headers.get('host') or host}",
            "Connection: close",
            f"Content-Length: {len(request.body)}",
            f"X-Kiezbox-Secret: {self._secret}",
            f"X-Kiezbox-Client: {request.client}",
            f"X-Kiezbox-Local: {request.local}",
            f"X-Kiezbox-Scheme: {'https' if request.is_tls else 'http'}",
        ]
        lines += [f"{name}: {value}" for name, value in request.headers.items() if _is_told(name)]
        return "\r\n".join([*lines, "\r\n"]).encode("latin-1") + request.body


class _Reply:
    """The application's answer, as it comes in."""

    def __init__(self) -> None:
        self._parser = response_parser()(self)
        self._headers: list[tuple[str, str]] = []
        self._pieces: list[bytes] = []
        self._size = 0
        self.is_whole = False

    def feed(self, received: bytes) -> None:
        """Raises ValueError: it is none, or too long."""
        try:
            self._parser.feed_data(received)
        except Exception as error:
            raise ValueError("no answer") from error
        if self._size > MOST_ANSWER:
            raise ValueError("too long")

    def on_header(self, name: bytes, value: bytes) -> None:
        shown = name.decode("latin-1")
        if _is_told(shown.lower()):
            self._headers.append((shown, value.decode("latin-1")))

    def on_body(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size <= MOST_ANSWER:
            self._pieces.append(piece)

    def on_message_complete(self) -> None:
        self.is_whole = True

    def wire(self) -> Wire | None:
        """What to send to the client; None: the answer has no end."""
        if not self.is_whole:
            return None
        answer = Answer(self._parser.get_status_code(), b"".join(self._pieces), "")
        # It is as it shall be, whatever bytes are in it.
        answer.headers, answer.slot = self._headers, b""
        return Wire(answer)


def behind_the_door(application: Application, secret: str) -> Application:
    """The application, hearing only us: the client's address in ``REMOTE_ADDR``, ours in
    ``kiezbox.local``, the scheme in ``wsgi.url_scheme``.
    """

    def heard(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        from hmac import compare_digest

        told = {
            name: environ.pop(f"HTTP_X_KIEZBOX_{name}", "")
            for name in ("SECRET", "CLIENT", "LOCAL", "SCHEME")
        }
        if not compare_digest(told["SECRET"].encode("latin-1"), secret.encode()):
            start_response("403 Forbidden", [("Content-Length", "0")])
            return [b""]
        environ["REMOTE_ADDR"] = environ["REMOTE_HOST"] = told["CLIENT"]
        environ["kiezbox.local"] = told["LOCAL"]
        environ["wsgi.url_scheme"] = told["SCHEME"]
        return application(environ, start_response)

    return heard


def _is_told(name: str) -> bool:
    # An underscore is the same as a dash to CGI's names, and would forge what we say.
    is_ours = name in _DROPPED or name.startswith(_DROPPED_KINDS) or "_" in name
    return not is_ours
