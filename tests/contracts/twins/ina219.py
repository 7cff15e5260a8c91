"""The simulated INA219 for the contract suite. Tolerances: half a step of 4 mV and 0.1 mA."""

import time

from kiezbox.hardware.simulated.ina219 import SimulatedIna219
from kiezbox.model import Quantity

V, A, W = Quantity.VOLTAGE_V, Quantity.CURRENT_A, Quantity.POWER_W

ADDRESS = 0x40
SETTINGS: dict[str, object] = {}
WORLDS = ({V: 13.2, A: -1.25, W: -16.5}, {V: 12.4, A: 2.5, W: 31.0})
TOLERANCE = {V: 0.002, A: 0.00005, W: 0.01}


def make() -> SimulatedIna219:
    # Ten thousand times as fast: a conversion (136 ms) is over before the next transaction, so
    # that no read gets the world before.
    return SimulatedIna219(clock=lambda: time.monotonic() * 10_000)


def show(part: SimulatedIna219, world: dict[Quantity, float]) -> None:
    part.set(world[V], world[A])
