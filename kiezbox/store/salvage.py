"""Read what can be read of a damaged database, page by page.

Neither header nor schema nor any inner page is needed: every leaf page of a table stands for
itself, and our tables can be told apart by the shape of their rows. A page that is gone costs
its rows (about ninety readings) and no others. The write-ahead log beside the file is read the
same way, and where it has a page, that one counts.

Format: https://sqlite.org/fileformat2.html, sections 1.6 (pages), 2.1 (records), 4 (the log).
"""

from __future__ import annotations

import os
import sqlite3
import struct
import time
from collections.abc import Collection, Iterator
from contextlib import suppress
from typing import Any, NamedTuple

from kiezbox.store import blocks, tiers
from kiezbox.store.changes import CHANGES, INSERT_READING
from kiezbox.store.database import transaction

_PAGE = 4096
_FIRST_PAGE_HEADER = 100
_TABLE_LEAF = 0x0D
_WAL_HEADER = 32
_WAL_FRAME = struct.Struct(">IIII8x")
_PAGES_AT_ONCE = 64
#: No row of ours is longer; what says so is no row.
_ROW_BYTES_MOST = 1 << 20

_READINGS = "Niiin?iti"
_BLOCK = "Niiiiib"

#: Shape of a row → what to do with it. A letter per column: N null (it is the row's number),
#: i whole number, t text, n number, ? number or null. Freed pages may hold older versions of a
#: row; of two the newer one counts, or else the one that leads to doing a thing twice.
_TABLES: dict[str, str] = {
    _READINGS: INSERT_READING,
    "Ntii": (
        "UPDATE meta SET box = ?2, folded_sequence = max(folded_sequence, ?3)"
        " WHERE id = ?1 AND ?4 >= 0"
    ),
    # Packed readings are unpacked: freed pages may hold the same ones as rows.
    _BLOCK: INSERT_READING,
    "Niiit": CHANGES["boot"],
    "iiii": CHANGES["clock_mark"],
    "Ntt": CHANGES["series"],
    "tiii": (
        "INSERT INTO cursors VALUES (?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET"
        " backlog = min(backlog, excluded.backlog), live_from = 0, live = 0"
    ),
    "tit": CHANGES["kept"],
    "Nttttn?i": (
        "INSERT INTO faults VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
        " closed_at = coalesce(closed_at, excluded.closed_at)"
    ),
    "Nniittttt?i": (
        "INSERT INTO transitions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id)"
        " DO UPDATE SET carried_out_at = coalesce(carried_out_at, excluded.carried_out_at)"
    ),
    # Of two versions of a mean the one of more readings.
    "N???iii": (
        "INSERT INTO tiers VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
        " mean = excluded.mean, least = excluded.least, most = excluded.most,"
        " good = excluded.good, suspect = excluded.suspect, bad = excluded.bad"
        " WHERE excluded.good + excluded.suspect + excluded.bad > good + suspect + bad"
    ),
    "titnnt": "INSERT OR IGNORE INTO records VALUES (?, ?, ?, ?, ?, ?)",
    "Ntinti": "INSERT OR IGNORE INTO dead_letters VALUES (?, ?, ?, ?, ?, ?)",
    "Nnt?t?": (
        "INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
        " taken_at = coalesce(taken_at, excluded.taken_at)"
    ),
}

#: What may be added to a database in use: rows whose key nobody gives a second time.
_LIVE = {_READINGS, _BLOCK, "Niiit", "iiii", "Ntt", "titnnt"}

_FITS: dict[str, tuple[type, ...]] = {
    "N": (type(None),),
    "i": (int,),
    "t": (str,),
    "n": (int, float),
    "?": (int, float, type(None)),
    "b": (bytes,),
}


class Salvaged(NamedTuple):
    """How much was read, and how many pages of readings there was no time for."""

    readings: int
    pages_left: int


def salvage(
    path: str, db: sqlite3.Connection, *, deadline: float = float("inf"), is_live: bool = False
) -> Salvaged:
    """Put every readable row of the file at ``path`` into ``db`` (our schema, what is there stays).

    Small tables first, then the readings, newest first, until ``deadline`` (monotonic seconds).
    A database that is in use (``is_live``) gets readings and words, but nobody's progress.
    """
    shapes = _LIVE if is_live else _TABLES.keys()
    with _Pages(path) as pages:
        of_readings: list[int] = []
        for some in _in_parts(range(1, pages.count + 1)):
            with transaction(db):
                for number in some:
                    rows = list(_rows(pages, number))
                    if rows and _shape(rows[0]) in (_READINGS, _BLOCK):
                        of_readings.append(number)
                    else:
                        _insert(db, rows, shapes)
        left = of_readings[::-1]
        readings = 0
        while left and time.monotonic() < deadline:
            with transaction(db):
                for number in left[:_PAGES_AT_ONCE]:
                    readings += _insert(db, list(_rows(pages, number)), shapes)
            del left[:_PAGES_AT_ONCE]
    if not is_live:
        with transaction(db):
            tiers.begin_again(db)
    return Salvaged(readings, len(left))


def rows_of(path: str) -> Iterator[tuple[Any, ...]]:
    """Every row that can be read of any table, each with its number in the column for it.

    Tables without row numbers are not among them.
    """
    with _Pages(path) as pages:
        for number in range(1, pages.count + 1):
            yield from _rows(pages, number)


def _in_parts(numbers: range) -> Iterator[range]:
    for start in range(0, len(numbers), _PAGES_AT_ONCE):
        yield numbers[start : start + _PAGES_AT_ONCE]


def _insert(db: sqlite3.Connection, rows: list[tuple[Any, ...]], shapes: Collection[str]) -> int:
    count = 0
    late: list[Any] = []
    for row in rows:
        shape = _shape(row)
        if shape not in shapes:
            continue
        if shape == _BLOCK:
            readings = blocks.readable(row[-1])
            done = [each for each in readings if _is_added(db, each, shapes)]
            count += len(done)
            late += done
        elif shape == _READINGS:
            if _is_added(db, row, shapes):
                count += 1
                late.append(row)
        else:
            with suppress(sqlite3.IntegrityError):
                count += db.execute(_TABLES[shape], row).rowcount
    if late and shapes is _LIVE:
        tiers.take_late(db, late)
    return count


def _is_added(db: sqlite3.Connection, row: Any, shapes: Collection[str]) -> bool:
    """Whether a reading was not there before, neither as a row nor in a block."""
    if shapes is _LIVE and blocks.holds(lambda *ask: db.execute(*ask).fetchall(), row[0]):
        return False
    try:
        return db.execute(INSERT_READING, row).rowcount == 1
    except (sqlite3.IntegrityError, OverflowError):
        return False


def _shape(row: tuple[Any, ...]) -> str:
    """Which of our tables a row is from; "" for none. The number stands in its column already."""
    for shape in _TABLES:
        if len(shape) == len(row) and all(
            type(value) in _FITS["i" if letter == "N" else letter]
            for letter, value in zip(shape, row, strict=True)
        ):
            return shape
    return ""


# --- pages and records -------------------------------------------------------------------------


class _Pages:
    """The pages of a file, as its write-ahead log has left them."""

    def __init__(self, path: str) -> None:
        self._file = _open(path)
        self._wal = _open(path + "-wal")
        self._in_wal = dict(self._committed())
        self.count = max([_size(self._file) // _PAGE, *self._in_wal])

    def __enter__(self) -> _Pages:
        return self

    def __exit__(self, *_: object) -> None:
        for descriptor in (self._file, self._wal):
            if descriptor != -1:
                os.close(descriptor)

    def read(self, number: int) -> bytes:
        """One page; shorter or empty where the card does not give it."""
        try:
            if number in self._in_wal:
                return os.pread(self._wal, _PAGE, self._in_wal[number])
            return os.pread(self._file, _PAGE, (number - 1) * _PAGE) if self._file != -1 else b""
        except OSError:
            return b""

    def _committed(self) -> Iterator[tuple[int, int]]:
        """(page, place in the log), up to the last commit.

        The log's own running checksum is not asked: one bad sector would hide all that follows.
        Its salts tell the frames of this lap from older ones.
        """
        size = _size(self._wal)
        if size < _WAL_HEADER:
            return
        salts = struct.unpack(">II", os.pread(self._wal, 8, 16))
        pending = []
        for start in range(_WAL_HEADER, size - _PAGE, _WAL_FRAME.size + _PAGE):
            header = os.pread(self._wal, _WAL_FRAME.size, start)
            page, commit, *found = _WAL_FRAME.unpack(header)
            if tuple(found) != salts:
                continue
            pending.append((page, start + _WAL_FRAME.size))
            if commit:
                yield from pending
                pending = []


def _open(path: str) -> int:
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return -1


def _size(descriptor: int) -> int:
    return os.fstat(descriptor).st_size if descriptor != -1 else 0


def _rows(pages: _Pages, number: int) -> Iterator[tuple[Any, ...]]:
    """The rows of a leaf page, each with its number in the column that stands for it."""
    page = pages.read(number)
    start = _FIRST_PAGE_HEADER if number == 1 else 0
    if len(page) < _PAGE or page[start] != _TABLE_LEAF:
        return
    (cells,) = struct.unpack_from(">H", page, start + 3)
    if start + 8 + 2 * cells > _PAGE:
        return
    for place in struct.unpack_from(f">{cells}H", page, start + 8):
        try:
            length, at = _varint(page, place)
            row_number, at = _varint(page, at)
            if length > _ROW_BYTES_MOST or row_number >> 63:
                continue
            values = _record(_payload(pages, page, at, length))
        except (ValueError, IndexError, struct.error):
            continue
        if values and values[0] is None:
            values[0] = row_number
        yield tuple(values)


def _payload(pages: _Pages, page: bytes, at: int, length: int) -> bytes:
    """A cell's content, fetched from overflow pages where it is long."""
    if length <= _PAGE - 35:
        return page[at : at + length]
    least = (_PAGE - 12) * 32 // 255 - 23
    local = least + (length - least) % (_PAGE - 4)
    if local > _PAGE - 35:
        local = least
    parts = [page[at : at + local]]
    (following,) = struct.unpack_from(">I", page, at + local)
    missing = length - local
    while missing > 0:
        overflow = pages.read(following)
        if len(overflow) < _PAGE:
            raise ValueError("overflow page is gone")
        parts.append(overflow[4 : 4 + min(missing, _PAGE - 4)])
        missing -= _PAGE - 4
        (following,) = struct.unpack_from(">I", overflow)
    return b"".join(parts)


def _record(data: bytes) -> list[Any]:
    """The columns of a record. Raises ValueError, IndexError for what is none."""
    end, at = _varint(data, 0)
    if not 0 < end <= len(data):
        raise ValueError("no record")
    kinds = []
    while at < end:
        kind, at = _varint(data, at)
        kinds.append(kind)
    values: list[Any] = []
    for kind in kinds:
        size = _SIZES[kind] if kind < len(_SIZES) else (kind - 12) // 2
        body = data[end : end + size]
        if len(body) < size or kind in (10, 11):
            raise ValueError("record cut short")
        end += size
        values.append(_value(kind, body))
    return values


#: Bytes of the values of kinds 0 to 11.
_SIZES = (0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0)


def _value(kind: int, body: bytes) -> Any:
    if kind == 0:
        return None
    if kind <= 6:
        return int.from_bytes(body, "big", signed=True)
    if kind == 7:
        return struct.unpack(">d", body)[0]
    if kind <= 9:
        return kind - 8
    return body.decode("utf-8") if kind % 2 else body


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A SQLite varint and the place behind it."""
    value = 0
    for index in range(9):
        byte = data[at + index]
        if index == 8:
            return value << 8 | byte, at + 9
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + index + 1
    raise AssertionError("unreachable")
