"""The Plantower driver over a pseudo-terminal: fan and laser, modes, captures, what it says."""

from __future__ import annotations

import struct

import pytest
from adafruit_pm25 import PM25
from contracts.haste import HASTE_S
from contracts.rig import Reader, Rig, wait_until
from hypothesis import given
from hypothesis import strategies as st
from serial_captures import Replayed, captured

from kiezbox.errors import SensorError, SensorGarbled, SensorMissing
from kiezbox.hardware.simulated.plantower import SimulatedPlantower
from kiezbox.model import Flag
from kiezbox.sensors import plantower
from kiezbox.sensors.plantower import REPLY, Parser

#: PyPMS, docs/sensors/Plantower.md, "Commands".
COMMANDS = {
    "READ": "42 4D E2 00 00 01 71",
    "SLEEP": "42 4D E4 00 00 01 73",
    "WAKE": "42 4D E4 00 01 01 74",
}


PASSIVE = bytes.fromhex("42 4D E1 00 00 01 70")


def plugged_in(rig: Rig, **table: object) -> tuple[SimulatedPlantower, Reader]:
    sensor = SimulatedPlantower(report_s=0.02)
    port = rig.bench.attach_serial("ttyUSB0", sensor)
    return sensor, rig.reader("plantower", {"port": port, **table})


# --- frames ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", COMMANDS)
def test_commands_are_the_bytes_that_others_send(name: str) -> None:
    assert getattr(plantower, name) == bytes.fromhex(COMMANDS[name])


@pytest.mark.parametrize(("sensor", "width"), [("PMSx003", 32), ("PMS5003T", 32), ("PMS3003", 24)])
def test_captured_frames_give_the_values_that_were_decoded_elsewhere(
    sensor: str, width: int
) -> None:
    frames, rows = captured(sensor, width)

    reports = Parser().feed(b"".join(frames))

    assert len(rows) == 10
    assert [report.particulates for report in reports] == [
        tuple(float(row[column]) for column in ("pm01", "pm25", "pm10")) for row in rows
    ]


@pytest.mark.parametrize("cut", range(1, 32))
def test_a_frame_right_after_half_a_frame_is_found(cut: int) -> None:
    (frame, *_), _ = captured("PMSx003", 32)

    assert [one.words[1] for one in Parser().feed(frame[:cut] + frame + frame)][-1] == 8


@pytest.mark.parametrize("bit", range(256))
def test_a_frame_with_any_one_bit_wrong_is_none(bit: int) -> None:
    (frame, *_), _ = captured("PMSx003", 32)
    wrong = bytearray(frame)
    wrong[bit // 8] ^= 1 << bit % 8

    assert Parser().feed(bytes(wrong)) == []


@given(st.lists(st.binary(max_size=30), max_size=20))
def test_how_the_bytes_are_cut_makes_no_difference(pieces: list[bytes]) -> None:
    parser = Parser()

    one_by_one = [frame for piece in pieces for frame in parser.feed(piece)]

    assert one_by_one == Parser().feed(b"".join(pieces))
    assert len(parser._rest) < plantower.LONGEST


class Held(PM25):
    """Adafruit's driver, with a frame in its hand."""

    def _read_into_buffer(self) -> None:
        pass


@given(st.binary(min_size=26, max_size=26), st.integers(0, 255), st.sampled_from((0, 0, 1, 256)))
def test_a_foreign_driver_accepts_the_same_frames(data: bytes, length: int, off_by: int) -> None:
    for said in (28, length):
        frame = b"BM" + struct.pack(">H", said) + data
        frame += struct.pack(">H", (sum(frame) + off_by) & 0xFFFF)
        foreign = Held()
        foreign._buffer[:] = frame
        try:
            values = foreign.read()
            expected = [tuple(values[key] for key in ("pm10 env", "pm25 env", "pm100 env"))]
        except RuntimeError:
            expected = []

        assert [one.particulates for one in Parser().feed(frame) if one.length == 28] == expected


# --- the sensor -----------------------------------------------------------------------------------


def test_the_fan_rests_between_two_reads_and_warms_up_before_the_next(rig: Rig) -> None:
    sensor, reader = plugged_in(rig, interval_s=150, warm_up_s=0.5)
    reader.read()
    wait_until(lambda: sensor.is_asleep)

    sensor.set(3, 5, 6)
    measurements = reader.read()

    assert [one.value for one in measurements] == [3, 5, 6]
    assert reader.took_s >= 0.1 + 0.5  # listened, then warmed up
    wait_until(lambda: sensor.is_asleep)


def test_the_fan_never_rests_when_the_interval_leaves_no_room(rig: Rig) -> None:
    sensor, reader = plugged_in(rig, interval_s=59, warm_up_s=30)

    for _ in range(2):
        reader.read()
        assert reader.took_s < 5

    assert not sensor.is_asleep


def test_a_pms3003_which_hears_nothing_is_read_without_waiting(rig: Rig) -> None:
    port = rig.bench.attach_serial("ttyUSB0", SimulatedPlantower(length=20, report_s=0.02))
    reader = rig.reader("plantower", {"port": port})

    for _ in range(2):
        assert [one.value for one in reader.read()] == [5, 8, 12]
        assert reader.took_s < 5


def test_a_sensor_left_in_passive_mode_is_asked_and_left_in_passive_mode(rig: Rig) -> None:
    sensor, reader = plugged_in(rig, warm_up_s=0)
    assert [one.length for one in Parser().feed(sensor.received(PASSIVE))] == [REPLY]

    assert [one.value for one in reader.read()] == [5, 8, 12]
    assert sensor.is_passive


def test_a_sensor_that_is_just_being_put_to_sleep_is_woken_all_the_same(rig: Rig) -> None:
    """Mode saving ends in the moment in which it began: the answer to "sleep" comes late."""
    sensor, reader = plugged_in(rig, warm_up_s=0)
    reader.read()

    for _ in range(3):
        reader.sensor.rest()
        assert reader.read()[0].value >= 1


def test_a_sensor_left_asleep_by_another_program_is_woken(rig: Rig) -> None:
    sensor, reader = plugged_in(rig, warm_up_s=0)
    sensor.received(plantower.SLEEP)
    assert sensor.is_asleep

    assert reader.read()[1].value == 8
    assert not sensor.is_asleep


def test_what_waited_in_the_port_since_the_last_read_is_not_taken_for_new(rig: Rig) -> None:
    sensor, reader = plugged_in(rig, warm_up_s=0)
    reader.read()
    wait_until(lambda: reader.sensor._line._port.in_waiting >= 320)

    sensor.set(77, 88, 99)

    assert [one.value for one in reader.read()] == [77, 88, 99]


def test_one_outlier_among_five_frames_does_not_count(rig: Rig) -> None:
    # PMSx003.csv says PM2.5 = 8, 7, 7, 7, 7; one frame more says 400.
    frames, _ = captured("PMSx003", 32)
    spike = bytearray(frames[1])
    spike[12:14] = struct.pack(">H", 400)
    spike[30:32] = struct.pack(">H", sum(spike[:30]))
    stream = b"".join((*frames[1:3], bytes(spike), *frames[3:5]))
    port = rig.bench.attach_serial("ttyUSB0", Replayed(stream, 7))
    reader = rig.reader("plantower", {"port": port, "warm_up_s": 0})

    assert reader.read()[1].value == 7


def test_a_line_on_which_most_bytes_are_no_frame_is_not_believed(rig: Rig) -> None:
    # One whole frame among four with two wrong bits: two that cancel pass a sum.
    (frame, *_), _ = captured("PMSx003", 32)
    broken = bytes((*frame[:5], frame[5] ^ 4, *frame[6:]))
    port = rig.bench.attach_serial("ttyUSB0", Replayed(frame + 3 * broken, 32))
    reader = rig.reader("plantower", {"port": port, "warm_up_s": 0})

    with pytest.raises(SensorGarbled, match="hardly a whole frame"):
        reader.read(deadline_s=3)


@pytest.mark.parametrize(
    ("pm10", "flag"),
    [(500, Flag.GOOD), (501, Flag.SUSPECT), (1000, Flag.SUSPECT), (1001, Flag.BAD)],
)
def test_a_value_beyond_the_effective_range_is_flagged(rig: Rig, pm10: int, flag: Flag) -> None:
    sensor, reader = plugged_in(rig, warm_up_s=0)
    sensor.set(20, 25, pm10)

    _, fine, coarse = reader.read()

    assert fine.flag is Flag.GOOD
    assert (coarse.value, coarse.flag) == (pm10, flag)
    assert coarse.reason == ("range" if flag else "")


@pytest.mark.parametrize(
    ("fault", "flag", "reason"),
    [("no_particles", Flag.BAD, "raw-sentinel"), ("error_code", Flag.SUSPECT, "status")],
)
def test_what_the_sensor_says_of_itself_is_believed(
    rig: Rig, fault: str, flag: Flag, reason: str
) -> None:
    sensor, reader = plugged_in(rig, warm_up_s=0)
    sensor.fault = fault

    assert {(one.flag, one.reason) for one in reader.read()} == {(flag, reason)}


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        ("silence", SensorMissing, "says nothing"),
        ("garbage", SensorGarbled, "no whole frame"),
        ("bad_checksum", SensorGarbled, "no whole frame"),
        ("half_frame", SensorGarbled, "no whole frame"),
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
