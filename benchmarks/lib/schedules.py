"""Schedules: what a few boxes write and when, who hears whom meanwhile, and what the air does.

The air is that of tests/exchange: it loses, doubles and delays, and has no collisions, for this is
about the rules. Sizes are those of the frames, with Meshtastic's headers.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from multiprocessing import get_context
from random import Random
from typing import Any

from benchmarks.lib.contest import ROOT
from kiezbox.city.sizes import fits, frame_bytes
from kiezbox.exchange.lora import lora_bearer

BOXES, RECORDS = 6, 40
#: Classes of records, about as kiezbox/city/traffic.toml has them.
_MIX = [0, 1, 2, 3, 4, 5, 5, 5, 5, 5, 6, 6, 6, 6, 6, 6]

LOSS, DOUBLED, DELAY_S = 0.3, 0.1, 5.0

#: So long records are written and boxes are parted; after that, and at most a day, all is calm but
#: for losses.
WRITING_S, CALM_S = 2 * 3600.0, 86400.0


def run_all(seeds: Iterable[int], *, jobs: int) -> list[tuple[bool, int, int]]:
    """Of each: whether all were equal, and the bytes until then; and those where nothing is lost,
    doubled or late, with the same boxes apart at the same time.
    """
    with get_context("spawn").Pool(jobs) as pool:
        return pool.map(run, seeds, chunksize=10)


def run(seed: int) -> tuple[bool, int, int]:
    """One schedule."""
    is_equal, rough = _play(seed, is_rough=True)
    is_calm_equal, calm = _play(seed, is_rough=False)
    return is_equal and is_calm_equal, rough, calm


def _play(seed: int, *, is_rough: bool) -> tuple[bool, int]:
    path = str(ROOT / "tests" / "exchange")
    if path not in sys.path:
        sys.path.append(path)
    import air as beds

    beds.size_of = frame_bytes
    trouble: dict[str, Any] = (
        {"loss": LOSS, "doubled": DOUBLED, "delay_s": DELAY_S} if is_rough else {}
    )
    air = beds.Air(BOXES, seed=seed, bearer=lora_bearer(fits, 0.57), **trouble)
    random = Random(seed)
    for _ in range(RECORDS):
        moment = random.random() * WRITING_S
        box = air.boxes[random.randrange(BOXES)]
        air.at(moment, _write, air, box, random.choice(_MIX))
    for _ in range(6):
        begun = random.random() * WRITING_S
        side = {f"kb-{n}" for n in range(BOXES) if random.random() < 0.5}
        air.at(begun, _part, air, side)
        air.at(begun + random.random() * 1800, _part, air, set())
    air.at(WRITING_S, _part, air, set())
    air.run(WRITING_S)
    is_equal = air.run(CALM_S, air.are_equal)
    return is_equal, air.bytes


def _write(air: Any, box: Any, priority: int) -> None:
    box.write(priority, air.now, size_bytes=115)
    air.wake(box)


def _part(air: Any, side: set[str]) -> None:
    air.hears = lambda a, b: (a.name in side) == (b.name in side)
