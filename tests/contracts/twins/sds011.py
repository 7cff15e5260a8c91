"""The simulated SDS011 for the contract suite. One decimal on the wire: no tolerance."""

from kiezbox.hardware.simulated.sds011 import SimulatedSds011
from kiezbox.model import Quantity

FINE, COARSE = Quantity.PM2_5_UG_M3, Quantity.PM10_UG_M3

SETTINGS = {"warm_up_s": 0.0}
WORLDS = ({FINE: 8.3, COARSE: 14.6}, {FINE: 41.0, COARSE: 77.9})
TOLERANCE = {FINE: 0.0, COARSE: 0.0}
#: A sensor that obeys nothing still reports.
HARMLESS = HARMLESS_ONCE_OPEN = {"deaf"}


def make() -> SimulatedSds011:
    return SimulatedSds011(report_s=0.1)


def show(part: SimulatedSds011, world: dict[Quantity, float]) -> None:
    part.set(world[FINE], world[COARSE])
