"""The VE.Direct driver: real captures, blocks and HEX records, chargers and monitors."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import pytest
from contracts.haste import HASTE_S
from contracts.rig import Reader, Rig
from hypothesis import given
from hypothesis import strategies as st
from serial_captures import Replayed
from shared import shared_data

from kiezbox.errors import SensorError, SensorGarbled, SensorMissing
from kiezbox.hardware.simulated.vedirect import SimulatedVedirect
from kiezbox.model import Flag, Quantity
from kiezbox.sensors.vedirect import Parser

V, A, W, WH, SOC = (
    Quantity.VOLTAGE_V,
    Quantity.CURRENT_A,
    Quantity.POWER_W,
    Quantity.ENERGY_WH,
    Quantity.CHARGE_PERCENT,
)
#: Victron's FAQ, "How do I calculate the HEX checksum?".
HEX = b":7001000C80076\n"


def block(fields: Mapping[str, str]) -> bytes:
    text = "".join(f"\r\n{label}\t{value}" for label, value in fields.items()).encode("ascii")
    text += b"\r\nChecksum\t"
    return text + bytes((-sum(text) & 0xFF,))


CHARGER = {"PID": "0xA05F", "V": "12810", "I": "-10", "PPV": "0", "ERR": "0", "H20": "1"}


def plugged_in(rig: Rig, **details: bool) -> tuple[SimulatedVedirect, Reader]:
    device = SimulatedVedirect(block_s=0.02, **details)
    port = rig.bench.attach_serial("ttyUSB0", device)
    return device, rig.reader("vedirect", {"port": port})


def replayed(rig: Rig, stream: bytes, piece: int = 97) -> Reader:
    port = rig.bench.attach_serial("ttyUSB0", Replayed(stream, piece))
    return rig.reader("vedirect", {"port": port})


# --- blocks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "checksums", "whole"),
    # As counted in ../shared/data/README.md; the smartsolar's first block begins in its middle.
    [("ve_bvm702", 906, 906), ("ve_smartsolar_1.39", 494, 493)],
)
def test_every_whole_block_of_a_real_device_is_found(name: str, checksums: int, whole: int) -> None:
    stream = shared_data(f"serial/vedirect/{name}.dump").read_bytes()

    blocks = Parser().feed(stream)

    assert stream.count(b"Checksum\t") == checksums
    assert len(blocks) == whole


def test_a_real_battery_monitors_first_block_says_what_stands_in_it() -> None:
    stream = shared_data("serial/vedirect/ve_bvm702.dump").read_bytes()

    first, second = Parser().feed(stream[:600])[:2]

    assert (first["V"], first["I"], first["P"], first["SOC"]) == ("12065", "-7625", "-92", "839")
    assert second["H12"] == "0" and "V" not in second


@pytest.mark.parametrize("at", range(len(block(CHARGER)) - 1))
def test_a_hex_record_may_stand_at_any_place(at: int) -> None:
    whole = block(CHARGER)

    assert Parser().feed(whole[:at] + HEX + whole[at:]) == [CHARGER]


def test_a_checksum_that_is_a_colon_is_no_hex_record() -> None:
    # Real BMVs say seven such blocks in 906; here a serial number is tried until it makes one.
    fields = next(
        fields
        for count in range(60)
        for others in range(count)
        if block(fields := {"SER#": "A" * (count - others) + "B" * others})[-1:] == b":"
    )

    assert Parser().feed(block(fields) + block(CHARGER)) == [fields, CHARGER]


@pytest.mark.parametrize("bit", range(8 * len(block(CHARGER))))
def test_a_block_with_any_one_bit_wrong_is_none(bit: int) -> None:
    wrong = bytearray(block(CHARGER))
    wrong[bit // 8] ^= 1 << bit % 8

    assert Parser().feed(bytes(wrong)) == []


@pytest.mark.parametrize("cut", range(1, len(block(CHARGER)) - 1))
def test_of_a_block_cut_anywhere_and_the_next_only_a_third_is_believed(cut: int) -> None:
    whole = block(CHARGER)

    found = Parser().feed(whole[:cut] + whole + whole)

    assert found in ([CHARGER], [CHARGER, CHARGER])


def test_two_blocks_that_ran_into_one_are_none_even_with_a_right_sum() -> None:
    twice = {"V": "12810"}
    text = block(twice)[: -len("\r\nChecksum\t") - 1] * 2 + b"\r\nChecksum\t"

    assert Parser().feed(text + bytes((-sum(text) & 0xFF,))) == []


@given(st.lists(st.binary(max_size=30) | st.just(block(CHARGER)) | st.just(HEX), max_size=12))
def test_how_the_bytes_are_cut_makes_no_difference(pieces: list[bytes]) -> None:
    parser = Parser()
    stream = b"".join(pieces)

    one_by_one = [one for byte in stream for one in parser.feed(bytes((byte,)))]

    assert one_by_one == Parser().feed(stream)


# --- the device -----------------------------------------------------------------------------------


def test_a_real_chargers_stream_is_read(rig: Rig) -> None:
    stream = shared_data("serial/vedirect/ve_smartsolar_1.39.dump").read_bytes()
    reader = replayed(rig, stream)

    for _ in range(3):
        said = {one.quantity: one for one in reader.read()}
        assert list(said) == [V, A, W, WH]
        # By eye, in the dump: a battery of 12.7 to 12.9 V at night.
        assert 12.5 < said[V].value < 13 and said[W].value == 0
        assert all(one.flag is Flag.GOOD for one in said.values())


def test_a_real_monitors_stream_is_read(rig: Rig) -> None:
    reader = replayed(rig, shared_data("serial/vedirect/ve_bvm702.dump").read_bytes(), 131)

    said = {one.quantity: one.value for one in reader.read()}

    assert list(said) == [V, A, W, SOC]
    assert 11.8 < said[V] < 12.5 and -9 < said[A] < 0
    assert abs(said[W] - said[V] * said[A]) < 3, "watts are volts times amperes"
    assert 75 < said[SOC] < 90


def test_a_monitor_that_was_never_full_leaves_its_charge_out(rig: Rig) -> None:
    device, reader = plugged_in(rig, is_monitor=True)
    device.set(12.8, -1.0, -13, None)

    assert [one.quantity for one in reader.read()] == [V, A, W]


def test_the_yield_comes_in_steps_of_ten_watt_hours(rig: Rig) -> None:
    # Victron, "VE.Direct protocol": H20, yield today, 0.01 kWh.
    reader = replayed(rig, block({**CHARGER, "H20": "47"}))

    assert reader.read()[-1] == (WH, 470.0, None, Flag.GOOD, "")


def test_a_charger_that_lost_its_calibration_is_doubted_and_says_so_once(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    device, reader = plugged_in(rig)
    device.fault = "calibration_lost"
    with caplog.at_level(logging.WARNING, "kiezbox"):
        for _ in range(3):
            assert {(one.flag, one.reason) for one in reader.read()} == {(Flag.SUSPECT, "status")}

    assert [record.getMessage().count("error 116") for record in caplog.records] == [1]


def test_values_spread_over_two_blocks_are_put_together(rig: Rig) -> None:
    first = {key: CHARGER[key] for key in ("PID", "V", "I")}
    second = {"PPV": "31", "H20": "2"}
    reader = replayed(rig, block(first) + block(second), 20)

    assert [one.value for one in reader.read()] == [12.81, -0.01, 31, 20]


def test_two_seconds_are_not_mixed(rig: Rig) -> None:
    # An inverter says neither panel nor charge: what it has must not wait for the next block.
    reader = replayed(rig, block({"PID": "0xA201", "V": "12500"}), 20)

    assert [(one.quantity, one.value) for one in reader.read()] == [(V, 12.5)]
    assert reader.took_s < 2


@pytest.mark.parametrize("value", ["12.8", "", "x", "1e3", "1_0", " 12"])
def test_a_value_that_is_no_whole_number_is_no_reading(rig: Rig, value: str) -> None:
    reader = replayed(rig, block({**CHARGER, "V": value}))

    with pytest.raises(SensorGarbled, match="no number"):
        reader.read()


def test_a_device_that_says_nothing_electric_is_named(rig: Rig) -> None:
    reader = replayed(rig, block({"PID": "0x0300", "FW": "1"}))

    with pytest.raises(SensorGarbled, match="0x0300"):
        reader.read()


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        ("silence", SensorMissing, "says nothing"),
        ("garbage", SensorGarbled, "no whole frame"),
        ("bad_checksum", SensorGarbled, "no whole frame"),
        ("half_frame", SensorGarbled, "no whole frame"),
        ("lost_bytes", SensorGarbled, "no whole frame"),
        ("endless_hex", SensorGarbled, "no whole frame"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(
    rig: Rig, fault: str, kind: type[SensorError], words: str
) -> None:
    device, reader = plugged_in(rig)
    device.fault = fault

    with pytest.raises(kind, match=words) as raised:
        reader.read(deadline_s=HASTE_S)

    assert rig.bench.folder in str(raised.value), "the sentence names the port"
    assert raised.value.hint
