"""The mailroom: what residents send is written by one thread, many letters to a flush of the card.

A flush takes 25 ms on an SD card, whoever waits for it. So everything that came in meanwhile goes
into one transaction, and everybody is told at the end of it: nobody is told that something is
stored before it is (goal b2). The queue is bounded, for all and for each guest; whoever finds it
full is told at once to come back.
"""

from __future__ import annotations

import sys

from kiezbox.portal.crowd import MOST_OF_ONE
from kiezbox.portal.prepared import Wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from kiezbox.portal.asking import Job, Work
    from kiezbox.portal.responder import Responder
    from kiezbox.portal.visit import Visit
    from kiezbox.store.log import Log

__all__ = ["MOST_OF_GUEST", "MOST_SLOW", "MOST_WAITING", "Mailroom"]

#: Letters not yet stored, and those that go into one transaction.
MOST_WAITING = 320
MOST_AT_ONCE = 128

#: Letters of one guest: also of connections it has dropped since.
MOST_OF_GUEST = MOST_OF_ONE

#: Letters that wait for what must be reckoned first, one after the other: a second each on a small
#: box, and nobody waits longer than ``responder.ANSWER_S``.
MOST_SLOW = 8

#: While letters are written, the responder gets the interpreter this soon (Python's own 5 ms are
#: the time of five hundred pages).
SWITCH_S = 0.002


class Mailroom:
    """For one responder. ``open_log`` is called in the mailroom's own thread, which starts with
    the first letter: importing what writes takes 50 ms.
    """

    def __init__(self, responder: Responder, open_log: Callable[[], Log]) -> None:
        self._responder = responder
        self._open_log = open_log
        self._log: Log | None = None
        #: Who waits for an answer.
        self._waiting: dict[Visit, None] = {}
        #: Letters not yet stored, of each guest.
        self._letters: dict[Any, int] = {}
        self._count = 0
        self._queue: list[tuple[Visit, Work]] = []
        self._slow: list[tuple[Visit, Job]] = []
        self._done: list[tuple[Visit, Wire | int]] = []
        self._condition: Any = None
        self._trouble = ""

    # --- called by the responder's thread --------------------------------------------------------

    def is_full(self, visit: Visit, more: int = 0) -> bool:
        """Whether no more is taken of this guest just now, where ``more`` have come that nobody has
        read: so that whoever comes in vain hears it within milliseconds.
        """
        if self._count + more >= MOST_WAITING:
            return True
        of_guest = self._letters.get(visit.party.key, 0)
        return bool(visit.party.most) and of_guest >= MOST_OF_GUEST

    def ask(self, visit: Visit, job: Job) -> bool:
        """The answer comes to ``Responder.answer``; False: too many are waiting."""
        if self.is_full(visit) or (job.prepare is not None and len(self._slow) >= MOST_SLOW):
            return False
        guest = visit.party.key
        if self._condition is None:
            self._begin()
        self._waiting[visit] = None
        self._letters[guest] = self._letters.get(guest, 0) + 1
        self._count += 1
        with self._condition:
            if job.prepare is None:
                self._queue.append((visit, job.work))
            else:
                self._slow.append((visit, job))
            self._condition.notify_all()
        return True

    def forget(self, visit: Visit) -> None:
        """Nobody waits for this any more. What is in the queue is written all the same: it was
        sent, and whoever sent it may have lost the WLAN only.
        """
        self._waiting.pop(visit, None)

    def go_on(self) -> None:
        """Hand out what is done."""
        if self._condition is None:
            return
        with self._condition:
            done, self._done = self._done, []
        if done:
            self._responder.forget()
        for visit, wire in done:
            self._count -= 1
            guest = visit.party.key
            left = self._letters[guest] = self._letters[guest] - 1
            if not left:
                del self._letters[guest]
            if self._waiting.pop(visit, self) is None:
                self._responder.answer(visit, wire)

    def _begin(self) -> None:
        import threading

        self._condition = threading.Condition()
        sys.setswitchinterval(SWITCH_S)
        for name, run in (("mailroom", self._run), ("reckoning", self._reckon)):
            threading.Thread(target=run, name=name, daemon=True).start()

    # --- the threads -----------------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            with self._condition:
                while not self._queue:
                    self._condition.wait()
                batch = self._queue[:MOST_AT_ONCE]
                del self._queue[:MOST_AT_ONCE]
            done = self._write(batch)
            with self._condition:
                self._done += done
            self._responder.ring()

    def _reckon(self) -> None:
        """What takes long comes first, and in a line of its own."""
        while True:
            with self._condition:
                while not self._slow:
                    self._condition.wait()
                visit, job = self._slow[0]
            try:
                work = _after(job)
            except Exception:
                sys.excepthook(*sys.exc_info())
                work = None
            with self._condition:
                del self._slow[0]
                if work is None:
                    self._done.append((visit, 503))
                else:
                    self._queue.append((visit, work))
                self._condition.notify_all()
            self._responder.ring()

    def _write(self, batch: list[tuple[Visit, Work]]) -> list[tuple[Visit, Wire | int]]:
        """One transaction. A letter that cannot be written costs none of the others."""
        from kiezbox.errors import StoreError

        try:
            if self._log is None:
                self._log = self._open_log()
            log, done = self._log, []
            with log.group():
                for visit, work in batch:
                    done.append((visit, _worked(log, work)))
            self._trouble = ""
            return done
        except StoreError as error:
            # No log, a full card: nobody is told that anything is stored. Said once.
            if str(error) != self._trouble:
                print(f"kiezbox portal: {error}\n  {error.hint}", file=sys.stderr, flush=True)
            self._trouble = str(error)
        except Exception:
            sys.excepthook(*sys.exc_info())
        return [(visit, 503) for visit, _ in batch]


def _after(job: Job) -> Work:
    assert job.prepare is not None
    prepared = job.prepare()
    return lambda log: job.work(log, prepared)


def _worked(log: Log, work: Work) -> Wire | int:
    from kiezbox.store.log import NotStored

    try:
        with log.undoing():
            return Wire(work(log))
    except NotStored:
        raise  # Nor is anything else of this transaction.
    except Exception:
        sys.excepthook(*sys.exc_info())
        return 500
