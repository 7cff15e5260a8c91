"""Boxes with the real exchange, each with a radio on a shared air."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import NamedTuple

from kiezbox.airtime import Budget
from kiezbox.airtime.budget import LIFE
from kiezbox.city.agenda import Agenda
from kiezbox.city.air import Air
from kiezbox.city.sizes import frame_bytes
from kiezbox.exchange import Bearer, Digest, Exchange, Give, Holdings, Item, Message
from kiezbox.exchange.lora import Turns
from kiezbox.frames import MOST_BYTES
from kiezbox.frames.messages import Named, pack_message, unpack_message
from kiezbox.frames.origins import origin_id
from kiezbox.records import Ref

__all__ = ["Box", "Boxes", "Packed"]

#: Meshtastic's one slot in Europe: a tenth of an hour (``airtime.BANDS``).
DUTY = 0.10

#: Classes, the least urgent first (``records.Priority``).
_CLASSES = range(6, -1, -1)

#: So often a box that may not send looks whether it may.
_LOOK_AGAIN_S = 10.0

#: What goes between our daemon and its radio takes about so long (TCP or USB).
_HANDOVER_S = 0.05


class Packed(NamedTuple):
    """What one transmission carries. ``data``: the frame's bytes, where they are made."""

    message: Message
    sender: str
    kind: str
    size_bytes: int
    data: bytes = b""


class Box:
    """One box: what it holds, and when it wants to send."""

    __slots__ = (
        "budget", "exchange", "holdings", "is_sending", "kiez", "name", "number", "sequence",
        "turns", "wakes_at",
    )  # fmt: skip

    def __init__(self, number: int, name: str, kiez: int) -> None:
        self.number, self.name, self.kiez = number, name, kiez
        self.holdings = Holdings()
        self.exchange: Exchange
        self.turns: Turns
        self.budget = Budget(DUTY)
        self.is_sending = False
        self.wakes_at = float("inf")
        self.sequence = 0


class Boxes:
    """All of a district. ``stored`` is what was written anywhere: a box holds a part of it."""

    def __init__(
        self,
        agenda: Agenda,
        air: Air,
        kieze: Sequence[int],
        bearer: Bearer,
        random: Random,
        *,
        is_to_the_byte: bool = False,
        prefix: str = "kb",
    ) -> None:
        """``kieze``: of each box, which Kiez it is of. ``is_to_the_byte``: what boxes say is packed
        into frames and read from them again, else only as long as its frame would be.
        """
        self.agenda, self.air, self.random = agenda, air, random
        self.is_to_the_byte = is_to_the_byte
        self.stored: dict[Ref, Item] = {}
        #: Records for the whole city: everybody takes them, whoever's Kiez they come from.
        self.for_all: set[Ref] = set()
        #: Called with (box, number, now) for each record that reaches a box.
        self.arrived: Callable[[Box, Ref, float], None] = lambda box, number, now: None
        #: Kind of message → packets, and bytes on the air; what one box was to each other.
        self.kinds: dict[str, list[float]] = {}
        #: What may be sent at all, by its class; asked before everything else.
        self.may_send: Callable[[int], bool] = lambda priority: True
        self._frame_s = air.modem.airtime_s(MOST_BYTES)
        self.boxes = [Box(n, f"{prefix}-{n}", kiez) for n, kiez in enumerate(kieze)]
        for box in self.boxes:
            chance = Random(random.getrandbits(64))
            box.turns = Turns(chance)
            box.exchange = Exchange(
                box.name, bearer, box.holdings, self.stored.get, random=chance, now=agenda.now
            )
        #: Of each box, who hears it at all, and who of its own Kiez.
        self.near = [list(row) for row in air.links]
        self.own = [
            [other for other in row if kieze[other] == kieze[n]] for n, row in enumerate(air.links)
        ]
        self._keys = {kiez: kiez.to_bytes(16, "big") for kiez in set(kieze)}
        ids = {origin_id(box.name): box.name for box in self.boxes}
        self._named: Named = ids.get
        for box in self.boxes:
            self._wake(box)

    def write(self, number: int, priority: int, body: bytes, *, is_for_all: bool = False) -> Ref:
        """This box has a new record."""
        box = self.boxes[number]
        box.sequence += 1
        ref = Ref(box.name, box.sequence)
        self.stored[ref] = Item(ref, priority, body)
        if is_for_all:
            self.for_all.add(ref)
        self._take(box, self.stored[ref], is_heard_here=False)
        self._wake(box)
        return ref

    def members(self, kiez: int) -> list[Box]:
        return [box for box in self.boxes if box.kiez == kiez]

    # --- a box's turn ----------------------------------------------------------------------------

    def _take(self, box: Box, item: Item, *, is_heard_here: bool) -> None:
        box.holdings.add(*item.number)
        now = self.agenda.now
        box.exchange.added(item.number, item.priority, now, is_heard_here=is_heard_here)
        self.arrived(box, item.number, now)

    def _wake(self, box: Box) -> None:
        """It may have something to send."""
        if box.is_sending:
            return
        due_at = box.exchange.due_at(self.agenda.now)
        if due_at < box.wakes_at:
            box.wakes_at = due_at
            self.agenda.at(due_at, self._turn_of, box, due_at)

    def _look_again(self, box: Box, at: float) -> None:
        if at < box.wakes_at:
            box.wakes_at = at
            self.agenda.at(at, self._turn_of, box, at)

    def _turn_of(self, box: Box, wakes_at: float) -> None:
        if wakes_at != box.wakes_at or box.is_sending:
            return
        box.wakes_at = float("inf")
        now = self.agenda.now
        busy = self.air.utilization(box.number)
        least = next(
            (
                each
                for each in _CLASSES
                if box.budget.may_send(now, self._frame_s, each, channel_utilization=busy)
            ),
            None,
        )
        if least is None:
            # Not even what saves lives: the law's hour is used up.
            self._look_again(box, now + 6 * _LOOK_AGAIN_S)
            return
        allowed = least if now >= box.turns.free_at else min(least, LIFE)
        sending = box.exchange.next(now, least_urgent=allowed)
        if sending is not None:
            self._send(box, sending.message, sending.priority, busy)
            return
        due_at = box.exchange.due_at(now, least_urgent=allowed)
        if due_at <= now:
            due_at = now + 0.001
        if allowed < least:
            due_at = min(due_at, max(box.turns.free_at, box.exchange.due_at(now)))
        elif least < _CLASSES[0] and box.exchange.due_at(now) <= now:
            # Something less urgent waits until the channel is quieter.
            due_at = min(due_at, now + _LOOK_AGAIN_S * (0.5 + self.random.random()))
        if due_at < float("inf"):
            self._look_again(box, due_at)

    def _send(self, box: Box, message: Message, priority: int, busy: float) -> None:
        packed = self._packed(box, message)
        airtime = self.air.modem.airtime_s(packed.size_bytes)
        if not box.budget.take(self.agenda.now, airtime, priority, channel_utilization=busy):
            raise AssertionError(f"{box.name} was to send what it may not")
        box.turns.spoke(self.agenda.now, airtime, busy=busy, peers=len(self.near[box.number]))
        box.is_sending = True
        counted = self.kinds.setdefault(packed.kind, [0, 0])
        counted[0] += 1
        counted[1] += airtime
        hearers = self.own
        if isinstance(message, Give) and message.items[0].number in self.for_all:
            hearers = self.near
        self.air.send(
            box.number, airtime, hearers[box.number], self._hear, packed, self._is_done,
            delay_s=_HANDOVER_S,
        )  # fmt: skip

    def _packed(self, box: Box, message: Message) -> Packed:
        kind = type(message).__name__
        if isinstance(message, Give):
            body = message.items[0].body
            return Packed(message, box.name, kind, len(body), body)
        if isinstance(message, Digest) and not message.entries:
            kind = "Fingerprint"
        if not self.is_to_the_byte:
            return Packed(message, box.name, kind, frame_bytes(message))
        key = self._keys[box.kiez]
        data = pack_message(message, box.name, key)
        _, message = unpack_message(data, key, self._named)
        return Packed(message, box.name, kind, len(data), data)

    def _is_done(self, number: int) -> None:
        box = self.boxes[number]
        box.is_sending = False
        self._wake(box)

    def _hear(self, hearer: int, packed: Packed, quality: float) -> None:
        box = self.boxes[hearer]
        heard = box.exchange.heard(packed.message, packed.sender, self.agenda.now, quality=quality)
        for item in heard:
            self._take(box, item, is_heard_here=True)
        self._wake(box)
