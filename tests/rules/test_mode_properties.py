"""What holds for the mode whatever happens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from hypothesis import example, given
from hypothesis import settings as few
from hypothesis import strategies as st

from kiezbox import mode
from kiezbox.battery import Stage
from kiezbox.mode import Mode, ModeState, ModeStep, Order, is_emergency_wlan
from kiezbox.mode.causes import CAUSES, Phase
from kiezbox.power import Grid
from kiezbox.settings import CauseSettings, CausesSettings, ModeSettings


class Look(NamedTuple):
    pause_s: float
    grid: Grid
    battery: Stage
    signals: Mapping[str, str]
    order: Order | None


CAUSE = st.builds(
    CauseSettings,
    enabled=st.booleans(),
    debounce_s=st.sampled_from([0.0, 30.0, 1800.0]),
    expiry_s=st.sampled_from([0.0, 60.0, 7200.0]),
)
SETTINGS = st.builds(
    ModeSettings,
    wlan_pause_s=st.sampled_from([0.0, 10.0, 300.0]),
    causes=st.builds(CausesSettings, **dict.fromkeys(CAUSES, CAUSE)),
)
ORDERS = st.builds(Order, st.sampled_from(mode.VERBS), st.floats(0, 100_000))
SIGNALS = st.dictionaries(
    st.sampled_from(sorted(set(CAUSES) - {"grid_lost", "operator"})), st.just("so"), max_size=4
)
LOOKS = st.lists(
    st.builds(
        Look,
        st.one_of(st.floats(0.01, 3), st.floats(0.01, 4000)),
        st.sampled_from(Grid),
        st.sampled_from(Stage),
        SIGNALS,
        st.one_of(st.none(), ORDERS),
    ),
    max_size=40,
)


def look(state: ModeState, at: Look, now: float, settings: ModeSettings) -> ModeStep:
    return mode.step(
        state,
        now=now,
        settings=settings,
        grid=at.grid,
        battery=at.battery,
        signals=at.signals,
        order=at.order,
    )


def play(looks: list[Look], settings: ModeSettings) -> list[tuple[float, Look, ModeStep]]:
    state, now, told = mode.start(0.0), 0.0, []
    for at in looks:
        now += at.pause_s
        told.append((now, at, look(state, at, now, settings)))
        state = told[-1][2].state
    return told


@given(looks=LOOKS, settings=SETTINGS)
def test_the_wlan_changes_at_most_once_per_pause(looks: list[Look], settings: ModeSettings) -> None:
    is_open, changed_at = False, float("-inf")
    for now, _, result in play(looks, settings):
        if result.state.is_open != is_open:
            assert now - changed_at >= settings.wlan_pause_s - 1e-3
            is_open, changed_at = result.state.is_open, now


@given(looks=LOOKS, settings=SETTINGS)
def test_an_unknown_or_present_grid_never_opens_a_box(
    looks: list[Look], settings: ModeSettings
) -> None:
    quiet = {grid: Grid.PRESENT if grid is Grid.PRESENT else Grid.UNKNOWN for grid in Grid}
    nights = [at._replace(grid=quiet[at.grid], signals={}, order=None) for at in looks]

    for _, _, result in play(nights, settings):
        assert not result.state.is_open
        assert result.state.mode not in (Mode.EMERGENCY, Mode.EXERCISE)


@given(looks=LOOKS, settings=SETTINGS)
def test_an_unknown_battery_never_saves_or_darkens(
    looks: list[Look], settings: ModeSettings
) -> None:
    for _, _, result in play([at._replace(battery=Stage.UNKNOWN) for at in looks], settings):
        assert result.state.mode not in (Mode.SAVING, Mode.DARK)


@given(looks=LOOKS, settings=SETTINGS)
def test_the_wlan_is_what_the_table_says_about_mode_and_causes(
    looks: list[Look], settings: ModeSettings
) -> None:
    for _, _, result in play(looks, settings):
        state = result.state
        if result.wanted is None:
            assert state.is_open == is_emergency_wlan(state.mode, bool(state.counting))


# An order of less than a tick ended in the step that took it, and its cause outlived it.
@example(
    looks=[Look(1.0, Grid.PRESENT, Stage.FULL, {}, Order("emergency", 4e-13))],
    settings=ModeSettings(wlan_pause_s=0.0),
)
@given(looks=LOOKS, settings=SETTINGS)
def test_what_is_wanted_is_done_at_once_or_waits_visibly_and_not_longer_than_the_pause(
    looks: list[Look], settings: ModeSettings
) -> None:
    for now, at, result in play(looks, settings):
        if result.wanted is None:
            assert result.wanted_in_s is None
            again = look(result.state, at._replace(order=None), now, settings)
            assert again.fired == ()
            continue
        assert result.wanted_in_s is not None
        assert 0 < result.wanted_in_s <= settings.wlan_pause_s
        later = look(result.state, at._replace(order=None), now + result.wanted_in_s, settings)
        assert later.wanted is None


@given(looks=LOOKS, settings=SETTINGS)
def test_no_drill_and_no_maintenance_stands_beside_a_real_cause(
    looks: list[Look], settings: ModeSettings
) -> None:
    for _, _, result in play(looks, settings):
        state = result.state
        real = [c for c in state.causes if c.phase is Phase.ACTIVE and c.name != "operator"]
        if real and state.order is not None:
            assert state.order.verb not in ("exercise", "maintenance")


@given(looks=LOOKS, settings=SETTINGS)
def test_a_critical_battery_closes_the_wlan_against_every_order(
    looks: list[Look], settings: ModeSettings
) -> None:
    for _, at, result in play(looks, settings):
        if at.battery is Stage.CRITICAL and result.wanted is None:
            assert result.state.mode is Mode.DARK
            assert not result.state.is_open


@given(looks=LOOKS, settings=SETTINGS)
def test_an_order_never_outlasts_its_end(looks: list[Look], settings: ModeSettings) -> None:
    ends = 0.0
    for now, at, result in play(looks, settings):
        if at.order is not None and at.order.verb != "auto":
            ends = now + min(at.order.lasts_s, settings.order_most_s)
        if result.state.order is not None:
            assert now < ends


@given(looks=LOOKS, settings=SETTINGS)
def test_a_switched_off_cause_never_counts(looks: list[Look], settings: ModeSettings) -> None:
    off = {name for name in CAUSES if not getattr(settings.causes, name).enabled}

    for _, _, result in play(looks, settings):
        assert off.isdisjoint(cause.name for cause in result.state.counting)


@few(max_examples=25)
@given(looks=LOOKS, settings=SETTINGS)
def test_the_same_nights_twice_end_the_same(looks: list[Look], settings: ModeSettings) -> None:
    assert play(looks, settings) == play(looks, settings)


@given(looks=LOOKS, more=LOOKS, settings=SETTINGS)
def test_a_state_kept_and_taken_up_again_goes_on_as_the_original(
    looks: list[Look], more: list[Look], settings: ModeSettings
) -> None:
    """As JSON, on a monotonic clock that begins anew; only debouncing begins anew too."""
    import json

    told = play(looks, settings)
    now, state = (told[-1][0], told[-1][2].state) if told else (0.0, mode.start(0.0))
    pending = tuple(
        replace(cause, since=now) if cause.phase is Phase.PENDING else cause
        for cause in state.causes
    )
    original = replace(state, causes=pending)
    document = json.loads(json.dumps(state.to_dict(now)))
    resumed = ModeState.from_dict(document, 7.0, 0.0)

    for at in more:
        # Whole seconds from here on: two clocks that differ by an offset round differently.
        now += (pause := 1.0 + round(at.pause_s))
        went_on = look(original, at, now, settings)
        original = went_on.state
        taken_up = look(resumed, at, 7.0 + pause, settings)
        resumed = ModeState.from_dict(taken_up.state.to_dict(7.0 + pause), 7.0, 0.0)
        if any(cause.phase is Phase.PENDING for cause in original.causes):
            return

        assert taken_up.state.mode is went_on.state.mode
        assert taken_up.state.is_open == went_on.state.is_open
        assert [f[:4] for f in taken_up.fired] == [f[:4] for f in went_on.fired]


@given(
    now=st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=8),
    lasts_s=st.floats(allow_nan=True, allow_infinity=True),
)
def test_no_number_makes_a_step_fail(now: list[float], lasts_s: float) -> None:
    state = mode.start(0.0)
    for at in now:
        order = Order("emergency", lasts_s)
        state = mode.step(state, now=at, settings=ModeSettings(), order=order).state

    assert isinstance(state.mode, Mode)


TEXT = st.sampled_from(["", "emergency", "verb", "rest_s", "grid_lost", "phase", "nan"])
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@given(
    document=st.dictionaries(
        st.sampled_from(["mode", "age_s", "is_open", "changed_age_s", "order", "causes"]), JSON
    )
)
def test_no_document_makes_a_box_fail_to_wake(document: dict[str, Any]) -> None:
    for words in (document, {**mode.start(0.0).to_dict(0.0), **document}):
        state = ModeState.from_dict(words, 5.0)

        assert mode.step(state, now=6.0, settings=ModeSettings()).state.mode in Mode
