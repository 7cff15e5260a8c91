"""The Senseair S8 driver over a pseudo-terminal: frames, status, baseline, what it says."""

from __future__ import annotations

import minimalmodbus
import pytest
from contracts.haste import HASTE_S
from contracts.rig import Reader, Rig
from hypothesis import given
from hypothesis import strategies as st

from kiezbox.errors import SensorError, SensorGarbled, SensorMissing
from kiezbox.hardware.simulated.senseair_s8 import STATUS, SimulatedSenseairS8
from kiezbox.model import Flag
from kiezbox.sensors import senseair_s8
from kiezbox.sensors.senseair_s8 import Parser, crc16, request

#: TDE2067's example, as in SFeli/ESP32_S8 and many others: 400 ppm.
ASKED, ANSWERED = bytes.fromhex("FE 04 00 03 00 01 D5 C5"), bytes.fromhex("FE 04 02 01 90 AC D8")


def plugged_in(rig: Rig, **table: object) -> tuple[SimulatedSenseairS8, Reader]:
    sensor = SimulatedSenseairS8()
    port = rig.bench.attach_serial("ttyUSB0", sensor)
    return sensor, rig.reader("senseair_s8", {"port": port, **table})


# --- frames ---------------------------------------------------------------------------------------


def test_the_makers_example_is_made_and_understood() -> None:
    assert request(senseair_s8.READ_INPUT, 3, 1) == ASKED
    assert [frame.register(0) for frame in Parser().feed(ANSWERED)] == [400]


def test_the_question_for_status_and_value_is_the_one_that_others_ask() -> None:
    # TDE2067: "CO2 read sequence" for status and value, FE 04 00 00 00 04 E5 C6.
    assert request(4, 0, 4) == bytes.fromhex("FE 04 00 00 00 04 E5 C6")


@given(st.binary(max_size=40))
def test_the_checksum_is_that_of_a_foreign_library(data: bytes) -> None:
    assert crc16(data).to_bytes(2, "little") == minimalmodbus._calculate_crc(data)


@given(st.binary(min_size=2, max_size=16).filter(lambda data: len(data) % 2 == 0))
def test_an_answer_of_a_foreign_library_is_understood(data: bytes) -> None:
    payload = bytes((len(data),)) + data
    frame = minimalmodbus._embed_payload(0xFE, minimalmodbus.MODE_RTU, 4, payload)

    assert [one.data for one in Parser().feed(frame)] == [data]


@pytest.mark.parametrize("bit", range(56))
def test_a_frame_with_any_one_bit_wrong_is_none(bit: int) -> None:
    wrong = bytearray(ANSWERED)
    wrong[bit // 8] ^= 1 << bit % 8

    assert Parser().feed(bytes(wrong)) == []


@pytest.mark.parametrize("cut", range(1, 7))
def test_a_frame_after_half_a_frame_is_found(cut: int) -> None:
    # A length that half a frame promises may be longer than what follows, so more must follow.
    frames = Parser().feed(ANSWERED[:cut] + ANSWERED + bytes(24))

    assert [frame.register(0) for frame in frames] == [400]


@given(st.lists(st.binary(max_size=12), max_size=20))
def test_how_the_bytes_are_cut_makes_no_difference(pieces: list[bytes]) -> None:
    parser = Parser()

    one_by_one = [frame for piece in pieces for frame in parser.feed(piece)]

    assert one_by_one == Parser().feed(b"".join(pieces))


def test_our_own_question_that_comes_back_is_no_answer() -> None:
    assert Parser().feed(request(4, 0, 4) + bytes(24)) == []


# --- the sensor -----------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", STATUS)
def test_what_the_sensor_says_of_itself_is_believed(rig: Rig, fault: str) -> None:
    sensor, reader = plugged_in(rig)
    sensor.fault = fault

    (one,) = reader.read()

    assert (one.flag, one.reason) == (
        Flag.BAD,
        "range" if fault == "out_of_range" else "status",
    )


def test_a_cold_sensors_zero_is_no_measurement(rig: Rig) -> None:
    sensor, reader = plugged_in(rig)
    sensor.fault = "cold"

    (one,) = reader.read()

    assert (one.value, one.flag, one.reason) == (0, Flag.BAD, "raw-sentinel")


def test_its_memory_is_written_once_and_only_where_it_is_another_period(rig: Rig) -> None:
    sensor, reader = plugged_in(rig, abc_hours=0)
    for _ in range(3):
        reader.read()
    reader.close()
    reader.read()

    assert sensor.holding[0x1F] == 0 and sensor.writes == 1  # HR32 is register 0x1F


def test_a_sensor_as_it_left_the_works_is_not_written(rig: Rig) -> None:
    sensor, reader = plugged_in(rig)
    reader.read()

    assert sensor.writes == 0


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        ("silence", SensorMissing, "says nothing"),
        ("garbage", SensorGarbled, "no whole frame"),
        ("bad_checksum", SensorGarbled, "no whole frame"),
        ("foreign", SensorGarbled, "not answer as an S8"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(
    rig: Rig, fault: str, kind: type[SensorError], words: str
) -> None:
    sensor, reader = plugged_in(rig)
    sensor.fault = fault

    with pytest.raises(kind, match=words) as raised:
        reader.read(deadline_s=HASTE_S)

    assert rig.bench.folder in str(raised.value), "the sentence names the port"
    assert raised.value.hint
