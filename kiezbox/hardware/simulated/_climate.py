"""Temperature and humidity as Sensirion's 16-bit words, and what a heater does to them."""

from __future__ import annotations

import math

__all__ = ["heated", "humidity_word", "humidity_word_sht4x", "temperature_word"]


def temperature_word(celsius: float) -> int:
    """-45 + 175 * word / 65535 degrees (SHT3x-DIS 4.13, SHT4x 4.6, SCD4x 3.5.2); cut at the ends.

    >>> hex(temperature_word(25.0))
    '0x6666'
    """
    return _cut((celsius + 45) / 175)


def humidity_word(percent: float) -> int:
    """100 * word / 65535 percent (SHT3x-DIS 4.13, SCD4x 3.5.2); cut at the ends.

    >>> hex(humidity_word(50.0))
    '0x8000'
    """
    return _cut(percent / 100)


def humidity_word_sht4x(percent: float) -> int:
    """-6 + 125 * word / 65535 percent (SHT4x 4.6): below 0 and above 100 can be said."""
    return _cut((percent + 6) / 125)


def _cut(share: float) -> int:
    return max(0, min(0xFFFF, round(share * 0xFFFF)))


def heated(celsius: float, percent: float, kelvin: float) -> tuple[float, float]:
    """The same air, warmed: its water stays, so its relative humidity falls (Magnus formula)."""

    def saturation(at: float) -> float:
        return math.exp(17.62 * at / (243.12 + at))

    warm = celsius + kelvin
    return warm, percent * saturation(celsius) / saturation(warm)
