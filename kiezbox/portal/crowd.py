"""Who is at the door, and who makes room: no guest can keep the others out.

A *party* is what one guest can speak for: an IPv4 address, or an IPv6 /64, of which a guest has
as many addresses as it likes. What runs on this box (a proxy, a check) speaks for many and is not
counted.
"""

from __future__ import annotations

import _socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from kiezbox.portal.visit import Visit

__all__ = [
    "MOST_OF_ONE",
    "MOST_OF_ONE_NETWORK",
    "Crowd",
    "Party",
    "most_visits",
    "party_of",
    "plain_address",
]

#: A connection on which nothing happens ends after this time; so long it counts as new.
IDLE_S = 15.0
NEW_S = 1.0

#: Connections at once; descriptors left for everything else.
MOST_VISITS = 512
OTHER_FILES = 64

#: Connections of one IPv4 address. A browser opens six to a host, and a phone has some apps.
MOST_OF_ONE = 16

#: Connections of one IPv6 /64, in which all guests are.
MOST_OF_ONE_NETWORK = 64

#: Making answers that are not ready costs the processor: so long at once, and this share of it.
BURST_S = 0.2
SHARE = 0.2

_OWN = ("127.0.0.1", "::1")


class Party:
    """The connections of one guest, and what it has cost lately (seconds of processor)."""

    __slots__ = ("key", "most", "spent_s", "visits")

    def __init__(self, key: str | bytes, most: int) -> None:
        self.key = key
        #: 0: as many as it likes.
        self.most = most
        self.visits: dict[Visit, None] = {}
        self.spent_s = 0.0

    def may_spend(self) -> bool:
        return self.spent_s < BURST_S or not self.most


class Crowd:
    """All parties."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.parties: dict[str | bytes, Party] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def in_the_way(self, client: str, now: float) -> Visit | None:
        """Who must leave before one more of this client comes in; None: there is room."""
        party = self.parties.get(party_of(client))
        if party and party.most and len(party.visits) >= party.most:
            return _of_one(party)
        return self.greediest(now) if self._count >= self.most else None

    def greediest(self, now: float) -> Visit | None:
        """Of the party with most connections; where all have one, of all."""
        if not self.parties:
            return None
        party = max(self.parties.values(), key=lambda party: len(party.visits))
        if len(party.visits) > 1:
            return _of_one(party)
        everybody = (visit for party in self.parties.values() for visit in party.visits)
        return _of_all(everybody, now)

    def add(self, visit: Visit) -> Party:
        key = party_of(visit.client)
        party = self.parties.get(key)
        if party is None:
            party = self.parties[key] = Party(key, _most(visit.client))
        party.visits[visit] = None
        self._count += 1
        return party

    def remove(self, visit: Visit) -> None:
        party = visit.party
        if party.visits.pop(visit, self) is None:
            self._count -= 1
        self._forget(party)

    def forgive(self, seconds: float) -> None:
        """So much time has passed."""
        for party in list(self.parties.values()):
            party.spent_s = max(0.0, party.spent_s - seconds * SHARE)
            self._forget(party)

    def _forget(self, party: Party) -> None:
        # What it has spent is remembered until it is forgiven: hanging up must not help.
        if not party.visits and not party.spent_s:
            self.parties.pop(party.key, None)


def most_visits() -> int:
    """As many as descriptors allow."""
    from resource import RLIMIT_NOFILE, getrlimit

    return max(16, min(MOST_VISITS, getrlimit(RLIMIT_NOFILE)[0] - OTHER_FILES))


def plain_address(address: str) -> str:
    """IPv4 as IPv4, also where it came in by an IPv6 socket; without a zone.

    >>> plain_address("::ffff:10.42.0.7"), plain_address("fe80::1%kb-street")
    ('10.42.0.7', 'fe80::1')
    """
    return address.removeprefix("::ffff:") if "." in address else address.partition("%")[0]


def party_of(client: str) -> str | bytes:
    if ":" not in client or client in _OWN:
        return client
    return _socket.inet_pton(_socket.AF_INET6, client)[:8]


def _most(client: str) -> int:
    if client in _OWN:
        return 0
    return MOST_OF_ONE_NETWORK if ":" in client else MOST_OF_ONE


def _of_one(party: Party) -> Visit:
    """The newest of those on which nothing happens, else the one that is soonest over anyway."""
    for visit in reversed(party.visits):
        if visit.is_idle:
            return visit
    return min(party.visits, key=lambda visit: visit.until)


def _of_all(visits: Iterable[Visit], now: float) -> Visit | None:
    """First who has been idle for a while; then who is in the middle of something, the one that is
    soonest over; last who has just come or was just served, and may be about to ask.
    """

    def needed(visit: Visit) -> tuple[int, float]:
        is_new = visit.is_idle and visit.until > now + IDLE_S - NEW_S
        return 2 if is_new else 0 if visit.is_idle else 1, visit.until

    return min(visits, key=needed, default=None)
