"""The pace of digests. Expected: RFC 6206, sections 4.1 and 4.2."""

from __future__ import annotations

from random import Random

import pytest

from kiezbox.exchange import Pace
from kiezbox.exchange.trickle import Trickle

PACE = Pace(least_s=30, most_s=240, enough=2)


def said_in(trickle: Trickle, begin: float, end: float) -> list[float]:
    """When it is due, asked exactly when it wants to be."""
    moments = []
    while trickle.due_at < end:
        at = trickle.due_at
        assert at >= begin
        if trickle.is_due(at):
            moments.append(at)
    return moments


@pytest.mark.parametrize("seed", range(20))
def test_each_interval_is_twice_the_one_before_and_speaks_once_in_its_second_half(
    seed: int,
) -> None:
    trickle = Trickle(PACE, Random(seed), 0.0)

    found = said_in(trickle, 0, 30 + 60 + 120 + 240 + 240)

    halves = [(15, 30), (60, 90), (150, 210), (330, 450), (570, 690)]
    assert len(found) == len(halves)
    assert all(low <= at < high for at, (low, high) in zip(found, halves, strict=True))


@pytest.mark.parametrize("times, is_said", [(0, True), (1, True), (2, False), (7, False)])
def test_who_has_heard_enough_say_the_same_keeps_silent_in_this_interval_alone(
    times: int, is_said: bool
) -> None:
    trickle = Trickle(PACE, Random(1), 0.0)
    for _ in range(times):
        trickle.heard_same()

    assert bool(said_in(trickle, 0, 30)) == is_said
    assert len(said_in(trickle, 30, 90)) == 1


def test_a_difference_begins_the_shortest_interval_and_does_not_begin_it_again() -> None:
    trickle = Trickle(PACE, Random(1), 0.0)
    said_in(trickle, 0, 500)

    trickle.heard_other(500)
    due_at = trickle.due_at
    trickle.heard_other(501)

    assert 515 <= due_at < 530
    assert trickle.due_at == due_at


def test_who_slept_for_a_week_speaks_soon_and_once() -> None:
    trickle = Trickle(PACE, Random(1), 0.0)
    week_s = 7 * 86400.0

    trickle.is_due(week_s)

    assert week_s - PACE.most_s <= trickle.due_at <= week_s + PACE.most_s
    assert len(said_in(trickle, week_s - PACE.most_s, week_s + PACE.most_s)) <= 2
