"""Units on the wire and for people. Inside, a quantity's unit is in its name and never changes."""

from __future__ import annotations

from typing import NamedTuple

from kiezbox.model import Quantity


class Unit(NamedTuple):
    """SenML unit (RFC 8428 section 12.1, secondary units RFC 8798), and what people read."""

    senml: str
    text: str
    decimals: int

    def say(self, value: float) -> str:
        """The value for people, in digits that mean something.

        >>> UNITS[Quantity.TEMPERATURE_C].say(21.4837), UNITS[Quantity.SATELLITES].say(9)
        ('21.5 °C', '9')
        """
        return f"{value:.{self.decimals}f} {self.text}".rstrip()


UNITS: dict[Quantity, Unit] = {
    Quantity.TEMPERATURE_C: Unit("Cel", "°C", 1),
    Quantity.HUMIDITY_PERCENT: Unit("%RH", "%", 0),
    Quantity.PRESSURE_HPA: Unit("hPa", "hPa", 1),
    Quantity.PM1_UG_M3: Unit("ug/m3", "µg/m³", 1),
    Quantity.PM2_5_UG_M3: Unit("ug/m3", "µg/m³", 1),
    Quantity.PM4_UG_M3: Unit("ug/m3", "µg/m³", 1),
    Quantity.PM10_UG_M3: Unit("ug/m3", "µg/m³", 1),
    Quantity.NO2_UG_M3: Unit("ug/m3", "µg/m³", 0),
    Quantity.O3_UG_M3: Unit("ug/m3", "µg/m³", 0),
    Quantity.CO2_PPM: Unit("ppm", "ppm", 0),
    Quantity.GAS_RESISTANCE_OHM: Unit("Ohm", "Ω", 0),
    Quantity.VOC_INDEX: Unit("/", "/ 500", 0),
    Quantity.NOX_INDEX: Unit("/", "/ 500", 0),
    Quantity.LAEQ_DB: Unit("dB", "dB(A)", 0),
    Quantity.ILLUMINANCE_LX: Unit("lx", "lx", 0),
    Quantity.RAIN_MM: Unit("mm", "mm", 1),
    Quantity.WATER_LEVEL_M: Unit("m", "m", 2),
    Quantity.MOISTURE_PERCENT: Unit("/100", "%", 0),
    Quantity.VOLTAGE_V: Unit("V", "V", 2),
    Quantity.CURRENT_A: Unit("A", "A", 2),
    Quantity.POWER_W: Unit("W", "W", 1),
    Quantity.ENERGY_WH: Unit("Wh", "Wh", 0),
    Quantity.CHARGE_PERCENT: Unit("%EL", "%", 0),
    Quantity.SATELLITES: Unit("count", "", 0),
}
