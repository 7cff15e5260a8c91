"""Who is logged in, and how often anybody may try: in memory, bounded, gone with the process."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass

from kiezbox.clock import Clock

__all__ = ["Limits", "Sessions"]

#: A desk that somebody walked away from closes.
IDLE_S = 1800.0
#: And whoever works at it all day says who he is once a day.
LONGEST_S = 43200.0
#: The operator's phone, laptop, and some that were never logged out.
MOST_SESSIONS = 20

#: Attempts at a passphrase or a code: so many at once, then one each so many seconds.
BURST = 5
EACH_S = 20.0
#: From everybody together; whoever owns a thousand addresses guesses no faster.
BURST_OF_ALL = 20
EACH_OF_ALL_S = 5.0
MOST_PEERS = 1000


@dataclass(slots=True)
class _Session:
    began_at: float
    seen_at: float


class Sessions:
    """Cookies' values are random and only their hashes are kept; a form's token is made from the
    cookie that goes with it, so a page of somebody else's cannot fill a form of ours."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._open: OrderedDict[bytes, _Session] = OrderedDict()
        self._lock = threading.Lock()

    def new_cookie(self) -> str:
        """For a visitor who has none. It opens nothing."""
        return secrets.token_urlsafe(32)

    def form_token(self, cookie: str) -> str:
        """What a form carries as a hidden field."""
        return hmac.new(self._key, cookie.encode("utf-8", "replace"), hashlib.sha256).hexdigest()

    def is_form_of(self, cookie: str, token: str) -> bool:
        """Whether the form was ours, and this visitor's."""
        expected = self.form_token(cookie).encode()
        return bool(cookie) and hmac.compare_digest(expected, token.encode("utf-8", "replace"))

    def begin(self) -> str:
        """A new session; its cookie. Never one that the visitor brought: he may have been given
        it by somebody (session fixation)."""
        cookie, now = self.new_cookie(), self._clock.monotonic()
        with self._lock:
            self._open[_key(cookie)] = _Session(now, now)
            while len(self._open) > MOST_SESSIONS:
                self._open.popitem(last=False)
        return cookie

    def is_open(self, cookie: str) -> bool:
        """Whether the cookie belongs to somebody who is logged in; a visit keeps it open."""
        now = self._clock.monotonic()
        with self._lock:
            session = self._open.get(_key(cookie))
            if session is None:
                return False
            if now - session.seen_at > IDLE_S or now - session.began_at > LONGEST_S:
                del self._open[_key(cookie)]
                return False
            session.seen_at = now
            return True

    def end(self, cookie: str) -> None:
        with self._lock:
            self._open.pop(_key(cookie), None)

    def end_all(self) -> None:
        """A new passphrase: whoever was in is out."""
        with self._lock:
            self._open.clear()


def _key(cookie: str) -> bytes:
    return hashlib.sha256(cookie.encode("utf-8", "replace")).digest()


class Limits:
    """A leaky bucket for each peer and one for all of them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        #: Peer → when its bucket is empty again.
        self._empty_at: OrderedDict[str, float] = OrderedDict()
        self._all_empty_at = 0.0
        self._lock = threading.Lock()

    def wait_s(self, address: str) -> float:
        """0: go ahead, and it is counted. More: come back in so many seconds."""
        now, peer = self._clock.monotonic(), _peer(address)
        with self._lock:
            mine = max(now, self._empty_at.get(peer, 0.0)) + EACH_S
            everybody = max(now, self._all_empty_at) + EACH_OF_ALL_S
            late_s = max(
                mine - now - BURST * EACH_S, everybody - now - BURST_OF_ALL * EACH_OF_ALL_S
            )
            if late_s > 0:
                return late_s
            self._all_empty_at = everybody
            self._empty_at[peer] = mine
            self._empty_at.move_to_end(peer)
            while len(self._empty_at) > MOST_PEERS:
                self._empty_at.popitem(last=False)
            return 0.0


def _peer(address: str) -> str:
    """One visitor: an IPv4 address, or an IPv6 /64, of which a phone has as many as it likes.

    >>> _peer("2001:db8::1") == _peer("2001:db8::2"), _peer("::ffff:192.0.2.1")
    (True, '192.0.2.1')
    """
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, 64), strict=False))
