"""The simulated SEN5x against Sensirion's unchanged driver."""

from __future__ import annotations

import pytest
from contracts.haste import clock
from contracts.rig import Rig
from sensirion_i2c_sen5x import Sen5xI2cDevice

from kiezbox.clock import SystemClock
from kiezbox.hardware import Deadline, SensorHardware
from kiezbox.hardware.simulated.sen5x import SimulatedSen5x
from kiezbox.sensors._sensirion_bus import connection


def wired(rig: Rig, **detail: object) -> tuple[SimulatedSen5x, Sen5xI2cDevice]:
    chip = SimulatedSen5x(clock=lambda: clock() * 100, **detail)  # type: ignore[arg-type]
    rig.bench.attach(0x69, chip)
    deadline = Deadline(SystemClock())
    deadline.start(30)
    return chip, Sen5xI2cDevice(connection(SensorHardware(rig.hardware, deadline)))


def test_sensirions_unchanged_driver_reads_the_air(rig: Rig) -> None:
    chip, driver = wired(rig)
    chip.set((4.2, 6.7, 8.1, 9.4), 45.5, -7.25, 102.0, 17.5)

    driver.start_measurement()

    assert driver.read_data_ready() is True
    values = driver.read_measured_values()
    assert values.mass_concentration_1p0.physical == 4.2
    assert values.mass_concentration_2p5.physical == 6.7
    assert values.mass_concentration_4p0.physical == 8.1
    assert values.mass_concentration_10p0.physical == 9.4
    assert values.ambient_humidity.percent_rh == 45.5
    assert values.ambient_temperature.degrees_celsius == -7.25
    assert values.voc_index.scaled == 102.0
    assert values.nox_index.scaled == 17.5


@pytest.mark.parametrize(
    ("model", "has_climate", "has_nox"),
    [("SEN50", False, False), ("SEN54", True, False), ("SEN55", True, True)],
)
def test_what_a_model_does_not_have_is_not_available(
    rig: Rig, model: str, has_climate: bool, has_nox: bool
) -> None:
    chip, driver = wired(rig, model=model)

    driver.start_measurement()
    values = driver.read_measured_values()

    assert driver.get_product_name() == model
    assert values.mass_concentration_2p5.available
    assert values.ambient_temperature.available is has_climate
    assert values.voc_index.available is has_climate
    assert values.nox_index.available is has_nox


def test_without_particulates_it_knows_the_rest(rig: Rig) -> None:
    chip, driver = wired(rig)
    driver.start_measurement()

    driver.start_measurement_without_pm()
    values = driver.read_measured_values()

    assert not values.mass_concentration_2p5.available
    assert values.ambient_humidity.available and values.voc_index.available
    assert chip.gas_starts == 1


def test_firmware_before_2_0_changes_only_from_idle(rig: Rig) -> None:
    chip, driver = wired(rig, firmware=(1, 5))
    driver.start_measurement()

    driver.start_measurement_without_pm()
    assert chip.state == "measuring"
    driver.stop_measurement()
    driver.start_measurement_without_pm()

    assert chip.state == "gas"


def test_idle_it_has_nothing_to_say(rig: Rig) -> None:
    chip, driver = wired(rig)

    assert driver.read_data_ready() is False
    values = driver.read_measured_values()

    assert not values.mass_concentration_2p5.available


def test_its_version_its_number_and_its_status(rig: Rig) -> None:
    chip, driver = wired(rig)
    chip.status = 1 << 4 | 1 << 21

    version = driver.get_version()
    assert (version.firmware.major, version.firmware.minor) == (2, 0)
    assert driver.get_serial_number() == "0123456789ABCDEF"
    assert driver.read_device_status().fan_error
    assert driver.read_device_status(clear=True).fan_speed_out_of_specs
    assert driver.read_device_status().value == 0
    driver.device_reset()
    assert chip.state == "idle"
