"""A humidity series as a witness of how humid it is, for what suffers from it: particulates."""

from __future__ import annotations

from math import inf

__all__ = ["Witness"]

#: What a humidity is worth to others, and no longer.
FRESH_S = 900.0

#: A sensor that was caught at nonsense, or stands at the end of its scale for longer than any fog
#: does, says nothing for a day.
TRUST_AGAIN_S = 24 * 3600.0


class Witness:
    """What one humidity series has said lately."""

    __slots__ = ("_at", "_doubted_at", "_percent", "_saturated_at")

    def __init__(self) -> None:
        self._at = -inf
        self._percent = 0.0
        self._doubted_at = -inf
        self._saturated_at: float | None = None

    def hears(self, at: float, percent: float, flag: int, reason: str) -> None:
        """The newest reading and its verdict."""
        if flag and reason == "step":
            return  # That may be a shower of rain, so it is no disgrace; but it says nothing.
        self._at, self._percent = at, percent
        if flag and reason != "saturated":
            self._doubted_at = at
        if percent < 99.9:
            self._saturated_at = None
        elif self._saturated_at is None:
            self._saturated_at = at

    def says(self, at: float) -> float | None:
        """Relative humidity in percent, where somebody knows it.

        Fog counts: a sensor at the end of its scale is no good reading, but it is humid there.
        """
        if at - self._at > FRESH_S or at - self._doubted_at < TRUST_AGAIN_S:
            return None
        if self._saturated_at is not None and at - self._saturated_at > TRUST_AGAIN_S:
            return None
        return self._percent
