"""The simulated SHT4x for the contract suite. Tolerances: one step of 16 bits."""

from kiezbox.hardware.simulated.sht4x import SimulatedSht4x
from kiezbox.model import Quantity

T, H = Quantity.TEMPERATURE_C, Quantity.HUMIDITY_PERCENT

ADDRESS = 0x44
SETTINGS: dict[str, object] = {}
WORLDS = ({T: 21.5, H: 55.0}, {T: -7.25, H: 93.0})
TOLERANCE = {T: 0.003, H: 0.002}
make = SimulatedSht4x


def show(part: SimulatedSht4x, world: dict[Quantity, float]) -> None:
    part.set(world[T], world[H])
