"""now.json as the portal reads it: half-written, foreign, hostile. There is always a page."""

from __future__ import annotations

import json

from kiezbox.portal.now import PAGE_BYTES, first_page
from kiezbox.portal.sight import parse_json
from kiezbox.situation import understand
from kiezbox.situation.features import collection

NOW = 1_767_466_800.0

SEEDS = [
    json.dumps(
        {
            "version": 1,
            "box": {"id": "kb-1", "name": "Späti", "latitude": 51.2, "longitude": 10.4,
                    "accuracy_m": 25.0},
            "written_at": NOW - 1,
            "boot": 7,
            "clock_trusted": True,
            "mode": {"name": "emergency", "since": NOW - 99, "wanted": None, "wanted_in_s": None,
                     "causes": [{"cause": "grid_lost", "since": NOW - 99, "detail": "lost"}],
                     "order": {"mode": "exercise", "until": NOW + 99}, "is_exercise": False},
            "grid": {"state": "lost", "since": NOW - 99, "is_sensed": True,
                     "sources": {"mains": "lost"}},
            "battery": {"stage": "good", "charge_percent_low": 61.0, "charge_percent_high": 78.0,
                        "hours_left_low": 8.4, "hours_left_high": 13.2, "hours_open_low": 4.2,
                        "hours_open_high": 7.9, "voltage_v": 13.1,
                        "current_a": -0.8},
            "latest": {"roof/temperature_c": {"value": -3.4, "flag": 0, "reason": "",
                                              "taken_at": NOW - 40},
                       "roof/humidity_percent": {"value": 99.9, "flag": 1, "reason": "stuck",
                                                 "taken_at": NOW - 40}},
            "store": {"state": "ok", "newest_serial": 9, "stored_serial": 5, "buffered": 4},
            "publishers": {"mqtt": {"link": "waiting", "backlog": 4, "delivered": 5,
                                    "confirmed_at": NOW - 30}},
            "faults": [{"source": "street", "kind": "timeout", "message": "silent", "hint": "",
                        "opened_at": NOW - 9, "times": 3}],
        }
    ).encode()
]  # fmt: skip


def one(data: bytes) -> None:
    """A page that fits, and a collection that is JSON, whatever the bytes are."""
    try:
        document = parse_json(data)
    except (ValueError, RecursionError):
        document = "unreadable"
    facts = understand(document, now=NOW)
    json.dumps(collection(facts, None), allow_nan=False).encode()
    for language in ("de", "en"):
        assert len(first_page(facts, None, language)) <= PAGE_BYTES
