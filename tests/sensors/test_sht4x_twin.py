"""The simulated SHT4x against the data sheet and the unchanged Adafruit driver."""

from __future__ import annotations

import adafruit_sht4x
import pytest

from kiezbox.hardware.simulated.bus import SimulatedBus
from kiezbox.hardware.simulated.sht4x import SimulatedSht4x


class Watch:
    """A clock that moves when told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def adafruit(chip: SimulatedSht4x) -> adafruit_sht4x.SHT4x:
    bus = SimulatedBus()
    bus.attach(0x44, chip)
    return adafruit_sht4x.SHT4x(bus)


@pytest.mark.parametrize("air", [(21.5, 55.0), (0.0, 30.0), (-40.0, 5.0), (125.0, 0.5), (3.0, 100)])
def test_the_unchanged_adafruit_driver_reads_the_air_the_twin_was_set_to(
    air: tuple[float, float],
) -> None:
    chip = SimulatedSht4x()
    chip.set(*air)

    # One step: 175 K / 65535 and 125 % / 65535.
    assert adafruit(chip).measurements == pytest.approx(air, abs=0.003)


@pytest.mark.parametrize(
    ("words", "celsius", "percent"),
    # Ends and middle of the sheet's formulas, -45 + 175 x and -6 + 125 x cut to 0 and 100.
    [
        ("000081 000081", -45.0, 0.0),
        ("ffffac ffffac", 130.0, 100.0),
        ("6666 93 8000a2", 25.0, 56.5),
    ],
)
def test_words_mean_what_the_sheet_says(words: str, celsius: float, percent: float) -> None:
    class Said(SimulatedSht4x):
        def read(self, count: int) -> bytes:
            return bytes.fromhex(words)

    assert adafruit(Said()).measurements == pytest.approx((celsius, percent), abs=0.003)


@pytest.mark.parametrize(("command", "typical_s"), [(0xFD, 0.0069), (0xF6, 0.0037), (0xE0, 0.0013)])
def test_a_measurement_takes_its_typical_time_and_acknowledges_nothing_meanwhile(
    command: int, typical_s: float
) -> None:
    watch = Watch()
    chip = SimulatedSht4x(clock=watch)
    chip.write(bytes((command,)))

    watch.now = typical_s - 0.0001
    with pytest.raises(OSError, match="no acknowledge"):
        chip.read(6)
    watch.now = typical_s

    assert len(chip.read(6)) == 6


def test_the_heater_warms_and_dries_what_is_measured() -> None:
    chip = SimulatedSht4x()
    chip.set(20.0, 60.0)
    driver = adafruit(chip)
    driver.mode = adafruit_sht4x.Mode.LOWHEAT_100MS

    celsius, percent = driver.measurements

    assert celsius > 22
    assert percent < 55


def test_its_serial_number_is_two_words() -> None:
    chip = SimulatedSht4x()

    assert adafruit(chip).serial_number == chip.serial_number


def test_an_sht31_takes_none_of_its_commands() -> None:
    chip = SimulatedSht4x()
    chip.fault = "wrong_id"

    chip.write(b"")
    with pytest.raises(OSError) as raised:
        adafruit(chip)

    assert raised.value.errno == 121


def test_a_gap_in_the_air_is_no_acknowledge() -> None:
    chip = SimulatedSht4x()
    chip.set(None, None)

    with pytest.raises(OSError, match="no acknowledge"):
        chip.write(b"")
