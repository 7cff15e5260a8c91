"""What a box lacks, who says to hold it, and whom it asks.

What others say is a claim. A box that claims and never gives is asked more and more seldom; one
that says it has something no more is not asked for that again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from itertools import islice

from kiezbox.exchange.messages import Want
from kiezbox.exchange.ranges import Ranges
from kiezbox.exchange.trickle import Chance
from kiezbox.records import Ref

__all__ = ["MOST_PEERS", "Asking"]

#: Boxes that were heard at once; who was not heard for longest makes room. Of each, so many origins
#: and so many ranges of each are remembered.
MOST_PEERS = 64
MOST_CLAIMED = 1024
MOST_RANGES = 64

#: Records asked for at once. What comes is seldom more than a few frames' worth.
MOST_WANTED = 32

#: Numbers for which somebody else was heard to ask.
MOST_OVERHEARD = 512

#: So long a box is not asked for what it said it does not have; somebody else may have said so.
GONE_S = 6 * 3600.0

#: A box that gives nothing is asked after 2, 4, 8 … and at last 256 times the usual time.
_MOST_DOUBLINGS = 8

_NEVER = float("inf")
_NONE = Ranges()


class _Peer:
    """A box that was heard on this bearer."""

    __slots__ = (
        "answered_at", "asked", "asked_at", "claimed", "fingerprint", "gone", "gone_since",
        "quality", "seen", "tries", "wait_s",
    )  # fmt: skip

    def __init__(self) -> None:
        self.quality = 0.0
        #: Of its last digest; None: it has said none.
        self.fingerprint: bytes | None = None
        #: Its fingerprint and our version when they last differed.
        self.seen: object = None
        #: What it claims of which we have nothing; and what of it it has no more.
        self.claimed: dict[str, Ranges] = {}
        self.gone: dict[str, Ranges] = {}
        self.gone_since = 0.0
        self.asked: set[Ref] = set()
        self.asked_at = self.answered_at = -_NEVER
        self.wait_s = 0.0
        #: How often it was asked since it last gave anything.
        self.tries = 0

    @property
    def free_at(self) -> float:
        """When it may be asked again: it has given all, or nothing for too long."""
        if not self.asked and not self.tries:
            return -_NEVER
        return max(self.asked_at, self.answered_at) + self.wait_s


class Asking:
    """Of one box on one bearer. Bounded, whatever it is told."""

    def __init__(self, *, again_s: float, spread_s: float, random: Chance) -> None:
        """``again_s``: after so long without anything an answer has been lost; ``spread_s``: who
        finds that it lacks something waits a random time up to this, in which others may ask.
        """
        self._again_s = again_s
        self._spread_s = spread_s
        self._random = random
        self._peers: OrderedDict[str, _Peer] = OrderedDict()
        #: What others asked for, and until when it may come by that.
        self._overheard: OrderedDict[Ref, float] = OrderedDict()
        self._not_before = _NEVER

    # --- what is heard ---------------------------------------------------------------------------

    def met(self, name: str, quality: float) -> None:
        """Something was heard of that box."""
        peer = self._peers.get(name)
        if peer is None:
            if len(self._peers) >= MOST_PEERS:
                self._peers.popitem(last=False)
            peer = self._peers[name] = _Peer()
        self._peers.move_to_end(name)
        peer.quality = quality

    def forget(self, name: str) -> None:
        """It cannot be reached any more."""
        self._peers.pop(name, None)

    def agrees(self, name: str, fingerprint: bytes) -> None:
        """It holds what we hold."""
        peer = self._peers[name]
        peer.fingerprint = fingerprint
        peer.claimed.clear()

    def differs(self, name: str, fingerprint: bytes, version: int) -> bool:
        """It holds something else; whether that is news, to us or to it."""
        peer = self._peers[name]
        was, peer.fingerprint, peer.seen = peer.seen, fingerprint, (fingerprint, version)
        return was != peer.seen

    def does_anybody_differ(self, fingerprint: bytes) -> bool:
        """From what we hold now, by what was last heard."""
        return any(peer.fingerprint not in (None, fingerprint) for peer in self._peers.values())

    def claims(self, name: str, origin: str, numbers: Ranges, now: float) -> None:
        """It says that it has these, which we never had, and of this origin no others: so nobody
        who once spoke in its name leads us astray for long.
        """
        peer = self._peers[name]
        if now - peer.gone_since > GONE_S:
            peer.gone.clear()
        lacking = numbers - peer.gone.get(origin, _NONE)
        if not lacking:
            peer.claimed.pop(origin, None)
            return
        if origin not in peer.claimed and len(peer.claimed) >= MOST_CLAIMED:
            return
        peer.claimed[origin] = lacking.last_ranges(MOST_RANGES)
        if self._not_before == _NEVER:
            self._not_before = now + self._random.random() * self._spread_s

    def has_none(self, name: str, origin: str, numbers: Ranges, now: float) -> None:
        """It was asked for these, and does not have them."""
        peer = self._peers[name]
        if not peer.gone:
            peer.gone_since = now
        if origin not in peer.gone and len(peer.gone) >= MOST_CLAIMED:
            return
        gone = peer.gone.get(origin, _NONE) | numbers
        peer.gone[origin] = gone.last_ranges(MOST_RANGES)
        # Asked for its newest and has none of them: whatever else it claimed, it may say so again.
        peer.claimed.pop(origin, None)
        peer.asked = {
            each for each in peer.asked if each.origin != origin or each.sequence not in numbers
        }

    def overheard(self, number: Ref, count: int, now: float) -> None:
        """Somebody else asked somebody for this, and for ``count`` records in all."""
        # Who was asked for much speaks no oftener for that.
        self._overheard[number] = now + self._again_s * (1 + (count - 1) / 8)
        if len(self._overheard) > MOST_OVERHEARD:
            self._overheard.popitem(last=False)

    def gives(self, name: str, now: float) -> None:
        """It gave something."""
        peer = self._peers[name]
        peer.answered_at, peer.tries = now, 0

    def got(self, number: Ref) -> bool:
        """We have it now, from whomever; whether somebody had said to have it, or asked for it."""
        one = Ranges([(number.sequence, number.sequence)])
        is_old = self._overheard.pop(number, None) is not None
        for peer in self._peers.values():
            if number.sequence in peer.claimed.get(number.origin, _NONE):
                is_old = True
                _take_from(peer.claimed, number.origin, one)
            peer.asked.discard(number)
        return is_old

    def hurry(self, now: float) -> None:
        """Look at once whether there is more to ask, if anything is lacking."""
        if any(peer.claimed and peer.free_at <= now for peer in self._peers.values()):
            self._not_before = min(self._not_before, now)

    # --- what is asked ---------------------------------------------------------------------------

    def due_at(self) -> float:
        """When ``next`` is worth a try."""
        return self._not_before

    def next(self, now: float, fits: Callable[[Want], bool]) -> Want | None:
        """The next question, to the best of those who claim something; None: nothing to ask now."""
        if now < self._not_before:
            return None
        while self._overheard and next(iter(self._overheard.values())) <= now:
            self._overheard.popitem(last=False)
        underway = set(self._overheard)
        for peer in self._peers.values():
            if peer.free_at > now:
                underway |= peer.asked
        free = [(name, peer) for name, peer in self._peers.items() if peer.free_at <= now]
        for name, peer in sorted(free, key=lambda each: (each[1].tries, -each[1].quality)):
            want = _want(name, peer, underway, fits)
            if want is not None:
                self._ask(peer, want, now)
                return want
        self._not_before = self._later(now)
        return None

    def _ask(self, peer: _Peer, want: Want, now: float) -> None:
        peer.asked = {
            Ref(origin, sequence) for origin, numbers in want.entries for sequence in numbers
        }
        # Not all at the same moment, where several asked at the same moment.
        peer.wait_s = self._again_s * 2 ** min(peer.tries, _MOST_DOUBLINGS)
        peer.wait_s *= 1 + self._random.random() / 2
        peer.asked_at = now
        peer.tries += 1

    def _later(self, now: float) -> float:
        """When somebody may be asked again for what is lacking."""
        moments = [peer.free_at for peer in self._peers.values() if peer.claimed]
        moments += list(self._overheard.values())[:1] if moments else []
        return min((each for each in moments if each > now), default=_NEVER)


def _want(name: str, peer: _Peer, underway: set[Ref], fits: Callable[[Want], bool]) -> Want | None:
    """The newest of what it claims and nobody was asked for, as much as goes into one question."""
    entries: dict[str, Ranges] = {}
    want = None
    for number in islice(_newest(peer.claimed, underway), MOST_WANTED):
        numbers = entries.get(number.origin, _NONE).copy()
        numbers.add(number.sequence)
        entries[number.origin] = numbers
        more = Want(name, tuple(entries.items()))
        if want is not None and not fits(more):
            break
        want = more
    return want


def _newest(claimed: dict[str, Ranges], underway: set[Ref]) -> Iterator[Ref]:
    """The newest of each origin in turn, so that no claim about one hides the others."""
    waiting = {origin: reversed(numbers) for origin, numbers in claimed.items()}
    while waiting:
        for origin, sequences in list(waiting.items()):
            number = next((n for s in sequences if (n := Ref(origin, s)) not in underway), None)
            if number is None:
                del waiting[origin]
            else:
                yield number


def _take_from(claimed: dict[str, Ranges], origin: str, numbers: Ranges) -> None:
    if origin in claimed:
        left = claimed[origin] - numbers
        if left:
            claimed[origin] = left
        else:
            del claimed[origin]
