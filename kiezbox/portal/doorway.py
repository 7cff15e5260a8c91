"""The doorway: answers from plain Python while Flask is still being loaded.

One thread, one ``poll``, no keep-alive. It exists for the first tenth of a second on a computer
and the first two seconds on a small box; then the same listening sockets go to waitress, and what
the doorway has begun it ends. ``socket`` costs 7 ms of import and more than its C half is not
needed, hence ``_socket``.
"""

from __future__ import annotations

import _socket
import select
import sys
import time

from kiezbox.portal.answers import Answer, answer, behind, fill
from kiezbox.portal.guests import Guests
from kiezbox.portal.request import BadRequest, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from kiezbox.portal.request import Request
    from kiezbox.portal.sight import Sight

__all__ = ["Doorway", "response"]

#: A request must be whole within this time, and an answer taken within this one.
REQUEST_S = 5.0
ANSWER_S = 10.0

#: So long the other side may still talk after its answer; closing earlier would reset the
#: connection and take the answer with it (RFC 9112, 9.6).
LINGER_S = 1.0

#: Open connections at once; the one that has waited longest makes room.
MOST_VISITS = 128

_REASONS = {200: "OK", 204: "No Content", 302: "Found", 303: "See Other", 304: "Not Modified",
            400: "Bad Request", 404: "Not Found", 408: "Request Timeout",
            431: "Request Header Fields Too Large", 500: "Internal Server Error"}  # fmt: skip

_SORRY = b"<!DOCTYPE html><title>Kiezbox</title><p>Das ging nicht. <a href='/'>Kiezbox</a></p>"


class Visit:
    """One connection: being read, then answered, then listened out."""

    __slots__ = ("is_answered", "received", "socket", "to_send", "until")

    def __init__(self, socket: _socket.socket) -> None:
        self.socket = socket
        self.received = b""
        self.to_send = b""
        self.is_answered = False
        self.until = time.monotonic() + REQUEST_S


class Doorway:
    """Serves the listeners until told to stop; ``answered`` counts."""

    def __init__(self, listeners: list[_socket.socket], sight: Sight) -> None:
        self._sight = sight
        self._guests = Guests()
        self._listeners = {listener.fileno(): listener for listener in listeners}
        self._visits: dict[int, Visit] = {}
        self._poll = select.poll()
        self.answered = 0
        for listener in listeners:
            listener.setblocking(False)
            self._poll.register(listener.fileno(), select.POLLIN)

    def run(self, should_stop: Callable[[], bool], *, tick_ms: int = 20) -> None:
        """Serve; ``should_stop`` is asked after each visit and at least every tick."""
        while not should_stop():
            self._turn(tick_ms)

    def finish(self) -> None:
        """Let go of the listeners and end what was begun; every visit has an end."""
        for file in self._listeners:
            self._poll.unregister(file)
        self._listeners = {}
        while self._visits:
            self._turn(100)

    def has_visits(self) -> bool:
        return bool(self._visits)

    def _turn(self, wait_ms: int) -> None:
        for file, _ in self._poll.poll(wait_ms):
            if file in self._listeners:
                self._accept(self._listeners[file])
            elif file in self._visits:
                self._step(self._visits[file])
        now = time.monotonic()
        for visit in [visit for visit in self._visits.values() if visit.until < now]:
            if visit.is_answered:
                self._end(visit)
            else:
                self._reply(visit, response(Answer(408, _SORRY)))

    def _accept(self, listener: _socket.socket) -> None:
        try:
            file, _ = listener._accept()  # type: ignore[attr-defined]
        except BlockingIOError:
            return
        except OSError:
            # No descriptors left, or the visitor has gone: make room and go on. The short rest
            # keeps a listener that stays readable from burning the processor.
            self._make_room()
            time.sleep(0.005)
            return
        if len(self._visits) >= MOST_VISITS:
            self._make_room()
        visit = Visit(_socket.socket(fileno=file))
        visit.socket.setblocking(False)
        self._visits[file] = visit
        self._poll.register(file, select.POLLIN)
        self._step(visit)

    def _make_room(self) -> None:
        if self._visits:
            self._end(min(self._visits.values(), key=lambda visit: visit.until))

    def _step(self, visit: Visit) -> None:
        """Read or write what goes without waiting."""
        try:
            if visit.to_send:
                self._send(visit)
            elif received := visit.socket.recv(16384):
                if not visit.is_answered:
                    visit.received += received
                    self._look(visit)
            else:
                self._end(visit)
        except BlockingIOError:
            pass
        except OSError:
            self._end(visit)

    def _look(self, visit: Visit) -> None:
        try:
            request = parse(visit.received)
        except BadRequest as error:
            self._reply(visit, response(Answer(error.status, _SORRY)))
            return
        if request is not None:
            request.client = _address(visit.socket.getpeername())
            request.local = _address(visit.socket.getsockname())
            self._reply(visit, self._answer(request))

    def _answer(self, request: Request) -> bytes:
        is_head = request.method == "HEAD"
        try:
            found = answer(request, self._sight, self._guests)
            if found.is_flask:
                found = behind(request.path, request.headers, self._sight)
            if found.slot:
                found.body = found.filled(fill(request, self._guests))
        except Exception:
            # The outermost loop: whoever comes next shall find an open door.
            sys.excepthook(*sys.exc_info())
            found = Answer(500, _SORRY)
        return response(found, is_head=is_head)

    def _reply(self, visit: Visit, whole: bytes) -> None:
        visit.to_send = whole
        visit.is_answered = True
        visit.received = b""
        visit.until = time.monotonic() + ANSWER_S
        self._poll.modify(visit.socket.fileno(), select.POLLOUT)
        self._send(visit)

    def _send(self, visit: Visit) -> None:
        try:
            sent = visit.socket.send(visit.to_send)
            visit.to_send = visit.to_send[sent:]
            if visit.to_send:
                return
            visit.socket.shutdown(_socket.SHUT_WR)
        except BlockingIOError:
            return
        except OSError:
            self._end(visit)
            return
        self.answered += 1
        visit.until = time.monotonic() + LINGER_S
        self._poll.modify(visit.socket.fileno(), select.POLLIN)

    def _end(self, visit: Visit) -> None:
        if self._visits.pop(visit.socket.fileno(), None) is not None:
            self._poll.unregister(visit.socket.fileno())
            visit.socket.close()


def _address(end: tuple[str, int]) -> str:
    return end[0].removeprefix("::ffff:")


def response(whole: Answer, *, is_head: bool = False) -> bytes:
    """An answer as HTTP/1.1."""
    lines = [f"HTTP/1.1 {whole.status} {_REASONS[whole.status]}"]
    lines += [f"{name}: {value}" for name, value in whole.headers]
    if whole.status != 304:
        lines.append(f"Content-Length: {len(whole.body)}")
    head = "\r\n".join([*lines, "Connection: close", "\r\n"]).encode("latin-1")
    return head if is_head else head + whole.body
