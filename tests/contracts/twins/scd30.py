"""The simulated SCD30 for the contract suite. Tolerances: a tenth of a ppm, thousandths: floats."""

import adafruit_scd30
from contracts.haste import clock, hasten

from kiezbox.hardware.simulated.scd30 import SimulatedScd30
from kiezbox.model import Quantity
from kiezbox.sensors import scd30

C, T, H = Quantity.CO2_PPM, Quantity.TEMPERATURE_C, Quantity.HUMIDITY_PERCENT

ADDRESS = 0x61
SETTINGS: dict[str, object] = {"altitude_m": 34.0}
WORLDS = ({C: 512.3, T: 21.5, H: 55.0}, {C: 1840.0, T: 3.25, H: 93.0})
TOLERANCE = {C: 0.06, T: 0.001, H: 0.001}

hasten(adafruit_scd30, scd30)


def make() -> SimulatedScd30:
    return SimulatedScd30(clock=clock)


def show(part: SimulatedScd30, world: dict[Quantity, float]) -> None:
    part.set(world[C], world[T], world[H])
