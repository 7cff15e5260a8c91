"""``kiezbox read``: one sensor, once, for the person at the cable."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import serial
from contracts.rig import Rig

from kiezbox.cli import read
from kiezbox.hardware.simulated.bme280 import SimulatedBme280
from kiezbox.hardware.simulated.sds011 import SimulatedSds011


@pytest.fixture
def settings(rig: Rig, tmp_path: Path) -> Path:
    chip = SimulatedBme280()
    chip.set(21.5, 55.0, 1008.0)
    rig.bench.attach(0x76, chip)
    port = rig.bench.attach_serial("ttyUSB0", SimulatedSds011(report_s=0.1))
    path = tmp_path / "kiezbox.toml"
    path.write_text(
        f"""
[box]
id = "kb-test"
[store]
path = "{tmp_path}/kiezbox.db"
run_dir = "{tmp_path}/run"
[hardware]
i2c = "{rig.bench.address}"
[sensors.roof]
driver = "bme280"
[sensors.dust]
driver = "sds011"
port = "{port}"
warm_up_s = 0
deadline_s = 2
""",
        encoding="utf-8",
    )
    return path


def kiezbox(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "kiezbox", *arguments], capture_output=True, text=True, timeout=30
    )


def test_the_values_are_printed_with_their_units(
    settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert read.main(["roof", "--settings", str(settings)]) == 0

    assert capsys.readouterr().out.splitlines() == [
        "temperature_c     21.5 °C",
        "humidity_percent  55 %",
        "pressure_hpa      1008.0 hPa",
    ]


def test_programs_get_json(settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert read.main(["dust", "--json", "--settings", str(settings)]) == 0

    document = json.loads(capsys.readouterr().out)
    assert document["sensor"] == "dust"
    assert document["measurements"][0] == {
        "quantity": "pm2_5_ug_m3",
        "value": 8.0,
        "unit": "µg/m³",
        "raw": None,
        "flag": "good",
        "reason": "",
    }


def test_a_doubtful_value_says_why(
    rig: Rig, settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chip = SimulatedBme280()
    chip.fault = "raw_zero"
    rig.bench.attach(0x76, chip)

    assert read.main(["roof", "--settings", str(settings)]) == 0

    assert "temperature_c     -140.9 °C  bad: raw-sentinel" in capsys.readouterr().out


def test_a_sensor_that_is_not_there_ends_with_4_and_says_what_to_do(
    rig: Rig, settings: Path
) -> None:
    rig.bench.fault(0x76, "vanish")

    done = kiezbox("read", "roof", "--settings", str(settings))

    assert done.returncode == 4
    assert done.stderr.startswith("kiezbox: the BME280 at 0x76 does not answer\n")
    assert "SDA (pin 3)" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_name_is_answered_with_those_there_are(settings: Path) -> None:
    done = kiezbox("read", "cellar", "--settings", str(settings))

    assert done.returncode == 2
    assert "There are: roof, dust." in done.stderr


def test_a_port_that_the_running_node_has_is_said(rig: Rig, settings: Path, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    facts = {"written_at": time.time()}
    (tmp_path / "run" / "now.json").write_text(json.dumps(facts), encoding="utf-8")

    with serial.Serial(os.path.join(rig.bench.folder, "ttyUSB0"), exclusive=True):
        done = kiezbox("read", "dust", "--settings", str(settings))

    assert done.returncode == 4
    assert "another program has it" in done.stderr
    assert "The node is running and has it" in done.stderr


def test_a_port_that_somebody_else_has_is_not_blamed_on_the_node(rig: Rig, settings: Path) -> None:
    with serial.Serial(os.path.join(rig.bench.folder, "ttyUSB0"), exclusive=True):
        done = kiezbox("read", "dust", "--settings", str(settings))

    assert done.returncode == 4
    assert "node" not in done.stderr
