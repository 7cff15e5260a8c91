"""What Home Assistant is told, word by word: topics, components, device classes.

Full names, no abbreviations: 20 sensors are 40 kB once, and whoever looks with ``mosquitto_sub``
can read it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from kiezbox import __version__
from kiezbox.mode import Mode
from kiezbox.model import Flag, Quantity, Series
from kiezbox.units import UNITS


class Place(NamedTuple):
    """Where a box is on the broker."""

    box: str
    name: str
    prefix: str

    @property
    def device(self) -> str:
        return f"kiezbox-{self.box}"

    @property
    def base(self) -> str:
        return f"kiezbox/1/{self.box}/home-assistant"

    @property
    def config(self) -> str:
        """Retained: the description."""
        return f"{self.prefix}/device/{self.device}/config"

    @property
    def birth(self) -> str:
        """Where Home Assistant says that it has started ("Birth and last will messages")."""
        return f"{self.prefix}/status"

    @property
    def online(self) -> str:
        """Retained: "online", or by the last will "offline"."""
        return f"{self.base}/online"

    def state(self, series: Series) -> str:
        return f"{self.base}/{series.sensor}/{series.quantity}"

    def quality(self, series: Series) -> str:
        return f"{self.base}/{series.sensor}/{series.quantity}/quality"

    def told(self, kind: str) -> str:
        return f"{self.base}/{kind}"


class Class(NamedTuple):
    """How Home Assistant calls a quantity ("Sensor", "Device class", "State classes")."""

    words: str
    device_class: str | None
    unit: str | None
    state_class: str = "measurement"


_UG = "µg/m³"

#: ``pm4`` is no device class before 2025.12, and an index of volatile compounds has none.
CLASSES: dict[Quantity, Class] = {
    Quantity.TEMPERATURE_C: Class("temperature", "temperature", "°C"),
    Quantity.HUMIDITY_PERCENT: Class("humidity", "humidity", "%"),
    Quantity.PRESSURE_HPA: Class("air pressure", "atmospheric_pressure", "hPa"),
    Quantity.PM1_UG_M3: Class("PM1", "pm1", _UG),
    Quantity.PM2_5_UG_M3: Class("PM2.5", "pm25", _UG),
    Quantity.PM4_UG_M3: Class("PM4", None, _UG),
    Quantity.PM10_UG_M3: Class("PM10", "pm10", _UG),
    Quantity.NO2_UG_M3: Class("nitrogen dioxide", "nitrogen_dioxide", _UG),
    Quantity.O3_UG_M3: Class("ozone", "ozone", _UG),
    Quantity.CO2_PPM: Class("carbon dioxide", "carbon_dioxide", "ppm"),
    Quantity.GAS_RESISTANCE_OHM: Class("gas resistance", None, "Ω"),
    Quantity.VOC_INDEX: Class("VOC index", None, None),
    Quantity.NOX_INDEX: Class("NOx index", None, None),
    Quantity.LAEQ_DB: Class("sound level", "sound_pressure", "dBA"),
    Quantity.ILLUMINANCE_LX: Class("illuminance", "illuminance", "lx"),
    Quantity.RAIN_MM: Class("rain", "precipitation", "mm", "total_increasing"),
    Quantity.WATER_LEVEL_M: Class("water level", "distance", "m"),
    Quantity.MOISTURE_PERCENT: Class("moisture", "moisture", "%"),
    Quantity.VOLTAGE_V: Class("voltage", "voltage", "V"),
    Quantity.CURRENT_A: Class("current", "current", "A"),
    Quantity.POWER_W: Class("power", "power", "W"),
    Quantity.ENERGY_WH: Class("energy today", "energy", "Wh", "total_increasing"),
    Quantity.CHARGE_PERCENT: Class("charge", "battery", "%"),
    Quantity.SATELLITES: Class("satellites", None, None),
}

#: What our components are.
PLATFORMS = ("sensor", "binary_sensor")

#: Attributes of a series whose newest reading is believed.
GOOD = b'{"quality":"good"}'

#: Present is on, lost is off; while it is waited out whether it is one or the other, unknown.
_GRID = "{{ {'present':'ON','lost':'OFF','returning':'OFF'}.get(value_json.state, 'None') }}"


def quality(flag: Flag, reason: str) -> bytes:
    """The attributes that say how far the newest reading may be believed."""
    if flag == Flag.GOOD:
        return GOOD
    said = {"quality": flag.name.lower(), "reason": reason}
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()


def told(kind: str, document: Mapping[str, Any]) -> dict[str, Any]:
    """What of an announcement goes there."""
    if kind == "faults":
        faults = document.get("faults", [])
        return {"open": "ON" if faults else "OFF", "faults": [each["message"] for each in faults]}
    mode, grid = document.get("mode") or {}, document.get("grid") or {}
    return {"mode": mode.get("name"), "state": grid.get("state", "unknown")}


def of_the_box(place: Place) -> dict[str, dict[str, Any]]:
    """Components of every box: mode, grid, faults."""
    state, faults = place.told("state"), place.told("faults")
    return {
        "mode": {
            "platform": "sensor",
            "unique_id": f"kiezbox_{place.box}_mode",
            "name": "Mode",
            "state_topic": state,
            "value_template": "{{ value_json.mode }}",
            "device_class": "enum",
            "options": [mode.value for mode in Mode],
        },
        "grid": {
            "platform": "binary_sensor",
            "unique_id": f"kiezbox_{place.box}_grid",
            "name": "Power grid",
            "state_topic": state,
            "value_template": _GRID,
            "device_class": "power",
        },
        "faults": {
            "platform": "binary_sensor",
            "unique_id": f"kiezbox_{place.box}_faults",
            "name": "Faults",
            "state_topic": faults,
            "value_template": "{{ value_json.open }}",
            "device_class": "problem",
            "entity_category": "diagnostic",
            "json_attributes_topic": faults,
        },
    }


def component_id(series: Series) -> str:
    """A hyphen, because neither name can hold one."""
    return f"{series.sensor}-{series.quantity}"


def series_of(component: str) -> Series | None:
    """The series of a component's id; None if it is none."""
    sensor, hyphen, quantity = component.partition("-")
    return Series(sensor, quantity) if hyphen and quantity else None


def of_series(place: Place, series: Series, expire_s: int) -> dict[str, Any]:
    """One sensor's one quantity."""
    kind, decimals = _class_of(series.quantity)
    component: dict[str, Any] = {
        "platform": "sensor",
        "unique_id": f"kiezbox_{place.box}_{component_id(series)}",
        "name": f"{series.sensor.replace('_', ' ').capitalize()} {kind.words}",
        "state_topic": place.state(series),
        "value_template": "{{ value_json.value }}",
        "expire_after": expire_s,
        "state_class": kind.state_class,
        "suggested_display_precision": decimals,
        "json_attributes_topic": place.quality(series),
    }
    if kind.device_class:
        component["device_class"] = kind.device_class
    if kind.unit:
        component["unit_of_measurement"] = kind.unit
    return component


def _class_of(quantity: str) -> tuple[Class, int]:
    try:
        known = Quantity(quantity)
    except ValueError:
        return Class(quantity.replace("_", " "), None, None), 1
    return CLASSES[known], UNITS[known].decimals


def description(
    place: Place, components: Mapping[str, Mapping[str, Any]], gone: Mapping[str, str]
) -> dict[str, Any]:
    """The payload of ``place.config``. A component with nothing but its platform is removed."""
    removed = {name: {"platform": platform} for name, platform in gone.items()}
    return {
        "device": {
            "identifiers": [f"kiezbox_{place.box}"],
            "name": place.name,
            "manufacturer": "Kiezbox",
            "model": "Kiezbox",
            "sw_version": __version__,
        },
        "origin": {"name": "Kiezbox", "sw_version": __version__},
        "availability_topic": place.online,
        "qos": 1,
        "components": {**components, **removed},
    }


def remembered(payload: bytes | None) -> dict[str, str]:
    """What an earlier description held, by id, with its platform; empty if it cannot be read.
    What was only there to be removed is gone by now.
    """
    try:
        components = json.loads(payload or b"{}").get("components", {})
        return {
            str(name): str(component["platform"])
            for name, component in components.items()
            if len(component) > 1 and component["platform"] in PLATFORMS
        }
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}
