"""SCD4X: SCD40, SCD41, SCD43: CO₂ by sound, with temperature and humidity. I²C address 0x62.

Wiring (Raspberry Pi header): VDD to 3.3 V (pin 1), GND to pin 6, SDA to pin 3, SCL to pin 5.
There is one address.
Supply: 2.4 to 5.5 V; VDD decides the level of SDA and SCL, so 3.3 V on a Pi. Each measurement
draws 175 mA for a moment, 205 mA at most [2.1]: no long thin wire, or the chip starts anew.
Current: on average 15 mA ("continuous", every 5 s), 3.2 mA ("low-power", every 30 s), below
0.5 mA ("single-shot", every 5 minutes; 0.24 J each) [2.1, 3.10].
Pull-ups: the Pi has 1.8 kΩ on pins 3 and 5; nothing to add.
Place: head height, not where somebody breathes on it; light and draught away from its membrane.
Specified for 400 to 2,000 ppm (SCD40) or 5,000 ppm (SCD41), -10 to 60 °C; beyond -10 to 60 °C all
is flagged. [1]

Pitfalls: every CO₂ sensor drifts, and this one mends itself only by an assumption.
`self_calibration` lets it take the least it saw in a week for 400 ppm [3.7]: true outdoors and in
a room that is aired through every few days, and in a cellar, a store or a full school it makes
every value too low, with nobody noticing. So it is off until somebody says otherwise, and never on
with "single-shot", where the chip would count readings as if they were five minutes apart [3.10].
Air pressure: name a neighbour that measures it (`pressure_from`), or give `altitude_m`; 10 hPa are
about 1 % of the value.
Self-heating: it measures air that it has warmed; `self_heating_k` is taken off its temperature,
and humidity follows. 4 K is the chip's own assumption; compare with a thermometer after an hour in
its box. CO₂ does not depend on it. [3.6.1]
After power-on the first single shot is thrown away, as the sheet wants it [3.10].
Exactly 0 ppm is no measurement ("raw-sentinel"). Every word has a checksum.
Nothing is ever written into its EEPROM (2,000 times, [3.9.1]); settings are made at each opening.
Package: adafruit-circuitpython-scd4x, unchanged.
Source: Sensirion, data sheet SCD4x, version 1.3 (September 2022); sections in square brackets. The
variant's command is of version 1.6, here from Sensirion's own driver sensirion-i2c-scd4x 1.1.0.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from adafruit_scd4x import SCD4X

from kiezbox.errors import SensorGarbled, SettingsError
from kiezbox.hardware import SensorHardware
from kiezbox.model import Measurement, Quantity
from kiezbox.sensors._border import translated
from kiezbox.sensors._carbon_dioxide import (
    altitude_setting,
    carbon_dioxide,
    pressure_hpa,
    pressure_setting,
)
from kiezbox.sensors._i2c import address_setting, wiring_hint
from kiezbox.sensors._sensirion import climate, introduced
from kiezbox.settings import SensorSettings, setting

__all__ = ["QUANTITIES", "Scd4x", "Settings", "open"]

QUANTITIES = (Quantity.CO2_PPM, Quantity.TEMPERATURE_C, Quantity.HUMIDITY_PERCENT)

#: What the lamp draws on the mean, in A ("continuous").
DRAWS_A = 0.015

#: What the chip is specified for [1.3, 2.2].
LEAST_C, MOST_C = -10.0, 60.0

#: How long until a measurement is there [3.5.1, 3.8.1, 3.10.1], by the way of measuring.
UPDATE_S = {"continuous": 5.0, "low-power": 30.0, "single-shot": 5.0}
#: Beside it: stopping and asking (1 s), at the start of single shots another one [3.10].
BESIDE_S = {"continuous": 3.0, "low-power": 3.0, "single-shot": 8.0}
#: How often is asked whether a measurement is there.
LOOK_S = 0.1

#: Those with single shots; an SCD40 takes the command and says something.
WITH_SINGLE_SHOT = ("SCD41", "SCD43")

HINT = wiring_hint("VDD (3.3 V, short wires)")
STRANGER_HINT = (
    "There is no other common chip with this address: one of SDA (pin 3) and SCL (pin 5) has a bad"
    " contact, or the supply breaks down when it measures (205 mA)."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(SensorSettings):
    """``[sensors.NAME]`` with ``driver = "scd4x"``."""

    deadline_s: float = setting(
        45.0,
        help="A read that takes longer has failed; must leave time for one measurement.",
        unit="s",
        least=0.5,
        most=120,
    )
    address: int = address_setting(0x62, range(0x62, 0x63))
    measures: str = setting(
        "low-power",
        help="continuous: every 5 s, 15 mA. low-power: every 30 s, 3.2 mA. single-shot: once a\n"
        "reading, below 0.5 mA at one in five minutes; never calibrates itself; not with an SCD40.",
        choices=tuple(UPDATE_S),
    )
    self_calibration: bool = setting(
        False,
        help="It assumes fresh air (400 ppm) at least once a week. True outdoors and where\n"
        "windows are opened daily; in a cellar it makes every value too low.",
    )
    self_heating_k: float = setting(
        4.0,
        help="How much too warm it is; taken off its temperature. Not of CO₂.",
        unit="K",
        least=0,
        most=20,
    )
    pressure_from: str = pressure_setting()
    altitude_m: float = altitude_setting(3000)

    def __post_init__(self) -> None:
        if self.self_calibration and self.measures == "single-shot":
            raise SettingsError(
                'self_calibration = true does not go with measures = "single-shot"',
                hint="The chip would count readings as five minutes apart and calibrate itself to"
                ' what is no fresh air. Take measures = "low-power", or false.',
            )
        needs_s = UPDATE_S[self.measures] + BESIDE_S[self.measures]
        if self.deadline_s < needs_s:
            raise SettingsError(
                f'deadline_s = {self.deadline_s:g} is too short for measures = "{self.measures}"',
                hint=f"It takes up to {needs_s:g} s.",
            )


class Scd4x:
    """An open SCD4x."""

    def __init__(self, settings: Settings, hardware: SensorHardware) -> None:
        self._settings = settings
        self._hardware = hardware
        self._part = f"the SCD4x at 0x{settings.address:02x}"
        bus = hardware.i2c()
        with (
            translated(self._part, HINT),
            introduced(bus, settings.address, "SCD4x", STRANGER_HINT),
        ):
            self._chip = SCD4X(bus, settings.address)  # stops what it is doing
            self._chip.serial_number  # noqa: B018 (its checksums are the proof of identity)
            self._set_up()

    def read(self) -> Sequence[Measurement]:
        with translated(self._part, HINT):
            is_single = self._settings.measures == "single-shot"
            # On after every power-on: so the chip has lost its supply, and all settings with it. In
            # the other ways of measuring it would stand still, and the deadline would tell.
            if is_single and self._chip.self_calibration_enabled:
                self._set_up()
            self._tell_pressure()
            if is_single:
                self._chip.measure_single_shot()
            while not self._chip.data_ready:
                time.sleep(LOOK_S)  # the bus ends this when the deadline has passed
            ppm, celsius, percent = self._measured()
        return carbon_dioxide(ppm, climate(celsius, percent, LEAST_C, MOST_C))

    def rest(self) -> None:
        """Stop measuring until it is opened again; one that calibrates itself must go on."""
        if not self._settings.self_calibration:
            with translated(self._part, HINT):
                self._chip.stop_periodic_measurement()

    def close(self) -> None:
        """Nothing to give back: the bus is shared, and it goes on measuring as it was told."""

    def _set_up(self) -> None:
        """Make the settings, which are lost with the supply, and start."""
        settings, chip = self._settings, self._chip
        self._told_hpa: int | None = None
        chip.self_calibration_enabled = settings.self_calibration
        chip.temperature_offset = settings.self_heating_k
        chip.altitude = round(settings.altitude_m)
        if settings.measures == "continuous":
            chip.start_periodic_measurement()
        elif settings.measures == "low-power":
            chip.start_low_periodic_measurement()
        else:
            if chip.sensor_variant_name not in WITH_SINGLE_SHOT:
                raise SensorGarbled(
                    f"{self._part} is an {chip.sensor_variant_name}, which has no single shots",
                    hint='Take measures = "low-power".',
                )
            chip.measure_single_shot()

    def _measured(self) -> tuple[int, float, float]:
        """What is in the buffer: ppm, °C, %RH.

        Not the driver's properties: each of them asks once more whether data are there, and takes
        those of the last reading where the chip says no.
        """
        chip = self._chip
        chip._read_data()
        return chip._co2, chip._temperature, chip._relative_humidity

    def _tell_pressure(self) -> None:
        """Tell the chip the air pressure where it has changed; without, its altitude counts."""
        hpa = pressure_hpa(self._hardware, self._settings.pressure_from)
        if hpa is not None and hpa != self._told_hpa:
            self._chip.ambient_pressure = hpa
            self._told_hpa = hpa


def open(settings: Settings, hardware: SensorHardware) -> Scd4x:
    """The sensor, measuring.

    Raises:
        SensorMissing: nobody answers at the address.
        SensorGarbled: another chip, or an SCD40 that shall do single shots.
    """
    return Scd4x(settings, hardware)
