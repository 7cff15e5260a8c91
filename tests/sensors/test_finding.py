"""What hangs on the bus: every simulated chip is found and called by its name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from contracts.rig import Rig, twin_of

from kiezbox import sensors
from kiezbox.cli.scan import add, proposals
from kiezbox.clock import SystemClock
from kiezbox.errors import SensorError, UsageError
from kiezbox.hardware import Deadline
from kiezbox.sensors._finding import find
from kiezbox.settings import Settings, parse

#: ``electrochemical`` is an ADS1115 with something behind it that no question can tell.
CHIPS = [name for name in sensors.drivers()
         if hasattr(twin_of(name), "ADDRESS") and name != "electrochemical"]  # fmt: skip


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with Rig(tmp_path / "bench") as made:
        yield made


def found(rig: Rig) -> list[Any]:
    deadline = Deadline(SystemClock())
    deadline.start(20.0)
    return find(rig.hardware.i2c(deadline))


def attach(rig: Rig, driver: str) -> Any:
    part = twin_of(driver).make()
    rig.bench.attach(twin_of(driver).ADDRESS, part)
    return part


@pytest.mark.parametrize("driver", CHIPS)
def test_every_chip_is_called_by_its_name(driver: str, rig: Rig) -> None:
    attach(rig, driver)

    (one,) = found(rig)

    assert (one.address, one.driver) == (twin_of(driver).ADDRESS, driver)


def test_a_bmp280_is_not_taken_for_what_it_was_sold_as(rig: Rig) -> None:
    attach(rig, "bme280").fault = "wrong_id"

    (one,) = found(rig)

    assert one.driver == "" and "BMP280" in one.what


def test_a_chip_still_works_after_it_was_asked_who_it_is(rig: Rig) -> None:
    for driver in ("bme280", "scd4x"):
        attach(rig, driver)
        found(rig)
        world = twin_of(driver).WORLDS[0]
        part = twin_of(driver).make()
        rig.bench.attach(twin_of(driver).ADDRESS, part)
        twin_of(driver).show(part, world)
        reader = rig.reader(driver, dict(twin_of(driver).SETTINGS))
        assert {each.quantity for each in reader.read()} == set(reader.module.QUANTITIES)
        reader.close()


def test_on_an_empty_bus_nobody_is_found(rig: Rig) -> None:
    assert found(rig) == []


def test_a_bus_that_hangs_is_said_and_not_waited_for(rig: Rig) -> None:
    attach(rig, "bme280")
    rig.bench.fault(0x76, "hang")
    deadline = Deadline(SystemClock())
    deadline.start(0.3)

    with pytest.raises(SensorError):
        find(rig.hardware.i2c(deadline))


# --- kiezbox scan --------------------------------------------------------------------------------


def settings(rig: Rig, **more: Any) -> Any:
    return parse(Settings, {"box": {"id": "kb-1"}, "hardware": {"i2c": rig.bench.address}, **more})


def test_what_is_not_in_the_settings_is_proposed_and_what_is_there_is_not(rig: Rig) -> None:
    for driver in ("bme280", "ina226", "scd4x"):
        attach(rig, driver)
    given = settings(rig, sensors={"roof": {"driver": "bme280", "where": "outdoor"}})

    tables = [dict(each.table) for each in proposals(given) if each.table]

    assert tables == [
        {"driver": "ina226", "address": 0x40}, {"driver": "scd4x", "address": 0x62},
    ]  # fmt: skip


def test_another_chip_than_the_settings_say_is_named(rig: Rig) -> None:
    attach(rig, "bme680")

    (one,) = proposals(settings(rig, sensors={"roof": {"driver": "bme280"}}))

    assert "BME680" in one.what and "'bme280'" in one.note and not one.table


def test_what_was_added_can_be_read_as_settings(rig: Rig, tmp_path: Path) -> None:
    import tomllib

    for driver in ("bme280", "ina219"):
        attach(rig, driver)
    toml = tmp_path / "kiezbox.toml"
    toml.write_text('[box]\nid = "kb-1"\n[sensors.bme280]\ndriver = "sds011"\n', encoding="utf-8")
    given = parse(
        Settings, tomllib.loads(toml.read_text()) | {"hardware": {"i2c": rig.bench.address}}
    )

    assert add(str(toml), given, list(proposals(given)), "outdoor") == 2

    found_tables = tomllib.loads(toml.read_text(encoding="utf-8"))["sensors"]
    assert found_tables["bme280_2"] == {"driver": "bme280", "address": 0x76, "where": "outdoor"}
    # A meter of the battery is part of the box wherever it hangs.
    assert found_tables["ina219"]["where"] == "box"
    for table in found_tables.values():
        parse(sensors.load(table["driver"]).Settings, table)


def test_without_a_terminal_nobody_guesses_where_a_sensor_hangs(rig: Rig, tmp_path: Path) -> None:
    attach(rig, "bme280")
    toml = tmp_path / "kiezbox.toml"
    toml.write_text("", encoding="utf-8")
    given = settings(rig)

    with pytest.raises(UsageError) as raised:
        add(str(toml), given, list(proposals(given)), None)

    assert "--where" in str(raised.value)
    assert toml.read_text() == ""
