"""The simulated DS18B20, judged by the package w1thermsensor (unchanged) on the kernel's text."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiezbox.hardware.simulated.ds18b20 import SimulatedDs18b20
from kiezbox.hardware.simulated.onewire import SimulatedOneWire

IDENTITY = "28-00000a1b2c3d"


def shown(part: SimulatedDs18b20, folder: Path) -> str:
    bus = SimulatedOneWire()
    bus.attach(IDENTITY, part)
    said = bus.text(IDENTITY, lambda: False).decode("ascii")
    (folder / IDENTITY).mkdir(exist_ok=True)
    (folder / IDENTITY / "w1_slave").write_text(said, encoding="ascii")
    return said


@pytest.mark.parametrize("celsius", [-55.0, -10.125, 0.0, 21.5, 85.0625, 125.0])
def test_a_foreign_driver_reads_what_it_was_set_to(
    tmp_path: Path, celsius: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("W1THERMSENSOR_NO_KERNEL_MODULE", "1")
    w1thermsensor = pytest.importorskip("w1thermsensor")
    monkeypatch.setattr(w1thermsensor.W1ThermSensor, "BASE_DIRECTORY", tmp_path)
    part = SimulatedDs18b20(sleep=bool)
    part.set(celsius)
    shown(part, tmp_path)

    judge = w1thermsensor.W1ThermSensor(sensor_id=IDENTITY[3:])

    assert judge.get_temperature() == pytest.approx(celsius, abs=0.001)


def test_after_a_lost_supply_it_says_what_the_data_sheet_says(tmp_path: Path) -> None:
    part = SimulatedDs18b20(sleep=bool)
    part.fault = "reset"

    # Data sheet, table 1 "85 °C *": 0550h at power-on reset; the checksum as seen on real parts.
    assert shown(part, tmp_path).startswith("50 05 4b 46 7f ff 0c 10 1c : crc=1c YES\n")


def test_a_wrong_checksum_is_a_no_and_the_second_line_stays_as_it_was(tmp_path: Path) -> None:
    bus, part = SimulatedOneWire(), SimulatedDs18b20(sleep=bool)
    bus.attach(IDENTITY, part)
    part.set(25.0625)
    before = bus.text(IDENTITY, lambda: False).decode().splitlines()[1]
    part.set(10.125)
    part.fault = "wrong_crc"

    first, second = bus.text(IDENTITY, lambda: False).decode().splitlines()

    assert first.endswith(" NO")
    assert second.split(" t=")[0] == before.split(" t=")[0]


def test_a_conversion_takes_as_long_as_the_data_sheet_says() -> None:
    slept: list[float] = []
    for bits in (9, 10, 11, 12):
        SimulatedDs18b20(bits, slept.append).convert()

    assert slept == [0.09375, 0.1875, 0.375, 0.75]  # table 2
