"""Since when a sensor hangs where nobody lives.

A sensor that hung in a flat and is carried to the roof keeps its name, and so its past: what it
measured in the flat stays private. So the ledger of consents notes where a sensor hangs, as soon as
it hangs in somebody's rooms or leaves them. A sensor that never did is public from the beginning.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kiezbox.quality import SUFFIX
from kiezbox.settings import PUBLIC_PLACES

if TYPE_CHECKING:
    from kiezbox.privacy.consent import Consents

__all__ = ["public_since", "to_be_noted"]

Tables = Mapping[str, Mapping[str, Any]]


def public_since(sensors: Tables, consents: Consents) -> dict[str, float]:
    """Name → from when on (Unix seconds) what it measured is nobody's private life, of
    kiezbox.toml's tables; 0: from the beginning. Of a sensor that is not in it, nothing is public:
    it hangs indoors, or nobody has said where, or it left a flat and nobody has noted when.
    """
    found: dict[str, float] = {}
    for name, table in sensors.items():
        noted = consents.placed.get(name)
        if table.get("where") not in PUBLIC_PLACES or (noted and noted[0] not in PUBLIC_PLACES):
            continue
        found[name] = noted[1] if noted else 0.0
        # What is corrected is as public as the sensor; a sensor that took such a name is not.
        if name + SUFFIX not in sensors:
            found[name + SUFFIX] = found[name]
    return found


def to_be_noted(
    sensors: Tables, consents: Consents, now: float, *, is_sure: bool
) -> list[dict[str, Any]]:
    """Lines for the ledger, so that it knows where each sensor hangs from now on. ``is_sure``:
    whether the clock can be believed; that a sensor left a flat is noted only then, because the
    moment decides what is private.
    """
    found: list[dict[str, Any]] = []
    for name, table in sensors.items():
        where = table.get("where") if table.get("where") in PUBLIC_PLACES else "indoor"
        noted = consents.placed.get(name)
        was_public = noted is None or noted[0] in PUBLIC_PLACES
        is_public = where != "indoor"
        if was_public != is_public and (is_sure or not is_public):
            found.append({"change": "placed", "at": now, "sensor": name, "where": where})
    return found
