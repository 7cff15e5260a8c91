"""The simulated GPS receiver against a foreign reader (pynmea2). gpsd judges it in
test_gps_gpsd.py."""

from __future__ import annotations

import calendar

import pynmea2
import pytest

from kiezbox.hardware.simulated.gps import SimulatedGps

#: 2026-11-22 12:00:00 UTC.
NOON = calendar.timegm((2026, 11, 22, 12, 0, 0))


def sentences(receiver: SimulatedGps) -> dict[str, pynmea2.NMEASentence]:
    lines = receiver.due(0.0).decode("ascii").splitlines()
    parsed = [pynmea2.parse(line, check=True) for line in lines]
    return {one.sentence_type: one for one in parsed}


@pytest.mark.parametrize("place", [(52.5148, 13.4643), (-33.8688, -151.2093), (0.5, 0.25)])
def test_a_foreign_reader_finds_it_where_and_when_it_is(place: tuple[float, float]) -> None:
    receiver = SimulatedGps(clock=lambda: NOON + 0.25)
    receiver.place(*place)
    receiver.set(7)

    said = sentences(receiver)

    assert list(said) == ["RMC", "VTG", "GGA", "GLL"]
    assert (said["GGA"].latitude, said["GGA"].longitude) == pytest.approx(place, abs=1e-6)
    assert (said["GGA"].gps_qual, int(said["GGA"].num_sats)) == (1, 7)
    assert said["RMC"].status == "A"
    assert said["RMC"].datetime.timestamp() == pytest.approx(NOON + 0.25)


def test_without_satellites_it_has_no_fix_and_says_so() -> None:
    receiver = SimulatedGps()
    receiver.set(0)

    said = sentences(receiver)

    assert (said["GGA"].gps_qual, said["GGA"].lat, said["RMC"].status) == (0, "", "V")


def test_it_speaks_once_a_second_and_hears_nothing() -> None:
    receiver = SimulatedGps()

    assert [n for n in range(35) if receiver.due(n / 10)] == [0, 10, 20, 30]
    assert receiver.received(b"$PUBX,00*33\r\n") == b""
