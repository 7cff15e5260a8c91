"""Whether official warnings come in."""

from __future__ import annotations

import json
from collections.abc import Iterator

from kiezbox.checks import Examined, Finding, Level
from kiezbox.vouched import beside

#: Asked with success so long ago: nobody would hear of a storm.
OLD_S = 6 * 3600


def run(box: Examined) -> Iterator[Finding]:
    if not box.settings.sources:
        yield Finding(
            Level.NOTE,
            "this box asks no authority for warnings",
            "Add a [sources.nina] table: docs/sources.md.",
        )
    # In an outage it is to be expected that nobody answers; the node's faults say why.
    is_calm = ((box.facts or {}).get("mode") or {}).get("name") == "normal"
    for name in box.settings.sources:
        again = f"Try it: `sudo -u kiezbox kiezbox source fetch {name}`."
        try:
            checked_at = _checked_at(beside(box.settings.store.words_path, f"source-{name}.json"))
        except PermissionError:
            yield Finding(
                Level.NOTE,
                f"{name}: when it was asked last cannot be looked at",
                "As root: sudo kiezbox check.",
            )
            continue
        age_s = None if checked_at is None else box.clock.now() - checked_at
        if age_s is None:
            yield Finding(Level.BROKEN, f"{name}: has never been asked with success", again)
        elif age_s > OLD_S:
            yield Finding(
                Level.WARNING if is_calm else Level.NOTE,
                f"{name}: last asked {age_s / 3600:.0f} hours ago: warnings may be missing, and old"
                " ones not taken back",
                again,
            )
        elif age_s < -OLD_S and box.clock.is_trusted():
            yield Finding(
                Level.WARNING,
                f"{name}: was asked in the future: the clock was wrong then, or is now",
                "date; then " + again,
            )
        else:
            yield Finding(Level.FINE, f"{name}: was asked within the last hours")


def _checked_at(path: str) -> float | None:
    """
    Raises:
        PermissionError: whoever asks may not know.
    """
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
        return float(found["checked_at"])
    except PermissionError:
        raise
    except (OSError, ValueError, TypeError, KeyError):
        return None
