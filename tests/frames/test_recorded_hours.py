"""The recorded station on the air: an hour in one packet, two hours in four bytes a set."""

from __future__ import annotations

import statistics
import sys
from pathlib import Path

import pytest
from blocks import KEY
from shared import shared_data

sys.path.append(str(Path(__file__).resolve().parents[2]))

from benchmarks.lib import traces
from benchmarks.lib.blocks import block_of
from benchmarks.lib.entropy import rice_bits
from kiezbox.frames import MOST_BYTES
from kiezbox.frames.readings import decode, encode
from kiezbox.model import Quantity

#: An hour in two days of February, April and June; the tables of the format are of other months.
EVERY_H = 47


@pytest.fixture(scope="module")
def hours() -> list[traces.Hour]:
    shared_data("sensor/2022")
    found = traces.hours(traces.JUDGED, every_h=EVERY_H)
    assert len(found) > 30
    return found


def test_an_hour_of_minutes_of_seven_quantities_is_one_packet(hours: list[traces.Hour]) -> None:
    """Goal c1: 420 values, header and seal, at most 200 bytes."""
    for hour in hours:
        block = block_of(hour)

        frame = encode(block, KEY)

        assert len(frame) <= MOST_BYTES
        got = list(decode(frame, KEY))
        assert len(got) == 420
        for sent, there in zip(block, got, strict=True):
            assert (sent.serial, sent.at_ms, sent.flag) == (there.serial, there.at_ms, there.flag)
            step = max(sent.resolution, there.resolution)
            assert abs(sent.value - there.value) <= step / 2 + 1e-6


def test_the_recorded_ones_alone_are_one_packet_too(hours: list[traces.Hour]) -> None:
    recorded = tuple(quantity for kind in traces.RECORDED.values() for quantity in kind)

    assert max(len(encode(block_of(hour, recorded), KEY)) for hour in hours) <= MOST_BYTES


def test_six_means_take_five_and_a_half_bytes_a_set(hours: list[traces.Hour]) -> None:
    """Header included, seal not: performance and wire formats, section 3."""
    blocks = [block_of(traces.means(hour, 6), is_rows=False) for hour in hours]

    assert statistics.fmean(len(encode(block, KEY)) - 8 for block in blocks) <= 5.5 * 6


def test_twelve_means_take_four_bytes_and_a_fifth_a_set() -> None:
    shared_data("sensor/2022")
    two = traces.minutes(traces.JUDGED, 120, every_h=EVERY_H)
    blocks = [block_of(traces.means(hour, 12), is_rows=False) for hour in two]

    assert statistics.fmean(len(encode(block, KEY)) - 8 for block in blocks) <= 4.2 * 12


def test_adaptive_rice_codes_are_as_long_as_their_definition_says() -> None:
    """By hand: 5, 5, 6, 4 is 0, 1, -2 in differences, 0, 2, 3 zig-zag; k from the mean so far."""
    # With k = 1 first (begin 1: total 2, count 1): 0 → 1+1 bits, total 2/2 → k 0; 2 → 3 bits;
    # total 4/3 → k 0; 3 → 4 bits: 9. With k = 0 first: 1, then total 1/2 → k 0: 3, 4: 8.
    assert rice_bits([5, 5, 6, 4], 8) == 8 + 3 + 8


def test_a_defective_humidity_is_sent_with_its_flags(hours: list[traces.Hour]) -> None:
    """More than half of this sensor's rows are no good ones, and the receiver is told which."""
    flags = [
        one.flag
        for hour in hours
        for one in decode(encode(block_of(hour), KEY), KEY)
        if one.quantity is Quantity.HUMIDITY_PERCENT
    ]

    assert sum(flag > 0 for flag in flags) > len(flags) / 2
