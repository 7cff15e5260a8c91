"""How boxes find what they lack, and get it: one ``Exchange`` per box and bearer.

What is new is given at once, and given again by whoever got it, after a short while and only if too
few others were heard to do so. What is lost all the same is found by digests, which are frequent
while boxes differ and rare while they agree (``trickle``), is asked of the best neighbour that
claims it (``asking``), and given by that one alone (``offers``).

Nothing here reads a clock, a file or a socket, or looks into a record. Whoever owns an exchange
tells it what was ``heard``, stores durably what that gives, says so (``added``), and sends what
``next`` gives when ``due_at`` has come. Everything that was heard may be a lie: it can cost this
box some questions, never a record.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import chain

from kiezbox.exchange.asking import Asking
from kiezbox.exchange.holdings import Holdings
from kiezbox.exchange.messages import Digest, Entry, Give, Gone, Item, Message, Want
from kiezbox.exchange.offers import LIFE, Measure, Measures, Offer, Offers
from kiezbox.exchange.ranges import Ranges
from kiezbox.exchange.trickle import Chance, Pace, Trickle
from kiezbox.records import Ref

__all__ = ["Bearer", "Exchange", "Sending"]

#: What keeps boxes equal waits as posts do: if it went while they may not, boxes would ask all the
#: time for what nobody may give.
_KEEPING = 5

#: So many times the patience for an answer a record that saves lives is urgent to find.
_URGENT_TIMES = 8

#: A box that says nothing of an origin is given what saves lives if nobody gave it for so long, and
#: if it is no older than that.
_UNSAID_S, _YOUNG_S = 1800.0, 12 * 3600.0

#: So many times what it takes to be given again news is under way.
_NEWS_TIMES = 4

#: Records that were given lately are remembered, so many; and who waits to hear that it asked in
#: vain, so many.
_MOST_GIVEN = 1024
_MOST_GONE = 64

#: The latest records that save lives, so many.
_MOST_URGENT = 256

#: Numbers of one question that are looked at, and holes in what is said of one origin.
_MOST_LOOKED_AT = 64
_MOST_HOLES = 12


@dataclass(frozen=True, slots=True)
class Bearer:
    """What one way between boxes is like.

    ``fits(message)``: whether it goes out in one piece. ``is_shared``: all hear what is said to
    one. ``spread_s``: before news is given again a random time up to this passes, in which somebody
    else may do so, and ``ask_within_s`` before something is asked for; ``enough``: who has heard it
    given so often does not. ``ask_again_s``: after so long an answer has been lost. ``answers``:
    records that one box is given on asking; ``intake``: bytes of one origin that are taken in;
    ``measures``: bytes of one origin that are sent, by class. ``ageing_s`` as in ``Offers``.
    """

    fits: Callable[[Message], bool]
    pace: Pace
    is_shared: bool = True
    spread_s: float = 2.0
    ask_within_s: float = 2.0
    enough: int = 3
    ask_again_s: float = 20.0
    ageing_s: float = 1800.0
    answers: Measure = Measure(burst=64, hourly=960)
    intake: Measure = Measure(burst=200_000, hourly=200_000)
    measures: Mapping[int, Measure] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sending:
    """``to`` that box; all ("")."""

    message: Message
    priority: int
    to: str = ""


class Exchange:
    """Of one box on one bearer. ``holdings`` belong to all its bearers."""

    def __init__(
        self,
        me: str,
        bearer: Bearer,
        holdings: Holdings,
        fetch: Callable[[Ref], Item | None],
        *,
        random: Chance,
        now: float,
    ) -> None:
        """``fetch`` gives a record that is held; None if it has just gone."""
        self.me = me
        self.bearer = bearer
        self.holdings = holdings
        self._fetch = fetch
        self._random = random
        self._trickle = Trickle(bearer.pace, random, now)
        self._offers = Offers(ageing_s=bearer.ageing_s, measures=bearer.measures)
        self._asking = Asking(
            again_s=bearer.ask_again_s, spread_s=bearer.ask_within_s, random=random
        )
        self._used = Measures()
        #: When it was last given by anybody, and how often.
        self._given: OrderedDict[Ref, tuple[float, int]] = OrderedDict()
        #: Box → what it asked for in vain.
        self._gone: OrderedDict[str, dict[str, Ranges]] = OrderedDict()
        #: So long news is taken to be under way.
        self._news_until = -float("inf")
        #: What saves lives, and is given unasked to whoever says that it lacks it.
        self._urgent: OrderedDict[Ref, tuple[int, float]] = OrderedDict()
        #: Until then something that saves lives may still be lacking somewhere.
        self._urgent_until = -float("inf")
        #: With which of the origins that have no news the next digest goes on.
        self._turn = 0

    # --- what happens ----------------------------------------------------------------------------

    def added(self, number: Ref, priority: int, now: float, *, is_heard_here: bool = False) -> None:
        """A record is here, durably, and in ``holdings``. ``is_heard_here``: by this bearer; else
        it is this box's own, or came another way.
        """
        is_old = self._asking.got(number)
        if not is_old:
            self._news_until = now + _NEWS_TIMES * self.bearer.spread_s
        if not self.bearer.is_shared:
            # Who has given all that was asked is asked for the rest, and nobody else is disturbed.
            self._asking.hurry(now)
        if priority <= LIFE:
            self._urgent_until = now + self.bearer.ask_again_s * _URGENT_TIMES
            self._urgent[number] = priority, now
            if len(self._urgent) > _MOST_URGENT:
                self._urgent.popitem(last=False)
        self._trickle.heard_other(now, is_urgent=now < self._urgent_until)
        if is_heard_here and (is_old or self._is_given_enough(number)):
            # Who lacks it, too, will find out and ask.
            return
        wait_s = self._random.random() * self.bearer.spread_s if is_heard_here else 0.0
        self._offers.put(Offer(number, priority, since=now, due_at=now + wait_s, is_asked=False))

    def heard(
        self, message: Message, sender: str, now: float, *, quality: float = 0.0
    ) -> list[Item]:
        """Something came from a box. The records in it that are wanted here; all else is dealt
        with. ``quality`` of the link: greater is better.
        """
        if sender == self.me:
            return []
        self._asking.met(sender, quality)
        if isinstance(message, Give):
            return self._heard_give(message, sender, now)
        if isinstance(message, Digest):
            self._heard_digest(message, sender, now)
        elif isinstance(message, Want):
            self._heard_want(message, sender, now)
        else:
            for origin, numbers in message.entries:
                self._asking.has_none(sender, origin, numbers, now)
        return []

    def lost(self, name: str) -> None:
        """That box cannot be reached any more."""
        self._asking.forget(name)
        self._gone.pop(name, None)

    def _heard_digest(self, digest: Digest, sender: str, now: float) -> None:
        if digest.fingerprint == self.holdings.fingerprint:
            self._trickle.heard_same()
            self._asking.agrees(sender, digest.fingerprint)
            return
        if self._asking.differs(sender, digest.fingerprint, self.holdings.version):
            # While news is under way all differ, and most of it comes without anybody asking.
            is_odd = now < self._urgent_until or now > self._news_until
            self._trickle.heard_other(now, is_urgent=is_odd)
        for entry in digest.entries:
            lacking = entry.claimed - self.holdings.had(entry.origin)
            self._asking.claims(sender, entry.origin, lacking, now)
        if not self.bearer.is_shared:
            # Whoever claims what he never gives keeps nobody from being asked.
            self._asking.hurry(now)
        if self._urgent and digest.entries:
            self._give_urgent({each.origin: each for each in digest.entries}, sender, now)

    def _give_urgent(self, said: Mapping[str, Entry], sender: str, now: float) -> None:
        """Whoever lacks what saves lives does not know which of all it lacks that is."""
        for number, (priority, added_at) in self._urgent.items():
            entry = said.get(number.origin)
            given_at, _ = self._given.get(number, (-float("inf"), 0))
            if entry is None:
                # It may have nothing of this origin, or have had no room to say so.
                is_lacking = given_at < now - _UNSAID_S and added_at > now - _YOUNG_S
            else:
                is_lacking = entry.floor <= number.sequence not in entry.claimed
                is_lacking = is_lacking and given_at < now - self.bearer.ask_again_s
            if not is_lacking or self._used.free_at(sender, self.bearer.answers, now) > now:
                continue
            self._used.use(sender, self.bearer.answers, 1, now)
            due_at = now + self._random.random() * self.bearer.spread_s
            to = "" if self.bearer.is_shared else sender
            self._offers.put(
                Offer(number, priority, since=now, due_at=due_at, is_asked=False, to=to)
            )

    def _heard_want(self, want: Want, sender: str, now: float) -> None:
        count = sum(len(numbers) for _, numbers in want.entries)
        for origin, numbers in want.entries:
            held, had = self.holdings.held(origin), self.holdings.had(origin)
            vain = Ranges()
            for sequence in numbers.first_numbers(_MOST_LOOKED_AT):
                number = Ref(origin, sequence)
                if want.of != self.me:
                    # It will be given, and heard here, too.
                    if self.bearer.is_shared and sequence not in had:
                        self._asking.overheard(number, min(count, _MOST_LOOKED_AT), now)
                elif sequence in held:
                    self._answer(number, sender, now)
                else:
                    vain.add(sequence)
            if vain and (sender in self._gone or len(self._gone) < _MOST_GONE):
                said = self._gone.setdefault(sender, {})
                said[origin] = said.get(origin, Ranges()) | vain

    def _answer(self, number: Ref, sender: str, now: float) -> None:
        if self._used.free_at(sender, self.bearer.answers, now) > now:
            return
        given_at, _ = self._given.get(number, (-float("inf"), 0))
        if self.bearer.is_shared and now - given_at < self.bearer.ask_again_s / 2:
            # It is on its way. Where each is spoken to alone, it went to somebody else.
            return
        item = self._fetch(number)
        if item is not None:
            self._used.use(sender, self.bearer.answers, 1, now)
            to = "" if self.bearer.is_shared else sender
            self._offers.put(
                Offer(number, item.priority, since=now, due_at=now, is_asked=True, to=to)
            )

    def _heard_give(self, give: Give, sender: str, now: float) -> list[Item]:
        self._asking.gives(sender, now)
        fresh: dict[Ref, Item] = {}
        for item in give.items:
            origin, sequence = number = item.number
            self._was_given(number, now)
            offer = self._offers.get(number)
            if offer and (offer.is_asked or self._is_given_enough(number)):
                self._offers.drop(offer)
            if sequence in self.holdings.had(origin) or number in fresh:
                continue
            if self._used.free_at(("intake", origin), self.bearer.intake, now) <= now:
                self._used.use(("intake", origin), self.bearer.intake, len(item.body), now)
                fresh[number] = item
        return list(fresh.values())

    def _was_given(self, number: Ref, now: float) -> None:
        _, times = self._given.pop(number, (now, 0))
        self._given[number] = now, times + 1
        if len(self._given) > _MOST_GIVEN:
            self._given.popitem(last=False)

    def _is_given_enough(self, number: Ref) -> bool:
        return self.bearer.is_shared and self._given.get(number, (0, 0))[1] >= self.bearer.enough

    # --- what is to be sent ----------------------------------------------------------------------

    def due_at(self, now: float, *, least_urgent: int = 6) -> float:
        """When ``next`` is to be asked; never before ``now``."""
        at = self._offers.due_at(now, least_urgent=least_urgent)
        if least_urgent >= _KEEPING:
            at = min(at, self._trickle.due_at, self._asking.due_at())
            at = now if self._gone else at
        return max(now, at)

    def next(self, now: float, *, least_urgent: int = 6) -> Sending | None:
        """What goes out now, of no class below ``least_urgent``; None: nothing more just now. It
        counts as sent.
        """
        sending = self._next_give(now, min(LIFE, least_urgent))
        if sending is None and least_urgent >= _KEEPING:
            sending = self._next_gone() or self._next_want(now) or self._next_digest(now)
        return sending or self._next_give(now, least_urgent)

    def _next_give(self, now: float, least_urgent: int) -> Sending | None:
        items: list[Item] = []
        to, priority = None, least_urgent
        while offer := self._offers.best(now, least_urgent=least_urgent, to=to):
            item = self._fetch(offer.number)
            if item is None:
                self._offers.drop(offer)
                continue
            if items and not self.bearer.fits(Give((*items, item))):
                break
            if not items:
                to, priority = offer.to, offer.priority
            items.append(item)
            self._offers.sent(offer, len(item.body), now)
            self._was_given(offer.number, now)
        return Sending(Give(tuple(items)), priority, to or "") if items else None

    def _next_gone(self) -> Sending | None:
        if not self._gone:
            return None
        sender, entries = self._gone.popitem(last=False)
        return Sending(Gone(tuple(entries.items())), _KEEPING, sender)

    def _next_want(self, now: float) -> Sending | None:
        want = self._asking.next(now, self.bearer.fits)
        return Sending(want, _KEEPING, want.of) if want else None

    def _next_digest(self, now: float) -> Sending | None:
        if not self._trickle.is_due(now):
            return None
        digest = Digest(self.holdings.fingerprint)
        if self._asking.does_anybody_differ(digest.fingerprint):
            newest = list(self.holdings.origins())
            turn = self._turn % max(1, len(newest))
            # Those with news first, and in turn the others, so that all have been said in the end.
            pairs = zip(newest, newest[turn:] + newest[:turn], strict=True)
            for origin in dict.fromkeys(chain.from_iterable(pairs)):
                entry = self._entry(origin)
                if entry is None:
                    continue
                more = Digest(digest.fingerprint, (*digest.entries, entry))
                if not self.bearer.fits(more):
                    break
                digest = more
            self._turn = turn + max(1, len(digest.entries) // 2)
        return Sending(digest, _KEEPING)

    def _entry(self, origin: str) -> Entry | None:
        held = self.holdings.held(origin)
        said = self.holdings.had(origin) & Ranges([(held.oldest, held.newest)])
        # Nobody need ask for what is given without that.
        said -= self._offers.numbers_of(origin)
        if not said:
            return None
        if said.count > _MOST_HOLES:
            # A part of it; all parts in the end.
            start = self._random.randrange(-_MOST_HOLES, said.count - _MOST_HOLES + 1)
            said = Ranges(list(said.pairs())[max(0, start) :][: _MOST_HOLES + 1])
        return Entry(origin, said.oldest, said.newest, Ranges([(said.oldest, said.newest)]) - said)
