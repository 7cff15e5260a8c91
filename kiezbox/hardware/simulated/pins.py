"""The levels of one box's GPIO lines.

Modelled: what the world drives onto a line, the built-in pull where it drives nothing, outputs.
Not modelled: noise on a floating line (it reads low), short circuits (an output wins), bounce
(whoever wants it sets the line several times).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from kiezbox.hardware.wire import USES

__all__ = ["FAULTS", "Pins"]

#: open: the wire is off, so the built-in pull decides. stuck: the line stays as it is. vanish: the
#: chip is gone, and nobody hears of the line before it is back (the bench sees to that).
FAULTS = ("open", "stuck", "vanish")

#: The level of a line that nothing outside drives, by how the box uses it.
_UNDRIVEN = {"floating": False, "up": True, "down": False, "low": False, "high": True}


@dataclass
class _Line:
    outside: bool | None = None
    use: str = "floating"
    fault: str | None = None
    stuck_at: bool = False

    @property
    def level(self) -> bool:
        if self.use in ("low", "high"):
            return self.use == "high"
        if self.fault == "stuck":
            return self.stuck_at
        if self.fault == "open" or self.outside is None:
            return _UNDRIVEN[self.use]
        return self.outside


class Pins:
    """All lines, by number; those never mentioned float."""

    def __init__(self) -> None:
        self._lines: dict[int, _Line] = {}
        self._watchers: list[Callable[[int, bool], None]] = []
        # Re-entrant, because a watcher may look at another line; held while watchers are
        # told, so that they hear of changes in their order.
        self._lock = threading.RLock()

    def level(self, number: int) -> bool:
        """True: high."""
        with self._lock:
            return self._line(number).level

    def set(self, number: int, high: bool | None) -> None:
        """What the world does to the line; None: nothing is connected."""
        with self._change(number) as line:
            line.outside = high

    def is_gone(self, number: int) -> bool:
        """Whether the line's chip has vanished."""
        with self._lock:
            return self._line(number).fault == "vanish"

    def use(self, number: int, use: str) -> None:
        """What the box does with the line: one of ``wire.USES``."""
        if use not in USES:
            raise ValueError(f"{use!r} is not one of {USES}")
        with self._change(number) as line:
            line.use = use

    def fault(self, number: int, kind: str | None) -> None:
        """One of ``FAULTS``, or None: all is well again."""
        if kind is not None and kind not in FAULTS:
            raise ValueError(f"{kind!r} is not one of {FAULTS}")
        with self._change(number) as line:
            line.stuck_at = line.level
            line.fault = kind

    def watch(self, watcher: Callable[[int, bool], None]) -> None:
        """``watcher(number, high)`` is called after each change, and must be quick."""
        with self._lock:
            self._watchers.append(watcher)

    def unwatch(self, watcher: Callable[[int, bool], None]) -> None:
        with self._lock:
            if watcher in self._watchers:
                self._watchers.remove(watcher)

    def quiet(self) -> AbstractContextManager[object]:
        """While it is held, no other thread changes a line."""
        return self._lock

    def _line(self, number: int) -> _Line:
        if not 0 <= number < 256:
            raise ValueError(f"{number} is no line number (0 to 255)")
        return self._lines.setdefault(number, _Line())

    def _change(self, number: int) -> _Change:
        return _Change(self, number)


class _Change:
    """Holds the lock while a line is changed, then tells the watchers if its level did."""

    def __init__(self, pins: Pins, number: int) -> None:
        self._pins = pins
        self._number = number

    def __enter__(self) -> _Line:
        self._pins._lock.acquire()
        try:
            self._line = self._pins._line(self._number)
        except BaseException:
            self._pins._lock.release()
            raise
        self._before = self._line.level
        return self._line

    def __exit__(self, *_: object) -> None:
        try:
            if self._line.level != self._before:
                for watcher in tuple(self._pins._watchers):
                    watcher(self._number, self._line.level)
        finally:
            self._pins._lock.release()
