"""The node tells the desk what helps in the rooms: a real node over simulated chips."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from box import Box, wait_for

from kiezbox.hardware.simulated.bme280 import SimulatedBme280
from kiezbox.situation import understand

BEDROOM = """
[sensors.bedroom]
driver = "bme280"
where = "indoor"
address = 0x77
interval_s = 1
deadline_s = 2
"""


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    box = Box(tmp_path, more=BEDROOM)
    bedroom = SimulatedBme280()
    bedroom.set(temperature_c=20.0, humidity_percent=68.0, pressure_hpa=1008.0)
    box.bench.attach(0x77, bedroom)
    box.climate.set(temperature_c=5.0, humidity_percent=90.0, pressure_hpa=1008.0)
    yield box
    box.close()


def test_what_helps_in_a_room_stands_where_the_desk_sees_it_and_no_resident_does(box: Box) -> None:
    box.start()

    found = wait_for(lambda: box.facts().get("advice"), "the advice")
    facts = box.facts()
    said = box.kiezbox("advice", "--json", "--language", "de")

    assert [(each["room"], each["code"]) for each in found] == [
        ("bedroom", "damp_air_now"), ("bedroom", "wall_estimated"),
    ]  # fmt: skip
    told = json.loads(said.stdout)
    advice, estimate = told["advice"]
    assert advice["text"] == "Lüften hilft jetzt: Draußen ist es trockener."
    # No probe on a wall: nothing here may look like a measured one.
    assert estimate["text"].startswith("Geschätzt, nicht gemessen:")
    (room,) = told["rooms"]
    assert (room["wall_c"], room["hours_damp"]) == (None, None)
    assert estimate["value"] == room["estimated_percent"] > 80
    seen = understand(facts, now=facts["written_at"], speed=1.0, source="node")
    assert "damp_air_now" not in json.dumps(seen, default=str)


def test_a_room_whose_sensor_falls_silent_gets_no_more_advice(box: Box) -> None:
    box.start()
    wait_for(lambda: box.facts().get("advice"), "the advice")

    box.bench.fault(0x77, "vanish")

    wait_for(lambda: box.facts().get("advice") == [], "silence")
