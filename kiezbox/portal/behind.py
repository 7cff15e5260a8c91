"""Behind the responder: threads for the answers that take long.

A map, a chart, a code to scan cost half a second on a computer and five on a small box. They are
made here, one whole request and one whole answer at a time, so that nobody else waits for them. The
threads begin with the first such request. There are few: what they do is reckoning, for which
Python lets only one work at a time, and the responder has to get its turn between them.
"""

from __future__ import annotations

import sys
from _queue import SimpleQueue

from kiezbox.portal.crowd import party_of
from kiezbox.portal.prepared import Wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from kiezbox.portal.answered import Answer
    from kiezbox.portal.request import Request
    from kiezbox.portal.responder import Responder
    from kiezbox.portal.visit import Visit

__all__ = ["MOST_WAITING", "THREADS", "Behind"]

#: Slow answers that are made at once; see above.
THREADS = 2

#: Requests that wait for their turn; further ones are refused.
MOST_WAITING = 64


class _Errand:
    """One request on its way there and back."""

    __slots__ = ("answer", "generation", "guest", "request", "visit")

    def __init__(self, visit: Visit, request: Request, generation: int) -> None:
        self.visit = visit
        self.request = request
        self.guest = party_of(visit.client)
        self.generation = generation
        #: The status of a refusal, if it could not be made.
        self.answer: Answer | int = 500


class Behind:
    """Makes what takes long, for one responder, in whose thread all but ``_work`` runs."""

    def __init__(
        self, responder: Responder, make: Callable[[Request], Answer], *, threads: int = THREADS
    ) -> None:
        """``make`` is called in several threads at once."""
        self._responder = responder
        self._make = make
        self._threads = threads
        self._are_running = False
        self._waiting: dict[Visit, Request] = {}
        #: Errands under way, of each guest: also of connections it has dropped since.
        self._away: dict[Hashable, int] = {}
        self._orders: SimpleQueue[_Errand | None] = SimpleQueue()
        self._made: SimpleQueue[_Errand] = SimpleQueue()

    def ask(self, visit: Visit, request: Request) -> bool:
        """The answer comes to ``Responder.answer``, later and never at once; False: it will not."""
        if len(self._waiting) >= MOST_WAITING:
            return False
        self._waiting[visit] = request
        self._responder.ring()
        return True

    def forget(self, visit: Visit) -> None:
        """Nobody waits for this any more. A thread that has begun with it goes on to its end."""
        self._waiting.pop(visit, None)

    def go_on(self) -> None:
        """Hand out what is made; begin what is next: no guest has more than half of the threads."""
        while not self._made.empty():
            self._hand_out(self._made.get())
        most_of_one = max(1, self._threads // 2)
        for visit, request in list(self._waiting.items()):
            if sum(self._away.values()) >= self._threads:
                return
            kept = self._responder.find(request)
            if kept is not None:
                # Others asked for the same.
                del self._waiting[visit]
                self._responder.answer(visit, kept)
            elif self._away.get(party_of(visit.client), 0) < most_of_one:
                del self._waiting[visit]
                self._send_off(_Errand(visit, request, self._responder.generation))

    def close(self) -> None:
        """The threads end when they are done with what they are at."""
        for _ in range(self._threads * self._are_running):
            self._orders.put(None)

    def _send_off(self, errand: _Errand) -> None:
        if not self._are_running:
            import threading

            self._are_running = True
            for _ in range(self._threads):
                threading.Thread(target=self._work, name="behind", daemon=True).start()
        self._away[errand.guest] = self._away.get(errand.guest, 0) + 1
        self._orders.put(errand)

    def _hand_out(self, errand: _Errand) -> None:
        left = self._away[errand.guest] = self._away[errand.guest] - 1
        if not left:
            del self._away[errand.guest]
        if isinstance(errand.answer, int):
            self._responder.answer(errand.visit, errand.answer)
            return
        self._responder.keep(errand.request, errand.answer, errand.generation)
        self._responder.answer(errand.visit, Wire(errand.answer))

    def _work(self) -> None:
        while (errand := self._orders.get()) is not None:
            try:
                errand.answer = self._make(errand.request)
            except Exception:
                # The outermost loop of this thread: the next one shall get their page.
                sys.excepthook(*sys.exc_info())
            self._made.put(errand)
            self._responder.ring()
