"""The rain gauge: no tip is lost between two reads, and none is made up."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from contracts.rig import Reader, Rig, is_gone, wait_until

from kiezbox.errors import SensorError, SensorGarbled
from kiezbox.hardware.simulated.rain import SimulatedRain
from kiezbox.model import Flag
from kiezbox.sensors import rain
from kiezbox.sensors.rain import Tips

PIN = 27
#: Misol: 0.2794 mm a tip; 60 s * 0.2794 / 31.2, the time between two in the heaviest minute.
SHORTEST_S = 0.5373


class Gauge:
    """A gauge on a bench and its reader, whose clock moves with the gauge's."""

    def __init__(self, rig: Rig, **table: object) -> None:
        self.now = 50.0
        self.reader: Reader = rig.reader("rain", {"pin": PIN, **table})
        self.bench = rig.bench
        self.part = SimulatedRain(self.sleep)
        self.part.connect(self.drive)
        self.level = True

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def drive(self, high: bool) -> None:
        """Set the line, and wait until the box has heard: only then does time go on."""
        sensor, moves = self.reader.sensor, 0
        if sensor:
            moves = sensor.tips.moves
        is_change, self.level = high != getattr(self, "level", None), high
        self.bench.set_pin(PIN, high)
        if sensor and is_change and not self.bench.pins.is_gone(PIN):
            wait_until(lambda: sensor.tips.moves > moves)

    def opened(self) -> Gauge:
        self.reader.read()
        return self


@pytest.fixture
def gauge(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gauge]:
    made = Gauge(rig)
    monkeypatch.setattr(rain, "time", made)
    yield made.opened()
    made.reader.close()


def test_a_reading_is_the_sum_since_the_one_before(gauge: Gauge) -> None:
    sums = []
    for tips in (3, 0, 1):
        for _ in range(tips):
            gauge.part.tip()
        (one,) = gauge.reader.read()
        sums.append((one.value, one.flag))

    assert sums == [(0.8382, Flag.GOOD), (0.0, Flag.GOOD), (0.2794, Flag.GOOD)]


def test_a_contact_that_bounces_is_one_tip(gauge: Gauge) -> None:
    gauge.part.fault = "bounce"
    gauge.part.tip()
    gauge.part.tip()

    (one,) = gauge.reader.read()

    assert (one.value, one.flag) == (0.5588, Flag.GOOD)


def test_a_contact_that_bounces_when_it_opens_is_one_tip(gauge: Gauge) -> None:
    for high, seconds in ((False, 0.12), (True, 0.002), (False, 0.002), (True, 2.0)):
        gauge.drive(high)
        gauge.sleep(seconds)

    assert gauge.reader.read()[0].value == 0.2794


def test_what_fell_before_the_chip_went_is_in_the_reading_after_it_is_back(gauge: Gauge) -> None:
    gauge.part.tip()
    gauge.part.tip()
    gauge.bench.fault(f"GPIO{PIN}", "vanish")
    wait_until(lambda: is_gone(gauge.reader, PIN))
    for _ in range(2):
        with pytest.raises(SensorError):
            gauge.reader.read(2.0)
    gauge.bench.fault(f"GPIO{PIN}", None)

    values: list[float] = []

    def comes_back() -> bool:
        try:
            values.append(gauge.reader.read(2.0)[0].value)
        except SensorError:
            return False
        return True

    wait_until(comes_back)

    assert values == [0.5588]
    gauge.part.tip()
    assert gauge.reader.read()[0].value == 0.2794


def test_wind_that_shakes_the_bucket_is_no_rain_and_not_good(gauge: Gauge) -> None:
    gauge.part.fault = "shaken"
    for _ in range(20):
        gauge.part.tip()

    (one,) = gauge.reader.read()

    # Five tips a second: the first could be rain, and after it nothing was slow enough.
    assert (one.value, one.raw, one.flag, one.reason) == (0.2794, 5.588, Flag.SUSPECT, "shaken")


def test_the_heaviest_minute_ever_measured_would_be_counted() -> None:
    # 31.2 mm in a minute (WMO), 111 tips of 0.2794 mm; here a little over a minute.
    tips = Tips(0.05, SHORTEST_S)
    for n in range(111):
        tips.moved(True, n * 0.54)
        tips.moved(False, n * 0.54 + 0.12)

    assert tips.take() == (111, 0)


def test_two_contacts_that_stay_together_are_a_fault_and_not_a_dry_day(gauge: Gauge) -> None:
    gauge.part.tip()
    gauge.part.fault = "stuck_closed"

    with pytest.raises(SensorGarbled, match="stays closed"):
        gauge.reader.read()

    gauge.part.fault = None
    # The tip before it, and the one that stopped half-way.
    assert gauge.reader.read()[0].value == 0.5588


def test_tips_that_come_while_they_are_taken_are_all_told_once() -> None:
    tips, told = Tips(0.0, 0.0), 0

    def rains() -> None:
        for n in range(20_000):
            tips.moved(True, float(n))

    raining = threading.Thread(target=rains)
    raining.start()
    until = time.monotonic() + 10
    while raining.is_alive() and time.monotonic() < until:
        told += sum(tips.take())
    raining.join(10)

    assert told + sum(tips.take()) == 20_000
