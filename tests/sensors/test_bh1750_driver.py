"""The BH1750 driver: from night to noon, the end of its range, dips of its supply."""

from __future__ import annotations

import time

import pytest
from contracts.rig import Reader, Rig

from kiezbox.errors import SensorGarbled, SettingsError
from kiezbox.hardware.simulated.bh1750 import SimulatedBh1750
from kiezbox.model import Flag
from kiezbox.sensors import bh1750
from kiezbox.settings import parse


def soldered(rig: Rig, address: int = 0x23) -> tuple[SimulatedBh1750, Reader]:
    chip = SimulatedBh1750(clock=lambda: time.monotonic() * 10_000)
    rig.bench.attach(address, chip)
    return chip, rig.reader("bh1750", {"address": address})


def test_it_reads_from_a_lit_night_to_a_summers_noon_and_back(rig: Rig) -> None:
    chip, reader = soldered(rig)

    for lux, step in ((0.5, 0.42), (0.0, 0.42), (27_000, 0.42), (100_000, 1.9), (400, 0.42)):
        chip.set(lux)
        (one,) = reader.read()
        assert one.flag is Flag.GOOD
        assert one.value == pytest.approx(lux, abs=step / 2 + 0.01)


def test_between_the_two_ranges_it_stays_where_it_is(rig: Rig) -> None:
    chip, reader = soldered(rig)
    steps = []
    for lux in (24_000, 30_000, 24_000):
        chip.set(lux)
        (one,) = reader.read()
        assert one.value == pytest.approx(lux, abs=1)
        steps.append(reader.sensor._range)

    assert steps == [bh1750.FINE, bh1750.BRIGHT, bh1750.BRIGHT]


def test_more_light_than_it_can_measure_is_flagged_at_the_end_of_its_range(rig: Rig) -> None:
    # 65,535 counts / 1.2, times 69 / 31 for the shortest measuring time.
    chip, reader = soldered(rig)
    chip.set(130_000)

    (one,) = reader.read()

    assert (one.flag, one.reason) == (Flag.BAD, "overflow")
    assert one.value == pytest.approx(121_557, abs=1)


def test_a_chip_that_fell_asleep_at_a_dip_is_woken_and_never_read_as_dark(rig: Rig) -> None:
    chip = SimulatedBh1750()  # at its real speed: 120 ms
    chip.set(800)
    rig.bench.attach(0x23, chip)
    reader = rig.reader("bh1750")
    reader.read()

    chip.power_cycle()

    assert reader.read()[0].value == pytest.approx(800, abs=0.3)


@pytest.mark.parametrize("word", [b"\x00\x01", b"\x40\x23", b"\xff\x00"])
def test_another_chip_at_its_address_is_no_light(rig: Rig, word: bytes) -> None:
    class Other:  # a port expander may have 0x23 too: it takes a byte, and says its pins
        def write(self, data: bytes) -> None: ...

        def read(self, count: int) -> bytes:
            return (word * count)[:count]

    rig.bench.attach(0x23, Other())

    with pytest.raises(SensorGarbled, match="does not obey as a BH1750"):
        rig.reader("bh1750").read()


def test_a_light_that_went_is_gone_at_once(rig: Rig) -> None:
    chip = SimulatedBh1750()  # at its real speed, in which the last value would stay for 120 ms
    chip.set(800)
    rig.bench.attach(0x23, chip)
    reader = rig.reader("bh1750")
    reader.read()

    chip.set(20)

    assert reader.read()[0].value == pytest.approx(20, abs=0.3)


def test_its_other_address_works_and_no_third(rig: Rig) -> None:
    chip, reader = soldered(rig, 0x5C)
    chip.set(300)

    assert reader.read()[0].value == pytest.approx(300, abs=0.3)
    with pytest.raises(SettingsError, match="0x24"):
        parse(bh1750.Settings, {"driver": "bh1750", "address": 0x24})
