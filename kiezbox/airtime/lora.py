"""How long a LoRa packet is on the air.

Source: Semtech, "SX1276/77/78/79" data sheet, 4.1.1.7 (time on air); Meshtastic's presets and its
preamble of sixteen symbols as firmware 2.7 has them.
"""

from __future__ import annotations

from math import ceil
from typing import NamedTuple

__all__ = ["MESHTASTIC_PREAMBLE", "PRESETS", "Modulation", "airtime_s"]

MESHTASTIC_PREAMBLE = 16


class Modulation(NamedTuple):
    """``coding``: 5 for a coding rate of 4/5, up to 8 for 4/8."""

    spreading: int
    bandwidth_hz: int
    coding: int = 5


#: Meshtastic's presets that fit into the 250 kHz of its European slot.
PRESETS = {
    "LONG_SLOW": Modulation(12, 125_000, 8),
    "LONG_MODERATE": Modulation(11, 125_000, 8),
    "LONG_FAST": Modulation(11, 250_000),
    "MEDIUM_SLOW": Modulation(10, 250_000),
    "MEDIUM_FAST": Modulation(9, 250_000),
    "SHORT_SLOW": Modulation(8, 250_000),
    "SHORT_FAST": Modulation(7, 250_000),
}


def airtime_s(
    packet_bytes: int, modulation: Modulation, *, preamble: int = MESHTASTIC_PREAMBLE
) -> float:
    """Seconds on air of a packet with explicit header and CRC; ``packet_bytes``: all of its PHY
    payload; ``preamble``: symbols.

    >>> round(airtime_s(43, PRESETS["LONG_FAST"]) * 1000)
    559
    >>> round(airtime_s(23, Modulation(7, 125_000), preamble=8) * 1000, 3)
    61.696
    """
    symbol_s = (1 << modulation.spreading) / modulation.bandwidth_hz
    # "Low data rate optimize" is on where a symbol takes longer than 16 ms.
    optimized = 2 if symbol_s > 0.016 else 0
    bits = 8 * packet_bytes - 4 * modulation.spreading + 28 + 16
    blocks = ceil(bits / (4 * (modulation.spreading - optimized)))
    return (preamble + 4.25 + 8 + max(blocks * modulation.coding, 0)) * symbol_s
