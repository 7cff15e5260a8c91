"""The simulated MH-Z19B against a capture and PyPMS."""

from __future__ import annotations

from pms.core import Sensor
from serial_captures import captured

from kiezbox.hardware.simulated.mhz19 import SimulatedMhz19

READ = bytes.fromhex("FF 01 86 00 00 00 00 00 79")


def test_it_answers_as_a_real_one_did() -> None:
    (real, *_), _ = captured("MHZ19B", 9)
    sensor = SimulatedMhz19()
    sensor.set(636)

    assert sensor.received(READ) == real


def test_pypms_decodes_its_answer() -> None:
    sensor = SimulatedMhz19()
    sensor.set(1234)

    answer = sensor.received(Sensor["MHZ19B"].Commands.passive_read.command)

    assert Sensor["MHZ19B"].decode(answer, time=1).CO2 == 1234


def test_a_command_in_pieces_after_garbage_is_obeyed_when_it_is_whole() -> None:
    sensor = SimulatedMhz19()

    answers = [sensor.received(bytes((byte,))) for byte in b"\xff\x01\x86\x00" + READ]

    assert [n for n, answer in enumerate(answers) if answer] == [4 + 8]


def test_a_command_with_a_wrong_checksum_is_not_obeyed() -> None:
    assert SimulatedMhz19().received(READ[:8] + b"\x78") == b""


def test_cold_it_says_410_for_three_minutes() -> None:
    now = [0.0]
    sensor = SimulatedMhz19(clock=lambda: now[0])
    sensor.set(900)
    sensor.power_cycle()

    said = {}
    for now[0] in (1.0, 179.0, 181.0):
        said[now[0]] = int.from_bytes(sensor.received(READ)[2:4], "big")

    assert said == {1.0: 410, 179.0: 410, 181.0: 900}


def test_it_clips_to_outdoor_air_and_to_its_range() -> None:
    sensor = SimulatedMhz19()
    said = []
    for ppm in (350, 4000, 9000):
        sensor.set(ppm)
        said.append(int.from_bytes(sensor.received(READ)[2:4], "big"))
    # UedaTakeyuki/mh-z19, detection_range_2000.
    sensor.received(bytes.fromhex("ff 01 99 00 00 00 07 d0 8f"))
    said.append(int.from_bytes(sensor.received(READ)[2:4], "big"))

    assert said == [400, 4000, 5000, 2000]
