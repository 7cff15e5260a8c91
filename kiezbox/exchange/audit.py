"""Whether two boxes hold the same bytes under the same numbers; and how they come to it again.

The fingerprint that boxes say all the time is over numbers. It does not see a record that a card
has forgotten after it was counted, nor two records of one number (a box that was given an old
backup gives out its numbers again). So now and then two boxes compare what is in the records: one
hash over all (``Root``), where that differs one for each origin (``Origins``), then one for each 64
numbers of an origin (``Blocks``), and at last every record's id (``Ids``). Each gives what the
other lacks (``Heal``). Where all is well it costs 16 bytes.

Nothing here looks into a record: an id is 16 bytes that name its bytes. One who lies is given what
he says to lack, a few blocks at a time, and gives what has to prove itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b

from kiezbox.records import Ref

__all__ = [
    "BLOCK", "MOST_BLOCKS", "MOST_ORIGINS", "AuditMessage", "Blocks", "Contents", "Heal", "Ids",
    "Origins", "Root", "Round",
]  # fmt: skip

#: Numbers of a block.
BLOCK = 64

#: Said in one message; the rest comes another time, when these are equal.
MOST_ORIGINS = 1024
MOST_BLOCKS = 1024

#: Looked into in one round.
MOST_ORIGINS_AT_ONCE = 16
MOST_BLOCKS_AT_ONCE = 32

#: Records of one block that are told: several may have one number.
MOST_IDS = 512


@dataclass(frozen=True, slots=True)
class Root:
    """Of all that is here."""

    hash: bytes


@dataclass(frozen=True, slots=True)
class Origins:
    """Of each origin."""

    hashes: tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class Blocks:
    """Of each block of an origin: block n has the numbers from 64 n to 64 n + 63."""

    origin: str
    hashes: tuple[tuple[int, bytes], ...]


@dataclass(frozen=True, slots=True)
class Ids:
    """All records of a block. ``is_answer``: the other one's are known, and need not be said."""

    origin: str
    block: int
    is_answer: bool
    ids: tuple[tuple[int, bytes], ...]


@dataclass(frozen=True, slots=True)
class Heal:
    """What the other one lacks of a block; ``bodies`` are the carrier's."""

    origin: str
    block: int
    bodies: tuple[bytes, ...]


AuditMessage = Root | Origins | Blocks | Ids | Heal


class Contents:
    """What one box holds, at one moment."""

    def __init__(self, ids: Iterable[tuple[Ref, bytes]]) -> None:
        """``ids``: number and id of each record."""
        self._blocks: dict[str, dict[int, set[tuple[int, bytes]]]] = {}
        for (origin, sequence), id_ in ids:
            blocks = self._blocks.setdefault(origin, {})
            blocks.setdefault(sequence // BLOCK, set()).add((sequence, id_))
        self._hashes: dict[str, dict[int, bytes]] = {
            origin: {block: _hash(_bytes_of(ids)) for block, ids in blocks.items()}
            for origin, blocks in self._blocks.items()
        }

    def ids(self, origin: str, block: int) -> set[tuple[int, bytes]]:
        return self._blocks.get(origin, {}).get(block, set())

    def blocks(self, origin: str) -> Mapping[int, bytes]:
        return self._hashes.get(origin, {})

    def origins(self) -> dict[str, bytes]:
        return {
            origin: _hash(*(n.to_bytes(8, "big") + blocks[n] for n in sorted(blocks)))
            for origin, blocks in sorted(self._hashes.items())
        }

    @property
    def root(self) -> bytes:
        return _hash(*(o.encode() + b"\0" + found for o, found in self.origins().items()))


def _bytes_of(ids: Iterable[tuple[int, bytes]]) -> bytes:
    return b"".join(sequence.to_bytes(8, "big") + id_ for sequence, id_ in sorted(ids))


def _hash(*parts: bytes) -> bytes:
    return blake2b(b"".join(parts), digest_size=16, person=b"kb audit").digest()


class Round:
    """One box's part of one comparison with one other. Either may begin; it ends when nobody has
    anything to say. Bounded by what may be looked into in one round, whatever is heard.
    """

    def __init__(self, contents: Contents) -> None:
        self.contents = contents
        self._origins_left = MOST_ORIGINS_AT_ONCE
        self._blocks_left = MOST_BLOCKS_AT_ONCE
        self._is_root_answered = self._are_origins_answered = False
        #: Blocks whose records were told, so that the other one may give what lacks there.
        self.open: set[tuple[str, int]] = set()

    def begin(self) -> Root:
        return Root(self.contents.root)

    def heard(
        self, message: AuditMessage
    ) -> tuple[list[AuditMessage], list[tuple[str, int, tuple[Ref, bytes]]]]:
        """What to say; and which records (block, number, id) to give to the other one."""
        if isinstance(message, Root):
            return self._heard_root(message), []
        if isinstance(message, Origins):
            return self._heard_origins(message), []
        if isinstance(message, Blocks):
            return self._heard_blocks(message), []
        if isinstance(message, Ids):
            return self._heard_ids(message)
        return [], []

    def _heard_root(self, message: Root) -> list[AuditMessage]:
        if message.hash == self.contents.root or self._is_root_answered:
            return []
        self._is_root_answered = True
        return [Origins(tuple(self.contents.origins().items())[:MOST_ORIGINS])]

    def _heard_origins(self, message: Origins) -> list[AuditMessage]:
        if self._are_origins_answered:
            return []
        self._are_origins_answered = True
        mine, theirs = self.contents.origins(), dict(message.hashes)
        # An origin that is not in a full list may be one that did not go into it.
        known = set(theirs) if len(theirs) >= MOST_ORIGINS else set(theirs) | set(mine)
        said: list[AuditMessage] = []
        for origin in sorted(known):
            if mine.get(origin) != theirs.get(origin) and self._origins_left:
                self._origins_left -= 1
                hashes = sorted(self.contents.blocks(origin).items())[-MOST_BLOCKS:]
                said.append(Blocks(origin, tuple(hashes)))
        return said

    def _heard_blocks(self, message: Blocks) -> list[AuditMessage]:
        mine, theirs = self.contents.blocks(message.origin), dict(message.hashes)
        least = min(theirs) if len(theirs) >= MOST_BLOCKS else 0
        differing = [
            block
            for block in sorted(set(mine) | set(theirs), reverse=True)
            if block >= least and mine.get(block) != theirs.get(block)
        ]
        return [
            self._say(message.origin, block, is_answer=False)
            for block in differing
            if self._take_block(message.origin, block)
        ]

    def _heard_ids(
        self, message: Ids
    ) -> tuple[list[AuditMessage], list[tuple[str, int, tuple[Ref, bytes]]]]:
        origin, block = message.origin, message.block
        mine, theirs = self.contents.ids(origin, block), set(message.ids)
        if message.is_answer:
            if (origin, block) not in self.open:
                return [], []
        elif not self._take_block(origin, block):
            return [], []
        lacking = [(origin, block, (Ref(origin, n), id_)) for n, id_ in sorted(mine - theirs)]
        said: list[AuditMessage] = []
        if not message.is_answer and theirs - mine:
            said.append(self._say(origin, block, is_answer=True))
        return said, lacking

    def _take_block(self, origin: str, block: int) -> bool:
        if (origin, block) in self.open or not self._blocks_left:
            return False
        self._blocks_left -= 1
        self.open.add((origin, block))
        return True

    def _say(self, origin: str, block: int, *, is_answer: bool) -> Ids:
        ids = sorted(self.contents.ids(origin, block))[:MOST_IDS]
        return Ids(origin, block, is_answer, tuple(ids))
