"""The log in a file, to be carried from box to box.

One version byte (1), then a sequence of canonical CBOR (RFC 8949, 8742):

- an array of "kiezbox sync", the box that wrote it, and Unix seconds;
- for each record an array of its box's proof (64 bytes) and its frame (docs/records.md);
- an array of "end" and how many records there were.

Every record proves itself, so nothing else in the file is believed. A file that was cut, or whose
stick has a hole, gives what is whole: reading goes on at the next record, which always begins with
the three bytes ``82 58 40``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import IO

from kiezbox.errors import KiezboxError
from kiezbox.exchange import Item
from kiezbox.records import MOST_FRAME, BadRecord, Ref, Scope, unpack
from kiezbox.records.record import decoded, encoded, is_origin
from kiezbox.store.log import Log
from kiezbox.store.proofs import PROOF_BYTES
from kiezbox.store.sharing import Sharing

__all__ = ["BadFile", "Brought", "Stick", "bring", "items_of", "write"]

VERSION = 1
_NAME = "kiezbox sync"

#: How a record begins: an array of two, and a byte string of 64.
_MARK = b"\x82\x58\x40"
_END = b"\x82\x63end"

#: Longest record here, and what is read at once.
_MOST = len(_MARK) + PROOF_BYTES + 3 + MOST_FRAME
_AT_ONCE = 1 << 16

#: Longest beginning and end: a box's name has 31 letters.
_MOST_HEAD = 64

#: Records that are taken in with one transaction.
_TOGETHER = 100


class BadFile(KiezboxError, ValueError):
    """It is not what ``kiezbox sync export`` writes."""


def items_of(sharing: Sharing) -> Iterator[Item]:
    """All that this box may hand on, the oldest of each box first."""
    holdings = sharing.holdings
    for origin in sorted(holdings.origins()):
        for sequence in list(holdings.held(origin)):
            item = sharing.fetch(Ref(origin, sequence))
            if item is not None:
                yield item


def write(out: IO[bytes], box: str, now: float, items: Iterable[Item]) -> Iterator[int]:
    """Write the file; how many records are in it by now, after each."""
    out.write(bytes([VERSION]) + encoded([_NAME, box, int(now)]))
    count = 0
    for item in items:
        proof, frame = item.body[:PROOF_BYTES], item.body[PROOF_BYTES:]
        out.write(encoded([proof, frame]))
        count += 1
        yield count
    out.write(encoded(["end", count]))


class Stick:
    """A file that may be anybody's. Iterate once; what it says of itself is known then."""

    def __init__(self, file: IO[bytes]) -> None:
        """
        Raises:
            BadFile: it does not begin as such a file does.
            OSError: it cannot be read.
        """
        self._file = file
        self._buffer = bytearray(file.read(_AT_ONCE))
        self._is_at_end = False
        #: Bytes that are behind us; whether the file's end is there; holes in it.
        self.read_bytes, self.is_ended, self.holes = 0, False, 0
        self._is_lost = False
        if self._buffer[:1] not in (b"", bytes([VERSION])) and self._buffer[1:].startswith(
            encoded([_NAME, "", 0])[:14]
        ):
            raise BadFile(
                f"a file of version {self._buffer[0]}",
                hint="A newer Kiezbox wrote it; update this one.",
            )
        head = _array(bytes(self._buffer[1 : _MOST_HEAD + 1])) if len(self._buffer) > 1 else None
        if (
            self._buffer[:1] != bytes([VERSION])
            or head is None
            or len(head[0]) != 3
            or head[0][0] != _NAME
            # It goes to a terminal.
            or not is_origin(head[0][1])
        ):
            raise BadFile(
                "this is no file of `kiezbox sync export`",
                hint="It begins with a 1 and the words kiezbox sync.",
            )
        (_, self.box, self.at), size = head
        self._drop(1 + size)

    def __iter__(self) -> Iterator[bytes]:
        """Proof and frame of each record that is whole, unjudged."""
        while self._fill():
            size = _size_of(self._buffer)
            if size:
                self._found()
                head = len(_MARK) + PROOF_BYTES
                frame = self._buffer[head + _head_bytes(self._buffer[head]) : size]
                yield bytes(self._buffer[len(_MARK) : head]) + bytes(frame)
                self._drop(size)
            elif self._buffer.startswith(_END) and self._is_at_end and self._is_the_end():
                self._found()
                self.is_ended = True
                return
            else:
                self._skip()

    def _found(self) -> None:
        """After a hole, or not."""
        self.holes += self._is_lost
        self._is_lost = False

    def _is_the_end(self) -> bool:
        found = _array(bytes(self._buffer))
        return found is not None and found[1] == len(self._buffer)

    @property
    def is_whole(self) -> bool:
        return self.is_ended and not self.holes

    def _skip(self) -> None:
        """To where the next record may begin."""
        self._is_lost = True
        at = self._buffer.find(_MARK, 1)
        end = self._buffer.find(_END, 1)
        found = [each for each in (at, end) if each > 0]
        self._drop(min(found) if found else max(1, len(self._buffer) - len(_END)))

    def _fill(self) -> bool:
        """Have a whole record in the buffer, if there is one more."""
        while len(self._buffer) < _MOST and not self._is_at_end:
            more = self._file.read(_AT_ONCE)
            self._is_at_end = not more
            self._buffer += more
        return bool(self._buffer)

    def _drop(self, size: int) -> None:
        del self._buffer[:size]
        self.read_bytes += size


def _head_bytes(first: int) -> int:
    """Of a byte string's head: the first byte, and its length's."""
    return {0x58: 2, 0x59: 3}.get(first, 1)


def _size_of(buffer: bytearray) -> int:
    """Of the record that begins here; 0: none does, or not all of it is there."""
    at = len(_MARK) + PROOF_BYTES
    if len(buffer) <= at or not buffer.startswith(_MARK):
        return 0
    first = buffer[at]
    extra = _head_bytes(first) - 1
    if first >> 5 != 2 or (not extra and first & 31 > 23) or len(buffer) < at + 1 + extra:
        return 0
    length = int.from_bytes(buffer[at + 1 : at + 1 + extra], "big") if extra else first & 31
    size = at + 1 + extra + length
    return size if length <= MOST_FRAME and size <= len(buffer) else 0


def _array(data: bytes) -> tuple[list[object], int] | None:
    """The small array that begins here, and its bytes; None: there is none of ours."""
    for size in range(5, min(len(data), _MOST_HEAD) + 1):
        try:
            found = decoded(data[:size])
        except BadRecord:
            continue
        kinds = [type(each) for each in found] if type(found) is list else []
        if kinds in ([str, int], [str, str, int]):
            return found, size
        return None
    return None


@dataclass
class Brought:
    """What came of a file. ``refused``: why → how many."""

    new: int = 0
    known: int = 0
    refused: Counter[str] = field(default_factory=Counter)


def bring(
    stick: Stick, sharing: Sharing, log: Log, said: Callable[[Brought], None] = lambda done: None
) -> Brought:
    """Take in what is in the file, a hundred records at a time, each hundred durably.

    Raises:
        StoreError: the card does not take it; the file may be brought again.
        OSError: the file cannot be read.
    """
    done, waiting = Brought(), dict[bytes, Item]()
    for body in stick:
        frame = body[PROOF_BYTES:]
        try:
            record = unpack(frame)
        except BadRecord:
            done.refused["damaged"] += 1
            continue
        if record.scope != Scope.BOX and _is_here(log, record.ref, frame, sharing):
            done.known += 1
        else:
            item = Item(record.ref, record.priority, body)
            if why := sharing.why_not(item):
                done.refused[why] += 1
            elif frame in waiting:
                done.known += 1
            else:
                waiting[frame] = item
        if len(waiting) >= _TOGETHER:
            _take(waiting, sharing, log, done)
        said(done)
    _take(waiting, sharing, log, done)
    return done


def _is_here(log: Log, number: Ref, frame: bytes, sharing: Sharing) -> bool:
    is_held = number.sequence in sharing.holdings.held(number.origin)
    return is_held and any(frame == other for other, _ in log.frames(number))


def _take(waiting: dict[bytes, Item], sharing: Sharing, log: Log, done: Brought) -> None:
    sharing.take(waiting.values())
    for frame, item in waiting.items():
        if any(frame == other for other, _ in log.frames(item.number)):
            done.new += 1
        else:
            done.refused["expired, or erased here"] += 1
    waiting.clear()
