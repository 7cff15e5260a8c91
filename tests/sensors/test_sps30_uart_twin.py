"""The simulated SPS30 at its serial port, judged by Sensirion's own driver."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sensirion_driver_adapters.shdlc_adapter.shdlc_channel import ShdlcChannel
from sensirion_shdlc_driver import ShdlcSerialPort
from sensirion_shdlc_driver.errors import ShdlcDeviceError, ShdlcError
from sensirion_uart_sps30.commands import OutputFormat
from sensirion_uart_sps30.device import Sps30Device

from kiezbox.hardware.simulated.bench import Bench
from kiezbox.hardware.simulated.sps30_uart import SimulatedSps30Uart


@pytest.fixture
def wired(tmp_path: Path) -> Iterator[tuple[Sps30Device, SimulatedSps30Uart]]:
    sensor = SimulatedSps30Uart(sample_s=0.0)
    with Bench(tmp_path) as bench:
        path = bench.attach_serial("ttyUSB0", sensor)
        with ShdlcSerialPort(path, 115200, additional_response_time=0.05) as port:
            yield Sps30Device(ShdlcChannel(port)), sensor


def test_sensirions_driver_measures_with_it(
    wired: tuple[Sps30Device, SimulatedSps30Uart],
) -> None:
    driver, sensor = wired
    # Bytes that must be stuffed stand in these: 15.875 is 41 7e 00 00, 9.06… is 41 11 19 50.
    sensor.set(0.875, 15.875, 1.21875, 9.068679809570312)

    driver.start_measurement(OutputFormat.OUTPUT_FORMAT_FLOAT)
    assert driver.read_measurement_values_float()[:4] == (0.875, 15.875, 1.21875, 9.068679809570312)
    driver.stop_measurement()
    driver.start_measurement(OutputFormat.OUTPUT_FORMAT_UINT16)
    assert driver.read_measurement_values_uint16()[:4] == (1, 16, 1, 9)


def test_sensirions_driver_asks_and_sets_all_that_it_can(
    wired: tuple[Sps30Device, SimulatedSps30Uart],
) -> None:
    driver, sensor = wired

    # "00080000" is the SPS30's product type (data sheet, section 5.3, "Device information").
    assert driver.read_product_type() == "00080000"
    assert driver.read_auto_cleaning_interval() == 604800
    # 0x7d111378 has three bytes that must be stuffed.
    driver.write_auto_cleaning_interval(0x7D111378)
    assert driver.read_auto_cleaning_interval() == sensor.cleaning_s == 0x7D111378
    assert driver.read_version()[:2] == (2, 2)
    assert driver.read_device_status_register(False)[0] == 0
    driver.device_reset()


def test_it_sleeps_until_it_is_nudged_and_woken(
    wired: tuple[Sps30Device, SimulatedSps30Uart],
) -> None:
    driver, sensor = wired
    # The driver's own time-outs are longer than the 100 ms that a nudge lasts; not on this clock.
    sensor._clock = lambda: time.monotonic() / 100
    driver.sleep()
    assert sensor.state == "sleeping"
    with pytest.raises(ShdlcError):
        driver.read_version()

    driver.wake_up_sequence()

    assert sensor.state == "idle"


def test_of_two_commands_to_wake_the_first_only_wakes_the_port() -> None:
    now = [10.0]
    sensor = SimulatedSps30Uart(clock=lambda: now[0])
    sleep, wake = bytes.fromhex("7E 00 10 00 EF 7E"), bytes.fromhex("7E 00 11 00 EE 7E")
    sensor.received(sleep)

    # 0x11 is stuffed; what is not cannot be a command.
    wake = wake.replace(b"\x11", b"\x7d\x31")
    assert sensor.received(wake) == b""
    now[0] = 10.2  # too late
    assert sensor.received(wake) == b""
    now[0] = 10.25
    assert sensor.received(wake) != b""


@pytest.mark.parametrize("call", ["read_measurement_values_float", "stop_measurement"])
def test_idle_it_refuses_what_needs_measuring(
    call: str, wired: tuple[Sps30Device, SimulatedSps30Uart]
) -> None:
    driver, _ = wired

    with pytest.raises(ShdlcDeviceError) as raised:
        getattr(driver, call)()

    assert raised.value.error_code == 0x43  # "command not allowed in current state"


def test_measuring_it_refuses_to_be_started_and_to_sleep(
    wired: tuple[Sps30Device, SimulatedSps30Uart],
) -> None:
    driver, _ = wired
    driver.start_measurement(OutputFormat.OUTPUT_FORMAT_FLOAT)

    for call in (lambda: driver.start_measurement(OutputFormat.OUTPUT_FORMAT_FLOAT), driver.sleep):
        with pytest.raises(ShdlcDeviceError) as raised:
            call()
        assert raised.value.error_code == 0x43


def test_a_broken_fan_stands_in_its_status_register(
    wired: tuple[Sps30Device, SimulatedSps30Uart],
) -> None:
    driver, sensor = wired
    sensor.fault = "fan"

    # Sensirion's embedded driver: SPS30_DEVICE_STATUS_FAN_ERROR_MASK is 1 << 4.
    assert driver.read_device_status_register(False)[0] == 1 << 4


@pytest.mark.parametrize("fault", ["bad_checksum", "half_frame", "garbage", "silence"])
def test_sensirions_driver_refuses_it_when_it_is_broken(
    fault: str, wired: tuple[Sps30Device, SimulatedSps30Uart]
) -> None:
    driver, sensor = wired
    sensor.fault = fault

    with pytest.raises(ShdlcError):
        driver.read_version()


def test_between_two_measurements_it_answers_without_data() -> None:
    now = [0.0]
    sensor = SimulatedSps30Uart(clock=lambda: now[0])
    read = bytes.fromhex("7E 00 03 00 FC 7E")
    sensor.received(bytes.fromhex("7E 00 00 02 01 03 F9 7E"))

    # PyPMS, sensors/sensirion/sps30.py, "short message: no data".
    assert sensor.received(read) == bytes.fromhex("7e 00 03 00 00 fc 7e")
    now[0] = 1.0
    assert len(sensor.received(read)) >= 47
    assert sensor.received(read) == bytes.fromhex("7e 00 03 00 00 fc 7e")
