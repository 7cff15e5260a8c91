"""An operator's orders to the node: small transactions of any process, durable when they return."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from kiezbox.store.database import transaction


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
