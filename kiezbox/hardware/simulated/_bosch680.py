"""The arithmetic inside a BME680 or BME688: trimming values, compensation, and its inverse.

The formulas are those of the data sheet in floating point (Bosch BST-BME680-DS001, sections 3.3.1
to 3.3.4 and 3.4.1; the BME688's gas: BST-BME688-DS000, section 3.6), and not those of the driver
under test, which calculates with whole numbers that it divides.
"""

from __future__ import annotations

import struct
from typing import NamedTuple


class Calibration680(NamedTuple):
    """The trimming values of one chip."""

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
    p10: int
    h1: int
    h2: int
    h3: int
    h4: int
    h5: int
    h6: int
    h7: int
    g1: int
    g2: int
    g3: int
    heat_range: int
    heat_value: int
    range_error: int

    def registers(self) -> dict[int, int]:
        """Register -> byte: 0x89 to 0xA0, 0xE1 to 0xEE, and three of the lowest ones."""
        low = struct.pack(
            "<xhbxHhbxhhbbxxhhB",
            self.t2, self.t3, self.p1, self.p2, self.p3, self.p4, self.p5, self.p7, self.p6,
            self.p8, self.p9, self.p10,
        )  # fmt: skip
        # h1 and h2 are 12 bits each and share register 0xE2: h1 has the lower half of it.
        shared = bytes(
            (self.h2 >> 4 & 0xFF, (self.h2 & 0xF) << 4 | self.h1 & 0xF, self.h1 >> 4 & 0xFF)
        )
        high = shared + struct.pack(
            "<bbbBbHhbb",
            self.h3, self.h4, self.h5, self.h6, self.h7, self.t1, self.g2, self.g1, self.g3,
        )  # fmt: skip
        return (
            {0x89 + n: byte for n, byte in enumerate(low)}
            | {0xE1 + n: byte for n, byte in enumerate(high)}
            | {
                0x00: self.heat_value & 0xFF,
                0x02: self.heat_range << 4,
                0x04: self.range_error << 4 & 0xF0,
            }
        )


#: A real chip's, from a dump of its memory (go.eqrx.net/mauzr, pkg/bme/bme680, its test); the whole
#: dump, with what it measured, is in this twin's test.
EXAMPLE = Calibration680(
    26511, 26148, 3,
    34731, -10373, 88, 4083, 121, 30, 12, 1014, -4096, 30,
    717, 1022, 0, 45, 20, 120, -100,
    -34, -7920, 18, 1, 45, 1,
)  # fmt: skip

#: Gas range -> correction in percent (table 16, "const_array1" and "const_array2" written as the
#: percentages that they stand for).
K1 = (0, 0, 0, 0, 0, -1, 0, -0.8, 0, 0, -0.2, -0.5, 0, -1, 0, 0)
K2 = (0, 0, 0, 0, 0.1, 0.7, 0, -0.8, -0.1, 0, 0, 0, 0, 0, 0, 0)


def fine_temperature(adc: int, c: Calibration680) -> float:
    """``t_fine``: degrees Celsius times 5120, from the 20-bit temperature code (3.3.1)."""
    var1 = (adc / 16384 - c.t1 / 1024) * c.t2
    var2 = (adc / 131072 - c.t1 / 8192) ** 2 * c.t3 * 16
    return var1 + var2


def temperature_c(adc: int, c: Calibration680) -> float:
    """Degrees Celsius from the 20-bit temperature code."""
    return fine_temperature(adc, c) / 5120


def pressure_hpa(adc: int, t_fine: float, c: Calibration680) -> float:
    """Hectopascals from the 20-bit pressure code (3.3.2)."""
    var1 = t_fine / 2 - 64000
    var2 = var1 * var1 * c.p6 / 131072
    var2 = var2 + var1 * c.p5 * 2
    var2 = var2 / 4 + c.p4 * 65536
    var1 = (c.p3 * var1 * var1 / 16384 + c.p2 * var1) / 524288
    var1 = (1 + var1 / 32768) * c.p1
    p = (1048576 - adc - var2 / 4096) * 6250 / var1
    var1 = c.p9 * p * p / 2147483648
    var2 = p * c.p8 / 32768
    var3 = (p / 256) ** 3 * c.p10 / 131072
    return (p + (var1 + var2 + var3 + c.p7 * 128) / 16) / 100


def humidity_percent(adc: int, celsius: float, c: Calibration680) -> float:
    """Percent relative humidity from the 16-bit humidity code (3.3.3), not cut at 0 and 100."""
    var1 = adc - (c.h1 * 16 + c.h3 / 2 * celsius)
    var2 = var1 * (
        c.h2 / 262144 * (1 + c.h4 / 16384 * celsius + c.h5 / 1048576 * celsius * celsius)
    )
    return var2 + (c.h6 / 16384 + c.h7 / 2097152 * celsius) * var2 * var2


def gas_ohm(adc: int, gas_range: int, c: Calibration680) -> float:
    """Ohms of a BME680 from the 10-bit code and its range (3.4.1)."""
    var1 = (1340 + 5 * c.range_error) * (1 + K1[gas_range] / 100)
    var2 = 1 + K2[gas_range] / 100
    return 1 / (var2 * 0.000000125 * (1 << gas_range) * ((adc - 512) / var1 + 1))


def gas_ohm_688(adc: int, gas_range: int) -> float:
    """Ohms of a BME688 from the 10-bit code and its range."""
    return 1_000_000 * (262144 >> gas_range) / (4096 + (adc - 512) * 3)
