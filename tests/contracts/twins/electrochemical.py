"""The simulated electrochemical cells for the contract suite, with a BME280 as their thermometer.

Tolerances: half a step of 62.5 µV at each electrode, and the driver's one decimal.
"""

from contracts.haste import clock, hasten
from contracts.rig import Wired

from kiezbox.hardware.simulated.bme280 import SimulatedBme280
from kiezbox.hardware.simulated.electrochemical import NO2_CELL, OX_CELL, SimulatedElectrochemical
from kiezbox.model import Quantity
from kiezbox.sensors import _ads1115

hasten(_ads1115)

NO2, O3 = Quantity.NO2_UG_M3, Quantity.O3_UG_M3

ADDRESS = 0x48
SETTINGS: dict[str, object] = {
    "no2_we_zero_mv": NO2_CELL.we_zero_mv,
    "no2_ae_zero_mv": NO2_CELL.ae_zero_mv,
    "no2_mv_ppb": NO2_CELL.no2_mv_ppb,
    "ox_we_zero_mv": OX_CELL.we_zero_mv,
    "ox_ae_zero_mv": OX_CELL.ae_zero_mv,
    "ox_o3_mv_ppb": OX_CELL.o3_mv_ppb,
    "ox_no2_mv_ppb": OX_CELL.no2_mv_ppb,
    "colocated": "a station of the contract suite",
}
WORLDS = ({NO2: 21.0, O3: 64.0}, {NO2: 88.0, O3: 12.5})
TOLERANCE = {NO2: 0.5, O3: 1.0}


def make() -> SimulatedElectrochemical:
    return SimulatedElectrochemical(clock=clock)


def prepare(wired: Wired) -> None:
    thermometer = SimulatedBme280()
    thermometer.set(20.0, 50.0, 1013.0)
    wired.bench.attach(0x76, thermometer)


def show(part: SimulatedElectrochemical, world: dict[Quantity, float]) -> None:
    # ppb at 20 °C and 1013 hPa: 1 ppb NO2 is 1.9125 µg/m³, 1 ppb O3 1.9954 µg/m³.
    part.set_air(world[NO2] / 1.9125, world[O3] / 1.9954, 20.0)
