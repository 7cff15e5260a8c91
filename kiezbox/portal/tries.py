"""How often a code or a passphrase may be wrong: a leaky bucket for each guest and one for all.

Beside the gate's (``gate``), which counts what is written; here only what was wrong counts, so a
helper who opens one request after the other never waits. Nor can strangers keep helpers out by
being wrong: who was right before from where he is waits for nobody else's mistakes, and who was not
wrong lately has a part of the common bucket that those who were cannot use up. In memory, bounded,
gone with the process; a code has a count of its own on the card (``store.keyring``).
"""

from __future__ import annotations

import time

from kiezbox.portal.crowd import party_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Tries"]

#: So many at once, then one each so many seconds.
BURST, EACH_S = 5, 20.0
#: From everybody together; whoever owns a thousand addresses guesses no faster.
BURST_OF_ALL, EACH_OF_ALL_S = 20, 5.0
#: And so many by those who were not wrong for so long.
BURST_OF_FRESH, FRESH_S = 100, 3600.0
MOST_PARTIES = 1000


class Tries:
    """All of one process."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        #: Party → when its bucket is empty again.
        self._empty_at: dict[str | bytes, float] = {}
        self._all_empty_at = 0.0
        #: Who was right, the last one at the end.
        self._known: dict[str | bytes, None] = {}

    def wait_s(self, client: str) -> float:
        """Seconds until the next try; 0: now."""
        now, party = self._monotonic(), party_of(client)
        empty_at = self._empty_at.get(party, -1e9)
        mine = empty_at + EACH_S - now - BURST * EACH_S
        if party in self._known:
            return max(0.0, mine)
        burst = BURST_OF_ALL if empty_at > now - FRESH_S else BURST_OF_FRESH
        everybody = self._all_empty_at + EACH_OF_ALL_S - now - burst * EACH_OF_ALL_S
        return max(0.0, mine, everybody)

    def was_right(self, client: str) -> None:
        """Somebody works here."""
        party = party_of(client)
        self._known.pop(party, None)
        if len(self._known) >= MOST_PARTIES:
            del self._known[next(iter(self._known))]
        self._known[party] = None

    def was_wrong(self, client: str) -> None:
        """One more that was wrong."""
        now, party = self._monotonic(), party_of(client)
        empty_at = max(now, self._empty_at.pop(party, 0.0)) + EACH_S
        if len(self._empty_at) >= MOST_PARTIES:
            del self._empty_at[next(iter(self._empty_at))]
        self._empty_at[party] = empty_at
        self._all_empty_at = max(now, self._all_empty_at) + EACH_OF_ALL_S
