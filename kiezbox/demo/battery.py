"""A box's battery as physics: what the INA219 would measure. Knows nothing of what a box believes.

Four LiFePO4 cells, a charger at the grid, a small panel on the roof.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

CELLS = 4

#: A LiFePO4 cell's rest voltage over its charge: flat in the middle, steep at the ends. Rounded
#: from the A123 cell of CALCE (University of Maryland) at C/20.
REST_V = (
    (0.0, 2.50), (0.02, 2.90), (0.05, 3.14), (0.10, 3.21), (0.20, 3.26), (0.40, 3.30),
    (0.60, 3.32), (0.80, 3.34), (0.95, 3.36), (0.98, 3.42), (1.0, 3.50),
)  # fmt: skip

#: Of the pack with its wires.
RESISTANCE_OHM = 0.04

#: What the charger at the grid gives at most: so many capacities an hour, so many amperes; and
#: the voltage at which it stops.
CHARGER_RATE, CHARGER_A, CHARGER_END_V = 2.0, 2.0, 14.0

#: What the box draws, by its mode, in watts: the WLAN is the largest part.
LOAD_W = {
    "normal": 3.4,
    "maintenance": 3.4,
    "exercise": 6.2,
    "emergency": 6.2,
    "saving": 3.0,
    "dark": 0.8,
}

#: Watts of the panel in full sun (1,000 W/m²), after the controller's losses.
PANEL_W = 8.0

#: What "drain" takes and "charge" gives: close to the most that an INA219 on 0.1 ohm can show
#: (3.2 A).
FORCED_A = {"drain": -3.0, "charge": 3.0}


@dataclass
class Battery:
    """``charge`` 0 to 1; current counts positive into the battery."""

    capacity_ah: float
    charge: float
    current_a: float = 0.0
    #: "drain", "charge" or None: what a person does to it.
    forced: str | None = None

    def step(self, dt_s: float, *, mode: str, has_grid: bool, sun_w_m2: float) -> None:
        """Let so many seconds pass."""
        wanted_a = self._wanted_a(mode, has_grid, sun_w_m2)
        room_ah = (1 - self.charge) * self.capacity_ah
        left_ah = self.charge * self.capacity_ah
        hours = max(dt_s, 1e-3) / 3600
        # Neither more than fits nor more than is there, whatever the length of the step.
        self.current_a = max(-left_ah / hours, min(wanted_a, room_ah / hours))
        self.charge = min(1.0, max(0.0, self.charge + self.current_a * hours / self.capacity_ah))

    @property
    def voltage_v(self) -> float:
        """At the terminals, under the present current."""
        return CELLS * rest_v(self.charge) + self.current_a * RESISTANCE_OHM

    def _wanted_a(self, mode: str, has_grid: bool, sun_w_m2: float) -> float:
        rest = CELLS * rest_v(self.charge)
        # A charger holds its end voltage: near the end less and less flows.
        most_a = max(0.0, (CHARGER_END_V - rest) / RESISTANCE_OHM)
        if self.forced is not None:
            return min(FORCED_A[self.forced], most_a)
        sun_a = PANEL_W * sun_w_m2 / 1000 / rest
        if has_grid:
            return min(CHARGER_RATE * self.capacity_ah, CHARGER_A - sun_a, most_a - sun_a) + sun_a
        return min(sun_a - LOAD_W.get(mode, LOAD_W["normal"]) / rest, most_a)


def rest_v(charge: float) -> float:
    """Volts of one cell at rest.

    >>> round(rest_v(0.9) - rest_v(0.2), 2)
    0.09
    """
    n = bisect_right(REST_V, charge, key=lambda point: point[0])
    if n == 0:
        return REST_V[0][1]
    if n == len(REST_V):
        return REST_V[-1][1]
    (below, low_v), (above, high_v) = REST_V[n - 1], REST_V[n]
    return low_v + (high_v - low_v) * (charge - below) / (above - below)
