"""The SDS011's frames: captured ones, printed ones, and everything that is none."""

from __future__ import annotations

import csv

import pytest
import sds011lib
from hypothesis import given
from hypothesis import strategies as st
from sds011lib import exceptions as refusals
from shared import shared_data

from kiezbox.sensors import sds011
from kiezbox.sensors.sds011 import REPLY, REPORT, REPORT_SDS198, Frame, Parser

#: Printed in "Laser Dust Sensor Control Protocol V1.3", "Query data command".
PRINTED = bytes.fromhex("AA C0 D4 04 3A 0A A1 60 1D AB")
#: The same protocol, "Set sleep and work": an answer, no report.
PRINTED_REPLY = bytes.fromhex("AA C5 06 01 01 00 A1 60 09 AB")


def captured(sensor: str) -> tuple[bytes, list[dict[str, str]]]:
    """The bytes and the decoded values of a capture of PyPMS."""
    dump = shared_data(f"serial/pypms/{sensor}.hexdump").read_text()
    stream = b"".join(bytes.fromhex(line[10:39]) for line in dump.splitlines())
    with shared_data(f"serial/pypms/{sensor}.csv").open() as file:
        return stream, list(csv.DictReader(file, skipinitialspace=True))


def test_captured_frames_give_the_values_that_were_decoded_elsewhere() -> None:
    stream, rows = captured("SDS01x")

    frames = Parser().feed(stream)

    assert len(rows) == 10
    assert [(frame.kind, frame.pm2_5, frame.pm10) for frame in frames] == [
        (REPORT, float(row["pm25"]), float(row["pm10"])) for row in rows
    ]


def test_captured_frames_of_an_sds198_are_told_apart() -> None:
    stream, rows = captured("SDS198")

    frames = Parser().feed(stream)

    assert [frame.kind for frame in frames] == [REPORT_SDS198] * len(rows)


def test_the_printed_frame_gives_the_printed_values() -> None:
    (frame,) = Parser().feed(PRINTED)

    assert (frame.pm2_5, frame.pm10) == (123.6, 261.8)


def test_a_reply_is_a_frame_and_no_report() -> None:
    frames = Parser().feed(PRINTED_REPLY + PRINTED)

    assert [frame.kind for frame in frames] == [REPLY, REPORT]


@pytest.mark.parametrize("cut", range(1, 10))
def test_a_frame_right_after_half_a_frame_is_found(cut: int) -> None:
    frames = Parser().feed(PRINTED[:cut] + PRINTED)

    assert [frame.pm10 for frame in frames] == [261.8]


@pytest.mark.parametrize("cut", range(11))
def test_a_frame_may_come_in_two_pieces(cut: int) -> None:
    parser = Parser()

    assert parser.feed(PRINTED[:cut]) + parser.feed(PRINTED[cut:]) == Parser().feed(PRINTED)


@pytest.mark.parametrize("bit", range(80))
def test_a_frame_with_any_one_bit_wrong_is_none(bit: int) -> None:
    wrong = bytearray(PRINTED)
    wrong[bit // 8] ^= 1 << bit % 8

    assert Parser().feed(bytes(wrong)) == []


def test_a_head_inside_the_data_does_not_end_a_frame() -> None:
    data = bytes((0xAA, 0xC0, 0xAB, 0xAA, 0xA1, 0x60))
    frame = bytes((0xAA, 0xC0, *data, sum(data) & 0xFF, 0xAB))

    assert Parser().feed(frame) == [Frame(REPORT, data)]


@given(st.lists(st.binary(max_size=30), max_size=20))
def test_how_the_bytes_are_cut_makes_no_difference(pieces: list[bytes]) -> None:
    parser = Parser()

    one_by_one = [frame for piece in pieces for frame in parser.feed(piece)]

    assert one_by_one == Parser().feed(b"".join(pieces))
    assert len(parser._rest) < 10


@given(
    st.lists(
        st.tuples(st.binary(max_size=12).map(lambda b: b.replace(b"\xaa", b"")), st.integers(0)),
        max_size=8,
    )
)
def test_every_frame_between_bytes_without_a_head_is_found(
    pieces: list[tuple[bytes, int]],
) -> None:
    stream, values = b"", []
    for noise, number in pieces:
        data = (number % 2**48).to_bytes(6, "little")
        stream += noise + bytes((0xAA, 0xC0)) + data + bytes((sum(data) & 0xFF, 0xAB))
        values.append(data)

    assert [frame.data for frame in Parser().feed(stream)] == values


@given(st.binary(min_size=6, max_size=6), st.integers(0, 255), st.sampled_from((0xAB, 0xAA, 0)))
def test_a_foreign_parser_accepts_the_same_ten_bytes(data: bytes, checksum: int, tail: int) -> None:
    for sum_ in (checksum, sum(data) & 0xFF):
        candidate = bytes((0xAA, 0xC0, *data, sum_, tail))
        try:
            foreign = sds011lib._parse_query_response(candidate)
            expected = [(foreign.pm25, foreign.pm10)]
        except refusals.Sds011Exception:
            expected = []

        found = [frame for frame in Parser().feed(candidate) if frame.data == data]

        assert [(frame.pm2_5, frame.pm10) for frame in found] == expected


@pytest.mark.parametrize(
    ("command", "bytes_"),
    # PyPMS, documentation, "NovaFitness sensors": wake, sleep, passive_read.
    [
        (sds011.WORK, "aa b4 06 01 01 00 00 00 00 00 00 00 00 00 00 ff ff 06 ab"),
        (sds011.SLEEP, "aa b4 06 01 00 00 00 00 00 00 00 00 00 00 00 ff ff 05 ab"),
        (sds011.QUERY, "aa b4 04 00 00 00 00 00 00 00 00 00 00 00 00 ff ff 02 ab"),
    ],
)
def test_commands_are_the_bytes_that_others_send(command: bytes, bytes_: str) -> None:
    assert command == bytes.fromhex(bytes_)
