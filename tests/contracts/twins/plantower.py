"""The simulated Plantower for the contract suite. Whole µg/m³ on the wire: no tolerance."""

from kiezbox.hardware.simulated.plantower import SimulatedPlantower
from kiezbox.model import Quantity

FINEST, FINE, COARSE = Quantity.PM1_UG_M3, Quantity.PM2_5_UG_M3, Quantity.PM10_UG_M3

SETTINGS = {"warm_up_s": 0.0}
WORLDS = ({FINEST: 5, FINE: 8, COARSE: 14}, {FINEST: 28, FINE: 41, COARSE: 77})
TOLERANCE = {FINEST: 0.0, FINE: 0.0, COARSE: 0.0}
#: A sensor that obeys nothing still reports.
HARMLESS = HARMLESS_ONCE_OPEN = {"deaf"}


def make() -> SimulatedPlantower:
    return SimulatedPlantower(report_s=0.02)


def show(part: SimulatedPlantower, world: dict[Quantity, float]) -> None:
    part.set(world[FINEST], world[FINE], world[COARSE])
