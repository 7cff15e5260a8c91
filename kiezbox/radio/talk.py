"""The exchange on the air: what it wants to say becomes frames, and frames become what it heard.

Whatever comes is hostile until it is proven: what boxes say of their holdings by the Kiez's seal, a
record by the proof of its box. What is neither is counted by its reason, and dropped.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol

from kiezbox.clock import Clock
from kiezbox.exchange import Bearer, Digest, Exchange, Give, Gone, Item, Message, Want
from kiezbox.exchange.trickle import Chance
from kiezbox.frames import MOST_BYTES, BadFrame, Kind, kind_of, origin_id
from kiezbox.frames.blocks import Gathering, bundle, count_of, cut, unbundle
from kiezbox.frames.erasure import MOST_BLOCKS
from kiezbox.frames.messages import Named, pack_message, unpack_message
from kiezbox.frames.words import Signers, pack_record, unpack_record
from kiezbox.radio.packets import Heard, Outgoing
from kiezbox.records import BadRecord, Priority, Ref, Scope, pack, unpack
from kiezbox.store.proofs import PROOF_BYTES
from kiezbox.store.sharing import Sharing

__all__ = ["Air", "Talk", "Turns", "boxes_of", "fits", "named_by", "signers_of"]

#: Classes, the least urgent first.
_CLASSES = tuple(sorted(Priority, reverse=True))

#: What may not go is looked at again after so long; and all, whether or not anything happened.
_AGAIN_S, _MOST_PAUSE_S, _SWEEP_S = 5.0, 60.0, 3600.0

#: Boxes whose radios are known; things that were sent in blocks; alerts that are to be flooded.
_MOST_BOXES, _MOST_CUT, _MOST_FLOODS = 64, 64, 64

#: So many blocks more than are enough.
_MORE = 0.2

#: Frames that are taken in at one go.
_MOST_AT_ONCE = 32

_MESSAGES = {Kind.DIGEST, Kind.WANT, Kind.GONE}
_RECORDS = {Kind.RECORD, Kind.SIGNED_RECORD}


class Air(Protocol):
    """What is needed of ``link.Link``."""

    channel_utilization: float

    @property
    def has_room(self) -> bool: ...
    def airtime_s(self, payload_bytes: int) -> float: ...
    def may_send(self, payload_bytes: int, priority: int) -> bool: ...
    def send(self, frame: Outgoing) -> bool: ...
    def next_heard(self) -> Heard | None: ...


class Turns(Protocol):
    """What is needed of ``exchange.lora.Turns``: until ``free_at`` others speak, but for what saves
    lives.
    """

    free_at: float

    def spoke(self, now: float, airtime_s: float, *, busy: float, peers: int) -> None: ...


class Box(NamedTuple):
    """A member that was heard: when (Unix seconds), how well, by which node, how often relayed."""

    name: str
    heard_at: float
    snr_db: float
    node: int
    hops: int


def named_by(members: Iterable[str]) -> Named:
    """Who an origin id is; nobody, where two members share one."""
    found: dict[bytes, str | None] = {}
    for name in members:
        id_ = origin_id(name)
        found[id_] = None if id_ in found else name
    return found.get


def fits(message: Message) -> bool:
    """Whether it is one frame. A record is one for itself, or several."""
    if isinstance(message, Give):
        return len(message.items) <= 1
    return len(pack_message(message, "", bytes(32))) <= MOST_BYTES


class Talk:
    """Of one box and one radio. Used by one thread."""

    def __init__(
        self,
        me: str,
        sharing: Sharing,
        bearer: Bearer,
        air: Air,
        turns: Turns,
        *,
        key: bytes,
        members: Iterable[str],
        signers: Signers,
        clock: Clock,
        random: Chance,
        city_hops: int = 3,
    ) -> None:
        """``key``: the Kiez's; ``members``: names of its boxes, this one among them; ``city_hops``:
        how often radios relay an official word for the whole city.
        """
        self.me = me
        self.sharing = sharing
        #: What was dropped, by reason; what was sent and taken, by kind.
        self.counts: Counter[str] = Counter()
        self._turns = turns
        self._air, self._key, self._signers, self._clock = air, key, signers, clock
        self._city_hops = city_hops
        self._named = named_by(members)
        self._gathering = Gathering(key)
        now = clock.monotonic()
        self.exchange = Exchange(
            me, bearer, sharing.holdings, sharing.fetch, random=random, now=now
        )  # fmt: skip
        self._random = random
        self._waiting: deque[Outgoing] = deque()
        self._boxes: OrderedDict[int, Box] = OrderedDict()
        #: Record → the block with which it goes on when it is sent again.
        self._cut: OrderedDict[Ref, int] = OrderedDict()
        self._floods: OrderedDict[Ref, None] = OrderedDict()
        self._sweep_at = now + _SWEEP_S

    def step(self) -> float:
        """Take in what came, send what may go; seconds until something may be due again.

        Raises:
            StoreError: the card does not take what came; it will be asked for again.
        """
        now = self._clock.monotonic()
        try:
            for _ in range(_MOST_AT_ONCE):
                heard = self._air.next_heard()
                if heard is None:
                    break
                self._hear(heard, now)
        finally:
            self._look_for_news(now)
            pause_s = self._send(now)
        return 0.0 if heard else pause_s

    def facts(self) -> dict[str, Any]:
        """For now.json. Times Unix seconds."""
        return {
            "boxes": [box._asdict() for box in reversed(self._boxes.values())],
            "waiting": len(self._waiting),
            "counts": dict(self.counts),
        }

    # --- what comes ------------------------------------------------------------------------------

    def _hear(self, heard: Heard, now: float) -> None:
        try:
            kind = kind_of(heard.payload)
        except BadFrame:
            self.counts["dropped: no frame of ours"] += 1
            return
        if kind in _MESSAGES:
            self._hear_message(heard, now)
        elif kind in _RECORDS or kind == Kind.BLOCK:
            # Neither says who sends it: the box that last said so by this radio, or nobody.
            known = self._boxes.get(heard.sender)
            sender = known.name if known else ""
            if kind == Kind.BLOCK:
                self._hear_block(heard, sender, now)
            else:
                self._hear_record(heard.payload, sender, heard, now)
        else:
            # Coded records among them: whom everybody believes needs no proof, and the store asks
            # for one (docs/radio.md, "What is not there yet").
            self.counts[f"dropped: {kind.name.lower()}, not taken yet"] += 1

    def _hear_message(self, heard: Heard, now: float) -> None:
        try:
            sender, message = unpack_message(heard.payload, self._key, self._named)
        except BadFrame:
            self.counts["dropped: not sealed by this Kiez, or damaged"] += 1
            return
        if sender == self.me:
            self.counts["dropped: in our own name"] += 1
            return
        self._met(sender, heard)
        self.counts[f"heard: {type(message).__name__.lower()}"] += 1
        self.exchange.heard(message, sender, now, quality=heard.snr_db)

    def _hear_block(self, heard: Heard, sender: str, now: float) -> None:
        try:
            thing = self._gathering.take(heard.payload, now)
            frames = unbundle(thing) if thing else []
        except BadFrame:
            self.counts["dropped: not a block of this Kiez, or damaged"] += 1
            return
        self.counts["heard: block"] += 1
        for frame in frames:
            self._hear_record(frame, sender, heard, now)

    def _hear_record(self, frame: bytes, sender: str, heard: Heard, now: float) -> None:
        try:
            if kind_of(frame) not in _RECORDS:
                raise BadFrame("a record without a proof")
            records, proof = unpack_record(frame, self._named, self._signers)
            items = [Item(each.ref, each.priority, proof + pack(each)) for each in records]
        except (BadFrame, BadRecord, ValueError):
            self.counts["dropped: no record that can be read here"] += 1
            return
        self._take(items, sender, heard, now)

    def _take(self, items: list[Item], sender: str, heard: Heard, now: float) -> None:
        """``items``: one record, by each of its possible signers. Whoever has no proof must not
        even be counted as having given it.
        """
        whys = {item: self.sharing.why_not(item) for item in items}
        good = [item for item, why in whys.items() if not why]
        if not good:
            self.counts[f"dropped: {next(iter(whys.values()))}"] += 1
            return
        self.counts["heard: record"] += 1
        fresh = self.exchange.heard(Give(tuple(good[:1])), sender, now, quality=heard.snr_db)
        for number, priority in self.sharing.take(fresh):
            self.counts["taken"] += 1
            self.exchange.added(number, priority, now, is_heard_here=True)

    def _met(self, name: str, heard: Heard) -> None:
        self._boxes.pop(heard.sender, None)
        self._boxes[heard.sender] = Box(
            name, self._clock.now(), heard.snr_db, heard.sender, heard.hops
        )  # fmt: skip
        if len(self._boxes) > _MOST_BOXES:
            self._boxes.popitem(last=False)

    def _look_for_news(self, now: float) -> None:
        if now >= self._sweep_at:
            self._sweep_at = now + _SWEEP_S
            self.sharing.sweep()
        for number, priority in self.sharing.news():
            if priority == Priority.OFFICIAL:
                self._floods[number] = None
                if len(self._floods) > _MOST_FLOODS:
                    self._floods.popitem(last=False)
            self.exchange.added(number, priority, now)

    # --- what goes -------------------------------------------------------------------------------

    def _send(self, now: float) -> float:
        while self._air.has_room:
            least = self._least_urgent()
            if least is None:
                return _AGAIN_S
            rest_s = self._turns.free_at - now
            if rest_s > 0 and not self._has_for_life(now):
                return min(_MOST_PAUSE_S, rest_s)
            if self._waiting:
                # Who waits to be sent lets pass what is more urgent.
                above = min(least, self._waiting[0].priority - 1)
                urgent = self.exchange.next(now, least_urgent=above) if above >= 0 else None
                if urgent:
                    frames = self._frames(urgent.message, urgent.priority)
                    self._waiting.extendleft(reversed(list(frames)))
                frame = self._waiting[0]
                if not self._air.may_send(len(frame.payload), frame.priority):
                    return _AGAIN_S
                if not self._air.send(frame):
                    break
                self._waiting.popleft()
                seconds = self._air.airtime_s(len(frame.payload))
                busy = self._air.channel_utilization
                self._turns.spoke(now, seconds, busy=busy, peers=len(self._boxes))
                continue
            sending = self.exchange.next(now, least_urgent=least)
            if sending is None:
                return self._pause_s(now, least)
            self._waiting.extend(self._frames(sending.message, sending.priority))
        # Whoever makes room wakes us.
        return _MOST_PAUSE_S

    def _has_for_life(self, now: float) -> bool:
        """Whether something that saves lives can go."""
        if self._waiting and self._waiting[0].priority <= Priority.LIFE:
            return True
        sending = self.exchange.next(now, least_urgent=Priority.LIFE)
        if sending is not None:
            frames = self._frames(sending.message, sending.priority)
            self._waiting.extendleft(reversed(list(frames)))
        return sending is not None

    def _least_urgent(self) -> int | None:
        """The least urgent class of which a full frame may go now."""
        return next((c for c in _CLASSES if self._air.may_send(MOST_BYTES, c)), None)

    def _pause_s(self, now: float, least: int) -> float:
        due_at = self.exchange.due_at(now, least_urgent=least)
        if least < _CLASSES[0] and self.exchange.due_at(now) <= now:
            due_at = min(due_at, now + _AGAIN_S * (1 + self._random.random()))
        return min(_MOST_PAUSE_S, max(0.05, due_at - now))

    def _frames(self, message: Message, priority: int) -> Iterator[Outgoing]:
        self.counts[f"sent: {type(message).__name__.lower()}"] += 1
        if isinstance(message, Give):
            for item in message.items:
                hops = self._hops(item)
                for payload in self._record_frames(item):
                    yield Outgoing(payload, priority, hops)
        else:
            for part in _parts(message):
                yield Outgoing(pack_message(part, self.me, self._key), priority)

    def _hops(self, item: Item) -> int:
        """Only who brings an official word into the air has it flooded; others give it once more,
        and to their neighbours alone.
        """
        is_new_here = item.number in self._floods
        self._floods.pop(item.number, None)
        if not is_new_here or item.priority != Priority.OFFICIAL:
            return 0
        return self._city_hops if unpack(item.body[PROOF_BYTES:]).scope == Scope.CITY else 0

    def _record_frames(self, item: Item) -> list[bytes]:
        """One frame, or blocks of it; none where no frame of this version can say it: then it goes
        by other ways.
        """
        proof, frame = item.body[:PROOF_BYTES], item.body[PROOF_BYTES:]
        try:
            packed = pack_record(unpack(frame), proof)
            if len(packed) <= MOST_BYTES:
                return [packed]
            thing = bundle([packed])
        except ValueError:  # Unfit, or too long for 128 blocks
            self.counts["not sent: no frame can say it"] += 1
            return []
        first, needed = self._cut.pop(item.number, 0), count_of(len(thing))
        # Some more than are enough, so that one is lost and nobody need ask; and who sends it again
        # goes on where he was.
        most = needed + max(1, round(needed * _MORE))
        numbers = [(first + turn) % MOST_BLOCKS for turn in range(most)]
        self._cut[item.number] = (numbers[-1] + 1) % MOST_BLOCKS
        if len(self._cut) > _MOST_CUT:
            self._cut.popitem(last=False)
        return cut(thing, self._key, numbers)


def _parts(message: Digest | Want | Gone) -> Iterator[Digest | Want | Gone]:
    """As many messages as it takes, that each are one frame."""
    if isinstance(message, Digest) or fits(message) or len(message.entries) < 2:
        yield message
        return
    middle = len(message.entries) // 2
    for entries in (message.entries[:middle], message.entries[middle:]):
        if isinstance(message, Want):
            yield from _parts(Want(message.of, entries))
        else:
            yield from _parts(Gone(entries))


def signers_of(ids: Callable[[], Iterable[bytes]]) -> Signers:
    """By their first bytes, of all key ids (eight bytes) that are believed here."""
    return lambda begin: [each for each in ids() if each.startswith(begin)]


def boxes_of(members: Mapping[str, str] | None, me: str) -> list[str]:
    """Names of the Kiez's boxes."""
    return sorted({me, *(members or {})})
