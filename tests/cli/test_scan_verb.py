"""``kiezbox scan``: what hangs on a bench's bus, ports and wire, and the tables it proposes."""

from __future__ import annotations

import json
import os
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kiezbox.cli import run, scan
from kiezbox.hardware.simulated.bench import Bench
from kiezbox.hardware.simulated.bme280 import SimulatedBme280
from kiezbox.hardware.simulated.ds18b20 import SimulatedDs18b20
from kiezbox.hardware.simulated.gps import SimulatedGps
from kiezbox.hardware.simulated.scd4x import SimulatedScd4x

WALL = "28-00000a1b2c3d"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Bench(tmp_path / "bench") as bench:
        yield bench


@pytest.fixture
def toml(tmp_path: Path, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The settings of a new box on that bench; no port of this computer is listened to."""
    path = tmp_path / "kiezbox.toml"
    path.write_text(
        f'[box]\nid = "kb-1"\n[hardware]\ni2c = "{bench.address}"\nonewire = "{bench.address}"\n'
        f'[store]\nrun_dir = "{tmp_path}"\n',
        encoding="utf-8",
    )
    monkeypatch.setattr(scan, "ports", list)
    return path


def scanned(
    toml: Path, monkeypatch: pytest.MonkeyPatch, *options: str, code: int = 0
) -> dict[str, Any]:
    monkeypatch.setattr("sys.argv", ["kiezbox", "scan", "--settings", str(toml), *options])
    assert run() == code
    found: dict[str, Any] = tomllib.loads(toml.read_text(encoding="utf-8")).get("sensors", {})
    return found


def test_what_was_found_is_written_and_not_again(
    toml: Path, bench: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.attach(0x76, SimulatedBme280())
    bench.attach(0x62, SimulatedScd4x())
    bench.attach_onewire(WALL, SimulatedDs18b20())

    found = scanned(toml, monkeypatch, "--add", "--where", "indoor")

    assert found == {
        "scd4x": {"driver": "scd4x", "address": 0x62, "where": "indoor"},
        "bme280": {"driver": "bme280", "address": 0x76, "where": "indoor"},
        "ds18b20": {"driver": "ds18b20", "id": WALL, "where": "indoor"},
    }
    assert scanned(toml, monkeypatch, "--add", "--where", "indoor") == found
    assert "kiezbox.toml has all of it" in capsys.readouterr().out


def test_who_speaks_on_a_port_is_proposed_by_the_ports_lasting_name(
    toml: Path, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = bench.attach_serial("ttyUSB0", SimulatedGps(burst_s=0.1))
    monkeypatch.setattr(scan, "ports", lambda: [port])

    found = scanned(toml, monkeypatch, "--add", "--where", "outdoor")

    # A receiver is the box's, wherever it hangs.
    assert found == {"gps": {"driver": "gps", "port": port, "where": "box"}}


def test_two_adapters_with_one_name_are_both_listed(tmp_path: Path) -> None:
    """Cheap CH340 adapters have no serial number: udev's link by-id is the last one's."""
    dev = tmp_path / "dev"
    for folder, names in (
        ("by-id", {"usb-1a86_USB_Serial-if00-port0": "ttyUSB1"}),
        ("by-path", {"usb-0:1.2:1.0-port0": "ttyUSB0", "usb-0:1.3:1.0-port0": "ttyUSB1"}),
    ):
        (dev / "serial" / folder).mkdir(parents=True)
        for name, target in names.items():
            (dev / target).touch()
            (dev / "serial" / folder / name).symlink_to(f"../../{target}")
    for name, target in (("serial0", "ttyS0"), ("serial1", "ttyAMA0")):
        (dev / target).touch()
        (dev / name).symlink_to(target)

    assert scan.ports(str(tmp_path)) == [
        f"{dev}/serial/by-id/usb-1a86_USB_Serial-if00-port0",
        f"{dev}/serial/by-path/usb-0:1.2:1.0-port0",
        f"{dev}/serial0",
    ]


def test_beside_a_running_node_nobody_asks_its_chips(
    toml: Path, tmp_path: Path, bench: Bench, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    bench.attach(0x76, SimulatedBme280())
    (tmp_path / "now.json").write_text(json.dumps({"written_at": time.time()}))

    scanned(toml, monkeypatch, "--add", "--where", "indoor", code=1)

    assert "systemctl stop kiezbox-node" in capsys.readouterr().err
    assert os.path.getsize(toml) < 400


def test_a_driver_that_must_be_told_more_is_named_and_not_half_written() -> None:
    found = scan._complete(scan.Proposal("A02YYUW", {"driver": "a02yyuw", "port": "/dev/x"}))

    assert not found.table and "mounting_height_m" in found.note
