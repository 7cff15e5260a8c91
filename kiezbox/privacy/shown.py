"""What the box's own public pages may show: a small table that the node keeps beside the database,
so that the portal, which may read neither settings nor the ledger of consents, knows it, also while
no node runs.

``{"roof": [0, null], "bedroom/humidity_percent": [1780000000.0, 1790000000.0]}``: the name of a
sensor or of a series → what was measured from when on (Unix seconds) may be shown until when; null:
without an end. What is not in it is not shown.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kiezbox.privacy.consent import Consents

__all__ = ["FILE", "Shown", "may_show", "shown_of", "understood"]

#: The table's name beside the database.
FILE = "public.json"

#: Name → from when, until when.
Shown = dict[str, "tuple[float, float | None]"]


def shown_of(public: frozenset[str], consents: Consents, now: float) -> Shown:
    """``public``: the sensors that hang where nobody lives."""
    from kiezbox.privacy.consent import EVERYTHING, PORTAL

    found: Shown = {}
    if not consents.is_damaged:
        for each in consents.holding(now):
            for quantity in each.quantities if each.recipient == PORTAL else ():
                name = each.sensor if quantity == EVERYTHING else f"{each.sensor}/{quantity}"
                since, until = found.get(name, (each.given_at, each.ends_at))
                found[name] = min(since, each.given_at), max(until or 0.0, each.ends_at)
    return found | {sensor: (0.0, None) for sensor in sorted(public)}


def understood(document: Any) -> Shown:
    """The table as it was read, whatever that is: what is no entry shows nothing."""
    found: Shown = {}
    for name, entry in document.items() if isinstance(document, dict) else ():
        if isinstance(entry, list) and len(entry) == 2 and _is_number(entry[0]):
            if entry[1] is None or _is_number(entry[1]):
                found[str(name)] = entry[0], entry[1]
    return found


def may_show(shown: Shown, sensor: str, quantity: str, taken_at: float | None, now: float) -> bool:
    """Whether a public page may show what was measured then.

    >>> may_show({"roof": (0.0, None)}, "roof", "temperature_c", 5.0, 9.0)
    True
    """
    for name in (sensor, f"{sensor}/{quantity}"):
        since, until = shown.get(name, (0.0, 0.0))
        if (until is None or now < until) and (since == 0.0 or (taken_at or 0.0) >= since):
            return True
    return False


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e12
