"""Time on the air: what a LoRa packet takes of it, how much the law gives, and what was used."""

from kiezbox.airtime.bands import BANDS, Band, band_at
from kiezbox.airtime.budget import Budget, Spent
from kiezbox.airtime.lora import MESHTASTIC_PREAMBLE, PRESETS, Modulation, airtime_s

__all__ = [
    "BANDS", "MESHTASTIC_PREAMBLE", "PRESETS", "Band", "Budget", "Modulation", "Spent", "airtime_s",
    "band_at",
]  # fmt: skip
