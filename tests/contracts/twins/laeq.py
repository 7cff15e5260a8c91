"""The simulated DNMS for the contract suite. Tolerance: the driver's two decimals."""

from contracts.haste import clock

from kiezbox.hardware.simulated.laeq import SimulatedLaeq
from kiezbox.model import Quantity

LEVEL = Quantity.LAEQ_DB

ADDRESS = 0x55
SETTINGS = {"listen_s": 0.0}
WORLDS = ({LEVEL: 48.5}, {LEVEL: 72.25})
TOLERANCE = {LEVEL: 0.006}
#: It is asked who it is when it is opened.
HARMLESS_ONCE_OPEN = {"wrong_id"}


def make() -> SimulatedLaeq:
    return SimulatedLaeq(clock=clock)


def show(part: SimulatedLaeq, world: dict[Quantity, float]) -> None:
    part.set(world[LEVEL])
    # A new window, as if it had been as loud all the time: what was before is no part of this.
    part._begin()
