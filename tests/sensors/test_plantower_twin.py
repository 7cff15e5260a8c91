"""The simulated Plantower against captures and foreign drivers (adafruit_pm25, PyPMS)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import serial
from adafruit_pm25.uart import PM25_UART
from pms.core import Sensor
from serial_captures import captured

from kiezbox.hardware.simulated.bench import Bench
from kiezbox.hardware.simulated.plantower import SimulatedPlantower

PASSIVE, ACTIVE, READ, SLEEP, WAKE = (
    bytes.fromhex(command)
    for command in (
        "42 4D E1 00 00 01 70",
        "42 4D E1 00 01 01 71",
        "42 4D E2 00 00 01 71",
        "42 4D E4 00 00 01 73",
        "42 4D E4 00 01 01 74",
    )
)


def test_its_frames_are_as_a_real_one_sent_them() -> None:
    (real, *_), _ = captured("PMSx003", 32)
    sensor = SimulatedPlantower()
    sensor.set(0, 8, 8)
    sensor.due(0.0)

    frame = sensor.due(1.0)

    # But for the last two counts (0 and 0 there) and so the checksum.
    assert frame[:24] == real[:24] and frame[28:30] == real[28:30]


def test_it_reports_by_itself_until_it_is_passive_and_then_when_asked() -> None:
    sensor = SimulatedPlantower(report_s=1.0)

    assert [n for n in range(40) if sensor.due(n / 10)] == [10, 20, 30]
    # PyPMS, pmsx003.py: a reply of eight bytes, "42 4d 00 04".
    assert sensor.received(PASSIVE) == bytes.fromhex("42 4D 00 04 E1 00 01 74")
    assert [n for n in range(40, 90) if sensor.due(n / 10)] == []
    assert len(sensor.received(READ)) == 32
    sensor.received(ACTIVE)
    assert [n for n in range(90, 130) if sensor.due(n / 10)]


def test_asleep_it_neither_reports_nor_answers_until_it_is_woken() -> None:
    sensor = SimulatedPlantower(report_s=1.0)

    assert sensor.received(SLEEP) == bytes.fromhex("42 4D 00 04 E4 00 01 77")
    assert sensor.received(READ + PASSIVE) == b""
    assert [sensor.due(float(n)) for n in range(20)] == [b""] * 20
    sensor.received(WAKE)
    assert sensor.due(20.0) == b"" and sensor.due(21.0) != b""


def test_a_command_in_pieces_after_garbage_is_obeyed_when_it_is_whole() -> None:
    sensor = SimulatedPlantower()

    for byte in b"BM\x00B" + SLEEP[:6]:
        sensor.received(bytes((byte,)))
        assert not sensor.is_asleep
    sensor.received(SLEEP[6:])

    assert sensor.is_asleep


def test_a_command_with_a_wrong_checksum_is_not_obeyed() -> None:
    sensor = SimulatedPlantower()

    assert sensor.received(SLEEP[:6] + b"\x74") == b""
    assert not sensor.is_asleep


def test_after_a_cut_of_its_supply_it_is_awake_and_speaks_by_itself() -> None:
    sensor = SimulatedPlantower()
    sensor.received(PASSIVE + SLEEP)

    sensor.power_cycle()

    assert not sensor.is_asleep and not sensor.is_passive


def test_stuck_it_says_the_same_whatever_the_air_is() -> None:
    sensor = SimulatedPlantower()
    sensor.is_stuck = True
    sensor.set(70, 80, 90)
    sensor.due(0.0)

    assert sensor.due(1.0)[10:16] == bytes((0, 5, 0, 8, 0, 12))


@pytest.fixture
def port(tmp_path: Path) -> Iterator[tuple[str, SimulatedPlantower]]:
    sensor = SimulatedPlantower(report_s=0.05)
    with Bench(tmp_path) as bench:
        yield bench.attach_serial("ttyUSB0", sensor), sensor


def test_adafruits_driver_reads_it(port: tuple[str, SimulatedPlantower]) -> None:
    path, sensor = port
    sensor.set(12, 18, 27)
    with serial.Serial(path, 9600, timeout=2) as line:
        line.reset_input_buffer()
        values = PM25_UART(line).read()

    assert [values[key] for key in ("pm10 env", "pm25 env", "pm100 env")] == [12, 18, 27]


@pytest.mark.parametrize("fault", ["bad_checksum", "half_frame", "garbage", "silence"])
def test_adafruits_driver_refuses_it_when_it_is_broken(
    fault: str, port: tuple[str, SimulatedPlantower]
) -> None:
    path, sensor = port
    sensor.fault = fault
    with serial.Serial(path, 9600, timeout=0.3) as line:
        line.reset_input_buffer()

        with pytest.raises(RuntimeError):
            PM25_UART(line).read()


def test_pypms_decodes_its_answer_in_passive_mode() -> None:
    sensor = SimulatedPlantower()
    sensor.set(22, 35, 41)
    commands = Sensor["PMSx003"].Commands
    assert Sensor["PMSx003"].check(sensor.received(commands.passive_mode.command), "passive_mode")

    decoded = Sensor["PMSx003"].decode(sensor.received(commands.passive_read.command), time=1)

    assert (decoded.pm01, decoded.pm25, decoded.pm10) == (22, 35, 41)
