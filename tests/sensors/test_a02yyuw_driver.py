"""The A02YYUW driver over a pseudo-terminal: frames, level, echoes, what it says."""

from __future__ import annotations

import pytest
from contracts.haste import HASTE_S
from contracts.rig import Reader, Rig
from hypothesis import given
from hypothesis import strategies as st
from serial_captures import Replayed

from kiezbox.errors import SensorError, SensorGarbled, SensorMissing, SettingsError
from kiezbox.hardware.simulated.a02yyuw import SimulatedA02yyuw
from kiezbox.model import Flag
from kiezbox.sensors import a02yyuw
from kiezbox.sensors.a02yyuw import Parser
from kiezbox.settings import parse

#: DFRobot, wiki of SEN0311 and SEN0312, "UART output": 0x07A1 is 1953 mm.
PRINTED = bytes.fromhex("FF 07 A1 A7")


def frame(distance_mm: int) -> bytes:
    content = b"\xff" + distance_mm.to_bytes(2, "big")
    return content + bytes((sum(content) & 0xFF,))


def plugged_in(rig: Rig, **table: object) -> tuple[SimulatedA02yyuw, Reader]:
    sensor = SimulatedA02yyuw(frame_s=0.02)
    port = rig.bench.attach_serial("ttyUSB0", sensor)
    return sensor, rig.reader("a02yyuw", {"port": port, "mounting_height_m": 2.4, **table})


def saying(rig: Rig, *distances_mm: int, **table: object) -> Reader:
    """A reader of a sensor that says these, again and again."""
    device = Replayed(b"".join(map(frame, distances_mm)), 4)
    port = rig.bench.attach_serial("ttyUSB0", device)
    return rig.reader("a02yyuw", {"port": port, "mounting_height_m": 2.4, **table})


# --- frames ---------------------------------------------------------------------------------------


def test_the_printed_frame_gives_the_printed_distance() -> None:
    assert Parser().feed(PRINTED) == [1953]


@pytest.mark.parametrize("bit", range(32))
def test_a_frame_with_any_one_bit_wrong_is_none(bit: int) -> None:
    wrong = bytearray(PRINTED)
    wrong[bit // 8] ^= 1 << bit % 8

    assert Parser().feed(bytes(wrong)) == []


@pytest.mark.parametrize("cut", range(1, 4))
def test_a_frame_right_after_half_a_frame_is_found(cut: int) -> None:
    assert Parser().feed(PRINTED[:cut] + PRINTED) == [1953]


@given(st.lists(st.binary(max_size=6), max_size=20))
def test_how_the_bytes_are_cut_makes_no_difference(pieces: list[bytes]) -> None:
    parser = Parser()

    one_by_one = [distance for piece in pieces for distance in parser.feed(piece)]

    assert one_by_one == Parser().feed(b"".join(pieces))
    assert len(parser._rest) < a02yyuw.LENGTH


# --- the level ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mounting_height_m", "zero_m", "level_m"),
    [
        (2.4, 0.0, 0.447),  # depth: 2.400 − 1.953
        (2.4, 0.3, 0.747),  # the gauge says 0.30 at the bed
        (2.4, 31.2, 31.647),  # metres above sea level
        (1.5, 0.0, -0.453),  # below its zero: the bed was dug out
    ],
)
def test_the_level_is_the_mounting_height_less_the_distance_on_the_gauge(
    rig: Rig, mounting_height_m: float, zero_m: float, level_m: float
) -> None:
    reader = saying(rig, 1953, burst=3, mounting_height_m=mounting_height_m, zero_m=zero_m)

    (one,) = reader.read()

    assert (one.value, one.flag) == (level_m, Flag.GOOD)


def test_of_a_burst_the_middle_distance_counts(rig: Rig) -> None:
    # Two of eleven are a bird; the middle half is within 5 cm.
    reader = saying(rig, 1950, 1951, 700, 1952, 1953, 1953, 1953, 1953, 1954, 200, 1955)

    (one,) = reader.read()

    assert one.flag is Flag.GOOD and 2.4 - 1.953 <= one.value <= 2.4 - 1.95


def test_echoes_that_jump_make_the_level_suspect(rig: Rig) -> None:
    reader = saying(rig, 1950, 1200, 700, 1950, 800, 300, 1953, 900, 1954, 200, 1955)

    (one,) = reader.read()

    assert (one.flag, one.reason) == (Flag.SUSPECT, "echo")


@pytest.mark.parametrize(
    ("distance_mm", "flag"),
    # The wiki's measuring range: 3 cm to 450 cm.
    [(0, Flag.BAD), (29, Flag.BAD), (30, Flag.GOOD), (4500, Flag.GOOD), (4501, Flag.BAD)],
)
def test_beyond_what_it_can_measure_there_is_no_echo(
    rig: Rig, distance_mm: int, flag: Flag
) -> None:
    (one,) = saying(rig, distance_mm, burst=3).read()

    assert (one.flag, one.reason) == (flag, "no-echo" if flag else "")


def test_what_waited_in_the_port_since_the_last_read_is_not_taken_for_new(rig: Rig) -> None:
    sensor, reader = plugged_in(rig, burst=3)
    reader.read()

    sensor.set(0.4)

    assert reader.read()[0].value == 2.0


def test_a_line_on_which_most_bytes_are_no_frame_is_not_believed(rig: Rig) -> None:
    # One frame in eight noisy ones: chance makes a checksum of eight bits right now and then.
    stream = b"".join(frame(1953) if n == 0 else bytes((0xFF, 3, n, 0)) for n in range(8))
    port = rig.bench.attach_serial("ttyUSB0", Replayed(stream, 4))
    reader = rig.reader("a02yyuw", {"port": port, "mounting_height_m": 2.4})

    with pytest.raises(SensorGarbled, match="hardly a whole frame"):
        reader.read(deadline_s=3)


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
    sensor, reader = plugged_in(rig)
    sensor.fault = fault

    with pytest.raises(kind, match=words) as raised:
        reader.read(deadline_s=HASTE_S)

    assert rig.bench.folder in str(raised.value), "the sentence names the port"
    assert raised.value.hint


def test_without_a_mounting_height_it_is_not_opened() -> None:
    with pytest.raises(SettingsError, match="mounting_height_m is missing"):
        parse(a02yyuw.Settings, {"driver": "a02yyuw"})
