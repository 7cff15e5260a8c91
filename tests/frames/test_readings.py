"""Blocks of readings: in and out under the same ids, and nothing worse than BadFrame."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest
from blocks import BOOT, KEY, NOON, ORIGIN, a_block, any_block
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiezbox.clock import ManualClock
from kiezbox.frames import BadFrame, kind_of, sealed
from kiezbox.frames.fields import BY_CODE, FIELDS, SETS
from kiezbox.frames.header import Kind
from kiezbox.frames.readings import Block, Track, Value, decode, encode, fitting, origin_of
from kiezbox.frames.sampling import sampled, starts_before
from kiezbox.model import Flag, Measurement, Quantity, Reading, serial_of
from kiezbox.publishers._lora_payload import FIELDS as LORAWAN
from kiezbox.settings import StoreSettings
from kiezbox.store import Store

T, P, RAIN = Quantity.TEMPERATURE_C, Quantity.PRESSURE_HPA, Quantity.RAIN_MM

#: What the best sensor we drive declares, in the quantity's unit (data sheets as in fields.py); of
#: particulates up to 100 µg/m³.
ACCURACY = {
    Quantity.TEMPERATURE_C: 0.2, Quantity.HUMIDITY_PERCENT: 1.8, Quantity.PRESSURE_HPA: 1.0,
    Quantity.PM1_UG_M3: 10, Quantity.PM2_5_UG_M3: 10, Quantity.PM4_UG_M3: 25,
    Quantity.PM10_UG_M3: 25, Quantity.CO2_PPM: 30, Quantity.NO2_UG_M3: 28, Quantity.O3_UG_M3: 30,
}  # fmt: skip

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]


# --- what goes in comes out --------------------------------------------------------------------


@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
@given(any_block(24))
def test_what_a_box_sends_another_box_reads(block: Block) -> None:
    got = decode(encode(block, KEY), KEY)

    given_values = sorted(block, key=lambda one: (one.slot, one.quantity.value, one.at_ms))
    got_values = sorted(got, key=lambda one: (one.slot, one.quantity.value, one.at_ms))
    assert got.origin == block.origin
    assert got.names == block.names
    assert len(got_values) == len(given_values)
    for sent, there in zip(given_values, got_values, strict=True):
        assert there[:4] == sent[:4], "slot, quantity, serial, time"
        assert there.flag == sent.flag
        assert there.is_clock_trusted == sent.is_clock_trusted
        # Half a step; where steps double, that of the coarser side.
        assert abs(there.value - sent.value) <= max(there.resolution, sent.resolution) / 2 + 1e-6


@settings(max_examples=40, deadline=None, suppress_health_check=SLOW)
@given(any_block(24))
def test_what_was_read_is_sent_on_as_the_same_bytes(block: Block) -> None:
    frame = encode(block, KEY)

    assert encode(decode(frame, KEY), KEY) == frame


def test_a_row_keeps_the_id_it_has_in_its_store() -> None:
    got = list(decode(encode(a_block(), KEY), KEY))

    temperatures = [one for one in got if one.quantity is T]
    assert temperatures[0].serial == serial_of(BOOT, 129_600)
    assert temperatures[5].serial == serial_of(BOOT, 129_600 + 5 * 90)
    assert temperatures[5].at_ms == (NOON + 3000) * 1000
    assert [one.value for one in temperatures] == [21.5, 21.55, 21.5, 21.6, 21.75, 21.7]
    assert temperatures[0].resolution == 0.05


def test_counters_that_leave_their_rhythm_arrive_as_they_were() -> None:
    counters = (10, 97, 190, 500, 501, 7)
    track = Track(3, T, tuple(Value(20.0, Flag.GOOD, counter) for counter in counters))
    other = Track(9, P, tuple(Value(1000.0, Flag.GOOD, counter + 3) for counter in counters))

    got = decode(encode(a_block(tracks=(track, other)), KEY), KEY)

    assert [one.counter for one in got.tracks[0].values if one] == list(counters)
    assert [one.counter for one in got.tracks[1].values if one] == [c + 3 for c in counters]


def test_a_failed_read_of_one_sensor_bends_all_counters_for_the_price_of_one() -> None:
    def tracks(bend: int) -> tuple[Track, ...]:
        return tuple(
            Track(slot, P, tuple(
                Value(1000.0, Flag.GOOD, 7000 + 9 * n + slot - (bend if n > 30 else 0))
                for n in range(60)))
            for slot in range(8)
        )  # fmt: skip

    straight = encode(a_block(interval_s=60, tracks=tracks(0)), KEY)
    bent = encode(a_block(interval_s=60, tracks=tracks(3)), KEY)

    # One bend of a series, and at most a bit for each of the others.
    assert len(bent) - len(straight) <= 7


def test_means_have_no_serial_but_a_time() -> None:
    means = a_block(boot=None)
    means = replace(means, tracks=tuple(
        replace(track, values=tuple(value and value._replace(counter=0) for value in track.values))
        for track in means.tracks))  # fmt: skip

    got = decode(encode(means, KEY), KEY)

    assert got.boot is None
    assert {one.serial for one in got} == {None}
    assert got == means


def test_an_unsure_clock_is_said() -> None:
    block = a_block(is_clock_unsure=True, starts_at=1200)

    got = decode(encode(block, KEY), KEY)

    assert got.starts_at == 1200
    assert not any(one.is_clock_trusted for one in got)


def test_series_may_be_of_different_length_and_rhythm() -> None:
    values = tuple(Value(20.0, Flag.GOOD, 9 * n) for n in range(60))
    tracks = (
        Track(0, T, values),
        Track(1, P, tuple(value and value._replace(value=1000.0) if n % 5 == 2 else None
                          for n, value in enumerate(values))),
        Track(2, RAIN, tuple(value and value._replace(value=0.0) if n < 7 else None
                             for n, value in enumerate(values))),
    )  # fmt: skip
    block = a_block(interval_s=60, tracks=tracks)

    got = decode(encode(block, KEY), KEY)

    assert got.tracks == tracks


def test_missing_values_are_cheap() -> None:
    """An hour of minutes with a gap in it is hardly longer than one without."""
    values = tuple(Value(20.0 + n % 3 / 20, Flag.GOOD, 9 * n) for n in range(60))
    gap: tuple[Value | None, ...] = values[:20] + (None,) * 15 + values[35:]
    whole = encode(a_block(interval_s=60, tracks=(Track(0, T, values),)), KEY)

    holed = encode(a_block(interval_s=60, tracks=(Track(0, T, gap),)), KEY)

    assert len(holed) <= len(whole) + 2


def test_names_of_sensors_travel_now_and_then() -> None:
    block = a_block(names={0: "roof_corrected"})

    assert decode(encode(block, KEY), KEY).names == {0: "roof_corrected"}
    assert len(encode(block, KEY)) - len(encode(a_block(), KEY)) <= 13


def test_a_block_that_is_too_long_is_halved_until_it_fits() -> None:
    chance = random.Random(4)
    tracks = tuple(
        Track(slot, T, tuple(Value(chance.uniform(-20, 40), Flag.GOOD, 9 * n + slot)
                             for n in range(60)))
        for slot in range(6)
    )  # fmt: skip
    block = a_block(interval_s=60, tracks=tracks, names={0: "roof"})

    frames = fitting(block, KEY, 200)

    got = [one for frame in frames for one in decode(frame, KEY)]
    assert max(map(len, frames)) <= 200
    assert {one.serial for one in got} == {one.serial for one in block}
    assert {(one.serial, one.at_ms) for one in got} == {(one.serial, one.at_ms) for one in block}
    assert [decode(frame, KEY).names for frame in frames].count({0: "roof"}) == 1


def test_a_single_step_that_is_too_long_is_divided_by_its_series() -> None:
    chance = random.Random(5)
    tracks = tuple(
        Track(slot, T, (Value(chance.uniform(-90, 140), Flag.GOOD, chance.randrange(1 << 30)),))
        for slot in range(32)
    )
    block = a_block(tracks=tracks, names={n: f"sensor_with_a_name_{n}" for n in range(32)})

    frames = fitting(block, KEY, 200)

    blocks = [decode(frame, KEY) for frame in frames]
    assert max(map(len, frames)) <= 200
    assert {one.serial for each in blocks for one in each} == {one.serial for one in block}
    assert {slot: name for each in blocks for slot, name in each.names.items()} == block.names


def test_a_value_that_never_fits_is_said() -> None:
    with pytest.raises(ValueError, match="one value"):
        fitting(a_block(), KEY, 20)


# --- fields ------------------------------------------------------------------------------------


def test_every_quantity_can_go_on_the_air_under_the_code_it_has_in_lorawan() -> None:
    assert set(FIELDS) == set(Quantity)
    assert {quantity: field.code for quantity, field in FIELDS.items()} == {
        quantity: field.code for quantity, field in LORAWAN.items()
    }
    assert len(BY_CODE) == len(FIELDS)
    assert all(code in BY_CODE for codes in SETS for code in codes)
    assert len(set(SETS)) == len(SETS) <= 7 + 15, "four bits, one of which says: none of these"
    assert all(list(c) == sorted(set(c)) for c in SETS)


@pytest.mark.parametrize("quantity", ACCURACY)
def test_a_step_is_less_than_a_third_of_the_declared_accuracy(quantity: Quantity) -> None:
    field = FIELDS[quantity]

    assert field.resolution(20.0, is_fine=False) < ACCURACY[quantity] / 3
    assert field.resolution(20.0, is_fine=True) <= field.resolution(20.0, is_fine=False)


def test_the_steps_are_those_of_the_goal() -> None:
    """Goal c1: 0.05 °C, 0.5 %, 0.1 hPa, 0.5 µg/m³, 5 ppm, 0.02 V (performance.md)."""
    at = {T: (20, 0.05), Quantity.HUMIDITY_PERCENT: (50, 0.5), P: (1000, 0.1),
          Quantity.PM2_5_UG_M3: (10, 0.5), Quantity.PM10_UG_M3: (30, 0.5),
          Quantity.CO2_PPM: (600, 5), Quantity.VOLTAGE_V: (13, 0.02)}  # fmt: skip

    for quantity, (value, step) in at.items():
        assert FIELDS[quantity].resolution(value, is_fine=False) == pytest.approx(step)


@pytest.mark.parametrize("quantity", FIELDS)
@pytest.mark.parametrize("is_fine", [False, True])
def test_every_number_of_a_field_is_a_value_that_has_this_number(
    quantity: Quantity, is_fine: bool
) -> None:
    field = FIELDS[quantity]
    highest = field.highest(is_fine=is_fine)

    numbers = {*range(0, highest, max(1, highest // 2000)), highest, min(highest, 1023, 63)}
    values = [field.value(number, is_fine=is_fine) for number in sorted(numbers)]

    assert [field.number(value, is_fine=is_fine) for value in values] == sorted(numbers)
    assert values == sorted(values)


def test_dust_has_even_steps_at_first_and_then_a_sixtyfourth_of_the_value() -> None:
    dust = FIELDS[Quantity.PM10_UG_M3]

    def carried(value: float) -> float:
        number = dust.number(value, is_fine=False)
        assert number is not None
        return dust.value(number, is_fine=False)

    assert [carried(value) for value in (0.2, 0.3, 12.3, 31.4, 31.8, 32.4, 63.4)] == [
        0.0, 0.5, 12.5, 31.5, 32.0, 32.0, 63.0,
    ]  # fmt: skip
    assert all(abs(carried(v / 10) - v / 10) <= max(0.25, v / 640) + 1e-9 for v in range(65_000))


@pytest.mark.parametrize("value", [-100.1, 151.0, float("nan"), float("inf")])
def test_what_no_field_can_say_is_refused_and_never_bent(value: float) -> None:
    assert FIELDS[T].number(value, is_fine=False) is None
    with pytest.raises(ValueError, match="temperature_c cannot be"):
        encode(a_block(tracks=(Track(0, T, (Value(value),)),)), KEY)


# --- what is no block --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"origin": b"abc"}, "origin"),
        ({"tracks": ()}, "0 series"),
        ({"tracks": (Track(0, T, (None, None)),)}, "without a value"),
        ({"tracks": (Track(0, T, (Value(1.0),)),) * 2}, "twice"),
        ({"tracks": (Track(0, T, (Value(1.0),)), Track(0, P, (Value(999.0),) * 2))}, "length"),
        ({"tracks": (Track(32, T, (Value(1.0),)),)}, "slot"),
        ({"tracks": (Track(0, T, (Value(1.0),) * 65),)}, "65 steps"),
        ({"tracks": (Track(0, T, (Value(1.0, 3),)),)}, "flag=3"),
        ({"tracks": (Track(0, T, (Value(1.0, 0, 1 << 36),)),)}, "counter"),
        ({"starts_at": NOON + 1}, "multiple"),
        ({"starts_at": 1200}, "beginning"),
        ({"interval_s": 0}, "interval"),
        ({"phase": 64}, "phase"),
        ({"boot": 1 << 27}, "boot"),
        ({"names": {0: "Dach"}}, "name"),
        ({"names": {1: "roof"}}, "slot that is not there"),
    ],
)
def test_what_is_no_block_is_said_before_it_is_in_the_air(
    changes: dict[str, object], what: str
) -> None:
    with pytest.raises(ValueError, match=what):
        encode(a_block(**changes), KEY)


# --- hostile bytes -----------------------------------------------------------------------------


def _is_a_block_or_bad(frame: bytes) -> bool:
    """True for a block; then it is one that this box could have sent itself."""
    try:
        block = decode(frame, KEY)
    except BadFrame:
        return False
    assert decode(encode(block, KEY), KEY) == block
    return True


def test_every_cut_and_every_flipped_bit_of_a_frame_is_noticed() -> None:
    frame = encode(a_block(), KEY)

    for size in range(len(frame)):
        with pytest.raises(BadFrame):
            decode(frame[:size], KEY)
    for bit in range(8 * len(frame)):
        changed = bytearray(frame)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(BadFrame):
            decode(bytes(changed), KEY)


def test_one_of_the_kiez_who_seals_rubbish_does_no_harm() -> None:
    """Every cut and every flipped bit, sealed anew: a block, or a bad frame."""
    inner = encode(a_block(names={0: "roof"}), KEY)[:-8]

    for size in range(len(inner)):
        _is_a_block_or_bad(sealed(inner[:size], KEY))
    for bit in range(8 * len(inner)):
        changed = bytearray(inner)
        changed[bit // 8] ^= 1 << bit % 8
        _is_a_block_or_bad(sealed(bytes(changed), KEY))


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_block_or_a_bad_frame(data: bytes) -> None:
    _is_a_block_or_bad(data)
    _is_a_block_or_bad(sealed(b"\x22" + ORIGIN + data, KEY))


def test_the_work_of_a_frame_is_bounded_by_what_a_block_can_hold() -> None:
    """200 bytes can claim 2,048 values and no more."""
    most = 0
    for seed in range(300):
        chance = random.Random(seed)
        data = bytes(chance.choice((0, 255, chance.randrange(256))) for _ in range(187))
        try:
            block = decode(sealed(b"\x22" + ORIGIN + data, KEY), KEY)
        except BadFrame:
            continue
        most = max(most, sum(1 for _ in block))
    assert most <= 32 * 64


def test_something_behind_the_end_is_no_frame() -> None:
    inner = encode(a_block(), KEY)[:-8]

    with pytest.raises(BadFrame):
        decode(sealed(inner + b"\0", KEY), KEY)
    with pytest.raises(BadFrame):
        decode(sealed(inner + bytes(9) + b"\1", KEY), KEY)


def test_an_origin_is_told_before_anything_is_believed() -> None:
    frame = encode(a_block(), KEY)

    assert kind_of(frame) is Kind.READINGS
    assert origin_of(frame) == ORIGIN
    for other in (b"", b"\x22", b"\x22abc", b"\x20" + frame[1:]):
        with pytest.raises(BadFrame):
            origin_of(other)


# --- rows of the store -------------------------------------------------------------------------


def _row(counter: int, series: int, at_ms: int, value: float, boot: int = BOOT, **more: int) -> (
    Reading
):  # fmt: skip
    return Reading(serial_of(boot, counter), series, at_ms, at_ms % 10**9, value, **more)  # type: ignore[arg-type]


SERIES = {7: (0, T), 8: (0, P)}


def test_rows_of_minutes_fill_the_minutes_of_a_block() -> None:
    rows = [
        row
        for n in range(60)
        for row in (
            # The sensors are read 17 s after the minute, and a little early or late.
            _row(2 * n + 1, 7, (NOON + 60 * n + 17) * 1000 + (n % 3 - 1) * 900, 20 + n / 20),
            _row(2 * n + 2, 8, (NOON + 60 * n + 17) * 1000 + (n % 3 - 1) * 900, 1000.0),
        )
    ]

    (block,) = sampled(ORIGIN, rows, SERIES, starts_at=NOON, interval_s=60, steps=60)

    got = list(decode(encode(block, KEY), KEY))
    assert [one.serial for one in got] == [row.serial for row in rows[::2] + rows[1::2]]
    assert max(abs(one.at_ms - row.taken_ms) for one, row in
               zip(got, rows[::2] + rows[1::2], strict=True)) < 2000  # fmt: skip


def test_of_many_rows_the_one_nearest_to_a_step_is_taken() -> None:
    rows = [_row(n, 7, (NOON - 300 + 60 * n) * 1000, 20.0) for n in range(70)]

    (block,) = sampled(ORIGIN, rows, SERIES, starts_at=NOON, interval_s=600, steps=6)

    assert [one.serial for one in block] == [serial_of(BOOT, 5 + 10 * n) for n in range(6)]


def test_a_restart_and_a_clock_that_was_set_make_blocks_of_their_own() -> None:
    rows = [
        _row(1, 7, NOON * 1000, 20.0, clock_trusted=0),
        _row(2, 7, (NOON + 60) * 1000, 20.0),
        _row(1, 7, (NOON + 120) * 1000, 20.0, boot=BOOT + 1),
        _row(5, 99, (NOON + 120) * 1000, 20.0),
        _row(6, 7, (NOON + 180) * 1000, 999.0),
    ]

    blocks = sampled(
        ORIGIN, rows, SERIES, starts_at=NOON, interval_s=60, steps=6, names={0: "roof", 4: "x"}
    )

    assert [(block.boot, block.is_clock_unsure) for block in blocks] == [
        (BOOT, True), (BOOT, False), (BOOT + 1, False),
    ]  # fmt: skip
    assert [one.serial for block in blocks for one in block] == [row.serial for row in rows[:3]]
    assert blocks[1].names == {0: "roof"}


def test_more_series_than_a_block_holds_make_two() -> None:
    series = {n: (n % 32, (T, P)[n // 32]) for n in range(40)}
    rows = [_row(n + 1, n, NOON * 1000, 900.0 if n >= 32 else 20.0) for n in range(40)]

    blocks = sampled(ORIGIN, rows, series, starts_at=NOON, interval_s=60, steps=1)

    assert [len(block.tracks) for block in blocks] == [32, 8]
    got = [one.serial for block in blocks for one in decode(encode(block, KEY), KEY)]
    assert sorted(got, key=str) == sorted((row.serial for row in rows), key=str)


def test_what_a_real_store_has_arrives_under_the_same_ids(tmp_path: Path) -> None:
    clock = ManualClock(NOON + 3.0)
    store = Store.open(StoreSettings(path=str(tmp_path / "kiezbox.db")), "kb-kanalufer", clock)
    try:
        for n in range(12):
            store.add("roof", [Measurement(T, 20 + n / 10), Measurement(P, 1000 - n / 10)])
            if n != 5:  # It failed once.
                store.add("dust", [Measurement(Quantity.PM10_UG_M3, 12.0, None, Flag.SUSPECT)])
            clock.advance(60)
        batch = store.after(0, 1000)
        slots = {"roof": 0, "dust": 1}
        series = {
            number: (slots[one.sensor], Quantity(one.quantity))
            for number, one in batch.series.items()
        }
        rows = list(batch)
    finally:
        store.close()

    (block,) = sampled(ORIGIN, rows, series, starts_at=NOON, interval_s=60, steps=12)
    got = {one.serial: one for one in decode(encode(block, KEY), KEY)}

    assert set(got) == {row.serial for row in rows}
    for row in rows:
        one = got[row.serial]
        assert abs(one.at_ms - row.taken_ms) <= 1000
        assert abs(one.value - row.value) <= one.resolution / 2 + 1e-6
        assert one.flag == row.flag
        assert one.is_clock_trusted == bool(row.clock_trusted)


def test_a_block_begins_at_a_multiple_of_its_interval_since_2025() -> None:
    assert starts_before(NOON + 599.9, 600) == NOON
    assert starts_before(1_735_689_600 + 7 * 5 + 1, 7) == 1_735_689_600 + 35
