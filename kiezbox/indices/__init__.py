"""What readings mean to people: classes of air, heat on the skin, water in the air.

Pure functions of published formulas, each with its source. Indices say nothing that an authority
would: they are made of what one sensor at one place measures.
"""

from kiezbox.indices.air_quality import AIR_CLASSES, air_class
from kiezbox.indices.heat import HEAT_CLASSES, heat_class, heat_index_c
from kiezbox.indices.humidity import absolute_humidity_g_m3, dew_point_c, vapour_pressure_hpa

__all__ = [
    "AIR_CLASSES", "HEAT_CLASSES", "absolute_humidity_g_m3", "air_class", "dew_point_c",
    "heat_class", "heat_index_c", "vapour_pressure_hpa",
]  # fmt: skip
