"""How each quantity travels: its step, its range, and what is usual.

**The step** is less than a third of what the best sensor we drive declares as its accuracy; the
fine step is about what sensors resolve. Sources of the accuracies, by the letters in the rows:

T   Sensirion SHT4x data sheet: ±0.2 °C, ±1.8 % RH (BME280: ±1 °C, ±3 %; DS18B20: ±0.5 °C)
B   Bosch BST-BME280-DS002: ±1 hPa, noise 0.2 to 1.3 Pa
P   Sensirion SPS30 data sheet: ±10 µg/m³ or 10 %; Nova SDS011 V1.3: ±10 µg/m³ or 15 %
C   Sensirion SCD30 data sheet: ±(30 ppm + 3 %)
A   Alphasense NO2-B43F, OX-B431: noise ±15 ppb, which is ±28 and ±30 µg/m³
V   Texas Instruments SBOS448 (INA219) ±0.5 %, SBOS547 (INA226) ±0.1 %
X   what the sensor says is in these steps, or its drivers do: nothing is gained by coarser ones
O   our own judgement; no source was found

**A floating field** (``mantissa``) has equal steps up to ``mantissa`` of them, and from there on
steps that double with every octave, so that they are never more than 2 / ``mantissa`` of the value.

``usual``, ``spread``, ``calm`` and ``calm_ten`` cost bits where they are wrong and nothing else:
where a series begins, how far from there, and how much it changes in a minute and in ten, in steps.
Of seven of them the recorded January, March and May say it (tests/quality/recorded.py has them),
else O. **All of this is part of the format**: a change of one number is a new version.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, isfinite

from kiezbox.model import Quantity

__all__ = ["BY_CODE", "FIELDS", "SETS", "SHORT_SETS", "Field"]


@dataclass(frozen=True, slots=True)
class Field:
    """value = least + number × step; step = ``step_over`` / ``step_under``."""

    #: As in LoRaWAN (publishers/_lora_payload.py), bit 1 << code - 1 of a sensor's mask.
    code: int
    least: int
    step_over: int
    step_under: int
    #: The highest value; no number of the field stands for a higher one.
    most: int
    #: So many fine steps are one step.
    fineness: int
    #: 0: equal steps throughout; else even. Of fine steps: ``fine_mantissa``.
    mantissa: int
    usual: float
    spread: float
    calm: float
    calm_ten: float
    source: str

    @property
    def fine_mantissa(self) -> int:
        """The same of fine steps."""
        return self.mantissa and max(1024, self.mantissa)

    def resolution(self, value: float, *, is_fine: bool) -> float:
        """The step at a value: what is carried lies within half of it."""
        under = self.step_under * (self.fineness if is_fine else 1)
        exponent = self._split(max(0.0, self._steps(value, is_fine)), is_fine)[0]
        return self.step_over / under * (1 << exponent)

    def number(self, value: float, *, is_fine: bool) -> int | None:
        """The nearest number of the field; None where it has none."""
        if not isfinite(value) or abs(value) > 2 * max(self.most, -self.least):
            return None
        number = self._number(value, is_fine)
        return number if 0 <= number <= self.highest(is_fine=is_fine) else None

    def value(self, number: int, *, is_fine: bool) -> float:
        """What a number stands for, in the quantity's unit."""
        mantissa = self._mantissa(is_fine)
        if mantissa and number >= mantissa:
            exponent = number * 2 // mantissa - 1
            number = number - exponent * mantissa // 2 << exponent
        under = self.step_under * (self.fineness if is_fine else 1)
        return (self.least * under + number * self.step_over) / under

    def highest(self, *, is_fine: bool) -> int:
        """The highest number."""
        return self._number(self.most, is_fine)

    def _mantissa(self, is_fine: bool) -> int:
        return self.fine_mantissa if is_fine else self.mantissa

    def _steps(self, value: float, is_fine: bool) -> float:
        under = self.step_under * (self.fineness if is_fine else 1)
        return (value - self.least) * under / self.step_over

    def _number(self, value: float, is_fine: bool) -> int:
        exponent, rest = self._split(self._steps(value, is_fine), is_fine)
        return rest + exponent * self._mantissa(is_fine) // 2

    def _split(self, steps: float, is_fine: bool) -> tuple[int, int]:
        """(exponent, mantissa) of the nearest number with steps that double; (0, steps) without."""
        exponent, mantissa = 0, self._mantissa(is_fine)
        while mantissa and floor(steps / (1 << exponent) + 0.5) >= mantissa:
            exponent += 1
        return exponent, floor(steps / (1 << exponent) + 0.5)


#: A code is never given to another quantity.
FIELDS: dict[Quantity, Field] = {
    Quantity.TEMPERATURE_C: Field(1, -100, 1, 20, 150, 5, 0, 10, 110, 0.4, 3.5, "T"),
    Quantity.HUMIDITY_PERCENT: Field(2, 0, 1, 2, 110, 5, 0, 60, 75, 1, 8, "T"),
    Quantity.PRESSURE_HPA: Field(3, 300, 1, 10, 1200, 10, 0, 1000, 90, 0.15, 0.45, "B"),
    Quantity.PM1_UG_M3: Field(4, 0, 1, 2, 6500, 5, 64, 6, 10, 0.5, 1.6, "P"),
    Quantity.PM2_5_UG_M3: Field(5, 0, 1, 2, 6500, 5, 64, 8, 12, 0.5, 1.6, "P"),
    Quantity.PM4_UG_M3: Field(6, 0, 1, 2, 6500, 5, 64, 10, 14, 1, 3, "P"),
    Quantity.PM10_UG_M3: Field(7, 0, 1, 2, 6500, 5, 64, 12, 18, 1.8, 5, "P"),
    Quantity.NO2_UG_M3: Field(8, -100, 2, 1, 2000, 20, 0, 20, 12, 3, 3, "A"),
    Quantity.O3_UG_M3: Field(9, -100, 2, 1, 2000, 20, 0, 50, 15, 3, 3, "A"),
    Quantity.CO2_PPM: Field(10, 0, 5, 1, 40000, 5, 0, 600, 30, 2.2, 5, "C"),
    Quantity.GAS_RESISTANCE_OHM: Field(11, 0, 10, 1, 100_000_000, 10, 64, 1e5, 60, 1, 2, "O"),
    Quantity.VOC_INDEX: Field(12, 0, 2, 1, 500, 2, 0, 100, 25, 1, 5, "X"),
    Quantity.NOX_INDEX: Field(13, 0, 1, 1, 500, 1, 0, 1, 5, 0.1, 0.3, "X"),
    Quantity.LAEQ_DB: Field(14, 0, 1, 2, 140, 5, 0, 50, 16, 5, 5, "O"),
    Quantity.ILLUMINANCE_LX: Field(15, 0, 1, 1, 200_000, 10, 64, 500, 150, 3, 12, "O"),
    Quantity.RAIN_MM: Field(16, 0, 1, 100, 500, 1, 0, 0, 4, 0.2, 2, "X"),
    Quantity.WATER_LEVEL_M: Field(17, -20, 1, 200, 60, 5, 0, 0, 200, 0.5, 1, "O"),
    Quantity.MOISTURE_PERCENT: Field(18, 0, 1, 2, 250, 5, 0, 15, 12, 0.2, 0.3, "O"),
    Quantity.VOLTAGE_V: Field(19, 0, 1, 50, 400, 2, 0, 13.2, 16, 0.25, 0.3, "V"),
    Quantity.CURRENT_A: Field(20, -300, 1, 50, 300, 2, 0, 0, 20, 1, 4, "V"),
    Quantity.POWER_W: Field(21, -10_000, 1, 5, 10_000, 2, 0, 3, 20, 1, 4, "V"),
    Quantity.ENERGY_WH: Field(22, 0, 1, 1, 1_000_000, 1, 0, 50, 60, 0.1, 1, "X"),
    Quantity.CHARGE_PERCENT: Field(23, 0, 1, 2, 110, 5, 0, 80, 40, 0.05, 0.4, "O"),
    Quantity.SATELLITES: Field(24, 0, 1, 1, 200, 1, 0, 9, 3, 0.4, 1, "X"),
}

BY_CODE: dict[int, tuple[Quantity, Field]] = {
    field.code: (quantity, field) for quantity, field in FIELDS.items()
}

#: What one sensor tells: codes of its quantities. The first seven, which most boxes have, cost
#: three bits, the others seven.
SETS: tuple[tuple[int, ...], ...] = (
    (1, 2, 3), (5, 7), (10,), (19,), (1, 2), (1,), (19, 20, 21),
    (1, 2, 10), (1, 2, 3, 11), (4, 5, 6, 7), (4, 5, 7), (19, 20), (14,), (16,), (12, 13), (12,),
    (1, 2, 4, 5, 6, 7, 12, 13), (1, 2, 4, 5, 6, 7, 12), (17,), (18,), (15,), (23,),
)  # fmt: skip
SHORT_SETS = 7
