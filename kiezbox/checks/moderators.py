"""Whether anybody can decide what neighbours have reported."""

from __future__ import annotations

import os
from collections.abc import Iterator

from kiezbox.checks import Examined, Finding, Level
from kiezbox.store.moderators import FILE, believed


def run(box: Examined) -> Iterator[Finding]:
    words = box.settings.store.words_path
    folder = os.path.dirname(os.path.abspath(words))
    if not os.path.isdir(folder) or not os.access(folder, os.X_OK):
        return  # `checks.words` says what is wrong with it.
    if believed(words):
        yield Finding(Level.FINE, "somebody moderates on this box")
    elif os.path.exists(box.settings.abuse.moderator_key):
        yield Finding(
            Level.WARNING,
            f"there is a moderator's key {box.settings.abuse.moderator_key}, and this box does not"
            " believe it",
            f'sudo kiezbox moderate keys --name "ROLE" notes it in {folder}/{FILE}.',
        )
    else:
        yield Finding(
            Level.NOTE,
            "nobody moderates on this box: what neighbours report stays hidden, no ticket is"
            " worked at the command line, no point is added",
            'sudo kiezbox moderate keys --name "ROLE": docs/board.md. Issuers with the right'
            " moderate do without.",
        )
