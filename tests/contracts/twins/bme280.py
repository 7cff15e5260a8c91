"""The simulated BME280 for the contract suite. Tolerances: its steps at our oversampling."""

from kiezbox.hardware.simulated.bme280 import SimulatedBme280
from kiezbox.model import Quantity

T, H, P = Quantity.TEMPERATURE_C, Quantity.HUMIDITY_PERCENT, Quantity.PRESSURE_HPA

ADDRESS = 0x76
SETTINGS: dict[str, object] = {}
WORLDS = ({T: 21.5, H: 55.0, P: 1008.0}, {T: -7.25, H: 93.0, P: 987.6})
TOLERANCE = {T: 0.004, H: 0.01, P: 0.01}
#: Read when the chip is opened, and again when it was reset.
HARMLESS_ONCE_OPEN = {"zero_calibration"}
make = SimulatedBme280


def show(part: SimulatedBme280, world: dict[Quantity, float]) -> None:
    part.set(world[T], world[H], world[P])
