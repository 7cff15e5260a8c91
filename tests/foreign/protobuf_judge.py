"""google.protobuf as a judge of our reader, with the messages as the tables have them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from shared import SHARED

#: 2025-10-22: after all vectors were made, before their times could be doubted.
NOW = 1_761_091_200.0

#: From the project's vectors: core_update_as_firmware_builds_it, sensor_update, distress_fire.
CORE = bytes.fromhex(
    "22400a060801107120001080c3bbc2061a30120208011a2a08cee6ffffffffffffff011098a70118bce30220f48f01"
    "288c6030d40238b46040c66448900350eaad01"
)
SENSOR = bytes.fromhex(
    "22310a0808011071180720011080c3bbc206221f0a1d08c892011090de031882ec3d20c0c40728d04130e07640ac98"
    "01488c1f"
)
FIRE = bytes.fromhex("3219080110051880c3bbc206220d4bc3bc636865206272656e6e74")
#: The AdminMessage in "module config response mode=emergency".
CONFIG = bytes.fromhex("4210720e080110e0d4032001287138014002")


def vectors() -> dict[str, Any]:
    """The project's test vectors, which lie beside the checkout."""
    path = Path(SHARED) / "reference" / "kiezbox-2.0-vectors.json"
    if not path.exists():
        pytest.skip(f"vectors not here: {path} (set KIEZBOX_SHARED to the folder that has them)")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


_ENUMS = {
    "Mode": ["maintenance", "normal", "emergency"],
    "DeviceType": ["core", "sensor", "display", "button"],
    "EmergencyType": ["medical", "fire", "crime", "sick", "help"],
}
_CORE = (
    "temp_out temp_in humid_in solar_voltage solar_power solar_energy_day solar_energy_total"
    " battery_voltage battery_current temp_rtc"
)
_SENSOR = (
    "temp_main humid_main pressure air_quality part_pm25 part_pm10 noise temp_rtc battery_voltage"
)
#: Message → "name type number", with ? for optional and | for a member of the oneof ``set``.
_MESSAGES = {
    "Meta": "?box_id uint32 1, ?dist_id uint32 2, ?sens_id uint32 3, ?dev_type DeviceType 4",
    "Router": "powered bool 1, ?sw_version string 2, ?model string 3",
    "CoreValues": ", ".join(f"?{name} int32 {n}" for n, name in enumerate(_CORE.split(), 1)),
    "SensorValues": ", ".join(f"?{name} int32 {n}" for n, name in enumerate(_SENSOR.split(), 1)),
    "Core": "mode Mode 1, router Router 2, values CoreValues 3",
    "Sensor": "values SensorValues 1",
    "Update": "meta Meta 1, unix_time int64 2, core Core 3, sensor Sensor 4, ?arrival_time int64 5",
    "Control": "meta Meta 1, |mode Mode 2, |unix_time int64 3, |router_power bool 4,"
    " |box_id uint32 5, |dist_id uint32 6, |sens_id uint32 7, |status_interval int32 8,"
    " |sds_warmup_time int32 9, |enabled bool 10, |dev_type DeviceType 11, |button_id int32 12",
    "Distress": "type EmergencyType 1, button_id int32 2, unix_time int64 3, ?message string 4",
    "KiezboxMessage": "update Update 4, control Control 5, distress Distress 6",
    "Old": "mode Mode 1, |unix_time int64 2, |router_power bool 3, |box_id uint32 4,"
    " |dist_id uint32 5, |sens_id uint32 6, |status_interval int32 7",
    "OldSensorValues": ", ".join(
        f"{name} uint32 {n}" for n, name in enumerate(_SENSOR.split()[:8], 1)
    ),
    "OldSensor": "sens_id uint32 1, values OldSensorValues 2",
    "OldUpdate": "meta Meta 1, unix_time int64 2, core Core 3, sensor OldSensor 4",
    "OldMessage": "update OldUpdate 4, control Old 5",
}  # fmt: skip


@cache
def judge() -> dict[str, Any]:
    """Name → message class of google.protobuf."""
    pytest.importorskip("google.protobuf", reason="skipped, because protobuf is not installed")
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    of = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="judge.proto", package="j", syntax="proto3")
    for name, words in _ENUMS.items():
        enum = file.enum_type.add(name=name)
        for number, word in enumerate(words):
            # Names of one package must differ; the text format has them without the prefix.
            enum.value.add(name=word, number=number)
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        told = [each.strip() for each in fields.split(",")]
        if any(each.startswith("|") for each in told):
            message.oneof_decl.add(name="set")
        for each in told:
            title, kind, number = each.lstrip("?|").split()
            field = message.field.add(name=title, number=int(number), label=of.LABEL_OPTIONAL)
            if kind in _ENUMS or kind in _MESSAGES:
                field.type = of.TYPE_ENUM if kind in _ENUMS else of.TYPE_MESSAGE
                field.type_name = f".j.{kind}"
            else:
                field.type = getattr(of, f"TYPE_{kind.upper()}")
            if each.startswith("|"):
                field.oneof_index = 0
        for each, field in zip(told, message.field, strict=True):
            if each.startswith("?"):
                field.proto3_optional = True
                field.oneof_index = len(message.oneof_decl)
                message.oneof_decl.add(name=f"_{field.name}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"j.{name}"))
        for name in _MESSAGES
    }
