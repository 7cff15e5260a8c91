"""Goals c3 and c4: what it costs to be equal, and that all become equal whatever happens."""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable
from random import Random

from benchmarks.lib import schedules
from benchmarks.lib.contest import KIEZBOX, Options, Outcome, Run, interleave
from benchmarks.peers import meshlogd
from kiezbox.city.frames import post_frame, posts
from kiezbox.city.sizes import fits
from kiezbox.exchange import Digest, Exchange, Give, Holdings, Item, Message
from kiezbox.exchange.lora import lora_bearer
from kiezbox.frames import origin_id
from kiezbox.frames.messages import pack_message, unpack_message
from kiezbox.records import Ref

AUTHORS, EVENTS = 100, 10
QUICK_SCHEDULES, SCHEDULES, LONG_SCHEDULES = 40, 400, 10_000
SCHEDULES_NAME = "kiezbox, schedules"

_KEY = bytes(32)
_DAY_S = 86400.0


def measure(options: Options) -> Outcome:
    count = QUICK_SCHEDULES if options.is_quick else SCHEDULES
    count = LONG_SCHEDULES if options.is_long else count
    outcome = Outcome(
        "sync",
        f"Two that meet, {AUTHORS} authors with {EVENTS} messages of 100 characters each: bytes"
        " both ways, without the radio's headers, while all is equal, with ten new by one author,"
        " and when one has nothing. Kiezbox: whole frames, sealed, each record signed; meshlogd:"
        " JSON, unsigned, on its own simulated transport."
        f" Schedules: {count} of {schedules.BOXES} boxes with {schedules.LOSS:.0%} loss, doubling,"
        " reordering and partitions, against the same ones where nothing is lost.",
    )
    text = next(said for _, said in posts() if len(said) >= 100)[:100]
    interleave(
        outcome,
        {
            KIEZBOX: _ours,
            meshlogd.NAME: lambda: meshlogd.measured(AUTHORS, EVENTS, text),
        },
        options,
    )
    outcome.runs[SCHEDULES_NAME] = [_schedules(count, options.seed)]
    return outcome


class _Meeting:
    """Two boxes, and every frame between them, to the byte."""

    def __init__(self) -> None:
        self.names = [f"kb-{n}" for n in range(AUTHORS)]
        self._named = {origin_id(name): name for name in self.names}.get
        self.stored: dict[Ref, Item] = {}
        self.now = 0.0
        self.bytes = 0
        self.holdings = [Holdings(), Holdings()]
        self.boxes: list[Exchange] = []

    def meet(self) -> None:
        """From now on they hear each other; neither has heard of the other yet."""
        self.bytes = 0
        bearer = lora_bearer(fits, 0.57)
        self.boxes = [
            Exchange(
                self.names[n], bearer, self.holdings[n], self.stored.get,
                random=Random(n), now=self.now,
            )
            for n in range(2)
        ]  # fmt: skip

    def write(self, author: str, sequence: int) -> None:
        number = Ref(author, sequence)
        self.stored[number] = Item(number, 5, post_frame(sequence % 20))
        self.holdings[0].add(author, sequence)

    def run(self, until: Callable[[], bool]) -> None:
        ends_at = self.now + 30 * _DAY_S
        while not until():
            if self.now > ends_at:
                raise RuntimeError("two that meet did not become equal: no figure")
            due = [box.due_at(self.now) for box in self.boxes]
            self.now = max(self.now, min(due))
            n = due.index(min(due))
            sending = self.boxes[n].next(self.now)
            if sending is not None:
                self._carry(sending.message, n)
            self.now += 0.5

    def _carry(self, message: Message, n: int) -> None:
        me, other = self.names[n], self.boxes[1 - n]
        if isinstance(message, Give):
            self.bytes += sum(len(item.body) for item in message.items)
        else:
            frame = pack_message(message, me, _KEY)
            self.bytes += len(frame)
            _, message = unpack_message(frame, _KEY, self._named)
        for item in other.heard(message, me, self.now):
            self.holdings[1 - n].add(*item.number)
            other.added(item.number, item.priority, self.now, is_heard_here=True)

    def cost(self, *, is_new: bool) -> float:
        self.meet()

        def is_equal() -> bool:
            return self.holdings[0].fingerprint == self.holdings[1].fingerprint

        if is_new:
            self.run(is_equal)
        else:
            # Each says once what it holds. On a shared air the second may keep silent.
            for n in range(2):
                self._carry(Digest(self.holdings[n].fingerprint), n)
            assert is_equal()
        return self.bytes


def _ours() -> Run:
    meeting = _Meeting()
    for sequence in range(1, EVENTS + 1):
        for author in meeting.names:
            meeting.write(author, sequence)
    first = meeting.cost(is_new=True)
    same = meeting.cost(is_new=False)
    for sequence in range(EVENTS + 1, EVENTS + 11):
        meeting.write(meeting.names[7], sequence)
    return {"same_bytes": same, "ten_bytes": meeting.cost(is_new=True), "first_bytes": first}


def _schedules(count: int, seed: int) -> Run:
    seeds = range(1000 * seed, 1000 * seed + count)
    found = schedules.run_all(seeds, jobs=os.cpu_count() or 1)
    ratios = [rough / calm for _, rough, calm in found]
    return {
        "schedules": count,
        "converged_percent": 100 * sum(is_equal for is_equal, _, _ in found) / count,
        "bytes_ratio": sum(rough for _, rough, _ in found) / sum(calm for _, _, calm in found),
        "bytes_ratio_median": statistics.median(ratios),
        "bytes_ratio_most": max(ratios),
    }
