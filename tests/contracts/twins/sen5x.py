"""The simulated SEN55 for the contract suite. Tolerances: half a step of its ticks."""

from contracts.haste import clock, hasten
from sensirion_i2c_driver import connection

from kiezbox.hardware.simulated.sen5x import SimulatedSen5x
from kiezbox.model import Quantity
from kiezbox.sensors import _sensirion_bus

hasten(connection, _sensirion_bus)

MASSES = (Quantity.PM1_UG_M3, Quantity.PM2_5_UG_M3, Quantity.PM4_UG_M3, Quantity.PM10_UG_M3)
H, T = Quantity.HUMIDITY_PERCENT, Quantity.TEMPERATURE_C
VOC, NOX = Quantity.VOC_INDEX, Quantity.NOX_INDEX

ADDRESS = 0x69
#: The fan never rests, and the gas sensor is believed at once.
SETTINGS = {"warm_up_s": 0.0, "gas_warm_up_s": 0.0}
WORLDS = (
    dict(zip((*MASSES, H, T, VOC, NOX), (4.2, 6.7, 8.1, 9.4, 45.5, 21.5, 102, 1), strict=True)),
    dict(zip((*MASSES, H, T, VOC, NOX), (21, 33.5, 41.2, 47, 88.25, -4.5, 340, 17), strict=True)),
)
TOLERANCE = {**dict.fromkeys(MASSES, 0.051), H: 0.006, T: 0.003, VOC: 0.051, NOX: 0.051}


def make() -> SimulatedSen5x:
    # A hundred times as fast again, so that a measurement (1 s) is there before the next look.
    return SimulatedSen5x(clock=lambda: clock() * 100)


def show(part: SimulatedSen5x, world: dict[Quantity, float]) -> None:
    part.set(tuple(world[quantity] for quantity in MASSES), *(world[q] for q in (H, T, VOC, NOX)))
