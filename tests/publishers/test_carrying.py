"""Readings on their way from the store to a real broker, and what comes out behind it."""

from __future__ import annotations

import random
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from broker import Listener, records_of, wait_for
from publishers.rig import BOX, Rig, deliver

from kiezbox.errors import Refused, Rejected, StoreDamaged
from kiezbox.model import Batch, Cursor, Flag, Measurement, Quantity
from kiezbox.publishers.mqtt import IN_FLIGHT
from kiezbox.senml import id_text

pytestmark = pytest.mark.broker


def arrived(listener: Listener, count: int) -> list[str]:
    """The ids in the order in which they came, once there are so many different ones."""

    def enough() -> list[str] | None:
        ids = [str(record["id"]) for record in records_of(listener.on("readings"))]
        return ids if len(set(ids)) >= count else None

    ids: list[str] = wait_for(enough, f"{count} readings at the receiver")
    return ids


def counters(ids: list[str]) -> list[tuple[int, int]]:
    """Ids as numbers, so that their order can be compared."""
    return [(int(boot), int(counter)) for boot, _, counter in (id_.partition("-") for id_ in ids)]


def in_background(step: Callable[[], float]) -> threading.Thread:
    thread = threading.Thread(target=step, daemon=True)
    thread.start()
    return thread


# --- what arrives ------------------------------------------------------------------------------


def test_what_was_measured_arrives_with_name_unit_time_value_and_id(rig: Rig) -> None:
    broker, store = rig.broker(), rig.store()
    listener = rig.listener(broker.port)
    carrier = rig.carrier(store, rig.mqtt(broker.port))
    warm, heavy = rig.measure(store)

    deliver(carrier)

    (message,) = wait_for(lambda: listener.on("readings"), "the message")
    assert message.topic == f"kiezbox/1/{BOX}/readings"
    assert message.content_type == "application/senml+json"
    assert not message.is_retained
    assert [
        (record["n"], record["u"], record["v"], round(record["t"], 3), record["id"])
        for record in records_of([message])
    ] == [
        (f"{BOX}/roof/temperature_c", "Cel", 20.0, warm.taken_at, id_text(warm.serial)),
        (f"{BOX}/roof/pressure_hpa", "hPa", 1000.0, heavy.taken_at, id_text(heavy.serial)),
    ]


def test_a_flagged_reading_reaches_nobody_who_asks_for_good_ones(rig: Rig) -> None:
    broker, store = rig.broker(), rig.store()
    listener = rig.listener(broker.port)
    carrier = rig.carrier(store, rig.mqtt(broker.port))
    store.add(
        "dht",
        [Measurement(Quantity.HUMIDITY_PERCENT, 99.9, None, Flag.BAD, "stuck at 99.9 %")],
    )

    deliver(carrier)

    (record,) = records_of(wait_for(lambda: listener.on("readings"), "the message"))
    assert record["n"] == f"{BOX}/dht/humidity_percent:bad"
    assert record["reason"] == "stuck at 99.9 %"


def test_flags_and_corrections_in_the_middle_of_a_backlog_arrive_with_it(rig: Rig) -> None:
    broker, store = rig.broker(), rig.store()
    listener = rig.listener(broker.port)
    # Each far enough from the others for a window of its own.
    rig.measure(store, rounds=10)
    store.add("dht", [Measurement(Quantity.HUMIDITY_PERCENT, 54.5, 57.25)])
    rig.measure(store, rounds=15)
    store.add("dht", [Measurement(Quantity.HUMIDITY_PERCENT, 1.0, None, Flag.SUSPECT, "jump")])
    rig.measure(store, rounds=15)
    rig.clock.trusted = False
    rig.measure(store, rounds=20)
    store.fold()

    deliver(rig.carrier(store, rig.mqtt(broker.port, batch=2)))

    ids = arrived(listener, 122)
    assert Counter(ids) == dict.fromkeys(rig.ids(store), 1)
    records = list(records_of(listener.on("readings")))
    dht = [(r["n"], r["v"], r.get("raw")) for r in records if "/dht/" in r["n"]]
    assert dht == [
        (f"{BOX}/dht/humidity_percent", 54.5, 57.25),
        (f"{BOX}/dht/humidity_percent:suspect", 1.0, None),
    ]
    assert sum(record.get("clock") == "untrusted" for record in records) == 40


def test_progress_facts_count_what_the_broker_has_confirmed(rig: Rig) -> None:
    broker, store = rig.broker(), rig.store()
    carrier = rig.carrier(store, rig.mqtt(broker.port))
    rig.measure(store, rounds=5)
    before = (carrier.backlog(), carrier.delivered, carrier.confirmed_at)

    deliver(carrier)

    assert before == (10, 0, None)
    assert (carrier.backlog(), carrier.delivered) == (0, 10)
    assert carrier.confirmed_at == rig.clock.now()


def test_a_receiver_can_correct_what_an_unset_clock_had_stamped(rig: Rig) -> None:
    broker, store = rig.broker(), rig.store()
    listener = rig.listener(broker.port)
    carrier = rig.carrier(store, rig.mqtt(broker.port))
    true_time = rig.clock.now()
    rig.clock.trusted = False
    rig.clock.set_wall(true_time - 86_400)
    rig.measure(store)  # a minute later, by a clock that is a day behind
    deliver(carrier)

    rig.clock.set_wall(true_time + 60)
    rig.clock.advance(30)
    rig.clock.trusted = True
    carrier.step()

    mark = wait_for(lambda: listener.on("clock"), "the box's word about its clock")[-1].json()
    record = next(iter(records_of(listener.on("readings"))))
    assert record["t"] == pytest.approx(true_time - 86_400 + 60)
    assert record["clock"] == "untrusted"
    assert record["id"].split("-")[0] == str(mark["boot"])
    assert mark["at"] + record["up"] - mark["up"] == pytest.approx(true_time + 60)


def test_a_store_that_cannot_be_read_just_now_is_asked_again_later(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker, store = rig.broker(), rig.store()
    carrier = rig.carrier(store, rig.mqtt(broker.port))
    rig.measure(store)

    def unreadable(*_: Any, **__: Any) -> Batch:
        raise StoreDamaged("disk I/O error")

    with monkeypatch.context() as patch:
        patch.setattr(store, "after", unreadable)
        pause_s = carrier.step()

    assert pause_s > 0
    deliver(carrier)
    assert carrier.delivered == 2


def test_the_backlog_shrinks_by_what_was_confirmed_and_grows_by_what_is_measured(rig: Rig) -> None:
    broker, store = rig.broker(), rig.store()
    publisher = rig.mqtt(broker.port, batch=5)
    rig.measure(store, rounds=50)
    carrier = rig.carrier(store, publisher)
    seen = [carrier.backlog()]

    carrier.step()
    seen.append(carrier.backlog())
    rig.measure(store, rounds=3)
    seen.append(carrier.backlog())
    carrier.step()
    seen.append(carrier.backlog())

    # A window of 20, then six live readings and another window.
    assert seen == [100, 80, 86, 60]
    assert seen[-1] == rig.carrier(store, publisher).backlog()


def test_a_backlog_that_grew_too_old_and_was_deleted_is_no_backlog(rig: Rig) -> None:
    broker, store = rig.broker(), rig.store()
    rig.measure(store, rounds=5)
    carrier = rig.carrier(store, rig.mqtt(broker.port))
    store.fold()
    with sqlite3.connect(rig.folder / "kiezbox.db") as database:
        database.execute("DELETE FROM readings")
    database.close()

    carrier.step()
    carrier.step()

    assert (carrier.backlog(), carrier.delivered) == (0, 0)
    rig.measure(store)
    deliver(carrier)
    assert carrier.delivered == 2


# --- restarts of the box -----------------------------------------------------------------------


def test_after_a_restart_delivery_goes_on_where_it_was(rig: Rig) -> None:
    broker, store = rig.broker(), rig.store()
    listener = rig.listener(broker.port)
    publisher = rig.mqtt(broker.port)
    rig.measure(store, rounds=3)
    deliver(rig.carrier(store, publisher))
    store.close()

    again = rig.store()
    rig.measure(again, rounds=2)
    deliver(rig.carrier(again, publisher))

    assert Counter(arrived(listener, 10)) == dict.fromkeys(rig.ids(again), 1)


def test_progress_forgotten_by_a_power_cut_means_the_same_ids_once_more(rig: Rig) -> None:
    broker, store = rig.broker(), rig.store()
    listener = rig.listener(broker.port)
    publisher = rig.mqtt(broker.port)
    rig.measure(store, rounds=3)
    deliver(rig.carrier(store, publisher))

    store.set_cursor(Cursor("mqtt"))
    deliver(rig.carrier(store, publisher))

    ids = wait_for(lambda: len(i := arrived(listener, 6)) == 12 and i, "both deliveries")
    assert Counter(ids) == dict.fromkeys(rig.ids(store), 2)


def test_readings_that_are_not_on_the_card_yet_are_delivered_as_well(rig: Rig) -> None:
    broker, store = rig.broker(), rig.store()
    listener = rig.listener(broker.port)
    carrier = rig.carrier(store, rig.mqtt(broker.port))
    rig.measure(store)
    assert store.buffered == 2

    deliver(carrier)

    assert arrived(listener, 2) == rig.ids(store)


# --- a week without uplink ---------------------------------------------------------------------


def test_after_a_week_without_uplink_live_readings_overtake_and_nothing_is_lost(rig: Rig) -> None:
    broker, store = rig.broker(), rig.store()
    listener = rig.listener(broker.port)
    publisher = rig.mqtt(broker.port)
    week = 35_000  # minutes, two readings each
    rig.measure(store, rounds=week)
    carrier = rig.carrier(store, publisher)

    carrier.step()
    live = [id_text(reading.serial) for reading in rig.measure(store)]
    deliver(carrier)

    ids = arrived(listener, 2 * week + 2)
    window = IN_FLIGHT * 1000
    # One window was under way before they were measured; nothing else came before them.
    assert {ids.index(one) for one in live} == {window, window + 1}
    assert Counter(ids) == dict.fromkeys(rig.ids(store), 1)
    backlog = [message for message in listener.on("readings") if len(message.payload) > 1000]
    firsts = counters([str(next(iter(records_of([message])))["id"]) for message in backlog])
    assert firsts == sorted(firsts)


def test_lanes_become_one_when_the_backlog_is_delivered(rig: Rig) -> None:
    broker, store = rig.broker(), rig.store()
    carrier = rig.carrier(store, rig.mqtt(broker.port, batch=5))
    rig.measure(store, rounds=50)
    carrier.step()
    split = store.cursor("mqtt")

    deliver(carrier)

    merged = store.cursor("mqtt")
    assert split.backlog < split.live_from == split.live
    assert merged.backlog == merged.live_from == merged.live == store.newest_serial


def test_a_restart_between_the_lanes_loses_and_repeats_nothing(rig: Rig) -> None:
    broker, store = rig.broker(), rig.store()
    listener = rig.listener(broker.port)
    publisher = rig.mqtt(broker.port, batch=5)
    rig.measure(store, rounds=50)
    carrier = rig.carrier(store, publisher)
    carrier.step()
    rig.measure(store, rounds=1)
    carrier.step()
    store.close()

    again = rig.store()
    deliver(rig.carrier(again, publisher))

    assert Counter(arrived(listener, 102)) == dict.fromkeys(rig.ids(again), 1)


# --- broken links ------------------------------------------------------------------------------


@pytest.mark.parametrize("rounds", [20, pytest.param(100, marks=pytest.mark.long)])
def test_a_broker_restarted_again_and_again_passes_every_reading_on(rig: Rig, rounds: int) -> None:
    # A broker that remembers, and a receiver that it remembers: what is missing there is ours.
    broker = rig.broker(
        "allow_anonymous true\npersistence true\nautosave_interval 0\nmax_queued_messages 0\n"
        f"persistence_location {rig.folder}/\n"
    )
    store, listener = rig.store(), rig.listener(broker.port, durable=True)
    carrier = rig.carrier(store, rig.mqtt(broker.port, batch=10))
    rig.measure(store, rounds=1000)

    for _ in range(rounds):
        more = carrier.delivered + 1
        deliver(carrier, lambda more=more: carrier.delivered >= more)
        broker.stop()
        broker.start()
        rig.measure(store, rounds=1)
    deliver(carrier)

    assert set(arrived(listener, 2 * (1000 + rounds))) == set(rig.ids(store))


def test_a_broker_killed_a_hundred_times_has_acknowledged_every_reading_in_the_end(
    rig: Rig,
) -> None:
    broker, store = rig.broker(), rig.store()
    carrier = rig.carrier(store, rig.mqtt(broker.port, batch=10))
    rig.measure(store, rounds=500)

    for _ in range(100):
        step = in_background(carrier.step)
        broker.kill()
        step.join(15)
        broker.start()
        rig.measure(store, rounds=5)
        more = carrier.delivered + 1
        deliver(carrier, lambda more=more: carrier.delivered >= more)
    deliver(carrier)

    assert carrier.delivered == 2 * (500 + 100 * 5)
    assert store.cursor("mqtt").live == store.newest_serial


def test_a_broker_killed_in_mid_batch_gets_the_rest_when_it_is_back(rig: Rig) -> None:
    broker, store = rig.broker(), rig.store()
    wire = rig.wire(broker.port)
    carrier = rig.carrier(store, rig.mqtt(wire.port, batch=50))
    rig.measure(store, rounds=500)
    wire.mode = "mute"
    step = in_background(carrier.step)
    wait_for(lambda: wire.passed > 2000, "the batch is under way")

    broker.kill()
    step.join(15)
    assert carrier.delivered == 0
    wire.mode = "pass"
    broker.start()
    listener = rig.listener(broker.port)
    deliver(carrier)

    assert set(arrived(listener, 1000)) == set(rig.ids(store))


@pytest.mark.parametrize("cuts", [100, pytest.param(1000, marks=pytest.mark.long)])
def test_a_link_cut_at_random_bytes_loses_nothing_and_repeats_little(rig: Rig, cuts: int) -> None:
    broker, store = rig.broker(), rig.store()
    listener = rig.listener(broker.port)
    wire = rig.wire(broker.port)
    dice = random.Random(7)
    wire.cut_after = lambda: dice.randrange(20, 6000) if wire.connections <= cuts else None
    publisher = rig.mqtt(wire.port, up=False, batch=20)
    carrier = rig.carrier(store, publisher)
    total = 0

    while wire.connections <= cuts:
        rig.measure(store, rounds=40)
        total += 80
        deliver(carrier, lambda: carrier.backlog() == 0 or wire.connections > cuts)
    deliver(carrier)

    ids = arrived(listener, total)
    assert set(ids) == set(rig.ids(store))
    assert len(ids) - total <= cuts * IN_FLIGHT * 20


def test_a_broker_that_pauses_for_a_moment_gets_nothing_twice(rig: Rig) -> None:
    broker, store = rig.broker(), rig.store()
    listener = rig.listener(broker.port)
    carrier = rig.carrier(store, rig.mqtt(broker.port, keepalive_s=10))
    rig.measure(store, rounds=10)

    broker.pause()
    step = in_background(carrier.step)
    step.join(0.2)
    broker.go_on()
    step.join(15)

    assert Counter(arrived(listener, 20)) == dict.fromkeys(rig.ids(store), 1)


def test_a_broker_that_says_nothing_for_too_long_is_given_up_and_tried_again(rig: Rig) -> None:
    broker, store = rig.broker(), rig.store()
    listener = rig.listener(broker.port)
    publisher = rig.mqtt(broker.port, keepalive_s=1)
    carrier = rig.carrier(store, publisher)
    rig.measure(store, rounds=10)

    broker.pause()
    carrier.step()
    assert "acknowledged nothing for 1 s" in str(carrier.problem)
    broker.go_on()
    deliver(carrier)

    assert set(arrived(listener, 20)) == set(rig.ids(store))


def test_a_link_that_swallows_everything_is_noticed_and_made_anew(rig: Rig) -> None:
    broker, store = rig.broker(), rig.store()
    wire = rig.wire(broker.port)
    listener = rig.listener(broker.port)
    carrier = rig.carrier(store, rig.mqtt(wire.port, keepalive_s=1))
    rig.measure(store)

    wire.mode = "swallow"
    carrier.step()
    assert carrier.delivered == 0
    wire.mode = "pass"
    deliver(carrier)

    assert arrived(listener, 2) == rig.ids(store)
    assert wire.connections >= 2


def test_lost_acknowledgements_mean_the_same_ids_again_and_one_window_at_most(rig: Rig) -> None:
    broker, store = rig.broker(), rig.store()
    wire = rig.wire(broker.port)
    listener = rig.listener(broker.port)
    publisher = rig.mqtt(wire.port, keepalive_s=1, batch=5)
    carrier = rig.carrier(store, publisher)
    rig.measure(store, rounds=50)
    window = publisher.window

    wire.mode = "mute"
    carrier.step()
    wire.mode = "pass"
    deliver(carrier)

    counts = Counter(arrived(listener, 100))
    assert set(counts) == set(rig.ids(store))
    assert sum(counts.values()) - 100 <= window


# --- a broker that says no ---------------------------------------------------------------------


def test_a_broker_that_forbids_the_topic_keeps_the_readings_with_us(rig: Rig) -> None:
    rules = rig.folder / "acl"
    rules.write_text("topic read #\n")
    broker, store = rig.broker(f"allow_anonymous true\nacl_file {rules}"), rig.store()
    carrier = rig.carrier(store, rig.mqtt(broker.port))
    rig.measure(store)

    carrier.step()

    (fault,) = store.faults()
    assert (fault.source, fault.kind) == ("publishers.mqtt", "refused")
    assert "Not authorized" in fault.message
    assert "kiezbox/1/BOX" in fault.hint
    assert (carrier.link(), carrier.backlog(), carrier.delivered) == ("refused", 2, 0)


def test_the_fault_goes_away_when_somebody_has_corrected_the_rules(rig: Rig) -> None:
    rules = rig.folder / "acl"
    rules.write_text("topic read #\n")
    broker, store = rig.broker(f"allow_anonymous true\nacl_file {rules}"), rig.store()
    carrier = rig.carrier(store, rig.mqtt(broker.port))
    rig.measure(store)
    carrier.step()

    rules.write_text("topic readwrite #\n")
    broker.restart()
    deliver(carrier)
    rig.clock.advance(60)
    carrier.step()

    assert store.faults() == []
    assert carrier.link() == "connected"


@pytest.mark.parametrize("limit", ["max_packet_size 1500", "message_size_limit 1500"])
def test_a_broker_that_takes_small_messages_only_gets_small_ones(rig: Rig, limit: str) -> None:
    broker, store = rig.broker(f"allow_anonymous true\n{limit}"), rig.store()
    listener = rig.listener(broker.port)
    carrier = rig.carrier(store, rig.mqtt(broker.port))
    rig.measure(store, rounds=200)

    deliver(carrier)

    assert set(arrived(listener, 400)) == set(rig.ids(store))
    assert max(len(message.payload) for message in listener.on("readings")) <= 1500


class Picky:
    """A publisher that can never deliver some readings. Says so one by one, as MQTT's does."""

    window = 4

    def __init__(self, disliked: set[str]) -> None:
        self.disliked = disliked
        self.got: list[str] = []

    def publish(self, batch: Batch) -> None:
        for index, reading in enumerate(batch):
            if id_text(reading.serial) in self.disliked:
                raise Rejected("not in our taste", confirmed=index)
            self.got.append(id_text(reading.serial))

    def announce(self, kind: str, document: Any) -> None: ...

    def link(self) -> str:
        return "connected"

    def close(self) -> None: ...


def test_one_reading_that_is_rejected_for_ever_does_not_stop_those_behind_it(rig: Rig) -> None:
    store = rig.store()
    rig.measure(store, rounds=10)
    ids = rig.ids(store)
    publisher = Picky({ids[2], ids[11]})

    deliver(rig.carrier(store, publisher))

    assert publisher.got == [one for one in ids if one not in publisher.disliked]
    told = [fault.message for fault in store.faults(only_open=False)]
    assert len(told) == 2 and ids[2] in told[0] + told[1]


def test_a_receiver_that_rejects_everything_does_not_empty_the_box(rig: Rig) -> None:
    store = rig.store()
    rig.measure(store, rounds=10)
    carrier = rig.carrier(store, Picky(set(rig.ids(store))))

    for _ in range(30):
        carrier.step()

    assert carrier.backlog() == 20
    assert isinstance(carrier.problem, Refused)


# --- what is written about it ------------------------------------------------------------------


def test_a_short_outage_is_no_fault_and_a_long_one_is_said_once(rig: Rig) -> None:
    broker, store = rig.broker(), rig.store()
    carrier = rig.carrier(store, rig.mqtt(broker.port))
    rig.measure(store)
    broker.kill()
    wait_for(lambda: carrier.link() == "waiting", "the link is lost")

    carrier.step()
    after_a_moment = store.faults()
    rig.clock.advance(61)
    carrier.step()
    carrier.step()

    assert after_a_moment == []
    (fault,) = store.faults()
    assert (fault.source, fault.kind) == ("publishers.mqtt", "unreachable")


def test_open_faults_are_announced_without_counting_their_repetitions(rig: Rig) -> None:
    broker, store = rig.broker(), rig.store()
    carrier, watcher = rig.carrier(store, rig.mqtt(broker.port)), rig.listener(broker.port)
    carrier.step()
    for _ in range(3):
        store.open_fault("sensors.roof", "missing", "Nothing answers at 0x76.", "Is it plugged in?")
        carrier.step()
    # What the broker has passed on it has also kept; before, a newcomer could still get both.
    wait_for(lambda: any(m.json()["faults"] for m in watcher.on("faults")), "the open fault")
    listener = rig.listener(broker.port)

    (message,) = wait_for(lambda: listener.on("faults"), "the retained faults")

    assert message.is_retained
    (fault,) = message.json()["faults"]
    assert (fault["source"], fault["kind"]) == ("sensors.roof", "missing")
    assert fault["hint"] == "Is it plugged in?"
    assert "times" not in fault
