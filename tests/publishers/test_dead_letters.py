"""What the other side rejects is put aside, seen by people, and tried again when they say so."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest
from publishers.rig import Rig, deliver
from publishers.test_carrying import Picky

from kiezbox.errors import Unreachable
from kiezbox.senml import id_text
from kiezbox.store import Store, StoreWriter, ledger


@pytest.fixture
def picky(rig: Rig) -> Picky:
    """A publisher that has rejected two of twenty readings."""
    store = rig.store()
    rig.measure(store, rounds=10)
    ids = rig.ids(store)
    publisher = Picky({ids[2], ids[11]})
    deliver(rig.carrier(store, publisher))
    return publisher


def letters(store: Store) -> list[tuple[str, str]]:
    return [(id_text(each.serial), each.why) for each in store.dead_letters("mqtt")]


def test_a_rejected_reading_is_a_dead_letter_with_its_reason(rig: Rig) -> None:
    store = rig.store()
    rig.measure(store, rounds=10)
    ids = rig.ids(store)

    deliver(rig.carrier(store, Picky({ids[2], ids[11]})))

    assert letters(store) == [(ids[2], "not in our taste"), (ids[11], "not in our taste")]


def test_a_dead_letter_is_on_the_card_before_the_cursor_passes_it(
    rig: Rig, monkeypatch: Any
) -> None:
    store = rig.store()
    rejected = rig.measure(store, rounds=10)[2].serial
    seen: list[Any] = []
    real = store.set_cursor

    def watched(cursor: Any) -> None:
        db = sqlite3.connect(store._card.path)
        count = db.execute("SELECT count(*) FROM dead_letters").fetchone()[0]
        db.close()
        seen.append((cursor.backlog, count))
        real(cursor)

    monkeypatch.setattr(store, "set_cursor", watched)

    deliver(rig.carrier(store, Picky({id_text(rejected)})))

    assert {count for reached, count in seen if reached >= rejected} == {1}
    assert {count for reached, count in seen if reached < rejected} == {0}


def test_asked_to_the_carrier_sends_them_again_beside_the_running_node(rig: Rig) -> None:
    store = rig.store()
    rig.measure(store, rounds=10)
    ids = rig.ids(store)
    publisher = Picky({ids[2], ids[11]})
    carrier = rig.carrier(store, publisher)
    deliver(carrier)
    with StoreWriter(store._card.path) as writer:
        assert writer.decide_dead_letters("mqtt", is_retried=True) == 2

    publisher.disliked.discard(ids[2])
    rig.clock.advance(11)
    carrier.step()

    assert publisher.got[-1] == ids[2]
    # The other one was rejected again, and waits for the next decision.
    assert [(each[0], each[1]) for each in letters(store)] == [(ids[11], "not in our taste")]
    assert store.dead_letters("mqtt", only_retried=True) == []
    before = list(publisher.got)
    rig.clock.advance(11)
    carrier.step()
    assert publisher.got == before


def test_without_a_link_they_wait_for_it(rig: Rig, monkeypatch: Any) -> None:
    store = rig.store()
    rig.measure(store, rounds=10)
    ids = rig.ids(store)
    publisher = Picky({ids[2]})
    carrier = rig.carrier(store, publisher)
    deliver(carrier)
    with StoreWriter(store._card.path) as writer:
        writer.decide_dead_letters("mqtt", is_retried=True)
    publisher.disliked.clear()
    good = publisher.publish

    def gone(batch: Any) -> None:
        raise Unreachable("no link")

    monkeypatch.setattr(publisher, "publish", gone)
    rig.clock.advance(11)
    carrier.step()
    assert len(letters(store)) == 1
    monkeypatch.setattr(publisher, "publish", good)
    rig.clock.advance(11)
    carrier.step()

    assert publisher.got[-1] == ids[2]
    assert letters(store) == []


def test_of_very_many_the_oldest_go(rig: Rig, monkeypatch: Any) -> None:
    monkeypatch.setattr(ledger, "DEAD_LETTERS_MOST", 3)
    store = rig.store()

    for serial in range(1, 8):
        store.put_dead_letter("mqtt", serial, "no")
        store.put_dead_letter("file", 1, "no")

    assert [each.serial for each in store.dead_letters("mqtt")] == [5, 6, 7]
    assert [each.serial for each in store.dead_letters("file")] == [1]
