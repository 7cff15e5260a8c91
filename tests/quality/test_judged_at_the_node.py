"""From a driver's read to the store: the value as it came, the verdict beside it, over restarts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kiezbox.cli import readings
from kiezbox.clock import ManualClock
from kiezbox.errors import SensorMissing, SettingsError
from kiezbox.hardware.box import BoxHardware
from kiezbox.model import Batch, Flag, Measurement, Quantity, Reading, Series, serial_of
from kiezbox.node.judging import Judging
from kiezbox.node.latest import Latest
from kiezbox.node.private import Privacy
from kiezbox.node.sensing import Sensing
from kiezbox.settings import HardwareSettings, SensorSettings, StoreSettings, parse
from kiezbox.store import Store, StoreReader
from kiezbox.store.consents import ConsentFile

T, RH, P = Quantity.TEMPERATURE_C, Quantity.HUMIDITY_PERCENT, Quantity.PRESSURE_HPA
FINE, COARSE = Quantity.PM2_5_UG_M3, Quantity.PM10_UG_M3


@dataclass
class Part:
    """What stands at the place of a driver: it says what it was told to say."""

    quantities: tuple[Quantity, ...]
    values: Sequence[float] | None = None

    def read(self) -> list[Measurement]:
        if self.values is None:
            raise SensorMissing("nobody answers")
        return [Measurement(q, v) for q, v in zip(self.quantities, self.values, strict=True)]

    def close(self) -> None: ...


class Roof:
    """A store on disk, two sensors over it, and a clock that moves when told to."""

    def __init__(self, folder: Path, more: dict[str, Any] | None = None) -> None:
        self.folder, self.clock = folder, ManualClock()
        self.parts = {"roof": Part((T, RH, P)), "dust": Part((FINE, COARSE))}
        base = {"driver": "x", "where": "outdoor"}
        tables = {"roof": base | (more or {}), "dust": dict(base)}
        self.known = {
            name: (self._driver(self.parts[name]), parse(SensorSettings, table, f"sensors.{name}"))
            for name, table in tables.items()
        }
        self.hardware = BoxHardware(HardwareSettings())
        self.start()

    @staticmethod
    def _driver(part: Part) -> Any:
        return SimpleNamespace(QUANTITIES=part.quantities, open=lambda settings, hardware: part)

    def start(self) -> None:
        """As the node does, after a power cut or for the first time."""
        settings = StoreSettings(path=str(self.folder / "kiezbox.db"))
        self.store = Store.open(settings, "kb-1", self.clock)
        self.latest = Latest(lambda: None)
        judging = Judging(self.known, self.store, self.clock)
        self.tasks = {
            name: Sensing(
                name, driver, its, self.hardware, self.store, self.latest, self.clock,
                judging.of(name), lambda: True,
            )
            for name, (driver, its) in self.known.items()
        }  # fmt: skip

    def stop(self) -> None:
        self.store.close()

    def reads(self, name: str, *values: float) -> dict[str, Reading]:
        """One read of a minute; what is stored of it."""
        self.parts[name].values = values or None
        before = self.store.newest_serial
        self.tasks[name].step()
        self.clock.advance(60)
        batch = self.store.after(before, 20)
        return {str(batch.series[reading.series]): reading for reading in batch}


@pytest.fixture
def roof(tmp_path: Path) -> Iterator[Roof]:
    roof = Roof(tmp_path)
    yield roof
    roof.stop()


def test_a_doubted_value_is_stored_as_it_came_with_flag_and_reason(roof: Roof) -> None:
    stored = roof.reads("roof", -144.0, 100.0, 652.0)

    assert stored["roof/temperature_c"].value == -144.0
    assert stored["roof/pressure_hpa"].value == 652.0
    assert {reading.flag for reading in stored.values()} == {Flag.BAD}
    assert stored["roof/temperature_c"].reason == "range"
    assert roof.latest.good("roof/temperature_c") is None


def test_a_corrected_temperature_is_a_series_of_its_own_beside_the_one_that_was_read(
    tmp_path: Path,
) -> None:
    roof = Roof(tmp_path, {"temperature_offset_k": -4.0})

    stored = roof.reads("roof", 24.0, 40.0, 1008.0)
    failed = roof.reads("roof")
    roof.stop()

    assert (stored["roof/temperature_c"].value, stored["roof/temperature_c"].raw) == (24.0, None)
    assert stored["roof/humidity_percent"].value == 40.0
    assert stored["roof_corrected/temperature_c"].value == 20.0
    assert stored["roof_corrected/temperature_c"].raw == 24.0
    assert stored["roof_corrected/humidity_percent"].value == pytest.approx(51, abs=0.5)
    assert failed == {}
    assert roof.latest.snapshot() == {}


def test_dust_is_judged_by_the_humidity_of_the_sensor_that_hangs_beside_it(roof: Roof) -> None:
    roof.reads("roof", 8.0, 60.0, 1008.0)
    dry = roof.reads("dust", 8.5, 14.2)
    roof.reads("roof", 8.0, 75.0, 1008.0)
    humid = roof.reads("dust", 8.5, 14.2)

    assert {reading.flag for reading in dry.values()} == {Flag.GOOD}
    assert {reading.reason for reading in humid.values()} == {"rh-high"}


def test_a_jump_before_a_power_cut_is_still_a_jump_after_it(roof: Roof) -> None:
    for _ in range(5):
        roof.reads("roof", 6.0, 80.0, 1008.0)
    before = roof.reads("roof", 42.8, 80.0, 1008.0)
    roof.stop()

    roof.clock.advance(120)
    roof.start()
    after = roof.reads("roof", 42.9, 80.0, 1008.0)
    back = roof.reads("roof", 6.2, 80.0, 1008.0)

    assert before["roof/temperature_c"].reason == "step"
    assert after["roof/temperature_c"].reason == "step"
    assert back["roof/temperature_c"].flag == Flag.GOOD


def test_a_sensor_that_stood_still_before_a_restart_has_not_moved_by_it(roof: Roof) -> None:
    for _ in range(70):
        stuck = roof.reads("dust", 7.3, 12.1)
    roof.stop()

    roof.start()
    after = roof.reads("dust", 7.3, 12.1)

    assert stuck["dust/pm10_ug_m3"].reason == "stuck"
    assert after["dust/pm10_ug_m3"].reason == "stuck"


def test_what_is_not_believed_for_an_hour_is_a_fault_until_it_is_good_again(roof: Roof) -> None:
    """Seven years of 652 hPa, because nobody was told."""
    roof.reads("roof", 21.0, 50.0, 1008.0)
    for _ in range(59):
        roof.reads("roof", 21.0, 50.0, 652.0)
    early = roof.store.faults()
    for _ in range(5):
        roof.reads("roof", 21.0, 50.0, 652.0)
    late = [fault for fault in roof.store.faults() if fault.source == "sensors.roof.quality"]
    roof.stop()
    roof.start()
    roof.reads("roof", 21.0, 50.0, 1008.0)

    assert early == []
    (fault,) = late
    assert fault.kind == "range" and "roof/pressure_hpa" in fault.message and fault.hint
    assert roof.store.faults() == []


def test_fog_is_no_fault(roof: Roof) -> None:
    for _ in range(200):
        stored = roof.reads("roof", 4.0, 100.0, 1008.0)

    assert stored["roof/humidity_percent"].reason == "saturated"
    assert [fault for fault in roof.store.faults() if "quality" in fault.source] == []


def test_the_own_limits_of_a_place_count(tmp_path: Path) -> None:
    roof = Roof(tmp_path, {"quality": {"pressure_hpa": {"least": 600}}})

    stored = roof.reads("roof", 4.0, 60.0, 652.0)
    roof.stop()

    assert {reading.flag for reading in stored.values()} == {Flag.GOOD}


def test_settings_that_cannot_be_meant_are_told_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        Roof(tmp_path, {"quality": {"co2_ppm": {"most": 5}, "temperature_c": {"least": 50}}})

    assert "sensors.roof.quality.co2_ppm: this sensor does not measure it" in str(caught.value)
    assert "sensors.roof.quality.temperature_c: least and most leave nothing" in str(caught.value)


def test_the_verb_says_per_series_and_day_what_was_what(
    roof: Roof, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(90):
        roof.reads("roof", 6.0 + n % 3, 60.0 + n % 3, 652.0 if n < 10 else 1008.0 + n % 2 / 10)
    roof.store.flush()
    settings = roof.folder / "kiezbox.toml"
    settings.write_text(
        f'[box]\nid = "kb-1"\n[store]\npath = "{roof.folder}/kiezbox.db"\n'
        '[sensors.roof]\ndriver = "bme280"\n'
    )
    monkeypatch.setattr("kiezbox.cli._common.open_clock", lambda settings: roof.clock)

    assert readings.main(["quality", "--days", "2", "--settings", str(settings)]) == 0
    words = capsys.readouterr().out
    assert readings.main(["quality", "--json", "--settings", str(settings)]) == 0
    document = json.loads(capsys.readouterr().out)

    found = {
        (each["quantity"], reason): count
        for each in document
        for reason, count in each["reasons"].items()
    }
    assert found[("pressure_hpa", "range")] == 10
    assert found[("temperature_c", "cross")] == 10
    assert sum(each["good"] for each in document if each["quantity"] == "temperature_c") == 80
    assert sum(each["missing"] for each in document) == 0
    assert "roof/pressure_hpa" in words and "range 10" in words
    assert "range: the value is beyond what can be here" in words


def test_a_series_of_the_past_is_found_by_halving_and_not_by_reading_the_whole_store(
    roof: Roof,
) -> None:
    for _ in range(300):
        roof.reads("dust", 8.0, 14.0)
    roof.store.fold()
    since_ms = int((roof.clock.now() - 3600) * 1000)
    with StoreReader(str(roof.folder / "kiezbox.db")) as reader:
        position = reader.position_since(since_ms)
        first = reader.after(position, 1).readings[0]
        last_before = reader.after(position - 2, 2).readings[0]

    assert first[2] >= since_ms > last_before[2]


def test_a_corrected_series_is_as_private_as_its_sensors_own(tmp_path: Path) -> None:
    path, clock = str(tmp_path / "consents.jsonl"), ManualClock()
    now = clock.now()
    sensors = {"roof": {"where": "outdoor"}, "bedroom": {"where": "indoor"}}
    roof, bedroom = (Series(f"{name}_corrected", "temperature_c") for name in sensors)

    def leaves(series: Series, name: str = "mqtt") -> bool:
        at_ms = int(clock.now() * 1000)
        reading = Reading(serial_of(1, 1), 1, at_ms, 0, 20.0)
        filter_ = Privacy(sensors, path, clock).of(name)
        return bool(len(filter_.passed(Batch("kb-1", {1: series}, [reading]))))

    before = leaves(roof), leaves(bedroom)
    ConsentFile(path).append(
        {
            "change": "given", "at": now, "sensor": "bedroom", "quantities": ["*"],
            "recipient": "mqtt", "person": "tenant", "purpose": "a study of mould",
            "until": now + 86400, "text_version": "1", "address": 'driver = "mqtt"',
        }
    )  # fmt: skip
    clock.advance(1)

    assert before == (True, False)
    assert leaves(bedroom)
    assert not leaves(bedroom, "influx")
