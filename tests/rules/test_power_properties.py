"""What holds for the grid whatever the sources say and whenever they are asked."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from kiezbox import power
from kiezbox.power import Grid
from kiezbox.settings import PowerSettings

PLAIN = PowerSettings()
WORDS = st.sampled_from(["present", "lost", "silent"])
VOTES = st.dictionaries(st.sampled_from(["pin", "ups", "meter"]), WORDS, max_size=3)
ANY_FLOAT = st.floats(allow_nan=True, allow_infinity=True)
STEPS = st.lists(st.tuples(VOTES, st.floats(0.05, 700)), max_size=60)


def play(
    say: Callable[[float], dict[str, str]],
    until: float,
    *,
    every: float,
    first_look: float = 0.0,
    state: power.PowerState | None = None,
) -> list[tuple[float, str]]:
    """Look every so often, or when a step asks to be called; the states entered, with times."""
    now, entered = first_look, []
    state = state or power.start(now)
    settings = PowerSettings(interval_s=every)
    while now <= until:
        result = power.step(state, say(now), now, settings)
        state = result.state
        entered += [(now, fired.after) for fired in result.fired]
        now += min(every, result.next_in_s)
    return entered


@given(every=st.floats(0.1, 2.0), lost_at=st.floats(20, 24), first_look=st.floats(0, 2))
def test_one_source_confirms_a_loss_within_ten_seconds_however_often_it_is_asked(
    every: float, lost_at: float, first_look: float
) -> None:
    entered = play(
        lambda now: {"pin": "lost" if now >= lost_at else "present"},
        lost_at + 12,
        every=every,
        first_look=first_look,
    )

    confirmed_at = next(now for now, state in entered if state == "lost")
    assert 8 - 1e-3 <= confirmed_at - lost_at <= 10 + 1e-3


@given(every=st.floats(0.1, 2.0), lost_at=st.floats(20, 24), first_look=st.floats(0, 2))
def test_two_sources_confirm_a_loss_within_three_seconds_however_often_they_are_asked(
    every: float, lost_at: float, first_look: float
) -> None:
    def say(now: float) -> dict[str, str]:
        word = "lost" if now >= lost_at else "present"
        return {"pin": word, "ups": word}

    entered = play(say, lost_at + 12, every=every, first_look=first_look)

    confirmed_at = next(now for now, state in entered if state == "lost")
    assert 1 - 1e-3 <= confirmed_at - lost_at <= 3 + 1e-3


@given(
    flickers=st.lists(st.tuples(st.floats(2.1, 60), st.floats(0.01, 7.9)), max_size=20),
    every=st.floats(0.1, 2.0),
)
def test_flickers_shorter_than_the_bridge_never_open(
    flickers: list[tuple[float, float]], every: float
) -> None:
    """With a pause between them that is long enough to be seen at all."""
    gone, now = [], 10.0
    for pause, length in flickers:
        gone.append((now + pause, now + pause + length))
        now += pause + length

    def say(at: float) -> dict[str, str]:
        is_gone = any(start <= at < end for start, end in gone)
        return {"pin": "lost" if is_gone else "present"}

    entered = play(say, now + 20, every=every)

    assert "lost" not in {state for _, state in entered}


@given(steps=STEPS)
def test_a_loss_is_only_ever_confirmed_by_sources_that_all_say_lost(
    steps: list[tuple[dict[str, str], float]],
) -> None:
    """So neither silence nor a contradiction starts an emergency."""
    state, now = power.start(0.0), 0.0
    for votes, pause in steps:
        now += pause
        before = state.grid
        result = power.step(state, votes, now, PLAIN)
        state = result.state
        if before not in power.OUTAGE and state.grid in power.OUTAGE:
            assert set(votes.values()) - {"silent"} == {"lost"}


@given(steps=st.lists(st.tuples(VOTES, st.floats(0.05, 300)), max_size=60))
def test_without_a_loss_that_was_seen_silence_and_contradiction_never_open(
    steps: list[tuple[dict[str, str], float]],
) -> None:
    state, now = power.start(0.0), 0.0
    for votes, pause in steps:
        now += pause
        if set(votes.values()) - {"silent"} == {"lost"}:
            votes = {**votes, "second": "present"}
        state = power.step(state, votes, now, PLAIN).state

        assert state.grid not in power.OUTAGE


@given(steps=STEPS)
def test_an_outage_ends_only_after_ten_minutes_in_which_nobody_said_lost(
    steps: list[tuple[dict[str, str], float]],
) -> None:
    state, now, lost_at = power.start(0.0), 0.0, 0.0
    state = power.PowerState(grid=Grid.LOST)
    for votes, pause in steps:
        now += pause
        before = state.grid
        state = power.step(state, votes, now, PLAIN).state
        if set(votes.values()) - {"silent"} == {"lost"}:
            lost_at = now
        if before in power.OUTAGE and state.grid not in power.OUTAGE:
            assert now - lost_at >= PLAIN.return_hold_s - 1e-3


TEXT = st.sampled_from(["", "pin", "lost", "LOST", "gone", "present"])


@given(st.lists(st.tuples(st.dictionaries(TEXT, TEXT), ANY_FLOAT)))
def test_no_number_and_no_word_makes_a_step_fail(
    steps: list[tuple[dict[str, str], float]],
) -> None:
    state = power.start(0.0)
    for votes, now in steps:
        result = power.step(state, votes, now, PLAIN)
        state = result.state

        assert 0 < result.next_in_s <= PLAIN.interval_s
        assert isinstance(state.grid, Grid)


@given(steps=STEPS)
def test_the_same_evening_twice_ends_the_same(steps: list[tuple[dict[str, str], float]]) -> None:
    def told() -> list[power.PowerStep]:
        state, now, results = power.start(0.0), 0.0, []
        for votes, pause in steps:
            now += pause
            results.append(power.step(state, votes, now, PLAIN))
            state = results[-1].state
        return results

    assert told() == told()


@settings(max_examples=60)
@given(steps=STEPS, vote=WORDS, off_s=st.one_of(st.none(), st.floats(0, 1e6)))
def test_a_restarted_box_comes_to_the_same_belief_and_never_sooner(
    steps: list[tuple[dict[str, str], float]], vote: str, off_s: float | None
) -> None:
    """Bridges and hold-downs begin anew; what is believed, and what follows from it, is kept."""
    state, now = power.start(0.0), 0.0
    for votes, pause in steps:
        now += pause
        state = power.step(state, votes, now, PLAIN).state
    kept = power.PowerState.from_dict(state.to_dict(now), 0.0, off_s)
    assert kept.grid is state.grid

    through = play(lambda _: {"pin": vote}, now + 700, every=1.0, first_look=now, state=state)
    restarted = play(lambda _: {"pin": vote}, 700, every=1.0, state=kept)

    assert [word for _, word in through] == [word for _, word in restarted]
    for (sooner, _), (later, _) in zip(through, restarted, strict=True):
        assert later >= sooner - now - 1e-3
