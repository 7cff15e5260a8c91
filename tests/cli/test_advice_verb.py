"""``kiezbox advice``: what helps in each room, from what is measured, nothing sent anywhere."""

from __future__ import annotations

import json
import re
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from kiezbox.cli import main
from kiezbox.clock import ManualClock
from kiezbox.errors import NotRunning
from kiezbox.i18n import LANGUAGES, text_of
from kiezbox.indices.advice import CODES
from kiezbox.model import Measurement, Quantity
from kiezbox.settings import StoreSettings
from kiezbox.store import Store

HOUR_S = 3600.0

#: A bedroom with a probe on its wall, a kitchen with CO₂, the roof.
SENSORS = """
[sensors.bedroom]
driver = "bme280"
where = "indoor"
{bedroom}
[sensors.corner]
driver = "ds18b20"
id = "28-00000a1b2c3d"
room = "bedroom"
wall = true
[sensors.kitchen]
driver = "scd4x"
where = "indoor"
[sensors.roof]
driver = "bme280"
where = "outdoor"
address = 0x77
"""


class Box:
    """A folder with settings, now.json and a store, as a running node keeps them."""

    def __init__(self, folder: Path, sensors: str = SENSORS.format(bedroom="")) -> None:
        self.folder = folder
        self.toml = folder / "kiezbox.toml"
        self.toml.write_text(
            f'[box]\nid = "kb-musterplatz-1"\n[store]\npath = "{folder}/kiezbox.db"\n'
            f'run_dir = "{folder}"\n{sensors}'
        )

    def says(self, **latest: Any) -> None:
        """now.json; ``roof__temperature_c=5`` or with (value, flag, age in seconds)."""
        now, entries = time.time(), {}
        for name, given in latest.items():
            value, flag, age_s = given if isinstance(given, tuple) else (given, 0, 30.0)
            entries[name.replace("__", "/")] = {
                "value": value, "flag": flag, "reason": "", "taken_at": now - age_s,
            }  # fmt: skip
        document = {"version": 1, "written_at": now, "latest": entries}
        (self.folder / "now.json").write_text(json.dumps(document))

    def week(self, *, damp_hours: int, suffix: str = "") -> None:
        """100 hours of readings: 20 °C and 60 % in the room, the wall at 12 °C for so many."""
        clock = ManualClock(time.time() - 100 * HOUR_S)
        settings = StoreSettings(path=str(self.folder / "kiezbox.db"), run_dir=str(self.folder))
        with closing(Store.open(settings, "kb-musterplatz-1", clock)) as store:
            for hour in range(100):
                air = [
                    Measurement(Quantity.TEMPERATURE_C, 20.0),
                    Measurement(Quantity.HUMIDITY_PERCENT, 60.0),
                ]
                store.add(f"bedroom{suffix}", air)
                wall = 12.0 if hour < damp_hours else 19.0
                store.add("corner", [Measurement(Quantity.TEMPERATURE_C, wall)])
                clock.advance(HOUR_S)

    def advice(self, capsys: pytest.CaptureFixture[str], *options: str) -> Any:
        capsys.readouterr()
        assert main(["advice", "--settings", str(self.toml), "--json", *options]) == 0
        return json.loads(capsys.readouterr().out)


@pytest.fixture
def box(tmp_path: Path) -> Box:
    found = Box(tmp_path)
    found.week(damp_hours=0)
    return found


def codes(document: Any) -> list[tuple[str, str]]:
    return [(each["room"], each["code"]) for each in document["advice"]]


WINTER = {"roof__temperature_c": 5.0, "roof__humidity_percent": 90.0}


def test_each_room_hears_what_helps_it_now(box: Box, capsys: pytest.CaptureFixture[str]) -> None:
    box.says(
        bedroom__temperature_c=20.0, bedroom__humidity_percent=68.0, kitchen__co2_ppm=2300.0,
        **WINTER,
    )  # fmt: skip

    assert main(["advice", "--settings", str(box.toml), "--language", "de"]) == 0

    assert capsys.readouterr().out.splitlines() == [
        "kitchen: Bitte jetzt lüften: Die Luft ist verbraucht (CO₂: 2300 ppm).",
        "bedroom: Lüften hilft jetzt: Draußen ist es trockener.",
    ]


def test_a_wall_that_was_damp_for_days_is_spoken_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    box = Box(tmp_path)
    # 20 °C and 60 % are 14.0 hPa of water, 100 % at 12 °C: DIN 4108-2's limit is 80 %.
    box.week(damp_hours=40)
    box.says(bedroom__temperature_c=20.0, bedroom__humidity_percent=50.0, **WINTER)

    found = box.advice(capsys, "--language", "en")

    assert codes(found) == [("bedroom", "mould_wall")]
    assert 39 <= found["advice"][0]["value"] <= 41
    assert "hours: " in found["advice"][0]["text"]


@pytest.mark.parametrize(
    "latest",
    [
        {"bedroom__humidity_percent": (68.0, 1, 30.0), "bedroom__temperature_c": 20.0},
        {"bedroom__humidity_percent": (68.0, 0, 4000.0), "bedroom__temperature_c": 20.0},
        {"bedroom__humidity_percent": (None, 0, 30.0), "bedroom__temperature_c": 20.0},
        {"bedroom__humidity_percent": 68.0},
        {},
    ],
)
def test_a_doubtful_old_or_missing_value_advises_nobody(
    box: Box, capsys: pytest.CaptureFixture[str], latest: dict[str, Any]
) -> None:
    box.says(**latest, **WINTER)

    assert codes(box.advice(capsys)) == []
    assert main(["advice", "--settings", str(box.toml)]) == 0
    assert "No room is measured just now" in capsys.readouterr().out


def test_a_warmed_sensor_counts_by_its_corrected_series_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    box = Box(tmp_path, SENSORS.format(bedroom="temperature_offset_k = -4"))
    box.week(damp_hours=50, suffix="_corrected")
    raw = {"bedroom__temperature_c": 24.0, "bedroom__humidity_percent": 53.0}

    box.says(**raw, **WINTER)
    assert [each for each in codes(box.advice(capsys)) if each[1] != "mould_wall"] == []
    box.says(
        **raw, bedroom_corrected__temperature_c=20.0, bedroom_corrected__humidity_percent=67.6,
        **WINTER,
    )  # fmt: skip
    found = box.advice(capsys)

    assert codes(found) == [("bedroom", "mould_wall"), ("bedroom", "damp_air_now")]
    bedroom = found["rooms"][0]
    assert bedroom["climate"].items() >= {"temperature_c": 20.0, "humidity_percent": 67.6}.items()


def test_without_air_outside_it_is_said_that_windows_are_not_spoken_of(
    box: Box, capsys: pytest.CaptureFixture[str]
) -> None:
    box.says(bedroom__temperature_c=20.0, bedroom__humidity_percent=75.0)

    assert main(["advice", "--settings", str(box.toml)]) == 0

    assert "The air outside is not measured" in capsys.readouterr().out


def test_the_coolest_sensor_outside_counts_because_the_sun_warms_housings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = '[sensors.balcony]\ndriver = "bme280"\nwhere = "outdoor"\n'
    box = Box(tmp_path, SENSORS.format(bedroom="") + more)
    box.week(damp_hours=0)
    box.says(balcony__temperature_c=31.0, balcony__humidity_percent=20.0, **WINTER)

    outside = box.advice(capsys)["outside"]
    assert outside.items() >= {"temperature_c": 5.0, "humidity_percent": 90.0}.items()


def test_a_probe_without_a_room_belongs_to_the_only_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    box = Box(
        tmp_path,
        '[sensors.bedroom]\ndriver = "bme280"\n[sensors.corner]\ndriver = "ds18b20"\nwall = true\n'
        'id = "28-00000a1b2c3d"\n',
    )
    box.week(damp_hours=0)
    box.says(
        bedroom__temperature_c=20.0, bedroom__humidity_percent=50.0, corner__temperature_c=14.0
    )

    (room,) = box.advice(capsys)["rooms"]

    assert (room["name"], room["wall_c"]) == ("bedroom", 14.0)


def test_where_no_node_runs_nothing_is_said_of_now(box: Box) -> None:
    with pytest.raises(NotRunning):
        main(["advice", "--settings", str(box.toml)])


def test_every_advice_has_words_in_every_language() -> None:
    for language in LANGUAGES:
        texts = text_of(language, "advice")["codes"]

        assert set(texts) == set(CODES), language
        for text in texts.values():
            assert re.fullmatch(r"[^{}]*(\{value\})?[^{}]*", text), (language, text)
            assert text.format(value="7")


NO_PROBE = """
[sensors.bedroom]
driver = "sht4x"
where = "indoor"
[sensors.roof]
driver = "ds18b20"
id = "28-00000a1b2c3d"
where = "outdoor"
"""


def test_without_a_probe_on_the_wall_it_is_estimated_and_called_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # A thermometer is enough outside. DIN 4108-2 asks for 80 % at most with 50 % at 20 and -5 °C.
    box = Box(tmp_path, NO_PROBE)
    box.week(damp_hours=0)
    box.says(
        bedroom__temperature_c=20.0, bedroom__humidity_percent=58.0, roof__temperature_c=-5.0,
    )  # fmt: skip

    found = box.advice(capsys, "--language", "de")

    assert codes(found) == [("bedroom", "wall_estimated")]
    assert found["advice"][0]["text"].startswith("Geschätzt, nicht gemessen: An einer Außenwand")
    (room,) = found["rooms"]
    assert room["wall_c"] is None and room["hours_damp"] is None
    assert found["outside"] is None and found["outside_c"] == -5.0


def test_a_week_beside_a_cold_wall_is_counted_by_estimate(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # 100 hours of 20 °C and 60 %, and for 40 of them frost outside.
    box = Box(tmp_path, NO_PROBE)
    clock = ManualClock(time.time() - 100 * HOUR_S)
    settings = StoreSettings(path=str(tmp_path / "kiezbox.db"), run_dir=str(tmp_path))
    with closing(Store.open(settings, "kb-musterplatz-1", clock)) as store:
        for hour in range(100):
            store.add(
                "bedroom",
                [
                    Measurement(Quantity.TEMPERATURE_C, 20.0),
                    Measurement(Quantity.HUMIDITY_PERCENT, 60.0),
                ],
            )
            outside = -5.0 if hour < 40 else 14.0
            store.add("roof", [Measurement(Quantity.TEMPERATURE_C, outside)])
            clock.advance(HOUR_S)
    box.says(
        bedroom__temperature_c=20.0, bedroom__humidity_percent=45.0, roof__temperature_c=14.0,
    )  # fmt: skip

    found = box.advice(capsys, "--language", "en")

    assert codes(found) == [("bedroom", "mould_estimated")]
    assert 39 <= found["advice"][0]["value"] <= 41
    assert found["advice"][0]["text"].startswith("Estimated, not measured:")


def test_without_a_temperature_outside_no_wall_is_estimated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    box = Box(tmp_path, NO_PROBE)
    box.week(damp_hours=0)
    box.says(bedroom__temperature_c=20.0, bedroom__humidity_percent=58.0)

    assert codes(box.advice(capsys)) == [("bedroom", "fine")]


SMOKE = """
[sensors.bedroom]
driver = "sht4x"
where = "indoor"
[sensors.roof]
driver = "bme280"
where = "outdoor"
[sensors.street]
driver = "sds011"
where = "outdoor"
port = "/dev/serial0"
"""


def test_on_new_years_eve_nobody_airs_and_the_numbers_say_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    box = Box(tmp_path, SMOKE)
    clock = ManualClock(time.time() - 2 * HOUR_S)
    settings = StoreSettings(path=str(tmp_path / "kiezbox.db"), run_dir=str(tmp_path))
    with closing(Store.open(settings, "kb-musterplatz-1", clock)) as store:
        for _ in range(12):
            # 51 µg/m³ and more of PM2.5 are the agency's last class.
            store.add("street", [Measurement(Quantity.PM2_5_UG_M3, 180.0)])
            clock.advance(600)
    box.says(bedroom__temperature_c=20.0, bedroom__humidity_percent=68.0, **WINTER)

    found = box.advice(capsys)
    capsys.readouterr()
    assert main(["advice", "--settings", str(box.toml), "--language", "en", "--why"]) == 0
    lines = capsys.readouterr().out.splitlines()

    assert ("bedroom", "dust_brief") in codes(found)
    assert ("bedroom", "damp_air_now") not in codes(found)
    assert found["outside_air"] == 4
    climate = found["rooms"][0]["climate"]
    # DIN 4108-3, table of dew points: 13.2 °C at 20 °C and 65 %, 14.4 °C at 70 %. Saturated air of
    # 20 °C holds 17.3 g/m³ (any psychrometric table).
    assert 13.2 < climate["dew_point_c"] < 14.4
    assert abs(climate["water_g_m3"] - 0.68 * 17.3) < 0.1
    (room,) = [line for line in lines if line.startswith("  bedroom: 20.0 °C")]
    assert f"dew point {climate['dew_point_c']:.1f} °C" in room
    assert f"{climate['water_g_m3']:.1f} g/m³ of water" in room
    assert "estimated, not measured" in room
    assert any("dust: very poor (UBA, incomplete)" in line for line in lines)
