"""What readings mean to people: classes of air, heat on the skin, water in the air and on walls.

Pure functions of published formulas, each with its source. Indices say nothing that an authority
would: they are made of what one sensor at one place measures.
"""

from kiezbox.indices.air_quality import (
    AIR_CLASSES,
    INDICES,
    AirClass,
    AirIndex,
    classify,
    index_on,
)
from kiezbox.indices.guidelines import CO2_CLASSES, WHO_2021_UG_M3, co2_class, times_who
from kiezbox.indices.heat import (
    HEAT_CLASSES,
    heat_class,
    heat_index_c,
    humidex,
    is_hot_day,
    is_tropical_night,
)
from kiezbox.indices.humidity import absolute_humidity_g_m3, dew_point_c, vapour_pressure_hpa
from kiezbox.indices.mould import (
    AIRING,
    MOULD_CLASSES,
    MOULD_PERCENT,
    airing,
    estimated_humidity_percent,
    mould_class,
    surface_humidity_percent,
    wall_temperature_c,
)
from kiezbox.indices.rain import HEAVY_RAIN, heavy_rain_step, rain_mm

__all__ = [
    "AIRING", "AIR_CLASSES", "CO2_CLASSES", "HEAT_CLASSES", "HEAVY_RAIN", "INDICES",
    "MOULD_CLASSES", "MOULD_PERCENT", "WHO_2021_UG_M3", "AirClass", "AirIndex",
    "absolute_humidity_g_m3", "airing", "classify", "co2_class", "dew_point_c",
    "estimated_humidity_percent", "heat_class", "heat_index_c", "heavy_rain_step", "humidex",
    "index_on", "is_hot_day", "is_tropical_night", "mould_class", "rain_mm",
    "surface_humidity_percent", "times_who", "vapour_pressure_hpa", "wall_temperature_c",
]  # fmt: skip
