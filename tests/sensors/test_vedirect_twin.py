"""The simulated Victron device against real captures and the protocol's own sums."""

from __future__ import annotations

import pytest
from shared import shared_data

from kiezbox.hardware.simulated.vedirect import HEX, SimulatedVedirect


def labels(stream: bytes) -> list[str]:
    return [line.split("\t")[0] for line in stream.decode("latin-1").split("\r\n")[1:]]


@pytest.mark.parametrize("is_monitor", [False, True])
def test_its_blocks_sum_up_to_0(is_monitor: bool) -> None:
    device = SimulatedVedirect(is_monitor=is_monitor, has_hex=False)

    said = device.due(0.0)
    ends = [
        at + len("Checksum\t") for at in range(len(said)) if said[at:].startswith(b"Checksum\t")
    ]
    starts = [0, *(end + 1 for end in ends)]

    assert len(ends) == 1 + is_monitor
    for start, end in zip(starts, ends, strict=False):
        assert sum(said[start : end + 1]) % 256 == 0


def test_a_hex_record_counts_for_nothing_in_the_sum() -> None:
    device = SimulatedVedirect()

    said = device.due(0.0)

    assert said.count(HEX) == 1
    assert sum(said) % 256 == sum(HEX) % 256
    # Victron's FAQ: the bytes of the message, the command's digit first, sum up to 0x55.
    digits = HEX[1:-1].decode("ascii")
    assert (int(digits[0], 16) + sum(bytes.fromhex(digits[1:]))) % 256 == 0x55


def test_a_chargers_labels_come_in_the_order_of_a_real_one() -> None:
    real = labels(shared_data("serial/vedirect/ve_smartsolar_1.39.dump").read_bytes()[200:700])
    ours = labels(SimulatedVedirect(has_hex=False).due(0.0))

    whole = real[real.index("PID") : real.index("PID") + len(set(real))]
    assert [label for label in whole if label in ours][: len(ours)] == ours


def test_a_monitor_says_two_blocks_as_a_real_one_does() -> None:
    real = shared_data("serial/vedirect/ve_bvm702.dump").read_bytes()
    first = labels(real[: real.index(b"Checksum")])

    ours = SimulatedVedirect(is_monitor=True, has_hex=False).due(0.0)

    assert [label for label in first if label != "FW" and label != "Checksum"] == [
        label for label in labels(ours[: ours.index(b"Checksum")]) if label != "Checksum"
    ]
    assert ours.count(b"Checksum\t") == 2


def test_it_speaks_once_a_second_and_hears_nothing() -> None:
    device = SimulatedVedirect()

    assert [n for n in range(35) if device.due(n / 10)] == [0, 10, 20, 30]
    assert device.received(HEX) == b""
