"""A full card, a write-protected one, a dying one: the box goes on, says so, and recovers."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cards import SmallCard, small_card
from storing import fill, serials, switch_off, warm

from kiezbox.clock import ManualClock
from kiezbox.errors import StoreFull
from kiezbox.model import Cursor
from kiezbox.settings import StoreSettings
from kiezbox.store import Store, StoreReader, StoreWriter, card

LIMIT_S = 30


@pytest.fixture
def sd(tmp_path: Path) -> Iterator[SmallCard]:
    with small_card(tmp_path) as made:
        yield made


@pytest.fixture
def settings(sd: SmallCard) -> StoreSettings:
    """Of a store on the small card."""
    return StoreSettings(path=str(sd.mount / "kiezbox.db"), journal_kib=64)


@pytest.fixture
def open_store(settings: StoreSettings, clock: ManualClock, sd: SmallCard) -> Iterator[Any]:
    # As the one of conftest, but let go before the card is taken out.
    opened: list[Store] = []

    def open_one(given: StoreSettings = settings, at: ManualClock = clock) -> Store:
        opened.append(Store.open(given, "kb-musterplatz-1", at))
        return opened[-1]

    yield open_one
    for store in opened:
        switch_off(store)


def kinds(store: Store) -> list[str]:
    return [fault.kind for fault in store.faults() if fault.source == "store"]


# --- full --------------------------------------------------------------------------------------


def test_on_a_full_card_the_journal_takes_readings_and_transitions_and_a_cut_costs_none(
    open_store: Any, clock: Any, sd: SmallCard
) -> None:
    store = open_store()
    added = fill(store, clock, 5)
    store.fold()
    sd.fill()

    added += fill(store, clock, 5)
    store.set_cursor(Cursor("mqtt", added[2]))
    transition = store.put_transition("grid", "present", "gone", "lost", {"source": "pin"})
    store.open_fault("roof", "missing", "nothing answers")
    store.keep("mode", {"name": "emergency"})
    assert store.flush() == added[-1]
    assert store.fold() == 0
    store.flush()

    assert store.state == "full"
    assert kinds(store) == ["full"]
    assert "Free space" in next(f.hint for f in store.faults() if f.kind == "full")
    assert store.buffered == 0
    switch_off(store)

    store = open_store()  # Still full.
    assert store.state == "full"
    assert serials(store.after(0, 100)) == added
    assert store.transitions()[0].id == transition
    assert store.kept("mode") == {"name": "emergency"}
    assert store.cursor("mqtt").backlog == added[2]
    assert "missing" in [fault.kind for fault in store.faults()]
    added += fill(store, clock, 2)
    store.flush()

    sd.clear()
    store.flush()

    assert store.state == "ok"
    assert kinds(store) == []
    switch_off(store)
    store = open_store()
    assert serials(store.after(0, 100)) == added
    (found,) = store.transitions()
    assert (found.id, found.detail, found.carried_out_at) == (transition, {"source": "pin"}, None)


def test_a_full_card_on_which_nothing_was_ever_made_does_not_stop_the_box(
    open_store: Any, clock: Any, sd: SmallCard, settings: Any
) -> None:
    sd.fill()

    store = open_store()
    added = fill(store, clock, 5)
    store.flush()
    number = store.put_transition("mode", "normal", "lost", "emergency", {})
    store.carried_out(number)

    assert store.state == "full"
    assert store.buffered == 5
    assert serials(store.after(0, 10)) == added
    assert store.transitions()[0].carried_out_at is not None

    sd.clear()
    assert store.flush() == added[-1]
    assert (store.state, store.buffered, kinds(store)) == ("ok", 0, [])
    switch_off(store)
    store = open_store()
    assert serials(store.after(0, 10)) == added
    assert store.transitions()[0].carried_out_at is not None


def test_when_card_and_journal_are_full_memory_is_bounded_and_the_oldest_go(
    open_store: Any, clock: Any, sd: SmallCard, settings: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(card, "WAITING_BYTES", 20_000)
    store = open_store()
    sd.fill()
    added: list[int] = []
    for _ in range(60):
        added += fill(store, clock, 100)
        store.flush()
    number = store.put_transition("grid", "present", "gone", "lost", {})

    assert store.state == "full"
    held = sum(len(frame.payload) for frame in store._card.waiting)
    assert held <= 20_000
    left = serials(store.after(0, 10_000))
    lost = len(added) - len(left)
    assert 0 < lost < len(added)
    # What the journal took stays, and so does the newest of memory: the hole is between them.
    assert (
        left
        == added[: left.index(added[-1]) + 1 - _behind(added, left)]
        + left[len(left) - _behind(added, left) :]
    )
    assert "lost" in kinds(store)
    (fault,) = [fault for fault in store.faults() if fault.kind == "lost"]
    assert str(lost) in fault.message

    sd.clear()
    store.flush()
    assert store.state == "ok"
    assert serials(store.after(0, 10_000)) == left
    assert store.transitions()[0].id == number


def _behind(added: list[int], left: list[int]) -> int:
    """How many of the newest were left, counted from the end."""
    count = 0
    while count < len(left) and left[-1 - count] == added[-1 - count]:
        count += 1
    return count


def test_an_order_on_a_full_card_is_refused_with_a_word_of_help(
    open_store: Any, clock: Any, sd: SmallCard, settings: Any
) -> None:
    store = open_store()
    sd.fill()

    with StoreWriter(settings.path) as writer:
        with pytest.raises(StoreFull) as caught:
            for _ in range(100):
                writer.order("exercise", None, {"why": "x" * 3000})

    assert "Free space" in caught.value.hint
    assert store.state == "ok"  # Nothing of the node's own has failed yet.


# --- read-only ---------------------------------------------------------------------------------


def test_a_write_protected_card_is_read_and_what_comes_waits_in_memory(
    open_store: Any, clock: Any, sd: SmallCard, settings: Any
) -> None:
    store = open_store()
    added = fill(store, clock, 5)
    store.set_cursor(Cursor("mqtt", added[1]))
    store.keep("mode", {"name": "normal"})
    store.close()
    sd.protect(True)

    store = open_store()
    assert store.state == "read-only"
    assert kinds(store) == ["read-only", "journal"] or kinds(store) == ["read-only"]
    assert store.cursor("mqtt").backlog == added[1]
    assert store.kept("mode") == {"name": "normal"}
    new = fill(store, clock, 5)
    store.flush()
    store.set_cursor(Cursor("mqtt", new[-1]))
    number = store.put_transition("grid", "present", "gone", "lost", {})
    store.keep("mode", {"name": "emergency"})
    assert serials(store.after(0, 100)) == added + new
    assert store.buffered == 5
    assert store.kept("mode") == {"name": "emergency"}
    assert StoreReader(settings.path).count_after(0) == 5

    sd.protect(False)
    assert store.flush() == new[-1]

    assert (store.state, store.buffered, kinds(store)) == ("ok", 0, [])
    switch_off(store)
    store = open_store()
    assert serials(store.after(0, 100)) == added + new
    assert store.transitions()[0].id == number
    assert store.kept("mode") == {"name": "emergency"}
    # What a stand-in knows of deliveries is not believed: they come twice rather than never.
    assert store.cursor("mqtt").backlog == added[1]


def test_a_write_protected_empty_card_does_not_stop_the_box(
    open_store: Any, clock: Any, sd: SmallCard
) -> None:
    sd.protect(True)

    store = open_store()
    added = fill(store, clock, 3)
    store.flush()
    store.open_fault("roof", "missing", "m")
    assert store.state == "read-only"
    assert serials(store.after(0, 10)) == added

    sd.protect(False)
    store.flush()
    assert store.state == "ok"
    switch_off(store)
    store = open_store()
    assert serials(store.after(0, 10)) == added
    assert [fault.kind for fault in store.faults()] == ["missing"]


def test_ids_drawn_on_a_protected_card_in_1970_are_not_drawn_again(
    open_store: Any, sd: SmallCard
) -> None:
    clock = ManualClock(12.0, trusted=False)
    store = open_store(at=clock)
    fill(store, clock, 1)
    store.close()
    sd.protect(True)
    boots = []
    for _ in range(5):
        store = open_store(at=clock)
        boots.append(store.boot)
        switch_off(store)

    assert len(set(boots)) == 5


def test_a_card_that_breaks_down_under_the_node_leaves_it_measuring(
    open_store: Any, clock: Any, sd: SmallCard
) -> None:
    store = open_store()
    added = fill(store, clock, 5)
    store.flush()
    sd.break_down()

    new = fill(store, clock, 5)
    store.flush()
    number = store.put_transition("grid", "present", "gone", "lost", {})
    store.carried_out(number)

    assert store.state == "read-only"
    assert "read-only" in kinds(store)
    assert serials(store.after(0, 100)) == added + new
    assert store.transitions()[0].carried_out_at is not None
    assert store.buffered == 5

    # A new card driver, a repaired file system: the node is started again and finds what was safe.
    switch_off(store)
    sd.take_out()
    sd.put_in()
    assert serials(open_store().after(0, 100)) == added


def test_a_journal_that_cannot_be_written_hands_over_to_the_database(
    open_store: Any, clock: Any, monkeypatch: Any
) -> None:
    store = open_store()

    def refuse(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", refuse)
        added = fill(store, clock, 3)
        assert store.flush() == added[-1]
        assert (store.state, kinds(store)) == ("ok", ["journal"])
    added += fill(store, clock, 3)
    store.flush()
    assert kinds(store) == []
    switch_off(store)

    assert serials(open_store().after(0, 10)) == added


def test_a_journal_that_somebody_deleted_is_made_anew_and_costs_nothing(
    open_store: Any, clock: Any, settings: Any
) -> None:
    store = open_store()
    added = fill(store, clock, 3)
    store.flush()
    os.remove(settings.path + ".journal")
    added += fill(store, clock, 3)
    store.flush()
    added += fill(store, clock, 3)
    store.flush()
    switch_off(store)

    assert serials(open_store().after(0, 10)) == added


def test_no_reading_is_forgotten_while_a_card_fills_and_empties(
    open_store: Any, clock: Any, sd: SmallCard, settings: Any
) -> None:
    store = open_store(dataclasses.replace(settings, journal_kib=16))
    added: list[int] = []
    for turn in range(6):
        if turn % 2:
            sd.clear()
        else:
            sd.fill()
        for _ in range(15):
            added += [reading.serial for reading in store.add("roof", warm())]
            clock.advance(60)
            store.flush()
            assert store.count_after(0) == len(added)

    assert store.state == "ok"
    switch_off(store)
    assert serials(open_store().after(0, 1000)) == added


#: Stores five readings; then, when told to go on, five more and a transition; then waits.
NODE = """
import sys, sqlite_utils
from kiezbox.clock import ManualClock
from kiezbox.model import Measurement, Quantity
from kiezbox.settings import StoreSettings
from kiezbox.store import Store
store = Store.open(StoreSettings(path=sys.argv[1], journal_kib=64), "kb-1", ManualClock())
for number in range(10):
    if number == 5:
        store.fold()
        print("filled", flush=True)
        sys.stdin.readline()
    store.add("roof", [Measurement(Quantity.TEMPERATURE_C, number)])
store.put_transition("grid", "present", "gone", "lost", {})
store.flush()
print(store.state, store.stored_serial, flush=True)
sys.stdin.readline()
"""


def test_a_node_killed_on_a_full_card_finds_everything_at_its_next_start(
    open_store: Any, sd: SmallCard, settings: Any
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", NODE, settings.path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as node:
        assert node.stdin is not None and node.stdout is not None
        assert node.stdout.readline() == "filled\n"
        sd.fill()
        node.stdin.write("on\n")
        node.stdin.flush()
        state, safe = node.stdout.readline().split()
        node.kill()
        node.wait(LIMIT_S)
    assert state == "full"

    store = open_store()

    assert store.state == "full"
    assert [reading.value for reading in store.after(0, 100)] == [float(n) for n in range(10)]
    assert store.stored_serial == int(safe)
    assert store.transitions()[0].after == "lost"
    added = store.add("roof", warm(10.0))
    assert store.flush() == added[0].serial
    sd.clear()
    store.flush()
    assert store.state == "ok"
    assert len(store.after(0, 100)) == 11
