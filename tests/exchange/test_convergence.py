"""All boxes hold the same in the end, whatever happened on the way: against a plain model.

The model is two sets: what was written, and what has gone. Nothing else may ever be held anywhere,
nothing that was gone at a box may come back to it, and when the air is calm again everybody holds
all that somebody held.
"""

from __future__ import annotations

from random import Random

import pytest
from air import LORA, Air
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from kiezbox.exchange import (
    Digest,
    Entry,
    Give,
    Gone,
    Item,
    Message,
    Ranges,
    Want,
    asking,
    holdings,
    offers,
)
from kiezbox.records import Ref

BOXES = st.integers(0, 4)
HOUR_S = 3600.0


class Schedule(RuleBasedStateMachine):
    """Five boxes and a liar, on an air that does what the rules say."""

    @initialize(seed=st.integers(0, 1 << 30), loss=st.sampled_from([0.0, 0.3, 0.6]))
    def begin(self, seed: int, loss: float) -> None:
        self.air = Air(5, seed=seed, loss=loss, doubled=0.1, delay_s=5.0)
        self.air.believes = lambda item: item.body[:3] == b"kb-"
        self.random = Random(seed)
        self.written: set[Ref] = set()
        self.was_gone: dict[int, set[Ref]] = {n: set() for n in range(5)}

    @rule(box=BOXES, priority=st.integers(0, 6), count=st.integers(1, 4))
    def write(self, box: int, priority: int, count: int) -> None:
        for _ in range(count):
            self.written.add(self.air.boxes[box].write(priority, self.air.now))
        self.air.wake(self.air.boxes[box])

    @rule(seconds=st.sampled_from([0.1, 2.0, 30.0, 600.0, 7200.0]))
    def time_passes(self, seconds: float) -> None:
        self.air.run(seconds)

    @rule(box=BOXES, which=st.integers(0, 1 << 20))
    def expire_at_a_box(self, box: int, which: int) -> None:
        stored = sorted(self.air.boxes[box].stored)
        if stored:
            number = stored[which % len(stored)]
            self.air.boxes[box].lose(number)
            self.was_gone[box].add(number)
            self.air.wake(self.air.boxes[box])

    @rule(box=BOXES)
    def restart(self, box: int) -> None:
        self.air.boxes[box].restart(self.air.now)
        self.air.wake(self.air.boxes[box])

    @rule(apart=st.sets(BOXES))
    def part(self, apart: set[int]) -> None:
        names = {f"kb-{n}" for n in apart}
        self.air.hears = lambda a, b: (a.name in names) == (b.name in names)

    @rule()
    def heal(self) -> None:
        self.air.hears = lambda a, b: True

    @rule(hours=st.sampled_from([-24.0, 24.0]), box=BOXES)
    def a_clock_jumps(self, box: int, hours: float) -> None:
        # A box tells its exchange monotonic time; that it never asks for another is the claim. What
        # jumps is the time it wakes at: it slept, or was busy.
        self.air.boxes[box].busy_until = max(0.0, self.air.now + max(0.0, hours) * 60)

    @rule(kind=st.integers(0, 4))
    def lie(self, kind: int) -> None:
        random, names = self.random, [f"kb-{n}" for n in range(5)]
        origin = random.choice([*names, "kb-none"])
        first = random.choice([1, 2, random.randrange(1, 1 << 39)])
        numbers = Ranges([(first, first + random.choice([0, 3, 1 << 30]))])
        said: list[Message] = [
            Digest(random.randbytes(6), (Entry(origin, 1, (1 << 40) - 1, Ranges()),)),
            Want(random.choice(names), ((origin, numbers),)),
            Gone(((origin, numbers),)),
            Give((Item(Ref(origin, first), 0, b"forged"),)),
            Digest(self.air.boxes[0].holdings.fingerprint),
        ]
        self.air.say(random.choice(["kb-liar", *names]), said[kind])

    @invariant()
    def nobody_holds_what_nobody_wrote_or_what_was_gone_there(self) -> None:
        for n, box in enumerate(getattr(self, "air", Air(0)).boxes):
            held = {Ref(o, s) for o in box.holdings.origins() for s in box.holdings.held(o)}
            assert held == set(box.stored)
            assert held <= self.written
            assert not held & self.was_gone[n]

    def teardown(self) -> None:
        if not hasattr(self, "air"):
            return
        self.air.hears = lambda a, b: True
        self.air.loss = min(self.air.loss, 0.3)
        somewhere = {number for box in self.air.boxes for number in box.stored}

        def is_done() -> bool:
            return all(
                somewhere <= box.stored.keys() | self.was_gone[n]
                for n, box in enumerate(self.air.boxes)
            )

        assert self.air.run(24 * HOUR_S, is_done), "not all had come in a day of calm"


Schedule.TestCase.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip
TestSchedule = Schedule.TestCase


@pytest.mark.parametrize("seed", range(5))
def test_thirty_percent_of_loss_doubling_and_reordering_lose_nothing(seed: int) -> None:
    air = Air(12, seed=seed, loss=0.3, doubled=0.1, delay_s=5.0)
    for _ in range(40):
        air.boxes[air.random.randrange(12)].write(air.random.randrange(7), air.now)
        for box in air.boxes:
            air.wake(box)
        air.run(20)

    assert air.run(2 * LORA.pace.most_s, air.are_equal)
    assert len(air.boxes[0].stored) == 40


def test_memory_stays_bounded_whatever_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name, most in (
        (asking, "MOST_PEERS", 8), (asking, "MOST_CLAIMED", 16), (asking, "MOST_OVERHEARD", 32),
        (holdings, "MOST_ORIGINS", 16), (offers, "MOST_OFFERS", 32),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, most)
    air = Air(1, seed=1)
    air.believes = lambda item: True
    (box,) = air.boxes
    random = Random(1)
    for n in range(3000):
        origin, sender = f"kb-{random.randrange(500)}", f"kb-{random.randrange(500)}"
        numbers = Ranges([(random.randrange(1, 1 << 39), 1 << 39)])
        kind = n % 4
        said = (
            Digest(random.randbytes(6), (Entry(origin, 1, 1 << 39, Ranges()),)) if kind == 0
            else Want(random.choice(["kb-0", sender]), ((origin, numbers),)) if kind == 1
            else Gone(((origin, numbers),)) if kind == 2
            else Give((Item(Ref(origin, random.randrange(1, 99)), 5, b"x"),))
        )  # fmt: skip
        air.say(sender, said)
    talk = box.exchange

    assert len(list(box.holdings.origins())) <= 16
    assert len(talk._offers) <= 32
    assert len(talk._asking._peers) <= 8
    assert all(len(p.claimed) <= 16 and len(p.gone) <= 16 for p in talk._asking._peers.values())
    assert len(talk._asking._overheard) <= 32
