"""A simulated pair of Alphasense cells (NO2-B43F, OX-B431) on their boards, at an ADS1115.

Modelled: electronic zeros, sensitivities, that the OX cell answers to both gases, the background of
each cell that its auxiliary electrode shows and how the working electrode shows it at a
temperature, one board without its plug, one that puts out its supply.
Not modelled: noise, drift, settling, humidity, how the background itself grows with temperature.
Source: Alphasense AAN 803-05, algorithm 1 and its table 3, solved for the electrodes' voltages; the
ADS1115 is ``simulated.ads1115``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import ClassVar, NamedTuple

from kiezbox.hardware.simulated import ads1115
from kiezbox.hardware.simulated.ads1115 import SimulatedAds1115

__all__ = ["NO2_CELL", "OX_CELL", "Cell", "SimulatedElectrochemical"]


class Cell(NamedTuple):
    """What is on the bag: millivolts and mV/ppb; and a background in millivolts."""

    we_zero_mv: float
    ae_zero_mv: float
    no2_mv_ppb: float
    o3_mv_ppb: float
    background_mv: float
    #: n at -30, -20, … 50 °C.
    n: tuple[float, ...]


#: Made up, of the usual size.
NO2_CELL = Cell(223.0, 229.0, 0.31, 0.0, 12.0, (1.3, 1.3, 1.3, 1.3, 1.0, 0.6, 0.4, 0.2, -1.5))
OX_CELL = Cell(228.0, 226.0, 0.36, 0.41, -8.0, (0.9, 0.9, 1.0, 1.3, 1.5, 1.7, 2.0, 2.5, 3.7))


class SimulatedElectrochemical(SimulatedAds1115):
    """Both cells and the converter. ``set()`` is the air, ``fault`` what is wrong with them."""

    FAULTS: ClassVar[dict[str, str]] = {
        **ads1115.FAULTS,
        "unplugged_board": "the NO2 board's plug is out: 0 V at both electrodes",
        "broken_board": "the NO2 board puts out its supply at the working electrode",
    }

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(clock=clock)
        self.set_air(10.0, 20.0, 20.0)

    def set_air(self, no2_ppb: float, o3_ppb: float, celsius: float) -> None:
        """The air from now on; ``celsius``, one of the table's temperatures, is the cells'."""
        volts: list[float] = []
        for cell in (NO2_CELL, OX_CELL):
            gas_mv = cell.no2_mv_ppb * no2_ppb + cell.o3_mv_ppb * o3_ppb
            n = cell.n[round((celsius + 30) / 10)]
            volts.append((cell.we_zero_mv + gas_mv + n * cell.background_mv) / 1000)
            volts.append((cell.ae_zero_mv + cell.background_mv) / 1000)
        self.set(*volts)

    def _input_v(self, number: int) -> float:
        if self._fault == "unplugged_board" and number < 2:
            return 0.0
        if self._fault == "broken_board" and number == 0:
            return 3.6
        return super()._input_v(number)
