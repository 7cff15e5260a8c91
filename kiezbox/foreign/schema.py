"""What stands where in a message of Kiezbox 2.0, in which unit, and what can be believed of it.

Facts about the messages on the air, gathered from published code and told in our own tables
(docs/kiezbox-2.0.md has the whole of it). Their ``proto`` files are not used.
"""

from __future__ import annotations

from enum import Enum, IntEnum, StrEnum
from typing import NamedTuple

from kiezbox.model import Quantity

__all__ = [
    "CHANNEL", "CONFIG", "CORE", "CORE_VALUES", "CONTROL_2024", "CONTROL_2025", "DISTRESS",
    "MESSAGE", "META", "PORT", "ROUTER", "SENSOR", "SENSOR_2024_11", "SENSOR_VALUES", "STATUS",
    "STATUS_NAMES", "UPDATE", "VALUES", "DeviceType", "Emergency", "Generation", "Kind", "Mode",
    "Rule",
]  # fmt: skip

#: Their port number within Meshtastic's Data messages, and the name of their channel. Its index
#: differs from node to node: look the name up.
PORT, CHANNEL = 258, "kiezbox"


class Generation(StrEnum):
    """Which of their four schemas a message is of; where several read it alike, the oldest."""

    STATUS_2024_09 = "2024-09"
    VALUES_2024_11 = "2024-11"
    OPTIONAL_2024_12 = "2024-12"
    FILTERS_2025_06 = "2025-06"


class Mode(IntEnum):
    """Said by nobody on the air but in a Control: what is missing is *unknown*, never 0."""

    MAINTENANCE = 0
    NORMAL = 1
    EMERGENCY = 2


class DeviceType(IntEnum):
    CORE = 0
    SENSOR = 1
    DISPLAY = 2
    BUTTON = 3


class Emergency(IntEnum):
    """0 is not on the wire, so *medical* may also be "not said"."""

    MEDICAL = 0
    FIRE = 1
    CRIME = 2
    SICK = 3
    HELP = 4


class Kind(Enum):
    """How a field's bytes are read."""

    INT32 = "int32"
    UINT32 = "uint32"
    INT64 = "int64"
    BOOL = "bool"
    TEXT = "string"
    MESSAGE = "message"


#: Of a message: field number → name, how it is read.
Table = dict[int, tuple[str, Kind]]

_INT32, _UINT32, _INT64 = Kind.INT32, Kind.UINT32, Kind.INT64
_BOOL, _TEXT, _MESSAGE = Kind.BOOL, Kind.TEXT, Kind.MESSAGE

MESSAGE: Table = {4: ("update", _MESSAGE), 5: ("control", _MESSAGE), 6: ("distress", _MESSAGE)}

#: 2024-11 has only the first two of Meta.
META: Table = {
    1: ("box_id", _UINT32), 2: ("dist_id", _UINT32), 3: ("sens_id", _UINT32),
    4: ("dev_type", _INT32),
}  # fmt: skip
UPDATE: Table = {
    1: ("meta", _MESSAGE), 2: ("unix_time", _INT64), 3: ("core", _MESSAGE),
    4: ("sensor", _MESSAGE), 5: ("arrival_time", _INT64),
}  # fmt: skip
CORE: Table = {1: ("mode", _INT32), 2: ("router", _MESSAGE), 3: ("values", _MESSAGE)}
ROUTER: Table = {1: ("powered", _BOOL), 2: ("sw_version", _TEXT), 3: ("model", _TEXT)}
SENSOR: Table = {1: ("values", _MESSAGE)}
SENSOR_2024_11: Table = {1: ("sens_id", _UINT32), 2: ("values", _MESSAGE)}

#: 2024-09: one flat message, under the same number 4 as Update later.
STATUS: Table = {
    1: ("box_id", _UINT32), 2: ("dist_id", _UINT32), 3: ("router_powered", _BOOL),
    4: ("unix_time", _INT64), 5: ("temperature_out", _INT32), 6: ("temperature_in", _INT32),
    7: ("humidity_in", _INT32), 8: ("solar_voltage", _INT32), 9: ("solar_power", _INT32),
    10: ("solar_energy_day", _INT32), 11: ("solar_energy_total", _INT32),
    12: ("battery_voltage", _INT32), 13: ("battery_current", _INT32),
    14: ("temperature_rtc", _INT32),
}  # fmt: skip
#: What its values were called later.
STATUS_NAMES = {
    "temperature_out": "temp_out", "temperature_in": "temp_in", "humidity_in": "humid_in",
    "temperature_rtc": "temp_rtc",
}  # fmt: skip

#: A Control sets one thing. Since 2025-06 field 1 is a Meta, by which boxes are chosen.
CONTROL_2025: Table = {
    2: ("mode", _INT32), 3: ("unix_time", _INT64), 4: ("router_power", _BOOL),
    5: ("box_id", _UINT32), 6: ("dist_id", _UINT32), 7: ("sens_id", _UINT32),
    8: ("status_interval", _INT32), 9: ("sds_warmup_time", _INT32), 10: ("enabled", _BOOL),
    11: ("dev_type", _INT32), 12: ("button_id", _INT32),
}  # fmt: skip
CONTROL_2024: Table = {
    1: ("mode", _INT32), 2: ("unix_time", _INT64), 3: ("router_power", _BOOL),
    4: ("box_id", _UINT32), 5: ("dist_id", _UINT32), 6: ("sens_id", _UINT32),
    7: ("status_interval", _INT32),
}  # fmt: skip

DISTRESS: Table = {
    1: ("type", _INT32), 2: ("button_id", _INT32), 3: ("unix_time", _INT64),
    4: ("message", _TEXT),
}  # fmt: skip

#: What a node answers when it is asked for its settings (Meshtastic's AdminMessage). Before
#: 2024-12-05 field 6 was router_power.
CONFIG: Table = {
    1: ("enabled", _BOOL), 2: ("status_interval", _INT32), 3: ("power_pin_override", _INT32),
    4: ("box_id", _INT32), 5: ("dist_id", _INT32), 6: ("sens_id", _INT32),
    7: ("router_power", _BOOL), 8: ("mode", _INT32), 9: ("dev_type", _INT32),
    10: ("sds_warmup_time", _INT32), 11: ("button_id", _INT32),
}  # fmt: skip


class Rule(NamedTuple):
    """One value: whose it is with us, and between which limits it is taken at all.

    ``sensor`` is our name for what measured it, ``quantity`` None where we have none;
    ``per_unit``: how many of the wire's units are one of ours, whose name is ``unit`` where there
    is no quantity. ``is_zero_doubtful``: their firmware turns "no number" into 0, too.
    """

    sensor: str
    quantity: Quantity | None
    per_unit: int
    least: float
    most: float
    is_zero_doubtful: bool = False
    unit: str = ""


_CELSIUS = -60.0, 85.0
#: Limits of temperature, humidity, pressure, dust and battery are the project's own survey's; the
#: panel's are the largest of Victron's chargers (250 V) and what a roof can hold.
CORE_VALUES: dict[str, Rule] = {
    "temp_out": Rule("outside", Quantity.TEMPERATURE_C, 1000, *_CELSIUS, True),
    "temp_in": Rule("inside", Quantity.TEMPERATURE_C, 1000, *_CELSIUS, True),
    "humid_in": Rule("inside", Quantity.HUMIDITY_PERCENT, 1000, 0.0, 100.0, True),
    "solar_voltage": Rule("panel", Quantity.VOLTAGE_V, 1000, 0.0, 250.0),
    "solar_power": Rule("panel", Quantity.POWER_W, 1000, 0.0, 10_000.0),
    # Watt hours on the wire; their database has kilowatt hours.
    "solar_energy_day": Rule("panel", Quantity.ENERGY_WH, 1, 0.0, 100_000.0),
    # Since the charger was made, which is no quantity of ours.
    "solar_energy_total": Rule("panel", None, 1000, 0.0, 1_000_000.0, unit="kWh"),
    "battery_voltage": Rule("battery", Quantity.VOLTAGE_V, 1000, 0.0, 60.0, True),
    # Of the charger: what the load draws past it is not in it.
    "battery_current": Rule("charger", Quantity.CURRENT_A, 1000, -200.0, 200.0),
    # Inside the clock chip: it warms with the board.
    "temp_rtc": Rule("clock", Quantity.TEMPERATURE_C, 1000, *_CELSIUS, True),
}
SENSOR_VALUES: dict[str, Rule] = {
    "temp_main": Rule("air", Quantity.TEMPERATURE_C, 1000, *_CELSIUS, True),
    "humid_main": Rule("air", Quantity.HUMIDITY_PERCENT, 1000, 0.0, 100.0, True),
    "pressure": Rule("air", Quantity.PRESSURE_HPA, 1000, 300.0, 1100.0),
    # Ohms, and no index of anything; their database has kiloohms.
    "air_quality": Rule("air", Quantity.GAS_RESISTANCE_OHM, 1, 1.0, 100_000_000.0),
    "part_pm25": Rule("dust", Quantity.PM2_5_UG_M3, 1000, 0.0, 1000.0, True),
    "part_pm10": Rule("dust", Quantity.PM10_UG_M3, 1000, 0.0, 1000.0, True),
    "temp_rtc": Rule("clock", Quantity.TEMPERATURE_C, 1000, *_CELSIUS, True),
    "battery_voltage": Rule("battery", Quantity.VOLTAGE_V, 1000, 0.0, 60.0, True),
}

#: Field number → name, in CoreValues and SensorValues.
VALUES: dict[DeviceType, tuple[dict[int, str], dict[str, Rule]]] = {
    DeviceType.CORE: (dict(enumerate(CORE_VALUES, 1)), CORE_VALUES),
    DeviceType.SENSOR: (
        # 7 was to be noise. It was never sent, and nobody has said in which unit.
        {**dict(enumerate(list(SENSOR_VALUES)[:6], 1)), 7: "noise", 8: "temp_rtc",
         9: "battery_voltage"},
        SENSOR_VALUES,
    ),
}  # fmt: skip
