"""The simulated Senseair S8 against the maker's example and a foreign library (minimalmodbus)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import minimalmodbus
import pytest
import serial

from kiezbox.hardware.simulated.bench import Bench
from kiezbox.hardware.simulated.senseair_s8 import SimulatedSenseairS8


def test_it_answers_the_makers_example_as_printed() -> None:
    sensor = SimulatedSenseairS8()
    sensor.set(400)

    # TDE2067, as in SFeli/ESP32_S8.
    assert sensor.received(bytes.fromhex("FE 04 00 03 00 01 D5 C5")) == bytes.fromhex(
        "FE 04 02 01 90 AC D8"
    )


def test_a_request_in_pieces_after_garbage_is_answered_when_it_is_whole() -> None:
    sensor = SimulatedSenseairS8()
    request = bytes.fromhex("FE 04 00 03 00 01 D5 C5")

    answers = [sensor.received(bytes((byte,))) for byte in b"\xfe\x04\xfe" + request]

    assert [n for n, answer in enumerate(answers) if answer] == [3 + 7]


@pytest.fixture
def wired(tmp_path: Path) -> Iterator[tuple[minimalmodbus.Instrument, SimulatedSenseairS8]]:
    sensor = SimulatedSenseairS8()
    with Bench(tmp_path) as bench:
        path = bench.attach_serial("ttyUSB0", sensor)
        with serial.Serial(path, 9600, timeout=0.5) as line:
            yield minimalmodbus.Instrument(line, 0xFE), sensor


def test_a_foreign_library_reads_and_writes_it(
    wired: tuple[minimalmodbus.Instrument, SimulatedSenseairS8],
) -> None:
    modbus, sensor = wired
    sensor.set(1234)

    assert modbus.read_registers(0, 4, functioncode=4) == [0, 0, 0, 1234]
    assert modbus.read_register(0x1F, functioncode=3) == 180
    modbus.write_register(0x1F, 0, functioncode=6)
    assert sensor.holding[0x1F] == 0 and sensor.writes == 1


def test_a_foreign_library_is_told_what_there_is_not(
    wired: tuple[minimalmodbus.Instrument, SimulatedSenseairS8],
) -> None:
    modbus, sensor = wired

    with pytest.raises(minimalmodbus.IllegalRequestError, match="data address"):
        modbus.read_register(0x0100, functioncode=4)
    with pytest.raises(minimalmodbus.IllegalRequestError, match="data address"):
        modbus.write_register(0x0100, 1, functioncode=6)
    with pytest.raises(minimalmodbus.IllegalRequestError, match="function"):
        modbus.read_bit(0, functioncode=1)


@pytest.mark.parametrize("fault", ["bad_checksum", "half_frame", "garbage", "silence"])
def test_a_foreign_library_refuses_it_when_it_is_broken(
    fault: str, wired: tuple[minimalmodbus.Instrument, SimulatedSenseairS8]
) -> None:
    modbus, sensor = wired
    modbus.serial.timeout = 0.1
    sensor.fault = fault

    with pytest.raises(minimalmodbus.ModbusException):
        modbus.read_registers(0, 4, functioncode=4)
