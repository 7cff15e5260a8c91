"""ADS1115 with a probe at one of its inputs: wood or plaster moisture, water level by 4 to 20 mA,
or just a voltage. I²C address 0x48 to 0x4B.

Wiring (Raspberry Pi header): VDD to 3.3 V (pin 1), GND to pin 6, SDA to pin 3, SCL to pin 5.
Address: ADDR to GND gives 0x48, to VDD 0x49, to SDA 0x4A, to SCL 0x4B.
Supply: 2 to 5.5 V; with 3.3 V no input may ever see more than 3.6 V, so a 1 kΩ resistor before
each input that leaves the box is well spent (not before a moisture probe's buffer: no need there).
Current: 0.2 mA while it converts (125 ms a reading), microamperes else.
Inputs: A0 to A3 against GND, or a difference (A0-A1, …). One table in kiezbox.toml per probe; four
tables may name the same chip, they take turns.

Probes (`probe = "…"`):
voltage  a battery or panel behind a divider: say `ratio` = (R1 + R2) / R2, and `most_v`, the most
         that comes. Nobody can tell a broken wire from 0 V here.
level    a pressure transmitter, two wires: plus of 12 or 24 V to the transmitter, from it to the
         input, and `burden_ohm` from the input to GND (120 Ω: 2.4 V at 20 mA). `at_4_ma_m` and
         `at_20_ma_m` are its measuring range. Below 3.6 mA the wire is broken, above 21 mA it is
         shorted or the transmitter says it is ill (NAMUR NE 43): flagged BAD, "open-circuit" and
         "short-circuit". 3.8 to 20.5 mA count, what lies between is flagged "range".
wood     two stainless screws in the wood along the grain, 30 mm apart, 8 mm deep. 3.3 V over
         `series_ohm` to the one, GND to the other, the point between over a voltage follower
         (MCP6041 or the like) to the input: wood has megohms, and the ADS1115 itself has six.
plaster  the same with two screws in plaster, and a `curve` of your own.
         For both: `end_ohm`, a resistor across the two screws out at the wall, tells a broken wire
         from dry wood; without it both are flagged "open-circuit". Less than 1 kΩ is
         "short-circuit".

Calibration: `curve` = ["OHM PERCENT", …] takes the place of the probe's own (`PROBES` below, with
its source). Between two points the percentage follows the resistance's logarithm; beyond the last
one the value is that point's, flagged SUSPECT with the reason "saturated": at most, or at least,
that. Kinds of wood differ, and a degree is 0.1 %: with the built-in curve a board says "drier than
last month", and no more. For plaster there is no general curve at all, so it wants one: weigh a
piece, dry it (wood at 103 °C, gypsum at 40 °C) until it weighs the same twice, note the ohms on the
way.

Pitfalls: moisture screws corrode and charge up under DC; a microampere (3.3 MΩ) is little enough. A
long unshielded wire to a megohm probe hears the mains; each reading is the mean of 125 ms against
that. After each conversion the chip is asked what it measured; registers are read until two
readings agree, for they have no checksum.
Package: adafruit-circuitpython-ads1x15, single conversions (its continuous mode of version 3.0.5
never changes the input).
Source: Texas Instruments SBAS444D (multiplexer, ranges, input impedance); NAMUR NE 43 (2003); each
probe's own in `PROBES`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf, log10
from typing import NamedTuple

from kiezbox.errors import SettingsError
from kiezbox.hardware import SensorHardware
from kiezbox.model import Flag, Measurement, Quantity
from kiezbox.sensors._ads1115 import CHANNELS, Converter, Sample
from kiezbox.sensors._border import translated
from kiezbox.sensors._i2c import address_setting, wiring_hint
from kiezbox.settings import SensorSettings, setting

__all__ = ["PROBES", "QUANTITIES", "Ads1115", "Probe", "Settings", "open", "quantities"]

#: All that some probe measures; one sensor has one of them (``quantities``).
QUANTITIES = (Quantity.VOLTAGE_V, Quantity.WATER_LEVEL_M, Quantity.MOISTURE_PERCENT)

#: Milliamperes of a loop, from NAMUR NE 43: fault, measured values, fault.
BROKEN_MA, LEAST_MA, MOST_MA, SHORT_MA = 3.6, 3.8, 20.5, 21.0
#: Fewer ohms are no wet wood but a drop of solder.
SHORT_OHM = 1000.0
#: A share of the supply from which on nobody can tell how many ohms there are.
OPEN_SHARE = 0.98
#: With a resistor at the end: more ohms than that resistor by so much is a broken wire, and more
#: than so much of it is a probe that adds nothing.
BROKEN_END, DRY_END = 1.25, 0.95

#: Ohms and percent of water by dry mass, dry to wet.
Curve = tuple[tuple[float, float], ...]

#: Douglas fir, needles 31.75 mm (1 1/4 inch) apart and 8 mm (5/16 inch) deep along the grain at
#: 27 °C.
FIR: Curve = (
    (120e6, 12), (60e6, 13), (33e6, 14), (18.6e6, 15), (11.2e6, 16), (7.1e6, 17), (4.6e6, 18),
    (3.09e6, 19), (2.14e6, 20), (1.51e6, 21), (1.10e6, 22), (0.79e6, 23), (0.60e6, 24),
    (0.46e6, 25),
)  # fmt: skip

HINT = wiring_hint("VDD (3.3 V)")


def _curve(value: tuple[str, ...]) -> str:
    try:
        points = _points(value)
    except ValueError:
        return 'must hold pairs "OHM PERCENT", such as "4600000 18"'
    ohms, percents = [ohm for ohm, _ in points], [percent for _, percent in points]
    if any(ohm <= 0 for ohm in ohms) or not all(0 <= percent <= 300 for percent in percents):
        return "needs ohms above 0 and percents from 0 to 300"
    if len(points) == 1 or len(set(ohms)) < len(ohms) or percents != sorted(percents):
        return "needs two points or more, and fewer ohms must be more percent"
    return ""


def _points(texts: tuple[str, ...]) -> Curve:
    """Dry to wet."""
    pairs = [tuple(map(float, text.split())) for text in texts]
    return tuple(sorted(((ohm, percent) for ohm, percent in pairs), reverse=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(SensorSettings):
    """``[sensors.NAME]`` with ``driver = "ads1115"``."""

    address: int = address_setting(0x48, range(0x48, 0x4C))
    channel: str = setting(
        "A0", help="The input, or the two whose difference counts.", choices=tuple(CHANNELS)
    )
    probe: str = setting(
        "voltage",
        help="What hangs there; the driver's file says how.",
        choices=("voltage", "level", "wood", "plaster"),
    )
    ratio: float = setting(
        1.0, help="voltage: (R1 + R2) / R2 of the divider; 1: none.", least=0.01, most=1000
    )
    most_v: float = setting(
        3.3,
        help="voltage: the most that comes, before the divider.",
        unit="V",
        least=0.01,
        most=1000,
    )
    burden_ohm: float = setting(
        120.0, help="level: the resistor between input and GND.", unit="ohm", least=10, most=300
    )
    at_4_ma_m: float = setting(
        0.0, help="level: the water at 4 mA.", unit="m", least=-100, most=1000
    )
    at_20_ma_m: float = setting(
        5.0, help="level: the water at 20 mA.", unit="m", least=-100, most=1000
    )
    supply_v: float = setting(
        3.3, help="wood, plaster: what feeds the probe.", unit="V", least=1, most=5.5
    )
    series_ohm: float = setting(
        3.3e6,
        help="wood, plaster: the resistor between supply and probe.",
        unit="ohm",
        least=1000,
        most=1e9,
    )
    end_ohm: float = setting(
        0.0,
        help="wood, plaster: the resistor across the probe, out at the wall; 0: none.",
        unit="ohm",
        least=0,
        most=1e9,
    )
    curve: tuple[str, ...] = setting(
        (),
        help='wood, plaster: your own calibration, "OHM PERCENT" each. Empty: the probe\'s.',
        example=["4600000 18", "2140000 20"],
        check=_curve,
    )

    def __post_init__(self) -> None:
        if self.probe == "plaster" and not self.curve:
            raise SettingsError(
                'probe = "plaster" has no curve',
                hint="Plasters differ too much for a general one: weigh and dry a piece, and write"
                ' curve = ["OHM PERCENT", …]. kiezbox/sensors/ads1115.py says how.',
            )
        steps, most_m = self.steps.get("water_level_m"), max(self.at_4_ma_m, self.at_20_ma_m)
        for step, level_m in steps.marks.items() if steps else ():
            if level_m > most_m:
                raise SettingsError(
                    f"steps.water_level_m.{step} = {level_m:g} is more than it can ever measure"
                    f" ({most_m:g} m)",
                    hint="at_4_ma_m and at_20_ma_m are the levels at the ends of its range.",
                )


#: What a probe's volts come to: the value, how far it may be believed, and why not.
Verdict = tuple[float, Flag, str]


def _voltage(sample: Sample, settings: Settings) -> Verdict:
    volts = sample.volts * settings.ratio
    if sample.is_clipped:
        return volts, Flag.BAD, "overflow"
    return (volts, Flag.GOOD, "") if volts <= settings.most_v * 1.1 else (volts, Flag.BAD, "range")


def _level(sample: Sample, settings: Settings) -> Verdict:
    milliamperes = sample.volts / settings.burden_ohm * 1000
    span_m = settings.at_20_ma_m - settings.at_4_ma_m
    metres = settings.at_4_ma_m + (milliamperes - 4) / 16 * span_m
    if milliamperes <= BROKEN_MA:
        return metres, Flag.BAD, "open-circuit"
    if milliamperes >= SHORT_MA or sample.is_clipped:
        return metres, Flag.BAD, "short-circuit"
    if not LEAST_MA <= milliamperes <= MOST_MA:
        return metres, Flag.BAD, "range"
    return metres, Flag.GOOD, ""


def _moisture(sample: Sample, settings: Settings) -> Verdict:
    curve = _points(settings.curve) or PROBES[settings.probe].curve
    ohms = _ohms(sample.volts, settings)
    if ohms < SHORT_OHM:
        return curve[-1][1], Flag.BAD, "short-circuit"
    if settings.end_ohm:
        if ohms > settings.end_ohm * BROKEN_END:
            return curve[0][1], Flag.BAD, "open-circuit"
        if ohms > settings.end_ohm * DRY_END:
            return curve[0][1], Flag.SUSPECT, "saturated"
        ohms = 1 / (1 / ohms - 1 / settings.end_ohm)
    elif sample.volts >= settings.supply_v * OPEN_SHARE:
        return curve[0][1], Flag.BAD, "open-circuit"
    if ohms > curve[0][0]:
        return curve[0][1], Flag.SUSPECT, "saturated"
    if ohms < curve[-1][0]:
        return curve[-1][1], Flag.SUSPECT, "saturated"
    return _interpolated(curve, ohms), Flag.GOOD, ""


def _ohms(volts: float, settings: Settings) -> float:
    """The resistance below a divider's upper resistor."""
    if volts >= settings.supply_v:
        return inf
    return settings.series_ohm * max(0.0, volts) / (settings.supply_v - volts)


def _interpolated(curve: Curve, ohms: float) -> float:
    """Between the two points of the curve around so many ohms, by their logarithm.

    >>> round(_interpolated(FIR, 4.6e6), 6)
    18.0
    """
    for (upper, drier), (lower, wetter) in zip(curve, curve[1:], strict=False):
        if ohms >= lower:
            share = log10(upper / ohms) / log10(upper / lower)
            return drier + share * (wetter - drier)
    return curve[-1][1]


class Probe(NamedTuple):
    """A kind of probe: what it measures, how its volts are understood, from where that is."""

    quantity: Quantity
    understand: Callable[[Sample, Settings], Verdict]
    #: The most volts at the input, which choose the range.
    most_v: Callable[[Settings], float]
    source: str
    curve: Curve = ()


PROBES: dict[str, Probe] = {
    "voltage": Probe(
        Quantity.VOLTAGE_V, _voltage, lambda s: s.most_v / s.ratio, "Ohm's law"
    ),
    "level": Probe(
        Quantity.WATER_LEVEL_M,
        _level,
        lambda s: 0.022 * s.burden_ohm,
        "NAMUR NE 43, Standardisation of the signal level for the failure information of digital"
        " transmitters (2003)",
    ),
    "wood": Probe(
        Quantity.MOISTURE_PERCENT,
        _moisture,
        lambda s: s.supply_v,
        "William L. James, Electric Moisture Meters for Wood, FPL-GTR-6 (US Forest Products"
        " Laboratory, 1988), table of resistances, Douglas fir. From memory of that table; here it"
        " could be held only against a summary (about 15 % at 20 MΩ, 20 % at 2 to 4 MΩ, 23 % at"
        " 1 MΩ)",
        FIR,
    ),
    "plaster": Probe(
        Quantity.MOISTURE_PERCENT,
        _moisture,
        lambda s: s.supply_v,
        "the operator's own; Nordtest NT BUILD 441 (1997) says why: boards differ by brand",
    ),
}  # fmt: skip


class Ads1115:
    """An open input of an ADS1115."""

    def __init__(self, settings: Settings, hardware: SensorHardware) -> None:
        self._settings = settings
        self._probe = PROBES[settings.probe]
        self._part = f"the ADS1115 at 0x{settings.address:02x}"
        with translated(self._part, HINT):
            most_v = self._probe.most_v(settings)
            self._converter = Converter(hardware, settings.address, most_v)

    def read(self) -> Sequence[Measurement]:
        with translated(self._part, HINT):
            sample = self._converter.sample(self._settings.channel)
        value, flag, reason = self._probe.understand(sample, self._settings)
        return (Measurement(self._probe.quantity, round(value, 5), None, flag, reason),)

    def close(self) -> None:
        """Nothing to give back: the bus is shared, and the chip sleeps."""


def quantities(settings: Settings) -> tuple[Quantity, ...]:
    """What this one measures."""
    return (PROBES[settings.probe].quantity,)


def open(settings: Settings, hardware: SensorHardware) -> Ads1115:
    """The sensor, ready to read.

    Raises:
        SensorMissing: nobody answers at the address.
    """
    return Ads1115(settings, hardware)
