"""Every publisher is told of which sensors something may leave the box, and when that changes,
so that what it keeps of a sensor at the other side can be taken away.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from publishers.rig import Rig

from kiezbox.clock import ManualClock
from kiezbox.model import Batch, Measurement, Quantity
from kiezbox.node.carrier import Carrier
from kiezbox.node.private import Privacy
from kiezbox.sensors import sds011
from kiezbox.store.consents import ConsentFile

SENSORS: dict[str, dict[str, Any]] = {
    "roof": {"driver": "bme280", "where": "outdoor", "interval_s": 30, "saving_interval_s": 45},
    "battery": {"driver": "ina219", "where": "box", "saving_interval_s": 0},
    "sds011": {"where": "outdoor", "saving_interval_s": 1},
    "flat": {"driver": "bme280", "where": "indoor", "saving_interval_s": 1},
    "forgotten": {"driver": "bme280"},
}
PUBLIC = {
    "roof": {"interval_s": 30.0, "saving_interval_s": 45.0, "quantities": None},
    "battery": {"interval_s": 60.0, "quantities": None},
    "sds011": {"interval_s": sds011.Settings.__dataclass_fields__["interval_s"].default,
               "quantities": None},
}  # fmt: skip


class Ledger:
    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock()
        self.file = ConsentFile(str(folder / "consents.jsonl"))
        self.privacy = Privacy(SENSORS, self.file.path, self.clock)

    def say(self, change: str, **more: Any) -> None:
        self.clock.advance(1)
        self.file.append({"change": change, "at": self.clock.now(), **more})

    def consent(self, recipient: str, *quantities: str) -> None:
        self.say(
            "given", sensor="flat", quantities=list(quantities), recipient=recipient,
            person="tenant", purpose="a study", text_version="1",
            address=f'driver = "{recipient}"',
            until=self.clock.now() + 86400,
        )  # fmt: skip


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path)


def test_sensors_that_are_nobodys_private_life_are_told_with_their_interval(
    ledger: Ledger,
) -> None:
    assert ledger.privacy.of("mqtt").told() == {"sensors": PUBLIC}


def test_a_flats_sensor_is_told_to_whom_it_may_go_as_long_as_it_may(ledger: Ledger) -> None:
    mqtt, other = ledger.privacy.of("mqtt"), ledger.privacy.of("other")

    ledger.consent("mqtt", "humidity_percent")
    ledger.consent("mqtt", "temperature_c")
    flat = {"interval_s": 60.0, "quantities": ["humidity_percent", "temperature_c"]}
    assert mqtt.told() == {"sensors": PUBLIC | {"flat": flat}}
    assert other.told() == {"sensors": PUBLIC}
    ledger.say("revoked", number=1)
    assert mqtt.told()["sensors"]["flat"]["quantities"] == ["temperature_c"]
    ledger.consent("mqtt", "*")
    assert mqtt.told()["sensors"]["flat"]["quantities"] is None
    ledger.clock.advance(86_401)

    assert mqtt.told() == {"sensors": PUBLIC}


def test_a_ledger_that_cannot_be_read_tells_of_no_flat(ledger: Ledger) -> None:
    ledger.consent("mqtt", "*")
    with open(ledger.file.path, "a", encoding="utf-8") as behind:
        behind.write("{\n")

    assert ledger.privacy.of("mqtt").told() == {"sensors": PUBLIC}


class Ear:
    """A publisher that only listens to what is announced."""

    window = 10

    def __init__(self) -> None:
        self.said: list[Any] = []

    def publish(self, batch: Batch) -> None: ...

    def announce(self, kind: str, document: Mapping[str, Any]) -> None:
        if kind == "sensors":
            self.said.append(document["sensors"])

    def link(self) -> str:
        return "connected"

    def close(self) -> None: ...


def test_the_worker_says_it_first_and_then_when_it_changes(rig: Rig, ledger: Ledger) -> None:
    ear, filter_ = Ear(), ledger.privacy.of("mqtt")
    carrier = Carrier(rig.store(), ear, "mqtt", rig.clock, filter_.passed, filter_.told)

    carrier.step()
    carrier.step()
    ledger.consent("mqtt", "*")
    carrier.step()
    ledger.say("moved", sensor="flat")
    carrier.step()
    carrier.step()

    assert [sorted(said) for said in ear.said] == [
        sorted(PUBLIC), sorted([*PUBLIC, "flat"]), sorted(PUBLIC),
    ]  # fmt: skip


def test_what_was_rejected_of_a_flat_is_forgotten_with_its_consent(
    rig: Rig, ledger: Ledger
) -> None:
    """It waits for nothing any more, and the other side's answer may hold the value."""
    store, filter_ = rig.store(), ledger.privacy.of("mqtt")
    ledger.consent("mqtt", "*")
    for clock in (ledger.clock, rig.clock):
        clock.advance(5)
    for sensor in ("flat", "roof"):
        store.add(sensor, [Measurement(Quantity.TEMPERATURE_C, 21.5)])
        store.put_dead_letter("mqtt", store.newest_serial, f"{sensor}: 21.5 is not taken")
    carrier = Carrier(store, Ear(), "mqtt", rig.clock, filter_.passed, filter_.told)
    carrier.step()
    assert len(store.dead_letters("mqtt")) == 2

    ledger.say("revoked", number=1)
    carrier.step()

    assert [each.why for each in store.dead_letters("mqtt")] == ["roof: 21.5 is not taken"]


def test_a_fault_of_a_flats_sensor_is_told_to_whom_its_readings_go(
    rig: Rig, ledger: Ledger
) -> None:
    class Faults(Ear):
        def announce(self, kind: str, document: Mapping[str, Any]) -> None:
            if kind == "faults":
                self.said.append([fault["source"] for fault in document["faults"]])

    store, filter_, ear = rig.store(), ledger.privacy.of("mqtt"), Faults()
    for source in ("sensors.flat", "sensors.flat.quality", "sensors.roof", "card"):
        store.open_fault(source, "stuck", f"{source}: nothing new for an hour", "")
    carrier = Carrier(store, ear, "mqtt", rig.clock, filter_.passed, filter_.told)

    carrier.step()
    ledger.consent("mqtt", "*")
    carrier.step()
    ledger.say("moved", sensor="flat")
    carrier.step()

    without = ["card", "sensors.roof"]
    everything = ["card", "sensors.flat", "sensors.flat.quality", "sensors.roof"]
    assert [sorted(each) for each in ear.said] == [without, everything, without]


def test_while_a_consent_holds_its_end_is_looked_for_every_second(ledger: Ledger) -> None:
    filter_ = ledger.privacy.of("mqtt")

    filter_.told()
    assert filter_.pace_s() > 60, "nobody has agreed to anything"
    ledger.consent("mqtt", "*")
    filter_.told()
    assert filter_.pace_s() <= 1.0


def test_until_the_clock_is_set_a_flats_sensor_stays_described_but_not_after_its_end(
    ledger: Ledger,
) -> None:
    """Home Assistant would forget at each power cut how people there have called it."""
    filter_ = ledger.privacy.of("home_assistant")
    ledger.consent("home_assistant", "*")
    ledger.clock.trusted = False
    ledger.clock.set_wall(1_700_000_000.0)

    assert "flat" in filter_.told()["sensors"]
    ledger.say("revoked", number=1)
    assert "flat" not in filter_.told()["sensors"]
