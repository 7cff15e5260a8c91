"""Blocks of readings out of traces: a box as it would be, with the counters its rows would have."""

from __future__ import annotations

import random

from benchmarks.lib.traces import Hour
from kiezbox.frames import origin_id
from kiezbox.frames.fields import FIELDS
from kiezbox.frames.readings import EPOCH, Block, Track, Value
from kiezbox.model import Flag, Quantity

#: Slot of the sensor, and the place of its row among the nine that such a box writes a minute: a
#: climate sensor (3), a particulate sensor (2), CO₂ (1), and a battery (volts, amperes, watts).
PLACES = {
    Quantity.TEMPERATURE_C: (0, 0),
    Quantity.HUMIDITY_PERCENT: (0, 1),
    Quantity.PRESSURE_HPA: (0, 2),
    Quantity.PM2_5_UG_M3: (1, 3),
    Quantity.PM10_UG_M3: (1, 4),
    Quantity.CO2_PPM: (2, 5),
    Quantity.VOLTAGE_V: (3, 6),
}
ROWS_A_MINUTE = 9

#: The recording is of 2022, and the format's time begins with 2025.
_LATER_S = 4 * 365 * 86_400 + 86_400


def block_of(
    hour: Hour,
    quantities: tuple[Quantity, ...] = tuple(PLACES),
    *,
    is_fine: bool = False,
    is_rows: bool = True,
) -> Block:
    """A block of an hour of traces. The box has been up for an hour to sixty days, and one read in
    three hundred failed; in one block of twenty a sensor fails meanwhile, and all counters bend.
    """
    chance = random.Random(hour.starts_at)
    starts_at = (hour.starts_at + _LATER_S) // hour.interval_s * hour.interval_s
    age_s = 10 ** chance.uniform(3.6, 6.7)
    boot = int((starts_at - EPOCH - age_s) // 10)
    stride = ROWS_A_MINUTE * hour.interval_s // 60
    first = int((starts_at - EPOCH - boot * 10) / 60 * ROWS_A_MINUTE * chance.uniform(0.995, 1.0))
    steps = len(hour.columns[quantities[0]])
    bends_at = chance.randrange(1, steps) if chance.random() < 0.05 else steps

    def value(quantity: Quantity, n: int) -> Value:
        counter = first + n * stride + PLACES[quantity][1] - (3 if n >= bends_at else 0)
        return Value(
            hour.columns[quantity][n], Flag(hour.flags[quantity][n]), counter if is_rows else 0
        )

    tracks = tuple(
        Track(PLACES[quantity][0], quantity, tuple(value(quantity, n) for n in range(steps)))
        for quantity in quantities
        if quantity in FIELDS
    )
    return Block(
        origin=origin_id("kb-kanalufer"),
        starts_at=starts_at,
        interval_s=hour.interval_s,
        tracks=tracks,
        boot=boot if is_rows else None,
        is_fine=is_fine,
    )
