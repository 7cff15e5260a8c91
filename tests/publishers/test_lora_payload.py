"""What travels over LoRaWAN, byte by byte: the same golden vectors for our encoder and for the
decoder.js that people paste into their network; and Cayenne LPP, read by somebody else's decoder.
"""

from __future__ import annotations

import json
import random
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cayennelpp import LppFrame
from publishers.lora_side import DECODER, decoded

from kiezbox.model import Flag, Quantity
from kiezbox.publishers._lora_payload import FIELDS, PORT, Value, cayenne, channel, pack

VECTORS = json.loads((Path(__file__).parent / "lora_vectors.json").read_text(encoding="utf-8"))


def values_of(vector: dict[str, Any]) -> list[Value]:
    return [
        Value(place, Quantity(name), float(value), flag)
        for place, name, value, flag in vector["values"]
    ]


def bytes_of(vector: dict[str, Any]) -> bytes:
    return bytes.fromhex(vector["payload"].replace(" ", ""))


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["says"][:40])
def test_values_become_these_bytes(vector: dict[str, Any]) -> None:
    packed = pack(values_of(vector), vector.get("most_bytes", 51))

    assert packed.payload.hex() == bytes_of(vector).hex()
    assert packed.port == PORT


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["says"][:40])
def test_the_networks_formatter_makes_these_values_of_them(vector: dict[str, Any]) -> None:
    said = decoded(bytes_of(vector), PORT)

    assert said == {"data": vector["data"], "warnings": vector["warnings"]}


def test_the_vectors_have_every_quantity_there_is() -> None:
    assert {row[1] for vector in VECTORS for row in vector["values"]} == {
        quantity.value for quantity in Quantity
    }


def test_every_quantity_has_a_field_and_no_two_share_a_code() -> None:
    codes = [field.code for field in FIELDS.values()]

    assert set(FIELDS) == set(Quantity)
    assert len(set(codes)) == len(codes) and max(codes) < 64


def formatted(payloads: list[bytes]) -> list[dict[str, Any]]:
    """All of them by one run of node."""
    script = DECODER.read_text(encoding="utf-8") + (
        f"\nconsole.log(JSON.stringify({json.dumps([list(p) for p in payloads])}"
        f".map(function (bytes) {{ return decodeUplink({{fPort: {PORT}, bytes: bytes}}); }})));"
    )
    done = subprocess.run(
        ["node", "-"], input=script, capture_output=True, text=True, timeout=60, check=True
    )
    said: list[dict[str, Any]] = json.loads(done.stdout)
    return said


def test_whatever_is_sent_arrives_to_half_a_step() -> None:
    dice = random.Random(7)
    sets = []
    for _ in range(500):
        values = []
        for quantity, field in dice.sample(sorted(FIELDS.items(), key=str), dice.randint(1, 9)):
            span = field.step * ((1 << 8 * field.bytes) - 1)
            values.append(Value(dice.randint(0, 7), quantity, field.least + dice.random() * span))
        sets.append(sorted(values, key=lambda value: value.place))

    said = formatted([pack(values, 222).payload for values in sets])

    for values, answer in zip(sets, said, strict=True):
        assert answer["warnings"] == []
        for value in values:
            told = answer["data"][f"sensor_{value.place}"][value.quantity.value]
            field = FIELDS[value.quantity]
            assert abs(told - value.value) <= field.step / 2 + 0.0005


def test_no_bytes_at_all_make_the_formatter_fail() -> None:
    """It says errors, as The Things Stack wants it, and never throws."""
    dice = random.Random(11)
    payloads = [dice.randbytes(dice.randint(0, 60)) for _ in range(3000)]
    payloads += [b"\x10" + dice.randbytes(dice.randint(0, 30)) for _ in range(3000)]

    for answer in formatted(payloads):
        assert ("data" in answer) != ("errors" in answer)


def test_a_payload_cut_anywhere_is_an_error_or_a_shorter_one_and_never_a_wrong_value() -> None:
    whole = bytes_of(VECTORS[2])
    right = decoded(whole, PORT)["data"]

    for answer in formatted([whole[:length] for length in range(len(whole))]):
        for name, values in answer.get("data", {}).items():
            if name.startswith("sensor_"):
                assert values.items() <= right[name].items()


def test_another_port_is_not_ours() -> None:
    assert decoded(bytes_of(VECTORS[0]), 1) == {"errors": ["port 1 is not ours; ours is 2"]}


def test_sensors_have_the_names_that_are_put_into_the_formatter() -> None:
    said = decoded(bytes_of(VECTORS[2]), PORT, ("roof", "dust"))

    assert set(said["data"]) == {"version", "is_all", "roof", "dust"}


# --- Cayenne LPP ----------------------------------------------------------------------------------


def lpp(values: list[Value], most_bytes: int = 51) -> dict[int, tuple[str, float]]:
    """What pycayennelpp reads: type and value by channel."""
    payload = cayenne(values, most_bytes).payload
    return {
        item.channel: (item.type.name, float(item.value[0]))
        for item in LppFrame().from_bytes(payload)
    }


def test_cayenne_lpp_is_read_by_somebody_elses_decoder() -> None:
    values = [
        Value(0, Quantity.TEMPERATURE_C, -12.3),
        Value(0, Quantity.HUMIDITY_PERCENT, 55.5),
        Value(0, Quantity.PRESSURE_HPA, 1008.4),
        Value(1, Quantity.ILLUMINANCE_LX, 12345),
        Value(1, Quantity.PM10_UG_M3, 28.7),
        Value(2, Quantity.VOLTAGE_V, 12.87),
    ]

    assert lpp(values) == {
        1: ("Temperature", -12.3),
        2: ("Humidity", 55.5),
        3: ("Barometer", 1008.4),
        47: ("Illuminance", 12345),
        39: ("Analog Input", 28.7),
        83: ("Analog Input", 12.87),
    }


def test_cayenne_lpp_leaves_out_what_is_not_good_and_what_it_cannot_say() -> None:
    values = [
        Value(0, Quantity.TEMPERATURE_C, 26.5, Flag.SUSPECT),
        Value(0, Quantity.CO2_PPM, 1500),
        Value(0, Quantity.PRESSURE_HPA, float("nan")),
        Value(0, Quantity.HUMIDITY_PERCENT, 40),
    ]

    packed = cayenne(values, 51)

    assert list(lpp(values)) == [2]
    assert packed.carried == 4


def test_every_series_has_a_channel_of_its_own() -> None:
    channels = {channel(Value(place, quantity, 0)) for place in range(8) for quantity in FIELDS}

    assert len(channels) == 8 * len(FIELDS) and max(channels) <= 255


def test_the_page_has_every_field_as_it_is() -> None:
    page = (DECODER.parent.parent / "lorawan.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| \d+ \| `(\w+)` \| (.+) \|$", page, re.MULTILINE))

    for quantity, field in FIELDS.items():
        assert f"| {field.code} | `{quantity.value}` |" in page
        said = [float(text) for text in rows[quantity.value].split(" | ")]
        assert said == [field.bytes, field.step, field.least]
