"""The simulated ADS1115 for the contract suite, with a water level by 4 to 20 mA over 120 Ω at A1.

Tolerance: half a step of 125 µV, which is 0.33 mm of 5 m.
"""

import time

from kiezbox.hardware.simulated.ads1115 import SimulatedAds1115
from kiezbox.model import Quantity

LEVEL = Quantity.WATER_LEVEL_M

ADDRESS = 0x48
SETTINGS: dict[str, object] = {
    "channel": "A1",
    "probe": "level",
    "burden_ohm": 120,
    "at_4_ma_m": 0,
    "at_20_ma_m": 5,
}
WORLDS = ({LEVEL: 1.25}, {LEVEL: 4.4})
TOLERANCE = {LEVEL: 0.0002}


def make() -> SimulatedAds1115:
    # A conversion (125 ms) is over before the next transaction.
    return SimulatedAds1115(clock=lambda: time.monotonic() * 10_000)


def show(part: SimulatedAds1115, world: dict[Quantity, float]) -> None:
    milliamperes = 4 + world[LEVEL] / 5 * 16
    part.set(0.0, milliamperes / 1000 * 120)
