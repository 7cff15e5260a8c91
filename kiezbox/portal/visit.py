"""One connection: what came in, what is to go out, and until when."""

from __future__ import annotations

import _socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kiezbox.portal.crowd import Party
    from kiezbox.portal.request import Reader, Request

__all__ = ["READ_BYTES", "Visit"]

#: Taken from the kernel at once.
READ_BYTES = 16384


class Visit:
    """A plain connection."""

    __slots__ = (
        "client", "file", "has_more", "is_idle", "is_last", "is_lingering", "is_waiting", "known",
        "local", "mask", "out", "party", "queue", "reader", "receive", "socket", "until",
    )  # fmt: skip

    is_tls = False

    def __init__(self, socket: _socket.socket, client: str, local: str, until: float) -> None:
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
        #: What has come: bytes, b"" at the end, None for nothing yet. May raise BlockingIOError.
        self.receive = self._receive

    def _receive(self) -> bytes | None:
        return self.socket.recv(READ_BYTES)

    def put(self, whole: bytes) -> None:
        """To be sent, after what is there."""
        self.out.append(whole)

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
