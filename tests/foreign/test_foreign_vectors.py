"""The project's vectors, made by the protobuf library from their own descriptors: all of them."""

from __future__ import annotations

from typing import Any

import pytest
from protobuf_judge import NOW, judge, vectors

from kiezbox.foreign import wire
from kiezbox.foreign.control import encode_control
from kiezbox.foreign.decode import decode, decode_config
from kiezbox.foreign.envelope import config_of, config_poll, frames, from_radio, to_radio
from kiezbox.foreign.messages import Message, Meta, Order
from kiezbox.foreign.schema import PORT, DeviceType, Generation, Mode


def named(name: str) -> bytes:
    for each in vectors()["kiezbox_messages"]:
        if each["name"] == name:
            return bytes.fromhex(each["hex"])
    raise AssertionError(f"there is no vector {name}")


def text_of(message: Message) -> Any:
    """Our reading of it, as a message of the judge's."""
    made = judge()["KiezboxMessage"]()
    for part, parent in ((message.update, "update"), (message.control, "control")):
        if part is None:
            continue
        inner = getattr(made, parent)
        meta = part.meta if parent == "update" else part.to
        for name, value in zip(Meta._fields, meta, strict=True):
            if value is not None:
                setattr(inner.meta, name, value)
    if update := message.update:
        made.update.unix_time = update.measured_at or 0
        if update.arrived_at is not None:
            made.update.arrival_time = update.arrived_at
        side = made.update.core if update.sent_by == DeviceType.CORE else made.update.sensor
        for value in update.values:
            setattr(side.values, value.field, value.wire)
        if update.mode is not None:
            side.mode = update.mode
        if update.is_router_on is not None:
            side.router.powered = update.is_router_on
    if (control := message.control) and control.order:
        setattr(made.control, *control.order)
    if distress := message.distress:
        made.distress.type = distress.kind
        made.distress.button_id = distress.button_id
        made.distress.unix_time = distress.pressed_at
        if distress.text:
            made.distress.message = distress.text
    return made


def test_every_message_that_the_library_can_read_is_read_by_us_as_by_the_library() -> None:
    compared = 0
    for each in vectors()["kiezbox_messages"]:
        if not each["text"] or each["name"] == "core_update_broken_sensors":
            continue
        payload = bytes.fromhex(each["hex"])
        expected = judge()["KiezboxMessage"].FromString(payload)

        message = decode(payload, NOW)

        assert message.dropped == (), each["name"]
        found = text_of(message)
        if expected.HasField("control"):
            # Whether an empty Meta was there is not kept: it means the same.
            expected.control.meta.SetInParent()
            found.control.meta.SetInParent()
        if expected.HasField("update") and expected.update.HasField("core"):
            expected.update.core.router.SetInParent()
        assert found == expected, each["name"]
        compared += 1
    assert compared >= 12


def test_the_library_means_by_the_bytes_what_the_vectors_say_in_words() -> None:
    """The judge's tables were typed by us, so they are judged, too."""
    judge()
    from google.protobuf import text_format

    for each in vectors()["kiezbox_messages"]:
        if each["text"]:
            spoken = text_format.Parse(each["text"], judge()["KiezboxMessage"]())
            assert spoken.SerializeToString(deterministic=True).hex() == each["hex"], each["name"]


def test_the_recording_from_their_own_tests_is_an_update_without_values() -> None:
    update = decode(bytes.fromhex(vectors()["real_fixture"]["hex"]), NOW).update

    assert update is not None
    assert (update.meta.box_id, update.meta.dist_id) == (1, 2)
    assert update.measured_at == update.arrived_at == 1744033730
    assert (update.mode, update.is_router_on, update.values) == (Mode.NORMAL, True, ())


#: Where a vector's expected value stands with us: sensor, quantity.
PLACES = {
    "temp_out_C": "outside/temperature_c", "temp_in_C": "inside/temperature_c",
    "humid_in_pct": "inside/humidity_percent", "solar_voltage_V": "panel/voltage_v",
    "solar_power_W": "panel/power_w", "solar_energy_day_kWh": "panel/energy_wh",
    "battery_current_A": "charger/current_a", "temp_rtc_C": "clock/temperature_c",
    "battery_voltage_V": "battery/voltage_v", "temp_main_C": "air/temperature_c",
    "humid_main_pct": "air/humidity_percent", "pressure_hPa": "air/pressure_hpa",
    "gas_resistance_ohm": "air/gas_resistance_ohm", "pm25_ugm3": "dust/pm2_5_ug_m3",
    "pm10_ugm3": "dust/pm10_ug_m3",
}  # fmt: skip


@pytest.mark.parametrize("name", ["sensor_update", "core_update_as_firmware_builds_it"])
def test_values_come_out_in_our_units(name: str) -> None:
    expected = next(e for e in vectors()["kiezbox_messages"] if e["name"] == name)["expected_si"]

    update = decode(named(name), NOW).update

    assert update is not None
    found = {f"{v.sensor}/{v.measurement.quantity.value}": v.measurement.value
             for v in update.values if v.measurement}  # fmt: skip
    totals = {value.field: value.wire for value in update.values if not value.measurement}
    for title, value in expected.items():
        if title == "solar_energy_total_kWh":
            assert totals == {"solar_energy_total": round(value * 1000)}
        else:
            factor = 1000 if title.endswith("_kWh") else 1
            assert found.pop(PLACES[title]) == pytest.approx(value * factor), title
    assert found == {}


def test_a_mode_that_was_not_said_is_unknown() -> None:
    update = decode(named("core_update_as_firmware_builds_it"), NOW).update

    assert update is not None and update.mode is None


def test_broken_sensors_lose_their_fields_and_the_good_one_stays() -> None:
    message = decode(named("core_update_broken_sensors"), NOW)

    assert message.update is not None
    assert [(v.field, v.wire) for v in message.update.values] == [("temp_rtc", 22250)]
    dropped = {each.field.rpartition(".")[2]: each.why for each in message.dropped}
    assert set(dropped) == {"temp_out", "temp_in", "humid_in"}
    assert "no sensor answers" in dropped["temp_out"]
    assert "no number" in dropped["temp_in"] and "no number" in dropped["humid_in"]


def test_a_status_of_2024_is_no_update_of_the_year_113() -> None:
    update = decode(named("legacy_status_2024_09"), NOW).update

    assert update is not None
    assert update.generation == Generation.STATUS_2024_09
    assert (update.meta.box_id, update.meta.dist_id, update.is_router_on) == (1, 113, True)
    assert update.measured_at is None and update.arrived_at is None
    assert {v.field: v.measurement.value for v in update.values if v.measurement} == {
        "temp_out": -3.25, "temp_in": 21.4, "humid_in": 45.5,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "order"),
    [
        ("legacy_control_mode_2_before_2025_06", Order("mode", 2)),
        ("legacy_control_unix_time_before_2025_06", Order("unix_time", 1_750_000_000)),
        ("legacy_control_router_power_before_2025_06", Order("router_power", 1)),
    ],
)
def test_an_old_order_is_read_as_it_was_meant(name: str, order: Order) -> None:
    control = decode(named(name), NOW).control

    assert control is not None
    assert (control.generation, control.order) == (Generation.OPTIONAL_2024_12, order)


def test_nothing_is_no_fault_and_half_is_one() -> None:
    assert decode(named("empty"), NOW) == Message()
    with pytest.raises(wire.BadMessage, match="cut short"):
        decode(named("truncated"), NOW)


@pytest.mark.parametrize(
    ("name", "order", "to"),
    [
        ("control_mode_0", Order("mode", 0), Meta()),
        ("control_mode_1", Order("mode", 1), Meta()),
        ("control_mode_2", Order("mode", 2), Meta()),
        ("control_mode_emergency_filtered", Order("mode", 2), Meta(1, 113, None, DeviceType.CORE)),
        ("control_router_power_on", Order("router_power", 1), Meta()),
        ("control_status_interval_60s", Order("status_interval", 60_000), Meta()),
    ],
)
def test_our_orders_are_their_gateways_byte_for_byte(name: str, order: Order, to: Meta) -> None:
    assert encode_control(order, to, for_all=to == Meta()) == named(name)


@pytest.mark.parametrize(
    ("name", "order"),
    [
        ("legacy_control_mode_2_before_2025_06", Order("mode", 2)),
        ("legacy_control_unix_time_before_2025_06", Order("unix_time", 1_750_000_000)),
        ("legacy_control_router_power_before_2025_06", Order("router_power", 1)),
    ],
)
def test_orders_for_old_firmware_are_old(name: str, order: Order) -> None:
    old = Generation.OPTIONAL_2024_12

    assert encode_control(order, Meta(), for_all=True, generation=old) == named(name)


# --- around the message ---------------------------------------------------------------------------


def frame(begin: str) -> bytes:
    for each in vectors()["serial_frames"]:
        if each["name"].startswith(begin):
            (only,) = frames(b"debug text \x94\r\n" + bytes.fromhex(each["hex"]) + b"\x94\xc3\x00")
            return only
    raise AssertionError(begin)


def test_every_frame_of_the_stream_is_found_between_debug_text() -> None:
    told = [bytes.fromhex(each["hex"]) for each in vectors()["serial_frames"]]

    found = list(frames(b"boot\r\n".join([b"", *told])))

    assert found == [each[4:] for each in told]
    for each in found:
        from_radio(each), to_radio(each)


def test_their_gateways_broadcast_is_read_as_an_order_to_all() -> None:
    packet = to_radio(frame("ToRadio packet: control mode=emergency"))

    assert packet is not None
    assert (packet.sender, packet.to) == (0x433D0CAD, 0xFFFFFFFF)
    assert (packet.port, packet.channel, packet.hop_limit) == (PORT, 1, 3)
    assert packet.payload == named("control_mode_2")


def test_an_update_comes_with_how_well_it_was_heard() -> None:
    packet = from_radio(frame("FromRadio packet: core_update"))

    assert packet is not None
    assert packet.payload == named("core_update")
    assert (packet.sender, packet.port) == (0x433D0CAD, PORT)
    assert packet.rssi_dbm is not None and -140 < packet.rssi_dbm < 0
    # A float32 on the wire, little endian: 0000c840 is 6.25.
    assert packet.snr_db == 6.25


def test_a_node_is_asked_for_its_settings_as_their_gateway_asks() -> None:
    packet = to_radio(frame("ToRadio packet: AdminMessage"))

    assert packet is not None
    assert (packet.port, packet.payload, packet.wants_response) == (6, config_poll(), True)


def test_the_answer_says_mode_district_and_pause() -> None:
    packet = from_radio(frame("FromRadio packet: module config"))

    assert packet is not None
    found = config_of(packet.payload)
    assert found is not None
    config = decode_config(found)
    assert (config.mode, config.interval_ms) == (Mode.EMERGENCY, 60_000)
    assert (config.meta.box_id, config.meta.dist_id) == (1, 113)
    assert (config.is_enabled, config.is_router_on, config.dropped) == (True, True, ())


@pytest.mark.parametrize(
    "name", ["ToRadio want_config_id", "ToRadio heartbeat", "FromRadio my_info", "FromRadio reboo"]
)
def test_what_carries_no_packet_is_none(name: str) -> None:
    assert from_radio(frame(name)) is None or name.startswith("ToRadio")
    assert to_radio(frame(name)) is None or name.startswith("FromRadio")


# --- their charger --------------------------------------------------------------------------------


def test_a_charger_s_register_times_ten_is_what_stands_on_the_wire() -> None:
    """VE.Direct HEX: ":" and a command's nibble, then bytes, all of which make 0x55 together."""
    fields = {
        "panel_voltage": "solar_voltage", "panel_power": "solar_power",
        "yield_today": "solar_energy_day", "yield_system": "solar_energy_total",
        "charger_voltage": "battery_voltage", "charger_current": "battery_current",
    }  # fmt: skip
    update = decode(named("core_update_as_firmware_builds_it"), NOW).update
    assert update is not None
    wires = {value.field: value.wire for value in update.values}
    for each in vectors()["vedirect_hex"]:
        body = bytes.fromhex(each["response"][2:])
        assert (7 + sum(body)) & 0xFF == 0x55, each["name"]
        assert int.from_bytes(body[3:-1], "little") == each["raw"]
        assert wires[fields[each["name"]]] == each["wire_in_KiezboxMessage"]
