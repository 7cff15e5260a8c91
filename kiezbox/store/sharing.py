"""What of the log of words other boxes may have, and what of theirs comes into it.

Between the log, which keeps records, and ``exchange``, which knows their numbers alone. A record is
handed on with the proof of its box (``proofs``), and taken in with one; so a number counts as held
only if it is that box's own record. What is for this box alone never leaves it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress

from kiezbox.exchange import Holdings, Item
from kiezbox.records import KINDS, BadRecord, Priority, Record, Ref, Scope, unpack
from kiezbox.store.log import Log
from kiezbox.store.log_twins import record_id
from kiezbox.store.proofs import PROOF_BYTES, Proofs, is_proven, prove
from kiezbox.trust import Key

__all__ = ["Sharing", "priority_of"]

#: Rows that are read at once.
_AT_ONCE = 500

#: Public keys that may vouch for what a box of this name took in; none: it is no member.
Members = Callable[[str], Sequence[bytes]]


def priority_of(record: Record, issuer: str) -> int:
    """How urgent a record is on its way: what it says, if somebody vouches for it, and else at most
    what its kind is. A board's post that calls itself an alert is a post.
    """
    if issuer:
        return record.priority
    kind = KINDS.get(record.kind)
    usual = Priority.BOARD if kind is None or kind.priority == Priority.OFFICIAL else kind.priority
    return max(record.priority, usual)


class Sharing:
    """Of one box. Used by one thread."""

    def __init__(self, log: Log, proofs: Proofs, key: Key, members: Members) -> None:
        """``key``: the box's own."""
        self._log = log
        self._proofs = proofs
        self._key = key
        self._members = members
        self._seen = 0
        self.holdings = Holdings()
        for ref, id_ in log.gone():
            # What somebody else put under the number is not what it was.
            if ref.origin == log.box or not id_ or proofs.of(id_):
                self.holdings.lose(*ref)
        for _ in self.news():
            pass

    def news(self) -> Iterator[tuple[Ref, int]]:
        """Ref and priority of what has come into the log since the last time, from anybody, and
        may be handed on. It is in ``holdings`` when this gives it.
        """
        while rows := self._log.after(self._seen, _AT_ONCE):
            for number, frame in rows:
                self._seen = number
                with suppress(BadRecord):
                    record = unpack(frame)
                    found = record.ref
                    if found.sequence in self.holdings.had(found.origin):
                        continue
                    if record.scope == Scope.BOX:
                        self.holdings.lose(*found)
                    elif (priority := self._priority(found)) is not None:
                        self.holdings.add(*found)
                        yield found, priority

    def fetch(self, number: Ref) -> Item | None:
        """A record with its proof: 64 bytes, and the frame after them."""
        return next(self.all_of(number), None)

    def all_of(self, number: Ref) -> Iterator[Item]:
        """All that its box has proven to be this number: more than one, if it gave it out twice."""
        for frame, issuer in self._log.frames(number):
            proof = self._proof(number.origin, frame)
            if proof:
                yield Item(number, priority_of(unpack(frame), issuer), proof + frame)

    def _priority(self, number: Ref) -> int | None:
        """Of what ``fetch`` would give, without a signature: there may be many; None: nothing."""
        for frame, issuer in self._log.frames(number):
            if self._is_proven(number, record_id(frame)):
                return priority_of(unpack(frame), issuer)
        return None

    def take(self, items: Iterable[Item]) -> list[tuple[Ref, int]]:
        """Take in what was heard; number and priority of what is here now and was not, durably.
        What is no record, or not proven, is left out: it may come from somebody else as it should.

        Raises:
            StoreError: the card does not take it; all of it may be given again.
        """
        good = [each for item in items if (each := self._checked(item)) is not None]
        self._proofs.keep((frame, proof) for _, frame, proof in good)
        self._log.take([frame for _, frame, _ in good])
        taken = []
        for number, _, _ in good:
            item = self.fetch(number)
            if item is None:
                # It has expired, or was erased here: not again.
                self.holdings.lose(*number)
            elif number.sequence not in self.holdings.had(number.origin):
                self.holdings.add(*number)
                taken.append((number, item.priority))
        return taken

    def sweep(self) -> list[Ref]:
        """What has gone from the log since: it is held no more."""
        here = self._log.ids()
        proven = {tuple(ref) for ref, id_ in here if self._is_proven(ref, id_)}
        gone = [
            Ref(origin, sequence)
            for origin in list(self.holdings.origins())
            for sequence in list(self.holdings.held(origin))
            if (origin, sequence) not in proven
        ]
        for number in gone:
            self.holdings.lose(*number)
        self._proofs.keep_only(id_ for _, id_ in (*here, *self._log.gone()))
        return gone

    def contents(self) -> Iterator[tuple[Ref, bytes]]:
        """Number and id of all that can be had from here, as the log says it, and not as it was
        counted.
        """
        for ref, id_ in self._log.ids():
            is_held = ref.sequence in self.holdings.held(ref.origin)
            if is_held and self._is_proven(ref, id_):
                yield ref, id_

    def _is_proven(self, ref: Ref, id_: bytes) -> bool:
        return ref.origin == self._log.box or bool(self._proofs.of(id_))

    def why_not(self, item: Item) -> str:
        """Why this is not taken in: "damaged", "for its box alone", "no member", "not proven"; or
        "": it is what it says.
        """
        proof, frame = item.body[:PROOF_BYTES], item.body[PROOF_BYTES:]
        try:
            record = unpack(frame)
        except BadRecord:
            return "damaged"
        if record.ref != item.number:
            return "damaged"
        if record.scope == Scope.BOX:
            return "for its box alone"
        keys = self._members(record.origin)
        if not keys:
            return "no member"
        return "" if any(is_proven(frame, proof, public) for public in keys) else "not proven"

    def _checked(self, item: Item) -> tuple[Ref, bytes, bytes] | None:
        if self.why_not(item):
            return None
        return item.number, item.body[PROOF_BYTES:], item.body[:PROOF_BYTES]

    def _proof(self, origin: str, frame: bytes) -> bytes:
        if origin == self._log.box:
            return prove(frame, self._key)
        return self._proofs.of(record_id(frame))
