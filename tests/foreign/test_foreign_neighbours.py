"""Who is there: bounded, and a flood of invented nodes does not push out those that are known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from protobuf_judge import CONFIG, CORE, FIRE, NOW, SENSOR

from kiezbox.foreign.neighbours import Neighbours, document


def test_a_box_is_shown_with_readings_battery_and_when_it_was_heard() -> None:
    table = Neighbours()
    table.heard(CORE, 0x433D0CAD, -92, 6.25, NOW)

    (box,) = map(document, table.all())

    assert (box["node"], box["name"], box["kind"]) == ("!433d0cad", "113/1", "core")
    assert box["battery_v"] == 12.87 and box["last_heard_at"] == NOW
    assert (box["rssi_dbm"], box["snr_db"], box["measured_at"]) == (-92, 6.25, 1_750_000_000)
    assert box["readings"]["outside/temperature_c"] == {
        "value": -3.25, "unit": "°C", "flag": 0, "reason": "",
    }  # fmt: skip
    assert box["readings"]["panel/solar_energy_total"]["value"] == 12.34
    assert box["mode"] is None


def test_its_mode_is_known_once_it_was_asked_for_its_settings() -> None:
    table = Neighbours()
    assert table.heard_config(CONFIG, 1, NOW) is None
    table.heard(CORE, 1, None, None, NOW)

    assert table.heard_config(CONFIG, 1, NOW) is not None

    (box,) = map(document, table.all())
    assert (box["mode"], box["interval_s"]) == ("emergency", 60.0)


def test_a_sensor_and_a_button_are_neighbours_of_their_own() -> None:
    table = Neighbours()
    table.heard(SENSOR, 1, -90, 5.0, NOW)

    heard = table.heard(FIRE, 2, -90, 5.0, NOW)

    assert heard.message and heard.message.distress and heard.is_new
    assert sorted(document(each)["name"] for each in table.all()) == [
        "113/1 sensor 7", "node !00000002",
    ]  # fmt: skip


def test_an_order_that_is_heard_leaves_what_the_box_said_as_it_is() -> None:
    table = Neighbours()
    table.heard(CORE, 1, -90, 5.0, NOW)

    table.heard(bytes.fromhex("2a040a001002"), 1, -90, 5.0, NOW + 9)

    (box,) = map(document, table.all())
    assert box["battery_v"] == 12.87 and box["updated_at"] == NOW and box["messages"] == 2


def test_a_node_that_only_babbles_is_no_neighbour() -> None:
    table = Neighbours()

    heard = table.heard(b"\x22\x4a\x0a", 1, -90, 5.0, NOW)

    assert (heard.message, heard.neighbour, len(table)) == (None, None, 0)
    assert "cut short" in heard.why and table.unreadable == 1


def test_a_flood_of_invented_nodes_leaves_those_that_are_known() -> None:
    table = Neighbours(most=8)
    for node in range(5):
        table.heard(CORE, node, -90, 5.0, NOW - 7200)
        table.heard(CORE, node, -90, 5.0, NOW)

    for node in range(1000, 6000):
        table.heard(CORE, node, -90, 5.0, NOW + node)

    assert len(table) == 8
    assert {each.node for each in table.all()} >= set(range(5))


def test_a_full_table_of_known_ones_makes_room_when_one_was_silent_for_a_day() -> None:
    table = Neighbours(most=2)
    for node in (1, 2):
        table.heard(CORE, node, -90, 5.0, NOW - 7200)
        table.heard(CORE, node, -90, 5.0, NOW + node)

    assert table.heard(CORE, 3, -90, 5.0, NOW + 60).neighbour is None
    assert table.turned_away == 1
    assert table.heard(CORE, 3, -90, 5.0, NOW + 86_402).neighbour is not None
    assert {each.node for each in table.all()} == {2, 3}


@given(st.lists(st.tuples(st.binary(max_size=40) | st.sampled_from([CORE, SENSOR, FIRE]),
       st.integers(0, 2**32 - 1), st.floats(-1e12, 1e12)), max_size=60))  # fmt: skip
def test_whatever_comes_the_table_stays_small_and_can_be_shown(
    heard: list[tuple[bytes, int, float]],
) -> None:
    table = Neighbours(most=4)
    for payload, node, now in heard:
        table.heard(payload, node, -90, 5.0, now)
        table.heard_config(payload, node, now)

    assert len(table) <= 4
    for each in table.all():
        assert document(each)["name"]


def test_what_was_kept_is_known_again() -> None:
    table = Neighbours()
    table.heard(CORE, 1, -90, 5.0, NOW)

    assert Neighbours(table.all()).all() == table.all()


@pytest.mark.parametrize("now", [0.0, NOW])
def test_a_box_without_the_time_hears_its_neighbours_all_the_same(now: float) -> None:
    table = Neighbours()
    table.heard(CORE, 1, -90, 5.0, now)

    (box,) = map(document, table.all())
    assert box["battery_v"] == 12.87
