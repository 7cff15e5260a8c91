"""Boxes on an air that loses, doubles, delays and parts, in simulated time."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from random import Random
from typing import Any

from kiezbox.exchange import (
    Bearer,
    Digest,
    Exchange,
    Gone,
    Holdings,
    Item,
    Message,
    Pace,
    Sending,
    Want,
)
from kiezbox.records import Ref

#: Bytes a second, as MediumFast has them (LoRa SF9, 250 kHz, 4/5).
BYTES_PER_S = 440

#: Of a packet before the first byte of ours (Meshtastic's header and wrapper).
HEADER_BYTES = 24

FRAME_BYTES = 200


def size_of(message: Message) -> int:
    """About what a frame of it takes (docs/frames.md); enough to tell how much is said."""
    if isinstance(message, Digest):
        return 17 + sum(8 + 3 * entry.holes.count for entry in message.entries)
    if isinstance(message, Want | Gone):
        return 13 + sum(4 + 3 * numbers.count for _, numbers in message.entries)
    return sum(8 + len(item.body) for item in message.items)


LORA = Bearer(
    fits=lambda message: size_of(message) <= FRAME_BYTES,
    pace=Pace(least_s=30, most_s=3600, enough=3),
    spread_s=3.0,
    ask_within_s=3.0,
)


class Box:
    """One that stores what it gets, and forgets all but that when it restarts."""

    def __init__(self, name: str, bearer: Bearer, random: Random, now: float) -> None:
        self.name, self.bearer, self.random = name, bearer, random
        #: What is on its card: records, and the numbers of those that are gone.
        self.stored: dict[Ref, Item] = {}
        self.gone: set[Ref] = set()
        self.count = 0
        self.busy_until = 0.0
        self.wakes_at = float("inf")
        self.restart(now)

    def restart(self, now: float) -> None:
        self.holdings = Holdings()
        for number in self.gone:
            self.holdings.lose(*number)
        for number in self.stored:
            self.holdings.add(*number)
        self.exchange = Exchange(
            self.name, self.bearer, self.holdings, self.stored.get, random=self.random, now=now
        )

    def write(self, priority: int, now: float, size_bytes: int = 150) -> Ref:
        self.count += 1
        item = Item(Ref(self.name, self.count), priority, self.name.encode() * size_bytes)
        item = Item(item.number, priority, item.body[:size_bytes])
        self.take(item, now, is_heard_here=False)
        return item.number

    def take(self, item: Item, now: float, *, is_heard_here: bool) -> None:
        self.stored[item.number] = item
        self.holdings.add(*item.number)
        self.exchange.added(item.number, item.priority, now, is_heard_here=is_heard_here)

    def lose(self, number: Ref) -> None:
        """Expired or erased here."""
        self.stored.pop(number, None)
        self.gone.add(number)
        self.holdings.lose(*number)


class Air:
    """All boxes, and who hears whom."""

    def __init__(
        self,
        count: int,
        *,
        seed: int = 1,
        loss: float = 0.0,
        doubled: float = 0.0,
        delay_s: float = 0.0,
        bearer: Bearer = LORA,
    ) -> None:
        self.random = Random(seed)
        self.loss, self.doubled, self.delay_s = loss, doubled, delay_s
        self.now = 0.0
        #: Packets and bytes on the air, and packets of each kind.
        self.packets = self.bytes = 0
        self.kinds: dict[str, int] = {}
        self.hears: Callable[[Box, Box], bool] = lambda sender, hearer: True
        #: What a box does with a record that was heard: False, and it is not believed.
        self.believes: Callable[[Item], bool] = lambda item: True
        self.boxes = [
            Box(f"kb-{n}", bearer, Random(seed * 1000 + n), self.now) for n in range(count)
        ]
        self._events: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._order = 0
        for box in self.boxes:
            self.wake(box)

    def at(self, moment: float, act: Callable[..., None], *what: Any) -> None:
        self._order += 1
        heapq.heappush(self._events, (moment, self._order, act, what))

    def run(self, seconds: float, until: Callable[[], bool] = lambda: False) -> bool:
        """Let so much time pass, or until something is so; whether it is."""
        ends_at = self.now + seconds
        while self._events and self._events[0][0] <= ends_at:
            self.now, _, act, what = heapq.heappop(self._events)
            act(*what)
            if until():
                return True
        self.now = ends_at
        return until()

    def wake(self, box: Box) -> None:
        """It may have something to send."""
        due_at = max(box.busy_until, box.exchange.due_at(self.now))
        if due_at < box.wakes_at:
            box.wakes_at = due_at
            self.at(due_at, self._send, box, due_at)

    def say(self, sender: str, message: Message, hearers: Iterable[Box] | None = None) -> None:
        """Anybody says anything to all, at once and without loss."""
        for box in self.boxes if hearers is None else hearers:
            self._hear(box, message, sender)

    def are_equal(self) -> bool:
        return len({box.holdings.fingerprint for box in self.boxes}) == 1

    def _send(self, box: Box, wakes_at: float) -> None:
        if wakes_at != box.wakes_at:
            return
        box.wakes_at = float("inf")
        sending = box.exchange.next(self.now)
        if sending is not None:
            self._put_on_air(box, sending)
        elif box.exchange.due_at(self.now) <= self.now:
            raise AssertionError(f"{box.name} is to send, and has nothing to send")
        self.wake(box)

    def _put_on_air(self, box: Box, sending: Sending) -> None:
        size = HEADER_BYTES + size_of(sending.message)
        box.busy_until = self.now + size / BYTES_PER_S
        self.packets += 1
        self.bytes += size
        name = type(sending.message).__name__
        self.kinds[name] = self.kinds.get(name, 0) + 1
        for other in self.boxes:
            is_meant = box.bearer.is_shared or sending.to in ("", other.name)
            if other is box or not is_meant or not self.hears(box, other):
                continue
            for _ in range(1 + (self.random.random() < self.doubled)):
                if self.random.random() >= self.loss:
                    late_s = self.random.random() * self.delay_s
                    self.at(box.busy_until + late_s, self._hear, other, sending.message, box.name)

    def _hear(self, box: Box, message: Message, sender: str) -> None:
        for item in box.exchange.heard(message, sender, self.now):
            if self.believes(item):
                box.take(item, self.now, is_heard_here=True)
        self.wake(box)


__all__ = ["BYTES_PER_S", "LORA", "Air", "Box", "size_of"]
