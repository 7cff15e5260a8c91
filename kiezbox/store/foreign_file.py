"""The file of what boxes of Kiezbox 2.0 have said and were ordered, for whoever reads it or orders.

Three tables: ``nodes`` (who is there, bounded by ``foreign.neighbours``), ``messages`` (what was
heard, the oldest go first), ``orders`` (who ordered what, and what became of it: a log, of which
nothing is deleted). Payloads are kept as they came; what they mean is read anew each time.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from math import inf
from typing import Any, NamedTuple

from kiezbox.errors import StoreError
from kiezbox.foreign.decode import decode
from kiezbox.foreign.neighbours import FORGET_S, Neighbour, document
from kiezbox.foreign.wire import BadMessage
from kiezbox.store.database import BUSY_MS, TROUBLE, store_error, transaction

__all__ = [
    "CRIES_LAST_S", "FILE", "NODE_COLUMNS", "Logged", "Told", "messages", "nodes", "open_file",
    "open_for_reading", "order", "orders", "path_of", "read_view", "said", "view",
]  # fmt: skip

#: The view in the run directory, for the desk and ``kiezbox status``.
FILE = "foreign.json"

#: How long a cry for help is kept: as everything else that somebody has said of himself.
CRIES_LAST_S = 72 * 3600.0

#: So many of them are shown.
_MOST_SHOWN = 10

NODE_COLUMNS = (
    "node, first_heard_at, last_heard_at, messages, dropped, rssi_dbm, snr_db, last_update,"
    " update_at, config, config_at"
)
_SCHEMA = """
CREATE TABLE IF NOT EXISTS nodes (node INTEGER PRIMARY KEY, first_heard_at REAL NOT NULL,
  last_heard_at REAL NOT NULL, messages INTEGER NOT NULL, dropped INTEGER NOT NULL,
  rssi_dbm INTEGER, snr_db REAL, last_update BLOB NOT NULL, update_at REAL NOT NULL,
  config BLOB NOT NULL, config_at REAL NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS messages (number INTEGER PRIMARY KEY AUTOINCREMENT,
  heard_at REAL NOT NULL, node INTEGER NOT NULL, kind TEXT NOT NULL, payload BLOB NOT NULL,
  clock_trusted INTEGER NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS messages_heard_at ON messages (heard_at);
CREATE TABLE IF NOT EXISTS orders (number INTEGER PRIMARY KEY AUTOINCREMENT,
  ordered_at REAL NOT NULL, by TEXT NOT NULL, target TEXT NOT NULL, what TEXT NOT NULL,
  payload BLOB NOT NULL, until REAL NOT NULL, state TEXT NOT NULL, state_at REAL NOT NULL) STRICT;
"""


class Told(NamedTuple):
    """A message that was kept. ``kind``: update, control, distress."""

    number: int
    heard_at: float
    node: int
    kind: str
    payload: bytes
    #: Whether this box knew the time then.
    clock_trusted: int


class Logged(NamedTuple):
    """An order in the log. ``state``: waiting, sent, expired, failed."""

    number: int
    ordered_at: float
    by: str
    target: str
    what: str
    payload: bytes
    until: float
    state: str
    state_at: float


def path_of(store_path: str) -> str:
    """Where the file lies, by ``store.path``."""
    return os.path.join(os.path.dirname(os.path.abspath(store_path)), "foreign.db")


@contextmanager
def said(path: str) -> Iterator[None]:
    """Turns SQLite's errors into ours."""
    try:
        yield
    except TROUBLE as error:
        raise store_error(error, path) from error


def open_file(path: str) -> sqlite3.Connection:
    """To write into it; made where there is none.

    Raises:
        StoreError: it cannot be made or read.
    """
    try:
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        _made(path)
        db = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, timeout=BUSY_MS / 1000
        )
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        # What is erased must be gone from the card, too.
        db.execute("PRAGMA secure_delete = ON")
        db.executescript(_SCHEMA)
    except (OSError, *TROUBLE) as error:
        raise store_error(error, path) from error
    return db


def _made(path: str) -> None:
    """An empty file, if there is none. What people in need have said is in it, so it is its owner's
    alone; and whoever gives the first order may be root, but the node must be able to write.
    """
    try:
        file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return
    try:
        if os.geteuid() == 0:
            folder = os.stat(os.path.dirname(os.path.abspath(path)))
            os.fchown(file, folder.st_uid, folder.st_gid)
    finally:
        os.close(file)


def open_for_reading(path: str) -> sqlite3.Connection | None:
    """The file as it is; None where nothing was ever heard or ordered.

    Raises:
        StoreError: it cannot be read.
    """
    try:
        os.stat(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror}") from error
    name = os.path.abspath(path).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    try:
        db = sqlite3.connect(f"file:{name}?mode=ro", uri=True, timeout=BUSY_MS / 1000)
        db.execute("SELECT count(*) FROM nodes")
    except TROUBLE as error:
        raise store_error(error, path) from error
    return db


def nodes(db: sqlite3.Connection) -> list[Neighbour]:
    """All that are known, those heard last first."""
    rows = db.execute(f"SELECT {NODE_COLUMNS} FROM nodes ORDER BY last_heard_at DESC, node")
    names = Neighbour.__dataclass_fields__
    return [Neighbour(**dict(zip(names, row, strict=True))) for row in rows]


def messages(
    db: sqlite3.Connection, since: float, *, kind: str = "update", newest: int | None = None
) -> Iterator[Told]:
    """What was kept of a kind since then (Unix seconds), the oldest first; or the newest so many,
    the newest first.
    """
    order_by = "number" if newest is None else "number DESC"
    yield from map(
        Told._make,
        db.execute(
            "SELECT number, heard_at, node, kind, payload, clock_trusted FROM messages"
            f" WHERE kind = ? AND heard_at >= ? ORDER BY {order_by} LIMIT ?",
            (kind, since, -1 if newest is None else newest),
        ),
    )


def order(
    path: str, by: str, target: str, what: str, payload: bytes, now: float, *, lasts_s: float
) -> int:
    """Leave an order for the radio, and in the log for good; its number. Durable when it returns.
    ``target``, ``what``: in words.

    Raises:
        StoreError: it cannot be written.
    """
    with closing(open_file(path)) as db, said(path), transaction(db):
        done = db.execute(
            "INSERT INTO orders (ordered_at, by, target, what, payload, until, state, state_at)"
            " VALUES (?, ?, ?, ?, ?, ?, 'waiting', ?)",
            (now, by, target, what, payload, now + lasts_s, now),
        )
    return int(done.lastrowid or 0)


def orders(db: sqlite3.Connection, most: int = 100) -> list[Logged]:
    """The newest orders, the newest first."""
    rows = db.execute("SELECT * FROM orders ORDER BY number DESC LIMIT ?", (most,))
    return [Logged(*row) for row in rows]


def view(db: sqlite3.Connection, now: float, *, with_texts: bool = False) -> dict[str, Any]:
    """What is shown: neighbours that were heard within a month, and the last cries for help.
    ``with_texts``: with the words of those who cried for help; the view in the run directory, which
    every user of the box can read, has none.
    """
    cries = []
    for told in messages(db, -inf, kind="distress", newest=_MOST_SHOWN):
        if told.clock_trusted and now - told.heard_at > CRIES_LAST_S:
            continue
        try:
            distress = decode(told.payload, told.heard_at).distress
        except BadMessage:
            continue
        if distress is not None:
            cries.append(
                {
                    "heard_at": told.heard_at,
                    "clock_trusted": bool(told.clock_trusted),
                    "node": f"!{told.node:08x}",
                    "kind": distress.kind.name.lower() if distress.kind is not None else None,
                    "button_id": distress.button_id,
                    "pressed_at": distress.pressed_at,
                    **({"text": distress.text} if with_texts else {}),
                }
            )
    return {
        "version": 1,
        "written_at": now,
        "neighbours": [
            document(each) for each in nodes(db) if abs(now - each.last_heard_at) < FORGET_S
        ],
        "distress": cries,
    }


def read_view(run_dir: str) -> dict[str, Any]:
    """The view as it stands in the run directory; an empty one where there is none."""
    try:
        with open(os.path.join(run_dir, FILE), encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError):
        found = None
    empty: dict[str, Any] = {"neighbours": [], "distress": []}
    return found if isinstance(found, dict) and found.keys() >= empty.keys() else empty
