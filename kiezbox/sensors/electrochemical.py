"""ELECTROCHEMICAL: nitrogen dioxide and ozone by two Alphasense cells, indicative. I²C address 0x48
to 0x4B (ADS1115).

Cells: an NO2-B43F and an OX-B431, each on its Individual Sensor Board (ISB), four electrodes. The
second answers to ozone and nitrogen dioxide alike; what the first says is subtracted from it.
Wiring (Raspberry Pi header): ADS1115 VDD to 3.3 V (pin 1), GND to pin 6, SDA to pin 3, SCL to pin
5. Each ISB's supply to 5 V, well filtered (a linear regulator; the Pi's 5 V hisses), GND to GND. Of
the NO2 board OP1 to A0 and OP2 to A1, of the OX board OP1 to A2 and OP2 to A3, each through 1 kΩ:
an ISB that fails may put out its supply, and A0 to A3 stand 3.6 V.
Address: ADDR to GND gives 0x48, to VDD 0x49, to SDA 0x4A, to SCL 0x4B.
Supply: ISB 3.5 to 6.4 V, ADS1115 3.3 V.
Current: 1 mA a board, always; a cell without its supply needs hours to settle again.
Thermometer: what a cell says without gas depends on its temperature, so a thermometer must hang on
the same bus, close to the cells: `thermometer`, `thermometer_address`.
Place: cells downwards, under a roof, in moving air, out of sun and solvents (glue, paint, alcohol).

Calibration: on the bag of each cell are its numbers for its board: electronic zeros of both
electrodes in mV, and the sensitivity in mV/ppb; they are settings without a default. The note says
of its own arithmetic that it is a first step, to be followed by a comparison with a reference
analyser. So every value is flagged SUSPECT with the reason "indicative", until you have hung the
box beside a station of the official network for two weeks or more and have written down in
`colocated` where and when, with the straight line that came out (`no2_slope`, …; the raw value is
kept). Only then does it count as good, and can the air quality index be complete. Compare again
every year.
Pitfalls: a first hour, and every sudden change of humidity, shows as gas. Cells live two years.
Noise is ±15 ppb for a single reading, so single readings may be negative; means of an hour are what
counts. Under -20 and over 1000 µg/m³ are flagged BAD "range", no voltage at an electrode BAD
"open-circuit", more than 2 V BAD "overflow"; what is computed from a bad value is BAD "cross".
Package: adafruit-circuitpython-ads1x15 (`_ads1115`).
Source: Alphasense Application Note AAN 803-04 and -05 ("Correcting for background currents in four
electrode toxic gas sensors"), algorithm 1 and its table of n(T) as two independent programs quote
it; supply and noise from memory of the cells' data sheets. µg/m³ from ppb at 20 °C and 1013 hPa, as
the European air quality directive has it (2008/50/EC, annex VI, C).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kiezbox import sensors
from kiezbox.errors import SettingsError
from kiezbox.hardware import SensorHardware
from kiezbox.model import Flag, Measurement, Quantity
from kiezbox.sensors._ads1115 import CHANNELS, Converter, Sample
from kiezbox.sensors._border import translated
from kiezbox.sensors._i2c import address_setting, wiring_hint
from kiezbox.settings import SensorSettings, parse, setting

__all__ = ["QUANTITIES", "Electrochemical", "Settings", "open"]

QUANTITIES = (Quantity.NO2_UG_M3, Quantity.O3_UG_M3)

#: n(T) of algorithm 1 (AAN 803-05, table 3), at -30, -20, … 50 °C.
FIRST_C, STEP_C = -30.0, 10.0
N_NO2 = (1.3, 1.3, 1.3, 1.3, 1.0, 0.6, 0.4, 0.2, -1.5)
N_OX = (0.9, 0.9, 1.0, 1.3, 1.5, 1.7, 2.0, 2.5, 3.7)
LEAST_C, MOST_C = FIRST_C, FIRST_C + STEP_C * (len(N_NO2) - 1)

#: Molar masses in g/mol, and litres a mole has at 293.15 K and 1013.25 hPa.
NO2_G, O3_G, MOLAR_L = 46.0055, 47.9982, 24.055

LEAST_UG_M3, MOST_UG_M3 = -20.0, 1000.0
#: Full scale of the converter; an electrode with its board has 0.2 to 0.4 V without gas, and less
#: than so much is none.
MOST_V, LEAST_V = 2.048, 0.05

THERMOMETERS = ("bme280", "sht31", "sht4x")

HINT = wiring_hint("VDD (3.3 V)")


def _zero(electrode: str) -> Any:
    return setting(
        help=f"{electrode}: electronic zero, from the bag of the cell.",
        unit="mV",
        least=100,
        most=1000,
        example=220.0,
    )


def _sensitivity(what: str) -> Any:
    return setting(
        help=f"{what}, from the bag of the cell.",
        unit="mV/ppb",
        least=0.05,
        most=2,
        example=0.3,
    )


def _slope(gas: str) -> Any:
    return setting(
        1.0,
        help=f"{gas} is multiplied by this, as the comparison with a station came out.",
        least=0.1,
        most=10,
    )


def _offset(gas: str) -> Any:
    return setting(0.0, help=f"... and this is added to {gas}.", unit="µg/m³", least=-200, most=200)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(SensorSettings):
    """``[sensors.NAME]`` with ``driver = "electrochemical"``."""

    address: int = address_setting(0x48, range(0x48, 0x4C))
    no2_we_zero_mv: float = _zero("NO2 cell, working electrode (OP1, A0)")
    no2_ae_zero_mv: float = _zero("NO2 cell, auxiliary electrode (OP2, A1)")
    no2_mv_ppb: float = _sensitivity("NO2 cell: sensitivity to NO2")
    ox_we_zero_mv: float = _zero("OX cell, working electrode (OP1, A2)")
    ox_ae_zero_mv: float = _zero("OX cell, auxiliary electrode (OP2, A3)")
    ox_o3_mv_ppb: float = _sensitivity("OX cell: sensitivity to O3")
    ox_no2_mv_ppb: float = _sensitivity("OX cell: sensitivity to NO2")
    thermometer: str = setting(
        "bme280", help="The driver of the thermometer beside the cells.", choices=THERMOMETERS
    )
    thermometer_address: int = address_setting(0x76, range(0x08, 0x78))
    colocated: str = setting(
        "",
        help="Where and when it was compared with a reference station. Empty: its values are\n"
        "indicative, are flagged so, and complete no index.",
        example="the city's station 042, 2026-09-01 to 2026-09-21",
    )
    no2_slope: float = _slope("NO2")
    no2_offset_ug_m3: float = _offset("NO2")
    o3_slope: float = _slope("O3")
    o3_offset_ug_m3: float = _offset("O3")


class Electrochemical:
    """Both cells, open, and their thermometer."""

    def __init__(self, settings: Settings, hardware: SensorHardware) -> None:
        self._settings = settings
        self._part = f"the ADS1115 at 0x{settings.address:02x}"
        driver = sensors.load(settings.thermometer)
        of_thermometer = parse(
            driver.Settings,
            {"driver": settings.thermometer, "address": int(settings.thermometer_address)},
            "thermometer",
        )
        self._thermometer = driver.open(of_thermometer, hardware)
        with translated(self._part, HINT):
            self._converter = Converter(hardware, settings.address, MOST_V)

    def read(self) -> Sequence[Measurement]:
        temperature = _temperature(self._thermometer.read())
        with translated(self._part, HINT):
            electrodes = [self._converter.sample(channel) for channel in list(CHANNELS)[:4]]
        wrong = [_wrong(electrode) for electrode in electrodes]
        no2_reason = wrong[0] or wrong[1]
        o3_reason = wrong[2] or wrong[3] or ("cross" if no2_reason else "")
        celsius = temperature.value
        if temperature.flag is not Flag.GOOD or not LEAST_C <= celsius <= MOST_C:
            no2_reason, o3_reason = no2_reason or "cross", o3_reason or "cross"
        no2_ppb, o3_ppb = self._ppb([electrode.volts * 1000 for electrode in electrodes], celsius)
        s = self._settings
        return (
            self._measurement(
                Quantity.NO2_UG_M3, no2_ppb * NO2_G / MOLAR_L, s.no2_slope, s.no2_offset_ug_m3,
                no2_reason,
            ),
            self._measurement(
                Quantity.O3_UG_M3, o3_ppb * O3_G / MOLAR_L, s.o3_slope, s.o3_offset_ug_m3,
                o3_reason,
            ),
        )  # fmt: skip

    def close(self) -> None:
        """Give the thermometer back. The cells stay under voltage, as they must."""
        self._thermometer.close()

    def _ppb(self, mv: Sequence[float], celsius: float) -> tuple[float, float]:
        """NO2 and O3, from both electrodes of both cells."""
        s = self._settings
        no2_mv = corrected_mv(
            mv[0] - s.no2_we_zero_mv, mv[1] - s.no2_ae_zero_mv, at(N_NO2, celsius)
        )
        ox_mv = corrected_mv(mv[2] - s.ox_we_zero_mv, mv[3] - s.ox_ae_zero_mv, at(N_OX, celsius))
        no2_ppb = no2_mv / s.no2_mv_ppb
        return no2_ppb, (ox_mv - no2_ppb * s.ox_no2_mv_ppb) / s.ox_o3_mv_ppb

    def _measurement(
        self, quantity: Quantity, said: float, slope: float, offset: float, reason: str
    ) -> Measurement:
        value, raw = round(said * slope + offset, 1), round(said, 1)
        flag = Flag.BAD
        if not reason and not LEAST_UG_M3 <= value <= MOST_UG_M3:
            reason = "range"
        if not reason:
            flag = Flag.GOOD
            if not self._settings.colocated:
                flag, reason = Flag.SUSPECT, "indicative"
        return Measurement(quantity, value, raw if raw != value else None, flag, reason)


def corrected_mv(we_mv: float, ae_mv: float, n: float) -> float:
    """What the gas itself makes of the working electrode (AAN 803-05, algorithm 1).

    ``we_mv``, ``ae_mv``: both electrodes, without their electronic zeros.

    >>> corrected_mv(50.0, 20.0, 0.6)
    38.0
    """
    return we_mv - n * ae_mv


def at(table: Sequence[float], celsius: float) -> float:
    """n(T) between two temperatures of the table; its end beyond it.

    >>> at(N_NO2, 15.0)
    0.8
    """
    place = min(max((celsius - FIRST_C) / STEP_C, 0.0), len(table) - 1.0)
    lower = min(int(place), len(table) - 2)
    return table[lower] + (place - lower) * (table[lower + 1] - table[lower])


def _temperature(measurements: Sequence[Measurement]) -> Measurement:
    for one in measurements:
        if one.quantity is Quantity.TEMPERATURE_C:
            return one
    raise SettingsError("the thermometer measures no temperature", hint="Choose another.")


def _wrong(electrode: Sample) -> str:
    if electrode.is_clipped:
        return "overflow"
    return "open-circuit" if electrode.volts < LEAST_V else ""


def open(settings: Settings, hardware: SensorHardware) -> Electrochemical:
    """The cells' converter and their thermometer, ready to read.

    Raises:
        SensorMissing: one of the two does not answer.
        SettingsError: the thermometer cannot have this address.
    """
    return Electrochemical(settings, hardware)
