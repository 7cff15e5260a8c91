"""Who speaks on a serial port, by what it says itself: the makers' own examples, and the twins."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from contracts.rig import Rig

from kiezbox.clock import SystemClock
from kiezbox.hardware import Deadline
from kiezbox.hardware.simulated.a02yyuw import SimulatedA02yyuw
from kiezbox.hardware.simulated.gps import SimulatedGps
from kiezbox.hardware.simulated.mhz19 import SimulatedMhz19
from kiezbox.hardware.simulated.plantower import SimulatedPlantower
from kiezbox.hardware.simulated.sds011 import SimulatedSds011
from kiezbox.hardware.simulated.vedirect import SimulatedVedirect
from kiezbox.sensors._listening import Heard, listen

#: Nova Fitness, SDS011 data sheet 1.3, "the UART communication protocol": its example's bytes.
SDS011 = bytes.fromhex("AAC0D4043A0AA1601DAB")
#: DFRobot, A02YYUW (SEN0311), "UART output format": FF 07 A1 A7 is 1953 mm.
A02YYUW = bytes.fromhex("FF07A1A7")
#: gpsd, "NMEA Revealed": the example of GGA.
NMEA = b"$GNGGA,001043.00,4404.14036,N,12118.85961,W,1,12,0.98,1113.0,M,-21.3,M*47\r\n"


class Said:
    """A port at which somebody has said this, at one speed; at others it is noise."""

    def __init__(self, said: bytes) -> None:
        self._said = said
        self.timeout = 0.0
        self.written = b""

    @property
    def in_waiting(self) -> int:
        return len(self._said)

    def read(self, count: int) -> bytes:
        found, self._said = self._said[:count], self._said[count:]
        return found

    def close(self) -> None:
        """Nothing to give back."""


def heard(said: dict[int, bytes]) -> Heard | None:
    return listen(lambda baudrate: Said(said.get(baudrate, b"")), seconds=0.02)


@pytest.mark.parametrize(
    ("baudrate", "said", "driver"),
    [
        (9600, SDS011 * 3, "sds011"),
        (9600, b"\x01\xaa" + SDS011 * 4, "sds011"),
        (9600, A02YYUW * 3, "a02yyuw"),
        (9600, NMEA * 3, "gps"),
        (19200, b"\r\nPID\t0xA042\r\nV\t12800\r\nI\t-500\r\nVPV\t18500\r\nCS\t3\r\n", "vedirect"),
    ],
)
def test_what_the_makers_print_is_known(baudrate: int, said: bytes, driver: str) -> None:
    found = heard({baudrate: said})

    assert found is not None and found.driver == driver


@pytest.mark.parametrize(
    "said",
    [
        SDS011 * 2,
        SDS011[:-2] * 9,
        bytes.fromhex("AAC0D4043A0AA1601CAB") * 5,
        NMEA.replace(b"*47", b"*48") * 5,
        bytes(range(256)) * 4,
        b"\xff" * 200,
        b"login: \r\n" * 20,
    ],
    ids=["twice only", "cut", "wrong sum", "wrong checksum", "all bytes", "held up", "words"],
)
def test_what_is_not_whole_is_nobody_we_know(said: bytes) -> None:
    found = heard({9600: said})

    assert found is not None and found.driver == ""


def test_silence_is_nobody() -> None:
    assert heard({}) is None


@pytest.mark.parametrize(
    ("make", "baudrate", "driver"),
    [
        (SimulatedSds011, 9600, "sds011"),
        (SimulatedPlantower, 9600, "plantower"),
        (SimulatedGps, 9600, "gps"),
        (SimulatedA02yyuw, 9600, "a02yyuw"),
        (SimulatedVedirect, 19200, "vedirect"),
        (SimulatedMhz19, 9600, None),
    ],
)
def test_each_twin_that_speaks_by_itself_is_known_and_the_rest_is_silent(
    make: Any, baudrate: int, driver: str | None
) -> None:
    twin = make()
    said = b"".join(twin.due(time.monotonic() + tenths / 10) for tenths in range(50))

    found = heard({baudrate: said})

    assert (found.driver if found else None) == driver


def test_a_port_of_the_bench_is_heard_as_a_real_one(tmp_path: Path) -> None:
    deadline = Deadline(SystemClock())
    deadline.start(20)
    with Rig(tmp_path / "bench") as rig:
        port = rig.bench.attach_serial("ttyUSB0", SimulatedGps(burst_s=0.1))

        found = listen(lambda baudrate: rig.hardware.serial(port, baudrate, deadline))

    assert found is not None and found.driver == "gps"
