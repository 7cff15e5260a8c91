"""The simulated SPS30 on I²C for the contract suite. Tolerance: the driver's two decimals."""

from kiezbox.hardware.simulated.sps30 import SimulatedSps30
from kiezbox.model import Quantity

ALL = (Quantity.PM1_UG_M3, Quantity.PM2_5_UG_M3, Quantity.PM4_UG_M3, Quantity.PM10_UG_M3)

ADDRESS = 0x69
#: The fan never rests: a read takes milliseconds.
SETTINGS = {"warm_up_s": 0.0}
WORLDS = (
    dict(zip(ALL, (4.2, 6.75, 8.1, 9.4), strict=True)),
    dict(zip(ALL, (21.0, 33.5, 41.25, 47.0), strict=True)),
)
TOLERANCE = dict.fromkeys(ALL, 0.006)
#: It is asked who it is when it is opened.
HARMLESS_ONCE_OPEN = {"wrong_id"}


def make() -> SimulatedSps30:
    # At its real speed, or it would fall asleep again between the two words that wake it; only the
    # next measurement is there at once.
    return SimulatedSps30(measures_s=0.0)


def show(part: SimulatedSps30, world: dict[Quantity, float]) -> None:
    part.set(*(world[quantity] for quantity in ALL))
