"""The simulated A02YYUW for the contract suite. Whole millimetres on the wire: no tolerance but
that of binary fractions."""

from kiezbox.hardware.simulated.a02yyuw import SimulatedA02yyuw
from kiezbox.model import Quantity

LEVEL = Quantity.WATER_LEVEL_M
HEIGHT_M = 2.4

SETTINGS = {"mounting_height_m": HEIGHT_M, "burst": 3}
WORLDS = ({LEVEL: 0.35}, {LEVEL: 1.872})
TOLERANCE = {LEVEL: 1e-9}


def make() -> SimulatedA02yyuw:
    return SimulatedA02yyuw(frame_s=0.02)


def show(part: SimulatedA02yyuw, world: dict[Quantity, float]) -> None:
    part.set(HEIGHT_M - world[LEVEL])
