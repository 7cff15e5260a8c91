"""What a radio knows of the air's use: its own hour, and the channel's last minute.

As firmware 2.7 counts (``AirTime``): sixty buckets of a minute for what it sent, six of ten seconds
for all it sent or noticed. Both are in memory: a radio that restarts has forgotten them.
"""

from __future__ import annotations

__all__ = ["AirCount"]

HOUR_S = 3600
MINUTE_S = 60


class AirCount:
    """Times are seconds of the air. Shares are 0 to 1."""

    def __init__(self) -> None:
        self._sent: dict[int, float] = {}
        self._busy: dict[int, float] = {}

    def sent(self, now: float, seconds: float) -> None:
        minute = int(now // MINUTE_S)
        self._sent[minute] = self._sent.get(minute, 0.0) + seconds
        self.noticed(now, seconds)

    def noticed(self, now: float, seconds: float) -> None:
        """Somebody sent."""
        period = int(now // 10)
        self._busy[period] = self._busy.get(period, 0.0) + seconds

    def sent_share(self, now: float) -> float:
        """Of the last hour: ``air_util_tx``."""
        self._sent = {
            minute: seconds for minute, seconds in self._sent.items() if minute > now // 60 - 60
        }
        return sum(self._sent.values()) / HOUR_S

    def busy_share(self, now: float) -> float:
        """Of the last minute: ``channel_utilization``."""
        self._busy = {
            period: seconds for period, seconds in self._busy.items() if period > now // 10 - 6
        }
        return min(1.0, sum(self._busy.values()) / MINUTE_S)

    def silent_minutes(self, now: float, limit: float) -> int:
        """How long until its hour is below ``limit`` again, if it sends nothing."""
        left = self.sent_share(now)
        for minute in sorted(self._sent):
            left -= self._sent[minute] / HOUR_S
            if left < limit:
                return max(1, minute + 60 - int(now // MINUTE_S))
        return 1
