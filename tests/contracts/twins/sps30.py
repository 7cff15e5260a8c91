"""The simulated SPS30 on I²C for the contract suite. Tolerance: the driver's two decimals."""

from contracts.haste import clock, hasten
from sensirion_i2c_driver import connection

from kiezbox.hardware.simulated.sps30 import SimulatedSps30
from kiezbox.model import Quantity
from kiezbox.sensors import _sensirion_bus

hasten(connection, _sensirion_bus)

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
    # A hundred times as fast again, so that a measurement (1 s) is there before the next look.
    return SimulatedSps30(clock=lambda: clock() * 100, nudge_s=1e5)


def show(part: SimulatedSps30, world: dict[Quantity, float]) -> None:
    part.set(*(world[quantity] for quantity in ALL))
