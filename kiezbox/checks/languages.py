"""Whether what residents read is there in every language."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import kiezbox.i18n
from kiezbox.checks import Examined, Finding, Level

#: Where the catalogues are.
FOLDER = Path(kiezbox.i18n.__file__).parent


def run(box: Examined) -> Iterator[Finding]:
    del box  # The catalogues come with the program.
    languages = kiezbox.i18n.LANGUAGES
    # The source language has all rooms.
    rooms = {path.stem for path in (FOLDER / kiezbox.i18n.DEFAULT).glob("*.?o")}
    unbuilt: set[str] = set()
    missing: set[str] = set()
    for language in languages:
        for room in rooms:
            made, written = (FOLDER / language / f"{room}.{end}" for end in ("mo", "po"))
            if made.is_file() and made.stat().st_size > 0:
                continue
            (unbuilt if written.is_file() else missing).add(language)
    if not rooms or kiezbox.i18n.DEFAULT in unbuilt | missing:
        yield Finding(
            Level.BROKEN,
            "texts that every page needs are not there",
            "In a checkout: kiezbox languages build. Else install Kiezbox anew:"
            " sudo provisioning/install.",
        )
    elif unbuilt:
        yield Finding(
            Level.WARNING,
            f"not all catalogues are built: residents read English instead of"
            f" {', '.join(languages[each] for each in languages if each in unbuilt)}",
            "kiezbox languages build, in the checkout that this box was installed from.",
        )
    else:
        # Some rooms are in the chosen languages only, by intent: docs/languages.md.
        yield Finding(Level.FINE, f"the texts are there in {len(languages)} languages")
