"""Blocks for tests: by hand, and any that a box could have."""

from __future__ import annotations

from hypothesis import strategies as st

from kiezbox.frames.fields import FIELDS
from kiezbox.frames.readings import EPOCH, Block, Track, Value
from kiezbox.model import Flag, Quantity

KEY = bytes(range(32))
ORIGIN = bytes.fromhex("0dca6f76")

#: 2026-11-30T12:00:00Z.
NOON = 1_796_040_000
#: A boot ten days before, as the clock gives it out.
BOOT = (NOON - 10 * 86_400 - EPOCH) // 10


def a_block(steps: int = 6, **changes: object) -> Block:
    """Three series of one climate sensor at ten minutes, rows of nine a minute."""

    def track(quantity: Quantity, place: int, *values: float) -> Track:
        return Track(0, quantity, tuple(
            Value(value, Flag.GOOD, 129_600 + 90 * n + place)
            for n, value in enumerate((values * steps)[:steps])
        ))  # fmt: skip

    given: dict[str, object] = {
        "origin": ORIGIN,
        "starts_at": NOON,
        "interval_s": 600,
        "boot": BOOT,
        "tracks": (
            track(Quantity.TEMPERATURE_C, 0, 21.5, 21.55, 21.5, 21.6, 21.75, 21.7),
            track(Quantity.HUMIDITY_PERCENT, 1, 55.5, 55, 55, 54.5, 54, 54),
            track(Quantity.PRESSURE_HPA, 2, 1008.4, 1008.4, 1008.3, 1008.3, 1008.3, 1008.2),
        ),
    }
    return Block(**{**given, **changes})  # type: ignore[arg-type]


@st.composite
def any_block(draw: st.DrawFn, steps_most: int = 64) -> Block:
    """Any block that ``encode`` takes, mostly with courses as sensors have them."""
    is_rows = draw(st.booleans())
    is_unsure = draw(st.booleans())
    interval_s = draw(st.sampled_from((1, 10, 60, 166, 600, 3600, 86_400)))
    start_s = draw(st.integers(0, (1 << 30) - 1))
    steps = draw(st.integers(1, steps_most))
    places = draw(st.sets(
        st.tuples(st.integers(0, 31), st.sampled_from(sorted(FIELDS, key=lambda q: q.value))),
        min_size=1, max_size=6))  # fmt: skip
    is_fine = draw(st.booleans())
    stride = draw(st.integers(0, 200))
    first = draw(st.integers(0, 1 << draw(st.integers(1, 35))))
    tracks = tuple(
        Track(slot, quantity, _values(draw, quantity, steps, is_rows, first + n, stride))
        for n, (slot, quantity) in enumerate(sorted(places, key=lambda p: (p[0], p[1].value)))
    )
    names = {slot: f"s{slot}_{'x' * (slot % 27)}" for slot, _ in places if draw(st.booleans())}
    return Block(
        origin=draw(st.binary(min_size=4, max_size=4)),
        starts_at=(0 if is_unsure else EPOCH) + start_s // interval_s * interval_s,
        interval_s=interval_s,
        tracks=tracks,
        boot=draw(st.integers(0, (1 << 27) - 1)) if is_rows else None,
        phase=draw(st.sampled_from((0, 0, 0, 1, 63))),
        is_fine=is_fine,
        is_clock_unsure=is_unsure,
        names=names,
    )


def _values(
    draw: st.DrawFn, quantity: Quantity, steps: int, is_rows: bool, first: int, stride: int
) -> tuple[Value | None, ...]:
    field = FIELDS[quantity]
    value = draw(st.floats(field.least, field.most))
    swing = draw(st.sampled_from((0.0, 1.0, 30.0, 1e6))) * field.step_over / field.step_under
    chance = draw(st.randoms(use_true_random=False))
    gone, doubt = draw(st.sampled_from((0.0, 0.1, 0.9))), draw(st.sampled_from((0.0, 0.1, 0.9)))
    bends = draw(st.sampled_from((0.0, 0.1, 0.9)))
    values: list[Value | None] = []
    for n in range(steps):
        value = min(field.most, max(field.least, value + swing * chance.uniform(-1, 1)))
        counter = first + n * stride + (chance.randrange(1000) if chance.random() < bends else 0)
        flag = chance.choice((1, 2)) if chance.random() < doubt else 0
        is_there = chance.random() >= gone or (n == steps - 1 and not any(values))
        values.append(Value(value, Flag(flag), counter if is_rows else 0) if is_there else None)
    return tuple(values)
