"""A point that an operator adds, corrects or takes away. Which word on a point counts, says
``place.added``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kiezbox.records.folds import Told, thing_of
from kiezbox.records.things import Thing

#: Fields that a page needs, as they are.
_SHOWN = ("type", "latitude", "longitude", "address", "hours", "phone", "details")


def fold(first: Told, changes: Sequence[Told]) -> Thing | None:
    """Only who has the right to moderate may say where something is. ``topic`` is the point's id,
    ``text`` its name, ``state`` "up" or "gone", ``data`` the record's other fields.
    """
    if not first.issuer:
        return None
    body = first.body
    data: dict[str, Any] = {name: body[name] for name in _SHOWN if name in body}
    return thing_of(
        first,
        changes,
        topic=body["point"],
        state="gone" if body.get("is_gone") else "up",
        text=body.get("name", ""),
        data={**data, "issued_at": body.get("issued_at", 0)},
    )
