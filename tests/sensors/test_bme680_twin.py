"""The simulated BME680 against a real chip's memory, the data sheet, and two foreign drivers."""

from __future__ import annotations

import time

import adafruit_bme680
import bme680 as pimoroni
import pytest
from contracts.haste import Watch

from kiezbox.hardware.simulated import _bosch680
from kiezbox.hardware.simulated._bosch680 import EXAMPLE
from kiezbox.hardware.simulated.bme680 import SimulatedBme680
from kiezbox.hardware.simulated.bus import SimulatedBus

#: A real chip's memory, and what its driver's author says it measured: 25.4 °C, 63 %, 101,304.8 Pa
#: (go.eqrx.net/mauzr, pkg/bme/bme680, its test of 2019): the rows 0x00, 0x20, 0x80, 0x90, 0xE0.
DUMP = {
    0x00: "2daa164b1302549900000100020402c8",
    0x20: "a4407b7ba059df800000ffe100040000",
    0x80: "a46e894b914f0906b3002466030fab87",
    0x90: "7bd758fff30f79000c1e0000f60300f0",
    0xA0: "1e018c000000000000000000330000c0",
    0xE0: "003fed2c002d14789c8f6710e1de12c8",
}
RESERVED = {0x8D, 0x93, 0x9A, 0x9B}
STATUS, CTRL_GAS_1, CTRL_HUM, CTRL_MEAS, CONFIG = 0x1D, 0x71, 0x72, 0x74, 0x75

AIRS = [
    (21.5, 55.0, 1008.0, 52_300.0),
    (0.0, 30.0, 1013.25, 1_000_000.0),
    (-18.3, 88.0, 1041.7, 12_345.0),
    (38.9, 12.0, 996.2, 300_000.0),
]


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    made = Watch()
    monkeypatch.setattr(adafruit_bme680, "time", made)
    return made


def dumped(register: int) -> int:
    return bytes.fromhex(DUMP[register & 0xF0])[register & 0xF]


def get(chip: SimulatedBme680, register: int, count: int = 1) -> bytes:
    chip.write(bytes((register,)))
    return chip.read(count)


def adafruit(chip: SimulatedBme680) -> adafruit_bme680.Adafruit_BME680_I2C:
    bus = SimulatedBus()
    bus.attach(0x77, chip)
    return adafruit_bme680.Adafruit_BME680_I2C(bus)


class Smbus:
    """The chip as Pimoroni's driver wants it."""

    def __init__(self, chip: SimulatedBme680) -> None:
        self._chip = chip

    def read_byte_data(self, address: int, register: int) -> int:
        return get(self._chip, register)[0]

    def read_i2c_block_data(self, address: int, register: int, length: int) -> list[int]:
        return list(get(self._chip, register, length))

    def write_byte_data(self, address: int, register: int, value: int) -> None:
        self._chip.write(bytes((register, value)))


def test_trimming_values_lie_where_the_real_chip_has_them() -> None:
    ours = EXAMPLE.registers()
    read = {*range(0x8A, 0xA1), *range(0xE1, 0xEF)} - RESERVED

    assert {r: ours[r] for r in read} == {r: dumped(r) for r in read}
    # Of the lowest ones only these bits are said to mean something.
    assert (ours[0x00], ours[0x02] & 0x30, ours[0x04] & 0xF0) == (0x2D, 0x10, 0x10)


def test_the_arithmetic_gives_what_the_real_chip_measured() -> None:
    pressure = 0x66A44  # 0x1F is 0x66, in the row that ends in it
    temperature = int.from_bytes([dumped(0x22), dumped(0x23), dumped(0x24)], "big") >> 4
    humidity = int.from_bytes([dumped(0x25), dumped(0x26)], "big")

    celsius = _bosch680.temperature_c(temperature, EXAMPLE)
    assert celsius == pytest.approx(25.4, abs=0.1)
    assert _bosch680.humidity_percent(humidity, celsius, EXAMPLE) == pytest.approx(63, abs=0.5)
    t_fine = _bosch680.fine_temperature(temperature, EXAMPLE)
    hpa = _bosch680.pressure_hpa(pressure, t_fine, EXAMPLE)
    assert hpa == pytest.approx(1013.048, abs=0.02)


@pytest.mark.parametrize("is_688", [False, True])
@pytest.mark.parametrize("air", AIRS)
def test_pimoronis_driver_reads_the_air_the_twin_was_set_to(
    air: tuple[float, float, float, float], is_688: bool
) -> None:
    chip = SimulatedBme680(is_688=is_688, clock=lambda: time.monotonic() * 1000)
    chip.set(*air)
    driver = pimoroni.BME680(i2c_device=Smbus(chip))
    driver.set_gas_heater_profile(320, 150)

    assert driver.get_sensor_data()

    data = driver.data
    assert data.heat_stable
    assert data.temperature == pytest.approx(air[0], abs=0.01)
    assert data.humidity == pytest.approx(air[1], abs=0.05)
    assert data.pressure == pytest.approx(air[2], abs=0.1)  # it calculates with whole numbers
    assert data.gas_resistance == pytest.approx(air[3], rel=0.004)  # 10 bits


@pytest.mark.parametrize("air", AIRS)
def test_the_unchanged_adafruit_driver_reads_it_with_its_own_errors(
    watch: Watch, air: tuple[float, float, float, float]
) -> None:
    chip = SimulatedBme680(clock=watch)
    chip.set(*air)
    driver = adafruit(chip)

    assert driver.temperature == pytest.approx(air[0], abs=0.01)
    assert driver.pressure == pytest.approx(air[2], abs=0.05)
    # It has the lower halves of H1 and H2 the wrong way round: here 13 and 14, so it is near.
    assert driver.humidity == pytest.approx(air[1], abs=0.5)
    assert driver.gas == pytest.approx(air[3], rel=0.004)


def test_registers_are_as_the_data_sheet_says_after_power_on() -> None:
    chip = SimulatedBme680()

    assert get(chip, 0xD0) == b"\x61"
    assert get(chip, STATUS) == b"\x00"
    assert get(chip, CTRL_GAS_1, 5) == bytes(5)
    assert get(chip, 0x1F, 8) == bytes.fromhex("800000 800000 8000")


def test_a_forced_conversion_takes_its_time_and_ends_in_sleep(watch: Watch) -> None:
    chip = SimulatedBme680(clock=watch)
    chip.write(bytes((CTRL_HUM, 2)))
    chip.write(bytes((CTRL_MEAS, 0b100_011_01)))  # temperature x8, pressure x4, humidity x2

    # Bosch's bme68x_get_meas_dur: 14 cycles of 1,963 µs, and 9 of 477 µs for switching.
    watch.sleep(0.0317)
    assert get(chip, STATUS) == b"\x20"
    watch.sleep(0.0002)
    assert get(chip, STATUS) == b"\x80"
    assert get(chip, CTRL_MEAS) == bytes((0b100_011_00,))
    assert chip.conversions == 1


@pytest.mark.parametrize(("wait", "heating_ms"), [(0x65, 37 * 4), (0x3F, 63), (0xFF, 4032)])
def test_the_plate_is_heated_as_long_as_gas_wait_says(
    watch: Watch, wait: int, heating_ms: int
) -> None:
    chip = SimulatedBme680(clock=watch)
    chip.write(bytes((0x64, wait, 0x5A, 0x73, CTRL_GAS_1, 0x10, CTRL_MEAS, 0b001_000_01)))

    watch.sleep(heating_ms / 1000)
    assert get(chip, STATUS) == b"\x20"
    watch.sleep(0.007)

    assert get(chip, STATUS) == b"\x80"
    assert get(chip, 0x2B)[0] & 0x30 == 0x30  # valid, stable (5.3.5.5, 5.3.5.6)


def test_a_plate_without_a_set_point_is_not_stable(watch: Watch) -> None:
    chip = SimulatedBme680(clock=watch)
    chip.write(bytes((0x64, 0x65, CTRL_GAS_1, 0x10, CTRL_MEAS, 0b001_000_01)))
    watch.sleep(1.0)

    assert get(chip, 0x2B)[0] & 0x30 == 0x20


def test_what_is_not_sampled_reads_as_skipped(watch: Watch) -> None:
    chip = SimulatedBme680(clock=watch)
    chip.write(bytes((CTRL_MEAS, 0b001_000_01)))  # temperature only
    watch.sleep(1.0)

    data = get(chip, 0x1F, 8)

    assert data[0:3] == b"\x80\x00\x00"
    assert data[6:8] == b"\x80\x00"
    assert data[3:6] != b"\x80\x00\x00"


def test_a_soft_reset_puts_everything_back(watch: Watch) -> None:
    chip = SimulatedBme680(clock=watch)
    chip.write(bytes((0x5A, 0x73, CTRL_MEAS, 0b001_001_01)))
    watch.sleep(1.0)
    get(chip, STATUS)

    chip.write(bytes((0xE0, 0xB6)))

    assert get(chip, 0x1F, 8) == bytes.fromhex("800000 800000 8000")
    assert get(chip, 0x5A) == b"\x00"


def test_a_gap_in_the_air_is_no_acknowledge() -> None:
    chip = SimulatedBme680()
    chip.set(None, None, None)

    with pytest.raises(OSError) as raised:
        chip.write(b"")

    assert raised.value.errno == 121


def test_an_unknown_fault_is_refused_with_a_list() -> None:
    with pytest.raises(ValueError, match="cold_plate"):
        SimulatedBme680().fault = "on fire"
