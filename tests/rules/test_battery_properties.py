"""What holds for the battery whatever the sensor says."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kiezbox.battery import BatteryState, Sample, Stage, charge_percent, hours_left, step
from kiezbox.settings import BatterySettings

ANY_FLOAT = st.floats(allow_nan=True, allow_infinity=True)
SETTINGS = st.builds(
    BatterySettings,
    capacity_ah=st.floats(0.1, 2000),
    chemistry=st.sampled_from(["lifepo4", "liion", "lead"]),
    cells=st.integers(1, 16),
    charge_is_positive=st.booleans(),
    low_percent=st.floats(2, 90),
    critical_percent=st.floats(1, 50),
    hysteresis_percent=st.floats(1, 30),
)
SAMPLES = st.lists(
    st.tuples(
        st.one_of(st.none(), st.floats(8, 15), ANY_FLOAT),
        st.one_of(st.none(), st.floats(-30, 30), ANY_FLOAT),
        st.one_of(st.floats(0, 600), ANY_FLOAT),
    ),
    max_size=60,
)


def is_band(low: float, high: float) -> bool:
    return 0 <= low <= high + 1e-9 <= 100 + 1e-9


@given(samples=SAMPLES, settings=SETTINGS)
def test_no_number_makes_a_step_fail_or_the_band_leave_its_limits(
    samples: list[tuple[float | None, float | None, float]], settings: BatterySettings
) -> None:
    state, now = BatteryState(), 0.0
    for voltage, current, pause in samples:
        state = step(state, Sample(voltage, current, now + pause), settings).state
        now = now + pause if 0 <= pause < 1e6 else now

        assert is_band(*charge_percent(state, settings))
        hours = hours_left(state, settings)
        assert hours is None or 0 <= hours.low <= hours.high + 1e-9


@given(
    percent=st.floats(0, 100),
    flow=st.lists(st.floats(-3, 3), min_size=1, max_size=60),
    health=st.floats(0.8, 1.05),
    gain=st.floats(0.985, 1.015),
    offset=st.floats(-0.002, 0.002),
)
def test_the_truth_stays_in_the_band_under_every_error_the_sensor_may_have(
    percent: float, flow: list[float], health: float, gain: float, offset: float
) -> None:
    """A model battery that is neither over-full nor emptied, so the ends play no part."""
    settings = BatterySettings(capacity_ah=12.0)
    true = percent
    state = BatteryState(low=percent, high=percent)
    now = 0.0
    state = step(state, Sample(13.2, offset, now), settings).state
    for current in flow:
        # Each current is held for ten samples of a minute, as loads are; the count sees the
        # jump in between as the trapezoid rule does.
        for _ in range(10):
            before = state.current_a or 0.0
            measured = current * gain + offset
            moved = (((before - offset) / gain) + current) / 2 / 60
            true += 100 * moved * (0.99 if moved > 0 else 1.0) / (12.0 * health)
            if not 0 <= true <= 100:
                return
            now += 60
            state = step(state, Sample(13.2, measured, now), settings).state
            low, high = charge_percent(state, settings)

            assert low - 1e-6 <= true <= high + 1e-6


@given(samples=SAMPLES, settings=SETTINGS)
def test_the_same_day_twice_ends_the_same(
    samples: list[tuple[float | None, float | None, float]], settings: BatterySettings
) -> None:
    def told() -> list[Any]:
        state, now, results = BatteryState(), 0.0, []
        for voltage, current, pause in samples:
            now += pause if 0 <= pause < 1e6 else 0.0
            result = step(state, Sample(voltage, current, now), settings)
            state = result.state
            results.append(result)
        return results

    assert told() == told()


@given(samples=SAMPLES, settings=SETTINGS)
def test_a_count_kept_and_taken_up_at_once_is_the_same_count(
    samples: list[tuple[float | None, float | None, float]], settings: BatterySettings
) -> None:
    state, now = BatteryState(), 0.0
    for voltage, current, pause in samples:
        now += pause if 0 <= pause < 1e6 else 0.0
        state = step(state, Sample(voltage, current, now), settings).state

    kept = json.loads(json.dumps(state.to_dict()))
    resumed = BatteryState.from_dict(kept, 5.0, settings, 0.0)

    assert resumed.stage is state.stage
    assert charge_percent(resumed, settings) == charge_percent(state, settings)


@given(samples=st.lists(st.tuples(st.floats(12, 14), st.floats(-1, 1)), max_size=20))
def test_a_band_of_a_hundred_points_is_never_a_low_battery(
    samples: list[tuple[float, float]],
) -> None:
    """Ten minutes after the count was lost, unknown is all that is left of any stage."""
    settings = BatterySettings(capacity_ah=100.0)
    state = BatteryState(stage=Stage.CRITICAL)
    now = 0.0
    for voltage, current in [*samples, (13.0, 0.0)]:
        now += 60
        state = step(state, Sample(voltage, current, now), settings).state

        if charge_percent(state, settings) == (0, 100) and now >= 660:
            assert state.stage is Stage.UNKNOWN


JSON = st.none() | st.booleans() | st.floats() | st.sampled_from(["", "low", "nan", "7"])


@given(
    st.dictionaries(st.sampled_from(sorted(BatteryState().to_dict())), JSON),
    st.one_of(st.none(), ANY_FLOAT),
)
def test_no_document_makes_a_box_fail_to_wake(
    document: dict[str, Any], off_s: float | None
) -> None:
    settings = BatterySettings()
    for words in (document, {**BatteryState().to_dict(), **document}):
        state = BatteryState.from_dict(words, 5.0, settings, off_s)
        state = step(state, Sample(13.2, -1.0, 6.0), settings).state

        assert is_band(*charge_percent(state, settings))
