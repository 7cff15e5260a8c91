"""Readings older than a week or so, packed: some hundred of them in one row of the database.

As a row of its own a reading costs 42 bytes: 9 for the serial, 8 for the value, 11 that say what
the columns hold, 15 for times, series and boot. In a block, column by column, as differences and
deflated (RFC 1951), it costs 4 to 5: most columns hardly change. The same reading in the same
order comes out again; nothing is rounded.

A block holds readings of one start of the node, oldest first; no two blocks overlap.
"""

from __future__ import annotations

import sqlite3
import struct
import zlib
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise, repeat
from typing import TYPE_CHECKING, Any

from kiezbox.model import COUNTER_BITS

if TYPE_CHECKING:
    from kiezbox.store.packing import Row

#: Readings in one block. Ordinary ones take 4.3 bytes, so that two blocks fit one page of 4 KiB; of
#: pure noise one does. What a rotten page costs.
READINGS = 440

#: Rows of ``readings`` become blocks at this age; charts of a week are made of rows.
AFTER_S = 8 * 86_400.0

#: Readings packed in one transaction.
AT_ONCE = 5000

#: In the order of the table's columns; ``last`` is the row's number.
INSERT = "INSERT OR REPLACE INTO blocks VALUES (?, ?, ?, ?, ?, ?, ?)"

_FLAG, _TRUSTED, _RAW, _REASON = 0x03, 0x04, 0x08, 0x10
#: What each byte of a block's bits says: the flag, and whether the clock was sure.
_FLAG_OF = bytes(bits & _FLAG for bits in range(256))
_TRUSTED_OF = bytes(bits >> 2 & 1 for bits in range(256))
_HEAD = struct.Struct("<H")
#: Unpacked; what says it is longer is no block (65,535 readings with the longest reasons).
_BYTES_MOST = 1 << 25


def encode(rows: Sequence[Row]) -> bytes:
    """Up to 65,535 rows in the order of ``Reading``'s fields, by rising serial."""
    serials, series, taken, monotonic, values, raws, flags, reasons, trusted = zip(
        *rows, strict=True
    )
    bits = bytes(
        flag & _FLAG
        | (_TRUSTED if sure else 0)
        | (_RAW if raw is not None else 0)
        | (_REASON if reason else 0)
        for flag, sure, raw, reason in zip(flags, trusted, raws, reasons, strict=True)
    )
    n = len(rows)
    body = _HEAD.pack(n) + struct.pack(
        f"<{3 * n}q{n}I{n}d",
        *_steps(serials),
        *_steps(taken),
        *_steps([wall - up for wall, up in zip(taken, monotonic, strict=True)]),
        *series,
        *values,
    )
    some_raws = [raw for raw in raws if raw is not None]
    texts = [reason.encode() for reason in reasons if reason]
    body += bits + struct.pack(f"<{len(some_raws)}d", *some_raws)
    body += b"".join(bytes([len(text)]) + text for text in texts)
    return zlib.compress(body, 6)


def _steps(numbers: Sequence[int]) -> Iterator[int]:
    yield numbers[0]
    for one, next_one in pairwise(numbers):
        yield next_one - one


def decode(body: bytes) -> list[Row]:
    """The rows of a block.

    Raises:
        ValueError: these are not the bytes that were written (zlib has a checksum).
    """
    try:
        inflating = zlib.decompressobj()
        data = inflating.decompress(body, _BYTES_MOST)
        if not inflating.eof:
            raise ValueError("cut short, or longer than any block")
        (n,) = _HEAD.unpack_from(data)
        layout = struct.Struct(f"<{3 * n}q{n}I{n}d")
        columns = layout.unpack_from(data, _HEAD.size)
        at = _HEAD.size + layout.size
        bits = data[at : at + n]
        serials = accumulate(columns[:n])
        taken = list(accumulate(columns[n : 2 * n]))
        offsets = accumulate(columns[2 * n : 3 * n])
        monotonic = [wall - offset for wall, offset in zip(taken, offsets, strict=True)]
        fixed = serials, columns[3 * n : 4 * n], taken, monotonic, columns[4 * n :]
        if bits.count(_TRUSTED) == n:  # An ordinary hour.
            return list(zip(*fixed, repeat(None, n), repeat(0, n), repeat("", n), repeat(1, n)))  # noqa: B905
        raws, reasons = _extras(data, at + n, bits)
    except (zlib.error, struct.error, IndexError, UnicodeDecodeError) as error:
        raise ValueError("not what was written") from error
    flags, trusted = bits.translate(_FLAG_OF), bits.translate(_TRUSTED_OF)
    return list(zip(*fixed, raws, flags, reasons, trusted, strict=True))


def _extras(data: bytes, at: int, bits: bytes) -> tuple[list[float | None], list[str]]:
    """Raw values and reasons of all, from the bytes of the few that have any."""
    raws: list[float | None] = [None] * len(bits)
    reasons = [""] * len(bits)
    special = [n for n, each in enumerate(bits) if each & (_RAW | _REASON)]
    for n in special:
        if bits[n] & _RAW:
            (raws[n],) = struct.unpack_from("<d", data, at)
            at += 8
    for n in special:
        if bits[n] & _REASON:
            end = at + 1 + data[at]
            reasons[n], at = data[at + 1 : end].decode(), end
    return raws, reasons


def readable(body: bytes) -> list[Row]:
    """The same, none where the card has changed its bytes: `kiezbox store check` says so."""
    try:
        return decode(body)
    except ValueError:
        return []


def pack(db: sqlite3.Connection, cutoff_ms: int, last: int) -> bool:
    """Take rows up to a serial and older than a moment into blocks, within a transaction.

    True if there may be more. Less than a block's worth of the newest start of the node waits.
    """
    (old,) = db.execute(
        "SELECT max(serial) FROM"
        " (SELECT serial, taken_ms, clock_trusted FROM readings ORDER BY serial LIMIT ?)"
        " WHERE clock_trusted AND taken_ms < ?",
        (AT_ONCE, cutoff_ms),
    ).fetchone()
    rows: list[Any] = db.execute(
        "SELECT * FROM readings WHERE serial <= ? ORDER BY serial LIMIT ?",
        (min(old or 0, last), AT_ONCE),
    ).fetchall()
    if len(rows) < READINGS:
        return False
    newest_boot = rows[-1][0] >> COUNTER_BITS
    rest = sum(row[0] >> COUNTER_BITS == newest_boot for row in rows) % READINGS
    if len(rows) - rest < READINGS:
        return False
    del rows[len(rows) - rest :]
    db.execute("DELETE FROM readings WHERE serial <= ?", (rows[-1][0],))
    put(db, _with_overlapping(db, rows))
    return True


def _with_overlapping(db: sqlite3.Connection, rows: list[Row]) -> list[Row]:
    """With those of blocks they lie between (a damaged file was brought in); these blocks go."""
    found = db.execute(
        "SELECT last, body FROM blocks WHERE last >= ? AND first <= ?", (rows[0][0], rows[-1][0])
    ).fetchall()
    if not found:
        return rows
    merged = {row[0]: row for row in rows}
    for last, body in found:
        merged |= {row[0]: row for row in readable(body)}
        db.execute("DELETE FROM blocks WHERE last = ?", (last,))
    return [merged[serial] for serial in sorted(merged)]


def put(db: sqlite3.Connection, rows: Sequence[Row]) -> None:
    """Into blocks, each of one start of the node."""
    start = 0
    for index in range(1, len(rows) + 1):
        if (
            index == len(rows)
            or index - start == READINGS
            or rows[index][0] >> COUNTER_BITS != rows[start][0] >> COUNTER_BITS
        ):
            some = rows[start:index]
            newest = some[-1]
            db.execute(
                INSERT,
                (newest[0], some[0][0], len(some), newest[2], newest[3], newest[8], encode(some)),
            )
            start = index


def doubt(db: sqlite3.Connection, first: int, last: int, most: int) -> int:
    """Take the trust in their times from packed readings, of so many blocks at once.

    The last serial that was looked at; 0: no block holds any of them.
    """
    found = db.execute(
        "SELECT last, body FROM blocks WHERE last >= ? AND first <= ? ORDER BY last LIMIT ?",
        (first, last, most),
    ).fetchall()
    for number, body in found:
        rows = readable(body)
        doubted = [(*row[:8], 0) if first <= row[0] <= last else row for row in rows]
        if doubted != rows:
            db.execute(
                "UPDATE blocks SET body = ?, clock_trusted = ? WHERE last = ?",
                (encode(doubted), doubted[-1][8], number),
            )
    return int(found[-1][0]) if found else 0


# --- reading -----------------------------------------------------------------------------------

_Query = Any


def rows_after(query: _Query, position: int, limit: int, until: int) -> list[Row]:
    """Packed readings with position < serial <= until, oldest first."""
    rows: list[Row] = []
    while len(rows) < limit:
        found = query(
            "SELECT last, body FROM blocks WHERE last > ? AND first <= ? ORDER BY last LIMIT ?",
            (position, until, max(1, (limit - len(rows)) // READINGS)),
        )
        if not found:
            break
        for last, body in found:
            some = readable(body)
            if some and (some[0][0] <= position or some[-1][0] > until):
                some = [row for row in some if position < row[0] <= until]
            rows += some
            position = last
    del rows[limit:]
    return rows


def between(query: _Query, above: int, last: int, most: int) -> Iterator[Row]:
    """Packed readings with above < serial <= last, the newest blocks first."""
    while most > 0:
        found = query(
            "SELECT first, body FROM blocks WHERE last > ? AND first <= ?"
            " ORDER BY last DESC LIMIT 1",
            (above, last),
        )
        if not found:
            return
        ((first, body),) = found
        rows = readable(body)
        yield from (row for row in rows if above < row[0] <= last)
        most -= len(rows)
        last = first - 1


def count(query: _Query, above: int, last: int) -> int:
    """How many packed readings have above < serial <= last."""
    whole = query(
        "SELECT coalesce(sum(readings), 0) FROM blocks WHERE first > ? AND last > ? AND last <= ?",
        (above, above, last),
    )[0][0]
    edges = {
        tuple(row)
        for serial in (above, last)
        for row in query(
            "SELECT last, first, body FROM blocks WHERE last > ? ORDER BY last LIMIT 1", (serial,)
        )
        if row[1] <= serial
    }
    return int(whole) + sum(
        above < row[0] <= last for _, _, body in edges for row in readable(body)
    )


def holds(query: _Query, serial: int) -> bool:
    """Whether a block has this reading."""
    found = query(
        "SELECT body FROM blocks WHERE last >= ? AND first <= ? ORDER BY last LIMIT 1",
        (serial, serial),
    )
    return bool(found) and any(row[0] == serial for row in readable(found[0][0]))


def rotten(query: _Query) -> int:
    """How many blocks are not what was written."""
    found, last = 0, 0
    some = "SELECT last, body FROM blocks WHERE last > ? ORDER BY last LIMIT 100"
    while rows := query(some, (last,)):
        found += sum(not readable(body) for _, body in rows)
        last = rows[-1][0]
    return found
