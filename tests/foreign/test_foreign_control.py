"""Orders to their boxes: never to everybody by accident, and never what nobody can mean."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from protobuf_judge import NOW, judge

from kiezbox.errors import UsageError
from kiezbox.foreign.control import (
    ORDERS,
    encode_control,
    is_for_all,
    parse_order,
    say_order,
    say_target,
)
from kiezbox.foreign.decode import decode
from kiezbox.foreign.messages import Meta, Order
from kiezbox.foreign.schema import DeviceType, Generation

EMERGENCY = Order("mode", 2)


@pytest.mark.parametrize("to", [Meta(), Meta(dev_type=DeviceType.CORE)])
def test_whoever_names_nobody_must_say_that_all_are_meant(to: Meta) -> None:
    with pytest.raises(UsageError, match="all boxes in reach would obey"):
        encode_control(EMERGENCY, to)

    assert encode_control(EMERGENCY, to, for_all=True)
    assert "ALL boxes" in say_target(to)


def test_all_and_some_at_once_is_a_mistake() -> None:
    with pytest.raises(UsageError, match="either all boxes or some"):
        encode_control(EMERGENCY, Meta(box_id=1, dist_id=113), for_all=True)


def test_old_firmware_knows_no_filter_so_nobody_can_be_named_to_it() -> None:
    with pytest.raises(UsageError, match="every box would obey"):
        encode_control(EMERGENCY, Meta(box_id=1), generation=Generation.OPTIONAL_2024_12)


@pytest.mark.parametrize(
    ("order", "words"),
    [
        (Order("mode", 3), "outside 0 to 2"),
        (Order("status_interval", 9_999), "outside 10000 to 3600000"),
        (Order("status_interval", 3_600_001), "outside"),
        (Order("unix_time", 2), "before there were such boxes"),
        (Order("reboot", 1), "nobody knows"),
    ],
)
def test_what_nobody_can_mean_is_not_sent(order: Order, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        encode_control(order, Meta(box_id=1), now=NOW)


@pytest.mark.parametrize("to", [Meta(box_id=256), Meta(dist_id=-1), Meta(sens_id=2**17)])
def test_a_number_that_no_box_can_have_is_not_sent(to: Meta) -> None:
    with pytest.raises(UsageError, match="outside 0 to"):
        encode_control(EMERGENCY, to)


IDS = st.none() | st.integers(0, 255)


@given(
    st.sampled_from(
        [Order("mode", 0), Order("router_power", 0), Order("status_interval", 60_000),
         Order("box_id", 0), Order("unix_time", 1_750_000_000), Order("enabled", 1)]
    ),
    st.builds(Meta, IDS, IDS, IDS, st.none() | st.sampled_from(DeviceType)),
)  # fmt: skip
def test_the_judge_reads_what_was_ordered_and_so_do_we(order: Order, to: Meta) -> None:
    payload = encode_control(order, to, for_all=is_for_all(to), now=NOW)

    expected = judge()["KiezboxMessage"].FromString(payload).control
    assert expected.WhichOneof("set") == order.name
    assert getattr(expected, order.name) == order.value
    assert {field.name: value for field, value in expected.meta.ListFields()} == {
        name: value for name, value in to._asdict().items() if value is not None
    }
    control = decode(payload, NOW).control
    assert control is not None and (control.order, control.to) == (order, to)


@pytest.mark.parametrize(
    ("name", "word", "order"),
    [
        ("mode", "emergency", Order("mode", 2)),
        ("router", "off", Order("router_power", 0)),
        ("interval", "5m", Order("status_interval", 300_000)),
        ("interval", "1.5h", Order("status_interval", 5_400_000)),
        ("dist-id", "0x71", Order("dist_id", 113)),
        ("type", "sensor", Order("dev_type", 1)),
        ("time", "now", Order("unix_time", int(NOW))),
    ],
)
def test_orders_are_given_in_words(name: str, word: str, order: Order) -> None:
    assert parse_order(name, word, NOW) == order
    assert say_order(order).startswith(name)


@pytest.mark.parametrize(
    ("name", "word"),
    [("mode", "party"), ("mode", "2"), ("router", "yes"), ("interval", "soon"), ("interval", ""),
     ("interval", "infs"), ("interval", "nanm"), ("box-id", "one"), ("reboot", "now")],
)  # fmt: skip
def test_words_that_mean_nothing_are_answered_with_those_that_do(name: str, word: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_order(name, word, NOW)

    assert refused.value.hint


def test_a_box_that_does_not_know_the_time_sets_no_clock() -> None:
    with pytest.raises(UsageError, match="does not know the time"):
        parse_order("time", "now", None)


def test_every_order_of_theirs_can_be_said() -> None:
    from kiezbox.foreign.schema import CONTROL_2025

    assert {each.name for each in ORDERS.values()} == {name for name, _ in CONTROL_2025.values()}
