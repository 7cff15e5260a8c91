"""SEN5X (SEN50, SEN54, SEN55): particulates PM1 to PM10; the SEN54 also temperature, humidity and
an index of volatile organic compounds, the SEN55 one of nitrogen oxides. I²C address 0x69.

Wiring, six-pin plug: pin 1 (VDD) to 5 V (header pin 2), pin 2 (GND) to pin 6, pin 3 (SDA) to pin 3,
pin 4 (SCL) to pin 5, pin 5 (SEL) to GND, pin 6 stays open. SDA and SCL are open drain and take the
Pi's 3.3 V. Keep the cable short (20 cm).
Address: 0x69 and no other, so one on a bus, and none beside an SPS30.
Supply: 4.5 to 5.5 V.
Current: 63 mA measuring (SEN55: 70 mA), 6.5 mA with fan and laser off, 2.6 mA idle.
Pull-ups: the Pi has 1.8 kΩ; nothing to add.
Place: air slots free, out of wind, sun and rain, not above anything warm.

How it is read: its fan is started, given `warm_up_s`, asked for three measurements a second apart;
the middle one counts. Then, if `interval_s` leaves room for it, fan and laser rest and the gas
sensor goes on (firmware 2.0 and later; an SEN50 goes idle): its indices are comparisons with this
place's own last day, and begin anew with each stop. So it goes on also where the driver is closed,
at 6.5 mA; fan and laser do not.
Cleaning: by itself it blows its fan clean once a week of measuring without a break, which one that
rests never does; so it is told to every `clean_days`, after a reading, for 10 s.
Pitfalls: the indices are no concentrations: 100 (VOC) and 1 (NOx) are this place's ordinary air.
Until the gas sensor has run for `gas_warm_up_s` the VOC index is flagged SUSPECT "warm-up", the NOx
index six times as long. A value that it does not know (0xFFFF, 0x7FFF) is BAD "raw-sentinel". When
it says itself that fan, laser, humidity or gas sensor failed, what hangs on that part is BAD
"status"; when the fan's speed is off, the particulates are SUSPECT "status". Above 70 % humidity it
counts droplets.
Package: sensirion-i2c-sen5x, unchanged, over our bus (`_sensirion_bus`).
Source: Sensirion, "Datasheet SEN5x" version 2 (March 2022), as far as it is public in catalogues;
commands, times, "not known" values and status bits as in sensirion-i2c-sen5x 0.1.1. Currents and
the range of temperatures are from memory of that sheet.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sensirion_i2c_sen5x import Sen5xI2cDevice

from kiezbox.errors import SensorGarbled, SensorTimeout
from kiezbox.hardware import SensorHardware
from kiezbox.model import Flag, Measurement, Quantity
from kiezbox.sensors._border import translated
from kiezbox.sensors._duty import FAREWELL_S, Cleaning, clean_days_setting, pause
from kiezbox.sensors._i2c import address_setting, wiring_hint
from kiezbox.sensors._line import RestingSettings, trimmed, warm_up_setting
from kiezbox.sensors._sensirion import introduced
from kiezbox.sensors._sensirion_bus import connection
from kiezbox.settings import setting

__all__ = ["QUANTITIES", "Sen5x", "Settings", "open"]


class _Value(NamedTuple):
    """One of the eight values: where the package has it, and how a number comes of its ticks."""

    quantity: Quantity
    name: str
    steps: float
    #: Ticks that say "not known".
    unknown: int
    least: float
    most: float


_MASS = (10.0, 0xFFFF, 0.0, 1000.0)
_INDEX = (10.0, 0x7FFF, 1.0, 500.0)
VALUES = (
    _Value(Quantity.PM1_UG_M3, "mass_concentration_1p0", *_MASS),
    _Value(Quantity.PM2_5_UG_M3, "mass_concentration_2p5", *_MASS),
    _Value(Quantity.PM4_UG_M3, "mass_concentration_4p0", *_MASS),
    _Value(Quantity.PM10_UG_M3, "mass_concentration_10p0", *_MASS),
    _Value(Quantity.HUMIDITY_PERCENT, "ambient_humidity", 100.0, 0x7FFF, 0.1, 100.0),
    _Value(Quantity.TEMPERATURE_C, "ambient_temperature", 200.0, 0x7FFF, -20.0, 60.0),
    _Value(Quantity.VOC_INDEX, "voc_index", *_INDEX),
    _Value(Quantity.NOX_INDEX, "nox_index", *_INDEX),
)
QUANTITIES = tuple(value.quantity for value in VALUES)
#: What fan and laser draw while it works, in A (SEN55: 0.07).
DRAWS_A = 0.063

#: Product name -> how many of them it has.
HAS = {"SEN50": 4, "SEN54": 7, "SEN55": 8}

MASSES = frozenset(QUANTITIES[:4])
CLIMATE = frozenset(QUANTITIES[4:6])
GASES = frozenset(QUANTITIES[6:])
#: What each of the package's status flags concerns, and how far it is to be doubted then.
STATUS = {
    "fan_speed_out_of_specs": (MASSES, Flag.SUSPECT),
    "fan_error": (MASSES, Flag.BAD),
    "laser_error": (MASSES, Flag.BAD),
    # The gas indices are corrected by humidity and temperature.
    "sht_error": (CLIMATE | GASES, Flag.BAD),
    "sgp_error": (GASES, Flag.BAD),
}
#: How many times `gas_warm_up_s` an index needs.
GAS_WARM_UPS = {Quantity.VOC_INDEX: 1, Quantity.NOX_INDEX: 6}

#: Firmware from which on fan and laser can stop and start while the gas sensor goes on.
CHANGES_SINCE = (2, 0)
SAMPLES = 3
LOOK_S, PATIENCE_S = 0.1, 4.0

#: By address: since when the gas sensor there runs, as far as we know. It outlives a driver that is
#: closed and opened anew after an error.
_GAS_SINCE: dict[int, float] = {}

HINT = wiring_hint("5 V (plug pin 1), SEL (plug pin 5) tied to GND")
STRANGER = 'An SPS30 has the same address: driver = "sps30".'


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(RestingSettings):
    """``[sensors.NAME]`` with ``driver = "sen5x"``."""

    interval_s: float = setting(
        150.0, help="It is the time between two readings.", unit="s", least=1, most=86400
    )
    deadline_s: float = setting(
        60.0,
        help="A read that takes longer has failed; must leave 15 s beside warm_up_s.",
        unit="s",
        least=0.5,
        most=120,
    )
    address: int = address_setting(0x69, range(0x69, 0x6A))
    warm_up_s: float = warm_up_setting()
    gas_warm_up_s: float = setting(
        3600.0,
        help="How long the gas sensor runs before its VOC index counts; NOx takes six times that.",
        unit="s",
        least=0,
        most=86400,
    )
    clean_days: float = clean_days_setting()


class Sen5x:
    """An open SEN50, SEN54 or SEN55."""

    def __init__(self, settings: Settings, hardware: SensorHardware) -> None:
        self._settings = settings
        self._deadline = hardware.deadline
        self._part = f"the SEN5x at 0x{settings.address:02x}"
        self._chip = Sen5xI2cDevice(connection(hardware), settings.address)
        self._has_fan_on = False
        self._cleaning = Cleaning(settings.clean_days, self._deadline, self._part)
        with translated(self._part, HINT):
            with introduced(hardware.i2c(), settings.address, "SEN5x", STRANGER):
                name = self._chip.get_product_name()
            if name not in HAS:
                raise SensorGarbled(
                    f"what answers at 0x{settings.address:02x} is no SEN5x (it says {name!r})",
                    hint=STRANGER,
                )
            version = self._chip.get_version().firmware
            self._values = VALUES[: HAS[name]]
            self._has_gas = len(self._values) > len(MASSES)
            self._can_change = (version.major, version.minor) >= CHANGES_SINCE
            if not self._chip.read_data_ready():
                _GAS_SINCE.pop(settings.address, None)  # it stands still, or was just read

    def read(self) -> Sequence[Measurement]:
        with translated(self._part, HINT):
            if not self._has_fan_on:
                self._start()
            samples = [self._sample() for _ in range(SAMPLES)]
            status = self._chip.read_device_status(clear=True)
            if self._settings.rests:
                self._cleaning.if_due(self._chip.start_fan_cleaning)
                self._rest()
        doubts = self._doubts(status)
        return [
            _measurement(value, [sample[n] for sample in samples], *doubts[value.quantity])
            for n, value in enumerate(self._values)
        ]

    def close(self) -> None:
        """Stop fan and laser, if it can still be told. Idempotent."""
        if self._has_fan_on:
            self._deadline.start(FAREWELL_S)
            try:
                self._rest()
            except OSError:
                pass  # gone; without its supply the fan stands still as well
            self._has_fan_on = False

    def _start(self) -> None:
        """Fan and laser on, and the gas sensor, unless it runs already."""
        if not self._can_change:
            self._chip.stop_measurement()
            _GAS_SINCE.pop(self._settings.address, None)
        self._chip.start_measurement()
        self._has_fan_on = True
        _GAS_SINCE.setdefault(self._settings.address, time.monotonic())
        pause(self._settings.warm_up_s, self._deadline)

    def _rest(self) -> None:
        """Fan and laser off, the gas sensor not: it would begin anew."""
        if not self._has_gas:
            self._chip.stop_measurement()
            self._has_fan_on = False
        elif self._can_change:
            self._chip.start_measurement_without_pm()
            self._has_fan_on = False

    def _sample(self) -> list[int]:
        """The next measurement's ticks."""
        until = time.monotonic() + PATIENCE_S
        while self._chip.read_data_ready() is not True:
            if time.monotonic() > until:
                raise SensorTimeout(
                    f"{self._part} has nothing to say for {PATIENCE_S:g} s",
                    hint="Is its fan to be heard? It wants 5 V, not 3.3 V.",
                )
            pause(LOOK_S, self._deadline)
        measured = self._chip.read_measured_values()
        return [getattr(measured, value.name).ticks for value in self._values]

    def _doubts(self, status: Any) -> dict[Quantity, tuple[Flag, str]]:
        """How far each value is to be doubted by what is known of the sensor; the worst counts."""
        doubts = {value.quantity: (Flag.GOOD, "") for value in self._values}
        runs_s = time.monotonic() - _GAS_SINCE[self._settings.address]
        for quantity, times in GAS_WARM_UPS.items():
            if quantity in doubts and runs_s < times * self._settings.gas_warm_up_s:
                doubts[quantity] = (Flag.SUSPECT, "warm-up")
        for name, (concerned, flag) in STATUS.items():
            if getattr(status, name):
                for quantity in concerned & doubts.keys():
                    doubts[quantity] = max(doubts[quantity], (flag, "status"))
        return doubts


def _measurement(value: _Value, ticks: Sequence[int], flag: Flag, reason: str) -> Measurement:
    number = trimmed(ticks) / value.steps
    if value.unknown in ticks:
        number, flag, reason = value.unknown / value.steps, Flag.BAD, "raw-sentinel"
    elif not value.least <= number <= value.most:
        flag, reason = Flag.BAD, "range"
    return Measurement(value.quantity, round(number, 3), None, flag, reason)


def open(settings: Settings, hardware: SensorHardware) -> Sen5x:
    """The sensor; the first read starts its fan.

    Raises:
        SensorMissing: nobody answers at the address.
        SensorGarbled: another chip.
    """
    return Sen5x(settings, hardware)
