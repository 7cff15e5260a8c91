"""What all serial drivers share: a line, its deadline, and half its speed."""

from __future__ import annotations

import threading

import pytest
from contracts.rig import Rig
from serial_captures import Answering

from kiezbox.clock import SystemClock
from kiezbox.errors import SensorGarbled, SensorMissing, SettingsError
from kiezbox.hardware import Deadline, SensorHardware
from kiezbox.hardware.simulated.serial_line import BitFlip, EveryNthError, Slow, at_half_speed
from kiezbox.sensors import a02yyuw, plantower, sps30_uart
from kiezbox.sensors._line import Line, trimmed


def a_line(rig: Rig, answer: bytes, seconds: float) -> tuple[Line[int], Answering]:
    device = Answering(answer)
    path = rig.bench.attach_serial("ttyUSB0", device)
    deadline = Deadline(SystemClock())
    deadline.start(seconds)
    port = SensorHardware(rig.hardware, deadline).serial(path, 9600)
    return Line(port, deadline, a02yyuw.Parser, "the part", "the hint"), device


def test_a_question_is_asked_again_and_then_given_up(rig: Rig) -> None:
    line, device = a_line(rig, b"", 10)

    line.begin()
    assert line.ask(b"?", lambda _: True, tries=3, patience_s=0.1) is None

    assert b"".join(device.heard) == b"???"
    assert isinstance(line.error(), SensorMissing) and line.error().hint == "the hint"
    line.close()
    line.close()


def test_a_question_ends_with_the_deadline_and_says_what_came(rig: Rig) -> None:
    line, device = a_line(rig, b"\xff\x00", 0.4)

    line.begin()
    assert line.ask(b"?", lambda _: True, patience_s=60) is None

    assert b"".join(device.heard) == b"?"
    assert isinstance(line.error(), SensorGarbled) and "2 bytes" in str(line.error())


def test_a_warm_up_ends_when_the_deadline_is_moved_to_now(rig: Rig) -> None:
    line, _ = a_line(rig, b"", 60)
    line.begin()
    waiting = threading.Thread(target=lambda: list(line.frames(50)))
    waiting.start()

    line._deadline.start(0.0)  # what the node does when it is to end
    waiting.join(5)

    assert not waiting.is_alive()


def test_an_answer_to_something_else_is_not_taken(rig: Rig) -> None:
    line, _ = a_line(rig, bytes.fromhex("ff0001 00 ff0002 01"), 10)

    line.begin()

    assert line.ask(b"?", lambda distance: distance == 2) == 2


@pytest.mark.parametrize("settings", [plantower.Settings, sps30_uart.Settings])
def test_a_warm_up_longer_than_the_deadline_is_refused_with_both_ways_out(
    settings: type[plantower.Settings],
) -> None:
    with pytest.raises(SettingsError, match="deadline_s = 20") as raised:
        settings(driver="x", deadline_s=20)

    assert "at least 45" in raised.value.hint and "warm_up_s = 0" in raised.value.hint


@pytest.mark.parametrize("settings", [plantower.Settings, sps30_uart.Settings])
def test_a_fan_rests_where_the_interval_leaves_room_for_its_warm_up(
    settings: type[plantower.Settings],
) -> None:
    assert settings(driver="x", interval_s=60, warm_up_s=30).rests
    assert not settings(driver="x", interval_s=59, warm_up_s=30).rests
    assert not settings(driver="x", interval_s=3600, warm_up_s=0).rests


@pytest.mark.parametrize(
    ("values", "mean"), [([7], 7), ([7, 8], 7.5), ([1, 9, 8], 8), ([8, 9, 10, 999, 0], 9)]
)
def test_the_smallest_and_the_largest_of_three_or_more_do_not_count(
    values: list[float], mean: float
) -> None:
    assert trimmed(values) == mean


# Drawn by hand: a bit of the slow listener is two of the sender's; it looks in their middles, so at
# the sender's bits 3, 5, … 17 after the start, and at 19 for the stop.
@pytest.mark.parametrize(
    ("sent", "heard"),
    [
        ("00", "f8"),  # low for nine bits: start, three zeros, then high
        ("ff", ""),  # its start bit is over when the slow one looks at it
        ("fe", "ff"),  # two low bits are a start bit
        ("0000", "08"),  # the first stop bit is seen at 9, as bit 3; at 19 is the second one
    ],
)
def test_at_half_speed_other_bytes_are_heard(sent: str, heard: str) -> None:
    assert at_half_speed(bytes.fromhex(sent)).hex() == heard


def test_each_third_message_is_lost_and_in_each_second_one_bit_is_wrong() -> None:
    lost, flipped = EveryNthError(n=3), BitFlip(n=2)

    assert [lost.spoil(b"abc") for _ in range(6)] == [b"abc", b"abc", b""] * 2
    heard = [flipped.spoil(b"abc") for _ in range(6)]
    assert heard[::2] == [b"abc"] * 3
    for one in heard[1::2]:
        wrong = int.from_bytes(one, "big") ^ int.from_bytes(b"abc", "big")
        assert len(one) == 3 and wrong.bit_count() == 1


def test_a_slow_line_passes_a_byte_at_a_time_and_loses_what_is_said_meanwhile() -> None:
    line = Slow(seconds=2.0)

    assert line.spoil(b"abc") == line.spoil(b"xyz") == b""

    assert [line.late(10.0 + n) for n in range(7)] == [b"a", b"", b"b", b"", b"c", b"", b""]
    line.spoil(b"d")
    assert line.late(18.0) == b"d"
