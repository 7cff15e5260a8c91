"""Hybrid logical clock (Kulkarni, Demirbas and others, "Logical Physical Clocks", 2014).

A stamp is one integer: 48 bits of Unix milliseconds, 16 bits of counter. It never goes back on one
box, whatever its clock does, and what answers something always has a higher stamp than what it
answers.
"""

from __future__ import annotations

__all__ = ["DRIFT_MS", "MOST_STAMP", "is_too_far_ahead", "moment_of", "next_stamp"]

_COUNTER_BITS = 16
MOST_STAMP = (1 << 63) - 1

#: So far ahead of us may another box's clock be. Further, its records would push every box's
#: stamps into the future for ever.
DRIFT_MS = 300_000


def next_stamp(newest: int, now_s: float) -> int:
    """A stamp above ``newest`` (the highest this box has seen), by the clock where that allows.

    >>> next_stamp(0, 1.0) == 1000 << 16
    True
    >>> next_stamp(2000 << 16, 1.0) == (2000 << 16) + 1
    True
    """
    return max(newest + 1, int(max(0.0, now_s) * 1000) << _COUNTER_BITS)


def is_too_far_ahead(stamp: int, newest: int, now_s: float) -> bool:
    """Whether a foreign stamp must not be believed: more than ``DRIFT_MS`` ahead of our clock and
    of everything seen.
    """
    known_ms = max(newest >> _COUNTER_BITS, int(now_s * 1000))
    return stamp >> _COUNTER_BITS > known_ms + DRIFT_MS


def moment_of(stamp: int) -> float:
    """Unix seconds."""
    return (stamp >> _COUNTER_BITS) / 1000
