"""Whether somebody can open what residents seal, and how they come in."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from kiezbox.checks import Examined, Finding, Level


def run(box: Examined) -> Iterator[Finding]:
    path = Path(box.settings.store.words_path)
    if not path.is_file():
        return  # The node makes it when it starts first.
    try:
        # Only read: a file that root makes beside it would be in the portal's way.
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
            keys = {role for (role,) in db.execute("SELECT role FROM role_keys")}
            sql = "SELECT role, count(*) FROM holders WHERE expires_at IS NULL GROUP BY role"
            holders = dict(db.execute(sql))
    except sqlite3.Error:
        return  # `checks.node` and the store's own say what is wrong with it.
    if not keys:
        yield Finding(
            Level.NOTE,
            "no helper has a key: this box asks nobody in need for a name or an exact place",
            "sudo kiezbox helper keys makes one (docs/help.md).",
        )
    for role in sorted(keys):
        if holders.get(role) == 1:
            yield Finding(
                Level.NOTE,
                f"one person alone can open what is sealed to {role}",
                "A lost passphrase cannot be restored: sudo kiezbox helper admit lets in another.",
            )
    if keys and box.settings.help.helper_over_http:
        yield Finding(
            Level.WARNING,
            "helpers may type their passphrase without https",
            "Whoever is near can read it: a certificate (docs/certificate.md), and then"
            " helper_over_http = false in [help].",
        )
