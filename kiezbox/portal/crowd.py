"""Who is at the door, and who makes room: no guest can keep the others out.

A *party* is what one guest can speak for: an IPv4 address, which dnsmasq gives out once for each
station. Of an IPv6 /64 a guest has as many addresses as it likes. Elsewhere all of it is one party;
on a link of this box, where all guests are in one /64, each address is one of its own as long as
new ones do not come faster than phones do (``Links``). What runs on this box (a proxy, a check)
speaks for many and is not counted.
"""

from __future__ import annotations

import _socket
import os
import time
from _thread import allocate_lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kiezbox.portal.visit import Visit

__all__ = [
    "MOST_OF_ONE",
    "MOST_OF_ONE_NETWORK",
    "Crowd",
    "Links",
    "Party",
    "is_network",
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

#: Connections of an IPv6 /64 that is one party.
MOST_OF_ONE_NETWORK = 64

#: On our own link so many IPv6 addresses may be new at once, and one more each so many seconds: a
#: street that joins within minutes, and no more than there are IPv4 addresses to be had (goal: who
#: makes up addresses gains nothing over who asks for leases). So many are remembered.
NEW_AT_ONCE = 128
NEW_EACH_S = 30.0
MOST_KNOWN = 2048
MOST_LINKS = 16

#: Making answers that are not ready costs the processor: so long at once, and this share of it.
BURST_S = 0.2
SHARE = 0.2

_OWN = ("127.0.0.1", "::1")


class Links:
    """Whose address is whose, on links of this box; for several threads.

    Which links are ours is learnt from our own end of connections, so nobody else can say. A guest
    found to be one of its own, or one of the many, stays that as long as it is remembered.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = allocate_lock()
        self._ours: dict[bytes, None] = {}
        #: Address → party, the one asked for last at the end.
        self._known: dict[bytes, bytes] = {}
        self._tokens = float(NEW_AT_ONCE)
        self._since = monotonic()

    def is_ours(self, local: str) -> None:
        """This is an address of ours."""
        if ":" in local and local not in _OWN and len(self._ours) < MOST_LINKS:
            self._ours[_packed(local)[:8]] = None

    def party_of(self, client: str) -> str | bytes:
        """What bounds this guest: its address, or (eight bytes) the /64 that it is in."""
        if ":" not in client or client in _OWN:
            return client
        address = _packed(client)
        if address[:8] not in self._ours:
            return address[:8]
        with self._lock:
            party = self._known.pop(address, None) or self._newcomer(address)
            self._known[address] = party
        return party

    def _newcomer(self, address: bytes) -> bytes:
        if len(self._known) >= MOST_KNOWN:
            del self._known[next(iter(self._known))]
        now = self._monotonic()
        come = self._tokens + (now - self._since) / NEW_EACH_S
        self._tokens, self._since = min(float(NEW_AT_ONCE), come), now
        if self._tokens < 1:
            return address[:8]
        self._tokens -= 1
        return address


#: Of this process.
_links = Links()


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
        _links.is_ours(visit.local)
        key = party_of(visit.client)
        party = self.parties.get(key)
        if party is None:
            party = self.parties[key] = Party(key, _most(key))
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
    """As many as descriptors allow: RLIMIT_NOFILE as sysconf(3) has it, without ``resource``."""
    return max(16, min(MOST_VISITS, os.sysconf("SC_OPEN_MAX") - OTHER_FILES))


def plain_address(address: str) -> str:
    """IPv4 as IPv4, also where it came in by an IPv6 socket; without a zone.

    >>> plain_address("::ffff:10.42.0.7"), plain_address("fe80::1%kb-street")
    ('10.42.0.7', 'fe80::1')
    """
    return address.removeprefix("::ffff:") if "." in address else address.partition("%")[0]


def party_of(client: str) -> str | bytes:
    """``Links.party_of`` of this process."""
    return _links.party_of(client)


def is_network(party: str | bytes) -> bool:
    """Whether this party is a whole IPv6 /64."""
    return isinstance(party, bytes) and len(party) == 8


def _packed(address: str) -> bytes:
    return _socket.inet_pton(_socket.AF_INET6, address)


def _most(party: str | bytes) -> int:
    if party in _OWN:
        return 0
    return MOST_OF_ONE_NETWORK if is_network(party) else MOST_OF_ONE


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
