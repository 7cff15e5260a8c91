"""The audit by content (``exchange.audit``) between this box's log and those at its links."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from kiezbox.exchange import Item
from kiezbox.exchange.audit import AuditMessage, Contents, Heal, Root, Round
from kiezbox.exchange.trickle import Chance
from kiezbox.peers.home import Home
from kiezbox.peers.link import Link
from kiezbox.records import BadRecord, Ref, unpack
from kiezbox.store.log_twins import record_id
from kiezbox.store.proofs import PROOF_BYTES

__all__ = ["Auditing"]

log = logging.getLogger("kiezbox")

#: A round ends after so long, whatever was said. The next one that somebody else begins is taken
#: part in after a quarter of the usual time: each costs a look at the whole log.
ROUND_S = 60.0

#: Bytes that are taken in one round.
MOST_BYTES = 4 << 20

#: The first one after a connection came about, in parts of the usual time.
_FIRST = 1 / 60


class Auditing:
    """Of one box, with all that it is connected with."""

    def __init__(self, home: Home, random: Chance, every_s: float) -> None:
        self._home, self._random, self._every_s = home, random, every_s
        self._round_s = min(ROUND_S, every_s / 4)
        #: Of members alone, by name: who connects anew gets no other round for that.
        self._due: dict[str, float] = {}
        self._rounds: dict[str, tuple[Round, float]] = {}
        self._left: dict[str, int] = {}
        self._brought: list[bytes] = []

    def opened(self, link: Link, now: float) -> None:
        """Whoever called begins."""
        if link.is_caller:
            first_at = now + self._every_s * _FIRST * (1 + self._random.random())
            self._due.setdefault(link.box, first_at)

    def say(self, links: Mapping[str, Link], now: float) -> None:
        """Begin what is due."""
        for box, link in links.items():
            if now >= self._due.get(box, float("inf")):
                self._due[box] = now + self._every_s * (0.75 + self._random.random() / 2)
                link.say(self._new(link, now).begin(), now)

    def heard(self, link: Link, message: AuditMessage, now: float) -> None:
        """Something came; it may be a lie."""
        audit, began_at = self._rounds.get(link.box, (None, -float("inf")))
        if now - began_at > self._round_s:
            if not isinstance(message, Root) or now - began_at < self._every_s / 4:
                return
            audit = self._new(link, now)
        assert audit is not None
        if isinstance(message, Heal):
            self._left[link.box] -= sum(map(len, message.bodies))
            if (message.origin, message.block) in audit.open and self._left[link.box] >= 0:
                self._brought += message.bodies
            return
        said, lacking = audit.heard(message)
        for each in said:
            link.say(each, now)
        for origin, block, record in lacking:
            for body in self._bodies(*record):
                link.say(Heal(origin, block, (body,)), now)

    def take(self) -> int:
        """Take in what was brought; how much of it was new.

        Raises:
            StoreError: the card does not take it.
        """
        brought, self._brought = self._brought, []
        items: dict[bytes, Item] = {}
        for body in brought:
            try:
                record = unpack(body[PROOF_BYTES:])
            except BadRecord:
                continue
            if not self._is_here(record.ref, body[PROOF_BYTES:]):
                items[body] = Item(record.ref, record.priority, body)
        if not items:
            return 0
        self._home.sharing.take(items.values())
        healed = sum(self._is_here(item.number, body[PROOF_BYTES:]) for body, item in items.items())
        if healed:
            log.warning("peers: records=%d were lacking here unnoticed, and are here again", healed)
        return healed

    def _new(self, link: Link, now: float) -> Round:
        audit = Round(Contents(self._home.sharing.contents()))
        self._rounds[link.box], self._left[link.box] = (audit, now), MOST_BYTES
        return audit

    def _bodies(self, number: Ref, id_: bytes) -> list[bytes]:
        found = self._home.sharing.all_of(number)
        return [item.body for item in found if record_id(item.body[PROOF_BYTES:]) == id_]

    def _is_here(self, number: Ref, frame: bytes) -> bool:
        """With a proof, so that it can be handed on."""
        return any(item.body[PROOF_BYTES:] == frame for item in self._home.sharing.all_of(number))
