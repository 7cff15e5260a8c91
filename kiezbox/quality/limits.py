"""What a quantity can be: one row each, with where its numbers are from. docs/quality.md says why.

Sources, by their letters in the rows:

S   the range and step tables of the project's own survey of sensors (../shared/reference/sensing.md
    section 2), gathered from data sheets and from the issues of sensor networks
D   Deutscher Wetterdienst's records of Germany: −37.8 °C, 41.2 °C; 954 and 1061 hPa at sea level
B   Bosch BST-BME280-DS002 sections 1.2 to 1.4: −40 to 85 °C, 0 to 100 %, 300 to 1100 hPa
N   Nova Fitness SDS011 specification V1.3: 0.0 to 999.9 µg/m³, ±10 µg/m³ or 15 %, at most 70 % RH
H   the recorded half-year, its months January, March and May only (tests/quality/recorded.py)
O   our own judgement; no source was found

Electricity has no row, and on purpose: by its voltages the box decides whether the grid is there
and how long it lasts. A rule that doubts a voltage because it fell at once would keep the WLAN
closed in the very moment for which it is there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf

from kiezbox.model import Quantity

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from kiezbox.settings import LimitSettings

__all__ = ["DUST", "LIMITS", "NOTHING", "Limits", "limits_of"]

HOUR_S = 3600.0
DAY_S = 24 * HOUR_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The rules for one quantity, in its own unit; what is left out has no limit."""

    #: Outside it is BAD: no sensor of this kind can have measured that.
    possible: tuple[float, float] = (-inf, inf)
    #: Outside it is SUSPECT: hardly anywhere where people live.
    plausible: tuple[float, float] = (-inf, inf)
    #: ``plausible`` is for a sum over so long (rain); longer pauses may bring more. 0: no sum.
    sum_s: float = 0.0
    #: From here up the sensor is at the end of its scale and says "at least".
    saturated: float = inf
    #: The largest change within ``step_s``, and in proportion to the time within longer pauses ...
    step: float = inf
    #: ... plus this share of the value before.
    step_share: float = 0.0
    step_s: float = 600.0
    #: After a jump, waiting brings the old level nearer, up to so many steps: what the sun does to
    #: a housing behind a gap of a quarter of an hour is a jump, and true all the same.
    patience: float = 1.0
    #: Exactly zero right after such a value is a failed measurement, not clean air.
    zero_from: float = inf
    #: A new level that holds for so long is believed; a longer silence ends all comparing.
    settle_s: float = 3 * HOUR_S
    #: The same value for so long: the sensor stands still ...
    stuck_s: float = inf
    #: ... but values in this band may stay equal longer by nature.
    calm: tuple[float, float] | None = None
    calm_s: float = inf
    #: After power-up the values are not the air's yet.
    warm_up_s: float = 0.0
    #: Particulates: above this relative humidity droplets are counted.
    humid_percent: float = inf

    def is_jump(self, before: float, value: float, after_s: float) -> bool:
        """Whether the world cannot have gone from one to the other in that time."""
        if value == 0.0 and before >= self.zero_from:
            return True
        allowed = (self.step + self.step_share * abs(before)) * max(1.0, after_s / self.step_s)
        return abs(value - before) > allowed

    def is_plausible(self, value: float, after_s: float) -> bool:
        least, most = self.plausible
        if self.sum_s:
            most *= max(1.0, min(after_s, DAY_S) / self.sum_s)
        return least <= value <= most

    def stands_still(self, value: float, since_s: float) -> bool:
        """Whether one value for so long is no air, but a sensor that hangs."""
        is_calm = self.calm is not None and self.calm[0] <= value <= self.calm[1]
        return since_s >= (self.calm_s if is_calm else self.stuck_s)


#: A quantity without rules: drivers' own flags only.
NOTHING = Limits()

#: ``calm``: 1 µg/m³ is the step of the coarsest (Plantower); filtered rooms read 0 for hours. [S]
#: ``possible``: 6553.5 is a word of ones in tenths. ``step``: to two and a half times as much, and
#: half (fine) or all (coarse) of the error in the sheet above that [N]; of the steps in the
#: recording 99.8 % are smaller [H]. ``zero_from``: the least of the recording is 0.6 [H]; a
#: Plantower's mean of three whole numbers may go from 1.33 to 0.
_DUST = Limits(
    possible=(0.0, 6500.0), plausible=(0.0, 1000.0), saturated=999.9,  # N, S
    step=5.0, step_share=1.5, zero_from=1.5, settle_s=HOUR_S,  # N, H
    stuck_s=HOUR_S, calm=(0.0, 1.0), calm_s=DAY_S,  # S
    humid_percent=70.0,  # N, S
)  # fmt: skip

LIMITS: dict[Quantity, Limits] = {
    Quantity.TEMPERATURE_C: Limits(
        possible=(-90.0, 85.0),  # colder was never measured on earth; warmer no sensor [B]
        plausible=(-30.0, 45.0),  # S; D with the sun on a housing (41.5 in the recording)
        step=5.0, patience=3.0,  # S, H
        stuck_s=3 * HOUR_S,  # O; in the recording 44 minutes at most, by 0.1 K [H]
    ),
    Quantity.HUMIDITY_PERCENT: Limits(
        possible=(0.0, 105.0), plausible=(5.0, 105.0), saturated=99.9,  # B, S
        step=25.0, patience=2.0, stuck_s=3 * HOUR_S, calm=(99.9, 105.0), calm_s=DAY_S,  # S; fog, O
    ),
    # From the sea to 1,000 m. A box higher up says so, a box below may say it more narrowly.
    Quantity.PRESSURE_HPA: Limits(
        possible=(500.0, 1100.0), plausible=(840.0, 1065.0),  # B, D
        step=3.0, stuck_s=3 * HOUR_S,  # S
    ),
    Quantity.PM1_UG_M3: _DUST,
    Quantity.PM2_5_UG_M3: _DUST,
    Quantity.PM4_UG_M3: replace(_DUST, step=10.0),
    # Coarse grains are few, so their number is noise. [H]
    Quantity.PM10_UG_M3: replace(_DUST, step=10.0),
    Quantity.CO2_PPM: Limits(
        possible=(0.0, 40000.0), plausible=(350.0, 10000.0),  # S
        stuck_s=6 * HOUR_S, warm_up_s=180.0,  # O; S (cheap ones say 400, 410 or 500 meanwhile)
    ),
    Quantity.GAS_RESISTANCE_OHM: Limits(
        possible=(0.0, inf), plausible=(1e3, 1e8), stuck_s=3 * HOUR_S, warm_up_s=300.0,  # S; O
    ),
    # Zero is what Sensirion's index says until it has begun.
    Quantity.VOC_INDEX: Limits(possible=(0.0, 500.0), plausible=(1.0, 500.0), warm_up_s=60.0),  # O
    Quantity.NOX_INDEX: Limits(possible=(0.0, 500.0), plausible=(1.0, 500.0), warm_up_s=60.0),  # O
    Quantity.NO2_UG_M3: Limits(plausible=(-20.0, 1000.0), stuck_s=3 * HOUR_S, warm_up_s=HOUR_S),
    Quantity.O3_UG_M3: Limits(plausible=(-20.0, 1000.0), stuck_s=3 * HOUR_S, warm_up_s=HOUR_S),
    Quantity.LAEQ_DB: Limits(possible=(0.0, 140.0), plausible=(20.0, 130.0), stuck_s=HOUR_S),  # S
    Quantity.ILLUMINANCE_LX: Limits(possible=(0.0, inf), plausible=(0.0, 150000.0)),  # O
    # Nothing is the usual rain, for weeks: there is no "stuck".
    Quantity.RAIN_MM: Limits(possible=(0.0, inf), plausible=(0.0, 10.0), sum_s=600.0),  # S
    Quantity.MOISTURE_PERCENT: Limits(possible=(0.0, 250.0), plausible=(0.0, 100.0)),  # O
    # Where the gauge hangs decides; an empty bed stays as it is for months.
    # Its zero is whoever hung it up's (a bed, a gauge, the sea), and its driver knows its range.
    Quantity.WATER_LEVEL_M: Limits(),
}  # fmt: skip

#: From fine to coarse: each holds all of those before it.
DUST = (
    Quantity.PM1_UG_M3,
    Quantity.PM2_5_UG_M3,
    Quantity.PM4_UG_M3,
    Quantity.PM10_UG_M3,
)


def limits_of(quantity: Quantity, given: Mapping[str, LimitSettings] | None = None) -> Limits:
    """The row of a quantity, with what ``[sensors.NAME.quality.QUANTITY]`` says instead.

    >>> limits_of(Quantity.TEMPERATURE_C).plausible
    (-30.0, 45.0)
    """
    limits = LIMITS.get(quantity, NOTHING)
    said = (given or {}).get(quantity.value)
    if said is None:
        return limits
    least, most = limits.plausible
    changes: dict[str, object] = {
        "plausible": (
            least if said.least is None else said.least,
            most if said.most is None else said.most,
        )
    }
    for name in ("step", "stuck_s", "warm_up_s", "humid_percent"):
        value = getattr(said, name)
        if value is not None:
            changes[name] = value or _NEVER.get(name, value)
    if changes.get("step") == inf:
        changes["zero_from"] = inf
    if said.stuck_s is not None:
        changes["calm_s"] = inf if not said.stuck_s else max(limits.calm_s, said.stuck_s)
    return replace(limits, **changes)  # type: ignore[arg-type]


#: Settings in which 0 switches the rule off.
_NEVER = {"step": inf, "stuck_s": inf}
