"""The simulated GPS receiver for the contract suite. Satellites are counted: no tolerance."""

from kiezbox.hardware.simulated.gps import SimulatedGps
from kiezbox.model import Quantity

SATELLITES = Quantity.SATELLITES

SETTINGS: dict[str, object] = {}
WORLDS = ({SATELLITES: 12}, {SATELLITES: 7})
TOLERANCE = {SATELLITES: 0.0}


def make() -> SimulatedGps:
    return SimulatedGps(burst_s=0.02)


def show(part: SimulatedGps, world: dict[Quantity, float]) -> None:
    part.set(world[SATELLITES])
