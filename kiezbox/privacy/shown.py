"""What the box's own public pages may show: a small table that the node keeps beside the database,
so that the portal, which may read neither settings nor the ledger of consents, knows it, also while
no node runs.

``{"roof": [[0, null]], "bedroom/humidity_percent": [[1780000000.0, 1790000000.0]],
"consents.jsonl": 512}``: the name of a sensor or of a series → what was measured from when on (Unix
seconds) may be shown until when; null: without an end. What is not in it is not shown. Last, how
long the ledger was: as soon as it is longer, somebody may have revoked something, and nothing that
needs a consent is shown until the table says so again.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kiezbox.privacy.consent import Consents

__all__ = ["FILE", "LEDGER", "Shown", "ledger_bytes", "may_show", "sensor_of_fault", "shown_of",
           "understood"]  # fmt: skip

#: The table's name beside the database, and the ledger's.
FILE = "public.json"
LEDGER = "consents.jsonl"

#: Name → from when, until when; several where several consents hold.
Shown = dict[str, "list[tuple[float, float | None]]"]


def shown_of(public: dict[str, float], consents: Consents, now: float, *, is_sure: bool) -> Shown:
    """``public``: name → since when it hangs where nobody lives; ``is_sure``: whether the clock can
    be believed. If it cannot, nobody knows whether a consent is over, and none counts.
    """
    from kiezbox.privacy.consent import EVERYTHING
    from kiezbox.privacy.recipient import PORTAL

    found: Shown = {}
    if not consents.is_damaged and is_sure:
        for each in consents.holding(now):
            for quantity in each.quantities if each.recipient == PORTAL else ():
                name = each.sensor if quantity == EVERYTHING else f"{each.sensor}/{quantity}"
                found.setdefault(name, []).append((each.given_at, each.until))
    for sensor in sorted(public):
        found.setdefault(sensor, []).append((public[sensor], None))
    return found


def understood(document: Any) -> Shown:
    """The table as it was read, whatever that is: what is no entry shows nothing."""
    found: Shown = {}
    for name, entries in document.items() if isinstance(document, dict) else ():
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, list) and len(entry) == 2 and _is_number(entry[0]):
                if entry[1] is None or _is_number(entry[1]):
                    found.setdefault(str(name), []).append((entry[0], entry[1]))
    return found


def ledger_bytes(document: Any) -> int:
    """How long the ledger was when the table was written."""
    found = document.get(LEDGER, 0) if isinstance(document, dict) else 0
    return found if isinstance(found, int) else -1


def may_show(
    shown: Shown,
    sensor: str,
    quantity: str,
    taken_at: float | None,
    now: float,
    *,
    by_consent: bool = True,
) -> bool:
    """Whether a public page may show what was measured then. ``by_consent``: whether entries with
    an end count, which are consents.

    >>> may_show({"roof": [(0.0, None)]}, "roof", "temperature_c", 5.0, 9.0)
    True
    """
    for name in (sensor, f"{sensor}/{quantity}"):
        for since, until in shown.get(name, ()):
            if (by_consent and now < until) if until is not None else True:
                if since == 0.0 or (taken_at or 0.0) >= since:
                    return True
    return False


def sensor_of_fault(source: str) -> str | None:
    """The sensor that a fault is about, if it is about one.

    >>> sensor_of_fault("sensors.bedroom.quality"), sensor_of_fault("publishers.mqtt")
    ('bedroom', None)
    """
    room, _, rest = source.partition(".")
    return rest.partition(".")[0] if room == "sensors" and rest else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e12
