"""The simulated SCD4x against the data sheet and the unchanged Adafruit driver."""

from __future__ import annotations

import adafruit_scd4x
import pytest
from contracts.haste import Watch

from kiezbox.hardware.simulated._sensirion import words
from kiezbox.hardware.simulated.bus import SimulatedBus
from kiezbox.hardware.simulated.scd4x import SimulatedScd4x


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    made = Watch()
    monkeypatch.setattr(adafruit_scd4x, "time", made)
    return made


def adafruit(chip: SimulatedScd4x) -> adafruit_scd4x.SCD4X:
    bus = SimulatedBus()
    bus.attach(0x62, chip)
    return adafruit_scd4x.SCD4X(bus)


def said(chip: SimulatedScd4x, watch: Watch, command: str, count: int) -> str:
    """What the chip answers to a command, read after its time."""
    chip.write(bytes.fromhex(command))
    watch.sleep(0.001)
    return chip.read(count).hex()


@pytest.mark.parametrize(
    "air", [(600, 21.5, 55.0), (400, -10.0, 95.0), (5000, 60.0, 5.0), (40000, 0.0, 100.0)]
)
def test_the_unchanged_adafruit_driver_reads_the_air_the_twin_was_set_to(
    watch: Watch, air: tuple[float, float, float]
) -> None:
    chip = SimulatedScd4x(clock=watch)
    chip.set(*air)
    driver = adafruit(chip)
    driver.start_periodic_measurement()
    watch.sleep(5.0)

    assert driver.CO2 == air[0]
    assert driver.temperature == pytest.approx(air[1], abs=0.005)
    assert driver.relative_humidity == pytest.approx(air[2], abs=0.05)


def test_the_sheets_example_of_a_measurement_comes_out_in_its_words(watch: Watch) -> None:
    chip = SimulatedScd4x(clock=watch)
    chip.set(500, 25.0, 37.0)
    chip.offset_word = chip.heat_k = 0
    chip.write(bytes.fromhex("21b1"))
    watch.sleep(5.0)

    # Section 3.5.2: 500 ppm, 25 °C, 37 %, which divides by 65,536 and not by 65,535: one step.
    # Its first checksum is printed as 0x7b; 0x33 is what its own section 3.11 gives for 0x01f4.
    ours = words(bytes.fromhex(said(chip, watch, "ec05", 9)))
    sheets = words(bytes.fromhex("01f433 6667a2 5eb93c"))
    assert ours is not None and sheets is not None
    assert ours == pytest.approx(sheets, abs=1)


def test_the_serial_number_is_the_sheets_example(watch: Watch) -> None:
    # Section 3.9.2, with its checksums.
    assert said(SimulatedScd4x(clock=watch), watch, "3682", 9) == "f896319f07c23bbe89"


def test_data_are_ready_after_the_period_until_they_are_read(watch: Watch) -> None:
    chip = SimulatedScd4x(clock=watch)
    for command, period_s in (("21b1", 5.0), ("21ac", 30.0)):
        chip.write(bytes.fromhex(command))
        watch.sleep(period_s - 0.1)
        assert said(chip, watch, "e4b8", 3) == "8000a2"  # section 3.8.2: "no measurement"
        watch.sleep(0.1)
        assert said(chip, watch, "e4b8", 3)[:4] != "8000"
        said(chip, watch, "ec05", 9)
        assert said(chip, watch, "e4b8", 3) == "8000a2"
        with pytest.raises(OSError, match="no acknowledge"):
            chip.write(bytes.fromhex("ec05"))  # "if no data is available ... a NACK" (3.5.2)
        chip.write(bytes.fromhex("3f86"))
        watch.sleep(0.5)


@pytest.mark.parametrize("command", ["2318", "2322", "2313", "3682", "219d", "21b1", "24160001b0"])
def test_what_table_9_forbids_while_measuring_is_not_acknowledged(
    watch: Watch, command: str
) -> None:
    chip = SimulatedScd4x(clock=watch)
    chip.write(bytes.fromhex("21b1"))

    with pytest.raises(OSError, match="no acknowledge"):
        chip.write(bytes.fromhex(command))


def test_the_pressure_may_be_told_while_measuring(watch: Watch) -> None:
    chip = SimulatedScd4x(clock=watch)
    chip.write(bytes.fromhex("21b1"))

    chip.write(bytes.fromhex("e00003db42"))  # the example of 3.6.5: 98,700 Pa

    assert chip.pressure_hpa == 987


def test_after_stopping_it_answers_nobody_for_half_a_second(watch: Watch) -> None:
    chip = SimulatedScd4x(clock=watch)
    chip.write(bytes.fromhex("21b1"))
    chip.write(bytes.fromhex("3f86"))

    watch.sleep(0.49)
    with pytest.raises(OSError, match="no acknowledge"):
        chip.write(b"")
    watch.sleep(0.01)

    chip.write(b"")


def test_a_power_cycle_brings_back_what_it_was_made_with(watch: Watch) -> None:
    chip = SimulatedScd4x(clock=watch)
    chip.write(bytes.fromhex("2416000081"))  # self-calibration off
    watch.sleep(0.001)
    chip.write(bytes.fromhex("21b1"))

    chip.power_cycle()

    assert not chip.is_measuring
    assert said(chip, watch, "2313", 3) == "0001b0"  # "by default, ASC is enabled" (3.7.2)
    assert adafruit(chip).temperature_offset == pytest.approx(4.0, abs=0.003)  # 3.6.1


def test_a_single_shot_takes_five_seconds(watch: Watch) -> None:
    chip = SimulatedScd4x(clock=watch)
    chip.write(bytes.fromhex("219d"))
    watch.sleep(4.9)
    with pytest.raises(OSError, match="no acknowledge"):
        chip.write(b"")
    watch.sleep(0.1)

    assert said(chip, watch, "e4b8", 3)[:4] != "8000"


def test_waking_up_is_not_acknowledged_and_works(watch: Watch) -> None:
    chip = SimulatedScd4x(clock=watch)
    driver = adafruit(chip)
    driver.power_down()
    with pytest.raises(OSError, match="no acknowledge"):
        chip.write(b"")
        chip.write(bytes.fromhex("3682"))

    driver.wake_up()

    assert driver.serial_number == (0xF8, 0x96, 0x9F, 0x07, 0x3B, 0xBE)


@pytest.mark.parametrize("variant", ["SCD40", "SCD41", "SCD43"])
def test_it_says_which_kind_it_is(watch: Watch, variant: str) -> None:
    chip = SimulatedScd4x(clock=watch)
    chip.variant = variant

    assert adafruit(chip).sensor_variant_name == variant


def test_a_gap_in_the_air_is_no_acknowledge(watch: Watch) -> None:
    chip = SimulatedScd4x(clock=watch)
    chip.set(None, None, None)

    with pytest.raises(OSError, match="no acknowledge"):
        chip.write(b"")
