"""kill -9 while a node writes and publishes: what it reported as stored is there, and everything
arrives once.

200 kills here, of whole nodes with simulated hardware whose time runs twenty times as fast, at a
real Mosquitto; ``KIEZBOX_KILLS=2000`` for more.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from broker import Listener, Mosquitto
from senml_rfc8428 import resolve

from kiezbox.hardware.simulated.bench import Bench
from kiezbox.hardware.simulated.bme280 import SimulatedBme280
from kiezbox.model import COUNTER_BITS
from kiezbox.senml import id_text
from kiezbox.store import StoreReader

pytestmark = pytest.mark.broker

KILLS = int(os.environ.get("KIEZBOX_KILLS", "200"))
#: Nodes side by side. A node says what is stored once a second, so a life lasts about as long.
NODES = 10
LIMIT_S = 60.0

SETTINGS = """
[box]
id = "{box}"
[store]
path = "{folder}/kiezbox.db"
run_dir = "{folder}/run"
flush_s = 1
fold_s = 10
journal_kib = 16
[hardware]
i2c = "{bench}"
[sensors.roof]
driver = "bme280"
where = "outdoor"
interval_s = 1
[publishers.mqtt]
host = "127.0.0.1"
port = {port}
tls = false
batch = 5
retry_least_s = 0.1
[clock]
speed = 20
wall_anchor = {anchor}
"""


class Nursery:
    """Starts nodes by forking; see ``beds.killing.nursery``."""

    def __init__(self) -> None:
        paths = [str(Path(__file__).resolve().parent.parent), os.environ.get("PYTHONPATH", "")]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "beds.killing.nursery"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def start(self, settings: Path) -> int:
        """A handle (pidfd) of the new node's process."""
        assert self._process.stdin is not None and self._process.stdout is not None
        with self._lock:
            self._process.stdin.write(f"{settings}\n")
            self._process.stdin.flush()
            return os.pidfd_open(int(self._process.stdout.readline()))

    def close(self) -> None:
        self._process.communicate(timeout=LIMIT_S)


class Seen(NamedTuple):
    """What came of one box."""

    kills: int
    kills_while_starting: int
    lives_that_reported: int
    missing: list[str]
    undelivered: list[str]
    contradictions: list[str]
    readings: int
    sent_twice: int


class Mortal(threading.Thread):
    """One box: its bench, and node after node, killed."""

    def __init__(self, folder: Path, nursery: Nursery, port: int, kills: int) -> None:
        super().__init__(daemon=True)
        self.failure: BaseException | None = None
        self.box = folder.name
        self._folder = folder
        self._settings = folder / "kiezbox.toml"
        self._nursery = nursery
        self._port = port
        self._kills = kills
        self._rng = random.Random(folder.name)
        #: Highest counter that was reported as stored, by boot.
        self.reported: dict[int, int] = {}
        self.missing: list[str] = []
        self.while_starting = 0

    def run(self) -> None:
        try:
            with Bench(self._folder / "bench") as bench:
                chip = SimulatedBme280()
                chip.set(temperature_c=21.5, humidity_percent=55.0, pressure_hpa=1008.0)
                bench.attach(0x76, chip)
                text = SETTINGS.format(
                    box=self.box,
                    folder=self._folder,
                    bench=bench.address,
                    port=self._port,
                    anchor=time.time(),
                )
                self._settings.write_text(text)
                for _ in range(self._kills):
                    self._live_and_die()
                self._deliver_the_rest()
        except BaseException as failure:
            self.failure = failure

    def _live_and_die(self) -> None:
        with self._node() as node:
            ends = self._rng.choice((self._while_starting, self._on_first_word, *[self._later] * 3))
            ends(node)
            self._note()
            signal.pidfd_send_signal(node, signal.SIGKILL)
            _wait_for(lambda: _is_dead(node), "the end of a killed node")
            # now.json says what the dead node had said; the next one writes it anew.
            self._note()
        (self._folder / "run" / "now.json").unlink(missing_ok=True)
        self._look_for_what_was_reported()

    @contextlib.contextmanager
    def _node(self) -> Iterator[int]:
        node = self._nursery.start(self._settings)
        try:
            yield node
        finally:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(node, signal.SIGKILL)
            os.close(node)

    # --- when it dies ---------------------------------------------------------------------

    def _while_starting(self, node: int) -> None:
        time.sleep(self._rng.uniform(0, 0.15))
        self.while_starting += not self._facts()

    def _on_first_word(self, node: int) -> None:
        self._wait_alive(node, self._facts, "its first facts")
        time.sleep(self._rng.uniform(0, 0.3))

    def _later(self, node: int) -> None:
        """After it has reported readings of its own as stored."""
        self._wait_alive(node, self._has_reported, "stored readings")
        time.sleep(self._rng.uniform(0, 0.3))

    # --- what it said -----------------------------------------------------------------------

    def _facts(self) -> dict[str, Any]:
        with contextlib.suppress(FileNotFoundError):
            facts: dict[str, Any] = json.loads((self._folder / "run" / "now.json").read_text())
            return facts
        return {}

    def _has_reported(self) -> bool:
        facts = self._facts()
        return bool(facts) and facts["store"]["stored_serial"] >> COUNTER_BITS == facts["boot"]

    def _note(self) -> None:
        stored = self._facts().get("store", {}).get("stored_serial", 0)
        boot, counter = stored >> COUNTER_BITS, stored & ((1 << COUNTER_BITS) - 1)
        if stored:
            self.reported[boot] = max(counter, self.reported.get(boot, 0))

    def _look_for_what_was_reported(self, *, all_boots: bool = False) -> None:
        """Counters are given out without a gap, so everything up to the highest must be there."""
        if not self.reported:
            return
        boots = list(self.reported) if all_boots else [max(self.reported)]
        with StoreReader(str(self._folder / "kiezbox.db")) as store:
            for boot in boots:
                low, high = boot << COUNTER_BITS, (boot << COUNTER_BITS) + self.reported[boot]
                found = store.count_after(low, high)
                if found != self.reported[boot]:
                    self.missing.append(
                        f"{self.box}: boot {boot} reported {self.reported[boot]} readings as"
                        f" stored, {found} are there"
                    )

    # --- the end ------------------------------------------------------------------------------

    def _deliver_the_rest(self) -> None:
        self._look_for_what_was_reported(all_boots=True)
        with self._node() as node:
            self._wait_alive(node, self._is_all_out, "an empty backlog")
            signal.pidfd_send_signal(node, signal.SIGTERM)
            _wait_for(lambda: _is_dead(node), "the end of the last node")

    def _is_all_out(self) -> bool:
        facts = self._facts()
        return (
            bool(facts)
            and facts["publishers"]["mqtt"]["link"] == "connected"
            and facts["publishers"]["mqtt"]["backlog"] <= 3
            and self._has_reported()
        )

    def _wait_alive(self, node: int, what: Callable[[], Any], why: str) -> None:
        def alive_and() -> Any:
            assert not _is_dead(node), Path(f"{self._settings}.log").read_text()[-2000:]
            return what()

        _wait_for(alive_and, f"{self.box}: {why}")

    def delivered(self) -> set[str]:
        """The ids of all readings that the store holds and its cursor says are delivered."""
        ids: set[str] = set()
        position = 0
        with StoreReader(str(self._folder / "kiezbox.db")) as store:
            cursor = store.cursor("mqtt")
            assert cursor.backlog >= cursor.live_from, f"{self.box}: a backlog is left: {cursor}"
            while len(batch := store.after(position, 5000, cursor.live)):
                position = batch.readings[-1][0]
                ids.update(id_text(row[0]) for row in batch.readings)
        return ids


def _is_dead(node: int) -> bool:
    """A pidfd becomes readable when its process ends."""
    import select

    return bool(select.select([node], [], [], 0)[0])


def _wait_for(what: Callable[[], Any], why: str) -> None:
    until = time.monotonic() + LIMIT_S
    while not what():
        assert time.monotonic() < until, f"not within {LIMIT_S:g} s: {why}"
        time.sleep(0.01)


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    """All nodes' lives, once for the tests below."""
    folder = tmp_path_factory.mktemp("kills")
    broker = Mosquitto(folder, "allow_anonymous true\nmax_queued_messages 0")
    listener = Listener(broker.port, "kiezbox/1/+/readings")
    nursery = Nursery()
    mortals = []
    try:
        for number in range(NODES):
            home = folder / f"kb-{number}"
            home.mkdir()
            mortals.append(Mortal(home, nursery, broker.port, -(-KILLS // NODES)))
        for mortal in mortals:
            mortal.start()
        for mortal in mortals:
            mortal.join(LIMIT_S * KILLS)
        for mortal in mortals:
            if mortal.failure is not None:
                raise mortal.failure
        yield _reckon(mortals, listener)
    finally:
        nursery.close()
        listener.close()
        broker.close()


def _settle(listener: Listener) -> None:
    """What the broker has acknowledged may still be on its way to the listener."""
    quiet_since, heard = time.monotonic(), -1
    while time.monotonic() < quiet_since + 0.5:
        if len(listener.heard) != heard:
            quiet_since, heard = time.monotonic(), len(listener.heard)
        time.sleep(0.01)


def _reckon(mortals: list[Mortal], listener: Listener) -> Seen:
    _settle(listener)
    came: dict[str, dict[str, set[tuple[Any, ...]]]] = {mortal.box: {} for mortal in mortals}
    times: Counter[tuple[str, str]] = Counter()
    for message in listener.heard:
        box = message.topic.split("/")[2]
        for record in resolve(message.payload):
            what = (record["n"], record["t"], record["v"])
            came[box].setdefault(record["id"], set()).add(what)
            times[box, record["id"]] += 1
    undelivered = [
        f"{mortal.box}: {identity}"
        for mortal in mortals
        for identity in mortal.delivered() - came[mortal.box].keys()
    ]
    contradictions = [
        f"{box}: {identity} is {sorted(whats)}"
        for box, ids in came.items()
        for identity, whats in ids.items()
        if len(whats) > 1
    ]
    result = Seen(
        kills=sum(mortal._kills for mortal in mortals),
        kills_while_starting=sum(mortal.while_starting for mortal in mortals),
        lives_that_reported=sum(len(mortal.reported) for mortal in mortals),
        missing=sorted({line for mortal in mortals for line in mortal.missing}),
        undelivered=sorted(undelivered),
        contradictions=contradictions,
        readings=len(times),
        sent_twice=sum(times.values()) - len(times),
    )
    print(result)
    return result


def test_so_many_nodes_were_killed_and_most_had_reported_something(seen: Seen) -> None:
    assert seen.kills >= KILLS
    assert seen.kills_while_starting > 0
    assert seen.lives_that_reported >= KILLS / 3
    assert seen.readings >= 3 * KILLS


def test_every_reading_reported_as_stored_survives_the_kill(seen: Seen) -> None:
    assert seen.missing == []


def test_every_stored_reading_arrives_at_the_broker(seen: Seen) -> None:
    assert seen.undelivered == []


def test_two_messages_with_one_id_say_the_same(seen: Seen) -> None:
    assert seen.contradictions == []
