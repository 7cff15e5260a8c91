"""Voices are counted one by one: folding all of a question's anew for each took a second a voice
after some thousand of them.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from kiezbox.records import Kind, Ref

__all__ = ["is_counted"]


def is_counted(
    db: sqlite3.Connection,
    of: Ref,
    kind: Kind | None,
    body: Mapping[str, Any],
    written_at: float,
) -> bool:
    """Add a voice that has just been put into the log to its question's fold, with the same result
    as ``folds.question``; False: it is no voice, and the fold is to be made anew.
    """
    if kind is None or kind.name != "voice":
        return False
    row = db.execute("SELECT data FROM things WHERE origin = ? AND sequence = ?", of).fetchone()
    if row is None:
        return True  # The question has not come yet, or nobody vouches for it.
    data = json.loads(row[0])
    counts, answer = data.get("counts", []), body["answer"]
    if answer < len(counts):
        counts[answer] += 1
    db.execute(
        "UPDATE things SET data = ?, changed_at = max(changed_at, ?)"
        " WHERE origin = ? AND sequence = ?",
        (json.dumps(data, ensure_ascii=False, sort_keys=True), written_at, *of),
    )
    return True
