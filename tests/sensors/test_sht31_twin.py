"""The simulated SHT31 against the data sheet and the unchanged Adafruit driver."""

from __future__ import annotations

import adafruit_sht31d
import pytest

from kiezbox.hardware.simulated.bus import SimulatedBus
from kiezbox.hardware.simulated.sht31 import SimulatedSht31


class Watch:
    """A clock that moves when told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def adafruit(chip: SimulatedSht31) -> adafruit_sht31d.SHT31D:
    bus = SimulatedBus()
    bus.attach(0x44, chip)
    return adafruit_sht31d.SHT31D(bus)


@pytest.mark.parametrize("air", [(21.5, 55.0), (0.0, 30.0), (-40.0, 5.0), (125.0, 0.5), (3.0, 100)])
def test_the_unchanged_adafruit_driver_reads_the_air_the_twin_was_set_to(
    air: tuple[float, float],
) -> None:
    chip = SimulatedSht31()
    chip.set(*air)
    driver = adafruit(chip)

    assert driver.temperature == pytest.approx(air[0], abs=0.003)
    assert driver.relative_humidity == pytest.approx(air[1], abs=0.002)
    assert chip.conversions == 2  # each property measures: why our driver does not use them


@pytest.mark.parametrize(
    ("command", "typical_s"),
    [(0x2400, 0.0125), (0x240B, 0.0045), (0x2416, 0.0025)],  # table 4, typical
)
def test_a_measurement_takes_its_typical_time_and_acknowledges_nothing_meanwhile(
    command: int, typical_s: float
) -> None:
    watch = Watch()
    chip = SimulatedSht31(clock=watch)
    chip.write(command.to_bytes(2, "big"))

    watch.now = typical_s - 0.0001
    with pytest.raises(OSError, match="no acknowledge"):
        chip.read(6)
    watch.now = typical_s

    assert len(chip.read(6)) == 6


def test_status_after_power_on_is_that_of_table_18() -> None:
    chip = SimulatedSht31()

    chip.write(bytes.fromhex("f32d"))

    # Alert pending and system reset detected are 1 by default, the rest 0.
    assert chip.read(3)[:2] == bytes.fromhex("8010")


def test_the_heater_is_seen_in_the_status_and_in_the_air_and_ends_with_a_reset() -> None:
    chip = SimulatedSht31()
    chip.set(20.0, 60.0)
    driver = adafruit(chip)

    driver.heater = True
    assert driver.heater
    assert driver.temperature > 22
    driver._reset()

    assert not driver.heater
    assert driver.temperature == pytest.approx(20.0, abs=0.003)


def test_its_serial_number_is_two_words() -> None:
    chip = SimulatedSht31()

    assert adafruit(chip).serial_number == chip.serial_number


def test_an_sht40_takes_none_of_its_commands() -> None:
    chip = SimulatedSht31()
    chip.fault = "wrong_id"

    with pytest.raises(OSError) as raised:
        adafruit(chip)

    assert raised.value.errno == 121


def test_a_gap_in_the_air_is_no_acknowledge() -> None:
    chip = SimulatedSht31()
    chip.set(None, None)

    with pytest.raises(OSError, match="no acknowledge"):
        chip.write(b"")
