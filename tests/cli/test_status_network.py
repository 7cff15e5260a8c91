"""What `kiezbox status` says of the street, from now.json's part ``network``."""

from __future__ import annotations

from typing import Any

import pytest

from kiezbox.cli.status import network_words

NOW = 1_767_466_800.0

CLOSED: dict[str, Any] = {
    "wanted": "closed",
    "since": NOW - 86400,
    "access_point": "radio",
    "ssid": "Kiezbox-Notfall",
    "name": "kiezbox.internal",
    "address": "198.51.100.1",
    "https_name": None,
    "is_on_air": None,
    "slice": None,
    "guests": None,
    "uplink": "unknown",
    "guest_uplink": "none",
    "mesh": None,
}
OPEN = CLOSED | {"wanted": "emergency", "since": NOW - 600, "is_on_air": True, "guests": 3}


def test_an_ordinary_day_is_one_line() -> None:
    assert network_words(CLOSED, NOW) == ["emergency WLAN off"]


def test_an_emergency_on_the_air_says_its_name_and_who_is_there() -> None:
    assert network_words(OPEN, NOW) == [
        "emergency WLAN on the air, every guest is led to the portal"
        ' ("Kiezbox-Notfall", for 10 min)',
        "guests: 3; portal at http://kiezbox.internal/",
    ]


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            {"is_on_air": False},
            "emergency WLAN wanted but NOT on the air, every guest is led to the portal",
        ),
        ({"wanted": "dark", "is_on_air": None}, "everything off, the battery is empty"),
        (
            {"https_name": "portal.example.org"},
            "guests: 3; portal at http://kiezbox.internal/ and https://portal.example.org/",
        ),
        ({"slice": {"is_open": True, "changes_at": NOW + 300}}, "time slice closes in 5 min"),
        ({"slice": {"is_open": False, "changes_at": NOW + 60}}, "time slice opens in 60 s"),
        (
            {"uplink": "mesh", "guest_uplink": "all"},
            "uplink another box's, over the mesh, given to guests: all",
        ),
        ({"mesh": {"interface": "wlan1", "neighbours": 2}}, "mesh on wlan1, neighbours: 2"),
    ],
)
def test_each_thing_worth_knowing_has_its_line(changes: dict[str, Any], line: str) -> None:
    assert line in network_words(OPEN | changes, NOW)
