"""A clock that was believed for weeks and was wrong: all that it has dated is dated anew.

What is right says a second box, whose clock was right all along, and the sums of every reading.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from storing import BOX, switch_off, warm
from test_store_tiers import assert_tiers_are_right, finish

from kiezbox.clock import ManualClock
from kiezbox.settings import StoreSettings
from kiezbox.store import Store, StoreReader

HOUR_S = 3600.0
#: 2026-06-01T00:00:00Z
JUNE = 1_780_272_000.0
DAYS, STARTS = 12, 3
#: Minutes between two readings.
EVERY_MIN = 10


def weeks(folder: Path, name: str, ahead_s: float) -> tuple[Store, ManualClock, str, int]:
    """A box that measured for days with its clock so far ahead, its node started three times; the
    clock is right now. Its store and clock, its path, and the first serial by that clock.
    """
    clock = ManualClock(JUNE + ahead_s)
    path, first = str(folder / f"{name}.db"), 0
    settings = StoreSettings(path=path)
    for start in range(STARTS):
        store = Store.open(settings, BOX, clock)
        for number in range(DAYS * 24 * 60 // EVERY_MIN // STARTS):
            # A day in which the weather changes, so that no two spans have the same mean.
            (one,) = store.add("roof", warm(float(start * 1000 + number)))
            first = first or one.serial
            clock.advance(EVERY_MIN * 60)
        finish(store)
        if start < STARTS - 1:
            store.close()
    clock.set_wall(clock.now() - ahead_s)
    return store, clock, path, first


def dated(path: str) -> list[tuple[float, int]]:
    """Each reading's value and its time as an export has it, oldest first."""
    with StoreReader(path) as reader:
        return [
            (
                each.value,
                reader.corrected_ms(
                    each.boot, each.monotonic_ms, each.taken_ms, each.clock_trusted
                ),
            )
            for each in reader.after(0, 10**6)
        ]


def doubt(store: Store, clock: ManualClock, first: int, ahead_s: float) -> None:
    store.doubt_clock(first, store.newest_serial, ahead_s, clock.monotonic())
    finish(store)


@pytest.mark.parametrize("ahead_s", [2 * HOUR_S, -2 * HOUR_S, 75.0, 40 * 86400.0])
def test_twelve_days_of_a_wrong_clock_are_as_if_it_had_been_right(
    tmp_path: Path, ahead_s: float
) -> None:
    right, _, right_path, _ = weeks(tmp_path, "right", 0.0)
    wrong, clock, path, first = weeks(tmp_path, "wrong", ahead_s)
    right.close()

    doubt(wrong, clock, first, ahead_s)
    wrong.add("roof", warm(-1.0))
    finish(wrong)

    assert dated(path)[:-1] == dated(right_path)
    assert_tiers_are_right(path, clock)
    wrong.close()


def test_most_of_them_lay_in_blocks(tmp_path: Path) -> None:
    store, _, path, _ = weeks(tmp_path, "box", HOUR_S)
    store.close()
    db = sqlite3.connect(path)
    (packed,) = db.execute("SELECT sum(readings) FROM blocks").fetchone()
    db.close()

    assert packed >= 440


def test_those_that_the_right_clock_has_dated_already_keep_their_time(tmp_path: Path) -> None:
    store, clock, path, first = weeks(tmp_path, "box", HOUR_S)
    last, until_s = store.newest_serial, clock.monotonic()
    clock.advance(3.0)
    (late,) = store.add("roof", warm(-1.0))

    store.doubt_clock(first, last, HOUR_S, until_s)

    with StoreReader(path) as reader:
        trusted = {each.serial: each.clock_trusted for each in reader.after(0, 10**6)}
    assert trusted[late.serial] == 1 and trusted[last] == 0 and trusted[first] == 0
    store.close()


def test_those_dated_wrong_after_the_last_look_are_found_by_what_they_say(tmp_path: Path) -> None:
    clock = ManualClock(JUNE + HOUR_S)
    path = str(tmp_path / "box.db")
    store = Store.open(StoreSettings(path=path), BOX, clock)
    (first,) = store.add("roof", warm())
    until_s = clock.monotonic()
    clock.advance(4.0)
    (unseen,) = store.add("roof", warm())
    clock.advance(1.0)
    clock.set_wall(clock.now() - HOUR_S)
    (right,) = store.add("roof", warm())

    store.doubt_clock(first.serial, first.serial, HOUR_S, until_s)

    with StoreReader(path) as reader:
        trusted = [each.clock_trusted for each in reader.after(0, 10)]
    assert trusted == [0, 0, 1]
    assert [at_ms for _, at_ms in dated(path)] == [
        int(JUNE * 1000), int(JUNE * 1000) + 4000, int(JUNE * 1000) + 5000
    ]  # fmt: skip
    assert right.taken_ms == int(JUNE * 1000) + 5000 and unseen.serial < right.serial
    store.close()


def test_it_lasts_when_the_power_is_cut_right_behind_it(tmp_path: Path) -> None:
    store, clock, path, first = weeks(tmp_path, "box", HOUR_S)
    store.doubt_clock(first, store.newest_serial, HOUR_S, clock.monotonic())
    before = dated(path)
    switch_off(store)

    again: Any = Store.open(StoreSettings(path=path), BOX, clock)
    finish(again)

    assert dated(path) == before
    assert_tiers_are_right(path, clock)
    again.close()


def test_means_whose_readings_have_gone_stay(tmp_path: Path) -> None:
    store, clock, path, first = weeks(tmp_path, "box", HOUR_S)
    store.close()
    db = sqlite3.connect(path)
    with db:
        db.execute("DELETE FROM blocks")
    (kept,) = db.execute("SELECT count(*) FROM tiers").fetchone()
    (oldest_ms,) = db.execute("SELECT min(taken_ms) FROM readings").fetchone()
    db.close()
    store = Store.open(StoreSettings(path=path), BOX, clock)

    doubt(store, clock, first, HOUR_S)

    db = sqlite3.connect(path)
    (left,) = db.execute("SELECT count(*) FROM tiers").fetchone()
    db.close()
    # An hour less of them at most, at each of the two ends.
    assert left == pytest.approx(kept, abs=14), oldest_ms
    store.close()
