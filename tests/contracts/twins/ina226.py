"""The simulated INA226 for the contract suite. Tolerances: half a step of 1.25 mV and 25 µA."""

import time

from kiezbox.hardware.simulated.ina226 import SimulatedIna226
from kiezbox.model import Quantity

V, A, W = Quantity.VOLTAGE_V, Quantity.CURRENT_A, Quantity.POWER_W

ADDRESS = 0x40
SETTINGS: dict[str, object] = {}
WORLDS = ({V: 13.2, A: -0.55, W: -7.26}, {V: 12.4, A: 0.8, W: 9.92})
TOLERANCE = {V: 0.000626, A: 0.0000126, W: 0.001}
#: Once set up it is written to no more, so nothing is forgotten.
HARMLESS_ONCE_OPEN = {"brown_out"}


def make() -> SimulatedIna226:
    # Ten thousand times as fast: a conversion (141 ms) is over before the next transaction, so
    # that no read gets the world before.
    return SimulatedIna226(clock=lambda: time.monotonic() * 10_000)


def show(part: SimulatedIna226, world: dict[Quantity, float]) -> None:
    part.set(world[V], world[A])
