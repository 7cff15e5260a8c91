"""Where a sensor hangs, and since when: what it measured in a flat stays there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kiezbox import sensors as drivers
from kiezbox.clock import ManualClock
from kiezbox.model import Batch, Reading, Series, serial_of
from kiezbox.node.private import Privacy
from kiezbox.privacy.consent import Consents
from kiezbox.privacy.places import public_since
from kiezbox.store.queries import Names


class Box:
    """Its settings, and the node's part that asks what may leave."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock()
        self.sensors: dict[str, dict[str, Any]] = {"s": {"driver": "bme280"}}
        self.path = str(folder / "consents.jsonl")

    def hangs(self, where: str) -> Box:
        """Its settings say so from now on, and the node starts."""
        self.clock.advance(100)
        self.sensors["s"]["where"] = where
        self.start()
        return self

    def start(self) -> Privacy:
        privacy = Privacy(self.sensors, self.path, self.clock)
        privacy.tell_the_portal()
        return privacy

    def leaves(self, taken_at: float, sensor: str = "s") -> bool:
        reading = Reading(serial_of(1, 1), 1, int(taken_at * 1000), 0, 20.0)
        batch = Batch("kb-1", {1: Series(sensor, "temperature_c")}, [reading])
        return bool(len(Privacy(self.sensors, self.path, self.clock).of("mqtt").passed(batch)))


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path)


@pytest.mark.parametrize("driver", drivers.drivers())
def test_no_driver_says_by_itself_that_it_hangs_outside(driver: str) -> None:
    module = drivers.load(driver)

    assert module.Settings.__dataclass_fields__["where"].default == "indoor"


def test_one_that_never_hung_in_a_flat_is_public_from_the_beginning(box: Box) -> None:
    box.hangs("outdoor")

    assert box.leaves(1.0) and not Path(box.path).exists(), "nothing is to be remembered"
    box.hangs("box")
    assert box.leaves(1.0), "from the roof into the box: both are public"


@pytest.mark.parametrize("sensor", ["s", "s_corrected"])
def test_what_it_measured_in_the_flat_stays_there_when_it_is_carried_out(
    box: Box, sensor: str
) -> None:
    box.hangs("indoor")
    assert not box.leaves(box.clock.now(), sensor)
    box.hangs("outdoor")
    moved_at = box.clock.now()

    assert not box.leaves(moved_at - 1, sensor) and box.leaves(moved_at, sensor)
    box.hangs("indoor")
    assert not box.leaves(moved_at, sensor)
    box.hangs("outdoor")
    assert not box.leaves(moved_at, sensor) and box.leaves(box.clock.now(), sensor)


def test_of_one_of_which_nobody_said_where_nothing_leaves_later_either(box: Box) -> None:
    box.start()
    box.hangs("outdoor")

    assert not box.leaves(box.clock.now() - 50)


def test_while_the_clock_is_not_set_it_is_private_still(box: Box) -> None:
    box.hangs("indoor")
    box.clock.trusted = False
    box.hangs("outdoor")
    assert not box.leaves(box.clock.now())

    box.clock.trusted = True
    box.start()
    assert box.leaves(box.clock.now())


def test_the_pages_show_it_from_then_on(box: Box, tmp_path: Path) -> None:
    box.hangs("indoor")
    box.hangs("outdoor")

    table = json.loads((tmp_path / "public.json").read_text())

    assert table["s"] == [[box.clock.now(), None]]


def test_a_sensor_with_the_name_of_anothers_corrected_series_is_not_public_by_it() -> None:
    sensors = {"roof": {"where": "outdoor"}, "roof_corrected": {"where": "indoor"}}

    assert set(public_since(sensors, Consents())) == {"roof"}


def test_a_reading_whose_name_a_damaged_card_has_lost_stays_where_a_flat_is_measured(
    box: Box,
) -> None:
    reading = Reading(serial_of(1, 1), 7, 1_779_000_000_000, 0, 20.0)
    lost = Batch("kb-1", Names({}), [reading])

    def leaves() -> bool:
        privacy = Privacy(box.sensors, box.path, box.clock)
        return bool(len(privacy.of("mqtt").passed(lost)))

    box.hangs("outdoor")
    assert leaves(), "it can only be from outside"
    box.hangs("indoor")
    assert not leaves()
    box.hangs("outdoor")
    assert not leaves()
