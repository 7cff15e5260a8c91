"""Line protocol as their gateway writes it, so that their Grafana goes on.

====================  ===========================================================
measurement           ``core_values`` or ``sensor_values``
tags                  ``box_id``, ``dev_type`` (the enumeration's *number*),
                      ``dist_id``, ``sens_id``: those that were said
fields                their names; the number on the wire, divided by 1000.0
``time_arrival``      a text: when it came, RFC 3339
time                  when it was measured, in nanoseconds; where that cannot be
                      believed, when it came
====================  ===========================================================

So watt hours become kilowatt hours and ohms kiloohms, as in their database. Theirs has every
number; here a field that cannot be true (−127 °C) is left out, and its curve has a gap.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from kiezbox.foreign.messages import Meta, Update
from kiezbox.foreign.schema import SENSOR_VALUES, DeviceType
from kiezbox.model import Quantity

__all__ = ["MEASUREMENTS", "Moment", "line", "own_lines"]

MEASUREMENTS = {DeviceType.CORE: "core_values", DeviceType.SENSOR: "sensor_values"}

_THOUSAND = 1000.0


def line(update: Update, heard_at: float) -> str:
    """One point, with its line's end; "" where it has no value. ``heard_at``: Unix seconds."""
    if update.sent_by is None or not update.values:
        return ""
    arrived = update.arrived_at if update.arrived_at is not None else int(heard_at)
    at = update.measured_at if update.measured_at is not None else int(heard_at)
    values = {value.field: value.wire / _THOUSAND for value in update.values}
    return _point(update.sent_by, update.meta, values, arrived, at * 1_000_000_000)


def _point(
    sent_by: DeviceType, meta: Meta, values: Mapping[str, float], arrived: int, at_ns: int
) -> str:
    # In the order of their names: "Canonical form" of line protocol.
    tags = "".join(
        f",{name}={int(value)}"
        for name in ("box_id", "dev_type", "dist_id", "sens_id")
        if (value := getattr(meta, name)) is not None
    )
    moment = datetime.fromtimestamp(arrived, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    fields = ",".join(f"{name}={value!r}" for name, value in values.items())
    return f'{MEASUREMENTS[sent_by]}{tags} {fields},time_arrival="{moment}" {at_ns}\n'


# --- our own readings, in their words ------------------------------------------------------------

#: What a sensor of theirs would say of a quantity of ours, and how many of ours are one of their
#: database's.
_OWN: dict[Quantity, tuple[str, float]] = {
    rule.quantity: (name, _THOUSAND / rule.per_unit)
    for name, rule in SENSOR_VALUES.items()
    if rule.quantity is not None and name != "temp_rtc"
}


class Moment(NamedTuple):
    """One good value of a sensor of this box. ``taken_ms``: Unix milliseconds."""

    quantity: str
    value: float
    taken_ms: int


def own_lines(moments: Iterable[Moment], meta: Meta) -> str:
    """This box's readings as ``sensor_values``, under the numbers that it bears in their database.
    What they have no field for is left out.
    """
    points: dict[int, dict[str, float]] = {}
    for quantity, value, taken_ms in moments:
        found = _NAMED.get(quantity)
        if found is not None:
            name, divisor = found
            points.setdefault(taken_ms, {})[name] = round(value / divisor, 9)
    named = meta._replace(dev_type=DeviceType.SENSOR)
    return "".join(
        _point(DeviceType.SENSOR, named, fields, taken_ms // 1000, taken_ms * 1_000_000)
        for taken_ms, fields in sorted(points.items())
    )


_NAMED = {quantity.value: found for quantity, found in _OWN.items()}
