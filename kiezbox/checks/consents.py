"""Whether what residents agreed to still fits where readings go."""

from __future__ import annotations

import os
from collections.abc import Iterator

from kiezbox.checks import Examined, Finding, Level
from kiezbox.privacy.recipient import astray_words, recipients_of
from kiezbox.store.consents import ConsentFile, consents_path


def run(box: Examined) -> Iterator[Finding]:
    path = consents_path(box.settings.store.path)
    if os.path.exists(path) and not os.access(path, os.R_OK):
        yield Finding(Level.NOTE, "the ledger of consents is not ours to read", "Use sudo.")
        return
    consents, now = ConsentFile(path).read(), box.clock.now()
    if consents.is_damaged:
        yield Finding(
            Level.BROKEN,
            "the ledger of consents cannot be read: nothing of any flat is published",
            "`kiezbox consent list` says which line.",
        )
        return
    recipients = recipients_of(box.settings.publishers)
    astray = consents.astray(recipients, now)
    for each in astray:
        why = astray_words(each.number, each.address, recipients.get(each.recipient))
        yield Finding(
            Level.WARNING, f"nothing of {each.sensor} goes to {each.recipient} any more", why
        )
    holding = len(consents.holding(now)) - len(astray)
    if holding and not box.clock.is_trusted():
        yield Finding(
            Level.WARNING,
            f"nobody has set the clock, so nothing goes out by {holding} consents",
            "Nobody can say whether they are over. `kiezbox clock` says who could set it.",
        )
    elif holding:
        yield Finding(Level.FINE, f"{holding} consents hold (kiezbox consent list)")
