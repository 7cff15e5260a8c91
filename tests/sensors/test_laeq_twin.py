"""The simulated DNMS against the driver of its author (dnms_i2c.cpp of hbitter/DNMS)."""

from __future__ import annotations

import struct

import pytest
from contracts.haste import Watch

from kiezbox.hardware.simulated.laeq import SimulatedLaeq


def test_it_sends_words_as_the_dnms_own_driver_reads_them() -> None:
    # dnms_i2c.cpp: big-endian words, CRC-8 (0x31, 0xFF) after each; three floats, mean first.
    board = SimulatedLaeq(clock=lambda: 0.0)
    board.set(47.11)
    board._begin()
    board.write(b"\x00\x03")
    board.write(b"\x00\x05")
    data = board.read(18)

    words = [data[n : n + 2] for n in range(0, 18, 3)]
    assert [crc8(word) for word in words] == [data[n] for n in range(2, 18, 3)]
    assert struct.unpack(">3f", b"".join(words)) == pytest.approx((47.11,) * 3)
    board.write(b"\x00\x02")
    version = board.read(6)
    assert version[0:2] + version[3:5] == b"DNMS"


def crc8(word: bytes) -> int:
    """``dnms_common_generate_crc``, in Python."""
    rest = 0xFF
    for byte in word:
        rest ^= byte
        for _ in range(8):
            rest = ((rest << 1) ^ 0x31 if rest & 0x80 else rest << 1) & 0xFF
    return rest


def test_the_level_of_a_window_is_a_mean_of_energy_and_the_next_window_begins_with_it() -> None:
    watch = Watch()
    board = SimulatedLaeq(clock=watch)
    for level_db in (60.0, 90.0):
        board.set(level_db)
        watch.now += 10

    board.write(b"\x00\x03")
    # 10 lg((10^6 + 10^9) / 2), and the smallest and largest level.
    assert board._result == pytest.approx((86.994, 45.0, 90.0), abs=0.001)
    watch.now += 10
    board.write(b"\x00\x03")

    assert board._result == pytest.approx((90.0, 90.0, 90.0))


def test_its_result_is_ready_a_moment_after_it_was_asked_for() -> None:
    watch = Watch()
    board = SimulatedLaeq(clock=watch, calculates_s=0.005)
    board.write(b"\x00\x03")

    board.write(b"\x00\x04")
    assert board.read(3)[:2] == b"\x00\x00"
    watch.now += 0.006
    board.write(b"\x00\x04")

    assert board.read(3)[:2] == b"\x00\x01"
