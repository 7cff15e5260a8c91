"""A page of a damaged database: rows are read from whatever bytes stand in it."""

from __future__ import annotations

import sqlite3
import tempfile

from kiezbox.store.salvage import _TABLES, _Pages, _rows, _shape

_PAGE = 4096


def SEEDS() -> list[bytes]:  # noqa: N802
    """Real pages: of readings, of a row that runs over into other pages, of other tables."""
    with tempfile.TemporaryDirectory() as folder:
        db = sqlite3.connect(f"{folder}/seed.db")
        db.execute(
            "CREATE TABLE readings (serial INTEGER PRIMARY KEY, a, b, c, d REAL, e, f, g TEXT, h)"
        )
        db.executemany(
            "INSERT INTO readings VALUES (?, 7, 1795348800000, ?, ?, NULL, 0, '', 1)",
            [(2**56 + n, n, n / 3) for n in range(60)],
        )
        db.execute("CREATE TABLE kept (name TEXT PRIMARY KEY, version INTEGER, body TEXT)")
        db.execute("INSERT INTO kept VALUES ('mode', 1, ?)", ("ß" * 5000,))
        db.commit()
        db.close()
        with open(f"{folder}/seed.db", "rb") as file:
            data = file.read()
    return [data[at : at + _PAGE] for at in range(0, len(data), _PAGE)]


class _OnePage(_Pages):
    """The page under test, as page 2, and as every page its rows run over into."""

    def __init__(self, page: bytes) -> None:
        self._page = page

    def read(self, number: int) -> bytes:
        return self._page if number < 2**31 else b""


def one(data: bytes) -> None:
    """Every row that comes out has a shape of ours or none, and an id SQLite can hold."""
    pages = _OnePage(data[:_PAGE].ljust(_PAGE, b"\0"))
    for row in _rows(pages, 2):
        assert _shape(row) in ("", *_TABLES)
        assert all(not isinstance(value, int) or -(2**63) <= value < 2**63 for value in row)
