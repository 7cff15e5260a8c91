"""What the database knows of a node that does not run: a now.json made of stored things."""

from __future__ import annotations

import sqlite3
from typing import Any

from kiezbox.errors import KiezboxError
from kiezbox.store import StoreReader, Transition

__all__ = ["last_known"]

#: So many of the newest readings are looked through for the last one of each series.
READINGS = 500


def last_known(path: str) -> dict[str, Any] | None:
    """In now.json's form, null where only a running node knows. None: the store says nothing."""
    try:
        with StoreReader(path) as store:
            return _document(store)
    except (KiezboxError, sqlite3.Error, OSError, ValueError, TypeError, LookupError):
        return None


def _document(store: StoreReader) -> dict[str, Any]:
    newest = store.newest_serial
    batch = store.after(max(0, newest - READINGS), READINGS)
    latest = {str(batch.series[reading.series]): reading for reading in batch}
    steps = {machine: store.transitions(machine, 1) for machine in ("mode", "grid")}
    moments = [reading.taken_at for reading in latest.values()]
    moments += [step.at for found in steps.values() for step in found]
    return {
        "version": 1,
        "operator": None,
        "box": {
            "id": batch.box,
            "name": "",
            "latitude": None,
            "longitude": None,
            "accuracy_m": None,
            "country": None,
            "poison_phone": None,
        },
        "written_at": max(moments, default=None),
        "boot": None,
        "clock_trusted": None,
        "mode": next(map(_mode, steps["mode"]), None),
        "grid": next(map(_grid, steps["grid"]), None),
        "battery": None,
        "latest": {
            name: {
                "value": reading.value,
                "flag": reading.flag,
                "reason": reading.reason,
                "taken_at": reading.taken_at,
            }
            for name, reading in latest.items()
        },
        "steps": [],
        "store": None,
        "publishers": {},
        "faults": [],
        "network": None,
    }


def _mode(step: Transition) -> dict[str, Any]:
    """The mode it went into, with what the transition's detail says of the causes."""
    causes = step.detail.get("causes") or {}
    return {
        "name": step.after,
        "since": step.at,
        "causes": [
            {"cause": cause, "since": step.at, "detail": detail} for cause, detail in causes.items()
        ],
        "wanted": None,
        "wanted_in_s": None,
        "order": None,
        "is_exercise": step.after == "exercise",
    }


def _grid(step: Transition) -> dict[str, Any]:
    return {"state": step.after, "since": step.at, "is_sensed": None, "sources": {}}
