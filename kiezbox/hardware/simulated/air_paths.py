"""Who hears whom, and how well: by distance, or by a table.

By distance, power falls with the logarithm of it, every pair of places has a shadow of its own that
stays (a house in between), and every packet fades a little. The default numbers are those measured
in a built-up area at 868 MHz with antennas near the ground: Bor, Roedig, Voigt, Alonso, "Do LoRa
Low-Power Wide-Area Networks Scale?", MSWiM 2016, 3.1 (127.41 dB at 40 m, exponent 2.08, shadow
3.57 dB). What a receiver needs above the noise: Semtech, "SX1276/77/78/79" data sheet, table 13.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from kiezbox.airtime import Modulation

__all__ = ["Distances", "Links", "Paths", "Signal", "needed_snr_db", "noise_dbm"]

#: Of a receiver (Semtech AN1200.22 has 6 dB).
NOISE_FIGURE_DB = 6.0

#: What demodulation needs, by spreading factor: -7.5 dB at 7, and 2.5 dB less with each more.
NEEDED_SNR_DB = {factor: -7.5 - 2.5 * (factor - 7) for factor in range(5, 13)}


def noise_dbm(modulation: Modulation) -> float:
    """The noise in a channel of that width: thermal, and the receiver's own."""
    return -174 + 10 * math.log10(modulation.bandwidth_hz) + NOISE_FIGURE_DB


def needed_snr_db(modulation: Modulation) -> float:
    """Below this signal-to-noise ratio nothing is received."""
    return NEEDED_SNR_DB[modulation.spreading]


class Signal(NamedTuple):
    """Of one sender at one receiver: the mean power there, and the share of packets that is lost
    whatever the power (0 to 1).
    """

    rssi_dbm: float
    loss: float = 0.0


class Paths(Protocol):
    """A sender's and a receiver's name → what arrives. ``fading_db``: how much packets differ."""

    fading_db: float

    def signal(self, sender: str, receiver: str) -> Signal | None: ...


@dataclass
class Links:
    """A table: (sender, receiver) → the share of packets lost on the way, 0 to 1. A pair that is
    not in it has ``others``; 1 is out of reach altogether. One direction does not say the other.
    """

    losses: Mapping[tuple[str, str], float] = field(default_factory=dict)
    others: float = 0.0
    rssi_dbm: float = -105.0
    fading_db: float = 0.0

    def signal(self, sender: str, receiver: str) -> Signal | None:
        loss = self.losses.get((sender, receiver), self.others)
        return None if loss >= 1 else Signal(self.rssi_dbm, loss)


@dataclass
class Distances:
    """Places in metres (east, north), and what the way between them takes."""

    places: Mapping[str, tuple[float, float]]
    seed: int = 1
    loss: float = 0.0
    power_dbm: float = 22.0
    loss_at_40_m_db: float = 127.41
    exponent: float = 2.08
    shadow_db: float = 3.57
    fading_db: float = 2.0

    def signal(self, sender: str, receiver: str) -> Signal | None:
        if sender not in self.places or receiver not in self.places:
            return None
        metres = max(1.0, math.dist(self.places[sender], self.places[receiver]))
        # The same in both directions, and in every run: a house does not move.
        pair = "\0".join(sorted((sender, receiver)))
        shadow = random.Random(f"{self.seed}\0{pair}").gauss(0.0, self.shadow_db)
        lost = self.loss_at_40_m_db + 10 * self.exponent * math.log10(metres / 40) + shadow
        return Signal(self.power_dbm - lost, self.loss)
