"""One life of a box's store, from power-up to the cut: the real ``kiezbox.store``, at random.

The process says what it is about to do and what the store has confirmed (``say``); the harness
listens until it is dead.
"""

from __future__ import annotations

import contextlib
import os
import random
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from beds.crashfs.ledger import Key

from kiezbox.clock import ManualClock
from kiezbox.model import Batch, Cursor, Flag, Measurement, Quantity, Reading
from kiezbox.settings import StoreSettings
from kiezbox.store import Store, StoreWriter, blocks, queries

Say = Callable[..., None]

BOX = "kb-powercut"

#: Small and early, so that packing happens in these short lives, too.
blocks.READINGS, blocks.AFTER_S = 20, 60.0
SENSORS = {
    "roof": (Quantity.TEMPERATURE_C, Quantity.HUMIDITY_PERCENT, Quantity.PRESSURE_HPA),
    "dust": (Quantity.PM2_5_UG_M3, Quantity.PM10_UG_M3),
    "battery": (Quantity.VOLTAGE_V, Quantity.CURRENT_A),
}
CURSORS = ("mqtt", "file")
DOCUMENTS = ("mode", "power")
LAZY_DOCUMENTS = ("charge",)
FAULTS = tuple((f"sensors.{name}", kind) for name in SENSORS for kind in ("missing", "garbled"))
#: 2100: no order ends on a box whose clock is wrong.
NEVER = 4_102_444_800.0


class Life:
    """The box while it is up. ``seed`` decides everything it does."""

    def __init__(self, folder: Path, seed: int, say: Say) -> None:
        self.rng = rng = random.Random(seed)
        self.say = say
        self.token = f"{seed:x}-"
        self.count = 0
        #: A box wakes with any clock; nothing in the store may depend on it.
        self.clock = ManualClock(
            rng.choice((1_780_000_000.0, 1_780_000_000.0 + seed % 10**6, 946_684_800.0)),
            trusted=rng.random() < 0.5,
        )
        self.settings = StoreSettings(
            path=str(folder / "kiezbox.db"),
            run_dir=str(folder / "run"),
            journal_kib=16,
            keep_days=36500,
        )
        #: Confirmed by the next flush, oldest first.
        self.riding: list[tuple[Key, Any]] = []
        self.open()

    def open(self) -> None:
        self.store = Store.open(self.settings, BOX, self.clock)
        self.say("opened", self.store.boot)
        self.say("found", observed(self.store))
        for problem in examine(self.store, self.settings.path):
            self.say("wrong", problem)
        self.store.tend()  # As the node does: from then on each fold makes means and packs.

    def unique(self) -> str:
        self.count += 1
        return f"{self.token}{self.count}"

    @contextlib.contextmanager
    def promise(self, key: Key, value: Any) -> Iterator[None]:
        """What happens inside returns only when ``value`` is durable under ``key``."""
        self.say("will", key, value)
        yield
        self.say("did", key, value)

    def ride(self, key: Key, value: Any) -> None:
        self.say("will", key, value)
        self.riding.append((key, value))

    def confirm_riders(self) -> None:
        for key, value in self.riding:
            self.say("did", key, value)
        self.riding.clear()

    # --- what a box does ----------------------------------------------------------------

    def add(self, *, plain: bool = False) -> None:
        """One read of one sensor; ``plain``: on an ordinary day, nothing but good values."""
        rng = self.rng
        sensor = rng.choice(list(SENSORS))
        measurements = []
        for quantity in SENSORS[sensor]:
            flag = Flag(0 if plain else rng.choice((0, 0, 0, 1, 2)))
            raw = None if plain or rng.random() < 0.7 else rng.uniform(-50, 2000)
            reason = "" if flag == Flag.GOOD else f"außerhalb {self.unique()}"
            measurements.append(Measurement(quantity, rng.uniform(-50, 2000), raw, flag, reason))
        self.clock.advance(rng.uniform(0, 30))
        for reading, measurement in zip(
            self.store.add(sensor, measurements), measurements, strict=True
        ):
            self.say("gave", ("reading", reading.serial))
            self.ride(
                ("reading", reading.serial), (sensor, measurement.quantity.value, *reading[2:])
            )

    def burst(self) -> None:
        """A frame of many sectors, torn apart by a cut."""
        plain = self.rng.random() < 0.5
        for _ in range(self.rng.randint(5, 40)):
            self.add(plain=plain)
        self.flush()

    def flush(self) -> None:
        self.store.flush()
        if self.store.stored_serial != self.store.newest_serial:
            self.say("wrong", f"flush left readings behind on a healthy disk ({self.store.state})")
        self.confirm_riders()

    def fold(self) -> None:
        self.store.fold()

    def fold_if_due(self) -> None:
        if self.store.is_fold_due():
            self.store.fold()

    def set_cursor(self) -> None:
        """A publisher has delivered up to some reading; never backwards."""
        name = self.rng.choice(CURSORS)
        old = self.store.cursor(name)
        limit = self.rng.randint(1, 20)
        batch = list(self.store.after(old.backlog, limit))
        if batch:
            cursor = Cursor(name, batch[-1].serial, 0, 0)
            self.ride(("cursor", name), tuple(cursor))
            self.store.set_cursor(cursor)

    def transition(self) -> None:
        name = self.unique()
        machine = self.rng.choice(("grid", "battery", "mode"))
        with self.promise(("transition", name), (machine, "lost", False)):
            number = self.store.put_transition(machine, "normal", "lost", "emergency", {"n": name})
        self.say("gave", ("transition", number))

    def carry_out(self) -> None:
        waiting = [t for t in self.store.transitions() if t.carried_out_at is None]
        if waiting:
            t = self.rng.choice(waiting)
            with self.promise(("transition", t.detail["n"]), (t.machine, t.event, True)):
                self.store.carried_out(t.id)

    def keep(self) -> None:
        name, document = self.rng.choice(DOCUMENTS), {"n": self.unique()}
        with self.promise(("kept", name), document):
            self.store.keep(name, document)

    def keep_lazily(self) -> None:
        name, document = self.rng.choice(LAZY_DOCUMENTS), {"n": self.unique(), "ah": 7.25}
        self.ride(("kept", name), document)
        self.store.keep_lazily(name, document)

    def open_fault(self) -> None:
        source, kind = self.rng.choice(FAULTS)
        with self.promise(("fault", source, kind), "open"):
            self.store.open_fault(source, kind, "nothing answers", "Check the plug.")

    def close_fault(self) -> None:
        source, kind = self.rng.choice(FAULTS)
        with self.promise(("fault", source, kind), None):
            self.store.close_fault(source, kind)

    def order(self) -> None:
        """From the operator's command line."""
        verb, name = "normal", self.unique()
        with (
            self.promise(("order", name), verb),
            StoreWriter(self.settings.path, clock=self.clock) as writer,
        ):
            writer.order(verb, NEVER, {"n": name})

    def take_order(self) -> None:
        for order in self.store.orders()[:1]:
            with self.promise(("order", order.detail["n"]), None):
                self.store.order_taken(order.id)

    def mark_clock(self) -> None:
        self.store.mark_clock()

    def restart(self) -> None:
        """A clean end and a new start."""
        self.store.close()
        self.confirm_riders()
        self.open()

    #: How often each comes up.
    MIX = {
        add: 30, burst: 6, flush: 14, set_cursor: 10, fold: 3, fold_if_due: 5, transition: 6,
        carry_out: 4, keep: 4, keep_lazily: 4, open_fault: 4, close_fault: 4, order: 4,
        take_order: 2, mark_clock: 1, restart: 1,
    }  # fmt: skip

    def step(self) -> None:
        """Do something."""
        (deed,) = self.rng.choices(list(self.MIX), list(self.MIX.values()))
        deed(self)


def observed(store: Store) -> dict[Key, Any]:
    """All the store has, as registers."""
    there: dict[Key, Any] = {}
    position = 0
    while batch := store.after(position, 1000):
        for reading in batch:
            there[("reading", reading.serial)] = (*_series(batch, reading), *reading[2:])
            position = reading.serial
    for name in CURSORS:
        if store.cursor(name) != Cursor(name):
            there[("cursor", name)] = tuple(store.cursor(name))
    for t in store.transitions(limit=10**6):
        there[("transition", t.detail["n"])] = (t.machine, t.event, t.carried_out_at is not None)
    for name in (*DOCUMENTS, *LAZY_DOCUMENTS):
        if (document := store.kept(name)) is not None:
            there[("kept", name)] = document
    for fault in store.faults():
        there[("fault", fault.source, fault.kind)] = "open"
    for order in store.orders():
        there[("order", order.detail["n"])] = order.verb
    return there


def _series(batch: Batch, reading: Reading) -> tuple[str, str]:
    series = batch.series[reading.series]
    return series.sensor, series.quantity


def miscounted(connection: sqlite3.Connection) -> Iterator[str]:
    """Readings that a tier of means has twice, or not at all."""
    (position,) = connection.execute(
        "SELECT coalesce(max(value), 0) FROM tier_state WHERE name = 'position'"
    ).fetchone()
    # A boot of an unsure clock counts once its time is known; till then it waits in undated.
    trusted = {row[0] for row in connection.execute("SELECT boot FROM clock_marks WHERE trusted")}
    undated = connection.execute("SELECT first, last FROM undated").fetchall()
    counts: dict[int, int] = {}
    for row in queries.stored_rows(
        lambda sql, given=(): connection.execute(sql, given).fetchall(), 0, 10**9, position
    ):
        is_waiting = any(first <= row[0] <= last for first, last in undated)
        if row[8] or (row[0] >> 36 in trusted and not is_waiting):
            counts[row[1]] = counts.get(row[1], 0) + 1
    wanted = sorted(counts.items())
    for tier in (1, 2, 3):
        found = connection.execute(
            "SELECT id & 16777215, sum(good + suspect + bad) FROM tiers WHERE id >> 56 = ?"
            " GROUP BY 1 ORDER BY 1",
            (tier,),
        ).fetchall()
        if found != wanted:
            yield f"tier {tier} counts {found}, the readings are {wanted}"


def examine(store: Store, path: str) -> Iterator[str]:
    """What is wrong with the store as a whole, beside what the ledger knows."""
    if store.state != "ok":
        yield f"the store opened as {store.state}"
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        for (line,) in connection.execute("PRAGMA integrity_check"):
            if line != "ok":
                yield f"integrity_check: {line}"
        if connection.execute("PRAGMA foreign_key_check").fetchall():
            yield "foreign_key_check"
        yield from miscounted(connection)
    finally:
        connection.close()
    newest = 0
    while batch := list(store.after(newest, 1000)):
        newest = batch[-1].serial
    for name in CURSORS:
        cursor = store.cursor(name)
        if max(cursor.backlog, cursor.live) > newest:
            yield f"{cursor} is beyond what is stored ({newest})"
    aside = [name for name in os.listdir(Path(path).parent) if ".damaged-" in name]
    if aside:
        yield f"the store put a damaged file aside: {aside}"
