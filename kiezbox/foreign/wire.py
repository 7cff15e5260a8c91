"""Protocol Buffers on the wire, as far as Kiezbox 2.0 and Meshtastic's stream need them.

A message is a row of fields; each begins with a tag, ``number << 3 | type``:

====  ================  =====================================================
type  name              what follows
====  ================  =====================================================
0     VARINT            seven bits a byte, lowest first; the top bit says "more"
1     FIXED64           eight bytes, lowest first
2     LENGTH            a length (varint), and so many bytes
5     FIXED32           four bytes, lowest first
====  ================  =====================================================

Types 3 and 4 (groups) are long obsolete, 6 and 7 never were: all four are refused. Work and memory
are bounded by the length of what is read, and that by ``MOST_BYTES``.

Source: protobuf.dev, "Encoding". The package ``protobuf`` takes 3.6 MiB of a box, so it is only the
judge of this module, in the tests.
"""

from __future__ import annotations

from typing import NamedTuple

from kiezbox.frames import BadFrame

__all__ = [
    "FIXED32", "FIXED64", "LENGTH", "MOST_BYTES", "VARINT", "BadMessage", "Field", "boolean",
    "fields", "put_bytes", "put_varint", "signed32", "signed64",
]  # fmt: skip

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5

#: Meshtastic's stream carries no longer frame (its limit is 512 bytes), and its radio none of half
#: that length.
MOST_BYTES = 512

#: A varint holds 64 bits; a tag is a varint of 32.
_MOST_VARINT_BYTES = 10
_MOST_TAG = (1 << 32) - 1


class BadMessage(BadFrame):
    """Bytes that are no message at all. To be counted and dropped."""


class Field(NamedTuple):
    """``value``: bytes for LENGTH; an unsigned number of up to 64 bits for all others."""

    number: int
    type: int
    value: int | bytes


def fields(data: bytes) -> list[Field]:
    """All fields of a message in their order, known or not.

    >>> fields(bytes.fromhex("2a040a001002"))
    [Field(number=5, type=2, value=b'\\n\\x00\\x10\\x02')]

    Raises:
        BadMessage: cut short, too long, or no protocol buffer.
    """
    if len(data) > MOST_BYTES:
        raise BadMessage(f"{len(data)} bytes, more than a radio can carry")
    found, at = [], 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, kind = tag >> 3, tag & 7
        if tag > _MOST_TAG or number == 0:
            raise BadMessage(f"no field can have the tag {tag}")
        value: int | bytes
        if kind == VARINT:
            value, at = _varint(data, at)
        elif kind in (LENGTH, FIXED32, FIXED64):
            size = {FIXED32: 4, FIXED64: 8}.get(kind, 0)
            if kind == LENGTH:
                size, at = _varint(data, at)
            taken = data[at : at + size]
            if len(taken) != size:
                raise BadMessage(f"field {number} was cut short")
            at += size
            value = taken if kind == LENGTH else int.from_bytes(taken, "little")
        else:
            raise BadMessage(f"field {number} is of type {kind}, which nobody uses")
        found.append(Field(number, kind, value))
    return found


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """The number that begins at ``at``, and where the next thing begins."""
    value = 0
    for index in range(_MOST_VARINT_BYTES):
        if at + index >= len(data):
            raise BadMessage("a number that was cut short")
        byte = data[at + index]
        value |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return value & (1 << 64) - 1, at + index + 1
    raise BadMessage("a number without an end")


def signed32(value: int) -> int:
    """An int32, whatever it came as: only the lower 32 bits count (protobuf.dev, "Signed integers";
    "Updating a message type").

    >>> signed32(0xFFFFFFFFFFFFF34E)
    -3250
    """
    value &= (1 << 32) - 1
    return value - (1 << 32) if value >> 31 else value


def signed64(value: int) -> int:
    """An int64."""
    return value - (1 << 64) if value >> 63 else value


def boolean(value: int) -> bool:
    """A bool: anything but zero."""
    return value != 0


def put_varint(number: int, value: int) -> bytes:
    """A field of type 0; a negative number takes ten bytes."""
    return _bytes_of(number << 3 | VARINT) + _bytes_of(value & (1 << 64) - 1)


def put_bytes(number: int, value: bytes) -> bytes:
    """A field of type 2: bytes, a text in UTF-8, or a message.

    >>> put_bytes(1, put_varint(1, 1) + put_varint(2, 113)).hex()
    '0a0408011071'
    """
    return _bytes_of(number << 3 | LENGTH) + _bytes_of(len(value)) + value


def _bytes_of(value: int) -> bytes:
    parts = bytearray()
    while value >= 0x80:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)
