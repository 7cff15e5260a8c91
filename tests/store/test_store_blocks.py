"""Older readings, packed: the same ones in the same order, for all who read, and far smaller."""

from __future__ import annotations

import dataclasses
import os
import random
import sqlite3
import struct
from pathlib import Path
from typing import Any

import pytest
from cards import small_card
from hypothesis import given
from hypothesis import strategies as st
from storing import BOX, fill, half_a_day, serials, switch_off, warm

from kiezbox.model import Cursor, Flag, Measurement, Quantity
from kiezbox.settings import StoreSettings
from kiezbox.store import Store, StoreReader, blocks, tending, upkeep
from kiezbox.store.tending import used_bytes

_MS = st.integers(-(2**40), 2**42)
_ROWS = st.lists(
    st.tuples(
        st.integers(0, 2**24 - 1),
        _MS,
        _MS,
        st.floats(allow_nan=False),
        st.none() | st.floats(allow_nan=False),
        st.integers(0, 2),
        st.text(max_size=60),
        st.integers(0, 1),
    ),
    min_size=1,
    max_size=50,
)


@given(first=st.integers(1, 2**62), gaps=st.lists(st.integers(1, 2**31), max_size=49), rest=_ROWS)
def test_what_comes_out_of_a_block_is_what_went_in(first: int, gaps: list[int], rest: Any) -> None:
    rows = []
    serial = first
    for index, row in enumerate(rest[: len(gaps) + 1]):
        rows.append((serial, *row))
        serial += gaps[index] if index < len(gaps) else 0

    assert blocks.decode(blocks.encode(rows)) == rows


@given(st.binary(max_size=200))
def test_bytes_that_are_no_block_are_none(body: bytes) -> None:
    assert blocks.readable(body) == []


@given(st.integers(0, 10**6), st.integers(1, 255))
def test_a_block_with_a_wrong_byte_is_none(place: int, change: int) -> None:
    rows = [(n, 7, 60_000 * n, 60_000 * n, n / 3, None, 0, "", 1) for n in range(1, 200)]
    body = bytearray(blocks.encode(rows))
    body[place % len(body)] ^= change

    assert blocks.readable(bytes(body)) in ([], rows)


@pytest.fixture
def packed(open_store: Any, clock: Any, monkeypatch: Any) -> tuple[Store, list[Any]]:
    """A store over three starts, nearly all of it packed, and its readings as they were before."""
    monkeypatch.setattr(blocks, "AFTER_S", 3600.0)
    dice = random.Random(11)
    for _ in range(3):
        store = open_store()
        for _ in range(900):
            flag = Flag(dice.choice((0, 0, 0, 1, 2)))
            raw = dice.choice((None, dice.uniform(0, 1)))
            store.add(
                "roof",
                [
                    *warm(dice.uniform(-20, 40)),
                    Measurement(Quantity.PRESSURE_HPA, 1013.25, raw, flag, "ä" * flag),
                ],
            )
            clock.advance(60)
        store.flush()
        switch_off(store)
    with StoreReader(store._card.path) as reader:
        before = list(reader.after(0, 10**6))
    store = open_store()
    finish(store)
    return store, before


def finish(store: Store) -> None:
    store.fold()
    for _ in range(1000):
        if not store.tend():
            return
    raise AssertionError("there is always more to do")


def test_everybody_reads_the_same_as_before_at_every_place(packed: Any) -> None:
    store, before = packed
    reader = StoreReader(store._card.path)
    assert reader.info()["readings_packed"] > 4500
    assert reader.info()["readings"] == len(before) == 5400
    assert reader.info()["oldest_serial"] == before[0].serial
    assert list(reader.after(0, 10**6)) == list(store.after(0, 10**6)) == before
    ids = [reading.serial for reading in before]
    dice = random.Random(12)
    for _ in range(60):
        low, high = sorted(dice.sample(range(len(ids)), 2))
        limit = dice.choice((1, 3, 499, 500, 501, 2000))
        wanted = before[low + 1 : high + 1]
        for who in (store, reader):
            assert list(who.after(ids[low], limit, ids[high])) == wanted[:limit]
            assert who.count_after(ids[low], ids[high]) == len(wanted)
            assert who.count_after(ids[low]) == len(ids) - low - 1
        brief = store.after(ids[low], limit, ids[high], brief=True)
        assert [(r.serial, r.value) for r in brief] == [(r.serial, r.value) for r in wanted[:limit]]


def test_a_publisher_that_was_away_gets_all_of_it(packed: Any) -> None:
    store, before = packed
    got: list[int] = []
    position = 0
    while batch := store.after(position, 333, brief=True):
        got += serials(batch)
        position = got[-1]

    assert got == [reading.serial for reading in before]


def test_what_is_packed_is_salvaged_with_the_rest(packed: Any, open_store: Any) -> None:
    store, before = packed
    path = store._card.path
    store.close()
    with open(path, "r+b") as file:
        file.write(os.urandom(100))

    store = open_store()

    assert store.state == "damaged"
    assert list(store.after(0, 10**6)) == before
    finish(store)
    assert list(store.after(0, 10**6)) == before
    assert StoreReader(path).info()["readings_packed"] > 4500


def test_what_is_brought_in_between_blocks_is_there_once(packed: Any) -> None:
    store, before = packed
    path = store._card.path
    upkeep.backup(path, path + ".whole")
    with sqlite3.connect(path) as db:
        lost = db.execute("SELECT last FROM blocks ORDER BY last").fetchall()[2][0]
        (gone,) = db.execute("SELECT readings FROM blocks WHERE last = ?", (lost,)).fetchone()
        db.execute("DELETE FROM blocks WHERE last = ?", (lost,))
    store._card.counter.forget()

    assert upkeep.mend(path, path + ".whole").readings == gone

    store._card.counter.forget()
    assert list(store.after(0, 10**6)) == before
    assert store.count_after(0) == len(before)
    finish(store)
    assert list(store.after(0, 10**6)) == before
    assert upkeep.mend(path, path + ".whole").readings == 0


def test_a_rotten_block_costs_its_own_readings_and_check_says_so(packed: Any) -> None:
    store, before = packed
    path = store._card.path
    assert [finding.is_ok for finding in upkeep.check(path)] == [True, True]
    with sqlite3.connect(path) as db:
        last, count, body = db.execute(
            "SELECT last, readings, body FROM blocks ORDER BY last LIMIT 1"
        ).fetchone()
        rotten = body[:50] + bytes([body[50] ^ 8]) + body[51:]
        db.execute("UPDATE blocks SET body = ? WHERE last = ?", (rotten, last))

    assert list(store.after(0, 10**6)) == before[count:]
    assert list(store.after(0, 10)) == before[count : count + 10]
    (database, _) = upkeep.check(path)
    assert not database.is_ok and "1 blocks of packed readings" in database.found


def test_readings_too_old_go_block_by_block_but_not_before_their_publisher(
    open_store: Any, clock: Any, settings: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(blocks, "AFTER_S", 3600.0)
    store = open_store(dataclasses.replace(settings, keep_days=1.0))
    store.keep_for(["mqtt"])
    added = fill(store, clock, 3000)
    finish(store)
    clock.advance(5 * 86_400)
    young = half_a_day(store, clock)
    added += young
    finish(store)
    assert serials(store.after(0, 10**6)) == added

    store.set_cursor(Cursor("mqtt", added[1200], added[1200], added[1200]))
    finish(store)
    left = serials(store.after(0, 10**6))

    assert left[-1] == added[-1] and left[0] <= added[1201] and len(left) <= 2240 + len(young)
    newest = added[-1]
    store.set_cursor(Cursor("mqtt", newest, newest, newest))
    finish(store)
    assert serials(store.after(0, 10**6)) == young


def test_the_disk_limit_takes_the_oldest_blocks_first(
    open_store: Any, clock: Any, settings: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(blocks, "AFTER_S", 600.0)
    store = open_store(dataclasses.replace(settings, most_mib=1))
    store.keep_for(["mqtt"])
    dice = random.Random(3)
    for _ in range(40):
        store.add("roof", [warm(dice.uniform(0, 1))[0] for _ in range(5000)])
        clock.advance(1200)
        finish(store)

    assert used_bytes(store._card.query) <= 1.1 * (1 << 20)
    assert 60_000 < len(left := serials(store.after(0, 10**6))) < 200_000
    assert left[-1] == store.newest_serial
    assert [fault.kind for fault in store.faults()] == ["overrun"]


def test_a_card_smaller_than_the_limit_makes_room_for_new_readings_too(
    tmp_path: Path, clock: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(tending, "_LARGE_BYTES", 1 << 20)
    with small_card(tmp_path, 16) as card:
        store = Store.open(StoreSettings(path=str(card.mount / "kiezbox.db")), BOX, clock)
        try:
            store.keep_for(["mqtt"])
            for _ in range(40):
                store.add("roof", warm() * 5000)
                clock.advance(1200)
                finish(store)
                assert store.state == "ok"
            # Others fill it: that costs no more than the room that was kept.
            before = store.count_after(0)
            card.fill(leaving=1 << 20)
            store.add("roof", warm())
            finish(store)
            left = serials(store.after(0, 10**6))
            faults = [fault.kind for fault in store.faults()]
        finally:
            switch_off(store)

    assert left[-1] == store.newest_serial
    assert 10_000 < len(left) <= before + 1 < 190_000
    assert faults == ["overrun"]


def test_a_reading_costs_at_most_25_bytes_with_its_means(
    open_store: Any, clock: Any, settings: Any, monkeypatch: Any
) -> None:
    # Goal of step 4, counted. As bad as it gets: every value a full double of noise.
    monkeypatch.setattr(blocks, "AFTER_S", 60.0)
    store = open_store(settings)
    dice, count = random.Random(4), 0
    names = list(Quantity)[:10]
    for _ in range(4000):
        count += len(store.add("box", [Measurement(name, dice.gauss(20, 5)) for name in names]))
        clock.advance(60)
    finish(store)

    packed = StoreReader(settings.path).info()["readings_packed"]

    assert packed >= count - 600
    assert used_bytes(store._card.query) / count <= 25


def test_the_layout_of_a_block_is_as_written_down() -> None:
    # docs/storage.md: a program that is not ours must be able to read it.
    import zlib

    rows = [
        (70_000_000_001, 9, 1_780_000_000_000, 5000, 20.5, None, 0, "", 1),
        (70_000_000_003, 8, 1_780_000_060_000, 65_000, 21.0, 19.0, 1, "wärmer", 0),
    ]

    data = zlib.decompress(blocks.encode(rows))

    assert struct.unpack("<H6q2I2d2Bd", data[: 2 + 48 + 8 + 16 + 2 + 8]) == (
        2,
        70_000_000_001, 2,
        1_780_000_000_000, 60_000,
        1_779_999_995_000, 0,
        9, 8,
        20.5, 21.0,
        4, 1 | 8 | 16,
        19.0,
    )  # fmt: skip
    assert data[84:] == b"\x07w\xc3\xa4rmer"
