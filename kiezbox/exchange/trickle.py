"""When to say what one holds: often while boxes differ, seldom while they agree (RFC 6206).

A box among agreeing neighbours keeps silent if it has heard enough of them say the same, so the
price of agreement does not grow with the number of boxes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

__all__ = ["Chance", "Pace", "Trickle"]


class Chance(Protocol):
    """``random.Random``, as far as it is needed here: passed in, so that a simulation can be had
    again.
    """

    def random(self) -> float: ...

    def randrange(self, start: int, stop: int, /) -> int: ...


@dataclass(frozen=True, slots=True)
class Pace:
    """``least_s`` and ``most_s``: the shortest and the longest interval (Imin, Imax); ``enough``:
    who has heard so many say the same within one keeps silent (k). ``news_s``: the shortest one
    where nothing is urgent; 0: ``least_s``, too.
    """

    least_s: float
    most_s: float
    enough: int
    news_s: float = 0.0


class Trickle:
    """RFC 6206, 4.2, with a clock that is passed in."""

    def __init__(self, pace: Pace, random: Chance, now: float) -> None:
        self.pace = pace
        self._random = random
        self.interval_s = pace.least_s
        self._heard = 0
        self._is_done = False
        self._at = self._ends_at = now
        self._begin(now)

    @property
    def due_at(self) -> float:
        """When ``is_due`` has to be asked next."""
        return self._ends_at if self._is_done else self._at

    def heard_same(self) -> None:
        """Somebody said what we would say (consistent)."""
        self._heard += 1

    def heard_other(self, now: float, *, is_urgent: bool = True) -> None:
        """Somebody holds something else (inconsistent): from now on in short intervals."""
        short_s = self.pace.least_s if is_urgent else max(self.pace.least_s, self.pace.news_s)
        if self.interval_s > short_s:
            self.interval_s = short_s
            self._begin(now)

    def is_due(self, now: float) -> bool:
        """Whether to say it now. To be asked at ``due_at``, or later; once per interval it is."""
        while now >= self._ends_at:
            # Whoever slept through an interval was not heard in it, and need not make up for it.
            self.interval_s = min(self.interval_s * 2, self.pace.most_s)
            self._begin(max(self._ends_at, now - self.interval_s))
        if self._is_done or now < self._at:
            return False
        self._is_done = True
        return self._heard < self.pace.enough

    def _begin(self, now: float) -> None:
        self._heard = 0
        self._is_done = False
        # In the second half, so that nobody with a short interval speaks in front of all others.
        self._at = now + self.interval_s * (0.5 + self._random.random() / 2)
        self._ends_at = now + self.interval_s
