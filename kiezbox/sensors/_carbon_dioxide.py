"""What drivers of CO₂ sensors share: air pressure for them, and what is no concentration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kiezbox.hardware import SensorHardware
from kiezbox.model import Flag, Measurement, Quantity
from kiezbox.sensors._sensirion import neighbour_setting
from kiezbox.settings import setting

__all__ = [
    "PRESSURES_HPA",
    "altitude_setting",
    "carbon_dioxide",
    "pressure_hpa",
    "pressure_setting",
]

#: What both Sensirion's kinds let themselves be told (SCD4x: 700 to 1200, SCD30: 700 to 1400).
PRESSURES_HPA = range(700, 1201)

#: The end of what they put out (SCD4x and SCD30, table "CO2 sensor specifications").
MOST_PPM = 40_000


def altitude_setting(most: float) -> Any:
    """Declare ``altitude_m``."""
    return setting(
        0.0,
        help="Metres above the sea, as long as nobody says the pressure: thin air reads as\n"
        "little CO₂, about 1 % for 85 m.",
        unit="m",
        least=0,
        most=most,
    )


def pressure_setting() -> Any:
    """Declare ``pressure_from``."""
    return neighbour_setting(
        'The sensor of this box that measures pressure ("roof" for [sensors.roof]); empty: none.'
    )


def pressure_hpa(hardware: SensorHardware, sensor: str) -> int | None:
    """The air pressure that a neighbour measures, in whole hPa; None where there is none."""
    measured = hardware.neighbour(f"{sensor}/{Quantity.PRESSURE_HPA.value}") if sensor else None
    if measured is None or round(measured) not in PRESSURES_HPA:
        return None
    return round(measured)


def carbon_dioxide(ppm: float, climate: Sequence[Measurement]) -> list[Measurement]:
    """CO₂, temperature and humidity with flags; ``climate`` is the last two.

    Exactly 0 is said before the first true measurement and of no air on Earth. The concentration
    is corrected by the chip's own temperature, so where that cannot be, the other cannot either.
    """
    ppm = round(ppm, 1)
    if ppm <= 0:
        reason = "raw-sentinel"
    elif ppm > MOST_PPM:
        reason = "range"
    else:
        reason = "cross" if climate[0].flag is Flag.BAD else ""
    flag = Flag.BAD if reason else Flag.GOOD
    return [Measurement(Quantity.CO2_PPM, ppm, None, flag, reason), *climate]
