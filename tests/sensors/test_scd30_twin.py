"""The simulated SCD30 against the interface description and the unchanged Adafruit driver."""

from __future__ import annotations

import struct

import adafruit_scd30
import pytest
from contracts.haste import Watch

from kiezbox.hardware.simulated._sensirion import checked
from kiezbox.hardware.simulated.bus import SimulatedBus
from kiezbox.hardware.simulated.scd30 import SimulatedScd30


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    made = Watch()
    monkeypatch.setattr(adafruit_scd30, "time", made)
    return made


def adafruit(chip: SimulatedScd30) -> adafruit_scd30.SCD30:
    bus = SimulatedBus()
    bus.attach(0x61, chip)
    return adafruit_scd30.SCD30(bus)


def said(chip: SimulatedScd30, watch: Watch, command: str, count: int) -> str:
    """What the chip answers to a command, read after 3 ms."""
    chip.write(bytes.fromhex(command))
    watch.sleep(0.003)
    return chip.read(count).hex()


@pytest.mark.parametrize("air", [(439.1, 27.2, 48.8), (400, -40.0, 0.5), (10_000, 70.0, 100.0)])
def test_the_unchanged_adafruit_driver_reads_the_air_the_twin_was_set_to(
    watch: Watch, air: tuple[float, float, float]
) -> None:
    chip = SimulatedScd30(clock=watch)
    chip.set(*air)
    driver = adafruit(chip)
    watch.sleep(2.0)
    assert driver.CO2 == 0.0  # the first one
    watch.sleep(2.0)

    values = driver.CO2, driver.temperature, driver.relative_humidity
    assert values == pytest.approx(air, rel=1e-6)


def test_the_example_of_a_measurement_comes_out_in_its_bytes(watch: Watch) -> None:
    chip = SimulatedScd30(clock=watch)
    # "439 PPM, 27.2 °C, 48.8 %" of "Read measurement", to the digits of its floats.
    chip.set(*struct.unpack(">3f", bytes.fromhex("43db8c2e 41d9e7ff 42433a1b")))
    chip.write(bytes.fromhex("0010000081"))
    watch.sleep(5.0)

    assert said(chip, watch, "0300", 18) == "43dbcb8c2e8f41d970e7fff54243bf3a1b74"


def test_data_are_ready_after_the_interval_until_they_are_read(watch: Watch) -> None:
    chip = SimulatedScd30(clock=watch)
    chip.write(bytes.fromhex("0010000081"))
    watch.sleep(1.9)
    assert said(chip, watch, "0202", 3) == "000081"
    watch.sleep(0.1)
    assert said(chip, watch, "0202", 3) == "0001b0"

    said(chip, watch, "0300", 18)

    assert said(chip, watch, "0202", 3) == "000081"


def test_interval_altitude_offset_and_self_calibration_outlive_the_supply(watch: Watch) -> None:
    chip = SimulatedScd30(clock=watch)
    driver = adafruit(chip)
    driver.measurement_interval = 60
    driver.altitude = 1000
    driver.temperature_offset = 5.0
    driver.self_calibration_enabled = True
    driver.ambient_pressure = 990

    chip.power_cycle()
    watch.sleep(2.0)

    assert said(chip, watch, "4600", 3)[:4] == "003c"
    assert said(chip, watch, "5102", 3)[:4] == "03e8"
    assert said(chip, watch, "5403", 3)[:4] == "01f4"  # 500 hundredths of a degree
    assert said(chip, watch, "5306", 3)[:4] == "0001"
    assert said(chip, watch, "0010", 3)[:4] == "0000"  # the pressure is not kept
    assert chip.is_measuring


def test_it_starts_within_two_seconds(watch: Watch) -> None:
    chip = SimulatedScd30(clock=watch)
    chip.power_cycle()

    watch.sleep(1.9)
    with pytest.raises(OSError, match="no acknowledge"):
        chip.write(b"")
    watch.sleep(0.1)

    chip.write(b"")


@pytest.mark.parametrize("argument", ["02bb", "0579"])  # 699 and 1,401 mbar
def test_a_pressure_that_cannot_be_is_refused(watch: Watch, argument: str) -> None:
    chip = SimulatedScd30(clock=watch)

    with pytest.raises(OSError, match="no acknowledge"):
        chip.write(bytes.fromhex("0010") + checked(int(argument, 16)))


def test_its_firmware_is_the_descriptions_example(watch: Watch) -> None:
    assert adafruit(SimulatedScd30(clock=watch)).firmware_version == "3.66"


def test_a_gap_in_the_air_is_no_acknowledge(watch: Watch) -> None:
    chip = SimulatedScd30(clock=watch)
    chip.set(None, None, None)

    with pytest.raises(OSError, match="no acknowledge"):
        chip.write(b"")
