"""A worker is a loop in a thread; the supervisor starts, restarts and ends them.

A worker's task has ``step() -> float``: do one thing, return how many seconds until the next.
Tasks share nothing but the store and the facts.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Protocol

from kiezbox.clock import Clock, SystemClock

log = logging.getLogger("kiezbox")

#: Pauses before a worker that died is started again, in seconds; the last one stays.
RESTART_PAUSES_S = (1.0, 2.0, 5.0, 15.0, 60.0)

#: Running so long without dying makes the next death a first one again.
FORGIVEN_AFTER_S = 600.0

#: A sensor whose thread is stuck in the kernel is given up and opened anew in a new thread, but
#: only so often: each stuck thread costs memory, and a bus that swallowed four will take a fifth.
MOST_STUCK = 4


class Task(Protocol):
    """One worker's work."""

    def step(self) -> float:
        """Do one thing; seconds until the next step."""

    def interrupt(self) -> None:
        """The end is near: cut a long step short. Called from another thread."""

    def close(self) -> None:
        """Give everything back. Idempotent; also called after a crash."""


class Worker:
    """One task in one thread, made anew each time it is started."""

    def __init__(
        self,
        name: str,
        make: Callable[[Callable[[], bool]], Task],
        clock: Clock,
        *,
        is_vital: bool = False,
        step_limit_s: float = 60.0,
        on_trouble: Callable[[str, str], None] = lambda kind, message: None,
    ) -> None:
        """``make`` opens the task, in the worker's own thread. It gets a function that says
        whether that thread still counts: a task asks it before it acts on what came late.

        A vital worker that dies takes the process down, and systemd restarts it. A step that
        takes longer than ``step_limit_s`` real seconds is stuck. ``on_trouble`` gets the kind
        ("crashed", "stuck") and a sentence.
        """
        self.name = name
        self.is_vital = is_vital
        self.step_limit_s = step_limit_s
        self._make = make
        self._clock = clock
        self._on_trouble = on_trouble
        self._machine = SystemClock()
        self._nudge = threading.Event()
        self._thread: threading.Thread | None = None
        self._task: Task | None = None
        self._round = 0
        self._busy_since: float | None = None
        self._deaths = 0
        self._stuck = 0
        self._started_at = 0.0
        self._restart_at: float | None = None
        self._is_stopping = False
        self._on_end: Callable[[], None] = lambda: None

    def start(self, on_end: Callable[[], None]) -> None:
        """Run in a new thread; ``on_end`` is called from it when it ends."""
        self._on_end = on_end
        self._restart_at = None
        self._started_at = self._machine.monotonic()
        self._round += 1
        self._thread = threading.Thread(
            target=self._run, args=(self._round,), name=self.name, daemon=True
        )
        self._thread.start()

    def nudge(self) -> None:
        """Take the next step now."""
        self._nudge.set()

    def stop(self) -> None:
        """End after the step that is running."""
        self._is_stopping = True
        self._nudge.set()
        task = self._task
        if task is not None:
            task.interrupt()

    def join(self, timeout_s: float) -> bool:
        """Whether the thread has ended within the time."""
        if self._thread is None:
            return True
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def look_after(self) -> str:
        """Called by the supervisor now and then: "ok", "dead" (vital) or "stuck" (vital)."""
        now = self._machine.monotonic()
        if self._is_stopping:
            return "ok"
        if self._restart_at is not None:
            if now >= self._restart_at:
                self.start(self._on_end)
            return "ok"
        assert self._thread is not None
        if not self._thread.is_alive():
            if self.is_vital:
                return "dead"
            self._plan_restart(now)
            return "ok"
        busy_since = self._busy_since
        if busy_since is not None and now - busy_since > self.step_limit_s:
            if self.is_vital:
                return "stuck"
            self._give_up(now - busy_since)
        elif now - self._started_at > FORGIVEN_AFTER_S:
            self._deaths = 0
        return "ok"

    def due_in_s(self) -> float | None:
        """Seconds until a planned restart; None if none is planned."""
        if self._restart_at is None:
            return None
        return max(0.0, self._restart_at - self._machine.monotonic())

    def _plan_restart(self, now: float) -> None:
        pause_s = RESTART_PAUSES_S[min(self._deaths, len(RESTART_PAUSES_S) - 1)]
        self._deaths += 1
        self._restart_at = now + pause_s

    def _give_up(self, busy_s: float) -> None:
        """Leave a stuck thread behind and plan a new one, as long as there are not too many."""
        if self._stuck < MOST_STUCK:
            self._stuck += 1
            self._round += 1  # from now on the old thread's results are thrown away
            self._busy_since = None
            self._on_trouble("stuck", f"{self.name}: no answer for {busy_s:.0f} s, opened anew")
            self._plan_restart(self._machine.monotonic())

    def is_current(self, round_: int) -> bool:
        """Whether the thread of that round still counts, or was given up as stuck."""
        return round_ == self._round

    def _run(self, round_: int) -> None:
        task: Task | None = None
        try:
            task = self._task = self._make(lambda: self.is_current(round_))
            while not self._is_stopping and self.is_current(round_):
                self._nudge.clear()
                self._busy_since = self._machine.monotonic()
                pause_s = task.step()
                if not self.is_current(round_):
                    break
                self._busy_since = None
                if not self._is_stopping:
                    self._clock.wait(self._nudge, pause_s)
        except Exception as error:
            # The outermost loop is the one place that may catch everything: one worker's
            # surprise must not end the others, and the traceback is in the log.
            if self.is_current(round_):
                log.exception("%s: died", self.name)
                self._on_trouble("crashed", f"{self.name}: {type(error).__name__}: {error}")
        finally:
            if self.is_current(round_):
                self._busy_since = None
            else:
                self._stuck -= 1
            if task is not None:
                self._close(task)
            self._on_end()

    def _close(self, task: Task) -> None:
        try:
            task.close()
        except Exception:
            log.exception("%s: could not be closed", self.name)


class Supervisor:
    """Starts the workers and looks after them until told to stop. Runs in the main thread."""

    def __init__(self, workers: list[Worker]) -> None:
        self.workers = workers
        self._nudge = threading.Event()
        self._is_stopping = False
        #: Why the process should end, once a vital worker is lost.
        self.fatal: str | None = None

    def start(self) -> None:
        for worker in self.workers:
            worker.start(self.nudge)

    def nudge(self) -> None:
        """Look now, not only when the time has come."""
        self._nudge.set()

    def stop(self) -> None:
        """Safe to call from a signal handler."""
        self._is_stopping = True
        self._nudge.set()

    @property
    def is_stopping(self) -> bool:
        return self._is_stopping or self.fatal is not None

    def look_after(self, pause_s: float) -> None:
        """Wait at most so long (real time), then see to every worker once."""
        planned = [due for worker in self.workers if (due := worker.due_in_s()) is not None]
        self._nudge.wait(min([pause_s, *planned]))
        self._nudge.clear()
        if self._is_stopping:
            return
        for worker in self.workers:
            state = worker.look_after()
            if state != "ok":
                self.fatal = f"{worker.name} is {state}"

    def end(self, timeout_s: float) -> list[str]:
        """Stop all workers together; the names of those that did not end in time."""
        for worker in self.workers:
            worker.stop()
        machine = SystemClock()
        until = machine.monotonic() + timeout_s
        return [
            worker.name
            for worker in self.workers
            if not worker.join(max(0.0, until - machine.monotonic()))
        ]
