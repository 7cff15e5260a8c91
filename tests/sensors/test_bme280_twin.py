"""The simulated BME280 against Bosch's worked example, the data sheet, and the Adafruit driver."""

from __future__ import annotations

import json
import time
from itertools import pairwise

import pytest
from adafruit_bme280 import basic
from shared import shared_data

from kiezbox.hardware.simulated import _bosch
from kiezbox.hardware.simulated.bme280 import SimulatedBme280
from kiezbox.hardware.simulated.bus import SimulatedBus

#: The worked example printed in the BMP280 data sheet (BST-BMP280-DS001, section 3.12).
ADC_T, ADC_P = 519888, 415148

CTRL_HUM, STATUS, CTRL_MEAS, DATA = 0xF2, 0xF3, 0xF4, 0xF7


class Watch:
    """A clock that moves when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def get(chip: SimulatedBme280, register: int, count: int = 1) -> bytes:
    chip.write(bytes((register,)))
    return chip.read(count)


def adafruit(chip: SimulatedBme280) -> basic.Adafruit_BME280_I2C:
    bus = SimulatedBus()
    bus.attach(0x76, chip)
    return basic.Adafruit_BME280_I2C(bus, 0x76)


def test_the_arithmetic_gives_the_printed_result_of_the_data_sheets_example() -> None:
    t_fine = _bosch.fine_temperature(ADC_T, _bosch.EXAMPLE)

    assert _bosch.temperature_c(ADC_T, _bosch.EXAMPLE) == pytest.approx(25.08, abs=0.005)
    hpa = _bosch.pressure_hpa(ADC_P, t_fine, _bosch.EXAMPLE)
    assert round(100 * hpa, 2) == 100653.27


def test_the_arithmetic_gives_the_recomputed_digits_of_the_example() -> None:
    vector = json.loads(shared_data("serial/bme/compensation_vectors.json").read_text())
    example = vector["bmp280"][0]
    trimming = _bosch.Calibration(*example["cal"].values(), 75, 362, 0, 313, 50, 30)
    adc, expected = example["adc"], example["expect"]

    t_fine = _bosch.fine_temperature(adc["T"], trimming)

    assert int(t_fine) == expected["t_fine_int"]
    celsius = _bosch.temperature_c(adc["T"], trimming)
    assert celsius == pytest.approx(expected["temperature_c_double"], abs=1e-7)
    pascal = 100 * _bosch.pressure_hpa(adc["P"], t_fine, trimming)
    assert pascal == pytest.approx(expected["pressure_pa_double"], abs=2e-3)


@pytest.mark.parametrize(
    "weather",
    [
        (21.5, 55.0, 1008.0),
        (0.0, 30.0, 1013.25),
        (-18.3, 88.0, 1041.7),
        (38.9, 12.0, 996.2),
        (-40.0, 50.0, 300.0),  # the corners of the data sheet's ranges (1.2 to 1.4)
        (85.0, 20.0, 1100.0),
        (41.5, 1.0, 1000.0),  # what a failing DHT22 says in the recordings
        (12.0, 99.9, 1020.0),
    ],
)
def test_the_unchanged_adafruit_driver_reads_the_weather_the_twin_was_set_to(
    weather: tuple[float, float, float],
) -> None:
    chip = SimulatedBme280()
    chip.set(*weather)
    driver = adafruit(chip)

    # One step: 16 bits of temperature are 0.005 K, 16 of humidity 0.008 %, 20 of pressure less.
    assert driver.temperature == pytest.approx(weather[0], abs=0.005)
    assert driver.relative_humidity == pytest.approx(weather[1], abs=0.01)
    assert driver.pressure == pytest.approx(weather[2], abs=0.01)


@pytest.mark.parametrize(
    ("fault", "celsius", "hpa", "percent"),
    # Measured on another register simulator with the same driver and the same trimming values.
    [("raw_zero", -140.88, 1312.8, 0.0), ("raw_reset", 26.46, 820.4, 70.5)],
)
def test_wrong_codes_give_what_was_measured_elsewhere(
    fault: str, celsius: float, hpa: float, percent: float
) -> None:
    chip = SimulatedBme280()
    driver = adafruit(chip)
    chip.fault = fault

    assert driver.temperature == pytest.approx(celsius, abs=0.01)
    assert driver.pressure == pytest.approx(hpa, abs=0.1)
    assert driver.relative_humidity == pytest.approx(percent, abs=0.5)


def test_without_trimming_values_the_adafruit_driver_reads_zero_degrees() -> None:
    chip = SimulatedBme280()
    chip.fault = "zero_calibration"

    assert adafruit(chip).temperature == 0.0


def test_a_bmp280_is_refused_by_the_adafruit_driver() -> None:
    chip = SimulatedBme280()
    chip.fault = "wrong_id"

    with pytest.raises(RuntimeError, match="0x58"):
        adafruit(chip)


def test_registers_are_as_the_data_sheet_says_after_power_on() -> None:
    chip = SimulatedBme280()

    # Table 18, column "Reset state".
    assert get(chip, 0xD0) == b"\x60"
    assert get(chip, 0xE0) == b"\x00"
    assert get(chip, CTRL_HUM, 4) == bytes(4)
    assert get(chip, DATA, 8) == bytes.fromhex("800000 800000 8000")


def test_trimming_values_lie_where_table_16_puts_them() -> None:
    trimming = _bosch.EXAMPLE._replace(h2=-2, h4=0x7A5, h5=-3, h6=-7)
    chip = SimulatedBme280(calibration=trimming)

    # dig_T1 0x88/0x89 low byte first, dig_H1 0xA1, dig_H2 0xE1/0xE2, dig_H4 0xE4 and the low
    # half of 0xE5, dig_H5 the high half of 0xE5 and 0xE6 (two's complement), dig_H6 0xE7.
    assert get(chip, 0x88, 2) == (27504).to_bytes(2, "little")
    assert get(chip, 0x9E, 2) == (6000).to_bytes(2, "little")
    assert get(chip, 0xA1) == bytes((75,))
    assert get(chip, 0xE1, 7) == bytes((0xFE, 0xFF, 0, 0x7A, 0xD5, 0xFF, 0xF9))
    driver = adafruit(chip)
    assert driver._humidity_calib == [75, -2, 0, 0x7A5, -3, -7]


def test_a_forced_conversion_shows_measuring_then_ends_in_sleep() -> None:
    watch = Watch()
    chip = SimulatedBme280(clock=watch)

    chip.write(bytes((CTRL_MEAS, 0b001_011_01)))  # temperature x1, pressure x4, forced

    # Section 9.1's example: t x1, p x4, no humidity: 11.5 ms typical.
    watch.now = 0.0114
    assert get(chip, STATUS)[0] & 0x08
    watch.now = 0.0116
    assert get(chip, STATUS) == b"\x00"
    assert get(chip, CTRL_MEAS) == bytes((0b001_011_00,))
    assert chip.conversions == 1
    watch.now = 60.0
    assert get(chip, STATUS) == b"\x00"
    assert chip.conversions == 1


def test_what_is_not_sampled_reads_as_skipped() -> None:
    watch = Watch()
    chip = SimulatedBme280(clock=watch)

    chip.write(bytes((CTRL_MEAS, 0b001_000_01)))  # temperature only
    watch.now = 1.0

    # Tables 20 and 23: "Skipped (output set to 0x80000)", humidity 0x8000.
    data = get(chip, DATA, 8)
    assert data[0:3] == b"\x80\x00\x00"
    assert data[6:8] == b"\x80\x00"
    assert data[3:6] != b"\x80\x00\x00"


def test_humidity_oversampling_takes_effect_with_the_next_write_to_ctrl_meas() -> None:
    watch = Watch()
    chip = SimulatedBme280(clock=watch)

    chip.write(bytes((CTRL_MEAS, 0b001_001_01)))
    chip.write(bytes((CTRL_HUM, 1)))
    watch.now = 1.0
    assert get(chip, 0xFD, 2) == b"\x80\x00"

    chip.write(bytes((CTRL_MEAS, 0b001_001_01)))
    watch.now = 2.0
    assert get(chip, 0xFD, 2) != b"\x80\x00"


def test_a_write_is_pairs_of_register_and_value() -> None:
    chip = SimulatedBme280()

    chip.write(bytes((CTRL_HUM, 5, 0xF5, 0b101_000_00)))  # section 6.2.1, figure 9

    assert get(chip, CTRL_HUM, 4) == bytes((5, 0, 0, 0b101_000_00))


def test_more_oversampling_gives_finer_steps() -> None:
    watch = Watch()
    chip = SimulatedBme280(clock=watch)
    chip.set(20.0009, 50.0, 1000.0)

    codes = []
    for osrs in (1, 2, 3, 4, 5):
        chip.write(bytes((CTRL_MEAS, osrs << 5 | 1)))
        watch.now += 1.0
        codes.append(int.from_bytes(get(chip, 0xFA, 3), "big") >> 4)

    # 16 bits and one more for each doubling (section 3.4.3).
    assert [code % step for code, step in zip(codes, (16, 8, 4, 2, 1), strict=True)] == [0] * 5
    errors = [abs(_bosch.temperature_c(code, chip.calibration) - 20.0009) for code in codes]
    assert all(later <= earlier for earlier, later in pairwise(errors))


def test_normal_mode_converts_again_and_again() -> None:
    watch = Watch()
    chip = SimulatedBme280(clock=watch)
    chip.write(bytes((0xF5, 0b101_000_00)))  # standby 1,000 ms (table 27)
    chip.write(bytes((CTRL_MEAS, 0b001_001_11)))

    watch.now = 10.0
    get(chip, STATUS)

    # Measuring takes 1 + 2 + 2.5 ms, standby 1,000 ms: ten cycles in ten seconds.
    assert chip.conversions == 10


def test_a_soft_reset_puts_everything_back() -> None:
    watch = Watch()
    chip = SimulatedBme280(clock=watch)
    chip.write(bytes((CTRL_MEAS, 0b001_001_01)))
    watch.now = 1.0
    assert get(chip, DATA, 8) != bytes.fromhex("800000 800000 8000")

    chip.write(bytes((0xE0, 0xB6)))

    assert get(chip, DATA, 8) == bytes.fromhex("800000 800000 8000")
    assert get(chip, CTRL_MEAS) == b"\x00"


def test_other_values_written_to_reset_do_nothing() -> None:
    chip = SimulatedBme280()
    chip.write(bytes((CTRL_MEAS, 0b001_001_00)))

    chip.write(bytes((0xE0, 0x42)))  # section 5.4.2

    assert get(chip, CTRL_MEAS) == bytes((0b001_001_00,))


def test_a_gap_in_the_weather_is_no_acknowledge() -> None:
    chip = SimulatedBme280()
    chip.set(None, None, None)

    with pytest.raises(OSError) as raised:
        chip.write(b"")

    assert raised.value.errno == 121


def test_a_chip_plugged_in_again_has_forgotten_its_settings() -> None:
    chip = SimulatedBme280()
    chip.write(bytes((CTRL_MEAS, 0b001_001_00)))

    chip.fault = "silence"
    chip.fault = None

    assert get(chip, CTRL_MEAS) == b"\x00"


def test_an_unknown_fault_is_refused_with_a_list() -> None:
    with pytest.raises(ValueError, match="stuck_status"):
        SimulatedBme280().fault = "on fire"


def test_a_real_conversion_takes_its_time() -> None:
    chip = SimulatedBme280()
    driver = adafruit(chip)

    began = time.monotonic()
    assert driver.temperature == pytest.approx(20.0, abs=0.005)

    # t x1, p x16, h x1 as the Adafruit driver sets them: 1 + 2 + 32.5 + 2.5 ms (section 9.1).
    assert time.monotonic() - began >= 0.038
