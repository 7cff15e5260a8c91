"""Means over ten minutes, hours and days: each reading in them once, whatever happens between."""

from __future__ import annotations

import dataclasses
import math
import os
import random
import sqlite3
from collections import defaultdict
from typing import Any

import pytest
from storing import fill, half_a_day, serials, switch_off, warm

from kiezbox.model import Cursor, Flag, Measurement, Quantity, Series
from kiezbox.store import StoreReader, blocks, tiers, upkeep
from kiezbox.store.boots import corrected_ms
from kiezbox.store.migrate import asides

DAY_MS = 86_400_000
ROOF = Series("roof", "temperature_c")

#: Series and start (Unix ms) → good values, suspect, bad.
Buckets = dict[tuple[int, int], tuple[list[float], int, int]]


def reckoned(reader: StoreReader, width_ms: int) -> Buckets:
    """From all readings, one by one, with what is known of the clock in the end."""
    marks = reader.clock_marks()
    found: dict[tuple[int, int], list[tuple[float, int]]] = defaultdict(list)
    for each in reader.after(0, 10**6):
        if each.clock_trusted or each.boot in marks:
            at_ms = corrected_ms(
                marks, each.boot, each.monotonic_ms, each.taken_ms, each.clock_trusted
            )
            found[each.series, at_ms // width_ms * width_ms].append((each.value, each.flag))
    return {
        key: (
            [value for value, flag in values if flag == 0],
            sum(flag == 1 for _, flag in values),
            sum(flag == 2 for _, flag in values),
        )
        for key, values in found.items()
    }


def assert_tiers_are_right(path: str, clock: Any) -> None:
    """Everything is folded and settled: the tables say what the readings say."""
    reader = StoreReader(path, clock=clock)
    db = sqlite3.connect(path)
    for tier in tiers.TIERS:
        wanted = reckoned(reader, tier.width_ms)
        rows = db.execute(
            "SELECT id & 16777215, ((id >> 24) & 4294967295) * ?, mean, least, most, good, suspect,"
            " bad FROM tiers WHERE id >> 56 = ?",
            (tier.width_ms, tier.code),
        ).fetchall()
        assert {row[:2] for row in rows} == set(wanted), tier.name
        for series, start, mean, least, most, *counts in rows:
            values, suspect, bad = wanted[series, start]
            assert counts == [len(values), suspect, bad]
            if values:
                assert mean == pytest.approx(math.fsum(values) / len(values))
                assert (least, most) == (min(values), max(values))
            else:
                assert (mean, least, most) == (None, None, None)
    db.close()
    reader.close()


def finish(store: Any) -> None:
    store.fold()
    for _ in range(1000):
        if not store.tend():
            return
    raise AssertionError("there is always more to do")


def measure(store: Any, clock: Any, dice: random.Random, count: int) -> None:
    for _ in range(count):
        flag = Flag(dice.choice((0, 0, 0, 0, 1, 2)))
        store.add(
            "roof",
            [
                Measurement(Quantity.TEMPERATURE_C, dice.uniform(-20, 40), None, flag, "x" * flag),
                Measurement(Quantity.HUMIDITY_PERCENT, dice.uniform(0, 100)),
            ],
        )
        clock.advance(60)


def test_every_reading_is_in_every_tier_once_over_folds_and_starts(
    open_store: Any, clock: Any, settings: Any
) -> None:
    dice = random.Random(5)
    for _ in range(4):
        store = open_store()
        for _ in range(3):
            measure(store, clock, dice, 250)
            store.fold()
        measure(store, clock, dice, 50)
        switch_off(store) if dice.random() < 0.5 else store.close()

    finish(open_store())

    assert_tiers_are_right(settings.path, clock)


def test_readings_are_in_the_span_their_clock_names_when_it_was_set_later(
    open_store: Any, clock: Any, settings: Any
) -> None:
    dice = random.Random(6)
    right = clock.now()
    for lost in (300, 86_400 * 400, 7200):
        clock.trusted = False
        clock.set_wall(right - lost)
        store = open_store()
        measure(store, clock, dice, 130)
        store.fold()  # Too early to know.
        before = serials(store.after(0, 10**6))
        right += 130 * 60 + 200
        clock.set_wall(right)
        clock.trusted = True
        store.mark_clock()
        measure(store, clock, dice, 20)
        # And the clock is lost again, with another error at its end.
        clock.trusted = False
        measure(store, clock, dice, 90)
        finish(store)
        clock.set_wall(clock.now() + 90)
        clock.trusted = True
        store.mark_clock()
        measure(store, clock, dice, 5)
        assert len(before) >= 260
        right = clock.now() + 100
        switch_off(store)

    finish(open_store())

    assert_tiers_are_right(settings.path, clock)


def test_a_time_nobody_ever_learned_is_in_no_tier_and_holds_nothing_up(
    open_store: Any, clock: Any, settings: Any
) -> None:
    clock.trusted = False
    store = open_store()
    fill(store, clock, 30)
    store.close()
    clock.trusted = True
    store = open_store()
    fill(store, clock, 30)

    finish(store)

    assert_tiers_are_right(settings.path, clock)
    assert store._card.query("SELECT * FROM undated") == []


@pytest.mark.parametrize("packed_after_s", [8 * 86_400, 6 * 3600])
@pytest.mark.parametrize(
    "width_ms", [900_000, *(tier.width_ms for tier in tiers.TIERS), 7 * DAY_MS]
)
def test_the_reader_joins_tiers_readings_blocks_and_journal_without_a_seam(
    open_store: Any, clock: Any, settings: Any, monkeypatch: Any, width_ms: int, packed_after_s: int
) -> None:
    monkeypatch.setattr(blocks, "AFTER_S", packed_after_s)
    dice = random.Random(7)
    store = open_store()
    for part in range(6):
        clock.trusted = part not in (1, 4)
        measure(store, clock, dice, 777)
        if part < 5:
            finish(store)
    store.flush()
    count = store._card.query("SELECT coalesce(sum(readings), 0) FROM blocks")[0][0]
    assert (count > 3000) == (packed_after_s < 86_400)
    reader = StoreReader(settings.path, clock=clock)
    begun = clock.now()
    marks, names, readings = reader.clock_marks(), reader.series(), list(reader.after(0, 10**6))

    for hours in (0.2, 3, 31, 75, 10_000):
        since_ms = int((begun - hours * 3600) * 1000)
        wanted: dict[int, list[float]] = {}
        for each in readings:
            at_ms = corrected_ms(
                marks, each.boot, each.monotonic_ms, each.taken_ms, each.clock_trusted
            )
            if names[each.series] == ROOF and not each.flag:
                if at_ms >= since_ms:
                    wanted.setdefault(at_ms // width_ms, []).append(each.value)
        found = {
            each.starts_at * 1000 // width_ms: each
            for each in reader.spans(since_ms, width_ms)[ROOF]
        }
        assert sorted(found) == sorted(wanted)
        for number, values in wanted.items():
            span = found[number]
            assert (span.low, span.high, span.readings) == (min(values), max(values), len(values))
            assert span.mean == pytest.approx(math.fsum(values) / len(values))


def test_levels_are_averaged_by_their_energy(open_store: Any, clock: Any, settings: Any) -> None:
    # 10 lg((10^6 + 10^7) / 2) = 67.4 dB: ten times the energy for half of the time costs 2.6 dB.
    clock.set_wall(1_790_000_000 // 86400 * 86400)
    store = open_store()
    for level in (60.0, 70.0) * 5:
        store.add("street", [Measurement(Quantity.LAEQ_DB, level)])
        clock.advance(30)
        finish(store)
    reader = StoreReader(settings.path, clock=clock)

    for width_ms in (600_000, DAY_MS, 900_000):
        (span,) = reader.spans(0, width_ms)[Series("street", "laeq_db")]
        assert span.mean == pytest.approx(67.4, abs=0.01)


def test_a_database_of_before_is_told_anew_in_bounded_steps(
    open_store: Any, clock: Any, settings: Any, monkeypatch: Any
) -> None:
    store = open_store()
    measure(store, clock, random.Random(8), 400)
    finish(store)
    with sqlite3.connect(settings.path) as db:  # As the step of the schema leaves it.
        for table in ("tiers", "tier_state", "undated"):
            db.execute(f"DELETE FROM {table}")
    monkeypatch.setattr(tiers.advance, "__defaults__", (100,))
    store._card.is_behind = True

    steps = 1
    while store.tend():
        steps += 1

    assert steps >= 8
    assert_tiers_are_right(settings.path, clock)


def test_what_was_salvaged_is_told_anew_and_means_older_than_all_readings_stay(
    open_store: Any, clock: Any, settings: Any
) -> None:
    young = dataclasses.replace(settings, keep_days=2.0)
    store = open_store(young)
    for _ in range(5):
        measure(store, clock, random.Random(9), 1440)
        store.fold()
        finish(store)
    means = store._card.query("SELECT * FROM tiers ORDER BY id")
    assert len(store.after(0, 10**6)) < 3.2 * 2880
    store.close()
    with open(settings.path, "r+b") as file:
        file.write(os.urandom(100))

    store = open_store(young)
    finish(store)

    assert asides(settings.path)
    for found, was in zip(store._card.query("SELECT * FROM tiers ORDER BY id"), means, strict=True):
        assert found == pytest.approx(was)


def test_readings_brought_in_later_are_in_the_means(
    open_store: Any, clock: Any, settings: Any
) -> None:
    store = open_store()
    measure(store, clock, random.Random(10), 500)
    finish(store)
    upkeep.backup(settings.path, settings.path + ".whole")
    gone = serials(store.after(100, 10**6))[300:400]
    with sqlite3.connect(settings.path) as db:  # As a page that rotted.
        db.execute("DELETE FROM readings WHERE serial BETWEEN ? AND ?", (gone[0], gone[-1]))
        for table in ("tiers", "tier_state"):
            db.execute(f"DELETE FROM {table}")
    store._card.is_behind = True
    finish(store)
    assert_tiers_are_right(settings.path, clock)

    done = upkeep.mend(settings.path, settings.path + ".whole")

    assert done.readings == len(gone)
    assert_tiers_are_right(settings.path, clock)
    assert upkeep.mend(settings.path, settings.path + ".whole").readings == 0
    assert_tiers_are_right(settings.path, clock)


# --- what goes, and when -----------------------------------------------------------------------


def test_means_stay_when_their_readings_go(open_store: Any, clock: Any, settings: Any) -> None:
    given = dataclasses.replace(settings, keep_days=1.0, keep_10min_days=3.0, keep_hourly_days=5.0)
    store = open_store(given)
    for _ in range(10):
        fill(store, clock, 1440)
        finish(store)

    counts = dict(store._card.query("SELECT tier, count(*) FROM means GROUP BY tier"))

    assert 1440 <= len(store.after(0, 10**6)) <= 2900
    assert counts["daily"] in (10, 11)
    assert 5 * 24 <= counts["hourly"] <= 6 * 24 + 1
    assert 3 * 144 <= counts["10min"] <= 4 * 144 + 1
    (whole,) = StoreReader(settings.path).spans(0, 100 * 365 * DAY_MS)[ROOF]
    assert whole.readings == 14_400


def test_a_coarse_tier_is_kept_no_shorter_than_the_finer_one(
    open_store: Any, clock: Any, settings: Any
) -> None:
    store = open_store(dataclasses.replace(settings, keep_days=4.0, keep_10min_days=1.0))
    for _ in range(4):
        fill(store, clock, 1440)
        finish(store)

    assert store._card.query("SELECT count(*) FROM means WHERE tier = '10min'") >= [(4 * 144,)]


def test_what_a_publisher_has_not_confirmed_stays_however_old(
    open_store: Any, clock: Any, settings: Any
) -> None:
    store = open_store(dataclasses.replace(settings, keep_days=1.0))
    store.keep_for(["mqtt", "file"])
    added = fill(store, clock, 100)
    store.set_cursor(Cursor("mqtt", added[-1], added[-1], added[-1]))
    store.set_cursor(Cursor("file", added[39], added[80], added[-1]))
    store.set_cursor(Cursor("gone", 0, 0, 0))
    store.fold()
    clock.advance(86_400 * 30)
    last = half_a_day(store, clock)

    finish(store)

    assert serials(store.after(0, 1000)) == added[40:] + last
    assert store.faults() == []


def test_a_publisher_that_never_confirmed_anything_keeps_everything(
    open_store: Any, clock: Any, settings: Any
) -> None:
    store = open_store(dataclasses.replace(settings, keep_days=1.0))
    store.keep_for(["mqtt"])
    added = fill(store, clock, 10)
    clock.advance(86_400 * 30)
    added += half_a_day(store, clock)

    finish(store)

    assert serials(store.after(0, 1000)) == added


@pytest.mark.parametrize("years", [-1.5, 3, 70])
def test_a_clock_that_was_in_another_year_for_an_hour_deletes_nothing(
    open_store: Any, clock: Any, settings: Any, monkeypatch: Any, years: float
) -> None:
    # Trusted all the time: a wrong NTP server, a GPS receiver whose week has rolled over.
    monkeypatch.setattr(blocks, "AFTER_S", 3600.0)
    clock.set_wall(1_790_000_000)
    given = dataclasses.replace(settings, keep_days=30.0, keep_10min_days=60.0)
    store = open_store(given)
    added = fill(store, clock, 3000)
    finish(store)
    means = store._card.query("SELECT count(*) FROM tiers")
    right = clock.now()

    clock.set_wall(right + years * 365 * 86_400)
    added += fill(store, clock, 60)
    finish(store)
    clock.set_wall(right + 3600)
    added += fill(store, clock, 2000)
    finish(store)
    finish(open_store_anew(store, open_store, given))

    with StoreReader(settings.path, clock=clock) as reader:
        assert serials(reader.after(0, 10**6)) == added
        assert reader._connection().execute("SELECT count(*) FROM tiers").fetchall() > means


def open_store_anew(store: Any, open_store: Any, settings: Any) -> Any:
    store.flush()
    switch_off(store)
    return open_store(settings)


@pytest.mark.parametrize("days", [31, 200])
def test_what_a_wrong_clock_dated_goes_with_its_neighbours_when_they_are_old(
    open_store: Any, clock: Any, settings: Any, monkeypatch: Any, days: int
) -> None:
    monkeypatch.setattr(blocks, "AFTER_S", 3600.0)
    clock.set_wall(1_790_000_000)
    store = open_store(dataclasses.replace(settings, keep_days=30.0))
    right = clock.now()
    for years in (0, -1.5, 0, 40, 0):
        clock.set_wall(right + years * 365 * 86_400)
        fill(store, clock, 500)
        right += 500 * 60
    finish(store)

    clock.set_wall(right + days * 86_400)
    young = half_a_day(store, clock)
    finish(store)

    assert serials(store.after(0, 10**6)) == young


def test_a_start_does_not_forget_for_whom_readings_are_kept(
    open_store: Any, clock: Any, settings: Any
) -> None:
    given = dataclasses.replace(settings, keep_days=1.0)
    store = open_store(given)
    store.keep_for(["mqtt"])
    added = fill(store, clock, 10)
    clock.advance(86_400 * 30)
    added += half_a_day(store, clock)
    finish(store)

    store = open_store_anew(store, open_store, given)  # Nobody has said yet who publishes.
    store.keep_for(["mqtt"])
    finish(store)

    assert serials(store.after(0, 1000)) == added


def test_the_disk_limit_goes_before_a_publisher_and_says_so(
    open_store: Any, clock: Any, settings: Any
) -> None:
    given = dataclasses.replace(settings, most_mib=1)
    store = open_store(given)
    store.keep_for(["mqtt"])
    for _ in range(4):
        store.add("roof", warm() * 10_000)
        clock.advance(600)
        finish(store)

    left = len(store.after(0, 10**6))
    (fault,) = store.faults()

    assert 10_000 < left < 40_000
    assert (fault.source, fault.kind) == ("store", "overrun")
    assert f"{40_000 - left} readings" in fault.message and "mqtt" in fault.message
    assert "most_mib" in fault.message
    assert store._card.query("SELECT sum(good) FROM means WHERE tier = 'daily'") == [(40_000,)]
    # It is said after the next start of the node as well.
    store = open_store_anew(store, open_store, given)
    store.keep_for(["mqtt"])
    finish(store)
    (again,) = store.faults()
    assert (again.kind, again.message) == ("overrun", fault.message)
    # When the publisher is through, all is well again.
    newest = store.newest_serial
    store.set_cursor(Cursor("mqtt", newest, newest, newest))
    store.add("roof", warm())
    finish(store)
    assert store.faults() == []
    assert [each.kind for each in store.faults(only_open=False)] == ["overrun"]
