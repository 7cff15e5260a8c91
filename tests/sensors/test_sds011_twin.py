"""The simulated SDS011 against its protocol's examples and a foreign driver (sds011lib)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sds011lib
import serial

from kiezbox.hardware.simulated.bench import Bench
from kiezbox.hardware.simulated.sds011 import SimulatedSds011

#: Command -> answer, as printed in "Laser Dust Sensor Control Protocol V1.3", for the sensor
#: with the id A1 60; what was set before is said where it matters. (The printed answer to
#: "set device id" lacks a space.)
EXAMPLES = [
    ("AA B4 02 00 00 00 00 00 00 00 00 00 00 00 00 FF FF 00 AB", "AA C5 02 00 00 00 A1 60 03 AB"),
    ("AA B4 02 01 01 00 00 00 00 00 00 00 00 00 00 A1 60 05 AB", "AA C5 02 01 01 00 A1 60 05 AB"),
    ("AA B4 02 00 00 00 00 00 00 00 00 00 00 00 00 FF FF 00 AB", "AA C5 02 00 01 00 A1 60 04 AB"),
    ("AA B4 04 00 00 00 00 00 00 00 00 00 00 00 00 FF FF 02 AB", "AA C0 D4 04 3A 0A A1 60 1D AB"),
    ("AA B4 04 00 00 00 00 00 00 00 00 00 00 00 00 A1 60 05 AB", "AA C0 D4 04 3A 0A A1 60 1D AB"),
    ("AA B4 06 01 00 00 00 00 00 00 00 00 00 00 00 A1 60 08 AB", "AA C5 06 01 00 00 A1 60 08 AB"),
    ("AA B4 06 01 01 00 00 00 00 00 00 00 00 00 00 A1 60 09 AB", "AA C5 06 01 01 00 A1 60 09 AB"),
    ("AA B4 06 00 00 00 00 00 00 00 00 00 00 00 00 A1 60 07 AB", "AA C5 06 00 01 00 A1 60 08 AB"),
    ("AA B4 08 01 01 00 00 00 00 00 00 00 00 00 00 A1 60 0B AB", "AA C5 08 01 01 00 A1 60 0B AB"),
    ("AA B4 08 01 00 00 00 00 00 00 00 00 00 00 00 A1 60 0A AB", "AA C5 08 01 00 00 A1 60 0A AB"),
    ("AA B4 07 00 00 00 00 00 00 00 00 00 00 00 00 A1 60 08 AB", "AA C5 07 0F 07 0A A1 60 28 AB"),
    ("AA B4 05 00 00 00 00 00 00 00 00 00 00 A0 01 A1 60 A7 AB", "AA C5 05 00 00 00 A0 01 A6 AB"),
]
SLEEP = bytes.fromhex("AAB406010000000000000000000000FFFF05AB")
WORK = bytes.fromhex("AAB406010100000000000000000000FFFF06AB")
QUERY = bytes.fromhex("AAB404000000000000000000000000FFFF02AB")


def example_sensor() -> SimulatedSds011:
    sensor = SimulatedSds011()
    sensor.set(123.6, 261.8)
    return sensor


def test_it_answers_every_example_of_the_protocol_as_printed() -> None:
    sensor = example_sensor()

    for command, answer in EXAMPLES:
        assert sensor.received(bytes.fromhex(command)).hex(" ").upper() == answer


def test_it_reports_once_a_second_by_itself() -> None:
    sensor = example_sensor()

    reports = [sensor.due(n / 10) for n in range(1, 52)]

    assert [n for n, report in enumerate(reports) if report] == [10, 20, 30, 40, 50]
    assert reports[10] == bytes.fromhex("AA C0 D4 04 3A 0A A1 60 1D AB")


def test_a_command_in_pieces_after_garbage_is_obeyed_when_it_is_whole() -> None:
    sensor = example_sensor()

    answers = [sensor.received(bytes((byte,))) for byte in b"\xaa\xb4\x00\xab" + QUERY]

    assert [n for n, answer in enumerate(answers) if answer] == [4 + 18]


def test_a_command_with_a_wrong_checksum_is_not_obeyed() -> None:
    wrong = bytearray(SLEEP)
    wrong[17] ^= 1
    sensor = example_sensor()

    assert sensor.received(bytes(wrong)) == b""
    assert not sensor.is_asleep


def test_a_command_for_another_sensors_id_is_not_obeyed() -> None:
    sensor = SimulatedSds011(device_id=b"\x12\x34")

    assert sensor.received(bytes.fromhex(EXAMPLES[5][0])) == b""


def test_asleep_it_neither_reports_nor_answers_until_told_to_work() -> None:
    sensor = example_sensor()
    sensor.received(SLEEP)

    assert [sensor.due(float(n)) for n in range(20)] == [b""] * 20
    assert sensor.received(QUERY) == b""
    assert sensor.received(WORK) == bytes.fromhex("AA C5 06 01 01 00 A1 60 09 AB")
    assert sensor.received(QUERY) != b""


def test_in_a_working_period_of_two_minutes_it_reports_every_two_minutes() -> None:
    sensor = example_sensor()
    sensor.received(bytes.fromhex("AA B4 08 01 02 00 00 00 00 00 00 00 00 00 00 FF FF 09 AB"))

    reports = [n for n in range(400) if sensor.due(float(n))]

    assert reports == [30, 150, 270, 390]  # after 30 s of work, then each 2 min


def test_the_working_period_and_the_mode_outlast_the_supply_and_sleep_does_not() -> None:
    sensor = example_sensor()
    sensor.received(bytes.fromhex(EXAMPLES[1][0]))
    sensor.received(SLEEP)

    sensor.power_cycle()

    assert not sensor.is_asleep
    assert sensor.received(bytes.fromhex(EXAMPLES[2][0])) == bytes.fromhex(EXAMPLES[2][1])


@pytest.fixture
def port(tmp_path: Path) -> Iterator[tuple[str, SimulatedSds011]]:
    sensor = SimulatedSds011(report_s=0.1)
    with Bench(tmp_path) as bench:
        yield bench.attach_serial("ttyUSB0", sensor), sensor


def test_a_foreign_driver_queries_it_and_sets_it(port: tuple[str, SimulatedSds011]) -> None:
    path, sensor = port
    sensor.set(12.3, 28.7)
    with serial.Serial(path, 9600, timeout=2) as line:
        reader = sds011lib.SDS011QueryReader(line, send_command_sleep=0)

        result = reader.query()
        assert (result.pm25, result.pm10, result.device_id) == (12.3, 28.7, b"\xa1\x60")
        reader.set_working_period(7)
        assert reader.get_working_period().interval == 7
        firmware = reader.get_firmware_version()
        assert (firmware.year, firmware.month, firmware.day) == (15, 7, 10)
        assert reader.set_device_id(b"\x0b\x0c").device_id == b"\x0b\x0c"
        reader.sleep()
        assert sensor.is_asleep
        reader.wake()
        assert not sensor.is_asleep


def test_a_foreign_driver_reads_its_reports(port: tuple[str, SimulatedSds011]) -> None:
    path, sensor = port
    sensor.set(999.9, 0.1)
    with serial.Serial(path, 9600, timeout=2) as line:
        reader = sds011lib.SDS011ActiveReader(line, send_command_sleep=0)

        result = reader.query()

    assert (result.pm25, result.pm10) == (999.9, 0.1)


@pytest.mark.parametrize("fault", ["bad_checksum", "half_frame", "garbage", "foreign", "silence"])
def test_a_foreign_driver_refuses_it_when_it_is_broken(
    fault: str, port: tuple[str, SimulatedSds011]
) -> None:
    path, sensor = port
    with serial.Serial(path, 9600, timeout=0.3) as line:
        reader = sds011lib.SDS011Reader(line, send_command_sleep=0, max_loop_count=2)
        sensor.fault = fault
        line.reset_input_buffer()

        with pytest.raises(Exception) as raised:
            reader.request_data()
            reader.query_data()

    assert type(raised.value).__module__ == "sds011lib.exceptions"
