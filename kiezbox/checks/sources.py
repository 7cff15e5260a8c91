"""Whether official warnings come in."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

from kiezbox.checks import Examined, Finding, Level

#: Asked with success so long ago: nobody would hear of a storm.
OLD_S = 6 * 3600


def run(box: Examined) -> Iterator[Finding]:
    if not box.settings.sources:
        yield Finding(
            Level.NOTE,
            "this box asks no authority for warnings",
            "Add a [sources.nina] table: docs/sources.md.",
        )
    folder = os.path.dirname(box.settings.store.words_path)
    for name in box.settings.sources:
        checked_at = _checked_at(os.path.join(folder, f"source-{name}.json"))
        again = f"Try it: `sudo -u kiezbox kiezbox source fetch {name}`."
        if checked_at is None:
            yield Finding(Level.BROKEN, f"{name}: has never been asked with success", again)
        elif box.clock.now() - checked_at > OLD_S:
            hours = (box.clock.now() - checked_at) / 3600
            # In an outage that is to be expected; the node's faults say why.
            yield Finding(Level.NOTE, f"{name}: last asked {hours:.0f} hours ago", again)
        else:
            yield Finding(Level.FINE, f"{name}: was asked within the last hours")


def _checked_at(path: str) -> float | None:
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
        return float(found["checked_at"])
    except (OSError, ValueError, TypeError, KeyError):
        return None
