"""What boxes say to each other, as plain values. How it is put into bytes is the carrier's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from kiezbox.exchange.holdings import FINGERPRINT_BYTES
from kiezbox.exchange.ranges import Ranges
from kiezbox.records import Ref

__all__ = ["Digest", "Entry", "Give", "Gone", "Item", "Message", "Want"]


class Entry(NamedTuple):
    """What a box says of one origin: it had all from ``floor`` to ``newest`` but the ``holes``, and
    holds nothing outside. Some of these may have gone since: who asks is told (``Gone``). Expired
    ones lie everywhere between the others, and to tell them apart would cost more than to ask.
    """

    origin: str
    floor: int
    newest: int
    holes: Ranges

    @property
    def claimed(self) -> Ranges:
        return Ranges([(self.floor, self.newest)]) - self.holes


@dataclass(frozen=True, slots=True)
class Digest:
    """What a box holds. ``fingerprint`` stands for all of it (``holdings.fingerprint_of``);
    ``entries`` say it of some origins, or of none.
    """

    fingerprint: bytes
    entries: tuple[Entry, ...] = ()

    def __post_init__(self) -> None:
        if len(self.fingerprint) != FINGERPRINT_BYTES:
            raise ValueError(f"a fingerprint of {len(self.fingerprint)} bytes")


@dataclass(frozen=True, slots=True)
class Want:
    """Asks one box, ``of``, for records; all others may hear it, too."""

    of: str
    entries: tuple[tuple[str, Ranges], ...]


@dataclass(frozen=True, slots=True)
class Gone:
    """Who was asked for these does not have them, or no more."""

    entries: tuple[tuple[str, Ranges], ...]


@dataclass(frozen=True, slots=True)
class Item:
    """A record on its way: ``body`` is the carrier's, and nobody here looks into it. ``priority``
    as in ``records.Priority``: 0 is the most urgent.
    """

    number: Ref
    priority: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Give:
    """Records."""

    items: tuple[Item, ...]


Message = Digest | Want | Gone | Give
