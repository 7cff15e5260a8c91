"""Hours of readings for the benchmark of frames: a recorded station, and what it has no sensor for.

Recorded: January to June 2022 of a sensor.community station (an SDS011, and a DHT22 whose humidity
is defective), a row every 166 s. Per minute they are made in two ways: *resampled* (straight lines
between the rows, in the sensor's steps of 0.1), and *row a minute* (each row taken for a minute's,
which moves 2.8 times too fast and is harder). Hours with gaps of over ten minutes are left out.

The flags are those that the box's own rules give these rows (kiezbox/quality): most humidities are
suspect or bad. Between rows, the flag of the one before; of a mean, the flag that most of it have.

Pressure and battery are the demo's (kiezbox/demo, seeded), with the noise of a BME280 (1.3 Pa) and
in the steps of an INA219 (4 mV); CO₂ is a room with people who come and go, with an SCD30's
repeatability (10 ppm).
"""

from __future__ import annotations

import csv
import gzip
import math
import os
import random
import statistics
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import NamedTuple

from benchmarks.lib.contest import ROOT, Skipped
from kiezbox.demo.battery import Battery
from kiezbox.demo.places import sites
from kiezbox.demo.weather import Weather
from kiezbox.model import Measurement, Quantity
from kiezbox.quality import Judge

SHARED = Path(os.environ.get("KIEZBOX_SHARED", ROOT.parent / "shared"))

#: Months from which the format's tables were made, and those on which it is judged.
LEARNED, JUDGED = (1, 3, 5), (2, 4, 6)

#: What was recorded; and what the simulator adds.
RECORDED = {
    "dht22": {Quantity.TEMPERATURE_C: "temperature", Quantity.HUMIDITY_PERCENT: "humidity"},
    "sds011": {Quantity.PM2_5_UG_M3: "P2", Quantity.PM10_UG_M3: "P1"},
}
#: Steps of the sensors themselves.
NATIVE = {
    Quantity.TEMPERATURE_C: 0.1,
    Quantity.HUMIDITY_PERCENT: 0.1,
    Quantity.PRESSURE_HPA: 0.01,
    Quantity.PM2_5_UG_M3: 0.1,
    Quantity.PM10_UG_M3: 0.1,
    Quantity.CO2_PPM: 1.0,
    Quantity.VOLTAGE_V: 0.004,
}

_GAP_S = 600.0
_WEATHER_SEED = 7


class Row(NamedTuple):
    """When (Unix seconds), two values, their flags."""

    at: float
    values: Sequence[float]
    flags: Sequence[int]


#: Per quantity, in the order of NATIVE.
Columns = dict[Quantity, list[float]]
Flags = dict[Quantity, list[int]]


class Hour(NamedTuple):
    """``starts_at``: Unix seconds."""

    starts_at: int
    interval_s: int
    columns: Columns
    flags: Flags


def hours(months: Sequence[int], *, way: str = "resampled", every_h: int = 3) -> list[Hour]:
    """Hours of sixty minutes; ``way``: "resampled" or "row a minute".

    Raises:
        Skipped: the recording is not here.
    """
    return list(_blocks(months, 60, 60, every_h * 3600, way))


def samples(months: Sequence[int], steps: int, *, every_h: int = 3) -> list[Hour]:
    """Blocks of so many ten-minute steps: of each the reading at its beginning."""
    return list(_blocks(months, 600, steps, every_h * 3600, "resampled"))


def means(hour: Hour, steps: int) -> Hour:
    """Ten-minute means of an hour of minutes (of two, if it has them)."""
    columns = {
        quantity: [math.fsum(column[10 * n : 10 * n + 10]) / 10 for n in range(steps)]
        for quantity, column in hour.columns.items()
    }
    flags = {
        quantity: [statistics.mode(sorted(column[10 * n : 10 * n + 10])) for n in range(steps)]
        for quantity, column in hour.flags.items()
    }
    return Hour(hour.starts_at, 600, columns, flags)


def minutes(months: Sequence[int], steps: int, *, every_h: int = 3) -> list[Hour]:
    """As ``hours``, of any length."""
    return list(_blocks(months, 60, steps, every_h * 3600, "resampled"))


def _blocks(
    months: Sequence[int], step_s: int, steps: int, every_s: int, way: str
) -> Iterator[Hour]:
    for month in months:
        air, dust = _month("dht22", month), _month("sds011", month)
        if way == "row a minute":
            for n in range(0, min(len(air), len(dust)) - steps, 2 * steps):
                pairs = list(zip(air[n : n + steps], dust[n : n + steps], strict=True))
                yield _hour(int(air[n].at) // 3600 * 3600, step_s, pairs)
            continue
        for start in range(int(air[0].at) // 3600 * 3600 + 3600, int(air[-1].at), every_s):
            moments = [start + n * step_s for n in range(steps)]
            found = [(_between(air, at), _between(dust, at)) for at in moments]
            pairs = [(a, d) for a, d in found if a is not None and d is not None]
            if len(pairs) == steps:
                yield _hour(start, step_s, pairs)


def _hour(start: int, step_s: int, pairs: Sequence[tuple[Row, Row]]) -> Hour:
    columns: Columns = {quantity: [] for quantity in NATIVE}
    flags: Flags = {quantity: [] for quantity in NATIVE}
    for (air, dust), other in zip(pairs, _simulated(start, step_s, len(pairs)), strict=True):
        values = (*air.values, other[0], *dust.values, *other[1:])
        of = (*air.flags, 0, *dust.flags, 0, 0)
        for (quantity, step), value, flag in zip(NATIVE.items(), values, of, strict=True):
            columns[quantity].append(round(round(value / step) * step, 6))
            flags[quantity].append(flag)
    return Hour(start, step_s, columns, flags)


@cache
def _month(kind: str, month: int) -> list[Row]:
    folder = SHARED / "data" / "sensor" / "2022"
    files = sorted(folder.glob(f"2022-{month:02d}-*_{kind}_*.csv.gz"))
    if not files:
        raise Skipped(f"no recording in {folder} (set KIEZBOX_SHARED)")
    names, judge = RECORDED[kind], Judge()
    rows: list[Row] = []
    for path in files:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            for row in csv.DictReader(file, delimiter=";"):
                at = datetime.fromisoformat(row["timestamp"]).replace(tzinfo=UTC).timestamp()
                values = [Measurement(q, float(row[name])) for q, name in names.items()]
                rows.append(Row(at, [one.value for one in values],
                                [int(one.flag) for one in judge.judged(at, values)]))  # fmt: skip
    return sorted(rows)


def _between(rows: list[Row], at: float) -> Row | None:
    n = bisect_right(rows, at, key=lambda row: row.at)
    if not 0 < n < len(rows) or rows[n].at - rows[n - 1].at > _GAP_S:
        return None
    before, after = rows[n - 1], rows[n]
    share = (at - before.at) / (after.at - before.at)
    values = [a + share * (b - a) for a, b in zip(before.values, after.values, strict=True)]
    return Row(at, values, before.flags)


def _simulated(start: int, step_s: int, steps: int) -> Iterator[tuple[float, float, float]]:
    """Pressure, CO₂, volts."""
    chance, weather, site = random.Random(start), Weather(_WEATHER_SEED), sites(1)[0]
    battery = Battery(20.0, 0.5)
    ppm = wanted = 420 + 400 * chance.random()
    for n in range(steps):
        air = weather.at(start + n * step_s, site)
        for _ in range(step_s // 60):
            battery.step(60, mode="normal", has_grid=False, sun_w_m2=air.sun_w_m2)
            if chance.random() < 1 / 60:
                wanted = chance.choice((420, 500, 700, 900, 1300))
            ppm += (wanted - ppm) / 40
        yield (
            air.pressure_hpa + chance.gauss(0, 0.013),
            ppm + chance.gauss(0, 10),
            battery.voltage_v + chance.gauss(0, 0.003),
        )
