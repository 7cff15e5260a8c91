"""One series as it goes on: what its next value is worth, after those before it.

It remembers five values, however long it runs. Times are seconds on any one axis that goes on.
"""

from __future__ import annotations

from math import inf
from typing import NamedTuple

from kiezbox.model import Flag
from kiezbox.quality.limits import Limits

__all__ = ["GOOD", "Course", "Verdict"]

#: So many equal values in a row, and long enough: chance gives a few.
STUCK_COUNT = 10

#: So many values make a level that one other value cannot overthrow.
FIRM = 3

#: A sensor that was silent for so long may have been without power. Longer than the pauses of mode
#: saving (``saving_interval_s``).
SILENT_S = 900.0


class Verdict(NamedTuple):
    flag: Flag
    reason: str


GOOD = Verdict(Flag.GOOD, "")


class _Point(NamedTuple):
    at: float
    value: float


class Course:
    """The memory of one series."""

    __slots__ = ("_agreeing", "_before", "_good", "_heard_at", "_jumped_at", "_limits", "_run",
                 "_run_length", "_standing", "_warm_from")  # fmt: skip

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._heard_at = -inf
        #: When warming up began; None: with the next value.
        self._warm_from: float | None = None
        #: The last value that passed, and how many passed in a row (as far as FIRM).
        self._good: _Point | None = None
        self._standing = 0
        #: The last value that was compared, when the level jumped away from ``_good``, and how
        #: many values have agreed with each other since.
        self._before = _Point(-inf, 0.0)
        self._jumped_at: float | None = None
        self._agreeing = 0
        #: The first of the equal values, and how many they are.
        self._run: _Point | None = None
        self._run_length = 0

    def lost(self) -> None:
        """The sensor was away, so it begins to warm up anew."""
        self._warm_from = None

    def of(self, at: float, value: float) -> Verdict:
        """What this value is worth, where the driver has no doubt of it."""
        limits, pause_s = self._limits, at - self._heard_at
        if self._warm_from is None or pause_s > max(SILENT_S, limits.warm_up_s):
            self._warm_from = at
        self._heard_at = at
        stands_still = self._stands_still(at, value)
        least, most = limits.possible
        if not least <= value <= most:
            return Verdict(Flag.BAD, "range")
        is_plausible = limits.is_plausible(value, pause_s)
        if is_plausible and stands_still:
            return Verdict(Flag.SUSPECT, "stuck")
        if is_plausible and value >= limits.saturated:
            return Verdict(Flag.SUSPECT, "saturated")
        if is_plausible and at - self._warm_from < limits.warm_up_s:
            return Verdict(Flag.SUSPECT, "warm-up")
        if not is_plausible:
            self._strays(at, value)
            return Verdict(Flag.SUSPECT, "range")
        return Verdict(Flag.SUSPECT, "step") if self._has_jumped(at, value) else GOOD

    def _stands_still(self, at: float, value: float) -> bool:
        if self._run is None or self._run.value != value:
            self._run, self._run_length = _Point(at, value), 0
        self._run_length += 1
        return self._run_length >= STUCK_COUNT and self._limits.stands_still(
            value, at - self._run.at
        )

    def _has_jumped(self, at: float, value: float) -> bool:
        """Compare with the last good value, and say what becomes of the level."""
        limits, good, before = self._limits, self._good, self._before
        self._before = _Point(at, value)
        if good is None or at - before.at > limits.settle_s:
            self._standing = 0
            return self._passes(at, value)
        if self._jumped_at is None:
            if not limits.is_jump(good.value, value, at - good.at):
                return self._passes(at, value)
            self._jumped_at, self._agreeing = at, 1
            return True
        # Time makes the way back wider; a level that only holds on comes hardly nearer by waiting.
        jumps_again = limits.is_jump(before.value, value, at - before.at)
        since_s = at - good.at
        if not jumps_again:
            since_s = min(since_s, limits.patience * limits.step_s)
        if not limits.is_jump(good.value, value, since_s):
            return self._passes(at, value)
        if jumps_again:
            self._jumped_at, self._agreeing = at, 1
            return True
        self._agreeing += 1
        is_settled = at - self._jumped_at >= limits.settle_s
        if is_settled or (self._standing < FIRM and self._agreeing >= FIRM):
            return self._passes(at, value)
        return True

    def _strays(self, at: float, value: float) -> None:
        """Out of all that is plausible: never a level to measure by, and a jump when it began."""
        if self._jumped_at is None or self._limits.is_jump(
            self._before.value, value, at - self._before.at
        ):
            self._jumped_at, self._agreeing = at, 0
        self._before = _Point(at, value)

    def _passes(self, at: float, value: float) -> bool:
        self._good, self._jumped_at = _Point(at, value), None
        self._standing = min(self._standing + 1, FIRM)
        return False
