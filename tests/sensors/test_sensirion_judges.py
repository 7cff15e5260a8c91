"""Sensirion's own drivers read the simulated SCD30 and SGP40, as judges from the maker.

Their drivers for SHT3x, SHT4x and SCD4x read our twins, too (tried by hand, versions 1.0.0, 1.1.0
and 1.1.0); they cannot be installed beside the one for the SPS30, which the box uses.
"""

from __future__ import annotations

import time
from typing import Any

import pytest
from contracts.haste import clock
from sensirion_i2c_scd30.device import Scd30Device
from sensirion_i2c_sgp4x import Sgp40I2cDevice

from kiezbox.hardware.simulated.bus import SimulatedBus
from kiezbox.hardware.simulated.scd30 import SimulatedScd30
from kiezbox.hardware.simulated.sgp40 import SimulatedSgp40
from kiezbox.sensors._sensirion_bus import channel, connection

LIMIT_S = 10.0


class Soldered:
    """One chip on a bus, as a driver's hardware."""

    def __init__(self, address: int, chip: Any) -> None:
        self._bus = SimulatedBus()
        self._bus.attach(address, chip)

    def i2c(self) -> SimulatedBus:
        return self._bus


def test_the_makers_scd30_driver_reads_and_sets_what_the_twin_has() -> None:
    chip = SimulatedScd30(clock=clock)
    chip.set(655.3, 21.5, 55.0)
    driver = Scd30Device(channel(Soldered(0x61, chip), 0x61))  # type: ignore[arg-type]

    driver.start_periodic_measurement(1000)
    driver.set_altitude_compensation(520)
    driver.set_temperature_offset(150)
    driver.activate_auto_calibration(1)
    until = time.monotonic() + LIMIT_S
    measured: Any = (0.0,)
    while measured[0] == 0.0 and time.monotonic() < until:  # its first one is
        if driver.get_data_ready():
            measured = driver.read_measurement_data()

    assert chip.pressure_hpa == 1000
    assert (chip.altitude_m, chip.offset_centikelvin, chip.self_calibration) == (520, 150, 1)
    assert driver.read_firmware_version() == (3, 66)
    assert driver.get_altitude_compensation() == 520
    assert measured[0] == pytest.approx(655.3, abs=0.01)
    assert measured[1] == pytest.approx(20.0, abs=0.01)  # the offset, and no heat of its own yet


def test_the_makers_sgp40_driver_measures_and_tells_the_twin_the_climate() -> None:
    chip = SimulatedSgp40(clock=clock)
    chip.set(31_234)
    driver = Sgp40I2cDevice(connection(Soldered(0x59, chip)))  # type: ignore[arg-type]

    ticks = driver.measure_raw(relative_humidity=80, temperature=30).ticks

    assert ticks == 31_234
    assert chip.told[0] / 65535 * 100 == pytest.approx(80, abs=0.002)
    assert chip.told[1] / 65535 * 175 - 45 == pytest.approx(30, abs=0.002)
    assert driver.get_serial_number() == 0x0123_4567
