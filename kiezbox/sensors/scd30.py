"""SCD30: CO₂ by infrared light, with temperature and humidity. I²C address 0x61.

Wiring (Raspberry Pi header): VDD to 3.3 V (pin 1), GND to pin 6, RX/SDA to pin 3, TX/SCL to pin 5.
SEL stays open or goes to GND: at VDD it speaks Modbus [1]. There is one address.
Supply: 3.3 to 5.5 V; SDA and SCL are 3 V, so 3.3 V on a Pi.
Current: 19 mA on average at a measurement every 2 s, 75 mA at most, 0.12 J each; this driver lets
it measure every 10 s.
Pull-ups: the Pi has 1.8 kΩ on pins 3 and 5; nothing to add. It stretches the clock by 30 ms, once
a day by 150 ms, and wants 50 kHz or less [1.1]: `dtparam=i2c_arm_baudrate=50000`, or a bus in
software (`dtoverlay=i2c-gpio`), for the Pi's own bus cannot wait in the middle of a byte.
Place: head height, not where somebody breathes on it, membrane not painted or touched. Specified
for 400 to 10,000 ppm, 0 to 50 °C; it measures temperature from -40 to 70 °C, and beyond all is
flagged.

Pitfalls: it drifts, and mends itself only by an assumption. `self_calibration` takes the least it
sees for fresh air: it must have an hour of that every day, and seven days without losing its
supply before it begins [ASC]. Outdoors that is so; in a cellar it makes every value too low, with
nobody noticing. So it is off until somebody says otherwise. The switch is kept in the chip, also
by whoever had it before; it is set at each opening.
Warm-up: after power-on it takes 2 s to start, and its first measurement is 0 ppm (Adafruit's
issue 6); the first one after each opening is thrown away, and 0 is no measurement
("raw-sentinel"). In air as warm or cold as it is it settles within two minutes.
Air pressure: name a neighbour that measures it (`pressure_from`), or give `altitude_m`; 10 hPa are
about 1 % of the value. One replaces the other in the chip.
Self-heating: `self_heating_k` is taken off its temperature, and humidity follows; compare with a
thermometer after an hour in its box.
Interval, altitude, self-heating and self-calibration are kept in the chip's own memory, which is
written only where something differs. Every word has a checksum.
Package: adafruit-circuitpython-scd30, unchanged.
Source: Sensirion, "Interface Description SCD30", version 1.0 (May 2020), and "Datasheet SCD30";
read as excerpts and through Sensirion's own driver sensirion-i2c-scd30 1.1.1, which repeats what
the interface description says of each command. In square brackets: its sections.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from adafruit_scd30 import SCD30

from kiezbox.errors import SensorGarbled
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

__all__ = ["QUANTITIES", "Scd30", "Settings", "open"]

QUANTITIES = (Quantity.CO2_PPM, Quantity.TEMPERATURE_C, Quantity.HUMIDITY_PERCENT)

#: What the lamp draws on the mean at a measurement every 2 s, in A.
DRAWS_A = 0.019

#: What its climate sensor can do (data sheet, "Temperature sensor specifications").
LEAST_C, MOST_C = -40.0, 70.0

#: How often it measures: a reading is at most so old, and two of them fit into the deadline.
MEASURE_S = 10
#: "Stop continuous measurement" (interface description); the Adafruit driver has it not.
STOP = 0x0104
#: How often is asked whether a measurement is there.
LOOK_S = 0.2

HINT = wiring_hint("VDD (3.3 V)") + " SEL must not be at VDD, and the bus wants 50 kHz or less."
STRANGER_HINT = (
    "The bus is too fast for an SCD30, or SDA (pin 3) and SCL (pin 5) have a bad contact:"
    " `dtparam=i2c_arm_baudrate=50000` in /boot/firmware/config.txt, and start anew."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(SensorSettings):
    """``[sensors.NAME]`` with ``driver = "scd30"``."""

    deadline_s: float = setting(
        40.0,
        help="A read that takes longer has failed; the first one takes two measurements, 20 s.",
        unit="s",
        least=0.5,
        most=120,
    )
    address: int = address_setting(0x61, range(0x61, 0x62))
    self_calibration: bool = setting(
        False,
        help="It assumes an hour of fresh air every day, and a supply that is never cut in seven\n"
        "days. True outdoors; in a cellar it makes every value too low.",
    )
    self_heating_k: float = setting(
        0.0,
        help="How much too warm it is; taken off its temperature. Not of CO₂.",
        unit="K",
        least=0,
        most=20,
    )
    pressure_from: str = pressure_setting()
    altitude_m: float = altitude_setting(3000)


class Scd30:
    """An open SCD30."""

    def __init__(self, settings: Settings, hardware: SensorHardware) -> None:
        self._settings = settings
        self._hardware = hardware
        self._part = f"the SCD30 at 0x{settings.address:02x}"
        self._told_hpa = pressure_hpa(hardware, settings.pressure_from)
        bus = hardware.i2c()
        with (
            translated(self._part, HINT),
            introduced(bus, settings.address, "SCD30", STRANGER_HINT),
        ):
            # Starts it, or lets it go on; 0 (no pressure known): its altitude counts.
            self._chip = SCD30(bus, self._told_hpa or 0, settings.address)
            self._set_up()
            self._wait()
            self._measured()  # thrown away: 0 ppm after power-on, or of an old pressure

    def read(self) -> Sequence[Measurement]:
        with translated(self._part, HINT):
            self._tell_pressure()
            self._wait()
            values = self._measured()
        if not all(map(isfinite, values)):
            raise SensorGarbled(f"{self._part} answers nonsense", hint=HINT)
        ppm, celsius, percent = values
        return carbon_dioxide(ppm, climate(celsius, percent, LEAST_C, MOST_C))

    def rest(self) -> None:
        """Stop measuring until it is opened again; one that calibrates itself must go on."""
        if not self._settings.self_calibration:
            with translated(self._part, HINT):
                self._chip._send_command(STOP)

    def close(self) -> None:
        """Nothing to give back: the bus is shared, and it goes on measuring as it was told."""

    def _set_up(self) -> None:
        """Make the settings. They last in a memory that wears out: only what differs is written."""
        wanted = {
            "measurement_interval": MEASURE_S,
            "self_calibration_enabled": self._settings.self_calibration,
            "temperature_offset": round(self._settings.self_heating_k, 2),
            "altitude": round(self._settings.altitude_m),
        }
        for name, value in wanted.items():
            if getattr(self._chip, name) != value:
                setattr(self._chip, name, value)

    def _wait(self) -> None:
        while not self._chip.data_available:
            time.sleep(LOOK_S)  # the bus ends this when the deadline has passed

    def _measured(self) -> tuple[float, float, float]:
        """What is in the buffer: ppm, °C, %RH.

        Not the driver's properties: each of them asks once more whether data are there, and takes
        those of the last reading where the chip says no.
        """
        chip = self._chip
        chip._read_data()
        return chip._co2, chip._temperature, chip._relative_humidity

    def _tell_pressure(self) -> None:
        """Tell the chip the air pressure where it has changed."""
        hpa = pressure_hpa(self._hardware, self._settings.pressure_from)
        if hpa is not None and hpa != self._told_hpa:
            self._chip.ambient_pressure = hpa
            self._told_hpa = hpa


def open(settings: Settings, hardware: SensorHardware) -> Scd30:
    """The sensor, measuring, its first measurement thrown away.

    Raises:
        SensorMissing: nobody answers at the address.
        SensorGarbled: another chip, or a bus that is too fast.
    """
    return Scd30(settings, hardware)
