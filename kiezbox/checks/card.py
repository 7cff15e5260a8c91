"""Whether the card has room and the store is in order."""

from __future__ import annotations

import os
from collections.abc import Iterator

from kiezbox.checks import Examined, Finding, Level

#: Less than this and a fold of the journal may fail.
LEAST_FREE_MIB = 100


def run(box: Examined) -> Iterator[Finding]:
    path = box.settings.store.path
    if not os.path.exists(path):
        yield Finding(
            Level.WARNING, f"there is no database {path} yet", "The node makes it when it starts."
        )
        return
    disk = os.statvfs(os.path.dirname(path) or ".")
    free_mib = disk.f_bavail * disk.f_frsize // 1_048_576
    if free_mib < LEAST_FREE_MIB:
        yield Finding(
            Level.WARNING,
            f"only {free_mib} MiB are free on the card",
            "Lower store.keep_days, or use a larger card.",
        )
    state = ((box.facts or {}).get("store") or {}).get("state", "ok")
    if state != "ok":
        yield Finding(
            Level.BROKEN,
            f"the store is {state}: new readings are kept in memory only",
            "kiezbox store check says what can be done.",
        )
    else:
        yield Finding(Level.FINE, f"the store is in order, {free_mib} MiB free")
