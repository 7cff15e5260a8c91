"""The simulated SPS30 on UART for the contract suite. Tolerance: what is rounded, 0.01 µg/m³."""

from kiezbox.hardware.simulated.sps30_uart import SimulatedSps30Uart
from kiezbox.model import Quantity

FINEST, FINE, MIDDLE, COARSE = (
    Quantity.PM1_UG_M3,
    Quantity.PM2_5_UG_M3,
    Quantity.PM4_UG_M3,
    Quantity.PM10_UG_M3,
)

SETTINGS = {"warm_up_s": 0.0}
WORLDS = (
    {FINEST: 4.21, FINE: 6.35, MIDDLE: 7.0, COARSE: 7.52},
    {FINEST: 31.0, FINE: 44.8, MIDDLE: 52.1, COARSE: 60.03},
)
TOLERANCE = dict.fromkeys((FINEST, FINE, MIDDLE, COARSE), 0.0051)


def make() -> SimulatedSps30Uart:
    # So fast that every question finds a new measurement.
    return SimulatedSps30Uart(sample_s=0.0)


def show(part: SimulatedSps30Uart, world: dict[Quantity, float]) -> None:
    part.set(world[FINEST], world[FINE], world[MIDDLE], world[COARSE])
