"""The arithmetic inside a BME280: trimming values, compensation, and its inverse.

The formulas are those of the data sheet in double precision (Bosch BST-BME280-DS002, revision
1.6, appendix A "Alternative compensation formulas", section 8.1), written from there and not
from any driver, so that the twin and the driver under test err independently.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import NamedTuple


class Calibration(NamedTuple):
    """The trimming values of one chip; the order is that of the registers (table 16)."""

    t1: int
    t2: int
    t3: int
    p1: int
    p2: int
    p3: int
    p4: int
    p5: int
    p6: int
    p7: int
    p8: int
    p9: int
    h1: int
    h2: int
    h3: int
    h4: int
    h5: int
    h6: int

    def registers(self) -> dict[int, int]:
        """Register -> byte, 0x88 to 0xA1 and 0xE1 to 0xE7 (section 4.2.2, table 16)."""
        low = struct.pack("<HhhHhhhhhhhh", *self[:12]) + bytes((0, self.h1))
        # h4 and h5 are 12 bits each and share register 0xE5, low nibbles.
        high = struct.pack("<hB", self.h2, self.h3) + bytes(
            (
                self.h4 >> 4 & 0xFF,
                (self.h4 & 0xF) | (self.h5 & 0xF) << 4,
                self.h5 >> 4 & 0xFF,
                self.h6 & 0xFF,
            )
        )
        return {0x88 + n: byte for n, byte in enumerate(low)} | {
            0xE1 + n: byte for n, byte in enumerate(high)
        }


#: Temperature and pressure: the worked example of the BMP280 data sheet (BST-BMP280-DS001,
#: section 3.12), whose arithmetic is the same. Humidity: middling values; no sheet gives any.
EXAMPLE = Calibration(
    27504, 26435, -1000,
    36477, -10685, 3024, 2855, 140, -7, 15500, -14600, 6000,
    75, 362, 0, 313, 50, 30,
)  # fmt: skip


def fine_temperature(adc: int, c: Calibration) -> float:
    """``t_fine``: degrees Celsius times 5120, from the 20-bit temperature code.

    Not cut to a whole number, as the sheet's code does: with it the sheet's own worked example
    comes out as 100,653.26 Pa, and it prints 100,653.27.
    """
    var1 = (adc / 16384 - c.t1 / 1024) * c.t2
    var2 = (adc / 131072 - c.t1 / 8192) ** 2 * c.t3
    return var1 + var2


def temperature_c(adc: int, c: Calibration) -> float:
    """Degrees Celsius from the 20-bit temperature code."""
    return fine_temperature(adc, c) / 5120


def pressure_hpa(adc: int, t_fine: float, c: Calibration) -> float:
    """Hectopascals from the 20-bit pressure code; 0 where the formula has no answer."""
    var1 = t_fine / 2 - 64000
    var2 = var1 * var1 * c.p6 / 32768
    var2 = var2 + var1 * c.p5 * 2
    var2 = var2 / 4 + c.p4 * 65536
    var1 = (c.p3 * var1 * var1 / 524288 + c.p2 * var1) / 524288
    var1 = (1 + var1 / 32768) * c.p1
    if var1 == 0:
        return 0.0
    p = (1048576 - adc - var2 / 4096) * 6250 / var1
    var1 = c.p9 * p * p / 2147483648
    var2 = p * c.p8 / 32768
    return (p + (var1 + var2 + c.p7) / 16) / 100


def humidity_percent(adc: int, t_fine: float, c: Calibration) -> float:
    """Percent relative humidity from the 16-bit humidity code.

    The sheet cuts it to 0 and 100; here it goes on, so that every value has a code of its own.
    """
    h = t_fine - 76800
    h = (adc - (c.h4 * 64 + c.h5 / 16384 * h)) * (
        c.h2 / 65536 * (1 + c.h6 / 67108864 * h * (1 + c.h3 / 67108864 * h))
    )
    return h * (1 - c.h1 * h / 524288)


def code_for(wanted: float, measured: Callable[[int], float], bits: int) -> int:
    """The ADC code at which a monotonic ``measured`` comes nearest to ``wanted``."""
    low, high = 0, (1 << bits) - 1
    rises = measured(high) > measured(low)
    while high - low > 1:
        middle = (low + high) // 2
        if (measured(middle) < wanted) == rises:
            low = middle
        else:
            high = middle
    return min((low, high), key=lambda code: abs(measured(code) - wanted))
