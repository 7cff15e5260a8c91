"""How a carrier of the latest values is worked: at its own pace, with no backlog."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from publishers.rig import Rig

from kiezbox.errors import Refused, Rejected, Unreachable
from kiezbox.model import Batch, Cursor, Measurement, Quantity
from kiezbox.node import carrier as carrying
from kiezbox.node.carrier import IDLE_S, Carrier


class Told:
    """A carrier of the latest values that writes down what it is handed."""

    window = 1
    pace_s = 900.0

    def __init__(self, rig: Rig) -> None:
        self._clock = rig.clock
        self._due = 0.0
        self.sent = 0
        self.handed: list[Batch] = []
        self.problem: Exception | None = None

    def due_in_s(self) -> float:
        return self._due - self._clock.monotonic()

    def publish(self, batch: Batch) -> None:
        if self.problem is not None:
            raise self.problem
        self.handed.append(batch)
        self.sent += 2
        self._due = self._clock.monotonic() + self.pace_s

    def announce(self, kind: str, document: Mapping[str, Any]) -> None: ...

    def link(self) -> str:
        return "waiting" if self.problem else "connected"

    def close(self) -> None: ...


@pytest.fixture
def told(rig: Rig) -> Told:
    return Told(rig)


def worker(rig: Rig, told: Told) -> tuple[Carrier, Any]:
    store = rig.store()
    return rig.carrier(store, told, "radio"), store


def test_it_is_handed_all_that_came_since_the_last_time_when_it_is_due(
    rig: Rig, told: Told
) -> None:
    carrier, store = worker(rig, told)
    rig.measure(store)
    carrier.step()
    rig.measure(store, rounds=10)
    carrier.step()
    assert [len(batch) for batch in told.handed] == [2]

    rig.clock.advance(900)
    carrier.step()

    assert [len(batch) for batch in told.handed] == [2, 20]
    assert (carrier.delivered, carrier.confirmed_at) == (4, rig.clock.now())


def test_it_sleeps_until_it_is_due_and_never_longer_than_others(rig: Rig, told: Told) -> None:
    carrier, store = worker(rig, told)
    rig.measure(store)

    assert carrier.step() == IDLE_S
    rig.clock.advance(897)
    assert carrier.step() == pytest.approx(3)


def test_nothing_waits_for_it_while_it_is_not_due(rig: Rig, told: Told) -> None:
    carrier, store = worker(rig, told)
    rig.measure(store, rounds=3)
    before = carrier.backlog()
    carrier.step()
    rig.measure(store, rounds=3)

    assert (before, carrier.backlog()) == (6, 0)
    rig.clock.advance(900)
    assert carrier.backlog() == 6


def test_what_the_box_kept_for_others_is_never_delivered_to_it(
    rig: Rig, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carrying, "LATEST_OF", 10)
    carrier, store = worker(rig, told)
    rig.measure(store, rounds=50)

    carrier.step()

    assert [len(batch) for batch in told.handed] == [10]
    assert told.handed[0].readings[-1][0] == store.newest_serial
    assert store.cursor("radio").live == store.newest_serial


def test_what_it_wants_again_it_is_handed_once_and_asked_whether_it_may_still_leave(
    rig: Rig, told: Told
) -> None:
    store = rig.store()
    wants = [False, False, True, False]
    told.wants_again = lambda: wants.pop(0)  # type: ignore[attr-defined]
    may: list[int] = []
    carrier = Carrier(
        store, told, "radio", rig.clock, lambda batch: may.append(len(batch)) or batch
    )
    rig.measure(store, rounds=3)
    carrier.step()
    carrier.step()
    assert [len(batch) for batch in told.handed] == [6]
    rig.clock.advance(900)
    carrier.step()
    assert [len(batch) for batch in told.handed] == [6]

    carrier.step()
    carrier.step()

    assert [len(batch) for batch in told.handed] == [6, 6] and may == [6, 6]
    assert store.cursor("radio").live == store.newest_serial


def test_by_hand_it_is_handed_again_what_is_true_now_and_no_rain_a_second_time(
    rig: Rig, told: Told
) -> None:
    store = rig.store()
    carrier = rig.carrier(store, told, "radio")
    store.add(
        "roof", [Measurement(Quantity.TEMPERATURE_C, 21.5), Measurement(Quantity.RAIN_MM, 0.5)]
    )
    carrier.step()
    rig.clock.advance(900)
    store.add("roof", [Measurement(Quantity.RAIN_MM, 0.25)])

    carrier.hand_over_again()
    carrier.step()
    rig.clock.advance(900)
    carrier.step()

    (first, second) = [
        [(batch.series[row[1]].quantity, row[4]) for row in batch.readings] for batch in told.handed
    ]
    assert first == [("temperature_c", 21.5), ("rain_mm", 0.5)]
    assert second == [("temperature_c", 21.5), ("rain_mm", 0.25)]


def test_while_it_cannot_be_reached_its_cursor_does_not_hold_back_the_deleting_of_old_readings(
    rig: Rig, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carrying, "LATEST_OF", 10)
    carrier, store = worker(rig, told)
    told.problem = Unreachable("no gateway")
    rig.measure(store, rounds=50)

    carrier.step()

    serial = store.newest_serial - 10
    assert store.cursor("radio") == Cursor("radio", serial, serial, serial)
    assert carrier.problem is told.problem and carrier.backlog() == 10


def test_values_that_are_rejected_are_a_fault_until_others_are_taken_and_come_no_more(
    rig: Rig, told: Told
) -> None:
    carrier, store = worker(rig, told)
    rig.measure(store)
    told.problem = Rejected("too long", hint="Fewer sensors.")
    carrier.step()
    assert [(f.kind, f.message, f.hint) for f in store.faults()] == [
        ("rejected", "too long", "Fewer sensors.")
    ]

    told.problem = None
    carrier.step()
    assert told.handed == [] and carrier.delivered == 0
    rig.measure(store, rounds=2)
    carrier.step()

    assert [len(batch) for batch in told.handed] == [4]
    assert store.faults() == []


def test_a_carrier_that_rejects_each_round_has_one_fault_all_the_time(rig: Rig, told: Told) -> None:
    carrier, store = worker(rig, told)
    for _ in range(5):
        rig.measure(store)
        told.problem = Rejected("no such sensor there")
        carrier.step()
        told.problem = None
        carrier.step()
        assert [fault.kind for fault in store.faults()] == ["rejected"]

    assert len(store.faults(only_open=False)) == 1


def test_a_no_that_needs_a_person_is_a_fault_at_once(rig: Rig, told: Told) -> None:
    carrier, store = worker(rig, told)
    rig.measure(store)
    told.problem = Refused("no keys", hint="Register it.")

    carrier.step()

    assert [(fault.kind, fault.hint) for fault in store.faults()] == [("refused", "Register it.")]
    assert carrier.link() == "refused"


def test_what_may_not_leave_the_box_is_taken_out_at_the_moment_of_sending(
    rig: Rig, told: Told
) -> None:
    store = rig.store()
    seen: list[int] = []

    def passes(batch: Batch) -> Batch:
        seen.append(len(batch))
        return Batch(batch.box, batch.series, [])

    carrier = Carrier(store, told, "radio", rig.clock, passes)
    rig.measure(store)

    carrier.step()

    assert seen == [2] and told.handed == []
    assert carrier.backlog() == 0
