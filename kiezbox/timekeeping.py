"""Whose word on the time counts: GPS before NTP, before a clock chip, before the neighbours.

Pure: numbers in, a verdict out. The node asks it before it wishes for another time, and the part
with the right to set the system clock asks it again (docs/clock.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from statistics import median
from typing import NamedTuple

from kiezbox.clock import EARLIEST_PLAUSIBLE, Holder, Told

__all__ = ["RANKS", "Offer", "Verdict", "best", "of_neighbours", "verdict"]

#: A good clock is never overwritten by a worse one.
RANKS = {"neighbours": 1, "rtc": 2, "ntp": 3, "gps": 4}

#: 2100-01-01T00:00:00Z; a DS3231 has two digits for the year.
LATEST_PLAUSIBLE = 4_102_444_800.0

#: What was heard longer ago is no offer any more. A quartz is off by 0.05 s after that time.
OFFER_S = 900.0

#: A clock is set when it is off by more. NMEA sentences come up to 0.8 s late, a chip says whole
#: seconds.
SET_FROM_S = 1.0

#: GPS and NTP may differ by so much; more is a lie of one of them.
DISAGREE_S = 5.0

#: So long a better source's word holds after its last one. A Raspberry Pi's quartz (20 to 50 ppm)
#: is off by 12 to 30 s after a week, a DS3231 (2 ppm) by one.
HOLD_S = 7 * 86400.0

#: A source that goes on agreeing says so again after that time, so that its word stays young.
REFRESH_S = 86400.0

#: Neighbours bring a clock forwards, never back, and so far at most from what was sure.
NEIGHBOURS_MOST_S = 366 * 86400.0

#: So many neighbours must be heard, and most of all must be so near to the middle one.
LEAST_NEIGHBOURS, NEAR_S = 3, 60.0


class Offer(NamedTuple):
    """One source's word. ``source`` is one of ``RANKS``, ``name`` the sensor's."""

    source: str
    name: str
    told: Told

    def at(self, monotonic: float) -> float:
        """What it would say now, Unix seconds."""
        return self.told.time + monotonic - self.told.heard_at


class Verdict(NamedTuple):
    """``action``: "set" the clock, "vouch" for it as it is, "keep" it so; or why it is not to be
    believed: "impossible", "behind" (the box has been later than that), "disagree".
    """

    action: str
    #: By how much the offer is ahead of the system clock.
    ahead_s: float


def best(offers: Iterable[Offer], monotonic: float) -> Offer | None:
    """The highest in rank of those that were heard lately; of equals the latest heard."""
    young = [each for each in offers if 0 <= monotonic - each.told.heard_at <= OFFER_S]
    return max(young, key=lambda each: (RANKS[each.source], each.told.heard_at), default=None)


def verdict(
    offer: Offer, holder: Holder, wall: float, monotonic: float, floor: float = 0.0
) -> Verdict:
    """What an offer means for a clock that says ``wall`` and is right by ``holder``.

    ``floor`` is the latest moment that this box knows for sure to have been, Unix seconds.
    """
    said = offer.at(monotonic)
    ahead_s = said - wall
    return Verdict(_action(offer, holder, said, ahead_s, floor), ahead_s)


def _action(offer: Offer, holder: Holder, said: float, ahead_s: float, floor: float) -> str:
    if not EARLIEST_PLAUSIBLE < said < LATEST_PLAUSIBLE:
        return "impossible"
    if offer.source in ("rtc", "neighbours") and said < floor:
        return "behind"
    if offer.source == "neighbours" and floor and said > floor + NEIGHBOURS_MOST_S:
        return "impossible"
    if holder.is_ntp_at_work:
        is_lie = offer.source == "gps" and abs(ahead_s) > DISAGREE_S
        return "disagree" if is_lie else "keep"
    if RANKS[offer.source] < RANKS.get(holder.source, 0) and holder.age_s < HOLD_S:
        return "keep"
    if offer.source == "neighbours" and (ahead_s < 0 or holder.source in ("gps", "ntp", "rtc")):
        return "keep"
    if abs(ahead_s) > SET_FROM_S:
        return "set"
    is_said = holder.source == offer.source and holder.age_s < REFRESH_S
    return "keep" if is_said else "vouch"


def of_neighbours(told: Mapping[str, Told], monotonic: float) -> Told | None:
    """The middle one of what boxes say, by box; None: too few, or they do not agree.

    >>> of_neighbours({"a": Told(0, 100.0), "b": Told(5, 106.0), "c": Told(9, 9e9)}, 10)
    Told(heard_at=10, time=111.0)
    >>> of_neighbours({"a": Told(0, 100.0), "b": Told(5, 106.0)}, 10)
    """
    said = [each.time + monotonic - each.heard_at for each in told.values()]
    if len(said) < LEAST_NEIGHBOURS:
        return None
    middle = median(said)
    near = sum(1 for each in said if abs(each - middle) <= NEAR_S)
    return Told(monotonic, middle) if 2 * near > len(said) else None
