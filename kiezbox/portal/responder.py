"""The responder: one thread and one epoll for everybody who comes by HTTP.

Nothing in it waits for anybody. A request whose bytes were seen before is not parsed again, and an
answer that is still true is not made again; what must be made is made for one guest after the
other, and whoever costs much waits (``crowd``). Phones of one make send the same bytes, so their
probes and the first page take ten microseconds each.
"""

from __future__ import annotations

import gc
import select
import sys
import time

from kiezbox.portal.crowd import IDLE_S
from kiezbox.portal.hall import Hall
from kiezbox.portal.prepared import Prepared, Wire, refusal
from kiezbox.portal.request import BadRequest, Reader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from kiezbox.portal.answered import Answer
    from kiezbox.portal.behind import Behind
    from kiezbox.portal.mailroom import Mailroom
    from kiezbox.portal.prepared import Contents
    from kiezbox.portal.request import Request
    from kiezbox.portal.visit import Door, Visit

__all__ = ["Responder"]

#: A request must be whole within this time, and an answer made and taken within this one.
REQUEST_S = 5.0
ANSWER_S = 10.0

#: So long the other side may still talk after we said the last word; closing earlier would reset
#: the connection and take the answer with it (RFC 9112, 9.6).
LINGER_S = 1.0

#: Time limits are looked at so often.
SWEEP_S = 0.25

#: Forms are read for so long at once. Each costs a millisecond, and who only reads waits for it.
LETTERS_S = 0.004

_IN, _OUT = select.EPOLLIN, select.EPOLLOUT


class Responder(Hall):
    """Serves the doors until ``stop``."""

    def __init__(self, doors: list[Door], contents: Contents, *, most: int = 0) -> None:
        self._prepared = Prepared(contents)
        #: Visits whose party has spent too much.
        self._later: dict[Visit, None] = {}
        #: Visits whose form nobody has read yet, in the order they came.
        self._letters: dict[Visit, None] = {}
        self._pause_s = SWEEP_S
        #: Brings the two below, as soon as there is something for one of them to do.
        self.call_in: Callable[[], None] | None = None
        #: Who answers what takes long; without, it is not answered.
        self.behind: Behind | None = None
        #: Who writes what guests send; without, nothing is taken.
        self.mailroom: Mailroom | None = None
        super().__init__(doors, most=most)
        self._swept_at = self._now

    # --- the loop --------------------------------------------------------------------------------

    def _turn(self) -> None:
        ready = self._epoll.poll(self._pause_s)
        self._now = now = time.monotonic()
        self._prepared.look(now)
        visits, others = self._visits, []
        for file, events in ready:
            visit = visits.get(file)
            if visit is None:
                others.append(file)
                continue
            # Neither: hung up or broken, while it waited for its answer.
            step = self._read if events & _IN else self._send if events & _OUT else self._end
            self._safely(step, visit)
        # Afterwards, because they open descriptors, and a number just closed comes again.
        for file in others:
            act = self._others.get(file)
            try:
                if act:
                    act()
            except Exception:
                sys.excepthook(*sys.exc_info())
        if self._letters:
            self._read_letters()
        if now - self._swept_at >= SWEEP_S:
            self._sweep()
        self._pause_s = 0 if self._letters else SWEEP_S if ready else self._until_next()

    def _until_next(self) -> float:
        """Nothing happens just now: for how long not? With nobody here a box sleeps."""
        if self._is_resting or self._later or self._stop_at is not None:
            return SWEEP_S
        if not self._visits:
            return -1
        ends_at = min(visit.until for visit in self._visits.values())
        return max(SWEEP_S, ends_at - time.monotonic())

    def _rung(self) -> None:
        super()._rung()
        if self.behind is not None:
            self.behind.go_on()
        if self.mailroom is not None:
            self.mailroom.go_on()
        if self._stop_at is not None:
            for door in self._doors:
                self._shut(door)
            for visit in [visit for visit in self._visits.values() if visit.is_idle]:
                self._end(visit)

    def _sweep(self) -> None:
        now = self._now
        self.crowd.forgive(now - self._swept_at)
        self._swept_at = now
        for visit in [visit for visit in self._visits.values() if visit.until < now]:
            self._safely(self._expire, visit)
        for visit in [visit for visit in self._later if visit.party.may_spend()]:
            self._safely(self._try_again, visit)
        self._is_resting = False
        for door in self._doors:
            self._open(door)
        if not gc.isenabled():
            # The process began without (``cli.portal``). What is loaded stays and is passed over.
            gc.freeze()
            gc.enable()

    def _try_again(self, visit: Visit) -> None:
        """Its party may spend again; the time it has is not longer for that."""
        self._later.pop(visit, None)
        visit.is_waiting, until = False, visit.until
        self._go_on(visit)
        if visit.is_waiting:
            visit.until = until

    def _expire(self, visit: Visit) -> None:
        if visit.is_waiting:
            status = 503 if visit in self._later or visit in self._letters else 504
            self._forget(visit)
            self.answer(visit, status)
        elif visit.is_idle or visit.is_lingering or visit.out or not visit.is_agreed:
            self._end(visit)
        else:
            visit.queue.append(408)
            self._go_on(visit)

    def _welcome(self, visit: Visit) -> None:
        visit.known = self._prepared.known_at(visit.local, visit.is_tls)

    def _forget(self, visit: Visit) -> None:
        """Nobody waits for its answer any more."""
        self._later.pop(visit, None)
        self._letters.pop(visit, None)
        if self.behind is not None:
            self.behind.forget(visit)
        if self.mailroom is not None:
            self.mailroom.forget(visit)

    # --- a request -------------------------------------------------------------------------------

    def _read(self, visit: Visit) -> None:
        try:
            received = visit.receive()
        except BlockingIOError:
            return
        if not received:
            if received is not None:
                self._end(visit)
        elif not visit.is_lingering:
            known = visit.known.get(received) if visit.reader is None else None
            if known is None:
                self._parse(visit, received)
                return
            wire = self._prepared.recall(known, self._now)
            if wire is None or not known.is_plain or self._stop_at is not None:
                visit.queue.append(known.request.of(visit.client, visit.local, visit.is_tls))
                self._go_on(visit, wire)
                return
            whole = wire.whole
            if not whole:
                fill = self._prepared.fill(wire, known.request.path, visit.client)
                whole = wire.filled(fill)
            if visit.give(whole):
                visit.until = self._now + IDLE_S
            else:
                self._send(visit)

    def _parse(self, visit: Visit, received: bytes) -> None:
        reader = visit.reader
        is_fresh, status = reader is None, 0
        if reader is None:
            reader = visit.reader = Reader()
        try:
            reader.feed(received)
        except BadRequest as error:
            status = error.status
        found = reader.requests
        reader.requests = []
        visit.is_last, visit.has_more = reader.is_over, reader.has_more
        if not reader.is_over and reader.is_between():
            visit.reader = None
            if is_fresh and len(found) == 1:
                request = found[0].of("", visit.local, visit.is_tls)
                self._prepared.remember(visit.known, received, request)
        of = visit.client, visit.local, visit.is_tls
        visit.queue += [request.of(*of) for request in found]
        if status:
            visit.queue.append(status)
        if visit.queue:
            self._go_on(visit)
        elif not visit.is_last:
            if visit.is_idle:
                visit.is_idle = False
                visit.until = self._now + REQUEST_S
            if reader.wants_to_be_told():
                visit.put(b"HTTP/1.1 100 Continue\r\n\r\n")
                self._send(visit)

    def _go_on(self, visit: Visit, wire: Wire | None = None) -> None:
        """Answer what is in the queue, as far as it goes without waiting.

        ``wire`` is the first one's answer, if that is known already.
        """
        visit.is_idle = False
        queue = visit.queue
        while queue and not visit.is_waiting:
            request = queue[0]
            if isinstance(request, int):
                self._refuse(visit, request)
            else:
                wire = wire or self._wire(visit, request)
                if wire is not None:
                    self._put(visit, request, wire)
                    wire = None
                elif queue:
                    visit.is_waiting = True
                    visit.until = self._now + ANSWER_S
        self._send(visit)

    def _wire(self, visit: Visit, request: Request) -> Wire | None:
        """The answer; None: it will come later, or the visit was refused."""
        wire = self._prepared.find(request, self._now)
        if wire is not None:
            return wire
        if request.method == "POST":
            self._call_in()
        if request.method == "POST" and self.mailroom is not None:
            # Not looked at now: whoever comes in vain shall hear it before that.
            if self.mailroom.is_full(visit, len(self._letters)):
                self._refuse(visit, 503)
            else:
                self._letters[visit] = None
            return None
        return self._made(visit, request)

    def _made(self, visit: Visit, request: Request) -> Wire | None:
        """As ``_wire``, for what must be made now."""
        if not visit.party.may_spend():
            self._later[visit] = None
            return None
        began = time.perf_counter()
        try:
            made = self._prepared.make(request, self._now)
        except Exception:
            # The outermost loop: whoever comes next shall find an open door.
            sys.excepthook(*sys.exc_info())
            self._refuse(visit, 500)
            return None
        visit.party.spent_s += time.perf_counter() - began
        if isinstance(made, Wire):
            return made
        self._call_in()
        if made.job:
            is_taken = self.mailroom is not None and self.mailroom.ask(visit, made.job)
        else:
            is_taken = self.behind is not None and self.behind.ask(visit, request)
        if not is_taken:
            self._refuse(visit, 503)
        return None

    def _call_in(self) -> None:
        """Somebody is needed now; 503 while they cannot be loaded, from a card that stutters."""
        if self.call_in is not None:
            try:
                self.call_in()
                self.call_in = None
            except Exception:
                sys.excepthook(*sys.exc_info())

    def _read_letters(self) -> None:
        """Forms that have come, for a few milliseconds; then others have their turn."""
        until = time.monotonic() + LETTERS_S
        while self._letters and time.monotonic() < until:
            visit = next(iter(self._letters))
            del self._letters[visit]
            self._safely(self._read_letter, visit)

    def _read_letter(self, visit: Visit) -> None:
        request = visit.queue[0]
        if isinstance(request, int):
            return
        wire = self._made(visit, request)
        if wire is not None:
            self.answer(visit, wire)
        elif not visit.queue:
            # Refused meanwhile.
            visit.is_waiting = False
            self._send(visit)

    def forget(self) -> None:
        """Pages that were kept may be true no more."""
        self._prepared.forget()

    @property
    def generation(self) -> int:
        """Another one as soon as what was known before may be true no more."""
        return self._prepared.generation

    def find(self, request: Request) -> Wire | None:
        """The answer, if it is kept."""
        return self._prepared.find(request, self._now)

    def keep(self, request: Request, answer: Answer, generation: int) -> None:
        """An answer made aside, for whoever asks next."""
        self._prepared.keep(request, answer, generation, self._now)

    def answer(self, visit: Visit, wire: Wire | int) -> None:
        """What a visit has waited for, or the status of a refusal."""
        if self._visits.get(visit.file) is not visit or not visit.is_waiting:
            return
        visit.is_waiting = False
        if isinstance(wire, int):
            self._refuse(visit, wire)
            self._send(visit)
        else:
            self._go_on(visit, wire)

    def _put(self, visit: Visit, request: Request, wire: Wire) -> None:
        del visit.queue[0]
        if request.is_last or self._stop_at is not None:
            visit.is_last = True
            visit.queue.clear()
        is_last = visit.is_last and not visit.queue
        fill = self._prepared.fill(wire, request.path, visit.client)
        visit.put(wire.bytes_for(request, is_last=is_last, fill=fill))

    def _refuse(self, visit: Visit, status: int) -> None:
        visit.is_last = visit.has_more = True
        visit.queue.clear()
        visit.put(refusal(status))

    def _send(self, visit: Visit) -> None:
        try:
            is_gone = visit.flush()
            if is_gone and visit.is_last and not visit.is_waiting:
                self._leave(visit)
                return
        except OSError:
            self._end(visit)
            return
        if not is_gone:
            if visit.mask != _OUT:
                visit.until = self._now + ANSWER_S
                self._want(visit, _OUT)
        elif visit.is_waiting:
            self._want(visit, 0)
        else:
            visit.is_idle = visit.reader is None
            visit.until = self._now + (IDLE_S if visit.is_idle else REQUEST_S)
            self._want(visit, _IN)

    def _leave(self, visit: Visit) -> None:
        """All is said. Who may still have to say something is heard out."""
        if not visit.has_more and not visit.is_tls:
            self._end(visit)
            return
        visit.say_goodbye()
        visit.is_lingering = True
        visit.until = self._now + LINGER_S
        self._want(visit, _IN)
