"""The simulated MAX17048 for the contract suite. Tolerances: half a step of 78 µV and 1/256 %."""

import time

from kiezbox.hardware.simulated.max17048 import SimulatedMax17048
from kiezbox.model import Quantity

V, C = Quantity.VOLTAGE_V, Quantity.CHARGE_PERCENT

ADDRESS = 0x36
SETTINGS: dict[str, object] = {}
WORLDS = ({V: 3.92, C: 78.5}, {V: 3.41, C: 9.25})
TOLERANCE = {V: 0.00004, C: 0.002}


def make() -> SimulatedMax17048:
    return SimulatedMax17048(clock=lambda: time.monotonic() * 10_000)


def show(part: SimulatedMax17048, world: dict[Quantity, float]) -> None:
    part.set(world[V], world[C])
