"""What boxes say to each other over IP: canonical CBOR, one array a frame.

::

    [0]                                                nothing, but that this box is there
    [1, fingerprint, [[origin, floor, newest, [first, last, …]], …]]     Digest; the ranges: holes
    [2, of, [[origin, [first, last, …]], …]]                             Want
    [3, [[origin, [first, last, …]], …]]                                 Gone
    [4, [[origin, sequence, priority, body], …]]                         Give
    [5, root]                                                            audit: Root
    [6, [[origin, hash], …]]                                             audit: Origins
    [7, origin, [[block, hash], …]]                                      audit: Blocks
    [8, origin, block, is_answer, [[sequence, id], …]]                   audit: Ids
    [9, origin, block, [body, …]]                                        audit: Heal

Whatever has another number is passed over: a newer box may say it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kiezbox.errors import KiezboxError
from kiezbox.exchange import Digest, Entry, Give, Gone, Item, Message, Ranges, Want
from kiezbox.exchange.audit import AuditMessage, Blocks, Heal, Ids, Origins, Root
from kiezbox.exchange.holdings import FINGERPRINT_BYTES, MOST_NUMBER
from kiezbox.records import MOST_FRAME, BadRecord, Ref
from kiezbox.records.record import decoded, encoded, is_origin
from kiezbox.store.proofs import PROOF_BYTES

__all__ = ["ALIVE", "BadMessage", "pack", "size_of", "unpack"]

ALIVE = encoded([0])

#: What is taken of one message.
_MOST_ENTRIES = 2048
_MOST_PAIRS = 64
_MOST_ITEMS = 1024


class BadMessage(KiezboxError, ValueError):
    """Bytes that are no message."""


def size_of(message: Message) -> int:
    """At most so many bytes."""
    if isinstance(message, Digest):
        return 32 + sum(64 + 12 * entry.holes.count for entry in message.entries)
    if isinstance(message, Give):
        return 16 + sum(64 + len(item.body) for item in message.items)
    return 64 + sum(48 + 12 * numbers.count for _, numbers in message.entries)


def pack(message: Message | AuditMessage) -> bytes:
    return encoded(_array(message))


def _array(message: Message | AuditMessage) -> list[Any]:
    match message:
        case Digest():
            entries = [[e.origin, e.floor, e.newest, _flat(e.holes)] for e in message.entries]
            return [1, message.fingerprint, entries]
        case Want():
            return [2, message.of, [[o, _flat(n)] for o, n in message.entries]]
        case Gone():
            return [3, [[o, _flat(n)] for o, n in message.entries]]
        case Give():
            return [4, [[*item.number, item.priority, item.body] for item in message.items]]
        case Root():
            return [5, message.hash]
        case Origins():
            return [6, [list(each) for each in message.hashes]]
        case Blocks():
            return [7, message.origin, [list(each) for each in message.hashes]]
        case Ids():
            ids = [list(each) for each in message.ids]
            return [8, message.origin, message.block, int(message.is_answer), ids]
        case Heal():
            return [9, message.origin, message.block, list(message.bodies)]


def unpack(data: bytes) -> Message | AuditMessage | None:
    """The message; None: nothing, or something of a newer box.

    Raises:
        BadMessage
    """
    try:
        said = decoded(data)
        if type(said) is not list or not said or type(said[0]) is not int:
            raise BadMessage("no message")
        read = _READERS.get(said[0])
        return read(*said[1:]) if read else None
    except (BadRecord, TypeError, ValueError, AttributeError) as error:
        raise BadMessage(f"no message: {error}") from error


def _digest(fingerprint: Any, entries: Any) -> Digest:
    _need(_is_bytes(fingerprint, FINGERPRINT_BYTES))
    found = []
    for origin, floor, newest, holes in _list(entries, _MOST_ENTRIES):
        _need(is_origin(origin) and _is_number(floor) and _is_number(newest) and floor <= newest)
        found.append(Entry(origin, floor, newest, _ranges(holes)))
    return Digest(fingerprint, tuple(found))


def _want(of: Any, entries: Any) -> Want:
    _need(is_origin(of))
    return Want(of, _entries(entries))


def _gone(entries: Any) -> Gone:
    return Gone(_entries(entries))


def _give(items: Any) -> Give:
    found = []
    for origin, sequence, priority, body in _list(items, _MOST_ITEMS):
        _need(is_origin(origin) and _is_number(sequence) and _is_body(body))
        _need(type(priority) is int and 0 <= priority <= 6)
        found.append(Item(Ref(origin, sequence), priority, body))
    return Give(tuple(found))


def _root(hash_: Any) -> Root:
    _need(_is_bytes(hash_, 16))
    return Root(hash_)


def _origins(hashes: Any) -> Origins:
    found = []
    for origin, hash_ in _list(hashes, _MOST_ENTRIES):
        _need(is_origin(origin) and _is_bytes(hash_, 16))
        found.append((origin, hash_))
    return Origins(tuple(found))


def _blocks(origin: Any, hashes: Any) -> Blocks:
    _need(is_origin(origin))
    found = []
    for block, hash_ in _list(hashes, _MOST_ENTRIES):
        _need(_is_block(block) and _is_bytes(hash_, 16))
        found.append((block, hash_))
    return Blocks(origin, tuple(found))


def _ids(origin: Any, block: Any, is_answer: Any, ids: Any) -> Ids:
    _need(is_origin(origin) and _is_block(block) and is_answer in (0, 1))
    found = []
    for sequence, id_ in _list(ids, _MOST_ENTRIES):
        _need(_is_number(sequence) and _is_bytes(id_, 16))
        found.append((sequence, id_))
    return Ids(origin, block, bool(is_answer), tuple(found))


def _heal(origin: Any, block: Any, bodies: Any) -> Heal:
    _need(is_origin(origin) and _is_block(block))
    found = _list(bodies, _MOST_ITEMS)
    _need(all(map(_is_body, found)))
    return Heal(origin, block, tuple(found))


_READERS: dict[int, Callable[..., Message | AuditMessage]] = {
    1: _digest, 2: _want, 3: _gone, 4: _give, 5: _root, 6: _origins, 7: _blocks, 8: _ids, 9: _heal,
}  # fmt: skip


def _need(is_so: bool) -> None:
    if not is_so:
        raise BadMessage("a value out of range")


def _list(value: Any, most: int) -> list[Any]:
    _need(type(value) is list and len(value) <= most)
    return list(value)


def _is_bytes(value: Any, size: int) -> bool:
    return type(value) is bytes and len(value) == size


def _is_body(value: Any) -> bool:
    return type(value) is bytes and PROOF_BYTES < len(value) <= PROOF_BYTES + MOST_FRAME


def _is_number(value: Any) -> bool:
    return type(value) is int and 1 <= value <= MOST_NUMBER


def _is_block(value: Any) -> bool:
    return type(value) is int and 0 <= value <= MOST_NUMBER >> 6


def _entries(entries: Any) -> tuple[tuple[str, Ranges], ...]:
    found = []
    for origin, numbers in _list(entries, _MOST_ENTRIES):
        _need(is_origin(origin))
        found.append((origin, _ranges(numbers)))
    return tuple(found)


def _flat(ranges: Ranges) -> list[int]:
    return [each for pair in ranges.pairs() for each in pair]


def _ranges(flat: Any) -> Ranges:
    numbers = _list(flat, 2 * _MOST_PAIRS)
    _need(len(numbers) % 2 == 0 and all(map(_is_number, numbers)))
    _need(numbers == sorted(numbers))
    return Ranges(zip(numbers[::2], numbers[1::2], strict=True))
