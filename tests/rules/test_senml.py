"""Readings as SenML: what a receiver makes of them that has read RFC 8428 and nothing else."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from senml_rfc8428 import is_relative, resolve

from kiezbox import senml
from kiezbox.model import Batch, Flag, Quantity, Reading, Series, serial_of
from kiezbox.units import UNITS

T0 = 1_780_000_000_000

SERIES = {
    number: Series("roof", quantity.value) for number, quantity in enumerate(Quantity, start=1)
}
TEMPERATURE, PRESSURE, PM2_5 = 1, 3, 4


def reading(
    counter: int = 1,
    *,
    boot: int = 12,
    series: int = TEMPERATURE,
    taken_ms: int = T0,
    value: float = 21.5,
    raw: float | None = None,
    flag: int = 0,
    reason: str = "",
    trusted: int = 1,
) -> Reading:
    return Reading(
        serial_of(boot, counter), series, taken_ms, 5_000, value, raw, flag, reason, trusted
    )


def received(*readings: Reading, box: str = "kb-1") -> list[dict[str, object]]:
    return resolve(senml.pack(Batch(box, SERIES, readings)))


# --- the foreign receiver itself -------------------------------------------------------------


def test_the_receiver_of_these_tests_resolves_the_example_of_the_rfc() -> None:
    # RFC 8428 section 5.1.3 (the first six records) and its resolved form in section 5.1.4.
    pack = """[
      {"bn":"urn:dev:ow:10e2073a01080063","bt":1.320067464e+09,"bu":"%RH","v":20},
      {"u":"lon","v":24.30621},
      {"u":"lat","v":60.07965},
      {"t":60,"v":20.3},
      {"u":"lon","t":60,"v":24.30622},
      {"u":"lat","t":60,"v":60.07965}]"""

    resolved = resolve(pack)

    name = "urn:dev:ow:10e2073a01080063"
    assert resolved == [
        {"n": name, "u": "%RH", "t": 1.320067464e09, "v": 20},
        {"n": name, "u": "lon", "t": 1.320067464e09, "v": 24.30621},
        {"n": name, "u": "lat", "t": 1.320067464e09, "v": 60.07965},
        {"n": name, "u": "%RH", "t": 1.320067524e09, "v": 20.3},
        {"n": name, "u": "lon", "t": 1.320067524e09, "v": 24.30622},
        {"n": name, "u": "lat", "t": 1.320067524e09, "v": 60.07965},
    ]


@pytest.mark.parametrize(
    "pack",
    [
        '[{"n":"a","v":NaN}]',
        '[{"n":"a","v":1,"vs":"x"}]',
        '[{"n":"a"}]',
        '[{"v":1}]',
        '[{"n":"ä","v":1}]',
        '[{"n":"a","v":1,"new_":1}]',
        '[{"n":"a","u":"hPa","v":1}]',
        '[{"bver":10,"n":"a","v":1},{"bver":26,"v":2}]',
    ],
)
def test_the_receiver_of_these_tests_refuses_what_the_rfc_forbids(pack: str) -> None:
    with pytest.raises(ValueError):
        resolve(pack)


# --- ordinary readings -----------------------------------------------------------------------


def test_name_unit_time_value_and_id_arrive() -> None:
    records = received(reading(3456, value=21.54, taken_ms=1_780_000_000_123))

    assert records == [
        {
            "n": "kb-1/roof/temperature_c",
            "u": "Cel",
            "t": pytest.approx(1_780_000_000.123, abs=1e-6),
            "v": 21.54,
            "id": "12-3456",
        }
    ]


@pytest.mark.parametrize("quantity", Quantity)
def test_every_quantity_arrives_with_its_own_name_and_unit(quantity: Quantity) -> None:
    number = next(n for n, series in SERIES.items() if series.quantity == quantity.value)

    (record,) = received(reading(series=number))

    assert (record["n"], record["u"]) == (f"kb-1/roof/{quantity.value}", UNITS[quantity].senml)


def test_a_pack_with_secondary_units_says_the_version_that_has_them() -> None:
    batch = Batch("kb-1", SERIES, [reading(series=PRESSURE)])

    assert json.loads(senml.pack(batch))[0]["bver"] == 26  # RFC 9100 section 4


def test_a_pack_without_secondary_units_is_plain_version_ten() -> None:
    batch = Batch("kb-1", SERIES, [reading(series=TEMPERATURE)])

    assert "bver" not in senml.pack(batch).decode()


def test_a_quantity_of_a_later_version_has_no_unit_instead_of_its_neighbours() -> None:
    series = {1: Series("roof", "temperature_c"), 2: Series("roof", "radon_bq_m3")}
    readings = [reading(1, series=1), reading(2, series=2, value=815.0)]

    records = resolve(senml.pack(Batch("kb-1", series, readings)))

    units = {record["n"]: record.get("u") for record in records}
    assert units == {"kb-1/roof/temperature_c": "Cel", "kb-1/roof/radon_bq_m3": None}


def test_readings_of_several_series_come_grouped_and_in_order_within_each() -> None:
    mixed = [
        reading(n, series=series, taken_ms=T0 + 60_000 * n, value=float(n))
        for n, series in enumerate([1, 3, 4, 1, 3, 4, 1, 3, 4], start=1)
    ]

    records = received(*mixed)

    assert [record["id"] for record in records] == [
        "12-1", "12-4", "12-7", "12-2", "12-5", "12-8", "12-3", "12-6", "12-9",
    ]  # fmt: skip
    assert {record["id"]: record["v"] for record in records}["12-8"] == 8.0


def test_a_batch_over_two_starts_of_the_box_keeps_both_boot_numbers() -> None:
    records = received(reading(9, boot=12), reading(1, boot=13), reading(2, boot=13))

    assert [record["id"] for record in records] == ["12-9", "13-1", "13-2"]


def test_an_id_is_a_text_that_no_number_type_can_round() -> None:
    (record,) = received(reading(2**36 - 1, boot=2**27 - 1))

    assert record["id"] == "134217727-68719476735"


def test_an_empty_batch_is_an_empty_pack() -> None:
    assert senml.pack(Batch("kb-1", SERIES, [])) == b"[]"


def test_a_pack_has_no_line_break() -> None:
    odd = reading(2, flag=2, reason="line\nbreak", raw=5.0)

    assert b"\n" not in senml.pack(Batch("kb-1", SERIES, [reading(1), odd]))


# --- readings that are not ordinary ------------------------------------------------------------


@pytest.mark.parametrize(("flag", "suffix"), [(Flag.SUSPECT, ":suspect"), (Flag.BAD, ":bad")])
def test_a_flagged_reading_never_has_the_name_of_a_good_one(flag: Flag, suffix: str) -> None:
    flagged = reading(2, value=1.0, raw=99.9, flag=flag, reason='stuck "at" 99.9 %')

    good, bad = received(reading(1), flagged)

    assert good["n"] == "kb-1/roof/temperature_c"
    assert bad["n"] == "kb-1/roof/temperature_c" + suffix
    assert (bad["v"], bad["raw"], bad["reason"]) == (1.0, 99.9, 'stuck "at" 99.9 %')


def test_a_flagged_reading_of_an_unknown_grade_counts_as_bad() -> None:
    (record,) = received(reading(flag=7, reason="from a later version"))

    assert record["n"] == "kb-1/roof/temperature_c:bad"


def test_a_good_reading_after_a_flagged_one_has_its_plain_name_again() -> None:
    records = received(reading(1, flag=2), reading(2))

    assert [record["n"] for record in records] == [
        "kb-1/roof/temperature_c:bad",
        "kb-1/roof/temperature_c",
    ]


def test_a_corrected_reading_carries_what_the_sensor_said() -> None:
    (record,) = received(reading(value=54.5, raw=57.25))

    assert (record["n"], record["v"], record["raw"]) == ("kb-1/roof/temperature_c", 54.5, 57.25)


def test_a_time_by_an_unset_clock_is_marked_and_can_be_corrected_by_the_uptime() -> None:
    (record,) = received(reading(trusted=0))

    assert (record["clock"], record["up"]) == ("untrusted", 5.0)


def test_a_clock_that_was_never_set_says_now_and_not_years_ahead() -> None:
    # 1970-01-05: below 2**28, which the RFC reads as seconds from now.
    records = received(reading(1, taken_ms=345_600_000, trusted=0), reading(2))

    assert [record["t"] for record in records] == [0, T0 / 1000]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), None])
def test_what_is_no_number_is_never_sent_as_one(value: float) -> None:
    good, bad = received(reading(1), reading(2, value=value))

    assert good["n"] == "kb-1/roof/temperature_c"
    assert bad["n"] == "kb-1/roof/temperature_c:bad"
    assert "v" not in bad


# --- rows as they come from the store ------------------------------------------------------------


def test_rows_that_stop_after_the_value_say_the_same_as_whole_ones() -> None:
    whole = [
        reading(1, boot=12, value=21.5),
        reading(2, boot=12, value=22.5, taken_ms=T0 + 60_001),
        reading(3, boot=12, series=PM2_5, taken_ms=T0 + 60_001),
        reading(4, boot=12, value=float("nan"), taken_ms=T0 + 120_002),
        reading(1, boot=13, series=PRESSURE, value=1008.25, taken_ms=T0 - 5_000),
        reading(2, boot=13, series=PRESSURE, value=1e22, taken_ms=T0 + 180_003),
    ]
    short = [tuple(row[:5]) for row in whole]

    packs = [senml.pack(Batch("kb-1", SERIES, rows)) for rows in (whole, short)]

    assert packs[0] == packs[1]


def test_short_rows_may_be_followed_by_whole_ones() -> None:
    rows = [tuple(reading(1)[:5]), tuple(reading(2, flag=2))]

    records = resolve(senml.pack(Batch("kb-1", SERIES, rows)))

    assert [record["n"] for record in records] == [
        "kb-1/roof/temperature_c",
        "kb-1/roof/temperature_c:bad",
    ]


# --- anything ----------------------------------------------------------------------------------

MOMENTS = st.integers(2**28 * 1000, 2**42)
ANY_READING = st.builds(
    Reading,
    serial=st.integers(1, 2**63 - 1),
    series=st.sampled_from(sorted(SERIES)),
    taken_ms=MOMENTS,
    monotonic_ms=st.integers(0, 2**42),
    value=st.floats(allow_nan=False, allow_infinity=False),
    raw=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    flag=st.sampled_from([0, 1, 2]),
    reason=st.text(),
    clock_trusted=st.sampled_from([0, 1]),
)


@given(st.lists(ANY_READING, min_size=1, max_size=30, unique_by=lambda row: row.serial))
def test_whatever_is_stored_arrives_with_every_value_bit_for_bit(readings: list[Reading]) -> None:
    readings = sorted(readings)

    records = received(*readings)

    by_id = {record["id"]: record for record in records}
    assert len(by_id) == len(readings)
    for row in readings:
        record = by_id[senml.id_text(row.serial)]
        assert record["v"] == row.value
        assert record.get("raw") == row.raw
        assert record["t"] == pytest.approx(row.taken_at, abs=1e-3)
        assert not is_relative(float(str(record["t"])))
        assert ("clock" in record) == (not row.clock_trusted)
        plain = f"kb-1/roof/{SERIES[row.series].quantity}"
        assert (record["n"] == plain) == (row.flag == 0)
