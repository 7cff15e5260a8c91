"""The tables ``[sensors.NAME.quality.QUANTITY]``: other limits for one sensor than for all."""

from __future__ import annotations

from dataclasses import dataclass

from kiezbox.errors import SettingsError
from kiezbox.model import Quantity
from kiezbox.settings.declaring import setting

__all__ = ["LimitSettings", "wrong_quantity"]

_NAMES = frozenset(quantity.value for quantity in Quantity)


def wrong_quantity(name: str) -> str:
    """What is wrong with a table's name, or ""."""
    return "" if name in _NAMES else "is no quantity; there are: " + ", ".join(sorted(_NAMES))


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitSettings:
    """What is left out is as in docs/quality.md. Values are in the quantity's own unit."""

    least: float | None = setting(None, help="A value below is suspect.")
    most: float | None = setting(None, help="A value above is suspect.")
    step: float | None = setting(
        None,
        help="A larger change within ten minutes is suspect, more in longer pauses. 0: none is.",
        least=0,
    )
    stuck_s: float | None = setting(
        None,
        help="The same value for so long (and ten times) is suspect. 0: never.",
        unit="s",
        least=0,
        most=2592000,
    )
    warm_up_s: float | None = setting(
        None,
        help="So long after power-up a value is suspect.",
        unit="s",
        least=0,
        most=86400,
    )
    humid_percent: float | None = setting(
        None,
        help="Particulates: above this relative humidity a value is suspect. 100: never.",
        unit="%",
        least=0,
        most=100,
    )
    humidity_sensor: str = setting(
        "",
        help="Particulates: the sensor whose humidity counts. Empty: the sensor's own, or that of\n"
        "the box's only sensor that has one in the same place (`where`).",
    )

    def __post_init__(self) -> None:
        if self.least is not None and self.most is not None and self.least >= self.most:
            raise SettingsError(
                f"least = {self.least:g} must be below most = {self.most:g}",
                hint="Between the two lie the values that are believed.",
            )
