"""The simulated Victron charger for the contract suite. mV, mA, W and 10 Wh on the wire: no
tolerance."""

from kiezbox.hardware.simulated.vedirect import SimulatedVedirect
from kiezbox.model import Quantity

V, A, W, WH = Quantity.VOLTAGE_V, Quantity.CURRENT_A, Quantity.POWER_W, Quantity.ENERGY_WH

SETTINGS: dict[str, object] = {}
WORLDS = ({V: 12.81, A: -0.01, W: 0, WH: 0}, {V: 14.375, A: 3.2, W: 47, WH: 160})
TOLERANCE = {V: 0.0, A: 0.0, W: 0.0, WH: 0.0}


def make() -> SimulatedVedirect:
    return SimulatedVedirect(block_s=0.02)


def show(part: SimulatedVedirect, world: dict[Quantity, float]) -> None:
    part.set(world[V], world[A], world[W], world[WH])
