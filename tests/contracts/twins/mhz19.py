"""The simulated MH-Z19B for the contract suite. Whole ppm on the wire: no tolerance."""

from kiezbox.hardware.simulated.mhz19 import SimulatedMhz19
from kiezbox.model import Quantity

CO2 = Quantity.CO2_PPM

SETTINGS = {"warm_up_s": 0.0}
WORLDS = ({CO2: 636}, {CO2: 1450})
TOLERANCE = {CO2: 0.0}
make = SimulatedMhz19


def show(part: SimulatedMhz19, world: dict[Quantity, float]) -> None:
    part.set(world[CO2])
