"""The simulated SCD41 for the contract suite. Tolerances: 1 ppm; the offset's steps of 0.003 K."""

import adafruit_scd4x
from contracts.haste import clock, hasten

from kiezbox.hardware.simulated.scd4x import SimulatedScd4x
from kiezbox.model import Quantity
from kiezbox.sensors import scd4x

C, T, H = Quantity.CO2_PPM, Quantity.TEMPERATURE_C, Quantity.HUMIDITY_PERCENT

ADDRESS = 0x62
SETTINGS: dict[str, object] = {"altitude_m": 34.0}
WORLDS = ({C: 512.0, T: 21.5, H: 55.0}, {C: 1840.0, T: 3.25, H: 93.0})
TOLERANCE = {C: 0.5, T: 0.006, H: 0.03}

hasten(adafruit_scd4x, scd4x)


def make() -> SimulatedScd4x:
    return SimulatedScd4x(clock=clock)


def show(part: SimulatedScd4x, world: dict[Quantity, float]) -> None:
    part.set(world[C], world[T], world[H])
