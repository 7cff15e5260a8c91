"""The tables ``[sensors.NAME.steps.QUANTITY]``: from which value on something is to be said."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from kiezbox.errors import SettingsError
from kiezbox.settings.declaring import setting

__all__ = ["DATUMS", "STEP_BACK", "STEP_NAMES", "StepSettings", "wrong_steps_quantity"]

#: From the least to the gravest. The last one may open the emergency WLAN.
STEP_NAMES = ("attention", "warning", "alarm")

#: What steps can be set for, each with how far a value must fall below a step to leave it: more
#: than such a sensor trembles (ripples on water, a cloud before the sun, a passing lorry).
STEP_BACK = {"water_level_m": 0.05, "temperature_c": 1.0, "pm2_5_ug_m3": 10.0, "pm10_ug_m3": 20.0}

#: What a water level counts from; the catalogues have the words.
DATUMS = ("none", "bed", "gauge", "street", "sea")


def wrong_steps_quantity(name: str) -> str:
    """What is wrong with a table's name, or ""."""
    known = ", ".join(STEP_BACK)
    return "" if name in STEP_BACK else f"has no steps; there are steps for: {known}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSettings:
    """Values are in the quantity's own unit: metres, °C, µg/m³."""

    attention: float | None = setting(
        None, help="From here on: keep an eye on it.", example=0.8, least=-1000, most=10000
    )
    warning: float | None = setting(
        None, help="From here on: get ready.", example=1.1, least=-1000, most=10000
    )
    alarm: float | None = setting(
        None,
        help="From here on: danger. Of water it is called flood. With\n"
        "mode.causes.sensor_threshold.enabled = true the box opens its emergency WLAN.",
        example=1.5,
        least=-1000,
        most=10000,
    )
    back: float | None = setting(
        None,
        help="A step is left only so far below it. By default 0.05 m of water, 1 K, 10 µg/m³ of\n"
        "PM2.5, 20 of PM10.",
        least=0,
        most=1000,
    )
    held_s: float = setting(
        120.0,
        help="A step is reached, and left, when all good readings of so long say so. One wave is\n"
        "no flood.",
        unit="s",
        least=0,
        most=86400,
    )
    lost_s: float = setting(
        3600.0,
        help="After so long without a good reading nobody knows, and no step is reached any more.",
        unit="s",
        least=60,
        most=86400,
    )
    datum: str = setting(
        "none",
        help="What a water level counts from, as residents are told: bed (the ground under the\n"
        "water), gauge (the zero of a gauge), street, sea. The sensor's own table says how far\n"
        "its zero is from that (a02yyuw: zero_m; ads1115: at_4_ma_m, at_20_ma_m).",
        choices=DATUMS,
    )

    @property
    def marks(self) -> dict[str, float]:
        """The steps that are set, the lowest first."""
        named = ((name, getattr(self, name)) for name in STEP_NAMES)
        return {name: value for name, value in named if value is not None}

    def back_of(self, quantity: str) -> float:
        return STEP_BACK[quantity] if self.back is None else self.back

    def __post_init__(self) -> None:
        marks = self.marks
        if not marks:
            raise SettingsError(
                "attention, warning or alarm must be set",
                hint="Or leave the table out: without a step nothing is said.",
            )
        for (low, least), (high, most) in pairwise(marks.items()):
            if least >= most:
                raise SettingsError(
                    f"{low} = {least:g} must be below {high} = {most:g}",
                    hint="The steps rise: attention, then warning, then alarm.",
                )
            if self.back is not None and self.back >= most - least:
                raise SettingsError(
                    f"back = {self.back:g} must be less than what lies between {low} = {least:g}"
                    f" and {high} = {most:g}",
                    hint="Else a step would be left only where the one below it is left, too.",
                )
