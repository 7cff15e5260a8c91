"""Token buckets: how much one guest, and everybody together, may have written.

In memory, for a bounded number of guests; by address as the socket has it (``crowd.party_of``),
never by MAC or by what a header says. What runs on this box speaks for
many and is not counted. Called by the responder's thread alone.
"""

from __future__ import annotations

import time

from kiezbox.portal.crowd import is_network, party_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["MOST_PARTIES", "RESERVE", "Buckets", "Limits"]

#: Guests remembered; the one forgotten first is who has not written for longest.
MOST_PARTIES = 4096

#: The last of the box's points are for what a life may hang on, and before them such a share for
#: whoever has not written for a while: a flood from many addresses leaves those.
RESERVE = 0.1

DAY_S = 86400.0

#: Whoever has used up the day's may all the same ask for help this often: it may be somebody else
#: by now, who was given the address.
VITAL_EACH_S = 600.0

_OWN = ("127.0.0.1", "::1", "")


class Limits:
    """``settings.AbuseSettings``, as far as they count here; points, and points a second."""

    __slots__ = ("box_burst", "box_per_s", "burst", "day", "network_factor", "per_s")

    def __init__(
        self,
        *,
        client_burst: float = 30.0,
        client_per_minute: float = 3.0,
        client_per_day: float = 150.0,
        network_factor: float = 10.0,
        box_burst: float = 3000.0,
        box_per_minute: float = 600.0,
    ) -> None:
        self.burst, self.per_s = client_burst, client_per_minute / 60
        #: A second bucket of each guest, which a day fills.
        self.day = max(client_burst, client_per_day)
        self.network_factor = network_factor
        self.box_burst, self.box_per_s = box_burst, box_per_minute / 60


class Buckets:
    """All of one process. A guest's is (points, points of the day, as of when); one that is not
    there is full.
    """

    def __init__(
        self, limits: Limits | None = None, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._monotonic = monotonic
        self._parties: dict[str | bytes, tuple[float, float, float]] = {}
        self.limits = limits or Limits()
        self._box = self.limits.box_burst, monotonic()

    def __len__(self) -> int:
        return len(self._parties)

    def wait_s(self, client: str, cost: float, *, is_vital: bool = False) -> float:
        """Seconds until this client may spend so much; 0: now."""
        if client in _OWN:
            return 0.0
        now, limits = self._monotonic(), self.limits
        points, of_day, factor = self._points(client, now)
        (_, _, since) = self._parties.get(party_of(client), (0.0, 0.0, now - VITAL_EACH_S))
        burst, day = limits.burst * factor, limits.day * factor
        reserve = 0.0 if is_vital else RESERVE if points >= burst else 2 * RESERVE
        box = _filled(self._box, now, limits.box_burst, limits.box_per_s)
        # What costs more than there can ever be is let through by a full bucket.
        lacking = min(cost, burst) - points
        lacking_of_day = min(cost, day) - of_day
        day_s = lacking_of_day / (day / DAY_S)
        if is_vital:
            day_s = min(day_s, since + VITAL_EACH_S - now)
        lacking_of_box = min(cost, limits.box_burst) + reserve * limits.box_burst - box
        return max(
            0.0,
            lacking / (limits.per_s * factor),
            day_s,
            lacking_of_box / limits.box_per_s,
        )

    def take(self, client: str, cost: float) -> None:
        """Spend so much."""
        if client in _OWN:
            return
        now, limits = self._monotonic(), self.limits
        points, of_day, _ = self._points(client, now)
        box = _filled(self._box, now, limits.box_burst, limits.box_per_s)
        self._box = max(0.0, box - cost), now
        key = party_of(client)
        self._parties.pop(key, None)
        if len(self._parties) >= MOST_PARTIES:
            del self._parties[next(iter(self._parties))]
        # What turned out to cost more than was there is owed.
        self._parties[key] = max(-limits.burst, points - cost), max(0.0, of_day - cost), now

    def _points(self, client: str, now: float) -> tuple[float, float, float]:
        """What it has, what it has of the day's, and how many times as much as one guest it may
        have.
        """
        key, limits = party_of(client), self.limits
        factor = limits.network_factor if is_network(key) else 1.0
        burst, day = limits.burst * factor, limits.day * factor
        points, of_day, since = self._parties.get(key, (burst, day, now))
        return (
            _filled((points, since), now, burst, limits.per_s * factor),
            _filled((of_day, since), now, day, day / DAY_S),
            factor,
        )


def _filled(bucket: tuple[float, float], now: float, burst: float, per_s: float) -> float:
    points, since = bucket
    return min(burst, points + max(0.0, now - since) * per_s)
