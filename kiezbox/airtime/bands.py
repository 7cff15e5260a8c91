"""How much of an hour a transmitter may be on the air, by sub-band.

Source: CEPT ERC Recommendation 70-03, annex 1 (non-specific short range devices), which the
authorities of Europe put into national law; in Germany the Bundesnetzagentur's general allocation
for such devices, with the same limits. Duty cycle is that of any hour (ETSI EN 300 220-1, 5.4).
Listening before talking does not lift it here: no radio of ours changes its frequency (AFA).
"""

from __future__ import annotations

from typing import NamedTuple

from kiezbox.errors import UsageError

__all__ = ["BANDS", "Band", "band_at"]


class Band(NamedTuple):
    """Of ``low_mhz`` to ``high_mhz``: the share of an hour, and the radiated power."""

    low_mhz: float
    high_mhz: float
    duty: float
    erp_mw: float


#: The rows of annex 1 between 868 and 870 MHz that allow any modulation.
BANDS = (
    Band(868.0, 868.6, 0.01, 25),
    Band(868.7, 869.2, 0.001, 25),
    Band(869.4, 869.65, 0.10, 500),
    Band(869.7, 870.0, 0.01, 25),
)


def band_at(frequency_mhz: float, bandwidth_khz: float = 250) -> Band:
    """The sub-band in which all of a channel lies.

    Raises:
        UsageError: none has room for it, so nothing may be sent there.

    >>> band_at(869.525).duty
    0.1
    """
    half = bandwidth_khz / 2000
    for band in BANDS:
        # To the hertz: half a slot is no round number in binary.
        if (
            round(frequency_mhz - half, 6) >= band.low_mhz
            and round(frequency_mhz + half, 6) <= band.high_mhz
        ):
            return band
    raise UsageError(
        f"no sub-band has room for {bandwidth_khz:g} kHz at {frequency_mhz:g} MHz",
        hint="Meshtastic's slot in Europe is 869.525 MHz (region EU_868); is the region set?",
    )
