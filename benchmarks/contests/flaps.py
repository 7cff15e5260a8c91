"""Goal a5: a link that comes and goes. How soon the first reading is there again, and is every
reading there once?

Several whole nodes, each behind a TCP proxy of its own, lose their broker at random: refused,
reset, swallowed without a word, or acknowledged by nobody. At the end every id up to a node's
cursor must have come, once the receiver has dropped the ids it already had.
"""

from __future__ import annotations

import contextlib
import random
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.lib.boxes import ids_in
from benchmarks.lib.broker import Receiver, broker
from benchmarks.lib.contest import Options, Outcome, Run, say
from benchmarks.lib.node import RunningNode, node
from benchmarks.lib.proc import wait_for

#: Flaps and nodes: quick, normal, long.
AMOUNTS = {"quick": (24, 8), "normal": (120, 8), "long": (1000, 20)}

#: How long the link is away, in seconds: most holes are short.
SHORT_S, LONG_S = (0.1, 2.0), (2.0, 15.0)
#: And how long it stays, in seconds.
STAYS_S = (0.0, 1.5)

#: No reading for so long after link-up: the node never came back.
LIMIT_S = 60.0


def measure(options: Options) -> Outcome:
    """Cut and mend until every node had its share of flaps."""
    size = "quick" if options.is_quick else "long" if options.is_long else "normal"
    flaps, nodes = AMOUNTS[size]
    outcome = Outcome(
        "flaps",
        f"{flaps} flaps over {nodes} whole nodes (four sensors, a read a second), the link away for"
        f" {SHORT_S[0]:g} to {LONG_S[1]:g} s: refused, reset, swallowed, or without answers; MQTT"
        f" with defaults (keepalive 10 s, pauses of 1 to 4 s). The clock runs from link-up to the"
        f" first reading at a subscriber. Lost and duplicates are counted by id against the"
        f" stores' cursors and contents.",
    )
    for number in range(options.rounds):
        say(f"flaps: round {number + 1} of {options.rounds} …")
        outcome.runs.setdefault("kiezbox", []).append(
            _round(flaps // nodes, nodes, options.seed + number)
        )
    return outcome


def _round(flaps: int, nodes: int, seed: int) -> Run:
    with tempfile.TemporaryDirectory(prefix="kiezbox-flaps-") as name, broker() as port:
        victims = [
            Victim(Path(name) / f"box{number}", port, flaps, f"{seed}/{number}")
            for number in range(nodes)
        ]
        for victim in victims:
            victim.start()
        for victim in victims:
            victim.join()
    for victim in victims:
        if victim.failure is not None:
            raise victim.failure
    waits = sorted(wait for victim in victims for wait in victim.waits)
    ids: Counter[str] = Counter()
    lost = invented = 0
    for number, victim in enumerate(victims):
        ids.update({f"{number}/{identity}": n for identity, n in victim.came.items()})
        lost += len(victim.delivered - victim.came.keys())
        invented += len(victim.came.keys() - victim.stored)
    raw = sum(ids.values()) - len(ids)
    return {
        "flaps": len(waits),
        "readings": len(ids),
        "first_reading_median_s": waits[len(waits) // 2],
        "first_reading_p99_s": waits[int(len(waits) * 0.99)],
        "first_reading_worst_s": waits[-1],
        "lost": lost,
        "invented": invented,
        "raw_duplicates_per_flap": raw / len(waits),
    }


class Victim(threading.Thread):
    """One node, its wire, and the hand that cuts it."""

    def __init__(self, folder: Path, port: int, flaps: int, seed: str) -> None:
        super().__init__(daemon=True)
        self.waits: list[float] = []
        self.came: Counter[str] = Counter()
        self.stored: set[str] = set()
        self.delivered: set[str] = set()
        self.failure: BaseException | None = None
        self._folder = folder
        self._port = port
        self._flaps = flaps
        self._rng = random.Random(seed)

    def run(self) -> None:
        try:
            self._run()
        except BaseException as failure:
            self.failure = failure

    def _run(self) -> None:
        from broker import Wire

        box = self._folder.name
        with contextlib.ExitStack() as stack:
            wire = Wire(self._port)
            stack.callback(wire.close)
            receiver = stack.enter_context(Receiver(self._port, f"kiezbox/1/{box}/readings"))
            settings = {"port": wire.port, "interval_s": 1, "is_full": True}
            running_node = stack.enter_context(node(self._folder, box=box, **settings))
            wait_for(lambda: receiver.received, "the first reading", LIMIT_S)
            for _ in range(self._flaps):
                time.sleep(self._rng.uniform(*STAYS_S))
                mended = self._flap(wire, receiver)
                self.waits.append(self._first_after(receiver, mended))
            wait_for(lambda: _is_all_out(running_node), "an empty backlog", LIMIT_S)
            running_node.process.terminate()
            running_node.process.wait(20)
            receiver.settle(1.0)
            self.came.update(ids_in(receiver.messages()))
        self._read_store()

    def _read_store(self) -> None:
        """What there is, and what the node believes to have delivered: up to its cursor."""
        from kiezbox.senml import id_text
        from kiezbox.store import StoreReader

        with StoreReader(str(self._folder / "kiezbox.db")) as store:
            cursor = store.cursor("mqtt")
            if cursor.backlog < cursor.live_from:
                raise RuntimeError(f"{cursor}: the backlog was never delivered")
            position = 0
            while len(batch := store.after(position, 5000)):
                position = batch.readings[-1][0]
                self.stored.update(id_text(row[0]) for row in batch.readings)
                self.delivered.update(
                    id_text(row[0]) for row in batch.readings if row[0] <= cursor.live
                )

    def _flap(self, wire: Any, receiver: Receiver) -> float:
        """Cut the link for a while; the moment it was whole again."""
        away_s = self._rng.uniform(*(SHORT_S if self._rng.random() < 0.7 else LONG_S))
        match self._rng.choice(("refused", "reset", "swallowed", "unanswered")):
            case "refused":
                wire.refuse()
                time.sleep(away_s)
                wire.listen()
            case "reset":
                wire.cut()
            case "swallowed":
                wire.mode = "swallow"
                time.sleep(away_s)
                # What was swallowed is gone: as behind a router that has forgotten the link.
                wire.mode = "pass"
                wire.cut()
            case "unanswered":
                wire.mode = "mute"
                time.sleep(away_s)
                wire.mode = "pass"
                wire.cut()
        return time.monotonic()

    def _first_after(self, receiver: Receiver, moment: float) -> float:
        """Seconds from the moment to the next reading at the subscriber."""
        found: float = wait_for(
            lambda: receiver.last_at > moment and receiver.first_after(moment),
            "a reading after the link was back",
            LIMIT_S,
        )
        return found - moment


def _is_all_out(running_node: RunningNode) -> bool:
    facts = running_node.facts().get("publishers", {}).get("mqtt", {})
    return facts.get("link") == "connected" and facts.get("backlog", 1) <= 7
