"""Doors and who comes in by them: one connection, what came in, what is to go out, until when."""

from __future__ import annotations

import _socket
import select
import sys

from kiezbox.portal.crowd import IDLE_S, plain_address

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from kiezbox.portal.crowd import Party
    from kiezbox.portal.request import Reader, Request
    from kiezbox.portal.tls import Certificate

__all__ = ["READ_BYTES", "Door", "SecretDoor", "Visit"]

#: Taken from the kernel at once.
READ_BYTES = 16384


#: A TLS handshake must be done within this time.
HANDSHAKE_S = 5.0

#: ``struct linger``: closing is a reset (socket(7)).
_RESET = b"\1\0\0\0\0\0\0\0" if sys.byteorder == "little" else b"\0\0\0\1\0\0\0\0"


class Door:
    """A listening socket."""

    def __init__(self, listener: _socket.socket) -> None:
        listener.setblocking(False)
        self.listener = listener
        self.file = listener.fileno()
        self.is_open = False
        self._waiting = select.poll()
        self._waiting.register(self.file, select.POLLIN)

    def has_somebody(self) -> bool:
        """Whether accepting will not wait, blocking socket or not."""
        return bool(self._waiting.poll(0))

    def visit(self, file: int, client: str, now: float) -> Visit | None:
        """The connection just accepted; None: nobody is served here now. May raise OSError."""
        return Visit(*self.accepted(file), client, now + IDLE_S)

    def accepted(self, file: int) -> tuple[_socket.socket, str]:
        """The socket of that descriptor, and our address on it."""
        socket = _socket.socket(self.listener.family, _socket.SOCK_STREAM, 0, file)
        try:
            socket.setblocking(False)
            return socket, plain_address(socket.getsockname()[0])
        except OSError:
            socket.close()
            raise


class SecretDoor(Door):
    """A listening socket for TLS, served while there is a certificate that is valid now."""

    def __init__(self, listener: _socket.socket, folder: str, now: Callable[[], float]) -> None:
        """``folder`` holds fullchain.pem and privkey.pem; ``now``: Unix seconds."""
        super().__init__(listener)
        self._folder, self._now = folder, now
        self._certificate: Certificate | None = None
        self._is_said = False

    def visit(self, file: int, client: str, now: float) -> Visit | None:
        """Without a certificate: a reset, as from a port where nobody listens."""
        socket, local = self.accepted(file)
        try:
            from kiezbox.portal.tls import Certificate, SecretVisit

            if self._certificate is None:
                self._certificate = Certificate(self._folder, self._now)
            context = self._certificate.context()
            if context is not None:
                return SecretVisit(socket, local, client, now + HANDSHAKE_S, context)
        except ImportError as error:
            # A Python without OpenSSL: said once, and not to every stranger's knock.
            if not self._is_said:
                print(f"kiezbox portal: no https: {error}", file=sys.stderr, flush=True)
            self._is_said = True
        socket.setsockopt(_socket.SOL_SOCKET, _socket.SO_LINGER, _RESET)
        socket.close()
        return None


class Visit:
    """A plain connection."""

    __slots__ = (
        "client", "file", "has_more", "is_idle", "is_last", "is_lingering", "is_waiting", "known",
        "local", "mask", "out", "party", "queue", "reader", "socket", "until",
    )  # fmt: skip

    is_tls = False

    #: Whether both sides can talk.
    is_agreed = True

    def __init__(self, socket: _socket.socket, local: str, client: str, until: float) -> None:
        self.socket = socket
        #: Set as soon as it is let in.
        self.party: Party
        self.file = socket.fileno()
        self.client = client
        self.local = local
        #: Monotonic time of its end, unless something happens.
        self.until = until
        #: Nothing of a request has come, and nothing is to be sent.
        self.is_idle = True
        #: An answer is being made elsewhere, or may not be made yet.
        self.is_waiting = False
        #: It ends when all is sent ...
        self.is_last = False
        #: ... and all was; the other side may still talk, and nobody listens.
        self.is_lingering = False
        #: The other side has more to say than was read, or may have.
        self.has_more = False
        self.reader: Reader | None = None
        #: Requests in the order they came; a number is a refusal (its status).
        self.queue: list[Request | int] = []
        self.out: list[bytes] = []
        #: What epoll waits for.
        self.mask = 0
        #: Requests seen before, by their bytes (responder).
        self.known: dict[bytes, Any] = {}

    def receive(self) -> bytes | None:
        """What has come: bytes, b"" at the end, None for nothing that says anything.

        Raises:
            BlockingIOError: nothing has.
            OSError: the other side has gone.
        """
        return self.socket.recv(READ_BYTES)

    def put(self, whole: bytes) -> None:
        """To be sent, after what is there."""
        self.out.append(whole)

    def give(self, whole: bytes) -> bool:
        """Send this, before which nothing waits; whether all is gone. May raise OSError."""
        try:
            sent = self.socket.send(whole)
        except BlockingIOError:
            sent = 0
        if sent < len(whole):
            self.out.append(whole[sent:])
        return not self.out

    def flush(self) -> bool:
        """Send what goes without waiting; whether all is gone.

        Raises:
            OSError: the other side has gone.
        """
        out = self.out
        while out:
            whole = out[0] if len(out) == 1 else b"".join(out)
            try:
                sent = self.socket.send(whole)
            except BlockingIOError:
                return False
            out[:] = [whole[sent:]] if sent < len(whole) else []
        return True

    def say_goodbye(self) -> None:
        """No more will be sent."""
        self.socket.shutdown(_socket.SHUT_WR)
