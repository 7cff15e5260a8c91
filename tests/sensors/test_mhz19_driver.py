"""The MH-Z19 driver over a pseudo-terminal: frames, warm-up, settings, what it says."""

from __future__ import annotations

import pytest
from contracts.haste import HASTE_S
from contracts.rig import Reader, Rig
from hypothesis import given
from hypothesis import strategies as st
from pms import WrongMessageChecksum, WrongMessageFormat
from pms.core import Sensor
from serial_captures import Replayed, captured

from kiezbox.errors import SensorError, SensorGarbled, SensorMissing, SettingsError
from kiezbox.hardware.simulated.mhz19 import SimulatedMhz19
from kiezbox.model import Flag
from kiezbox.sensors import mhz19
from kiezbox.sensors.mhz19 import Parser, command
from kiezbox.settings import parse


def plugged_in(rig: Rig, **table: object) -> tuple[SimulatedMhz19, Reader]:
    sensor = SimulatedMhz19()
    port = rig.bench.attach_serial("ttyUSB0", sensor)
    return sensor, rig.reader("mhz19", {"port": port, **table})


# --- frames ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "bytes_"),
    # ESPEasy, PluginStructs/P049_data_struct.h; the range as UedaTakeyuki/mh-z19 sends it.
    [
        (command(mhz19.READ), "FF 01 86 00 00 00 00 00 79"),
        (command(mhz19.SET_ABC, mhz19.ABC_ON), "FF 01 79 A0 00 00 00 00 E6"),
        (command(mhz19.SET_ABC, mhz19.ABC_OFF), "FF 01 79 00 00 00 00 00 86"),
        (command(mhz19.SET_RANGE, b"\0\0\0\x07\xd0"), "FF 01 99 00 00 00 07 D0 8F"),
        (command(mhz19.SET_RANGE, b"\0\0\0\x13\x88"), "FF 01 99 00 00 00 13 88 CB"),
        (command(mhz19.SET_RANGE, b"\0\0\0\x27\x10"), "FF 01 99 00 00 00 27 10 2F"),
    ],
)
def test_commands_are_the_bytes_that_others_send(made: bytes, bytes_: str) -> None:
    assert made == bytes.fromhex(bytes_)


def test_captured_frames_give_the_values_that_were_decoded_elsewhere() -> None:
    frames, rows = captured("MHZ19B", 9)

    answers = Parser().feed(b"".join(frames))

    assert len(rows) == 10
    assert [answer.co2_ppm for answer in answers] == [int(row["CO2"]) for row in rows]


@pytest.mark.parametrize("bit", range(72))
def test_a_frame_with_any_one_bit_wrong_is_none(bit: int) -> None:
    wrong = bytearray.fromhex("ff86027c42000000ba")
    wrong[bit // 8] ^= 1 << bit % 8

    assert Parser().feed(bytes(wrong)) == []


@pytest.mark.parametrize("cut", range(1, 9))
def test_a_frame_right_after_half_a_frame_is_found(cut: int) -> None:
    frame = bytes.fromhex("ff86027c42000000ba")

    assert [answer.co2_ppm for answer in Parser().feed(frame[:cut] + frame)] == [636]


@given(st.lists(st.binary(max_size=12), max_size=20))
def test_how_the_bytes_are_cut_makes_no_difference(pieces: list[bytes]) -> None:
    parser = Parser()

    one_by_one = [frame for piece in pieces for frame in parser.feed(piece)]

    assert one_by_one == Parser().feed(b"".join(pieces))
    assert len(parser._rest) < mhz19.LENGTH


@given(st.binary(min_size=6, max_size=6).filter(any), st.integers(0, 255))
def test_a_foreign_parser_accepts_the_same_nine_bytes(data: bytes, checksum: int) -> None:
    for last in (checksum, -sum(data) - 0x86 & 0xFF):
        frame = bytes((0xFF, 0x86, *data, last))
        if last == 0:
            continue  # PyPMS wants 0x100 there, which no byte can be; the manual's sum is 0
        try:
            expected = [Sensor["MHZ19B"].decode(frame, time=1).CO2]
        except (WrongMessageChecksum, WrongMessageFormat):
            expected = []

        assert [one.co2_ppm for one in Parser().feed(frame)] == expected


# --- the sensor -----------------------------------------------------------------------------------


def test_a_captured_stream_is_read_as_it_was_decoded_elsewhere(rig: Rig) -> None:
    frames, _ = captured("MHZ19B", 9)
    port = rig.bench.attach_serial("ttyUSB0", Replayed(b"".join(frames), 7))
    reader = rig.reader("mhz19", {"port": port, "warm_up_s": 0})

    for _ in range(3):
        (one,) = reader.read()
        assert one.value in (633, 635, 636) and one.flag is Flag.GOOD


@pytest.mark.parametrize("ppm", [400, 410, 500, 388, 555])
def test_what_a_cold_sensor_says_is_flagged(rig: Rig, ppm: int) -> None:
    sensor, reader = plugged_in(rig)
    sensor._ppm = lambda: ppm  # type: ignore[method-assign]

    for _ in range(3):
        (one,) = reader.read()
        assert (one.value, one.flag, one.reason) == (ppm, Flag.SUSPECT, "warm-up")


def test_it_is_believed_as_soon_as_it_says_two_things_that_no_cold_one_says(rig: Rig) -> None:
    sensor, reader = plugged_in(rig)
    said = []
    for ppm in (400, 410, 620, 620, 622, 410, 622):
        sensor._ppm = lambda ppm=ppm: ppm  # type: ignore[method-assign,misc]
        (one,) = reader.read()
        said.append((ppm, one.flag))

    # Once warm, 410 is what clean air has.
    assert said == [
        (400, Flag.SUSPECT),
        (410, Flag.SUSPECT),
        (620, Flag.SUSPECT),
        (620, Flag.SUSPECT),
        (622, Flag.GOOD),
        (410, Flag.GOOD),
        (622, Flag.GOOD),
    ]


def test_after_its_warm_up_it_is_believed_whatever_it_says(rig: Rig) -> None:
    sensor, reader = plugged_in(rig)
    sensor.set(410)
    reader.read()
    reader.sensor._opened_at -= 180  # three minutes ago

    assert reader.read()[0].flag is Flag.GOOD


@pytest.mark.parametrize("abc", [True, False])
def test_it_is_told_whether_to_set_its_baseline_by_itself(rig: Rig, abc: bool) -> None:
    sensor, reader = plugged_in(rig, abc=abc)
    sensor.abc = not abc

    reader.read()

    assert sensor.abc is abc


def test_its_range_is_set_only_where_it_says_another_one(rig: Rig) -> None:
    sensor, reader = plugged_in(rig, range_ppm=2000, warm_up_s=0)
    sensor.set(1999)
    reader.read()
    assert sensor.range_ppm == 2000

    sensor.range_ppm = 10000  # somebody else's doing
    reader.read()
    assert sensor.range_ppm == 10000, "it is told when it is opened, not at each read"
    reader.close()
    reader.read()
    assert sensor.range_ppm == 2000


def test_an_older_sensor_that_tells_no_range_is_read_all_the_same(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    sensor, reader = plugged_in(rig, warm_up_s=0)
    obey = sensor._obey
    monkeypatch.setattr(
        sensor, "_obey", lambda number, data: obey(number, data) if number == 0x86 else b""
    )

    assert reader.read()[0].value == 640


@pytest.mark.parametrize(
    ("ppm", "flag", "reason"),
    [
        (0, Flag.BAD, "raw-sentinel"),
        (4999, Flag.GOOD, ""),
        (5000, Flag.BAD, "range"),
        (65535, Flag.BAD, "range"),
    ],
)
def test_codes_and_the_end_of_the_range_are_flagged(
    rig: Rig, ppm: int, flag: Flag, reason: str
) -> None:
    sensor, reader = plugged_in(rig, warm_up_s=0)
    sensor._ppm = lambda: ppm  # type: ignore[method-assign]

    (one,) = reader.read()

    assert (one.value, one.flag, one.reason) == (ppm, flag, reason)


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        ("silence", SensorMissing, "says nothing"),
        ("garbage", SensorGarbled, "no whole frame"),
        ("bad_checksum", SensorGarbled, "no whole frame"),
        ("echo", SensorGarbled, "no whole frame"),
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


def test_a_range_that_it_has_not_is_refused() -> None:
    with pytest.raises(SettingsError, match="2000, 5000 or 10000"):
        parse(mhz19.Settings, {"driver": "mhz19", "range_ppm": 3000})
