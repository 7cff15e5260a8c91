"""The hour that the law gives, against a plain recount of everything that was on the air."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiezbox.airtime import Budget

DUTY = 0.10
LIMIT_S = 360.0
OFFICIAL, LIFE, BULLETIN, BOARD, NUMBERS = 0, 1, 3, 5, 6


def used_of_any_hour(sent: list[tuple[float, float]]) -> float:
    """The worst sixty minutes of what was recorded."""
    return max(
        (sum(s for at, s in sent if start <= at < start + 3600) for start, _ in sent), default=0.0
    )


EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.floats(0.05, 9.3), st.integers(0, 6)),
        st.tuples(st.just("relay"), st.floats(0.05, 9.3), st.just(0)),
        st.tuples(st.just("wait"), st.floats(0.0, 900.0), st.just(0)),
        st.tuples(st.just("report"), st.just(0.0), st.just(0)),
        st.tuples(st.just("radio restarts"), st.just(0.0), st.just(0)),
        st.tuples(st.just("we restart"), st.just(0.0), st.just(0)),
    ),
    max_size=120,
)


@given(EVENTS)
def test_no_hour_ever_has_more_of_ours_than_the_law_gives(
    events: list[tuple[str, float, int]],
) -> None:
    budget, now = Budget(DUTY), 1000.0
    ours: list[tuple[float, float]] = []
    radio: list[tuple[float, float]] = []
    for what, value, priority in events:
        if what == "send" and budget.take(now, value, priority):
            ours.append((now, value))
            radio.append((now, value))
        elif what == "relay":
            radio.append((now, value))
        elif what == "wait":
            now += value
        elif what == "report":
            budget.reported(now, sum(s for at, s in radio if at > now - 3600) / 3600)
        elif what == "radio restarts":
            radio.clear()
        elif what == "we restart":
            budget = Budget(DUTY, budget.spent(now))

    assert used_of_any_hour(ours) <= LIMIT_S + 1e-6


@given(st.lists(st.tuples(st.floats(0.1, 5), st.floats(0, 300)), max_size=60))
def test_with_what_the_radio_reports_no_hour_has_more_of_all_it_sent(
    steps: list[tuple[float, float]],
) -> None:
    budget, now = Budget(DUTY), 0.0
    sent: list[tuple[float, float]] = []
    for airtime_s, wait_s in steps:
        # A relay of something, and at once the radio's own word on it; then ours if it may go.
        if sum(s for at, s in sent if at > now - 3600) + airtime_s < LIMIT_S:
            sent.append((now, airtime_s))
        budget.reported(now, sum(s for at, s in sent if at > now - 3600) / 3600)
        if budget.take(now, airtime_s, LIFE):
            sent.append((now, airtime_s))
        now += wait_s

    assert used_of_any_hour(sent) <= LIMIT_S + 1e-6


def test_a_fifth_is_kept_for_what_saves_lives() -> None:
    budget = Budget(DUTY)
    board = sum(budget.take(0.0, 1.0, BOARD) for _ in range(1000))
    life = sum(budget.take(0.0, 1.0, LIFE) for _ in range(1000))

    assert (board, life) == (288, 72)


@pytest.mark.parametrize(
    "utilization, may",
    [(0.2, "0 1 2 3 4 5 6"), (0.3, "0 1 2 3 4"), (0.5, "0 1"), (1.0, "0 1")],
)
def test_on_a_busy_channel_only_what_is_urgent_goes(utilization: float, may: str) -> None:
    budget = Budget(DUTY)

    found = [p for p in range(7) if budget.may_send(0, 1, p, channel_utilization=utilization)]

    assert " ".join(map(str, found)) == may


def test_what_the_radio_relayed_leaves_less_and_comes_back_after_an_hour() -> None:
    budget = Budget(DUTY)
    budget.take(0.0, 60.0, BOARD)
    # It says 5 %: 180 s, of which 60 are ours.
    budget.reported(60.0, 0.05)
    assert budget.used_s(60.0) == pytest.approx(180)

    # Once more the same: nothing new was relayed.
    budget.reported(120.0, 0.05)
    assert budget.used_s(120.0) == pytest.approx(180)
    assert budget.used_s(61 * 60 + 59.0) == pytest.approx(120)
    assert budget.used_s(63 * 60.0) == 0


def test_when_there_is_room_again_is_known_and_true() -> None:
    budget = Budget(DUTY)
    for minute in range(29):
        assert budget.take(minute * 60.0, 10.0, BOARD) == (minute < 28)
    at = budget.free_at(29 * 60.0, 10.0, BOARD)

    assert not budget.may_send(at - 0.1, 10.0, BOARD)
    assert budget.may_send(at, 10.0, BOARD)
    assert budget.free_at(0.0, 361.0, OFFICIAL) == float("inf")


def test_a_packet_that_is_longer_than_the_rest_of_the_hour_is_refused_and_not_spent() -> None:
    budget = Budget(DUTY)

    assert not budget.take(0.0, LIMIT_S + 0.1, OFFICIAL)
    assert budget.used_s(0.0) == 0
