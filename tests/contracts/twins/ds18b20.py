"""The simulated DS18B20 for the contract suite. Tolerance: half a step of 1/16 degree."""

from kiezbox.hardware.simulated.ds18b20 import SimulatedDs18b20
from kiezbox.model import Quantity

T = Quantity.TEMPERATURE_C

ONEWIRE = "28-00000a1b2c3d"
SETTINGS: dict[str, object] = {}
WORLDS = ({T: 21.5}, {T: -7.25})
TOLERANCE = {T: 0.03125}


def make() -> SimulatedDs18b20:
    # A conversion takes no time, so that no test waits 750 ms for each.
    return SimulatedDs18b20(sleep=lambda seconds: None)


def show(part: SimulatedDs18b20, world: dict[Quantity, float]) -> None:
    part.set(world[T])
