"""From the sensor into memory, journal and database, and out again."""

from __future__ import annotations

import math
import sqlite3
import time
from typing import Any

import pytest
from storing import BOX, fill, half_a_day, serials, switch_off, warm

from kiezbox.errors import SensorGarbled, StoreError
from kiezbox.model import Cursor, Flag, Measurement, Quantity, Reading, Series
from kiezbox.store import Store, StoreReader


def test_a_reading_comes_back_as_it_was_measured(open_store: Any, clock: Any) -> None:
    store = open_store()
    added = store.add(
        "roof",
        [
            Measurement(Quantity.TEMPERATURE_C, 20.5),
            Measurement(Quantity.HUMIDITY_PERCENT, 71.0, 100.0, Flag.SUSPECT, "stuck at 100 %"),
        ],
    )

    batch = store.after(0, 10)

    assert batch.box == BOX
    assert list(batch) == added
    first, second = batch
    assert (first.value, first.raw, first.flag, first.reason) == (20.5, None, Flag.GOOD, "")
    assert (second.value, second.raw, second.flag) == (71.0, 100.0, Flag.SUSPECT)
    assert second.reason == "stuck at 100 %"
    assert batch.series[first.series] == Series("roof", "temperature_c")
    assert batch.series[second.series] == Series("roof", "humidity_percent")
    assert first.taken_at == clock.now()
    assert first.monotonic_ms == clock.monotonic() * 1000


@pytest.mark.parametrize("where", ["memory", "journal", "database", "after a start"])
def test_a_reading_is_the_same_wherever_it_lies(open_store: Any, clock: Any, where: str) -> None:
    store = open_store()
    added = store.add(
        "roof",
        [
            Measurement(Quantity.PRESSURE_HPA, 1013.2, 1012.0, Flag.BAD, "Druckstoß, 3 hPa"),
            Measurement(Quantity.CURRENT_A, -0.25),
        ],
    )

    if where != "memory":
        store.flush()
    if where == "database":
        store.fold()
    if where == "after a start":
        switch_off(store)
        store = open_store()

    assert list(store.after(0, 10)) == added
    assert isinstance(next(iter(store.after(0, 10))), Reading)


def test_readings_of_memory_journal_and_database_join_in_order(open_store: Any, clock: Any) -> None:
    store = open_store()
    added = fill(store, clock, 3)
    store.fold()
    added += fill(store, clock, 3)
    store.flush()
    added += fill(store, clock, 3)

    assert serials(store.after(0, 100)) == added
    for start in range(9):
        for limit in (1, 2, 5):
            got = serials(store.after(added[start], limit))
            assert got == added[start + 1 : start + 1 + limit], (start, limit)


def test_until_is_the_last_reading_of_a_batch(open_store: Any, clock: Any) -> None:
    store = open_store()
    added = fill(store, clock, 2)
    store.fold()
    added += fill(store, clock, 2)
    store.flush()
    added += fill(store, clock, 2)

    for end in range(6):
        assert serials(store.after(0, 100, until=added[end])) == added[: end + 1]
        assert store.count_after(added[0], until=added[end]) == end


def test_a_flush_says_how_far_it_is_safe(open_store: Any, clock: Any) -> None:
    store = open_store()
    assert (store.newest_serial, store.stored_serial, store.buffered) == (0, 0, 0)

    added = fill(store, clock, 3)
    assert (store.newest_serial, store.stored_serial, store.buffered) == (added[-1], 0, 3)

    assert store.flush() == added[-1]
    assert (store.newest_serial, store.stored_serial, store.buffered) == (added[-1], added[-1], 0)


def test_what_was_flushed_is_there_after_the_power_went(open_store: Any, clock: Any) -> None:
    store = open_store()
    safe = fill(store, clock, 5)
    store.flush()
    fill(store, clock, 2)
    switch_off(store)

    store = open_store()

    assert serials(store.after(0, 100)) == safe
    assert store.stored_serial == store.newest_serial == safe[-1]


def test_a_cursor_rides_on_the_flush_of_its_readings(open_store: Any, clock: Any) -> None:
    store = open_store()
    added = fill(store, clock, 2)
    store.set_cursor(Cursor("mqtt", added[0]))
    store.flush()
    store.set_cursor(Cursor("mqtt", added[1], added[1], added[1] + 5))
    assert store.cursor("mqtt").backlog == added[1]
    switch_off(store)

    store = open_store()

    # The second one was forgotten by the cut: delivered again under the same ids, never lost.
    assert store.cursor("mqtt") == Cursor("mqtt", added[0])
    assert store.cursor("lora") == Cursor("lora", 0, 0, 0)


def test_ids_rise_over_all_starts_and_none_is_used_twice(open_store: Any, clock: Any) -> None:
    seen: list[int] = []
    for _ in range(20):
        store = open_store()
        seen += fill(store, clock, 3)
        store.flush()
        fill(store, clock, 1)  # Lost, and its id with it.
        switch_off(store)

    assert seen == sorted(set(seen))
    assert serials(open_store().after(0, 100)) == seen


def test_a_backlog_is_counted_exactly_while_it_shrinks_and_grows(
    open_store: Any, clock: Any
) -> None:
    store = open_store()
    fill(store, clock, 30)
    store.fold()
    switch_off(store)
    store = open_store()  # Another boot: serials have a gap.
    fill(store, clock, 20)
    store.fold()

    position = 0
    while batch := store.after(position, 7):
        position = serials(batch)[-1]
        if position % 3 == 0:
            fill(store, clock, 1)
        if position % 5 == 0:
            store.flush()
        if position % 7 == 0:
            store.fold()
        assert store.count_after(position) == len(store.after(position, 1000))
    assert store.count_after(0) == len(store.after(0, 1000))


def test_counting_a_week_of_backlog_each_second_costs_next_to_nothing(
    open_store: Any, clock: Any
) -> None:
    store = open_store()
    for _ in range(7):
        for _ in range(1440):
            store.add("roof", [Measurement(q, 1.0) for q in list(Quantity)[:7]])
        store.fold()
    assert store.count_after(0) == 70_560

    steps: list[int] = []
    store._card.db.set_progress_handler(lambda: steps.append(1) and None, 1000)
    for _ in range(100):
        assert store.count_after(0) == 70_560
    store._card.db.set_progress_handler(None, 0)

    # A count(*) of them all is 70 such steps of 1,000 virtual machine instructions, each time.
    assert len(steps) < 10


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_refused_with_its_whole_read(open_store: Any, value: float) -> None:
    store = open_store()

    with pytest.raises(SensorGarbled, match="roof/humidity_percent"):
        store.add("roof", [*warm(), Measurement(Quantity.HUMIDITY_PERCENT, value)])
    with pytest.raises(SensorGarbled):
        store.add("roof", [Measurement(Quantity.HUMIDITY_PERCENT, 1.0, value)])

    assert len(store.after(0, 10)) == 0
    assert store.newest_serial == 0


def test_a_long_reason_is_kept_as_far_as_it_goes(open_store: Any) -> None:
    store = open_store()
    reason = "ß" * 200  # 400 bytes of UTF-8; 255 are kept, and no half letter.

    (added,) = store.add("roof", [Measurement(Quantity.TEMPERATURE_C, 1.0, 2.0, Flag.BAD, reason)])
    store.flush()
    (stored,) = StoreReader(store._settings.path).after(0, 10)

    assert added.reason == "ß" * 127
    assert stored == added


def test_a_whole_number_comes_back_as_a_float(open_store: Any) -> None:
    store = open_store()
    store.add("roof", [Measurement(Quantity.TEMPERATURE_C, 20)])
    store.fold()

    (reading,) = store.after(0, 1)

    assert type(reading.value) is float


def test_a_second_node_on_the_same_store_is_refused(open_store: Any) -> None:
    open_store()

    with pytest.raises(StoreError, match="another node uses") as caught:
        open_store()

    assert "Stop it first" in caught.value.hint


def test_closing_twice_is_closing_once_and_flushes(open_store: Any, clock: Any) -> None:
    store = open_store()
    added = fill(store, clock, 2)

    store.close()
    store.close()

    assert serials(open_store().after(0, 10)) == added


def test_a_fold_is_due_when_the_settings_say_so(open_store: Any, clock: Any, settings: Any) -> None:
    store = open_store()
    clock.advance(settings.fold_s - 1)
    assert not store.is_fold_due()
    clock.advance(1)
    assert store.is_fold_due()

    assert store.fold() == 0

    assert not store.is_fold_due()


def test_readings_past_their_time_go_with_a_fold_and_young_ones_stay(
    open_store: Any, clock: Any, settings: Any
) -> None:
    store = open_store()
    fill(store, clock, 3)
    store.fold()
    store.tend()
    clock.advance(settings.keep_days * 86400)
    young = half_a_day(store, clock)

    store.fold()

    assert serials(store.after(0, 100)) == young


def test_a_clock_nobody_set_deletes_nothing(open_store: Any, clock: Any) -> None:
    store = open_store()
    old = fill(store, clock, 2)
    store.fold()
    clock.trusted = False
    clock.set_wall(4_000_000_000)  # 2096: everything would be old.
    new = fill(store, clock, 1)

    store.fold()

    assert serials(store.after(0, 10)) == old + new


def test_readings_of_a_wrong_clock_are_not_taken_for_old_ones(open_store: Any, clock: Any) -> None:
    store = open_store()
    clock.trusted = False
    clock.set_wall(86_400)  # 1970
    early = fill(store, clock, 2)
    clock.set_wall(1_780_000_000)
    clock.trusted = True

    store.add("roof", warm())
    store.fold()

    assert serials(store.after(0, 10))[:2] == early


def test_a_journal_of_the_smallest_size_folds_by_itself_when_it_is_full(
    open_store: Any, clock: Any, tmp_path: Any, settings: Any
) -> None:
    import dataclasses

    store = open_store(dataclasses.replace(settings, journal_kib=16))
    added: list[int] = []
    for _ in range(100):  # 100 sectors into 32
        added += fill(store, clock, 5)
        assert store.flush() == added[-1]

    switch_off(store)
    assert serials(open_store().after(0, 1000)) == added


def test_one_flush_of_more_than_the_journal_holds_is_safe_too(
    open_store: Any, clock: Any, settings: Any
) -> None:
    import dataclasses

    store = open_store(dataclasses.replace(settings, journal_kib=16))
    added = fill(store, clock, 5000)

    assert store.flush() == added[-1]

    switch_off(store)
    assert serials(open_store().after(0, 10_000)) == added


def test_a_journal_of_another_size_is_laid_out_anew_and_loses_nothing(
    open_store: Any, clock: Any, settings: Any
) -> None:
    import dataclasses
    import os

    store = open_store()
    added = fill(store, clock, 3)
    store.flush()
    switch_off(store)

    store = open_store(dataclasses.replace(settings, journal_kib=64))

    assert os.path.getsize(settings.path + ".journal") == 64 * 1024
    added += fill(store, clock, 3)
    store.flush()
    switch_off(store)
    assert serials(open_store().after(0, 10)) == added


def test_draining_a_backlog_costs_hardly_more_than_sqlite_itself(
    open_store: Any, clock: Any, settings: Any
) -> None:
    store: Store = open_store()
    for _ in range(3000):
        store.add("roof", [Measurement(q, 21.5) for q in list(Quantity)])
    store.fold()
    db = sqlite3.connect(settings.path, isolation_level=None)
    question = "SELECT * FROM readings WHERE serial > ? ORDER BY serial LIMIT 1000"

    ours, theirs = [], []
    for _ in range(9):
        began, position = time.process_time(), 0
        while batch := store.after(position, 1000):
            position = batch.readings[-1][0]
        ours.append(time.process_time() - began)
        began, position = time.process_time(), 0
        while rows := db.execute(question, (position,)).fetchall():
            position = rows[-1][0]
        theirs.append(time.process_time() - began)
    db.close()

    # 1.01 to 0.98 µs a reading on a quiet machine; a namedtuple each would make it 1.4.
    assert min(ours) < 1.5 * min(theirs)
