"""Warnings of authorities, as a box fetched them.

One thing per message. Which message replaces or takes back which is said by identifiers and may
come later than what it is about, so that is worked out where they are shown
(``portal.official``); here each stands for itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kiezbox.records.folds import Told, thing_of
from kiezbox.records.things import Thing

#: Fields of the body that pages need. The texts are the thing's text and not in here: what holds is
#: found out among many messages, and the words of those that do not are never read.
SHOWN = (
    "identifier", "sent_at", "message_type", "severity", "urgency", "certainty", "event",
    "issuer", "starts_at", "ends_at", "areas", "references", "is_all_clear", "is_exercise",
    "category", "fetched_at", "fetched_from", "response", "event_codes", "is_gone",
)  # fmt: skip


def fold(first: Told, changes: Sequence[Told]) -> Thing:
    """``topic`` is the source, ``text`` the words of all languages as JSON, ``issuer`` who vouches
    for having fetched it there (see ``trust``).
    """
    body = first.body
    data: dict[str, Any] = {name: body[name] for name in SHOWN if name in body}
    return thing_of(
        first,
        changes,
        topic=body["source"],
        state=str(body.get("message_type", "")).lower(),
        text=body["texts"],
        data=data,
    )
