"""Tells the sensors' workers the mode, from the power worker's thread."""

from __future__ import annotations

from collections.abc import Callable

from kiezbox.mode import Mode

__all__ = ["Sparing"]


class Sparing:
    """What the mode is; whoever is woken asks here."""

    def __init__(self, mode: Mode) -> None:
        self.mode = mode
        #: Called after every change.
        self.wakes: list[Callable[[], None]] = []

    def tell(self, mode: Mode) -> None:
        """The mode is this one now. Cheap while nothing changes: it is told at every look."""
        if mode is not self.mode:
            self.mode = mode
            for wake in self.wakes:
                wake()
