"""Starts of the node: numbers never used twice, and right times from a wrong clock."""

from __future__ import annotations

import os

from kiezbox.clock import EARLIEST_PLAUSIBLE
from kiezbox.model import COUNTER_BITS

#: Boot → moments at which its clock was trusted: (monotonic ms, wall ms minus monotonic ms).
ClockMarks = dict[int, list[tuple[int, int]]]

#: Ten seconds a step: systemd restarts a crashing node no faster, so even a week of crashes does
#: not run ahead of the clock. The lower half of the 27 bits lasts until 2046.
STEP_S = 10
_CLOCK_HALF = 1 << 26

#: The highest number a serial has room for.
_NONE_IS_HIGHER = (1 << 27) - 1

#: Chance stays below, so that there are 16 million starts of the node left to count on from it.
_HIGHEST_DRAW = (1 << 27) - (1 << 24)


def draw(last: int, now: float, *, is_first: bool) -> int:
    """The number of this start of the node.

    Above ``last``, the highest number the files know of, and not below the clock's, so that a
    lost database or an old backup (``is_first``: the files do not know the last number) does not
    lead to ids the receivers have seen. Where the clock knows nothing either, chance: two draws
    meet once in 50 million.
    """
    if last >= _NONE_IS_HIGHER:  # A card has changed a bit of it.
        last, is_first = 0, True
    by_clock = _by_clock(now)
    if by_clock:
        return max(last + 1, by_clock)
    if not is_first:
        return last + 1
    start = max(last + 1, _CLOCK_HALF)
    chances = max(1, _HIGHEST_DRAW - start)
    return start + int.from_bytes(os.urandom(8), "little") % chances


def is_by_clock(boot: int, now: float) -> bool:
    """Whether a number just drawn is the clock's own, which it gives once only."""
    return boot == _by_clock(now)


def _by_clock(now: float) -> int:
    """Ten-second steps since 2025; 0 for a clock that cannot be right."""
    steps = int((now - EARLIEST_PLAUSIBLE) // STEP_S)
    return steps if 0 < steps < _CLOCK_HALF else 0


def boot_of(serial: int) -> int:
    """The start of the node in which a reading was taken."""
    return serial >> COUNTER_BITS


def corrected_ms(
    marks: ClockMarks, boot: int, monotonic_ms: int, taken_ms: int, clock_trusted: int
) -> int:
    """Wall time by the nearest moment of the same boot at which the clock was trusted.

    What the clock said, where it was trusted, and where there was no such moment.

    >>> corrected_ms({7: [(60_000, 1_780_000_000_000)]}, 7, 5_000, 5_000, 0)
    1780000005000
    """
    if clock_trusted or boot not in marks:
        return taken_ms
    nearest = min(marks[boot], key=lambda mark: abs(mark[0] - monotonic_ms))
    return monotonic_ms + nearest[1]
