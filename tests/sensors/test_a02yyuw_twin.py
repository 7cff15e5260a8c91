"""The simulated A02YYUW against the printed frame."""

from __future__ import annotations

import pytest

from kiezbox.hardware.simulated.a02yyuw import SimulatedA02yyuw


def test_it_says_the_printed_frame() -> None:
    sensor = SimulatedA02yyuw()
    sensor.set(1.953)

    # DFRobot, wiki of SEN0312, "UART output".
    assert sensor.due(0.0) == bytes.fromhex("FF 07 A1 A7")


def test_it_speaks_at_its_pace_by_itself_and_hears_nothing() -> None:
    sensor = SimulatedA02yyuw(frame_s=0.25)

    assert [n for n in range(16) if sensor.due(n / 16)] == [0, 4, 8, 12]
    assert sensor.received(b"\x55") == b""


@pytest.mark.parametrize("distance_m", [0.02, 4.6])
def test_without_an_echo_it_says_0(distance_m: float) -> None:
    sensor = SimulatedA02yyuw()
    sensor.set(distance_m)

    # DFRobot's forum, topic 336199: "0xff 0x00 0x00 0xff".
    assert sensor.due(0.0) == bytes.fromhex("FF 00 00 FF")


def test_stuck_it_says_the_same_wherever_the_water_is() -> None:
    sensor = SimulatedA02yyuw()
    sensor.set(1.953)
    sensor.is_stuck = True
    sensor.set(0.5)

    assert sensor.due(0.0) == bytes.fromhex("FF 07 A1 A7")
