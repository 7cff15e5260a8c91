"""A publisher whose worker died is opened anew, and the box goes on delivering."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kiezbox.clock import SystemClock
from kiezbox.model import Measurement, Quantity
from kiezbox.node.carrier import Carrier
from kiezbox.node.delivering import Delivery, delivery_of
from kiezbox.node.private import Privacy
from kiezbox.settings import BatterySettings, BoxSettings, PowerSettings, Settings, StoreSettings
from kiezbox.store import Store


@pytest.fixture
def delivery(tmp_path: Path) -> Iterator[Delivery]:
    settings = Settings(
        box=BoxSettings(id="kb-test"),
        store=StoreSettings(path=str(tmp_path / "kb.db")),
        power=PowerSettings(battery=BatterySettings(sensor="battery")),
    )
    store = Store.open(settings.store, "kb-test", SystemClock())
    table = {"driver": "file", "path": str(tmp_path / "out.senml")}
    store.add("roof", [Measurement(Quantity.TEMPERATURE_C, 21.5)])
    privacy = Privacy(
        {
            "roof": {"driver": "bme280", "where": "outdoor"},
            "battery": {"driver": "ina219", "where": "box"},
        },
        str(tmp_path / "consents"),
        SystemClock(),
    )
    may_leave = privacy.of("stick")
    yield delivery_of("stick", table, settings, store, SystemClock(), lambda *_: None, may_leave)
    store.close()


def test_a_worker_that_starts_again_gets_a_publisher_that_has_not_hung_up(
    delivery: Delivery,
) -> None:
    first = delivery._make(lambda: True)
    first.close()

    second = delivery._make(lambda: True)
    second.step()

    assert second is not first
    assert delivery.facts()["delivered"] == 1
    second.close()


def test_a_publisher_that_is_opened_anew_is_told_what_the_one_before_it_was_told(
    delivery: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery._make(lambda: True).close()
    delivery.announce("state", {"mode": {"name": "normal"}})
    delivery.announce("state", {"mode": {"name": "saving"}})
    told: list[tuple[str, object]] = []
    monkeypatch.setattr(Carrier, "announce", lambda _, kind, said: told.append((kind, said)))

    delivery._make(lambda: True).close()

    assert told == [("state", {"mode": {"name": "saving"}})]


def test_what_the_box_decides_by_is_told_as_read_at_its_own_pace_also_where_others_rest(
    delivery: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: dict[str, Any] = {}
    monkeypatch.setattr(
        "kiezbox.publishers.file.File.announce", lambda _, kind, said: told.update({kind: said})
    )

    delivery._make(lambda: True).step()

    assert told["sensors"]["sensors"] == {
        "roof": {"interval_s": 60.0, "saving_interval_s": 600.0, "quantities": None},
        "battery": {"interval_s": 60.0, "quantities": None},
    }


def test_a_stick_in_its_socket_is_no_uplink(delivery: Delivery) -> None:
    task = delivery._make(lambda: True)
    task.step()

    assert task.link() == "connected" and not task.proves_uplink
