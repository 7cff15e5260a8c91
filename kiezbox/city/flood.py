"""Meshtastic's own flooding, for comparison: whoever hears a packet for the first time sends it on.

As firmware 2.7 does it for clients: after twice 2^8 slots less for who heard it weakly, and not at
all if somebody else was heard sending it on meanwhile (only while it waits). Nobody asks for what
was lost. Hop limit 3. Source: firmware's FloodingRouter and RadioInterface.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

from kiezbox.city.agenda import Agenda
from kiezbox.city.air import MODEMS, Air
from kiezbox.city.frames import post_frame, posts

__all__ = ["Flood", "flooded"]

HOPS = 3

#: 200 posts in half an hour.
_EVERY_S = 9.0

#: Relays let others pass first: 2 * 8 slots, then by signal strength.
_PASS_SLOTS = 16


@dataclass(frozen=True, slots=True)
class Flood:
    """``came``: share of (box, post); ``everywhere``: share of posts; ``busy``: of the channel."""

    packets: int
    came: float
    everywhere: float
    busy: float


class _Flooding:
    def __init__(self, seed: int, boxes: int, modem: str, loss: float) -> None:
        random = Random(seed)
        self.random = random
        self.agenda = Agenda()
        # Nobody stands as near as another: from 10 dB down to the limit of being heard.
        limit_db = MODEMS[modem].limit_db
        links: list[dict[int, float]] = [{} for _ in range(boxes)]
        for a in range(boxes):
            for b in range(a):
                links[a][b] = links[b][a] = limit_db + random.random() * (10 - limit_db)
        self.air = Air(self.agenda, MODEMS[modem], links, random, loss=loss)
        self.hearers = [list(row) for row in links]
        self.got: list[set[int]] = [set() for _ in range(boxes)]
        #: (box, post) → how often it was heard.
        self.heard: dict[tuple[int, int], int] = {}

    def say(self, box: int, post: int, hops: int, delay_s: float) -> None:
        airtime = self.air.modem.airtime_s(len(post_frame(post)))
        before = self.heard.get((box, post), 0)
        is_relay = hops < HOPS

        def is_still_wanted() -> bool:
            return not is_relay or self.heard.get((box, post), 0) <= before

        self.air.send(
            box, airtime, self.hearers[box], self._hear, (post, hops), lambda _: None,
            delay_s=delay_s, is_still_wanted=is_still_wanted,
        )  # fmt: skip

    def _hear(self, hearer: int, frame: Any, snr_db: float) -> None:
        post, hops = frame
        self.heard[hearer, post] = self.heard.get((hearer, post), 0) + 1
        if post in self.got[hearer]:
            return
        self.got[hearer].add(post)
        if hops:
            # 2^3 slots for the weakest, 2^8 for the strongest: the farthest goes first.
            limit_db = self.air.modem.limit_db
            near = min(1.0, max(0.0, (snr_db - limit_db) / (10 - limit_db)))
            slots = _PASS_SLOTS + int(self.random.random() * 2 ** (3 + 5 * near))
            self.say(hearer, post, hops - 1, slots * self.air.modem.slot_s)


def flooded(seed: int, *, boxes: int = 12, modem: str = "MediumFast", loss: float = 0.2) -> Flood:
    """The corpus, one post after the other, from boxes by chance."""
    flooding = _Flooding(seed, boxes, modem, loss)
    count = len(posts())
    for post in range(count):
        box = flooding.random.randrange(boxes)
        flooding.got[box].add(post)
        flooding.agenda.at(_EVERY_S * post, flooding.say, box, post, HOPS, 0.0)
    flooding.agenda.run(_EVERY_S * count + 60)
    has = [sum(post in got for got in flooding.got) for post in range(count)]
    return Flood(
        packets=flooding.air.packets,
        came=sum(has) / (count * boxes),
        everywhere=sum(each == boxes for each in has) / count,
        busy=flooding.air.airtime_s / flooding.agenda.now,
    )
