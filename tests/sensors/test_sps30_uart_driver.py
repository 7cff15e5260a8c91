"""The SPS30 driver on its serial port: frames, fan and laser, status, what it says."""

from __future__ import annotations

import struct

import pytest
from contracts.haste import HASTE_S
from contracts.rig import Reader, Rig
from hypothesis import given
from hypothesis import strategies as st
from pms.core import Sensor
from sensirion_shdlc_driver.serial_frame_builder import (
    ShdlcSerialMisoFrameBuilder,
    ShdlcSerialMosiFrameBuilder,
)
from serial_captures import Answering

from kiezbox.errors import SensorError, SensorGarbled, SensorMissing
from kiezbox.hardware.simulated import sps30_uart as simulated
from kiezbox.hardware.simulated.sps30_uart import SimulatedSps30Uart
from kiezbox.model import Flag
from kiezbox.sensors import _duty, sps30_uart
from kiezbox.sensors.sps30_uart import Frame, Parser, command


def plugged_in(rig: Rig, **table: object) -> tuple[SimulatedSps30Uart, Reader]:
    sensor = SimulatedSps30Uart(sample_s=0.0)
    port = rig.bench.attach_serial("ttyUSB0", sensor)
    return sensor, rig.reader("sps30_uart", {"port": port, **table})


# --- frames ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "bytes_"),
    # PyPMS, docs/sensors/Senserion.md, "Commands".
    [
        (command(sps30_uart.READ), "7E 00 03 00 FC 7E"),
        (command(sps30_uart.STOP), "7E 00 01 00 FE 7E"),
        (command(sps30_uart.START, sps30_uart.AS_FLOATS), "7E 00 00 02 01 03 F9 7E"),
    ],
)
def test_commands_are_the_bytes_that_others_send(made: bytes, bytes_: str) -> None:
    assert made == bytes.fromhex(bytes_)


@given(st.integers(0, 255), st.binary(max_size=255))
def test_commands_are_the_bytes_that_sensirions_driver_makes(number: int, data: bytes) -> None:
    assert command(number, data) == ShdlcSerialMosiFrameBuilder(0, number, data).to_bytes()


#: Bytes that must be stuffed come more often than by chance.
STUFFY = st.lists(st.sampled_from((0x7E, 0x7D, 0x11, 0x13, 0x5E, 0x31, 0)), max_size=60).map(bytes)


@given(st.integers(0, 255), st.integers(0, 255), STUFFY | st.binary(max_size=255))
def test_a_frame_is_read_as_sensirions_driver_reads_it(
    number: int, state: int, data: bytes
) -> None:
    content = bytes((0, number, state, len(data))) + data
    content += bytes((ShdlcSerialMisoFrameBuilder._calculate_checksum(content),))
    raw = b"\x7e" + ShdlcSerialMosiFrameBuilder._stuff_data_bytes(content) + b"\x7e"
    foreign = ShdlcSerialMisoFrameBuilder()
    assert foreign.add_data(raw)

    assert (
        Parser().feed(raw) == [Frame(*foreign.interpret_data()[1:])] == [Frame(number, state, data)]
    )


@pytest.mark.parametrize("bit", range(7 * 8))
def test_a_frame_with_any_one_bit_wrong_is_none(bit: int) -> None:
    # PyPMS, sensors/sensirion/sps30.py: "command not allowed in current state".
    wrong = bytearray(bytes.fromhex("7e 00 00 43 00 bc 7e"))
    wrong[bit // 8] ^= 1 << bit % 8

    assert Parser().feed(bytes(wrong)) == []


@given(st.lists(st.binary(max_size=30) | STUFFY, max_size=20))
def test_how_the_bytes_are_cut_makes_no_difference(pieces: list[bytes]) -> None:
    parser = Parser()

    one_by_one = [frame for piece in pieces for frame in parser.feed(piece)]

    assert one_by_one == Parser().feed(b"".join(pieces))


def test_an_escape_that_no_data_sheet_knows_makes_no_frame() -> None:
    content = bytes((0, 3, 0, 1, 0x42))
    stuffed = content[:4] + b"\x7d\x62" + bytes((~sum(content) & 0xFF,))

    assert Parser().feed(b"\x7e" + stuffed + b"\x7e") == []


# --- the sensor -----------------------------------------------------------------------------------


def test_the_fan_rests_between_two_reads_and_warms_up_before_the_next(rig: Rig) -> None:
    sensor, reader = plugged_in(rig, interval_s=150, warm_up_s=0.5)
    for _ in range(2):
        reader.read()
        assert reader.took_s >= 0.5
        assert sensor.state == simulated.IDLE


def test_a_fan_that_rests_is_blown_clean_once_a_week(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_duty, "CLEANING_S", 0.1)
    sensor, reader = plugged_in(rig, warm_up_s=0.1, clean_days=7)
    reader.read()
    assert sensor.cleanings == 0

    _duty._CLEANED_AT[reader.sensor._part] -= 7 * 86400
    for _ in range(2):
        reader.read()

    assert sensor.cleanings == 1 and sensor.state == simulated.IDLE


def test_a_sensor_that_measures_already_is_read_without_waiting(rig: Rig) -> None:
    sensor, reader = plugged_in(rig, interval_s=59, warm_up_s=30)
    sensor.received(bytes.fromhex("7E 00 00 02 01 03 F9 7E"))

    assert reader.read()[0].flag is Flag.GOOD
    assert reader.took_s < 5
    assert sensor.state == simulated.MEASURING


def test_a_sensor_that_was_started_with_whole_numbers_is_read_too(rig: Rig) -> None:
    sensor, reader = plugged_in(rig, warm_up_s=0)
    sensor.set(4.2, 6.4, 7.0, 7.6)
    # Sensirion's StartMeasurement with OUTPUT_FORMAT_UINT16 (261).
    sensor.received(ShdlcSerialMosiFrameBuilder(0, 0, struct.pack(">H", 261)).to_bytes())

    assert [one.value for one in reader.read()] == [4, 6, 7, 8]


def test_a_sensor_that_sleeps_is_woken(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sps30_uart, "ANSWER_S", 0.15)
    sensor, reader = plugged_in(rig, warm_up_s=0)
    sensor.received(command(0x10))
    assert sensor.state == simulated.SLEEPING

    assert reader.read()[0].value == 4.0
    assert sensor.state == simulated.MEASURING


def test_it_waits_for_new_measurements_and_takes_five(rig: Rig) -> None:
    sensor = SimulatedSps30Uart(sample_s=0.1)
    port = rig.bench.attach_serial("ttyUSB0", sensor)
    reader = rig.reader("sps30_uart", {"port": port, "warm_up_s": 0})

    reader.read()

    assert reader.took_s >= 0.5


@pytest.mark.parametrize(
    ("fault", "flag", "reason"),
    [
        ("fan", Flag.BAD, "status"),
        ("laser", Flag.BAD, "status"),
        ("speed", Flag.SUSPECT, "status"),
        ("zeros", Flag.BAD, "raw-sentinel"),
    ],
)
def test_what_the_sensor_says_of_itself_is_believed(
    rig: Rig, fault: str, flag: Flag, reason: str
) -> None:
    sensor, reader = plugged_in(rig, warm_up_s=0)
    sensor.fault = fault

    assert {(one.flag, one.reason) for one in reader.read()} == {(flag, reason)}


def test_a_firmware_without_a_status_register_is_believed(rig: Rig) -> None:
    port = rig.bench.attach_serial("ttyUSB0", SimulatedSps30Uart(sample_s=0.0, firmware=(1, 0)))
    reader = rig.reader("sps30_uart", {"port": port, "warm_up_s": 0})

    assert [one.flag for one in reader.read()] == [Flag.GOOD] * 4


@pytest.mark.parametrize(("pm10", "flag"), [(1000.0, Flag.GOOD), (1000.5, Flag.BAD)])
def test_a_value_beyond_the_range_is_flagged(rig: Rig, pm10: float, flag: Flag) -> None:
    sensor, reader = plugged_in(rig, warm_up_s=0)
    sensor.set(100.0, 200.0, 300.0, pm10)

    *finer, coarse = reader.read()

    assert [one.flag for one in finer] == [Flag.GOOD] * 3
    assert (coarse.value, coarse.flag) == (pm10, flag)


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        ("silence", SensorMissing, "says nothing"),
        ("garbage", SensorGarbled, "no whole frame"),
        ("bad_checksum", SensorGarbled, "no whole frame"),
        ("refuses", SensorGarbled, "error 0x04"),
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


@pytest.mark.parametrize(
    "values", [struct.pack(">10f", *[float("nan")] * 10), struct.pack(">10f", *[-1.0] * 10), b"12"]
)
def test_values_that_are_none_are_no_reading(rig: Rig, values: bytes) -> None:
    def frame(number: int, data: bytes) -> bytes:
        content = bytes((0, number, 0, len(data))) + data
        content += bytes((~sum(content) & 0xFF,))
        return b"\x7e" + ShdlcSerialMosiFrameBuilder._stuff_data_bytes(content) + b"\x7e"

    port = rig.bench.attach_serial("ttyUSB0", Answering(frame(0, b"") + frame(3, values)))
    reader = rig.reader("sps30_uart", {"port": port, "warm_up_s": 0})

    with pytest.raises(SensorGarbled, match="nonsense"):
        reader.read(deadline_s=3)


def test_pypms_decodes_what_this_driver_reads() -> None:
    sensor = SimulatedSps30Uart(sample_s=0.0)
    sensor.received(Sensor["SPS30"].Commands.wake.command)
    answer = sensor.received(Sensor["SPS30"].Commands.passive_read.command)

    decoded = Sensor["SPS30"].decode(answer, time=1)
    (frame,) = Parser().feed(answer)

    assert struct.unpack(">10f", frame.data)[:4] == (
        decoded.pm01,
        decoded.pm25,
        decoded.pm04,
        decoded.pm10,
    )
