"""The air that all radios of a district share: one channel, half-duplex, with collisions.

A radio listens before it sends (CAD), waits a random number of slots, and sends when it hears
nobody; whoever began less than a slot ago is not heard yet, and whoever is out of earshot never is.
A packet is lost where the hearer was sending himself, where another packet that overlaps is not at
least ``CAPTURE_DB`` weaker, and where it is too weak after fading. Gains and losses in dB.

Sources: slots and contention windows of Meshtastic's firmware 2.7 (RadioInterface); the least
signal-to-noise ratios of Semtech's SX1276 data sheet, table 13; capture of 6 dB between packets of
one spreading factor as in Bor and others, "Do LoRa Low-Power Wide-Area Networks Scale?", 2016.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from random import Random
from typing import Any, NamedTuple

from kiezbox.airtime import PRESETS, airtime_s
from kiezbox.city.agenda import Agenda

__all__ = ["CAPTURE_DB", "MODEMS", "Air", "Modem", "on_air_bytes"]

CAPTURE_DB = 6.0

#: The firmware knows how busy the channel was in the last minute, in six parts of ten seconds.
_PART_S, _PARTS = 10.0, 6

#: Slots of the contention window: 2^3 on a quiet channel, 2^8 on a full one.
_LEAST_WINDOW, _MOST_WINDOW = 3, 8


class Modem(NamedTuple):
    """A preset: ``slot_s`` of its contention window, ``limit_db``: the least signal-to-noise."""

    preset: str
    slot_s: float
    limit_db: float

    def airtime_s(self, frame_bytes: int) -> float:
        """Of a frame of ours, in Meshtastic's packet."""
        return airtime_s(on_air_bytes(frame_bytes), PRESETS[self.preset])


MODEMS = {
    "LongFast": Modem("LONG_FAST", 0.028, -17.5),
    "MediumFast": Modem("MEDIUM_FAST", 0.012, -12.5),
    "ShortFast": Modem("SHORT_FAST", 0.008, -7.5),
}

#: Meshtastic's header; its Data message at a port of two bytes, with bitfield.
_HEADER_BYTES, _WRAPPER_BYTES = 16, 7


def on_air_bytes(frame_bytes: int, *, firmware: str = "2.7") -> int:
    """All bytes of a broadcast that carries a frame of ours. Firmware 2.8 adds its own signature
    of 66 bytes up to a payload of 165 (meshtastic/firmware, Router).

    >>> on_air_bytes(89), on_air_bytes(89, firmware="2.8"), on_air_bytes(170, firmware="2.8")
    (112, 178, 194)
    """
    signature = 66 if firmware == "2.8" and frame_bytes <= 165 else 0
    # A length above 127 takes two bytes (protobuf's varint).
    return _HEADER_BYTES + _WRAPPER_BYTES + (frame_bytes > 127) + frame_bytes + signature


class Sent(NamedTuple):
    """One packet on the air."""

    sender: int
    starts_at: float
    ends_at: float


class Air:
    """Radios by their numbers. ``links[a][b]``: at which signal-to-noise ratio b hears a, dB."""

    def __init__(
        self,
        agenda: Agenda,
        modem: Modem,
        links: Sequence[Mapping[int, float]],
        random: Random,
        *,
        fading_db: float = 0.0,
        loss: float = 0.0,
    ) -> None:
        """``fading_db``: standard deviation from packet to packet; ``loss``: share of packets that
        are lost besides, at each hearer for himself.
        """
        self.agenda, self.modem, self.links = agenda, modem, links
        self.random, self.fading_db, self.loss = random, fading_db, loss
        #: Who cannot hear whom just now (a partition); asked for each pair that could.
        self.is_cut: Callable[[int, int], bool] | None = None
        self.packets = 0
        self.airtime_s = 0.0
        #: Receptions that were wanted: how they ended.
        self.heard = self.deaf = self.collided = self.faded = 0
        #: Of each radio: seconds it sent, and in which it heard somebody or sent (overlaps twice).
        self.sent_s = [0.0] * len(links)
        self.busy_s = [0.0] * len(links)
        self._recent: list[Sent] = []
        self._parts = [[0.0] * len(links) for _ in range(_PARTS)]
        self._part = 0
        self._longest_s = modem.airtime_s(233)

    def utilization(self, radio: int) -> float:
        """Share of the last minute in which this radio heard anybody, or sent."""
        self._turn()
        return sum(part[radio] for part in self._parts) / (_PART_S * _PARTS)

    def send(
        self,
        radio: int,
        airtime: float,
        hearers: Iterable[int],
        hear: Callable[[int, Any, float], None],
        frame: Any,
        done: Callable[[int], None],
        *,
        delay_s: float = 0.0,
        is_still_wanted: Callable[[], bool] | None = None,
    ) -> None:
        """Send as soon as the channel is free. ``hear(hearer, frame, quality)`` for each of
        ``hearers`` that gets it, then ``done(radio)``. ``is_still_wanted`` is asked before.
        """
        what = (radio, airtime, hearers, hear, frame, done, is_still_wanted)
        self.agenda.at(self.agenda.now + delay_s + self._backoff_s(radio), self._try, *what)

    def _backoff_s(self, radio: int) -> float:
        window = _LEAST_WINDOW + (_MOST_WINDOW - _LEAST_WINDOW) * self.utilization(radio)
        return int(self.random.random() * 2**window) * self.modem.slot_s

    def _try(self, radio: int, airtime: float, hearers: Any, *rest: Any) -> None:
        *_, done, is_still_wanted = rest
        if is_still_wanted is not None and not is_still_wanted():
            done(radio)
            return
        now, links = self.agenda.now, self.links
        latest = now - self.modem.slot_s
        busy_until = 0.0
        for each in self._recent:
            if each.ends_at > busy_until and each.ends_at > now:
                # Its own packets are heard without delay.
                is_near = each.sender == radio or (
                    each.starts_at <= latest and radio in links[each.sender]
                )
                if is_near:
                    busy_until = each.ends_at
        if busy_until > now:
            self.agenda.at(
                busy_until + self._backoff_s(radio), self._try, radio, airtime, hearers, *rest
            )
            return
        sent = Sent(radio, now, now + airtime)
        if len(self._recent) > 64:
            self._recent = [e for e in self._recent if e.ends_at > now - self._longest_s]
        self._recent.append(sent)
        self._count(radio, airtime)
        self.agenda.at(sent.ends_at, self._end, sent, hearers, *rest[:3])

    def _count(self, radio: int, airtime: float) -> None:
        self.packets += 1
        self.airtime_s += airtime
        self.sent_s[radio] += airtime
        self._turn()
        part = self._parts[self._part % _PARTS]
        part[radio] += airtime
        for hearer in self.links[radio]:
            part[hearer] += airtime

    def _turn(self) -> None:
        part = int(self.agenda.now / _PART_S)
        if part == self._part:
            return
        # Of the part that ends.
        ended = self._parts[self._part % _PARTS]
        self.busy_s = [was + more for was, more in zip(self.busy_s, ended, strict=True)]
        for turn in range(max(self._part + 1, part - _PARTS + 1), part + 1):
            self._parts[turn % _PARTS] = [0.0] * len(self.links)
        self._part = part

    def _end(
        self,
        sent: Sent,
        hearers: Iterable[int],
        hear: Callable[[int, Any, float], None],
        frame: Any,
        done: Callable[[int], None],
    ) -> None:
        links, random, limit_db = self.links, self.random.random, self.modem.limit_db
        row = links[sent.sender]
        over = [
            each
            for each in self._recent
            if each.ends_at > sent.starts_at and each.starts_at < sent.ends_at and each is not sent
        ]
        senders = {each.sender for each in over}
        others = [links[each.sender] for each in over]
        for hearer in hearers:
            snr_db = row[hearer]
            if self.is_cut is not None and self.is_cut(sent.sender, hearer):
                continue
            if hearer in senders:
                self.deaf += 1
            elif any(other.get(hearer, -99.0) > snr_db - CAPTURE_DB for other in others):
                self.collided += 1
            elif (self.loss and random() < self.loss) or (
                self.fading_db and self.random.gauss(snr_db, self.fading_db) < limit_db
            ):
                self.faded += 1
            else:
                self.heard += 1
                hear(hearer, frame, snr_db)
        done(sent.sender)
