"""Points that an operator adds, corrects or takes away in the field: which word on each counts.

A warm room that was opened in a school just now is in no package. Its record (``place_point``) says
all there is to say of the point; the latest word on a point counts, and it stands above whatever a
package says of the same id, also of one that is built later.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from kiezbox.place.points import DETAILS, KINDS, MOST_TEXT, Point, is_point_id

__all__ = ["SOURCE", "Added", "fields_of", "latest", "new_id", "point_of"]

#: ``Point.source`` of what is added here.
SOURCE = "operator"

#: Hundred-thousandths of a degree, as in the record: a metre.
_STEPS = 100_000


class Added(NamedTuple):
    """One word on a point. ``point`` is None where it is not there any more; ``issuer`` is who
    vouches for it, ``issued_at`` (Unix seconds) when it was signed.
    """

    id: str
    point: Point | None
    issuer: str
    issued_at: float
    #: Of two at the same second the higher one counts, on every box.
    order: tuple[str, int] = ("", 0)


def latest(words: Iterable[Added]) -> dict[str, Added]:
    """By id, what counts."""
    found: dict[str, Added] = {}
    for word in words:
        before = found.get(word.id)
        if before is None or (before.issued_at, before.order) < (word.issued_at, word.order):
            found[word.id] = word
    return found


def fields_of(point: Point) -> dict[str, Any]:
    """A record's fields, but for when it is signed."""
    details = {name: value for name, value in sorted(point.details.items()) if value}
    return {
        "point": point.id,
        "type": point.kind,
        "name": point.name,
        "latitude": round((point.latitude + 90) * _STEPS),
        "longitude": round((point.longitude + 180) * _STEPS),
        "address": point.address,
        "hours": point.hours,
        "phone": point.phone,
        "details": json.dumps(details, ensure_ascii=False) if details else "",
    }


def point_of(fields: Mapping[str, Any]) -> Point | None:
    """The point that a record describes; None: that is none."""
    name, kind = str(fields["point"]), fields.get("type", "")
    if not is_point_id(name) or kind not in KINDS:
        return None
    if "latitude" not in fields or "longitude" not in fields:
        return None
    texts = {key: str(fields.get(key, ""))[:MOST_TEXT] for key in ("name", "address", "hours")}
    return Point(
        name,
        kind,
        texts["name"],
        round(fields["latitude"] / _STEPS - 90, 5),
        round(fields["longitude"] / _STEPS - 180, 5),
        texts["address"],
        texts["hours"],
        str(fields.get("phone", "")),
        _details(fields.get("details", "")),
        SOURCE,
    )


def _details(text: str) -> dict[str, str]:
    """Those that have words; nobody's mistake in one costs the others."""
    try:
        found = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {
        name: value[:MOST_TEXT]
        for name, value in found.items()
        if isinstance(value, str)
        and name in DETAILS
        and (not DETAILS[name] or value in DETAILS[name])
    }


def new_id(box: str, taken: Iterable[str]) -> str:
    """One that is not given yet, and that no other box gives.

    >>> new_id("kb-musterplatz-1", ["n42", "kb-musterplatz-1.1", "kb-musterplatz-1.x"])
    'kb-musterplatz-1.2'
    """
    numbers = [0]
    for name in taken:
        origin, _, number = name.rpartition(".")
        if origin == box and number.isdecimal() and len(number) < 9:
            numbers.append(int(number))
    return f"{box}.{max(numbers) + 1}"
