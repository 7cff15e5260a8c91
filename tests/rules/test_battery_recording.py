"""The count against a real cell: CALCE A123, 1.1 Ah, LiFePO4, a drive cycle of eleven hours.

The recording runs it from somewhere to empty, to full and down three times, at -4.2 to +2 A. The
cycler's own current, summed over every row, is the truth; our step gets it as an INA219 would.
"""

from __future__ import annotations

import csv
import gzip
from bisect import bisect_left
from functools import lru_cache
from typing import NamedTuple

import pytest
from shared import shared_data

from kiezbox.battery import BatteryState, Sample, charge_percent, step
from kiezbox.settings import BatterySettings

CELL = BatterySettings(sensor="cell", capacity_ah=1.1, cells=1)

#: Texas Instruments SBOS448G, section 7.5: INA219A, up to 200 µV of offset (2 mA on 0.1 Ω), 1 %
#: over temperature; half a percent of the shunt's one on top.
SENSORS = [(0.002, 1.015), (-0.002, 0.985)]


class Row(NamedTuple):
    at: float
    current_a: float
    voltage_v: float
    true_percent: float


@lru_cache
def recording() -> list[Row]:
    path = shared_data("power/CALCE_A1-A123-Dynamics.csv.gz")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = [
            (float(row["Test_Time(s)"]), float(row["Current(A)"]), float(row["Voltage(V)"]))
            for row in csv.DictReader(file)
        ]
    counted, total = [0.0], 0.0
    for (before, current_before, _), (at, current, _) in zip(rows, rows[1:], strict=False):
        total += (at - before) * (current_before + current) / 2 / 3600
        counted.append(total)
    least, most = min(counted), max(counted)
    return [
        Row(*row, 100 * (ah - least) / (most - least))
        for row, ah in zip(rows, counted, strict=True)
    ]


def replay(every_s: float, offset_a: float, gain: float) -> list[tuple[Row, float, float]]:
    """(row, low, high) for every sample taken."""
    state, bands, due = BatteryState(), [], float("-inf")
    for row in recording():
        if row.at < due:
            continue
        due = row.at + every_s - 0.5
        sample = Sample(row.voltage_v, row.current_a * gain + offset_a, row.at)
        state = step(state, sample, CELL).state
        bands.append((row, *charge_percent(state, CELL)))
    return bands


def test_the_recording_is_the_one_that_was_meant() -> None:
    rows = recording()

    assert len(rows) == 26_099
    assert rows[-1].at - rows[0].at == pytest.approx(11 * 3600, rel=0.01)


@pytest.mark.parametrize("offset_a, gain", SENSORS)
def test_the_count_stays_within_its_own_band_whatever_the_sensors_error(
    offset_a: float, gain: float
) -> None:
    bands = replay(1.0, offset_a, gain)

    outside = [row for row, low, high in bands if not low - 0.01 <= row.true_percent <= high + 0.01]
    assert outside == []
    assert len(bands) > 25_000


def test_the_band_is_narrow_once_the_cell_has_been_at_one_end() -> None:
    bands = replay(1.0, 0.0, 1.0)

    # It is empty at 1,360 s and full for the first time at 5,200 s.
    widths = [high - low for row, low, high in bands if row.at > 5200]
    assert sum(widths) / len(widths) < 17


def test_sampled_every_ten_seconds_a_restless_current_makes_the_band_wider_and_still_true() -> None:
    for offset_a, gain in (*SENSORS, (0.002, 0.985), (-0.002, 1.015)):
        bands = replay(10.0, offset_a, gain)

        assert all(low - 0.01 <= row.true_percent <= high + 0.01 for row, low, high in bands)
        assert sum(high - low for row, low, high in bands) / len(bands) < 30


def test_voltage_alone_would_be_off_by_more_than_the_band_is_wide() -> None:
    """Read through the same maker's C/20 curve, and only where the cell is almost at rest."""
    with gzip.open(shared_data("power/CALCE_A123_OCV_C20_charge.csv.gz"), "rt") as file:
        curve = [(float(row["Voltage(V)"]), float(row["SOC"])) for row in csv.DictReader(file)]
    whole = max(soc for _, soc in curve)
    curve = sorted((volts, 100 * soc / whole) for volts, soc in curve[::50])
    volts = [pair[0] for pair in curve]

    def guess(voltage_v: float) -> float:
        return curve[min(bisect_left(volts, voltage_v), len(curve) - 1)][1]

    calm = [row for row in recording() if abs(row.current_a) < 0.06 and row.at > 5200]
    off = sorted(abs(guess(row.voltage_v) - row.true_percent) for row in calm)

    assert len(calm) > 1000
    assert off[len(off) // 2] > 17
    assert off[-1] > 40


def test_between_twenty_and_ninety_percent_a_cell_moves_by_a_tenth_of_a_volt() -> None:
    """The reason for all this, in the recording itself."""
    with gzip.open(shared_data("power/CALCE_A123_OCV_C20_charge.csv.gz"), "rt") as file:
        rows = [(float(row["SOC"]), float(row["Voltage(V)"])) for row in csv.DictReader(file)]
    whole = max(soc for soc, _ in rows)

    plateau = [volts for soc, volts in rows if 0.2 <= soc / whole <= 0.9]

    assert max(plateau) - min(plateau) == pytest.approx(0.1, abs=0.01)
