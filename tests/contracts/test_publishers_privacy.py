"""Privacy, of every publisher: what of a flat reaches the other side, and where the box is said to
stand. A new file in kiezbox/publishers/ is held to this by its name.
"""

from __future__ import annotations

import ast
import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from broker import wait_for
from contracts.test_publishers import CARRIERS, LATEST, Bench

from kiezbox import publishers
from kiezbox.clock import ManualClock
from kiezbox.model import Measurement, Quantity
from kiezbox.node.carrier import Carrier
from kiezbox.node.private import Privacy
from kiezbox.privacy.grid import public_box
from kiezbox.privacy.recipient import NOT_WHOM, recipient_of
from kiezbox.publishers import Latest
from kiezbox.settings import BoxSettings, StoreSettings, parse
from kiezbox.store import Store
from kiezbox.store.consents import ConsentFile, consents_path

SENSORS = {
    "roof": {"driver": "bme280", "where": "outdoor"},
    "flat": {"driver": "bme280", "where": "indoor"},
    #: Nobody said where.
    "forgotten": {"driver": "bme280"},
}
EXACT = {"latitude": 51.163123, "longitude": 10.448123}


class House:
    """A store, a publisher's worker as the node has it, and what came out at the other side."""

    def __init__(self, carrier: str, folder: Path, stack: ExitStack) -> None:
        self.clock = ManualClock(1_780_000_000.0)
        self.carrier_name = carrier
        self.bench = Bench(carrier, folder, stack)
        self.table = self.bench.receiver.settings()
        settings = StoreSettings(path=str(folder / "kiezbox.db"), run_dir=str(folder))
        self.store = Store.open(settings, "kb-1", self.clock)
        stack.callback(self.store.close)
        self.ledger = ConsentFile(consents_path(settings.path))
        module = self.bench.module
        publisher = module.open(
            parse(module.Settings, self.table),
            public_box(parse(BoxSettings, {"id": "kb-1", **EXACT})),
            self.clock,
            threading.Event().set,
        )
        stack.callback(publisher.close)
        self.publisher = publisher
        self.tables = {name: dict(table) for name, table in SENSORS.items()}
        self.settle()

    def settle(self) -> None:
        """The node starts, with the settings as they are now."""
        publishers = {self.carrier_name: self.table}
        privacy = Privacy(self.tables, self.ledger.path, self.clock, publishers)
        privacy.tell_the_portal()
        may_leave = privacy.of(self.carrier_name)
        self.carrier = Carrier(
            self.store, self.publisher, self.carrier_name, self.clock, may_leave.passed,
            may_leave.told, may_leave.pace_s,
        )  # fmt: skip

    def sensors_outdoors(self, name: str) -> None:
        """Somebody carries it out, says so in kiezbox.toml, and starts the node again."""
        self.tables[name]["where"] = "outdoor"
        self.settle()

    def measure(self, value: float) -> None:
        """Every sensor says something, a minute later or when the publisher wants it."""
        due_s = self.publisher.due_in_s() if isinstance(self.publisher, Latest) else 0.0
        self.clock.advance(max(60.0, due_s))
        for sensor in SENSORS:
            self.store.add(sensor, [Measurement(Quantity.TEMPERATURE_C, value)])

    def deliver(self) -> None:
        """Until nothing waits any more."""

        def is_done() -> bool:
            self.carrier.step()
            return self.carrier.backlog() == 0

        wait_for(is_done, "everything is delivered")

    def sensors(self) -> list[str]:
        """Whose readings came out, in their order."""
        return [name.split("/")[1] for name in self.bench.receiver.names()]

    def are(self, *wanted: str) -> bool:
        """Whether these came out, each so often; of a carrier of the latest values, each at all."""
        if self.carrier_name in LATEST:
            return set(self.sensors()) == set(wanted)
        return sorted(self.sensors()) == sorted(wanted)

    def say(self, change: str, **more: Any) -> None:
        self.clock.advance(1)
        self.ledger.append({"change": change, "at": self.clock.now(), **more})

    def consent(self, name: str = "") -> None:
        recipient = recipient_of(name or self.carrier_name, self.table)
        self.say(
            "given", sensor="flat", quantities=["*"], recipient=recipient.name,
            address=recipient.address, person="tenant", purpose="a study", text_version="1",
            until=self.clock.now() + 86400,
        )  # fmt: skip


@pytest.mark.parametrize("path", sorted(Path(publishers.__path__[0]).glob("*.py")),
                         ids=lambda path: path.name)  # fmt: skip
def test_a_publisher_sees_what_it_is_handed_and_nothing_else(path: Path) -> None:
    """Neither the store, nor settings of others, nor whom it may tell: so it cannot go around."""
    seen = {
        part
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for part in (
            [alias.name for alias in node.names] if isinstance(node, ast.Import)
            else [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        )
    }  # fmt: skip
    forbidden = ("kiezbox.store", "kiezbox.node", "kiezbox.cli", "kiezbox.privacy", "sqlite3")
    assert not [each for each in seen if each.startswith(forbidden)]


@pytest.fixture(params=CARRIERS)
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    with ExitStack() as stack:
        yield House(request.param, tmp_path, stack)


def test_nothing_of_a_flat_leaves_the_box_by_itself(house: House) -> None:
    house.measure(20.0)
    house.deliver()

    wait_for(lambda: house.sensors() == ["roof"], "the outdoor reading alone")
    assert house.carrier.backlog() == 0


def test_with_a_consent_it_leaves_from_then_on(house: House) -> None:
    house.measure(20.0)
    house.consent()
    house.measure(21.0)
    house.deliver()

    wait_for(lambda: house.are("flat", "roof", "roof"), "three readings")


def test_a_consent_for_another_recipient_is_none_for_this_one(house: House) -> None:
    house.consent("somebody_else")
    house.consent("portal")
    house.measure(20.0)
    house.deliver()

    wait_for(lambda: house.sensors(), "the outdoor reading")
    assert house.sensors() == ["roof"]


@pytest.mark.parametrize("change", ["revoked", "moved"])
def test_what_waits_when_it_is_revoked_is_never_sent(house: House, change: str) -> None:
    house.consent()
    house.measure(20.0)  # and no link: it waits
    (given,) = house.ledger.read().given
    house.say(change, sensor="flat", number=given.number)
    house.measure(21.0)
    house.consent()
    house.deliver()

    wait_for(lambda: house.are("roof", "roof"), "the outdoor readings alone")


def test_what_was_tried_while_the_other_side_was_away_is_not_tried_after_its_end(
    house: House,
) -> None:
    """No publisher keeps what it was handed: it is asked for again, and then it is private."""
    house.consent()
    house.clock.advance(60)
    # The first in the queue: without a link some are asked with one reading.
    house.store.add("flat", [Measurement(Quantity.TEMPERATURE_C, 20.0)])
    house.bench.receiver.go_away()
    for _ in range(3):
        house.carrier.step()
    house.say("moved", sensor="flat")
    house.carrier.step()
    house.bench.receiver.come_back()

    def is_back() -> bool:
        house.measure(21.0)
        house.carrier.step()
        return "roof" in house.sensors()

    wait_for(is_back, "the outdoor readings")
    house.deliver()
    assert "flat" not in house.sensors()
    assert "flat" not in house.bench.receiver.kept()


def test_when_a_consent_is_over_nothing_more_leaves(house: House) -> None:
    house.consent()
    house.clock.advance(86401)
    house.measure(20.0)
    house.deliver()

    wait_for(lambda: house.sensors(), "the outdoor reading")
    assert house.sensors() == ["roof"]


def test_a_ledger_that_cannot_be_read_holds_everything_back(house: House) -> None:
    house.consent()
    with open(house.ledger.path, "a", encoding="utf-8") as behind:
        behind.write("{\n")
    house.measure(20.0)
    house.deliver()

    wait_for(lambda: house.sensors(), "the outdoor reading")
    assert house.sensors() == ["roof"]


def test_what_the_other_side_is_still_given_of_it_goes_with_the_consent(house: House) -> None:
    """What a publisher keeps for others to fetch, or left where it is told to whoever comes."""
    house.consent()
    house.measure(20.0)
    house.deliver()
    wait_for(lambda: "flat" in house.sensors(), "the flat's reading")

    house.say("moved", sensor="flat")
    house.carrier.step()

    wait_for(lambda: "flat" not in house.bench.receiver.kept(), "nothing of the flat is there")
    before = house.sensors().count("flat")
    for _ in range(3):
        house.measure(21.0)
        house.deliver()
    assert house.sensors().count("flat") == before


def test_a_consent_is_for_the_address_that_was_shown(house: House) -> None:
    """Every setting that says whither it sends, one after the other; each publisher has one."""
    shown = dict(house.table)
    whither = [key for key in shown if key not in NOT_WHOM]
    assert whither, "no setting of this publisher says to whom it sends: see privacy/recipient.py"
    house.consent()

    for key in (*whither, "owner"):
        value = shown.get(key, "")
        house.table = {**shown, key: value + 1 if isinstance(value, int) else f"{value}x"}
        house.settle()
        house.measure(20.0)
        house.deliver()

    wait_for(lambda: "roof" in house.sensors(), "the outdoor readings")
    assert "flat" not in house.sensors()
    house.table = shown
    house.settle()
    house.measure(21.0)
    house.deliver()
    wait_for(lambda: house.sensors().count("flat") == 1, "the one reading since it is back")


def test_while_nobody_knows_the_time_nothing_of_a_flat_leaves(house: House) -> None:
    """Nor afterwards what was measured then: it may be from before the consent."""
    house.consent()
    house.measure(19.0)  # It waits, and then the box starts anew: is the consent over by now?
    house.clock.trusted = False
    house.measure(20.0)
    for _ in range(3):
        house.carrier.step()
    assert "flat" not in house.sensors()

    house.clock.trusted = True
    house.deliver()
    # Some have waited for the clock, and the consent still holds: the first of the two.
    before = house.sensors().count("flat")
    assert before <= 1
    house.measure(21.0)
    house.deliver()
    wait_for(lambda: house.sensors().count("flat") == before + 1, "what was measured since")


def test_it_ends_at_the_very_second(house: House) -> None:
    house.consent()
    house.measure(20.0)
    house.deliver()
    wait_for(lambda: "flat" in house.sensors(), "the flat's reading")
    (given,) = house.ledger.read().given
    house.clock.advance(given.until - house.clock.now() - 1.0)
    before = house.sensors().count("flat")

    house.store.add("flat", [Measurement(Quantity.TEMPERATURE_C, 21.0)])
    house.deliver()
    wait_for(lambda: house.sensors().count("flat") == before + 1, "the last one")
    house.clock.advance(1.0)
    house.store.add("flat", [Measurement(Quantity.TEMPERATURE_C, 22.0)])
    house.deliver()
    house.carrier.step()

    assert house.sensors().count("flat") == before + 1
    wait_for(lambda: "flat" not in house.bench.receiver.kept(), "nothing of the flat is there")


def test_a_sensor_that_is_carried_to_the_roof_leaves_its_past_in_the_flat(house: House) -> None:
    house.measure(20.0)  # and no link: it waits

    house.clock.advance(60)
    house.sensors_outdoors("flat")
    house.measure(21.0)
    house.deliver()

    wait_for(lambda: house.sensors().count("flat") == 1, "what it measured outdoors, and no more")


def test_the_place_that_is_told_is_the_grids(house: House, tmp_path: Path) -> None:
    """No publisher is ever handed the exact one, so none can tell it."""
    house.measure(20.0)
    house.deliver()
    wait_for(lambda: house.sensors(), "the reading")

    told = json.dumps(house.bench.receiver.names())
    assert "51.1631" not in told and "10.4481" not in told
    for file in tmp_path.rglob("*"):
        if file.is_file():
            assert b"51.1631" not in file.read_bytes(), file
