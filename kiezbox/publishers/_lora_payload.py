"""Readings in few bytes, for LoRaWAN: our own format, and Cayenne LPP. docs/lorawan.md has both.

Our format, version 1 (all numbers big-endian)::

    byte 0      version (upper four bits: 1), and in the lower four: 1 = more than fitted
    then per sensor:
      1 byte    place of the sensor in the settings (upper three bits), number of its values
      per value:
        1 byte  code of the quantity (upper six bits); 0 good, 1 suspect, 2 bad, 3 no value
        0 to 3  the value, only if it is good: what is not believed is never carried

The decoder for the other side is docs/lorawan/decoder.js.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import NamedTuple

from kiezbox.model import Flag, Quantity

__all__ = [
    "FIELDS",
    "MOST_SENSORS",
    "NO_VALUE",
    "PORT",
    "Field",
    "Packed",
    "Value",
    "cayenne",
    "pack",
]

VERSION = 1

#: Of the first byte: there was more than fits into one frame; the rest comes with the next.
MORE = 1

#: The LoRaWAN port of our format, and the one on which Cayenne LPP is expected.
PORT, CAYENNE_PORT = 2, 1

#: Quality beside the three of ``Flag``: outside what the field can say.
NO_VALUE = 3

MOST_SENSORS, MOST_VALUES = 8, 31


class Field(NamedTuple):
    """How a quantity travels: its value is ``least + step * number``, in so many bytes."""

    code: int
    bytes: int
    step: float
    least: float


#: A code is never given to another quantity; a field is never changed without a new version.
FIELDS: dict[Quantity, Field] = {
    Quantity.TEMPERATURE_C: Field(1, 2, 0.01, -100),
    Quantity.HUMIDITY_PERCENT: Field(2, 1, 0.5, 0),
    Quantity.PRESSURE_HPA: Field(3, 2, 0.02, 300),
    Quantity.PM1_UG_M3: Field(4, 2, 0.1, 0),
    Quantity.PM2_5_UG_M3: Field(5, 2, 0.1, 0),
    Quantity.PM4_UG_M3: Field(6, 2, 0.1, 0),
    Quantity.PM10_UG_M3: Field(7, 2, 0.1, 0),
    Quantity.NO2_UG_M3: Field(8, 2, 0.1, 0),
    Quantity.O3_UG_M3: Field(9, 2, 0.1, 0),
    Quantity.CO2_PPM: Field(10, 2, 1, 0),
    Quantity.GAS_RESISTANCE_OHM: Field(11, 3, 10, 0),
    Quantity.VOC_INDEX: Field(12, 2, 1, 0),
    Quantity.NOX_INDEX: Field(13, 2, 1, 0),
    Quantity.LAEQ_DB: Field(14, 1, 0.5, 0),
    Quantity.ILLUMINANCE_LX: Field(15, 3, 0.1, 0),
    Quantity.RAIN_MM: Field(16, 2, 0.01, 0),
    Quantity.WATER_LEVEL_M: Field(17, 2, 0.001, -10),
    Quantity.MOISTURE_PERCENT: Field(18, 1, 0.5, 0),
    Quantity.VOLTAGE_V: Field(19, 2, 0.01, 0),
    Quantity.CURRENT_A: Field(20, 2, 0.01, -327.68),
    Quantity.POWER_W: Field(21, 2, 0.1, -3276.8),
    Quantity.ENERGY_WH: Field(22, 3, 1, 0),
    Quantity.CHARGE_PERCENT: Field(23, 1, 0.5, 0),
    Quantity.SATELLITES: Field(24, 1, 1, 0),
}


class Value(NamedTuple):
    """One series' latest: the place of its sensor in the settings, and what is known of it.

    ``value`` counts only where ``flag`` is GOOD.
    """

    place: int
    quantity: Quantity
    value: float
    flag: int = Flag.GOOD


class Packed(NamedTuple):
    """A payload, its port, and how many of the values are in it: the first so many."""

    payload: bytes
    port: int
    carried: int


def pack(values: Sequence[Value], most_bytes: int) -> Packed:
    """As many of the values, from the first on, as fit; those of one sensor one after another.

    >>> pack([Value(0, Quantity.TEMPERATURE_C, 21.54)], 51).payload.hex()
    '1001042f7a'
    """
    parts: list[tuple[int, bytearray]] = []
    size, count = 1, 0
    for value in values:
        said = _said(value)
        is_same = bool(parts) and parts[-1][0] == value.place
        is_same = is_same and _count_of(parts[-1][1]) < MOST_VALUES
        size += len(said) + (0 if is_same else 1)
        if size > most_bytes:
            break
        if not is_same:
            parts.append((value.place, bytearray((value.place << 5,))))
        parts[-1][1][0] += 1
        parts[-1][1].extend(said)
        count += 1
    head = VERSION << 4 | (MORE if count < len(values) else 0)
    return Packed(bytes((head,)) + b"".join(part for _, part in parts), PORT, count)


def _count_of(part: bytearray) -> int:
    return part[0] & 0x1F


def _said(value: Value) -> bytes:
    field = FIELDS[value.quantity]
    flag, number = value.flag, 0
    if flag == Flag.GOOD:
        if isfinite(value.value):
            number = round((value.value - field.least) / field.step)
        if not isfinite(value.value) or not 0 <= number < 1 << 8 * field.bytes:
            flag = NO_VALUE
    head = bytes((field.code << 2 | flag,))
    return head if flag else head + number.to_bytes(field.bytes, "big")


class _Cayenne(NamedTuple):
    """A type of Cayenne LPP 1.0 (IPSO object 3200 + code): signed or not, and its scale."""

    type: int
    bytes: int
    scale: int
    is_signed: bool


#: What Cayenne LPP 1.0 has a type for. All else goes as "analog input", which is 0.01 and at most
#: 327.67; what does not fit is left out.
_TYPES: dict[Quantity, _Cayenne] = {
    Quantity.TEMPERATURE_C: _Cayenne(103, 2, 10, True),
    Quantity.HUMIDITY_PERCENT: _Cayenne(104, 1, 2, False),
    Quantity.PRESSURE_HPA: _Cayenne(115, 2, 10, False),
    Quantity.ILLUMINANCE_LX: _Cayenne(101, 2, 1, False),
}
_ANALOG = _Cayenne(2, 2, 100, True)


def channel(value: Value) -> int:
    """The Cayenne channel of a series: the quantity's code, and 32 for each place of a sensor.

    >>> channel(Value(0, Quantity.TEMPERATURE_C, 0)), channel(Value(2, Quantity.PM10_UG_M3, 0))
    (1, 71)
    """
    return 32 * value.place + FIELDS[value.quantity].code


def cayenne(values: Sequence[Value], most_bytes: int) -> Packed:
    """The good ones as Cayenne LPP 1.0; it has no place for a quality, so others are left out."""
    payload, count = bytearray(), 0
    for value in values:
        kind = _TYPES.get(value.quantity, _ANALOG)
        least, most = (
            (-(1 << 8 * kind.bytes - 1), (1 << 8 * kind.bytes - 1) - 1)
            if kind.is_signed
            else (0, (1 << 8 * kind.bytes) - 1)
        )
        number = round(value.value * kind.scale) if isfinite(value.value) else most + 1
        if value.flag == Flag.GOOD and least <= number <= most:
            if len(payload) + 2 + kind.bytes > most_bytes:
                break
            payload += bytes((channel(value), kind.type))
            payload += number.to_bytes(kind.bytes, "big", signed=kind.is_signed)
        count += 1
    return Packed(bytes(payload), CAYENNE_PORT, count)
