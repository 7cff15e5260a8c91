"""Means over short spans: the same from database and journal, right also with a wrong clock."""

from __future__ import annotations

import math
import time
from typing import Any

import pytest
from storing import warm

from kiezbox.model import Flag, Measurement, Quantity, Series
from kiezbox.store import StoreReader
from kiezbox.store.boots import corrected_ms

HOUR_MS = 3_600_000
ROOF = Series("roof", "temperature_c")


def reckoned(reader: StoreReader, since_ms: int, width_ms: int) -> dict[int, list[float]]:
    """The same from all readings, one by one."""
    marks = reader.clock_marks()
    found: dict[int, list[float]] = {}
    for each in reader.after(0, 1_000_000):
        at_ms = corrected_ms(marks, each.boot, each.monotonic_ms, each.taken_ms, each.clock_trusted)
        if each.flag == 0 and at_ms >= since_ms:
            found.setdefault(at_ms // width_ms, []).append(each.value)
    return found


def assert_same(reader: StoreReader, since_ms: int, width_ms: int) -> None:
    wanted = reckoned(reader, since_ms, width_ms)
    found = reader.spans(since_ms, width_ms)[ROOF]
    assert [each.starts_at * 1000 / width_ms for each in found] == sorted(wanted)
    for each, values in zip(found, (wanted[n] for n in sorted(wanted)), strict=True):
        assert (each.low, each.high, each.readings) == (min(values), max(values), len(values))
        assert each.mean == pytest.approx(math.fsum(values) / len(values))


def test_spans_are_the_means_of_what_was_measured(
    open_store: Any, clock: Any, settings: Any
) -> None:
    store = open_store()
    for number in range(300):
        store.add("roof", warm(20 + math.sin(number / 9)))
        clock.advance(60)
        if number == 200:
            store.fold()  # The rest is in the journal only.
    store.flush()

    reader = StoreReader(settings.path, clock=clock)

    for hours in (0.5, 2, 4, 100):
        assert_same(reader, int((clock.now() - hours * 3600) * 1000), 15 * 60_000)


def test_what_is_doubtful_is_in_no_mean(open_store: Any, clock: Any, settings: Any) -> None:
    store = open_store()
    store.add("roof", warm(20.0))
    store.add("roof", [Measurement(Quantity.TEMPERATURE_C, 85.0, flag=Flag.SUSPECT, reason="x")])
    store.flush()

    (found,) = StoreReader(settings.path, clock=clock).spans(0, HOUR_MS)[ROOF]

    assert (found.mean, found.readings) == (20.0, 1)


def test_a_boot_whose_clock_was_set_late_stands_at_its_right_time(
    open_store: Any, clock: Any, settings: Any
) -> None:
    right = clock.now()
    store = open_store()
    store.add("roof", warm(1.0))
    store.close()
    clock.set_wall(right - 86_400 * 400)
    clock.trusted = False
    store = open_store()
    clock.advance(600)
    store.add("roof", warm(2.0))
    clock.set_wall(right + 1200)
    clock.trusted = True
    clock.advance(600)
    store.mark_clock()
    store.add("roof", warm(3.0))
    store.fold()

    reader = StoreReader(settings.path, clock=clock)

    assert_same(reader, int((right - 60) * 1000), 10_000)
    assert [each.mean for each in reader.spans(int(right * 1000) - 60_000, 10_000)[ROOF]] == [
        1.0, 2.0, 3.0,
    ]  # fmt: skip


def test_readings_of_a_time_that_nobody_knows_are_left_out(
    open_store: Any, clock: Any, settings: Any
) -> None:
    clock.trusted = False
    store = open_store()
    store.add("roof", warm(1.0))
    store.fold()

    assert StoreReader(settings.path, clock=clock).spans(0, HOUR_MS) == {}


@pytest.mark.long
def test_a_week_out_of_a_year_is_found_quickly(open_store: Any, clock: Any, settings: Any) -> None:
    store = open_store()
    for number in range(520_000):
        store.add("roof", warm(20 + math.sin(number / 999)))
        clock.advance(60)
        if number % 50_000 == 0:
            store.fold()
    store.fold()
    reader = StoreReader(settings.path, clock=clock)

    began = time.perf_counter()
    found = reader.spans(int((clock.now() - 7 * 86400) * 1000), HOUR_MS)

    assert 167 <= len(found[ROOF]) <= 169
    assert time.perf_counter() - began < 0.5
