"""Whom to call, where, and when again. Nothing here makes a connection or believes anybody.

Of two boxes the one with the smaller name calls, so that there is one connection and not two. Who
has the greater name calls all the same where its operator wrote down an address, if the other one
has not called for some time: perhaps it does not know where this box is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from kiezbox.exchange.trickle import Chance
from kiezbox.peers.home import Members
from kiezbox.settings.kiez import PORT, Place

__all__ = ["Call", "Calls", "Heard"]

#: Pauses after a call that nobody answered: so that a link that is back is used within seconds, for
#: a packet each.
LEAST_PAUSE_S, MOST_PAUSE_S = 0.25, 1.5

#: The longest after calls that were answered by somebody else, or not as they should be.
_MOST_REFUSED_PAUSE_S = 30.0

#: Whoever has the greater name waits so long for the other one.
PATIENCE_S = 2.0

MOST_BOXES = 64
MOST_ADDRESSES = 4


class Heard(NamedTuple):
    """A box that says it is there (``neighbours``): a hint, no more."""

    box: str
    addresses: tuple[str, ...]


class Call(NamedTuple):
    """One to make: ``public`` is the key by which the box must be known."""

    box: str
    public: bytes
    address: str
    port: int


@dataclass(slots=True)
class _Box:
    not_before: float
    pause_s: float = LEAST_PAUSE_S
    refused_pause_s: float = LEAST_PAUSE_S
    #: With which of its addresses and keys the next one is made.
    turn: int = 0


class Calls:
    """Of one box."""

    def __init__(self, me: str, members: Members, random: Chance) -> None:
        self._me, self._members, self._random = me, members, random
        self._boxes: dict[str, _Box] = {}
        self._ways: dict[str, list[tuple[str, int]]] = {}
        self._written: set[str] = set()

    def know(self, heard: Iterable[Heard], written: Iterable[Place], now: float) -> None:
        """Where boxes are: those that were heard, and those of ``[kiez] peers``."""
        ways: dict[str, list[tuple[str, int]]] = {}
        self._written = set()
        for place in written:
            self._written.add(place.box)
            ways.setdefault(place.box, []).append((place.address, place.port))
        for each in heard:
            ways.setdefault(each.box, []).extend((one, PORT) for one in each.addresses)
        self._ways = {
            box: found[:MOST_ADDRESSES]
            for box, found in list(ways.items())[:MOST_BOXES]
            if box != self._me and self._members(box)
        }
        self._boxes = {
            box: self._boxes.get(box) or _Box(now + self._patience(box)) for box in self._ways
        }

    def due(self, now: float, busy: Iterable[str]) -> list[Call]:
        """The calls to make now; ``busy``: who is connected, or just being called."""
        calls = []
        for box in self._boxes.keys() - set(busy):
            known = self._boxes[box]
            if not self._is_mine(box) or now < known.not_before:
                continue
            keys = self._members(box)
            if keys:
                ways = [(key, way) for way in self._ways[box] for key in keys]
                key, (address, port) = ways[known.turn % len(ways)]
                known.turn += 1
                calls.append(Call(box, key, address, port))
        return calls

    def next_at(self, busy: Iterable[str]) -> float:
        """When there may be one."""
        free = self._boxes.keys() - set(busy)
        return min(
            (self._boxes[box].not_before for box in free if self._is_mine(box)),
            default=float("inf"),
        )

    def failed(self, box: str, now: float, *, is_refused: bool = False) -> None:
        """Nobody answered; ``is_refused``: not the one that was meant."""
        known = self._boxes.get(box)
        if known is None:
            return
        pause_s = known.refused_pause_s if is_refused else known.pause_s
        known.not_before = now + pause_s * (0.75 + self._random.random() / 2)
        known.pause_s = min(known.pause_s * 2, MOST_PAUSE_S)
        if is_refused:
            known.refused_pause_s = min(known.refused_pause_s * 2, _MOST_REFUSED_PAUSE_S)

    def ended(self, box: str, now: float) -> None:
        """A good connection is over."""
        known = self._boxes.get(box)
        if known is not None:
            known.pause_s = known.refused_pause_s = LEAST_PAUSE_S
            known.not_before = now + LEAST_PAUSE_S * self._random.random() + self._patience(box)

    def _is_mine(self, box: str) -> bool:
        return self._me < box or box in self._written

    def _patience(self, box: str) -> float:
        return 0.0 if self._me < box else PATIENCE_S * (1 + self._random.random() / 2)
