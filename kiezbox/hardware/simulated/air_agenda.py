"""What happens when on the air, in the air's own seconds, whoever lets them pass.

An agenda knows no clock. A test runs an hour of it in a second and gets the same hour each time;
``air_loop`` runs it by the machine's clock, as fast as it was told to.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field

__all__ = ["Agenda", "Item"]


@dataclass(order=True, slots=True)
class Item:
    """Something to be done at ``at`` (seconds)."""

    at: float
    order: int
    action: Callable[[], None] = field(compare=False)
    is_cancelled: bool = field(default=False, compare=False)

    def cancel(self) -> None:
        self.is_cancelled = True


class Agenda:
    """``now``: seconds since the air began; ``time``: the same moment in Unix seconds."""

    def __init__(self, began_at: float = 1_780_000_000.0) -> None:
        self.now = 0.0
        self._began_at = began_at
        self._items: list[Item] = []
        self._count = 0

    @property
    def time(self) -> float:
        return self._began_at + self.now

    def after(self, seconds: float, action: Callable[[], None]) -> Item:
        """Do it so much later. What is due at the same time happens in the order it was said."""
        self._count += 1
        item = Item(self.now + max(0.0, seconds), self._count, action)
        heapq.heappush(self._items, item)
        return item

    def next_at(self) -> float | None:
        """When the next thing is due; None if nothing is."""
        while self._items and self._items[0].is_cancelled:
            heapq.heappop(self._items)
        return self._items[0].at if self._items else None

    def run_until(self, until: float) -> None:
        """Let time pass. Each thing is done at its own moment, also if it was said late."""
        while (due := self.next_at()) is not None and due <= until:
            item = heapq.heappop(self._items)
            self.now = max(self.now, item.at)
            item.action()
        self.now = max(self.now, until)
