"""Faults said once, transitions that survive, documents that are kept."""

from __future__ import annotations

from typing import Any

import pytest
from storing import fill, switch_off

from kiezbox.store import StoreReader


def test_a_fault_is_said_once_and_its_repeats_are_counted(
    open_store: Any, clock: Any, settings: Any
) -> None:
    store = open_store()

    assert store.open_fault("roof", "missing", "nothing answers at 0x76", "Look at the cable.")
    for _ in range(3):
        assert not store.open_fault("roof", "missing", "nothing answers at 0x76")

    (fault,) = store.faults()
    assert (fault.source, fault.kind, fault.times) == ("roof", "missing", 4)
    assert (fault.message, fault.hint) == ("nothing answers at 0x76", "Look at the cable.")
    assert (fault.opened_at, fault.closed_at) == (clock.now(), None)
    assert StoreReader(settings.path).faults() == [fault._replace(times=1)]


def test_a_closed_fault_is_history_with_its_count(
    open_store: Any, clock: Any, settings: Any
) -> None:
    store = open_store()
    store.open_fault("roof", "missing", "m")
    store.open_fault("roof", "missing", "m")
    store.open_fault("roof", "garbled", "g")
    store.open_fault("dust", "timeout", "t")
    clock.advance(60)

    assert store.close_fault("roof")
    assert not store.close_fault("roof")
    assert not store.close_fault("dust", "missing")

    assert [fault.source for fault in store.faults()] == ["dust"]
    with StoreReader(settings.path) as reader:
        history = reader.faults(only_open=False)
    assert history == store.faults(only_open=False)
    assert [(fault.kind, fault.times) for fault in history] == [
        ("missing", 2),
        ("garbled", 1),
        ("timeout", 1),
    ]
    assert history[0].closed_at == clock.now()


def test_an_open_fault_is_still_open_after_the_power_went_and_can_be_closed(
    open_store: Any, clock: Any
) -> None:
    store = open_store()
    store.open_fault("roof", "missing", "m")
    switch_off(store)

    store = open_store()

    assert [fault.kind for fault in store.faults()] == ["missing"]
    assert not store.open_fault("roof", "missing", "m")
    assert store.close_fault("roof", "missing")
    switch_off(store)
    assert open_store().faults() == []


def test_a_transition_is_durable_before_it_is_carried_out(open_store: Any, clock: Any) -> None:
    store = open_store()
    first = store.put_transition("mode", "normal", "grid_lost", "emergency", {"cause": "Netz"})
    store.carried_out(first)
    clock.advance(5)
    second = store.put_transition("grid", "bridging", "time", "lost", {"votes": ["pin"]})
    switch_off(store)

    store = open_store()

    newest, before = store.transitions()
    assert (newest.id, newest.machine, newest.carried_out_at) == (second, "grid", None)
    assert newest.detail == {"votes": ["pin"]}
    assert (before.id, before.before, before.event, before.after) == (
        first,
        "normal",
        "grid_lost",
        "emergency",
    )
    assert before.carried_out_at is not None
    store.carried_out(second)
    assert store.transitions("grid")[0].carried_out_at == clock.now()
    assert [transition.id for transition in store.transitions("mode")] == [first]
    assert len(store.transitions(limit=1)) == 1


def test_numbers_of_transitions_rise_over_all_starts(open_store: Any) -> None:
    numbers = []
    for _ in range(3):
        store = open_store()
        numbers.append(store.put_transition("grid", "a", "b", "c", {}))
        store.open_fault("roof", "missing", "m")
        store.keep("mode", {})
        numbers.append(store.put_transition("grid", "c", "b", "a", {}))
        switch_off(store)

    assert numbers == sorted(set(numbers))


def test_a_document_kept_at_once_survives_a_cut_right_after(open_store: Any) -> None:
    store = open_store()
    assert store.kept("mode") is None
    store.keep("mode", {"name": "emergency", "since": 1780000000.5, "grund": "Stromausfall ⚡"})
    switch_off(store)

    store = open_store()

    assert store.kept("mode") == {
        "name": "emergency",
        "since": 1780000000.5,
        "grund": "Stromausfall ⚡",
    }


def test_a_document_kept_lazily_rides_on_the_next_flush(
    open_store: Any, clock: Any, settings: Any
) -> None:
    store = open_store()
    store.keep_lazily("battery", {"ah": 1})
    store.keep_lazily("battery", {"ah": 2})
    assert store.kept("battery") == {"ah": 2}
    assert StoreReader(settings.path).kept("battery") is None

    fill(store, clock, 1)
    store.flush()
    store.keep_lazily("battery", {"ah": 3})
    switch_off(store)

    assert open_store().kept("battery") == {"ah": 2}


@pytest.mark.parametrize("folds", [False, True])
def test_a_newer_document_is_not_undone_by_an_older_lazy_one(
    open_store: Any, settings: Any, folds: bool
) -> None:
    store = open_store()
    store.keep_lazily("mode", {"n": 1})
    store.flush()
    store.keep("mode", {"n": 2})
    if folds:
        store.fold()

    assert StoreReader(settings.path).kept("mode") == {"n": 2}
    switch_off(store)
    store = open_store()
    assert store.kept("mode") == {"n": 2}
    switch_off(store)
    assert open_store().kept("mode") == {"n": 2}


def test_nothing_new_is_nothing_written(open_store: Any, clock: Any) -> None:
    from kiezbox.model import Cursor

    store = open_store()
    fill(store, clock, 1)
    store.set_cursor(Cursor("mqtt", 5))
    store.flush()
    used = store._card._journal.used

    for _ in range(10):
        store.set_cursor(Cursor("mqtt", 5))
        store.flush()

    assert store._card._journal.used == used
