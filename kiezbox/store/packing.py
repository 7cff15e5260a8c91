"""How readings and small changes lie in a journal frame: packed, so that a minute fits a sector.

A payload is a run of entries:

``1``  readings: count, first serial, first wall and monotonic time, then 21 bytes per reading
       (serials rise by one, times are offsets), then the raw values and reasons of those
       that have them;
``2``  one change (a cursor, a kept document, …): JSON ``[name, parameters]``; what a name does
       to the tables stands in ``changes.CHANGES``.

All numbers are little-endian.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

Row = tuple[int, int, int, int, float, float | None, int, str, int]
Change = tuple[str, Sequence[Any]]

_READINGS, _CHANGE = 1, 2
_BLOCK = struct.Struct("<BHQqq")
_READING = struct.Struct("<IiiBd")
_BITS_AT = 12
_DOUBLE = struct.Struct("<d")
_CHANGE_HEAD = struct.Struct("<BH")
_FLAG, _TRUSTED, _RAW, _REASON = 0x03, 0x04, 0x08, 0x10
_OFFSET_MOST = 2**31 - 1

#: UTF-8 bytes of a reason that are kept.
REASON_BYTES = 255


def shortened(reason: str) -> str:
    """As much of a reason as is kept."""
    body = reason.encode("utf-8")
    return body[:REASON_BYTES].decode("utf-8", "ignore")


class Frame(NamedTuple):
    """One payload and the serials of its readings (0, 0 and 0 if it holds none)."""

    payload: bytes
    first: int
    last: int
    readings: int


def pack(rows: Sequence[Row], changes: Iterable[Change], most_bytes: int) -> list[Frame]:
    """Frames of at most so many bytes; the changes come last, so a cursor never outruns."""
    frames: list[Frame] = []
    for block in _blocks(rows, most_bytes):
        frames.append(Frame(_pack_block(block), block[0][0], block[-1][0], len(block)))
    for name, parameters in changes:
        text = json.dumps([name, parameters], separators=(",", ":"), ensure_ascii=False)
        body = text.encode("utf-8")
        _append(frames, _CHANGE_HEAD.pack(_CHANGE, len(body)) + body, most_bytes)
    return frames


def _append(frames: list[Frame], entry: bytes, most_bytes: int) -> None:
    if frames and len(frames[-1].payload) + len(entry) <= most_bytes:
        frames[-1] = frames[-1]._replace(payload=frames[-1].payload + entry)
    else:
        frames.append(Frame(entry, 0, 0, 0))


def _blocks(rows: Sequence[Row], most_bytes: int) -> Iterator[Sequence[Row]]:
    """Runs of consecutive serials whose times fit the offsets and whose bytes fit a frame."""
    start, size = 0, _BLOCK.size
    for index, row in enumerate(rows):
        bytes_needed = _READING.size
        if row[5] is not None:
            bytes_needed += 8
        if row[7]:
            bytes_needed += 1 + len(row[7].encode("utf-8"))
        first = rows[start]
        if index > start and (
            row[0] != first[0] + index - start
            or abs(row[2] - first[2]) > _OFFSET_MOST
            or abs(row[3] - first[3]) > _OFFSET_MOST
            or size + bytes_needed > most_bytes
            or index - start == 0xFFFF
        ):
            yield rows[start:index]
            start, size = index, _BLOCK.size
        size += bytes_needed
    if start < len(rows):
        yield rows[start:]


def _pack_block(rows: Sequence[Row]) -> bytes:
    serial, _, taken, monotonic = rows[0][:4]
    parts = [_BLOCK.pack(_READINGS, len(rows), serial, taken, monotonic)]
    extras = []
    for row in rows:
        bits = row[6] & _FLAG
        if row[8]:
            bits |= _TRUSTED
        if row[5] is not None:
            bits |= _RAW
            extras.append(_DOUBLE.pack(row[5]))
        if row[7]:
            bits |= _REASON
            reason = row[7].encode("utf-8")
            extras.append(bytes([len(reason)]) + reason)
        parts.append(_READING.pack(row[1], row[2] - taken, row[3] - monotonic, bits, row[4]))
    return b"".join(parts + extras)


def measure(payload: bytes) -> Frame:
    """The frame around a payload that was read back, once it is sure that it can be unpacked.

    Raises:
        ValueError: not what ``pack`` makes (a frame whose checksum holds, but of another version).
    """
    first = last = count = 0
    for kind, start, end in _entries(payload):
        if kind == _CHANGE:
            _unpack_change(payload, start, end)
        else:
            _, number, serial, _, _ = _BLOCK.unpack_from(payload, start)
            first = first or serial
            last = serial + number - 1
            count += number
    return Frame(payload, first, last, count)


def rows_of(payload: bytes) -> list[Row]:
    """The readings of a payload, in the order of ``Reading``'s fields."""
    rows: list[Row] = []
    for kind, start, _ in _entries(payload):
        if kind == _READINGS:
            _unpack_block(payload, start, rows)
    return rows


def changes_of(payload: bytes) -> Iterator[Change]:
    """The changes of a payload, oldest first."""
    for kind, start, end in _entries(payload):
        if kind == _CHANGE:
            yield _unpack_change(payload, start, end)


def _unpack_change(payload: bytes, start: int, end: int) -> Change:
    try:
        name, parameters = json.loads(payload[start + _CHANGE_HEAD.size : end])
    except (TypeError, RecursionError) as error:
        raise ValueError("no change") from error
    if not isinstance(name, str) or not isinstance(parameters, list):
        raise ValueError("no change")
    return name, parameters


def _entries(payload: bytes) -> Iterator[tuple[int, int, int]]:
    """(kind, start, end) of every entry."""
    start, length = 0, len(payload)
    try:
        while start < length:
            kind = payload[start]
            if kind == _READINGS:
                end = _end_of_block(payload, start)
            elif kind == _CHANGE:
                end = start + _CHANGE_HEAD.size + _CHANGE_HEAD.unpack_from(payload, start)[1]
            else:
                raise ValueError(f"entry of unknown kind {kind}")
            if end > length:
                raise ValueError("entry longer than its frame")
            yield kind, start, end
            start = end
    except (struct.error, IndexError) as error:
        raise ValueError("entry cut short") from error


def _end_of_block(payload: bytes, start: int) -> int:
    count: int = _BLOCK.unpack_from(payload, start)[1]
    fixed = start + _BLOCK.size
    end = fixed + count * _READING.size
    # The bits stand at the same place in each reading, so a slice has them all.
    all_bits = payload[fixed + _BITS_AT : end : _READING.size]
    if len(all_bits) < count:
        raise ValueError("entry cut short")
    if any(bits & (_RAW | _REASON) for bits in all_bits):
        for bits in all_bits:
            if bits & _RAW:
                end += 8
            if bits & _REASON:
                end += 1 + payload[end]
    return end


def _unpack_block(payload: bytes, start: int, rows: list[Row]) -> None:
    _, count, serial, taken, monotonic = _BLOCK.unpack_from(payload, start)
    fixed = start + _BLOCK.size
    extra = fixed + count * _READING.size
    for series, after, later, bits, value in _READING.iter_unpack(memoryview(payload)[fixed:extra]):
        raw, reason = None, ""
        if bits & (_RAW | _REASON):
            if bits & _RAW:
                (raw,) = _DOUBLE.unpack_from(payload, extra)
                extra += 8
            if bits & _REASON:
                end = extra + 1 + payload[extra]
                reason = payload[extra + 1 : end].decode("utf-8", "replace")
                extra = end
        rows.append(
            (
                serial,
                series,
                taken + after,
                monotonic + later,
                value,
                raw,
                bits & _FLAG,
                reason,
                1 if bits & _TRUSTED else 0,
            )
        )
        serial += 1
