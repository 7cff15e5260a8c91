"""What the log of words has to show, read as quickly as the first page needs it.

The folds are rows of ``things`` (``store.log``); here they are read with SQLite's C half alone, as
in ``sight``. A log that is missing, locked or damaged costs 0.05 s and the words, never the page.
"""

from __future__ import annotations

import _sqlite3
import os
from _thread import _local

from kiezbox.vouched import COLUMNS, FILE, MOST_BYTES, NUMBERS, beside, digest_of, unpacked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

__all__ = ["KINDS", "Seen", "Shown"]

#: The numbers of ``records.kinds`` (which costs 20 ms to load); a test compares them.
KINDS = {
    "bulletin": 1, "warning": 3, "ticket": 4, "safe": 6, "post": 7, "message": 9, "question": 10,
    "observation": 12, "place_report": 13, "place_point": 20,
}  # fmt: skip

_COLUMNS = (
    "origin, sequence, kind, written_at, changed_at, expires_at, topic, state, text, language,"
    " issuer, is_hidden, lookup, data"
)

BUSY_S = 0.05

#: In front of the table of the same name: the portal may write that, and a portal that somebody
#: broke into could have written there that an authority vouches for something. What is said to be
#: vouched for, and what is nothing without that (``Kind.needs``), is passed over unless the node
#: says the same (``vouched``).
_VOUCHED = (
    f"CREATE TEMP VIEW things AS SELECT {_COLUMNS} FROM main.things WHERE CASE WHEN issuer = ''"
    f" THEN kind NOT IN ({KINDS['question']}, {KINDS['place_point']}) ELSE is_vouched("
    + ", ".join(name if name in NUMBERS else f"CAST({name} AS BLOB)" for name in COLUMNS)
    + ") END"
)


class Seen:
    """A ``records.Thing``, with ``data`` read when asked for."""

    __slots__ = (
        "_data", "changed_at", "expires_at", "is_hidden", "issuer", "kind", "language", "lookup",
        "origin", "sequence", "state", "text", "topic", "written_at",
    )  # fmt: skip

    def __init__(self, row: Sequence[Any]) -> None:
        (
            self.origin, self.sequence, self.kind, self.written_at, self.changed_at,
            self.expires_at, self.topic, self.state, self.text, self.language, self.issuer,
            self.is_hidden, self.lookup, self._data,
        ) = row  # fmt: skip

    @property
    def data(self) -> dict[str, Any]:
        from kiezbox.portal.sight import parse_json

        if isinstance(self._data, str):
            self._data = parse_json(self._data.encode())
        found: dict[str, Any] = self._data
        return found

    @property
    def id(self) -> str:
        """As in paths: ``kb-musterplatz-1.42``."""
        return f"{self.origin}.{self.sequence}"


class _Vouched:
    """What the node vouches for, as it is now."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._seen: object = None
        self._digests: frozenset[str] = frozenset()

    def look(self) -> None:
        """Read the list anew if it is another."""
        try:
            found = os.stat(self._path)
            seen = found.st_ino, found.st_mtime_ns, found.st_size
            if seen != self._seen:
                with open(self._path, "rb") as file:
                    self._digests = frozenset(unpacked(file.read(MOST_BYTES)).values())
                self._seen = seen
        except OSError:
            self._seen, self._digests = None, frozenset()

    def has(self, *values: bytes | int | float) -> bool:
        """Whether this row is vouched for, by the last look."""
        return digest_of(*values) in self._digests


class Shown:
    """A read-only view of one log. For several threads."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._local = _local()
        self._vouched = _Vouched(beside(path, FILE))

    def things(
        self,
        kind: str,
        now: float,
        *,
        topic: str = "",
        state: str = "",
        limit: int = 20,
        offset: int = 0,
        is_hidden: bool = False,
    ) -> list[Seen]:
        """Not expired, newest first; [] as well where the log cannot be read."""
        where = "kind = ? AND is_hidden = ? AND expires_at > ?"
        values: list[Any] = [KINDS[kind], is_hidden, now]
        for name, value in (("topic", topic), ("state", state)):
            if value:
                where += f" AND {name} = ?"
                values.append(value)
        order = "ORDER BY written_at DESC, origin, sequence DESC LIMIT ? OFFSET ?"
        rows = self.rows(
            f"SELECT {_COLUMNS} FROM things WHERE {where} {order}", (*values, limit, offset)
        )
        return [Seen(row) for row in rows or ()]

    def count(self, kind: str, now: float, *, topic: str = "") -> int:
        """How many ``things`` would give without a limit."""
        where = "kind = ? AND NOT is_hidden AND expires_at > ?"
        values: list[Any] = [KINDS[kind], now]
        if topic:
            where += " AND topic = ?"
            values.append(topic)
        rows = self.rows(f"SELECT count(*) FROM things WHERE {where}", values)
        return int(rows[0][0]) if rows else 0

    def thing(self, name: str) -> Seen | None:
        """By its id as in paths; None: not here, or expired and erased."""
        origin, _, sequence = name.rpartition(".")
        if not sequence.isdecimal() or len(sequence) > 15:
            return None
        rows = self.rows(
            f"SELECT {_COLUMNS} FROM things WHERE origin = ? AND sequence = ?",
            (origin, int(sequence)),
        )
        return Seen(rows[0]) if rows else None

    def found(self, kind: str, lookup: bytes, now: float) -> list[Seen]:
        """What is not listed, by its lookup."""
        rows = self.rows(
            # In these words, so that the index of those that have one is taken.
            f"SELECT {_COLUMNS} FROM things WHERE lookup = ? AND lookup <> x'' AND kind = ?"
            " AND expires_at > ? ORDER BY written_at DESC LIMIT 20",
            (lookup, KINDS[kind], now),
        )
        return [Seen(row) for row in rows or ()]

    def stamp(self) -> tuple[int, ...] | None:
        """Another one as soon as the file is another; None: there is none."""
        try:
            found = os.stat(self.path)
        except OSError:
            return None
        return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Any] | None:
        """None: the log cannot be read."""
        try:
            db, is_kept = self._open()
            self._vouched.look()
            try:
                return db.execute(sql, values).fetchall()
            finally:
                if not is_kept:
                    db.close()
        except (_sqlite3.Error, OSError, ValueError):
            self._forget()
            return None

    def _open(self) -> tuple[_sqlite3.Connection, bool]:
        """A connection, and whether it is kept."""
        found = os.stat(self.path)
        identity = found.st_dev, found.st_ino
        kept = getattr(self._local, "kept", None)
        if kept is not None and kept[0] == identity:
            return kept[1], True
        self._forget()
        try:
            db = self._connect("?mode=ro")
        except _sqlite3.OperationalError:
            # A read-only card has no room for the -shm that WAL wants. With no WAL there, nobody
            # writes: the file alone is the whole truth, for this one look.
            if os.path.exists(self.path + "-wal"):
                raise
            return self._connect("?mode=ro&immutable=1"), False
        self._local.kept = identity, db
        return db, True

    def _connect(self, how: str) -> _sqlite3.Connection:
        name = os.path.abspath(self.path)
        for letter in "%?#":
            name = name.replace(letter, f"%{ord(letter):02x}")
        db = _sqlite3.connect(f"file:{name}{how}", timeout=BUSY_S, uri=True, isolation_level=None)
        try:
            db.execute("PRAGMA cache_size = -256")
            db.execute("SELECT count(*) FROM sqlite_master").fetchone()
            if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'things'").fetchone():
                db.create_function("is_vouched", len(COLUMNS), self._vouched.has)
                db.execute(_VOUCHED)
        except _sqlite3.Error:
            db.close()
            raise
        db.text_factory = _text
        return db

    def _forget(self) -> None:
        kept = getattr(self._local, "kept", None)
        if kept is not None:
            self._local.kept = None
            kept[1].close()


def _text(stored: bytes) -> str:
    return stored.decode("utf-8", "replace")
