"""What a radio may still send in this hour, and who may send it.

The limit is the law's, for any sixty minutes; it counts everything the radio sends: our packets and
their repetitions, which we know beforehand, and what it relays or says of itself, which it reports
afterwards (``air_util_tx``). The radio forgets its count when it restarts, we do not; so the hour
is always the greater of both.

Nothing is sent that was not taken from here first, and what is taken is on the card before it is
sent: whoever dies in between has paid for a packet that did not go out, never the other way round.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

__all__ = ["LIFE", "POLITE_BUSY", "RESERVE", "Budget", "Spent"]

#: A bucket is a minute. It counts until all of it is an hour old.
BUCKET_S = 60
BUCKETS = 61

#: This share of the limit is kept for the classes up to this one (``records.Priority``).
RESERVE = 0.2
LIFE = 1

#: From this channel utilization on, by class: nothing of it is sent. Numbers wait below a quarter,
#: as the firmware's own telemetry does; what people write below two fifths, as its other packets.
#: What saves lives waits for the law alone.
POLITE_BUSY = {6: 0.25, 5: 0.25, 4: 0.4, 3: 0.4, 2: 0.4}


class Spent(NamedTuple):
    """A minute: which one (of ``now``), what we sent in it, and what the radio sent besides."""

    minute: int
    own_s: float
    other_s: float


class Budget:
    """Of one radio. Times are seconds of any clock that does not go back; ``minute`` in what is
    kept counts by it, too.
    """

    def __init__(self, duty: float, kept: Iterable[Spent] = (), *, late_s: float = 0.0) -> None:
        """``duty``: the share of an hour that the law gives. ``kept``: as ``spent`` gave it.
        ``late_s``: so much later than it was taken from here the radio may send a packet.
        """
        self.limit_s = duty * 3600
        self._late_s = late_s
        #: Minute → seconds of ours, and of the radio's.
        self._own: dict[int, float] = {}
        self._other: dict[int, float] = {}
        for each in kept:
            self._own[each.minute] = self._own.get(each.minute, 0.0) + max(0.0, each.own_s)
            self._other[each.minute] = self._other.get(each.minute, 0.0) + max(0.0, each.other_s)

    def used_s(self, now: float) -> float:
        """Of the last sixty minutes, and up to one more: the oldest minute counts until it is past
        altogether.
        """
        self._forget(now)
        return sum(self._own.values()) + sum(self._other.values())

    def left_s(self, now: float, priority: int) -> float:
        """What may still be sent of this class."""
        share = 1.0 if priority <= LIFE else 1.0 - RESERVE
        return max(0.0, share * self.limit_s - self.used_s(now))

    def may_send(
        self, now: float, airtime_s: float, priority: int, *, channel_utilization: float = 0.0
    ) -> bool:
        """Whether a packet of this class may go now. ``channel_utilization``: of all who are heard,
        0 to 1.
        """
        is_polite = channel_utilization < POLITE_BUSY.get(priority, 2.0)
        return is_polite and airtime_s <= self.left_s(now, priority)

    def take(
        self, now: float, airtime_s: float, priority: int, *, channel_utilization: float = 0.0
    ) -> bool:
        """``may_send``; and if so, it is spent. To be kept durably before the packet goes."""
        may = self.may_send(now, airtime_s, priority, channel_utilization=channel_utilization)
        if may:
            minute = int(now // BUCKET_S)
            self._own[minute] = self._own.get(minute, 0.0) + airtime_s
        return may

    def reported(self, now: float, air_util_tx: float) -> None:
        """The radio says what share (0 to 1) of the last hour it was sending. What of it is not
        ours was relayed, or said by itself: it counts from now on, because when it was nobody says.
        """
        others_s = min(max(0.0, air_util_tx), 1.0) * 3600 - self.used_s(now)
        if others_s > 0:
            minute = int(now // BUCKET_S)
            self._other[minute] = self._other.get(minute, 0.0) + others_s

    def free_at(self, now: float, airtime_s: float, priority: int) -> float:
        """When ``left_s`` will be enough, if nothing else is sent; infinite if never."""
        share = 1.0 if priority <= LIFE else 1.0 - RESERVE
        over_s = self.used_s(now) + airtime_s - share * self.limit_s
        if over_s <= 0:
            return now
        for minute in sorted(self._own.keys() | self._other.keys()):
            over_s -= self._own.get(minute, 0.0) + self._other.get(minute, 0.0)
            if over_s <= 0:
                return (minute + BUCKETS) * BUCKET_S + self._late_s
        return float("inf")

    def spent(self, now: float) -> list[Spent]:
        """What must be kept, oldest first."""
        self._forget(now)
        return [
            Spent(minute, self._own.get(minute, 0.0), self._other.get(minute, 0.0))
            for minute in sorted(self._own.keys() | self._other.keys())
        ]

    def _forget(self, now: float) -> None:
        oldest = int((now - self._late_s) // BUCKET_S) - BUCKETS + 1
        for counted in (self._own, self._other):
            for minute in [each for each in counted if each < oldest]:
                del counted[minute]
