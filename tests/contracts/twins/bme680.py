"""The simulated BME680 for the contract suite. Tolerances: 0.01 K in the driver's whole numbers."""

import adafruit_bme680
from contracts.haste import clock, hasten

from kiezbox.hardware.simulated.bme680 import SimulatedBme680
from kiezbox.model import Quantity

T, H, P = Quantity.TEMPERATURE_C, Quantity.HUMIDITY_PERCENT, Quantity.PRESSURE_HPA
G = Quantity.GAS_RESISTANCE_OHM

ADDRESS = 0x76
SETTINGS: dict[str, object] = {}
WORLDS = ({T: 21.5, H: 55.0, P: 1008.0, G: 52_300.0}, {T: -7.25, H: 93.0, P: 987.6, G: 208_000.0})
TOLERANCE = {T: 0.006, H: 0.03, P: 0.03, G: 300.0}
#: Read when the chip is opened, and again when it was reset.
HARMLESS_ONCE_OPEN = {"zero_calibration"}

hasten(adafruit_bme680)


def make() -> SimulatedBme680:
    return SimulatedBme680(clock=clock)


def show(part: SimulatedBme680, world: dict[Quantity, float]) -> None:
    part.set(world[T], world[H], world[P], world[G])
