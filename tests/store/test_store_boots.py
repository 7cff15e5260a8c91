"""Numbers that are never used twice, and right times from a wrong clock."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from storing import fill, serials, switch_off, warm

from kiezbox.clock import ManualClock
from kiezbox.store import StoreReader, upkeep
from kiezbox.store.boots import draw

#: 2026-11-22T12:00:00Z, and the clock of a board that woke without one.
NOW, NEVER_SET = 1_795_348_800.0, 12.0


def lose_everything(settings: Any, *names: str) -> None:
    for name in names:
        for side in ("", "-wal", "-shm"):
            path = settings.path + name + side
            if os.path.exists(path):
                os.remove(path)


def test_a_boot_number_rises_with_each_start(open_store: Any, clock: Any) -> None:
    boots = []
    for _ in range(5):
        store = open_store()
        boots.append(store.boot)
        switch_off(store)

    assert boots == sorted(set(boots))
    # Ten-second steps since 2025-01-01 (1,735,689,600).
    assert boots[0] == (1_780_000_000 - 1_735_689_600) // 10


@pytest.mark.parametrize("lost", [[""], ["", ".journal"]], ids=["database", "database and journal"])
def test_a_lost_database_leads_to_no_id_that_was_used(
    open_store: Any, clock: Any, settings: Any, lost: list[str]
) -> None:
    used: set[int] = set()
    for _ in range(4):
        store = open_store()
        used.update(fill(store, clock, 3))
        store.flush()
        switch_off(store)
        lose_everything(settings, *lost)

    assert len(used) == 12


def test_readings_only_in_the_journal_outlive_the_database(
    open_store: Any, clock: Any, settings: Any
) -> None:
    store = open_store()
    fill(store, clock, 3)
    store.fold()
    added = fill(store, clock, 3)
    store.add("dust", warm(7.0))
    store.flush()
    switch_off(store)
    lose_everything(settings, "")

    store = open_store()

    batch = store.after(0, 10)
    assert serials(batch)[:3] == added
    assert [str(batch.series[reading.series]) for reading in batch] == [
        *["roof/temperature_c"] * 3,
        "dust/temperature_c",
    ]


def test_a_restored_backup_leads_to_no_id_that_was_used_even_in_1970(
    open_store: Any, settings: Any, tmp_path: Path
) -> None:
    clock = ManualClock(NEVER_SET, trusted=False)
    store = open_store(at=clock)
    used = set(fill(store, clock, 3))
    store.flush()
    upkeep.backup(settings.path, str(tmp_path / "backup"))
    used.update(fill(store, clock, 3))
    switch_off(store)
    for _ in range(3):
        store = open_store(at=clock)
        used.update(fill(store, clock, 3))
        store.flush()
        switch_off(store)
    assert len(used) == 15

    lose_everything(settings, "", ".journal")
    shutil.copy(tmp_path / "backup", settings.path)
    store = open_store(at=clock)

    assert used.isdisjoint(fill(store, clock, 100))


def test_a_lost_database_in_1970_draws_by_chance() -> None:
    drawn = {draw(0, NEVER_SET, is_first=True) for _ in range(1000)}

    # 1,000 draws of 50 million meet in 1 of 100 runs; three meetings in less than one of a
    # million.
    assert len(drawn) > 997
    assert min(drawn) >= 2**26


def test_no_number_leaves_the_27_bits_a_serial_has_for_it() -> None:
    year_s = 365.25 * 86400
    for last in (0, 5_990_000, 2**26 + 2**25):
        for now in (NEVER_SET, NOW, NOW + 19 * year_s, NOW + 30 * year_s, 1e12):
            for is_first in (True, False):
                assert last < draw(last, now, is_first=is_first) <= 2**27 - 2**24


def test_a_number_no_box_can_have_reached_is_not_counted_on_from() -> None:
    for now in (NEVER_SET, NOW):
        for known in (2**27 - 1, 2**27, 2**50):
            assert draw(known, now, is_first=False) < 2**27 - 1


def test_a_clock_that_went_back_takes_no_number_back(open_store: Any, clock: Any) -> None:
    store = open_store()
    first = store.boot
    switch_off(store)
    clock.set_wall(NEVER_SET)

    store = open_store()

    assert store.boot == first + 1


def test_a_box_whose_last_clock_was_far_ahead_goes_on_counting(open_store: Any, clock: Any) -> None:
    clock.set_wall(2_400_000_000)  # 2046
    store = open_store()
    ahead = store.boot
    switch_off(store)
    clock.set_wall(NOW)

    assert open_store().boot == ahead + 1


def test_a_time_is_corrected_once_the_clock_is_known(open_store: Any, settings: Any) -> None:
    clock = ManualClock(NEVER_SET, trusted=False)
    store = open_store(at=clock)
    (early,) = store.add("roof", warm())
    clock.advance(300)
    (later,) = store.add("roof", warm())
    clock.advance(60)
    clock.set_wall(NOW)
    clock.trusted = True
    (right,) = store.add("roof", warm())
    store.flush()

    with StoreReader(settings.path) as reader:
        corrected = [
            reader.corrected_ms(r.boot, r.monotonic_ms, r.taken_ms, r.clock_trusted)
            for r in (early, later, right)
        ]

    assert corrected == [int((NOW - after) * 1000) for after in (360, 60, 0)]


def test_a_time_nobody_can_know_stays_as_it_was(open_store: Any, settings: Any) -> None:
    clock = ManualClock(NEVER_SET, trusted=False)
    store = open_store(at=clock)
    (reading,) = store.add("roof", warm())
    store.flush()
    switch_off(store)
    clock.set_wall(NOW)
    clock.trusted = True
    store = open_store(at=clock)  # Another boot: its marks say nothing about the first.
    store.flush()

    with StoreReader(settings.path) as reader:
        assert reader.corrected_ms(
            reading.boot, reading.monotonic_ms, reading.taken_ms, reading.clock_trusted
        ) == int(NEVER_SET * 1000)


def test_the_clock_is_marked_when_it_jumps_and_not_while_it_runs(
    open_store: Any, clock: Any, settings: Any
) -> None:
    store = open_store()

    def marks() -> int:
        store.fold()
        return int(store._card.query("SELECT count(*) FROM clock_marks")[0][0])

    assert marks() == 1
    for _ in range(100):
        clock.advance(60)
        store.mark_clock()
    assert marks() == 1
    clock.set_wall(clock.now() + 2)
    store.mark_clock()
    assert marks() == 2
    clock.advance(60)
    clock.trusted = False
    store.mark_clock()
    store.mark_clock()
    assert marks() == 3


def test_a_transition_says_by_which_clock_it_was_dated(open_store: Any) -> None:
    clock = ManualClock(NEVER_SET, trusted=False)
    store = open_store(at=clock)

    store.put_transition("grid", "present", "lost", "bridging", {})

    (transition,) = store.transitions()
    assert (transition.at, transition.clock_trusted) == (NEVER_SET, 0)
    assert transition.monotonic_ms == clock.monotonic() * 1000
    assert transition.boot == store.boot
