"""Lets an agenda run by a clock, in a thread of its own, together with sockets and terminals.

One thread does everything on an air, so nothing in it needs a lock. Others ask it by ``call``.
"""

from __future__ import annotations

import logging
import os
import selectors
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from kiezbox.clock import Clock
from kiezbox.hardware.simulated.air_agenda import Agenda

__all__ = ["AirLoop"]

log = logging.getLogger("kiezbox.air")

T = TypeVar("T")

#: A call that takes longer is a defect of ours.
CALL_S = 30.0


class AirLoop:
    """``agenda`` passes as fast as the clock does."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.agenda = Agenda(clock.now())
        self._began = clock.monotonic()
        self._speed = float(getattr(clock, "speed", 1.0))
        self._calls: deque[Callable[[], None]] = deque()
        self._is_closed = False
        self._selector = selectors.DefaultSelector()
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        self._selector.register(self._wake_read, selectors.EVENT_READ, self._woken)
        self._thread = threading.Thread(target=self._run, name="simulated-air", daemon=True)
        self._thread.start()

    def call(self, function: Callable[[], T]) -> T:
        """Do it in the air's thread, and wait for its result."""
        if threading.current_thread() is self._thread:
            return function()
        if self._is_closed:
            raise RuntimeError("the simulated air is closed")
        result: Future[T] = Future()

        def do() -> None:
            try:
                result.set_result(function())
            except BaseException as error:  # it belongs to whoever asked
                result.set_exception(error)

        self._calls.append(do)
        self._wake()
        return result.result(CALL_S)

    def watch(self, source: Any, ready: Callable[[int], None]) -> None:
        """Call ``ready`` with selectors' mask when there is something to read."""
        self._selector.register(source, selectors.EVENT_READ, ready)

    def want_write(self, source: Any, is_wanted: bool) -> None:
        """Whether ``ready`` shall also be called when there is room to write."""
        key = self._selector.get_key(source)
        mask = selectors.EVENT_READ | (selectors.EVENT_WRITE if is_wanted else 0)
        if key.events != mask:
            self._selector.modify(source, mask, key.data)

    def unwatch(self, source: Any) -> None:
        self._selector.unregister(source)

    def close(self) -> None:
        """End the thread. What is watched belongs to whoever opened it. Idempotent."""
        if self._is_closed:
            return
        self._is_closed = True
        self._wake()
        self._thread.join(CALL_S)
        self._selector.close()
        os.close(self._wake_read)
        os.close(self._wake_write)

    def _wake(self) -> None:
        try:
            os.write(self._wake_write, b"!")
        except BlockingIOError:
            pass  # it is being woken already

    def _woken(self, mask: int) -> None:
        os.read(self._wake_read, 4096)

    def _elapsed(self) -> float:
        return self.clock.monotonic() - self._began

    def _run(self) -> None:
        while not self._is_closed:
            try:
                self._once()
            except Exception:
                # A radio that stumbles must not silence the others.
                log.exception("air: a simulated radio failed")

    def _once(self) -> None:
        due = self.agenda.next_at()
        pause = None if due is None else max(0.0, (due - self._elapsed()) / self._speed)
        ready = self._selector.select(pause)
        # First what was due before, so that what comes from outside does not overtake it.
        self.agenda.run_until(self._elapsed())
        for key, mask in ready:
            # Whoever was ready may have been closed by the one before, and its number be another's.
            watched = self._selector.get_map().get(key.fileobj)
            if watched is not None and watched.data is key.data:
                key.data(mask)
        while self._calls:
            self._calls.popleft()()
