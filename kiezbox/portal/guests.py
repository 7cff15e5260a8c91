"""Who has been shown the portal and who stays: a phase per guest, in memory only.

A guest is the address the connection came from, within its lease; phones change their hardware
addresses (iOS 18 on every open network), and nobody keeps those here. The address itself is not
kept either, but a keyed hash of it. When the process ends all is forgotten: every phone is new
again, and is shown the portal at its next probe.

``captive`` says what happens; here is what it happens to. For one thread.
"""

from __future__ import annotations

import os
import time
from _blake2 import blake2s
from _operator import _compare_digest

from kiezbox.captive import ACK, ASKED_AGAIN_S, NEW, START, TOKEN_S, step

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["MOST_GUESTS", "NO_TOKEN", "STAY_S", "Guests"]

#: So many guests are remembered for each of IPv4 and IPv6; the one not heard of for longest makes
#: room. The pool of IPv4 addresses is smaller than that, so nobody in it is ever pushed out; and
#: somebody who forges addresses has a whole IPv6 /64 of them, which pushes out IPv6 guests only.
#: Probes come by IPv4, because no name has an AAAA record here.
MOST_GUESTS = 4096

#: Default of ``network.street.stay_s``.
STAY_S = 86400.0

#: From then on a guest is no newcomer.
SETTLED_S = 600.0

#: A token: milliseconds of this process's clock (16 hexadecimal digits) and 96 bits of a keyed
#: BLAKE2s (RFC 7693, 2.9) over them and the address (24 digits).
_STAMP, _SEAL = 16, 24
NO_TOKEN = b"0" * (_STAMP + _SEAL)


class _Guest:
    """What is remembered of one."""

    __slots__ = ("heard_at", "holder", "is_back", "phase", "spent", "until")

    def __init__(self) -> None:
        self.phase = START
        #: Monotonic seconds until which "stay connected" holds.
        self.until = 0.0
        #: Unix seconds of the last request.
        self.heard_at = 0.0
        #: Inode of the file that says when the holder of the address joined; 0: not known.
        self.holder = 0
        #: The stamp of the last token used. Earlier ones count no more.
        self.spent = -1
        #: Whether it stayed before, was away and knows the portal.
        self.is_back = False


class Guests:
    """All guests of one process."""

    def __init__(
        self,
        *,
        joined_dir: str = "/run/kiezbox-network/joined",
        secret: bytes | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """``joined_dir`` holds a file per address, touched when its guest joins and made anew
        when another guest gets the address. A file that is not there says nothing.
        """
        self._joined_dir = joined_dir
        self._secret = os.urandom(32) if secret is None else secret
        self._monotonic, self._wall = monotonic, wall
        self._mode: str | None = None
        #: By family (is IPv6), hashed address → guest, the one heard of last at the end.
        self._guests: tuple[dict[bytes, _Guest], dict[bytes, _Guest]] = ({}, {})

    def __len__(self) -> int:
        return sum(map(len, self._guests))

    # --- what can be asked ---------------------------------------------------------------------

    def phase(self, client: str) -> str:
        """The phase of whoever has this address now."""
        guest = self._heard(client)
        return NEW if guest is None else guest.phase

    def is_back(self, client: str) -> bool:
        """Whether this guest stayed, was away, and is asked again: it knows the whole page."""
        guest = self._heard(client)
        return guest is not None and guest.is_back

    def is_newcomer(self, client: str) -> bool:
        """Whether this box gives out addresses, and this one is new, or none that it gave."""
        try:
            is_any = any(not name.startswith(".") for name in os.listdir(self._joined_dir))
        except OSError:
            return False
        joined_at = self._joined(client)[1]
        return is_any and not (joined_at and self._wall() - joined_at >= SETTLED_S)

    def remaining_s(self, client: str) -> float:
        """How long the guest stays without being asked again."""
        guest = self._heard(client)
        is_staying = guest is not None and guest.phase == ACK
        return max(0.0, guest.until - self._monotonic()) if guest and is_staying else 0.0

    # --- what can happen -----------------------------------------------------------------------

    def show(self, client: str) -> bytes:
        """The guest is given a page; the token for the form in it."""
        guest = self._heard(client) or self._added(client)
        self._happen(guest, "page")
        return self._token(client, int(self._monotonic() * 1000))

    def stay(self, client: str, token: bytes, stay_s: float = STAY_S) -> bool:
        """Whether the token is good and the guest stays from now on, for so many seconds."""
        guest = self._heard(client)
        stamp = self._stamp_of(client, token)
        if guest is None or stamp is None or stamp <= guest.spent:
            return False
        if not self._happen(guest, "stay"):
            return False
        guest.spent = stamp
        guest.until = self._monotonic() + stay_s
        guest.is_back = False
        return True

    def leave(self, client: str) -> None:
        """The guest wants to be asked again."""
        guest = self._heard(client)
        if guest is not None:
            self._happen(guest, "leave")

    def enter_mode(self, mode: str | None) -> None:
        """The box is in this mode; not to know which is no change."""
        if mode is None or mode == self._mode:
            return
        if self._mode is not None:
            for guests in self._guests:
                for guest in guests.values():
                    self._happen(guest, "mode_changed")
                    guest.is_back = False
        self._mode = mode

    # --- inside ----------------------------------------------------------------------------------

    def _happen(self, guest: _Guest, event: str) -> bool:
        after = step(guest.phase, event)
        if after is None:
            return False
        guest.phase = after
        return True

    def _heard(self, client: str) -> _Guest | None:
        """The guest, after all that has happened to it meanwhile; None: not known."""
        guests = self._guests[":" in client]
        key = self._hash(client.encode())
        guest = guests.pop(key, None)
        if guest is None:
            return None
        guests[key] = guest
        holder, joined_at = self._joined(client)
        if guest.holder and holder and holder != guest.holder:
            self._happen(guest, "new_holder")
            guest.is_back = False
        elif joined_at >= guest.heard_at + ASKED_AGAIN_S:
            guest.is_back = self._happen(guest, "rejoined")
        if guest.phase == ACK and self._monotonic() >= guest.until:
            self._happen(guest, "expired")
        guest.holder = holder or guest.holder
        guest.heard_at = self._wall()
        return guest

    def _added(self, client: str) -> _Guest:
        guests = self._guests[":" in client]
        if len(guests) >= MOST_GUESTS:
            del guests[next(iter(guests))]
        guest = guests[self._hash(client.encode())] = _Guest()
        guest.holder, _ = self._joined(client)
        guest.heard_at = self._wall()
        return guest

    def _joined(self, client: str) -> tuple[int, float]:
        """Who has the address (an inode) and since when (Unix seconds); zeros: not known."""
        try:
            found = os.stat(f"{self._joined_dir}/{client}")
        except (OSError, ValueError):
            return 0, 0.0
        return found.st_ino, found.st_mtime

    def _token(self, client: str, stamp: int) -> bytes:
        shown = b"%016x" % stamp
        return shown + self._hash(shown + client.encode()).hex().encode()

    def _stamp_of(self, client: str, token: bytes) -> int | None:
        """When this process made the token for this address; None: it did not, or too long ago."""
        try:
            stamp = int(token[:_STAMP], 16)
        except ValueError:
            return None
        is_ours = stamp >= 0 and _compare_digest(self._token(client, stamp), token)
        is_fresh = 0 <= self._monotonic() - stamp / 1000 <= TOKEN_S
        return stamp if is_ours and is_fresh else None

    def _hash(self, text: bytes) -> bytes:
        return blake2s(text, key=self._secret, digest_size=_SEAL // 2).digest()
