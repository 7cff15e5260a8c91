"""Readings that a publisher's other side would not take."""

from __future__ import annotations

from collections.abc import Iterator

from kiezbox.checks import Examined, Finding, Level
from kiezbox.errors import StoreError
from kiezbox.store import StoreReader


def run(box: Examined) -> Iterator[Finding]:
    try:
        with StoreReader(box.settings.store.path, clock=box.clock) as store:
            letters = store.dead_letters()
    except StoreError:
        return  # Others say so.
    for name in sorted({letter.publisher for letter in letters}):
        some = [letter for letter in letters if letter.publisher == name]
        yield Finding(
            Level.WARNING,
            f"{name}: {len(some)} readings were rejected and put aside, the last because:"
            f" {some[-1].why}",
            f"kiezbox publish {name} --dead-letters shows them; with --retry they are sent again,"
            " with --forget they are given up.",
        )
