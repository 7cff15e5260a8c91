"""The ADS1115 driver: probes, their calibration, broken and shorted wires, many at one chip."""

from __future__ import annotations

import threading
import time

import pytest
from contracts.rig import Reader, Rig

from kiezbox.errors import SensorError, SensorGarbled, SettingsError
from kiezbox.hardware.simulated.ads1115 import SimulatedAds1115
from kiezbox.model import Flag, Measurement, Quantity
from kiezbox.sensors import ads1115
from kiezbox.settings import parse

GOOD = (Flag.GOOD, "")
LOOP = {"probe": "level", "burden_ohm": 120, "at_4_ma_m": 0, "at_20_ma_m": 5}
#: A measuring current of a microampere and, out at the wall, 22 MΩ across the screws.
WOOD = {"probe": "wood", "series_ohm": 3.3e6, "supply_v": 3.3, "end_ohm": 22e6}


def soldered(rig: Rig, **table: object) -> tuple[SimulatedAds1115, Reader]:
    chip = SimulatedAds1115(clock=lambda: time.monotonic() * 10_000)
    rig.bench.attach(0x48, chip)
    return chip, rig.reader("ads1115", table)


def verdict(one: Measurement) -> tuple[Flag, str]:
    return one.flag, one.reason


def divided_v(probe_ohm: float, end_ohm: float = 22e6, series_ohm: float = 3.3e6) -> float:
    """What the input sees of 3.3 V: the probe and the end resistor below, the series above."""
    below = 1 / (1 / probe_ohm + (1 / end_ohm if end_ohm else 0))
    return 3.3 * below / (below + series_ohm)


# --- level ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("milliamperes", "metres"),
    [(4.0, 0.0), (12.0, 2.5), (20.0, 5.0), (3.8, -0.0625), (20.5, 5.156)],
)
def test_four_to_twenty_milliamperes_are_the_measuring_range(
    rig: Rig, milliamperes: float, metres: float
) -> None:
    chip, reader = soldered(rig, **LOOP)
    chip.set(milliamperes * 0.12)

    (one,) = reader.read()

    assert (one.quantity, *verdict(one)) == (Quantity.WATER_LEVEL_M, *GOOD)
    assert one.value == pytest.approx(metres, abs=0.001)


@pytest.mark.parametrize(
    # NAMUR NE 43: fault up to 3.6 mA and from 21 mA on, measured values from 3.8 to 20.5 mA.
    ("milliamperes", "reason"),
    [(0.0, "open-circuit"), (3.59, "open-circuit"), (3.7, "range"), (20.7, "range"),
     (21.01, "short-circuit"), (27.0, "short-circuit"), (100.0, "short-circuit")],
)  # fmt: skip
def test_a_broken_and_a_shorted_loop_are_said(rig: Rig, milliamperes: float, reason: str) -> None:
    chip, reader = soldered(rig, **LOOP)
    chip.set(milliamperes * 0.12)

    assert verdict(reader.read()[0]) == (Flag.BAD, reason)


# --- wood and plaster -------------------------------------------------------------------------


@pytest.mark.parametrize(
    # FPL-GTR-6, Douglas fir.
    ("ohms", "percent"),
    [(11.2e6, 16), (7.1e6, 17), (2.14e6, 20), (0.46e6, 25)],
)
def test_wood_has_the_moisture_that_the_table_gives_for_its_resistance(
    rig: Rig, ohms: float, percent: float
) -> None:
    chip, reader = soldered(rig, **WOOD)
    chip.set(divided_v(ohms))

    (one,) = reader.read()

    assert (one.quantity, *verdict(one)) == (Quantity.MOISTURE_PERCENT, *GOOD)
    assert one.value == pytest.approx(percent, abs=0.01)


def test_between_two_points_of_the_curve_it_follows_the_logarithm(rig: Rig) -> None:
    chip, reader = soldered(rig, **{**WOOD, "curve": ["10000 30", "1000000 20"]})
    chip.set(divided_v(100_000))

    assert reader.read()[0].value == pytest.approx(25.0, abs=0.01)


@pytest.mark.parametrize(
    ("ohms", "value", "flag", "reason"),
    [
        (600e6, 12, Flag.SUSPECT, "saturated"),  # drier than the end resistor lets see
        (200_000, 25, Flag.SUSPECT, "saturated"),  # wetter than the curve
        (500, 25, Flag.BAD, "short-circuit"),
    ],
)
def test_beyond_the_curve_the_value_is_its_end_and_never_good(
    rig: Rig, ohms: float, value: float, flag: Flag, reason: str
) -> None:
    chip, reader = soldered(rig, **WOOD)
    chip.set(divided_v(ohms))

    (one,) = reader.read()

    assert (one.value, *verdict(one)) == (value, flag, reason)


def test_a_broken_wire_is_told_from_dry_wood_by_the_resistor_at_its_end(rig: Rig) -> None:
    chip, reader = soldered(rig, **WOOD)

    chip.set(divided_v(1e12))  # dry wood: the end resistor is still there
    assert verdict(reader.read()[0]) == (Flag.SUSPECT, "saturated")
    chip.set(3.29)  # nothing but the input's own leakage
    assert verdict(reader.read()[0]) == (Flag.BAD, "open-circuit")


def test_without_a_resistor_at_the_end_both_are_called_open(rig: Rig) -> None:
    chip, reader = soldered(rig, **{**WOOD, "end_ohm": 0})
    chip.set(3.3)

    assert verdict(reader.read()[0]) == (Flag.BAD, "open-circuit")


def test_plaster_wants_a_curve_of_its_own(rig: Rig) -> None:
    with pytest.raises(SettingsError, match="has no curve"):
        parse(ads1115.Settings, {"driver": "ads1115", "probe": "plaster"})
    chip, reader = soldered(
        rig, probe="plaster", end_ohm=22e6, curve=["5000000 0.5", "500000 2", "50000 6"]
    )
    chip.set(divided_v(500_000))

    assert reader.read()[0].value == pytest.approx(2.0, abs=0.01)


@pytest.mark.parametrize(
    "curve",
    [["4600000"], ["4600000 wet"], ["4600000 18"], ["1000 5", "1000 6"], ["1000 20", "9000 30"],
     ["0 1", "5 0"], ["1000 400", "2000 0"], ["a b c", "1 2"]],
)  # fmt: skip
def test_a_curve_that_is_none_is_refused(curve: list[str]) -> None:
    with pytest.raises(SettingsError, match="curve"):
        parse(ads1115.Settings, {"driver": "ads1115", "probe": "wood", "curve": curve})


# --- voltage ----------------------------------------------------------------------------------


def test_a_divided_battery_has_its_own_volts(rig: Rig) -> None:
    chip, reader = soldered(rig, ratio=5.7, most_v=16, channel="A2")
    chip.set(0.0, 0.0, 12.8 / 5.7)

    (one,) = reader.read()

    assert (one.quantity, *verdict(one)) == (Quantity.VOLTAGE_V, *GOOD)
    assert one.value == pytest.approx(12.8, abs=0.001)


def test_a_difference_of_two_inputs_may_be_negative(rig: Rig) -> None:
    chip, reader = soldered(rig, channel="A0-A1", most_v=0.25)
    chip.set(1.0, 1.2)

    assert reader.read()[0].value == pytest.approx(-0.2, abs=0.0001)


@pytest.mark.parametrize(("volts", "reason"), [(0.3, "overflow"), (0.24, "range")])
def test_more_than_was_said_to_come_is_flagged(rig: Rig, volts: float, reason: str) -> None:
    chip, reader = soldered(rig, most_v=0.2)
    chip.set(volts)

    assert verdict(reader.read()[0]) == (Flag.BAD, reason)


# --- the chip ---------------------------------------------------------------------------------


def test_four_probes_at_one_chip_never_get_each_others_volts(rig: Rig) -> None:
    chip = SimulatedAds1115(clock=lambda: time.monotonic() * 10)
    chip.set(0.5, 1.0, 1.5, 2.0)
    rig.bench.attach(0x48, chip)
    read: dict[str, set[float]] = {f"A{n}": set() for n in range(4)}
    errors: list[Exception] = []

    def work(channel: str, reader: Reader) -> None:
        try:
            for _ in range(5):
                read[channel].add(round(reader.read()[0].value, 3))
        except SensorError as error:
            errors.append(error)

    threads = [
        threading.Thread(target=work, args=(name, rig.reader("ads1115", {"channel": name})))
        for name in read
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert not any(thread.is_alive() for thread in threads)
    assert errors == []
    assert read == {"A0": {0.5}, "A1": {1.0}, "A2": {1.5}, "A3": {2.0}}


def test_a_supply_that_dips_at_every_write_is_said(rig: Rig) -> None:
    chip, reader = soldered(rig, channel="A1")
    chip.fault = "brown_out"

    with pytest.raises(SensorGarbled, match="forgets what it was told to measure"):
        reader.read()


def test_every_probe_names_its_source_and_what_it_measures() -> None:
    for name, probe in ads1115.PROBES.items():
        settings = ads1115.Settings(driver="ads1115", probe=name, curve=("2000000 1", "1000000 2"))

        assert ads1115.quantities(settings) == (probe.quantity,)
        assert probe.quantity in ads1115.QUANTITIES
        assert probe.source
