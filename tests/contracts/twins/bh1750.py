"""The simulated BH1750 for the contract suite. Tolerance: half a step of 0.42 lx."""

import time

from kiezbox.hardware.simulated.bh1750 import SimulatedBh1750
from kiezbox.model import Quantity

LUX = Quantity.ILLUMINANCE_LX

ADDRESS = 0x23
SETTINGS: dict[str, object] = {}
WORLDS = ({LUX: 1250.0}, {LUX: 17.5})
TOLERANCE = {LUX: 0.22}
#: Whatever reads as zeros is a dark night.
NOBODY_CAN_TELL = 0.0


def make() -> SimulatedBh1750:
    # A conversion (120 ms) is over before the next transaction.
    return SimulatedBh1750(clock=lambda: time.monotonic() * 10_000)


def show(part: SimulatedBh1750, world: dict[Quantity, float]) -> None:
    part.set(world[LUX])
