"""All connections of one box, one loop: hears, takes in, hands on.

One ``Exchange`` for all of them: so a record is asked of one box and not of each. Everything here
is one thread's, but for ``wake`` and ``facts``.
"""

from __future__ import annotations

import logging
import selectors
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import islice
from random import SystemRandom
from typing import Any, NamedTuple

from kiezbox.clock import Clock
from kiezbox.exchange import Bearer, Digest, Exchange, Give, Gone, Item, Measure, Pace, Want
from kiezbox.peers.auditing import Auditing
from kiezbox.peers.calling import Call, Calls, Heard
from kiezbox.peers.handshake import Answering, Calling
from kiezbox.peers.home import Home
from kiezbox.peers.link import Link
from kiezbox.peers.sockets import called, opened, prepare
from kiezbox.peers.wire import size_of
from kiezbox.settings.kiez import Place

__all__ = ["IP", "Peers", "Where"]

log = logging.getLogger("kiezbox")

#: Frames of this size go out in one piece, and leave room for others.
_MOST_MESSAGE = 1 << 16

IP = Bearer(
    fits=lambda message: size_of(message) <= _MOST_MESSAGE,
    # Every box is spoken to alone: that others said the same is no reason for silence.
    pace=Pace(least_s=0.25, most_s=30.0, enough=1 << 30),
    is_shared=False,
    spread_s=0.05,
    ask_again_s=3.0,
    answers=Measure(burst=20_000, hourly=100_000),
    # A stolen box fills no card; a log of several years comes at once.
    intake=Measure(burst=20_000_000, hourly=4_000_000),
)

#: The log is asked for news so often, and for what has expired; where boxes are; who is a member.
NEWS_S, SWEEP_S, FIND_S, MEMBERS_S = 0.4, 3600.0, 2.0, 5.0

#: Connections; and those of whom nobody knows yet who it is.
MOST_LINKS = 64
MOST_STRANGERS = 32

#: News, messages that go out, and connections that come in, in one round of the loop.
_MOST_NEWS = 50
_MOST_SENDINGS = 200
_MOST_ACCEPTED = 8


class Where(NamedTuple):
    """Where boxes may be."""

    heard: Iterable[Heard]
    written: Iterable[Place]


class Peers:
    """Of one box."""

    def __init__(
        self,
        home: Home,
        listen: str,
        find: Callable[[], Where],
        clock: Clock,
        *,
        taken: Callable[[], None] = lambda: None,
        audit_every_s: float = 3600.0,
    ) -> None:
        """``taken`` is called when something new is in the log.

        Raises:
            NetworkError: it cannot listen there.
        """
        self._home, self._find, self._clock, self._taken = home, find, clock, taken
        self._random = SystemRandom()
        self._calls = Calls(home.box, home.members, self._random)
        self._links: list[Link] = []
        self._watched: dict[Link, int] = {}
        #: Box → when it was last heard (Unix seconds), and what came and went by earlier links.
        self._heard: dict[str, float] = {}
        self._counts: Counter[tuple[str, str]] = Counter()
        self._last_heard_at = self._now()
        self._facts: list[dict[str, Any]] = []
        self._news_at = self._find_at = self._members_at = 0.0
        self._sweep_at = self._now() + SWEEP_S
        self._use_home()
        self._listener = opened(listen)
        self._ear, self._mouth = socket.socketpair()
        self._selector = selectors.DefaultSelector()
        for each in (self._ear, self._mouth):
            each.setblocking(False)
        for each in (self._listener, self._ear):
            self._selector.register(each, selectors.EVENT_READ)
        self._auditing = Auditing(home, self._random, audit_every_s)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._listener.getsockname()[1])

    def wake(self) -> None:
        """End a wait. From any thread."""
        with suppress(OSError):
            self._mouth.send(b"\0")

    def close(self) -> None:
        """Idempotent."""
        for link in self._links:
            link.close("we end")
        self._selector.close()
        for each in (self._listener, self._ear, self._mouth):
            each.close()

    def facts(self) -> list[dict[str, Any]]:
        """Of each box that was heard: name, when, whether it is connected, what came and went."""
        return self._facts

    def quiet_s(self) -> float:
        """So long no other box was heard, or since the start."""
        return self._now() - self._last_heard_at

    # --- the loop --------------------------------------------------------------------------------

    def step(self, most_s: float) -> None:
        """Wait at most so long, and do what there is to do.

        Raises:
            StoreError: the card does not take it. Whoever goes on makes everything anew.
        """
        now = self._now()
        self._watch(now)
        heard: dict[Link, list[Item]] = {}
        for key, events in self._selector.select(max(0.0, min(most_s, self._due_at(now) - now))):
            if key.fileobj is self._ear:
                with suppress(OSError):
                    self._ear.recv(4096)
            elif key.fileobj is self._listener:
                for _ in range(_MOST_ACCEPTED):
                    if not self._accept():
                        break
            else:
                assert isinstance(key.fileobj, Link)
                self._attend(key.fileobj, events, heard)
        now = self._now()
        self._take(heard, now)
        self._look_around(now)
        self._say(now)
        self._tidy(now)

    def _now(self) -> float:
        return time.monotonic()

    def _due_at(self, now: float) -> float:
        due_at = min(self._news_at, self._find_at, self._calls.next_at(self._busy()))
        if any(link.is_open for link in self._links):
            due_at = min(due_at, self._exchange.due_at(now))
        return due_at

    def _watch(self, now: float) -> None:
        """Tell the kernel of which links there is something to know."""
        for link in self._links:
            wanted = selectors.EVENT_READ if link.is_connected and link.may_read(now) else 0
            wanted |= selectors.EVENT_WRITE if link.wants_to_write else 0
            before = self._watched.get(link, 0)
            if wanted and not before:
                self._selector.register(link, wanted)
            elif wanted and wanted != before:
                self._selector.modify(link, wanted)
            elif before and not wanted:
                self._selector.unregister(link)
            self._watched[link] = wanted

    def _attend(self, link: Link, events: int, heard: dict[Link, list[Item]]) -> None:
        now, was_open = self._now(), link.is_open
        if link.is_closed:
            return
        if events & selectors.EVENT_WRITE:
            link.writable(now)
        if events & selectors.EVENT_READ and not link.is_closed:
            for message in link.readable(now):
                if not was_open:
                    was_open = self._opened(link, now)
                if isinstance(message, Digest | Want | Gone | Give):
                    heard.setdefault(link, []).extend(self._exchange.heard(message, link.box, now))
                else:
                    self._auditing.heard(link, message, now)
            if link.is_open and not was_open:
                self._opened(link, now)

    def _opened(self, link: Link, now: float) -> bool:
        """Somebody is there; who was there under this name before has lost its connection."""
        for other in self._links:
            if other is not link and other.box == link.box:
                other.close("there is another one")
        log.info("peers: %s is connected", link.box)
        link.say(Digest(self._home.sharing.holdings.fingerprint), now)
        self._auditing.opened(link, now)
        return True

    def _accept(self) -> bool:
        """Whether there may be another one."""
        try:
            connection, address = self._listener.accept()
        except OSError:
            return False
        strangers = [
            each for each in self._links
            if not (each.box or each.is_caller or each.is_closed)
        ]  # fmt: skip
        if len(strangers) >= MOST_STRANGERS:
            # Somebody opens many: his oldest makes room, nobody else's.
            counts = Counter(each.address for each in strangers)
            (most, _), *_ = counts.most_common(1)
            next(each for each in strangers if each.address == most).close("too many")
        if sum(not each.is_closed for each in self._links) >= MOST_LINKS + MOST_STRANGERS:
            connection.close()
            return True
        prepare(connection)
        side = Answering(self._home.box, self._home.key, self._home.members)
        self._links.append(Link(connection, side, self._now(), address=str(address[0])))
        return True

    # --- the log ---------------------------------------------------------------------------------

    def _use_home(self) -> None:
        sharing = self._home.sharing
        self._exchange = Exchange(
            self._home.box, IP, sharing.holdings, sharing.fetch, random=self._random,
            now=self._now(),
        )  # fmt: skip

    def _take(self, heard: dict[Link, list[Item]], now: float) -> None:
        items = [item for some in heard.values() for item in some]
        is_new = False
        if items:
            for number, priority in self._home.sharing.take(items):
                # It is on the card. Whoever gave it is known to have it.
                self._exchange.added(number, priority, now, is_heard_here=True)
                is_new = True
        if self._auditing.take():
            # What had been forgotten is there again, and counted again.
            self._home.look_anew()
            self._use_home()
            is_new = True
            for link in self._links:
                link.say(Digest(self._home.sharing.holdings.fingerprint), now)
        if is_new:
            self._taken()

    def _look_around(self, now: float) -> None:
        if now >= self._news_at:
            news = list(islice(self._home.sharing.news(), _MOST_NEWS))
            self._news_at = now if len(news) == _MOST_NEWS else now + NEWS_S
            for number, priority in news:
                self._exchange.added(number, priority, now)
        if now >= self._sweep_at:
            self._sweep_at = now + SWEEP_S
            self._home.sharing.sweep()
        if now >= self._find_at:
            self._find_at = now + FIND_S
            where = self._find()
            self._calls.know(where.heard, where.written, now)
        for call in self._calls.due(now, self._busy()):
            self._call(call, now)
        if now >= self._members_at:
            self._members_at = now + MEMBERS_S
            for link in self._links:
                if link.is_open and link.public not in self._home.members(link.box):
                    link.close("no member any more")

    def _busy(self) -> set[str]:
        return {link.box or link.to for link in self._links if not link.is_closed}

    def _call(self, call: Call, now: float) -> None:
        side = Calling(self._home.box, self._home.key, self._home.members, call.box, call.public)
        if len(self._links) >= MOST_LINKS:
            self._calls.failed(call.box, now)
            return
        try:
            connection = called(call.address, call.port)
        except OSError:
            self._calls.failed(call.box, now)
            return
        self._links.append(Link(connection, side, now, to=call.box, address=call.address))

    # --- what is said ----------------------------------------------------------------------------

    def _say(self, now: float) -> None:
        links = {link.box: link for link in self._links if link.is_open}
        if not links:
            return
        for _ in range(_MOST_SENDINGS):
            sending = self._exchange.next(now)
            if sending is None:
                break
            message = sending.message
            for link in [links[sending.to]] if sending.to in links else []:
                link.say(message, now)
            if sending.to:
                continue
            for link in links.values():
                said = link.lacking(message) if isinstance(message, Give) else message
                if not isinstance(said, Give) or said.items:
                    link.say(said, now)
        self._auditing.say(links, now)

    def _tidy(self, now: float) -> None:
        for link in self._links:
            link.look_after(now)
            if link.is_open and link.heard_at > now - 1:
                self._heard[link.box] = self._clock.now()
                self._last_heard_at = max(self._last_heard_at, link.heard_at)
        for link in [link for link in self._links if link.is_closed]:
            self._links.remove(link)
            if self._watched.pop(link, 0):
                self._selector.unregister(link)
            link.connection.close()
            self._over(link, now)
        self._facts = [self._fact(box) for box in sorted(self._heard)]

    def _over(self, link: Link, now: float) -> None:
        if not link.box:
            if link.to:
                is_refused = link.is_connected and link.why != "no answer"
                self._calls.failed(link.to, now, is_refused=is_refused)
                if is_refused:
                    log.info("peers: %s was called at %s: %s", link.to, link.address, link.why)
            return
        log.info("peers: %s is not connected any more: %s", link.box, link.why)
        self._counts[link.box, "received"] += link.received
        self._counts[link.box, "given"] += link.given
        if not any(other.box == link.box and other.is_open for other in self._links):
            self._exchange.lost(link.box)
            self._calls.ended(link.box, now)

    def _fact(self, box: str) -> dict[str, Any]:
        links = [link for link in self._links if link.box == box]
        return {
            "box": box,
            "is_connected": any(link.is_open for link in links),
            "heard_at": self._heard[box],
            "received": self._counts[box, "received"] + sum(link.received for link in links),
            "given": self._counts[box, "given"] + sum(link.given for link in links),
        }
