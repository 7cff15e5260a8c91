"""The mailroom: what residents send is written by one thread, many letters to a flush of the card.

A flush takes 25 ms on an SD card, whoever waits for it. So everything that came in meanwhile goes
into one transaction, and everybody is told at the end of it: nobody is told that something is
stored before it is (goal b2). The queue is bounded; whoever finds it full is told to come back.
"""

from __future__ import annotations

import sys

from kiezbox.portal.prepared import Wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from kiezbox.portal.asking import Job, Work
    from kiezbox.portal.responder import Responder
    from kiezbox.portal.visit import Visit
    from kiezbox.store.log import Log

__all__ = ["MOST_WAITING", "Mailroom"]

#: Letters that wait for the next transaction, and that go into one.
MOST_WAITING = 512
MOST_AT_ONCE = 256

#: Letters that wait for what must be reckoned first, one after the other.
MOST_SLOW = 16


class Mailroom:
    """For one responder. ``open_log`` is called in the mailroom's own thread, which starts with
    the first letter: importing what writes takes 50 ms.
    """

    def __init__(self, responder: Responder, open_log: Callable[[], Log]) -> None:
        self._responder = responder
        self._open_log = open_log
        self._log: Log | None = None
        self._waiting: dict[Visit, Job] = {}
        self._queue: list[tuple[Visit, Work]] = []
        self._slow: list[tuple[Visit, Job]] = []
        self._done: list[tuple[Visit, Wire | int]] = []
        self._condition: Any = None
        self._is_ending = False

    # --- called by the responder's thread --------------------------------------------------------

    def ask(self, visit: Visit, job: Job) -> bool:
        """The answer comes to ``Responder.answer``; False: too many are waiting."""
        is_full = job.prepare is not None and len(self._slow) >= MOST_SLOW
        if is_full or len(self._waiting) >= MOST_WAITING:
            return False
        self._waiting[visit] = job
        if self._condition is None:
            import threading

            self._condition = threading.Condition()
            for name, run in (("mailroom", self._run), ("reckoning", self._reckon)):
                threading.Thread(target=run, name=name, daemon=True).start()
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
        for visit, wire in done:
            if self._waiting.pop(visit, None) is not None:
                self._responder.answer(visit, wire)

    # --- the thread ------------------------------------------------------------------------------

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
        try:
            if self._log is None:
                self._log = self._open_log()
            log, done = self._log, []
            with log.group():
                for visit, work in batch:
                    done.append((visit, _worked(log, work)))
            return done
        except Exception:
            # No log, a full card: nobody is told that anything is stored.
            sys.excepthook(*sys.exc_info())
            return [(visit, 503) for visit, _ in batch]


def _after(job: Job) -> Work:
    assert job.prepare is not None
    prepared = job.prepare()
    return lambda log: job.work(log, prepared)


def _worked(log: Log, work: Work) -> Wire | int:
    try:
        with log.undoing():
            return Wire(work(log))
    except Exception:
        sys.excepthook(*sys.exc_info())
        return 500
