"""Whatever comes from the air: bounded work, one kind of error, and the judge's own reading."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from protobuf_judge import NOW, judge

from kiezbox.foreign import wire
from kiezbox.foreign.decode import decode, decode_config
from kiezbox.foreign.envelope import config_of, frames, from_radio, to_radio
from kiezbox.foreign.messages import Message
from kiezbox.foreign.schema import DeviceType, Generation
from kiezbox.foreign.taking import FIRST_TIME

SENSOR_UPDATE = bytes.fromhex(
    "22310a0808011071180720011080c3bbc206221f0a1d08c892011090de031882ec3d20c0c40728d04130e07640ac98"
    "01488c1f"
)
INT32 = st.integers(-(2**31), 2**31 - 1)


@st.composite
def almost_good(draw: st.DrawFn) -> bytes:
    """A good message with a few bytes changed, cut or put in: what pure chance hardly finds."""
    data = bytearray(SENSOR_UPDATE)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        end = draw(st.integers(at, min(at + 3, len(data))))
        data[at:end] = draw(st.binary(max_size=3))
    return bytes(data)


@given(st.one_of(st.binary(max_size=300), almost_good()), st.sampled_from([None, 0.0, NOW, 1e300]))
@settings(max_examples=400)
@example(b"\xff" * 300, NOW)
@example(b"\x22\x02\x0a\x00" * 60, NOW)
def test_hostile_bytes_end_in_a_message_or_in_one_error(data: bytes, now: float | None) -> None:
    for read in (lambda: decode(data, now), lambda: decode_config(data), lambda: from_radio(data),
                 lambda: to_radio(data), lambda: config_of(data)):  # fmt: skip
        try:
            found = read()
        except wire.BadMessage:
            continue
        if isinstance(found, Message):
            assert len(found.dropped) <= 24
            if found.update:
                assert len(found.update.values) <= 10
                for value in found.update.values:
                    assert value.measurement is None or abs(value.measurement.value) < 1e9
            if found.distress:
                assert len(found.distress.text) <= 200
    assert all(len(each) <= 512 for each in frames(data))


@given(almost_good())
@settings(max_examples=400)
def test_what_the_judge_reads_we_read_alike_or_say_what_we_left_out(data: bytes) -> None:
    from google.protobuf.message import DecodeError

    try:
        expected = judge()["KiezboxMessage"].FromString(data)
    except DecodeError:
        return
    try:
        message = decode(data, NOW)
    except wire.BadMessage as error:
        # Groups, and texts and numbers in forms that nobody sends, are read by the judge alone.
        assert "nobody uses" in str(error) or "tag" in str(error)
        return
    if message.dropped or message.update is None or not expected.HasField("update"):
        return
    if message.update.sent_by != DeviceType.SENSOR or not expected.update.HasField("sensor"):
        return
    if message.update.generation != Generation.OPTIONAL_2024_12:
        return
    values = expected.update.sensor.values
    assert {each.field: each.wire for each in message.update.values} == {
        field.name: value for field, value in values.ListFields()
    }


@pytest.fixture(scope="module", autouse=True)
def the_judge_is_there() -> None:
    judge()


@given(st.dictionaries(st.sampled_from("temp_out temp_in humid_in solar_voltage solar_power"
       " solar_energy_day solar_energy_total battery_voltage battery_current temp_rtc".split()),
       INT32), st.integers(FIRST_TIME, int(NOW)))  # fmt: skip
def test_every_value_of_the_judge_s_is_taken_as_it_is_or_dropped_by_name(
    numbers: dict[str, int], at: int
) -> None:
    made = judge()["KiezboxMessage"]()
    made.update.meta.box_id = 3
    made.update.unix_time = at
    made.update.core.SetInParent()
    for name, number in numbers.items():
        setattr(made.update.core.values, name, number)

    message = decode(made.SerializeToString(), NOW)

    assert message.update is not None and message.update.measured_at == at
    taken = {each.field: each.wire for each in message.update.values}
    dropped = {each.field.rpartition(".")[2] for each in message.dropped}
    assert taken.items() <= numbers.items()
    assert set(taken) | dropped == set(numbers) and not set(taken) & dropped


@given(st.dictionaries(st.sampled_from("temp_main humid_main pressure air_quality part_pm25"
       " part_pm10 temp_rtc".split()), st.integers(0, 2**32 - 1)), st.integers(0, 200))  # fmt: skip
def test_the_unsigned_values_of_november_2024_stay_unsigned(
    numbers: dict[str, int], sensor: int
) -> None:
    made = judge()["OldMessage"]()
    made.update.unix_time = int(NOW)
    made.update.sensor.sens_id = sensor
    made.update.sensor.values.SetInParent()
    for name, number in numbers.items():
        setattr(made.update.sensor.values, name, number)

    update = decode(made.SerializeToString(), NOW).update

    assert update is not None
    assert update.generation == Generation.VALUES_2024_11
    assert update.meta.sens_id == (sensor or None)
    # Whatever had its top bit set is no frost, but too much.
    for value in update.values:
        assert numbers[value.field] == value.wire < 2**31


@given(st.lists(st.tuples(st.integers(1, 40), st.one_of(st.integers(-(2**63), 2**64 - 1),
       st.binary(max_size=20))), max_size=12))  # fmt: skip
def test_what_was_written_is_read_back(row: list[tuple[int, int | bytes]]) -> None:
    data = b"".join(
        wire.put_bytes(number, value)
        if isinstance(value, bytes)
        else wire.put_varint(number, value)
        for number, value in row
    )

    found: list[Any] = [(each.number, each.value) for each in wire.fields(data)]

    assert found == [(n, v if isinstance(v, bytes) else v % 2**64) for n, v in row]


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ("80", "cut short"),
        ("ff" * 11, "without an end"),
        ("00", "tag"),
        ("0b", "nobody uses"),
        ("0f", "nobody uses"),
        ("0a05aa", "cut short"),
        ("0d010203", "cut short"),
        ("0affffffffffffffffff01", "cut short"),
        ("f8ffffffff0100", "tag"),
        ("00" * 513, "more than a radio"),
    ],
)
def test_what_is_no_protocol_buffer_is_said_to_be_none(bad: str, why: str) -> None:
    with pytest.raises(wire.BadMessage, match=why):
        wire.fields(bytes.fromhex(bad))
