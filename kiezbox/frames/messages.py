"""Digest, want and gone as frames: what boxes say to each other of what they hold.

All three begin alike, and end in a seal (``header``):

=======  =====================================================================
bytes    meaning
=======  =====================================================================
0        version and kind
1-4      who says so: origin id (``origins``)
=======  =====================================================================

A **digest** goes on with the fingerprint (six bytes, ``exchange.fingerprint_of``), then in bits, as
many entries as there are: origin id (32), newest number (gamma), newest minus floor (gamma), count
of holes (gamma), and for each hole, upwards: how far its first number is above the floor or above
the last number of the hole before (gamma, less one), and how many numbers it has (gamma, less one).

A **want** goes on with whom it asks (origin id, 32 bits); a **gone** does not. Then entries: origin
id (32), count of ranges (gamma, less one), and for each range, upwards: how far its first number
is above 0 or above the last of the range before (gamma, less one), and how many it has (gamma, less
one). An entry more is there as long as more than 32 bits are left.

"gamma" is ``bits.BitWriter.gamma``. Who an origin id is, the carrier knows from who belongs to the
Kiez; entries of others are passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from kiezbox.exchange import Digest, Entry, Gone, Ranges, Want
from kiezbox.exchange.holdings import FINGERPRINT_BYTES, MOST_NUMBER
from kiezbox.frames.bits import BitReader, BitWriter
from kiezbox.frames.header import BadFrame, Kind, first_byte, kind_of, sealed, unsealed
from kiezbox.frames.origins import ORIGIN_BYTES, origin_id

__all__ = ["Named", "pack_message", "unpack_message"]

#: Origin id → the one box of the Kiez that has it; None: none, or several.
Named = Callable[[bytes], str | None]

#: Entries of a frame and ranges of an entry that are read. More fit into no frame.
_MOST_ENTRIES = 64
_MOST_RANGES = 128

_ID_BITS = 8 * ORIGIN_BYTES


def pack_message(message: Digest | Want | Gone, sender: str, key: bytes) -> bytes:
    """A sealed frame; ``sender``: who says so, ``key``: the Kiez's.

    Raises:
        ValueError: numbers that no record has.
    """
    bits = BitWriter()
    bits.put_bytes(origin_id(sender))
    if isinstance(message, Digest):
        kind = Kind.DIGEST
        bits.put_bytes(message.fingerprint)
        for entry in message.entries:
            _put_entry(bits, entry)
    else:
        kind = Kind.WANT if isinstance(message, Want) else Kind.GONE
        if isinstance(message, Want):
            bits.put_bytes(origin_id(message.of))
        for origin, numbers in message.entries:
            bits.put_bytes(origin_id(origin))
            bits.gamma(numbers.count - 1)
            _put_ranges(bits, numbers, 0)
    return sealed(first_byte(kind) + bits.getvalue(), key)


def unpack_message(frame: bytes, key: bytes, named: Named) -> tuple[str, Digest | Want | Gone]:
    """Who says what.

    Raises:
        BadFrame: not sealed by this Kiez, from nobody of it, or not whole.
    """
    kind = kind_of(frame)
    bits = BitReader(unsealed(frame, key)[1:])
    sender = named(bits.take_bytes(ORIGIN_BYTES))
    if sender is None:
        raise BadFrame("a frame of a box that is not of this Kiez")
    if kind == Kind.DIGEST:
        fingerprint = bits.take_bytes(FINGERPRINT_BYTES)
        found = [_take_entry(bits, named) for _ in _entries(bits)]
        return sender, Digest(fingerprint, tuple(entry for entry in found if entry))
    if kind == Kind.WANT:
        asked = named(bits.take_bytes(ORIGIN_BYTES))
        # "" is nobody: others may hear what is asked for all the same.
        return sender, Want(asked or "", _take_wanted(bits, named))
    if kind == Kind.GONE:
        return sender, Gone(_take_wanted(bits, named))
    raise BadFrame(f"a frame of kind {kind.name} where boxes talk of what they hold")


def _entries(bits: BitReader) -> Iterable[int]:
    """As many turns as there are entries."""
    for turn in range(_MOST_ENTRIES):
        if bits.left < _ID_BITS:
            break
        yield turn
    bits.end()


def _put_entry(bits: BitWriter, entry: Entry) -> None:
    bits.put_bytes(origin_id(entry.origin))
    bits.gamma(entry.newest)
    bits.gamma(entry.newest - entry.floor)
    bits.gamma(entry.holes.count)
    _put_ranges(bits, entry.holes, entry.floor - 1)


def _take_entry(bits: BitReader, named: Named) -> Entry | None:
    origin = named(bits.take_bytes(ORIGIN_BYTES))
    newest = bits.gamma()
    floor = newest - bits.gamma()
    holes = _take_ranges(bits, bits.gamma(), floor - 1)
    if not (1 <= floor <= newest <= MOST_NUMBER and holes.newest <= newest):
        raise BadFrame("a digest of numbers that no record has")
    return Entry(origin, floor, newest, holes) if origin else None


def _take_wanted(bits: BitReader, named: Named) -> tuple[tuple[str, Ranges], ...]:
    found: dict[str, Ranges] = {}
    for _ in _entries(bits):
        origin = named(bits.take_bytes(ORIGIN_BYTES))
        numbers = _take_ranges(bits, bits.gamma() + 1, 0)
        if origin:
            found[origin] = found.get(origin, Ranges()) | numbers
    return tuple(found.items())


def _put_ranges(bits: BitWriter, numbers: Ranges, above: int) -> None:
    for first, last in numbers.pairs():
        bits.gamma(first - above - 1)
        bits.gamma(last - first)
        above = last


def _take_ranges(bits: BitReader, count: int, above: int) -> Ranges:
    if count > _MOST_RANGES:
        raise BadFrame(f"{count} ranges in one frame")
    numbers = Ranges()
    for _ in range(count):
        first = above + 1 + bits.gamma()
        above = first + bits.gamma()
        if above > MOST_NUMBER:
            raise BadFrame("a number that no record has")
        numbers.add(first, above)
    return numbers
