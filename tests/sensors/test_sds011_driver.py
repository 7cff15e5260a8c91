"""The SDS011 driver over a pseudo-terminal: fan and laser, modes, captures, what it says."""

from __future__ import annotations

import time

import pytest
from contracts.haste import HASTE_S
from contracts.rig import Reader, Rig, wait_until
from shared import shared_data

from kiezbox.errors import SensorError, SensorGarbled, SensorMissing, SensorTimeout, SettingsError
from kiezbox.hardware.simulated.sds011 import SimulatedSds011
from kiezbox.model import Flag
from kiezbox.sensors import sds011

QUERY_MODE = bytes.fromhex("AAB402010100000000000000000000FFFF02AB")


def plugged_in(rig: Rig, **table: object) -> tuple[SimulatedSds011, Reader]:
    sensor = SimulatedSds011(report_s=0.02)
    port = rig.bench.attach_serial("ttyUSB0", sensor)
    return sensor, rig.reader("sds011", {"port": port, **table})


def test_the_fan_rests_between_two_reads_and_warms_up_before_the_next(rig: Rig) -> None:
    sensor, reader = plugged_in(rig, interval_s=150, warm_up_s=0.5)
    reader.read()
    wait_until(lambda: sensor.is_asleep)

    sensor.set(5.0, 6.0)
    measurements = reader.read()

    assert [one.value for one in measurements] == [5.0, 6.0]
    assert reader.took_s >= 0.1 + 0.5  # listened, then warmed up
    wait_until(lambda: sensor.is_asleep)


def test_the_fan_never_rests_when_the_interval_leaves_no_room(rig: Rig) -> None:
    sensor, reader = plugged_in(rig, interval_s=59, warm_up_s=30)

    for _ in range(2):
        reader.read()
        assert reader.took_s < 5

    assert not sensor.is_asleep


def test_a_sensor_that_obeys_nothing_is_read_without_waiting(rig: Rig) -> None:
    sensor, reader = plugged_in(rig)
    sensor.fault = "deaf"

    for _ in range(2):
        reader.read()
        assert reader.took_s < 5


def test_a_sensor_that_is_just_being_put_to_sleep_is_woken_all_the_same(rig: Rig) -> None:
    """Mode saving ends in the moment in which it began: the answer to "sleep" comes late."""
    sensor, reader = plugged_in(rig, warm_up_s=0)
    reader.read()

    for _ in range(3):
        reader.sensor.rest()
        assert reader.read()[0].value >= 1


def test_a_sensor_left_asleep_by_another_program_is_woken(rig: Rig) -> None:
    sensor, reader = plugged_in(rig, warm_up_s=0)
    sensor.is_asleep = True

    assert reader.read()[0].value == 8.0
    assert not sensor.is_asleep


def test_a_sensor_left_in_query_mode_is_asked_and_left_in_query_mode(rig: Rig) -> None:
    sensor, reader = plugged_in(rig, warm_up_s=0)
    sensor.received(QUERY_MODE)

    assert reader.read()[0].value == 8.0
    assert all(sensor.due(time.monotonic() + n) == b"" for n in range(5))


def test_what_waited_in_the_port_since_the_last_read_is_not_taken_for_new(rig: Rig) -> None:
    sensor, reader = plugged_in(rig, warm_up_s=0)
    reader.read()
    wait_until(lambda: reader.sensor._line._port.in_waiting >= 20)

    sensor.set(77.0, 99.0)

    assert [one.value for one in reader.read()] == [77.0, 99.0]


def test_more_fine_than_coarse_dust_is_no_error(rig: Rig) -> None:
    sensor, reader = plugged_in(rig, warm_up_s=0)
    sensor.set(12.1, 11.9)

    assert [one.flag for one in reader.read()] == [Flag.GOOD, Flag.GOOD]


@pytest.mark.parametrize(
    ("pm10", "flag"), [(999.8, Flag.GOOD), (999.9, Flag.BAD), (1999.9, Flag.BAD)]
)
def test_a_value_at_the_end_of_the_range_is_flagged(rig: Rig, pm10: float, flag: Flag) -> None:
    sensor, reader = plugged_in(rig, warm_up_s=0)
    sensor.set(25.0, pm10)

    fine, coarse = reader.read()

    assert fine.flag is Flag.GOOD
    assert (coarse.value, coarse.flag) == (pm10, flag)
    assert coarse.reason == ("range" if flag else "")


def test_a_zero_for_both_is_a_dark_laser_and_one_for_the_fine_alone_is_air(rig: Rig) -> None:
    sensor, reader = plugged_in(rig, warm_up_s=0)
    sensor.fault = "no_particles"
    assert {(one.flag, one.reason) for one in reader.read()} == {(Flag.BAD, "raw-sentinel")}

    sensor.fault = None
    sensor.set(0.0, 0.3)
    assert {one.flag for one in reader.read()} == {Flag.GOOD}


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        ("silence", SensorMissing, "says nothing"),
        ("garbage", SensorGarbled, "no whole frame"),
        ("bad_checksum", SensorGarbled, "no whole frame"),
        ("half_frame", SensorGarbled, "no whole frame"),
        ("foreign", SensorGarbled, "SDS198"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(
    rig: Rig, fault: str, kind: type[SensorError], words: str
) -> None:
    sensor, reader = plugged_in(rig, warm_up_s=0)
    sensor.fault = fault

    with pytest.raises(kind, match=words) as raised:
        reader.read(deadline_s=HASTE_S)

    assert rig.bench.folder in str(raised.value), "the sentence names the port"
    assert raised.value.hint


class Answering:
    """A sensor that answers commands and never reports: its laser is worn out."""

    tick_s = 0.01

    def received(self, data: bytes) -> bytes:
        return bytes.fromhex("AA C5 06 01 01 00 A1 60 09 AB")

    def due(self, now_monotonic: float) -> bytes:
        return b""


def test_a_sensor_that_only_answers_commands_is_a_timeout(rig: Rig) -> None:
    port = rig.bench.attach_serial("ttyUSB0", Answering())
    reader = rig.reader("sds011", {"port": port, "warm_up_s": 0})

    with pytest.raises(SensorTimeout, match="reports nothing"):
        reader.read(deadline_s=HASTE_S)


class Replayed:
    """A sensor that says what a real one said."""

    def __init__(self, stream: bytes) -> None:
        self._stream = stream
        self._at = 0

    def received(self, data: bytes) -> bytes:
        return b""

    def due(self, now_monotonic: float) -> bytes:
        # Seven bytes at a time, so that no message begins with a frame.
        self._at += 7
        return (self._stream + self._stream)[self._at % len(self._stream) :][:7]


def test_a_captured_stream_is_read_as_it_was_decoded_elsewhere(rig: Rig) -> None:
    dump = shared_data("serial/pypms/SDS01x.hexdump").read_text()
    stream = b"".join(bytes.fromhex(line[10:39]) for line in dump.splitlines())
    port = rig.bench.attach_serial("ttyUSB0", Replayed(stream))
    reader = rig.reader("sds011", {"port": port, "warm_up_s": 0})

    for _ in range(5):
        fine, coarse = reader.read()
        # SDS01x.csv: 0.6, 0.9 or 0.8, and both the same in every row.
        assert fine.value == coarse.value and fine.value in (0.6, 0.8, 0.9)


def test_a_warm_up_longer_than_the_deadline_is_refused_with_both_ways_out() -> None:
    with pytest.raises(SettingsError, match="deadline_s = 10") as raised:
        sds011.Settings(driver="sds011", deadline_s=10)

    assert "at least 38" in raised.value.hint and "warm_up_s = 0" in raised.value.hint
