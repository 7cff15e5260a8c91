"""What is to happen when. No clock, no thread: time is whatever comes next."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any


class Agenda:
    """Simulated time, in seconds from 0. What is due at the same moment goes in order."""

    __slots__ = ("_events", "_order", "now")

    def __init__(self) -> None:
        self.now = 0.0
        self._events: list[tuple[float, int, Callable[..., object], tuple[Any, ...]]] = []
        self._order = 0

    def at(self, moment: float, act: Callable[..., object], *what: Any) -> None:
        """Do this then."""
        self._order += 1
        heapq.heappush(self._events, (moment, self._order, act, what))

    def run(self, until: float, is_done: Callable[[], bool] = lambda: False) -> bool:
        """Let time pass, or until something is so (asked after each event); whether it is."""
        events = self._events
        while events and events[0][0] <= until:
            self.now, _, act, what = heapq.heappop(events)
            act(*what)
            if is_done():
                return True
        self.now = until
        return is_done()
