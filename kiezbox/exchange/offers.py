"""What a box is about to send, most urgent first.

What has waited rises, so that nothing waits for ever; but nothing rises above what saves lives. One
origin that has much to say waits for itself alone: each has a measure of bytes per class.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kiezbox.exchange.ranges import Ranges
from kiezbox.records import Ref

__all__ = ["LIFE", "MOST_OFFERS", "Measure", "Measures", "Offer", "Offers"]

#: Up to this class everything goes in front of everything else (``records.Priority``).
LIFE = 1

#: Offers that wait. One that is dropped is no loss: whoever lacks it asks.
MOST_OFFERS = 1024

#: Of so many (origin, class) it is remembered how much they have used.
MOST_MEASURED = 2048


@dataclass(frozen=True, slots=True)
class Measure:
    """So much at once, and so much more each hour."""

    burst: float
    hourly: float


class Measures:
    """How much each of many has left. Whoever owes nothing may go on, also beyond what is left:
    so what is greater than the burst goes out all the same, and costs its time afterwards.
    """

    def __init__(self) -> None:
        #: Who → what was left, and when.
        self._left: dict[object, tuple[float, float]] = {}

    def free_at(self, who: object, measure: Measure, now: float) -> float:
        left = self._allowance(who, measure, now)
        return now if left > 0 else now + (1 - left) * 3600 / measure.hourly

    def use(self, who: object, measure: Measure, amount: float, now: float) -> None:
        left = self._allowance(who, measure, now) - amount
        if len(self._left) >= MOST_MEASURED:
            self._left = {each: kept for each, kept in self._left.items() if kept[0] <= 0}
        if len(self._left) < MOST_MEASURED:
            self._left[who] = left, now

    def _allowance(self, who: object, measure: Measure, now: float) -> float:
        left, since = self._left.get(who, (measure.burst, now))
        return min(measure.burst, left + max(0.0, now - since) * measure.hourly / 3600)


class Offer:
    """One record that is to be sent; ``to`` one box, or to all ("")."""

    __slots__ = ("due_at", "heard", "is_asked", "number", "priority", "since", "to")

    def __init__(
        self,
        number: Ref,
        priority: int,
        *,
        since: float,
        due_at: float,
        is_asked: bool,
        to: str = "",
    ) -> None:
        self.number = number
        self.priority = priority
        self.since = since
        self.due_at = due_at
        #: Somebody asked for it; else it is news.
        self.is_asked = is_asked
        self.to = to
        #: How many others were heard to give it meanwhile.
        self.heard = 0


class Offers:
    """Those that wait."""

    def __init__(self, *, ageing_s: float, measures: Mapping[int, Measure]) -> None:
        """``ageing_s``: who has waited so long rises by a class. ``measures``: bytes of one origin,
        by class; a class without is not measured.
        """
        self._ageing_s = ageing_s
        self._measures = measures
        self._waiting: dict[tuple[Ref, str], Offer] = {}
        self._used = Measures()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, offer: Offer) -> None:
        """One more; or one that waits goes sooner: what is asked for is not kept as news is."""
        known = self._waiting.get((offer.number, offer.to))
        if known is not None:
            known.due_at = min(known.due_at, offer.due_at)
            known.is_asked = known.is_asked or offer.is_asked
            return
        self._waiting[offer.number, offer.to] = offer
        if len(self._waiting) > MOST_OFFERS:
            self.drop(max(self._waiting.values(), key=lambda o: (o.priority, o.since)))

    def drop(self, offer: Offer) -> None:
        self._waiting.pop((offer.number, offer.to), None)

    def get(self, number: Ref, to: str = "") -> Offer | None:
        return self._waiting.get((number, to))

    def numbers_of(self, origin: str) -> Ranges:
        """Of this origin's records, those that wait to be given to all."""
        return Ranges(
            (number.sequence, number.sequence)
            for number, to in self._waiting
            if number.origin == origin and not to
        )

    def best(self, now: float, *, least_urgent: int, to: str | None = None) -> Offer | None:
        """The one that goes next, of no class below ``least_urgent``, ``to`` anybody or that box;
        None if none may go now.
        """
        may_go = [
            offer
            for offer in self._waiting.values()
            if offer.priority <= least_urgent
            and (to is None or offer.to == to)
            and offer.due_at <= now
            and self._free_at(offer, now) <= now
        ]
        # Whoever asked waits, and would ask somebody else.
        return min(
            may_go,
            key=lambda offer: (self._urgency(offer, now), not offer.is_asked, offer.since),
            default=None,
        )

    def sent(self, offer: Offer, size_bytes: int, now: float) -> None:
        """It is on its way."""
        self.drop(offer)
        if measure := self._measures.get(offer.priority):
            self._used.use((offer.number.origin, offer.priority), measure, size_bytes, now)

    def due_at(self, now: float, *, least_urgent: int) -> float:
        """When ``best`` finds one; infinite if none waits."""
        return min(
            (
                max(offer.due_at, self._free_at(offer, now))
                for offer in self._waiting.values()
                if offer.priority <= least_urgent
            ),
            default=float("inf"),
        )

    def _urgency(self, offer: Offer, now: float) -> float:
        if offer.priority <= LIFE:
            return offer.priority
        return max(offer.priority - (now - offer.since) / self._ageing_s, LIFE + 0.5)

    def _free_at(self, offer: Offer, now: float) -> float:
        measure = self._measures.get(offer.priority)
        if measure is None:
            return now
        return self._used.free_at((offer.number.origin, offer.priority), measure, now)
