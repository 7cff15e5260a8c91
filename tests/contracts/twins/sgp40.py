"""The simulated SGP40 for the contract suite.

The index has no world of its own: 100 is whatever was there all the time, and so both worlds are
the same air. Tolerance: the algorithm's own unrest.
"""

from __future__ import annotations

import copy
import functools
import time
from typing import TYPE_CHECKING

import adafruit_sgp40
from contracts.haste import clock, hasten

from kiezbox.hardware.simulated.sgp40 import SimulatedSgp40
from kiezbox.model import Quantity
from kiezbox.sensors import sgp40

if TYPE_CHECKING:
    from contracts.rig import Wired

INDEX = Quantity.VOC_INDEX

ADDRESS = 0x59
SETTINGS: dict[str, object] = {"interval_s": 5.0}
WORLDS = ({INDEX: 100.0}, {INDEX: 100.0})
TOLERANCE = {INDEX: 2.0}
#: It tests itself when it is opened, and then never again.
HARMLESS_ONCE_OPEN = {"broken"}

hasten(adafruit_sgp40, sgp40)


def make() -> SimulatedSgp40:
    return SimulatedSgp40(clock=clock)


def show(part: SimulatedSgp40, world: dict[Quantity, float]) -> None:
    part.set(30_000)


@functools.cache
def _of_this_air() -> sgp40.Learned:
    learned = sgp40.Learned(samples=sgp40.WARM_UP)
    for _ in range(sgp40.WARM_UP):
        learned.algorithm.vocalgorithm_process(30_000)
    return learned


def prepare(wired: Wired) -> None:
    """Let it know this air already: its warm-up takes three minutes."""
    learned = copy.deepcopy(_of_this_air())
    learned.last_at = time.monotonic()
    sgp40.LEARNED[wired.reader.hardware] = learned
