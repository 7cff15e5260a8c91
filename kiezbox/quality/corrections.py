"""What a known fault of the place takes away again: separate series, never the readings themselves.

A box warms its own sensor by 3 to 5 K, and warmer air seems drier. Whoever corrects the temperature
alone leaves a humidity that is wrong: the water in the air stays the same, so the share of what the
air could hold at the other temperature is computed anew (Magnus' formula, ``indices.humidity``).
"""

from __future__ import annotations

from collections.abc import Sequence

from kiezbox.indices.humidity import vapour_pressure_hpa
from kiezbox.model import Flag, Measurement, Quantity

__all__ = ["SUFFIX", "corrected"]

#: The corrected series' sensor: ``roof_corrected/temperature_c`` beside ``roof/temperature_c``.
SUFFIX = "_corrected"

#: Rounded as the driver's own values are: more digits would be noise in every message.
DECIMALS = 3


def corrected(measurements: Sequence[Measurement], offset_k: float) -> list[Measurement]:
    """Temperature and humidity of one read, with ``offset_k`` added to the temperature.

    ``raw`` is what the sensor said, so the offset that was used can be seen in every row. A doubt
    stays a doubt. A humidity above 100 % says that the offset is too large for this air: its dew
    point would lie above its temperature.

    >>> warm = [Measurement(Quantity.TEMPERATURE_C, 24.0),
    ...         Measurement(Quantity.HUMIDITY_PERCENT, 40.0)]
    >>> [round(one.value) for one in corrected(warm, -4.0)]
    [20, 51]
    """
    by_quantity = {one.quantity: one for one in measurements}
    warm = by_quantity.get(Quantity.TEMPERATURE_C)
    if warm is None:
        return []
    celsius = warm.value + offset_k
    found = [_row(warm, celsius, warm)]
    damp = by_quantity.get(Quantity.HUMIDITY_PERCENT)
    if damp is not None and min(warm.value, celsius) > -100.0:
        held = vapour_pressure_hpa(warm.value) / vapour_pressure_hpa(celsius)
        found.append(_row(damp, damp.value * held, max(damp, warm, key=lambda one: one.flag)))
        if found[-1].value > 100.0 and found[-1].flag == Flag.GOOD:
            found[-1] = found[-1]._replace(flag=Flag.BAD, reason="cross")
    return found


def _row(said: Measurement, value: float, worst: Measurement) -> Measurement:
    raw = said.value if said.raw is None else said.raw
    return Measurement(said.quantity, round(value, DECIMALS), raw, worst.flag, worst.reason)
