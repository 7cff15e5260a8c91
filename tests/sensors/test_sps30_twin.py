"""The simulated SPS30 against its data sheet and Sensirion's unchanged driver."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from contracts.haste import clock
from contracts.rig import Rig
from sensirion_i2c_sps30 import Sps30Device
from sensirion_i2c_sps30.commands import OutputFormat

from kiezbox.clock import SystemClock
from kiezbox.hardware import Deadline, SensorHardware
from kiezbox.hardware.simulated.sps30 import SimulatedSps30
from kiezbox.sensors._sensirion_bus import channel

AIR = (4.2, 6.75, 8.1, 9.4)


class Watch:
    """A clock that moves when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def told(chip: SimulatedSps30, watch: Watch, data: str, count: int = 0) -> str:
    """Write these bytes, let the chip work, and read so many."""
    chip.write(bytes.fromhex(data))
    watch.now += 0.1
    return chip.read(count).hex(" ") if count else ""


@pytest.fixture
def device(rig: Rig, tmp_path: Path) -> tuple[SimulatedSps30, Sps30Device]:
    chip = SimulatedSps30(clock=lambda: clock() * 100, nudge_s=1e5)
    chip.set(*AIR)
    rig.bench.attach(0x69, chip)
    deadline = Deadline(SystemClock())
    deadline.start(30)
    return chip, Sps30Device(channel(SensorHardware(rig.hardware, deadline), 0x69))


def test_bytes_of_its_commands_and_answers() -> None:
    # Data sheet 6.3: "Start Measurement" 0x0010 with 0x0300 and its checksum 0xAC, the ready flag
    # 0x0001 with 0xB0, firmware 2.2, product type "00080000".
    watch = Watch()
    chip = SimulatedSps30(clock=watch)

    told(chip, watch, "00 10 03 00 ac")
    watch.now += 1.0

    assert told(chip, watch, "02 02", 3) == "00 01 b0"
    assert told(chip, watch, "d1 00", 3)[:5] == "02 02"
    product = bytes.fromhex(told(chip, watch, "d0 02", 12))
    assert b"".join(product[n : n + 2] for n in range(0, 12, 3)) == b"00080000"


def test_a_command_with_a_wrong_checksum_is_not_acknowledged() -> None:
    chip = SimulatedSps30(clock=Watch())

    with pytest.raises(OSError):
        chip.write(bytes.fromhex("00 10 03 00 ad"))


def test_values_come_once_a_second_and_reading_them_clears_the_flag() -> None:
    watch = Watch()
    chip = SimulatedSps30(clock=watch)
    chip.set(*AIR)
    told(chip, watch, "00 10 03 00 ac")

    ready = []
    for _ in range(25):
        ready.append(told(chip, watch, "02 02", 3)[:5] == "00 01")
        if ready[-1]:
            data = bytes.fromhex(told(chip, watch, "03 00", 60))
    words = b"".join(data[n : n + 2] for n in range(0, 60, 3))

    first, second = (n for n, is_ready in enumerate(ready) if is_ready)
    assert 9 <= first <= 10  # tenths of a second
    assert 9 <= second - first <= 10
    assert struct.unpack(">10f", words)[:4] == pytest.approx(AIR)


def test_asleep_it_answers_only_the_second_of_two_words_within_100_milliseconds() -> None:
    watch = Watch()
    chip = SimulatedSps30(clock=watch)
    told(chip, watch, "10 01")
    assert chip.state == "asleep"

    for pause_s in (0.2, 0.2):
        with pytest.raises(OSError):
            chip.write(bytes.fromhex("11 03"))
        watch.now += pause_s
    with pytest.raises(OSError):
        chip.write(bytes.fromhex("11 03"))
    watch.now += 0.05
    chip.write(bytes.fromhex("11 03"))

    assert chip.state == "idle"


def test_sensirions_unchanged_driver_measures_sleeps_and_wakes(
    device: tuple[SimulatedSps30, Sps30Device],
) -> None:
    chip, driver = device

    driver.start_measurement(OutputFormat.OUTPUT_FORMAT_FLOAT)
    assert driver.read_data_ready_flag() == 1
    assert driver.read_measurement_values_float()[:4] == pytest.approx(AIR)
    driver.stop_measurement()
    driver.start_measurement(OutputFormat.OUTPUT_FORMAT_UINT16)
    assert driver.read_measurement_values_uint16()[:4] == (4, 7, 8, 9)
    driver.stop_measurement()
    driver.sleep()
    assert chip.state == "asleep"
    driver.wake_up_sequence()
    assert chip.state == "idle"


def test_sensirions_unchanged_driver_knows_it_and_sets_it(
    device: tuple[SimulatedSps30, Sps30Device],
) -> None:
    chip, driver = device
    chip.status = 1 << 21

    assert driver.read_product_type() == "00080000"
    assert driver.read_serial_number().startswith("A1B2C3D4")
    assert driver.read_firmware_version() == (2, 2)
    assert driver.read_auto_cleaning_interval() == 604800  # data sheet 4.2: one week
    driver.write_auto_cleaning_interval(345600)
    assert driver.read_auto_cleaning_interval() == 345600
    assert driver.read_device_status_register() == 1 << 21
    driver.clear_device_status_register()
    assert driver.read_device_status_register() == 0
    driver.device_reset()
    assert chip.state == "idle"
