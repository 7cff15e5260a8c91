"""Words and orders: small transactions of any process, durable when they return.

A record never changes. A withdrawal is a further one, whose body says of what:
``{origin: sequence}`` (the portal reads it by itself, see ``kiezbox.portal.sight``).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from kiezbox.model import Bulletin
from kiezbox.store.database import transaction


def post(
    db: sqlite3.Connection, origin: str, text: str, written_at: float, expires_at: float
) -> Bulletin:
    """A new bulletin of this box."""
    sequence = _append(db, origin, "bulletin", written_at, expires_at, text)
    return Bulletin(origin, sequence, written_at, expires_at, text)


def withdraw(
    db: sqlite3.Connection, by: str, origin: str, sequence: int, written_at: float
) -> bool:
    """A further record that takes one back; False if there is no such bulletin."""
    found = db.execute(
        "SELECT expires_at FROM records WHERE origin = ? AND sequence = ? AND kind = 'bulletin'",
        (origin, sequence),
    ).fetchone()
    if found is None:
        return False
    _append(db, by, "withdrawal", written_at, found[0], json.dumps({origin: sequence}))
    return True


def order(
    db: sqlite3.Connection, at: float, verb: str, until: float | None, detail: Mapping[str, Any]
) -> int:
    """An operator's order to the node; its number."""
    with transaction(db):
        done = db.execute(
            "INSERT INTO orders (at, verb, until, detail) VALUES (?, ?, ?, ?)",
            (at, verb, until, json.dumps(detail)),
        )
    return int(done.lastrowid or 0)


def _append(
    db: sqlite3.Connection,
    origin: str,
    kind: str,
    written_at: float,
    expires_at: float,
    body: str,
) -> int:
    with transaction(db):
        (newest,) = db.execute(
            "SELECT coalesce(max(sequence), 0) FROM records WHERE origin = ?", (origin,)
        ).fetchone()
        db.execute(
            "INSERT INTO records VALUES (?, ?, ?, ?, ?, ?)",
            (origin, newest + 1, kind, written_at, expires_at, body),
        )
    return int(newest) + 1
