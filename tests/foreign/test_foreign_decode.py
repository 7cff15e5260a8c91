"""What is believed of a message, and why the rest is not. Payloads are made by google.protobuf."""

from __future__ import annotations

from typing import Any

import pytest
from protobuf_judge import NOW, judge

from kiezbox.foreign.decode import decode, decode_config
from kiezbox.foreign.messages import Message, Order
from kiezbox.foreign.schema import Emergency, Generation
from kiezbox.foreign.wire import BadMessage
from kiezbox.model import Flag

AT = 1_750_000_000


def sensor(**values: int) -> bytes:
    made = judge()["KiezboxMessage"]()
    made.update.meta.box_id, made.update.meta.dist_id = 1, 113
    made.update.unix_time = AT
    made.update.sensor.values.SetInParent()
    for name, value in values.items():
        setattr(made.update.sensor.values, name, value)
    data: bytes = made.SerializeToString()
    return data


def flags(message: Message) -> dict[str, str]:
    assert message.update is not None
    return {
        value.field: value.measurement.reason
        for value in message.update.values
        if value.measurement and value.measurement.flag != Flag.GOOD
    }


def why(message: Message) -> dict[str, str]:
    return {each.field: each.why for each in message.dropped}


def test_one_bad_field_never_takes_a_good_message_with_it() -> None:
    message = decode(sensor(temp_main=18_760, humid_main=123_000, pressure=99_000_000), NOW)

    assert message.update is not None
    assert [value.field for value in message.update.values] == ["temp_main"]
    assert why(message) == {
        "update.sensor.values.humid_main": "123 is outside 0 to 100",
        "update.sensor.values.pressure": "99000 is outside 300 to 1100",
    }


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [
        ("temp_main", -60_000, 85_000), ("humid_main", 0, 100_000),
        ("pressure", 300_000, 1_100_000),
        ("part_pm25", 0, 1_000_000), ("part_pm10", 0, 1_000_000), ("battery_voltage", 0, 60_000),
    ],
)  # fmt: skip
def test_the_survey_s_limits_are_the_last_values_that_are_taken(
    name: str, least: int, most: int
) -> None:
    for wire, is_taken in ((least, True), (most, True), (least - 1, False), (most + 1, False)):
        message = decode(sensor(**{name: wire}), NOW)

        assert message.update is not None
        assert bool(message.update.values) is is_taken, wire


def test_a_sensor_that_was_read_before_it_had_measured_says_nothing() -> None:
    message = decode(sensor(temp_main=0, humid_main=0, pressure=0, part_pm25=8400), NOW)

    assert message.update is not None
    assert [value.field for value in message.update.values] == ["part_pm25"]
    assert len(message.dropped) == 3


def test_a_lone_zero_and_what_is_hardly_possible_are_taken_and_doubted() -> None:
    message = decode(sensor(temp_main=0, humid_main=2_000, pressure=801_000), NOW)

    assert flags(message) == {
        "temp_main": "raw-sentinel", "humid_main": "range", "pressure": "range",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"part_pm25": 8400, "part_pm10": 15200, "humid_main": 70_000}, None),
        ({"part_pm25": 8400, "part_pm10": 15200, "humid_main": 71_000}, "rh-high"),
        ({"part_pm25": 15201, "part_pm10": 15200, "humid_main": 40_000}, "cross"),
    ],
)
def test_dust_is_doubted_in_damp_air_and_where_the_part_is_more_than_the_whole(
    values: dict[str, int], reason: str | None
) -> None:
    expected = {} if reason is None else {"part_pm25": reason, "part_pm10": reason}

    assert flags(decode(sensor(**values), NOW)) == expected


def test_noise_is_nothing_while_nobody_has_said_what_it_is() -> None:
    message = decode(sensor(noise=55_000), NOW)

    assert why(message) == {"update.sensor.values.noise": "nobody has said what it means"}


@pytest.mark.parametrize(
    ("at", "words"),
    [(946_684_800, "2000-01-01 is before"), (int(NOW) + 86_401, "has not come yet"),
     (-5, "-5 is before"), (2**62, "has not come yet")],
)  # fmt: skip
def test_a_clock_that_is_wrong_loses_the_time_and_not_the_values(at: int, words: str) -> None:
    made = judge()["KiezboxMessage"].FromString(sensor(temp_main=18_760))
    made.update.unix_time = at

    message = decode(made.SerializeToString(), NOW)

    assert message.update is not None and message.update.measured_at is None
    assert len(message.update.values) == 1
    assert words in why(message)["update.unix_time"]


def test_a_box_that_does_not_know_the_time_doubts_nobody_s() -> None:
    for now in (None, 0.0, 1000.0):
        update = decode(sensor(temp_main=18_760), now).update

        assert update is not None and update.measured_at == AT


def test_a_broken_part_takes_only_itself_along() -> None:
    # Meta is cut within itself; the core's values are whole.
    message = decode(bytes.fromhex("22120a0208801080c3bbc2061a061a0450eaad01"), NOW)

    assert message.update is not None
    assert [value.wire for value in message.update.values] == [22_250]
    assert why(message) == {"update.meta": "malformed: a number that was cut short"}


def test_a_message_of_which_nothing_can_be_read_is_none() -> None:
    with pytest.raises(BadMessage, match="control: malformed"):
        decode(bytes.fromhex("2a020880"), NOW)


def test_ids_and_words_that_nobody_has_are_dropped() -> None:
    made = judge()["KiezboxMessage"].FromString(sensor(temp_main=18_760))
    made.update.meta.dist_id, made.update.meta.dev_type = 300, 9

    message = decode(made.SerializeToString(), NOW)

    assert message.update is not None and message.update.meta.box_id == 1
    assert set(why(message)) == {"update.meta.dist_id", "update.meta.dev_type"}


# --- which generation -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        # A status whose box is number 0, which proto3 leaves out; then one that has only a value.
        ("2206107118013000", Generation.STATUS_2024_09),
        ("220430d4a701", Generation.STATUS_2024_09),
        ("22060a0208011001", Generation.OPTIONAL_2024_12),
        ("220710e4e0d6b60622 00", Generation.OPTIONAL_2024_12),
        # Sensor{values=2}: its sens_id was 0.
        ("22062204120208 01", Generation.VALUES_2024_11),
        ("220622040a020801", Generation.OPTIONAL_2024_12),
    ],
)
def test_generations_are_told_apart_by_what_stands_where(payload: str, expected: str) -> None:
    data = bytes.fromhex(payload)
    data = bytes((data[0], len(data) - 2)) + data[2:]

    update = decode(data, NOW).update

    assert update is not None and update.generation == expected


@pytest.mark.parametrize(
    ("fields", "order", "generation"),
    [
        # Before: 1 mode, 2 time, 3 router, 4 box, 5 dist, 6 sens, 7 interval, and no Meta.
        ({"mode": 2}, Order("mode", 2), "2024-12"),
        ({"unix_time": AT}, Order("unix_time", AT), "2024-12"),
        ({"router_power": True}, Order("router_power", 1), "2024-12"),
        ({"router_power": False}, Order("router_power", 0), "2024-12"),
        ({"box_id": 200}, Order("box_id", 200), "2024-12"),
        ({"dist_id": 113}, Order("dist_id", 113), "2024-12"),
        ({"sens_id": 7}, Order("sens_id", 7), "2024-12"),
        ({"status_interval": 60_000}, Order("status_interval", 60_000), "2024-12"),
    ],
)
def test_an_order_without_a_filter_is_read_as_before_where_that_can_be_meant(
    fields: dict[str, Any], order: Order, generation: str
) -> None:
    made = judge()["OldMessage"]()
    for name, value in fields.items():
        setattr(made.control, name, value)

    control = decode(made.SerializeToString(), NOW).control

    assert control is not None and (control.order, control.generation) == (order, generation)


@pytest.mark.parametrize(
    ("fields", "order"),
    [
        ({"mode": 2}, Order("mode", 2)), ({"unix_time": AT}, Order("unix_time", AT)),
        ({"status_interval": 60_000}, Order("status_interval", 60_000)),
        ({"enabled": True}, Order("enabled", 1)), ({"button_id": 5}, Order("button_id", 5)),
    ],
)  # fmt: skip
def test_an_order_without_a_filter_is_read_as_since_where_only_that_can_be_meant(
    fields: dict[str, Any], order: Order
) -> None:
    made = judge()["KiezboxMessage"]()
    for name, value in fields.items():
        setattr(made.control, name, value)

    control = decode(made.SerializeToString(), NOW).control

    assert control is not None
    assert (control.order, control.generation) == (order, Generation.FILTERS_2025_06)


def test_the_router_of_november_2024_was_a_message() -> None:
    control = decode(bytes.fromhex("2a0412020801"), NOW).control

    assert control is not None
    assert (control.order, control.generation) == (Order("router_power", 1), "2024-11")


@pytest.mark.parametrize(
    "fields",
    [{"mode": 7}, {"unix_time": 1}, {"status_interval": 5}, {"status_interval": 2**31 - 1}],
)
def test_an_order_that_nobody_can_mean_is_none(fields: dict[str, Any]) -> None:
    made = judge()["KiezboxMessage"]()
    made.control.meta.box_id = 1
    for name, value in fields.items():
        setattr(made.control, name, value)

    message = decode(made.SerializeToString(), NOW)

    assert message.control is not None and message.control.order is None
    assert message.control.to.box_id == 1 and len(message.dropped) == 1


# --- buttons and settings -------------------------------------------------------------------------


def test_a_cry_for_help_is_shown_without_what_turns_lines_round() -> None:
    made = judge()["KiezboxMessage"]()
    made.distress.type, made.distress.message = 4, "Hil\u202efe\x07" + "!" * 300

    distress = decode(made.SerializeToString(), NOW).distress

    assert distress is not None
    assert distress.kind == Emergency.HELP
    assert distress.text.startswith("Hilfe") and len(distress.text) <= 200


def test_a_cry_for_help_with_broken_letters_is_still_one() -> None:
    message = decode(bytes.fromhex("320808011005 2202ff41".replace(" ", "")), NOW)

    assert message.distress is not None
    assert (message.distress.kind, message.distress.button_id) == (Emergency.FIRE, 5)
    assert why(message) == {"distress.message": "no text in UTF-8"}


def test_field_six_of_old_settings_may_be_the_router() -> None:
    doubtful, clear = decode_config(bytes.fromhex("3001")), decode_config(bytes.fromhex("30014002"))

    assert doubtful.meta.sens_id is None and doubtful.dropped
    assert clear.meta.sens_id == 1 and not clear.dropped
