"""The SPS30 driver on I²C: it rests between readings, cleans its fan, and believes what it says
of itself.
"""

from __future__ import annotations

import threading
import time

import pytest
from contracts.haste import clock
from contracts.rig import Reader, Rig, wait_until

from kiezbox.errors import SensorGarbled, SensorTimeout, SettingsError
from kiezbox.hardware.simulated.sen5x import SimulatedSen5x
from kiezbox.hardware.simulated.sps30 import CLEAN, SLEEP, START, STOP, SimulatedSps30
from kiezbox.model import Flag, Measurement, Quantity
from kiezbox.sensors import _duty, sps30
from kiezbox.settings import parse

AIR = (4.2, 6.75, 8.1, 9.4)
#: Rests between two readings: the warm-up is short, the pause is not.
RESTING = {"warm_up_s": 0.02, "interval_s": 150}


def plugged(rig: Rig, table: dict[str, object], **detail: object) -> tuple[SimulatedSps30, Reader]:
    chip = SimulatedSps30(clock=lambda: clock() * 100, nudge_s=1e5, **detail)  # type: ignore[arg-type]
    chip.set(*AIR)
    rig.bench.attach(0x69, chip)
    return chip, rig.reader("sps30", table)


def values(measurements: list[Measurement]) -> list[float]:
    return [one.value for one in measurements]


def test_it_sleeps_between_two_readings_and_is_woken_for_the_next(rig: Rig) -> None:
    chip, reader = plugged(rig, RESTING)

    for _ in range(2):
        assert values(list(reader.read())) == pytest.approx(AIR, abs=0.01)
        assert chip.state == "asleep"


def test_without_room_between_two_readings_it_measures_on(rig: Rig) -> None:
    chip, reader = plugged(rig, {"warm_up_s": 0.02, "interval_s": 1, "deadline_s": 20})
    reader.settings = parse(sps30.Settings, {"driver": "sps30", "warm_up_s": 0})

    reader.read()
    reader.read()

    assert chip.state == "measuring"
    assert chip.commands.count(START) == 1


def test_closing_it_stops_fan_and_laser(rig: Rig) -> None:
    chip, reader = plugged(rig, {"warm_up_s": 0})
    reader.read()
    assert chip.state == "measuring"

    reader.close()

    assert chip.state == "asleep"


def test_a_closing_box_does_not_wait_for_the_warm_up_and_leaves_no_fan_running(rig: Rig) -> None:
    chip, reader = plugged(rig, {"warm_up_s": 30})
    caught: list[Exception] = []

    def work() -> None:
        try:
            reader.read()
        except SensorTimeout as error:
            caught.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    wait_until(lambda: chip.state == "measuring")
    began = time.monotonic()
    reader.deadline.start(0.0)  # what the node does to interrupt a sensor
    thread.join(10)

    assert not thread.is_alive() and len(caught) == 1
    assert time.monotonic() - began < 3
    assert chip.state == "asleep"


def test_old_firmware_that_cannot_sleep_goes_idle(rig: Rig) -> None:
    chip, reader = plugged(rig, RESTING, firmware=(1, 0))

    reader.read()

    assert chip.state == "idle"
    assert SLEEP not in chip.commands


def test_one_left_measuring_by_a_box_without_power_is_begun_anew(rig: Rig) -> None:
    chip, reader = plugged(rig, RESTING)
    chip.write(bytes.fromhex("0010 0500 f6"))  # as whole numbers, by whoever was before us
    wait_until(lambda: chip.clock() > chip._free_at)

    assert values(list(reader.read())) == pytest.approx(AIR, abs=0.01)
    assert chip.commands.index(STOP) < len(chip.commands) - 1 - chip.commands[::-1].index(START)


def test_the_fan_of_one_that_rests_is_cleaned_when_it_is_due(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_duty, "CLEANING_S", 0.01)
    chip, reader = plugged(rig, {**RESTING, "clean_days": 7})
    reader.read()
    assert CLEAN not in chip.commands

    _duty._CLEANED_AT["the SPS30 at 0x69"] -= 7 * 86400
    reader.close()  # a bad contact in between changes nothing
    reader.read()
    reader.read()

    assert chip.commands.count(CLEAN) == 1
    assert chip.state == "asleep"


@pytest.mark.parametrize(
    # Data sheet 4.4: FAN bit 4, LASER bit 5 are errors, SPEED bit 21 is a warning.
    ("fault", "flag"),
    [("fan_blocked", Flag.BAD), ("laser_broken", Flag.BAD), ("fan_slow", Flag.SUSPECT)],
)
def test_what_it_says_of_itself_is_believed(rig: Rig, fault: str, flag: Flag) -> None:
    chip, reader = plugged(rig, RESTING)
    chip.fault = fault

    assert {(one.flag, one.reason) for one in reader.read()} == {(flag, "status")}


def test_ten_zeros_are_no_clean_air(rig: Rig) -> None:
    chip, reader = plugged(rig, RESTING)
    chip.fault = "empty"

    assert {(one.flag, one.reason) for one in reader.read()} == {(Flag.BAD, "raw-sentinel")}


def test_only_what_is_beyond_the_measuring_range_is_flagged(rig: Rig) -> None:
    chip, reader = plugged(rig, RESTING)
    chip.set(300.0, 800.0, 999.9, 1200.0)

    flags = {one.quantity: (one.flag, one.reason) for one in reader.read()}

    assert flags.pop(Quantity.PM10_UG_M3) == (Flag.BAD, "range")
    assert set(flags.values()) == {(Flag.GOOD, "")}


def test_an_sen5x_at_its_address_is_named_together_with_its_driver(rig: Rig) -> None:
    chip, reader = plugged(rig, RESTING)
    chip.fault = "wrong_id"

    with pytest.raises(SensorGarbled, match="is no SPS30") as raised:
        reader.read()

    assert 'driver = "sen5x"' in raised.value.hint


def test_a_deadline_without_room_for_the_warm_up_is_refused() -> None:
    with pytest.raises(SettingsError, match="deadline_s = 30"):
        parse(sps30.Settings, {"driver": "sps30", "deadline_s": 30})


def test_a_chip_that_takes_no_command_of_an_sps30_is_not_called_absent(rig: Rig) -> None:
    rig.bench.attach(0x69, SimulatedSen5x(clock=lambda: clock() * 100))
    reader = rig.reader("sps30", RESTING)

    with pytest.raises(SensorGarbled, match="takes no command of an SPS30"):
        reader.read()
