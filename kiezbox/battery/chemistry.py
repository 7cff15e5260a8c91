"""What a voltage says about a charge, per chemistry: something at the ends, nothing between."""

from __future__ import annotations

from math import inf
from typing import NamedTuple


class Anchor(NamedTuple):
    """A voltage (per cell) that says where the charge is, if the current allows the conclusion.

    It holds when for ``hold_s`` the voltage was within ``at_least_v`` and ``at_most_v`` and the
    current, either way, at most ``most_rate`` of the capacity an hour. Then the charge lies
    between ``low`` and ``high`` percent.
    """

    at_least_v: float
    at_most_v: float
    most_rate: float
    hold_s: float
    low: float
    high: float


class Chemistry(NamedTuple):
    """``efficiency``: the share of a charge that can be taken out again, at worst."""

    efficiency: float
    anchors: tuple[Anchor, Anchor, Anchor, Anchor]


#: Per chemistry: charged; floating for six hours; under the knee at a light load; at the cut-off.
#: Charged is a voltage near the charger's limit with the current tapered off, for 3 minutes:
#: Victron's rule and defaults (manual of the BMV-700 series, settings 02 to 04).
#: A share of 0.2 (a five-hour discharge) is a light load: what an emergency box draws.
CHEMISTRIES: dict[str, Chemistry] = {
    # The CALCE A123 recording at C/20 passes 3.45 V with 3 % to go and 3.14 V at 5 %; at 0 % it
    # is at 2.59 V. A full cell floats at 3.35 to 3.40 V and rests at 3.33 V. Efficiency: Victron
    # asks for 99 % with lithium.
    "lifepo4": Chemistry(
        0.99,
        (
            Anchor(3.45, inf, 0.04, 180.0, 95.0, 100.0),
            Anchor(3.36, inf, 0.01, 21600.0, 85.0, 100.0),
            Anchor(-inf, 3.0, 0.2, 60.0, 0.0, 8.0),
            Anchor(-inf, 2.5, inf, 10.0, 0.0, 5.0),
        ),
    ),
    # A cell charged to 4.2 V; where the charger then stops, it rests at 4.1 V and more. 3.0 V is
    # the usual end of a discharge; at 3.3 V under a light load a few percent are left.
    "liion": Chemistry(
        0.99,
        (
            Anchor(4.15, inf, 0.04, 180.0, 95.0, 100.0),
            Anchor(4.08, inf, 0.01, 21600.0, 85.0, 100.0),
            Anchor(-inf, 3.3, 0.2, 60.0, 0.0, 8.0),
            Anchor(-inf, 3.0, inf, 10.0, 0.0, 5.0),
        ),
    ),
    # Cycle use 2.40 to 2.45 V, float 2.25 to 2.30 V, 110 % of what was taken must go back (Remco,
    # charging instructions for valve-regulated batteries): 0.85 leaves room for an old one.
    # Makers end a charge at 2 % of the capacity and a ten-hour discharge at 1.75 V.
    "lead": Chemistry(
        0.85,
        (
            Anchor(2.35, inf, 0.02, 180.0, 93.0, 100.0),
            Anchor(2.23, inf, 0.01, 21600.0, 85.0, 100.0),
            Anchor(-inf, 1.87, 0.2, 60.0, 0.0, 10.0),
            Anchor(-inf, 1.75, inf, 10.0, 0.0, 5.0),
        ),
    ),
}
