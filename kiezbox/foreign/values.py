"""Their numbers in our quantities: converted, left out where they cannot be, flagged in doubt."""

from __future__ import annotations

from collections.abc import Mapping

from kiezbox.foreign.messages import Value
from kiezbox.foreign.schema import VALUES, DeviceType, Rule
from kiezbox.foreign.taking import Basket
from kiezbox.model import Flag, Measurement, Quantity
from kiezbox.quality.limits import LIMITS, NOTHING

__all__ = ["taken_values"]

#: What a firmware of theirs makes of "no number" when it casts it to an integer (besides 0, and the
#: unsigned one of 2024-11).
_CASTS = (2**31 - 1, -(2**31), 2**32 - 1)
#: A DS18B20's library says −127 °C where none answers.
_NO_PROBE = -127_000
#: A BME680 that was read before it had measured.
_FIRST_READ = ("temp_main", "humid_main", "pressure")


def taken_values(
    wire: Mapping[str, int], sent_by: DeviceType, path: str, basket: Basket
) -> tuple[Value, ...]:
    """``wire``: their name → their number, as it was sent."""
    rules = VALUES[sent_by][1]
    numbers = dict(wire)
    if all(numbers.get(name) == 0 for name in _FIRST_READ):
        for name in _FIRST_READ:
            del numbers[name]
            basket.drop(f"{path}.{name}", "temperature, humidity, pressure are all 0: no reading")
    values = []
    for name, number in numbers.items():
        rule = rules.get(name)
        why = _why_not(name, number, rule)
        if rule is None or why:
            basket.drop(f"{path}.{name}", why)
        else:
            values.append(Value(name, number, rule.sensor, _measured(number, rule)))
    return tuple(_compared(values))


def _why_not(name: str, number: int, rule: Rule | None) -> str:
    if rule is None:
        return "nobody has said what it means"
    if number in _CASTS:
        return f"{number} is what becomes of no number"
    if number == _NO_PROBE and rule.quantity is Quantity.TEMPERATURE_C:
        return "-127 °C: no sensor answers there"
    value = number / rule.per_unit
    if not rule.least <= value <= rule.most:
        return f"{value:g} is outside {rule.least:g} to {rule.most:g}"
    return ""


def _measured(number: int, rule: Rule) -> Measurement | None:
    if rule.quantity is None:
        return None
    value = number / rule.per_unit
    least, most = LIMITS.get(rule.quantity, NOTHING).plausible
    reason = ""
    if number == 0 and rule.is_zero_doubtful:
        reason = "raw-sentinel"
    elif not least <= value <= most:
        reason = "range"
    flag = Flag.SUSPECT if reason else Flag.GOOD
    return Measurement(rule.quantity, value, None, flag, reason)


def _compared(values: list[Value]) -> list[Value]:
    """Dust is doubted in damp air, and where there is more fine dust than fine and coarse."""
    found = {value.field: value.measurement for value in values}
    humidity, fine, coarse = (found.get(name) for name in ("humid_main", "part_pm25", "part_pm10"))
    reason = ""
    most = LIMITS[Quantity.PM2_5_UG_M3].humid_percent
    if fine is not None and coarse is not None and fine.value > coarse.value:
        reason = "cross"
    elif humidity is not None and humidity.value > most:
        reason = "rh-high"
    if not reason:
        return values
    return [
        value._replace(measurement=value.measurement._replace(flag=Flag.SUSPECT, reason=reason))
        if value.sensor == "dust" and value.measurement and not value.measurement.flag
        else value
        for value in values
    ]
