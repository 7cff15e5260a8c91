"""A year of one-minute readings of ten quantities, as a box that has run for it holds them."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.lib.boxes import BOX
from benchmarks.lib.contest import say

#: (sensor, quantity, middle, step of the converter, how much it moves in a minute)
QUANTITIES = (
    ("roof", "temperature_c", 14.0, 0.01, 0.03),
    ("roof", "humidity_percent", 65.0, 0.01, 0.15),
    ("roof", "pressure_hpa", 1012.0, 0.01, 0.02),
    ("dust", "pm1_ug_m3", 6.0, 0.1, 0.3),
    ("dust", "pm2_5_ug_m3", 9.0, 0.1, 0.4),
    ("dust", "pm10_ug_m3", 15.0, 0.1, 0.6),
    ("hall", "co2_ppm", 600.0, 1.0, 8.0),
    ("hall", "temperature_c", 21.0, 0.01, 0.02),
    ("battery", "voltage_v", 13.1, 0.004, 0.01),
    ("battery", "current_a", -0.4, 0.001, 0.02),
)
STARTS_S = 1_780_272_000  # 2026-06-01T00:00Z
MINUTES = 365 * 1440
#: Of this many values one is flagged, with raw value and reason.
FLAGGED_ONE_IN = 200


def rows(minutes: range, boot: int, numbers: list[int], seed: int = 1) -> Iterator[tuple[Any, ...]]:
    """Rows of the table ``readings``; every sensor is read some milliseconds after the minute."""
    rng = random.Random(seed + minutes.start)
    values = [middle for _, _, middle, _, _ in QUANTITIES]
    for minute in minutes:
        up_ms = minute * 60_000
        for n, (_, _, middle, step, moves) in enumerate(QUANTITIES):
            if n in (0, 3, 6, 8):
                up_ms += rng.randrange(40)
            values[n] += rng.gauss((middle - values[n]) / 2000, moves)
            value = round(round(values[n] / step) * step, 6)
            serial = boot << 36 | (minute * len(QUANTITIES) + n + 1)
            flagged = rng.randrange(FLAGGED_ONE_IN) == 0
            yield (
                serial, numbers[n], STARTS_S * 1000 + up_ms, up_ms, value,
                value if flagged else None, int(flagged),
                "jumped by more than 5 in a minute" if flagged else "", 1,
            )  # fmt: skip


def weeks(minutes: int) -> Iterator[range]:
    """So many minutes, a week at a time: each begins a walk of its own."""
    for start in range(0, minutes, 10_080):
        yield range(start, min(start + 10_080, minutes))


def make(path: Path, minutes: int = MINUTES) -> int:
    """The box's database, grown old by the store's own steps; how many readings that were."""
    from kiezbox.clock import ManualClock
    from kiezbox.settings import StoreSettings
    from kiezbox.store import Store

    clock = ManualClock(STARTS_S)
    store = Store.open(StoreSettings(path=str(path), run_dir=str(path.parent)), BOX, clock)
    begun, count = time.monotonic(), 0
    try:
        numbers = [store._series_number(sensor, name) for sensor, name, *_ in QUANTITIES]
        store.fold()
        database = store._card.db
        database.execute("PRAGMA synchronous = OFF")  # Made once, and made again if it is lost.
        for week in weeks(minutes):
            database.execute("BEGIN")
            database.executemany(
                "INSERT INTO readings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                rows(week, store.boot, numbers),
            )
            database.execute("COMMIT")
            count += len(week) * len(QUANTITIES)
            clock.advance(60.0 * len(week))
            store._card.is_behind = True
            while store.tend():
                pass
        say(f"archive: {count} readings made in {time.monotonic() - begun:.0f} s")
        return count
    finally:
        store.close()
