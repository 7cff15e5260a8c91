"""What a box holds of every box's records, by their numbers; and what it had, which nobody brings
back once it has expired and been erased.
"""

from __future__ import annotations

from collections import OrderedDict
from hashlib import blake2b

from kiezbox.exchange.ranges import Ranges

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kiezbox.records import Ref

__all__ = [
    "FINGERPRINT_BYTES", "MOST_NUMBER", "MOST_ORIGINS", "MOST_RANGES", "Holdings", "fingerprint_of"
]  # fmt: skip

#: Boxes that are remembered at once. The one that was silent for longest makes room.
MOST_ORIGINS = 4096

#: Ranges of one box. Who lost more than every second record of so many forgets the oldest of them,
#: and gets these once more.
MOST_RANGES = 256

#: Nobody has so many records; a number above is a lie.
MOST_NUMBER = 1 << 39

FINGERPRINT_BYTES = 6

_MODULUS = 1 << 8 * FINGERPRINT_BYTES
_NONE = Ranges()


class Holdings:
    """Of one box, for all its bearers. What it gives is not to be changed by whoever asked."""

    def __init__(self) -> None:
        #: Origin → all that were ever here; the origin that changed last at the end.
        self._had: OrderedDict[str, Ranges] = OrderedDict()
        self._held: dict[str, Ranges] = {}
        self._sum = 0
        #: Another one after every change.
        self.version = 0

    def add(self, origin: str, sequence: int) -> None:
        """This record is here and can be had. What had gone does not come back by this."""
        if sequence not in self.had(origin):
            self._note(origin, sequence)
            self._held[origin].add(sequence)
            self._sum += _hash_of(origin, sequence)

    def lose(self, origin: str, sequence: int) -> None:
        """It expired, was erased, or is for this box alone: nobody can have it from here."""
        is_held = sequence in self.held(origin)
        self._note(origin, sequence)
        if is_held:
            self._held[origin] -= Ranges([(sequence, sequence)])
            self._sum -= _hash_of(origin, sequence)

    def had(self, origin: str) -> Ranges:
        return self._had.get(origin, _NONE)

    def held(self, origin: str) -> Ranges:
        return self._held.get(origin, _NONE)

    def origins(self) -> Iterator[str]:
        """Of whom anything can be had; the one with the latest news first."""
        return (origin for origin in reversed(self._had) if self._held[origin])

    @property
    def fingerprint(self) -> bytes:
        """Of all that is held (``fingerprint_of``), kept up to date."""
        return (self._sum % _MODULUS).to_bytes(FINGERPRINT_BYTES, "big")

    def _note(self, origin: str, sequence: int) -> None:
        if not 1 <= sequence <= MOST_NUMBER:
            raise ValueError(f"no record has the number {sequence}")
        if origin not in self._had:
            if len(self._had) >= MOST_ORIGINS:
                self._forget(next(iter(self._had)))
            self._had[origin], self._held[origin] = Ranges(), Ranges()
        self._had[origin].add(sequence)
        self._had.move_to_end(origin)
        if self._had[origin].count > MOST_RANGES:
            kept = self._had[origin] = self._had[origin].last_ranges(MOST_RANGES)
            self._sum -= sum(_hash_of(origin, each) for each in self._held[origin] - kept)
            self._held[origin] &= kept
        self.version += 1

    def _forget(self, origin: str) -> None:
        self._sum -= sum(_hash_of(origin, each) for each in self._held.pop(origin))
        del self._had[origin]


def fingerprint_of(numbers: Iterable[Ref]) -> bytes:
    """Equal for boxes that hold the same, whatever way it came to them: the sum, modulo 2^48, of
    BLAKE2b-48 (personalised "kb holdings") over each record's origin in UTF-8, a zero byte, and its
    number as six bytes, big-endian. A sum (AdHash), so that a change costs one hash.
    """
    total = sum(_hash_of(origin, sequence) for origin, sequence in numbers)
    return (total % _MODULUS).to_bytes(FINGERPRINT_BYTES, "big")


def _hash_of(origin: str, sequence: int) -> int:
    said = origin.encode() + b"\0" + sequence.to_bytes(6, "big")
    found = blake2b(said, digest_size=FINGERPRINT_BYTES, person=b"kb holdings").digest()
    return int.from_bytes(found, "big")
