"""The simulated Senseair S8 for the contract suite. Whole ppm on the wire: no tolerance."""

from kiezbox.hardware.simulated.senseair_s8 import SimulatedSenseairS8
from kiezbox.model import Quantity

CO2 = Quantity.CO2_PPM

SETTINGS: dict[str, object] = {}
WORLDS = ({CO2: 612}, {CO2: 1984})
TOLERANCE = {CO2: 0.0}
make = SimulatedSenseairS8


def show(part: SimulatedSenseairS8, world: dict[Quantity, float]) -> None:
    part.set(world[CO2])
