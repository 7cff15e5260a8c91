"""The simulated DS3231 for the contract suite. Tolerance: half a step of a quarter degree."""

from kiezbox.hardware.simulated.ds3231 import SimulatedDs3231
from kiezbox.model import Quantity

T = Quantity.TEMPERATURE_C

ADDRESS = 0x68
SETTINGS: dict[str, object] = {}
WORLDS = ({T: 31.25}, {T: -7.5})
TOLERANCE = {T: 0.125}
#: The time is gone and not offered; the temperature is as good as ever.
HARMLESS = HARMLESS_ONCE_OPEN = {"empty_cell"}


def make() -> SimulatedDs3231:
    part = SimulatedDs3231()
    part.set_time(1_790_000_000.0)
    part.clear_stopped()
    return part


def show(part: SimulatedDs3231, world: dict[Quantity, float]) -> None:
    part.set(world[T])
