"""SPS30 on I²C: particulate matter, PM1, PM2.5, PM4 and PM10, by laser. I²C address 0x69.

Wiring, five-pin plug (pin 1 is the one at the edge): pin 1 (VDD) to 5 V (header pin 2), pin 2 (SDA)
to pin 3, pin 3 (SCL) to pin 5, pin 4 (SEL) to GND, pin 5 (GND) to pin 6. SEL is looked at when the
supply comes, and open it means the serial port: tie it to GND first. SDA and SCL are open drain and
take the Pi's 3.3 V. Longer than 20 cm wants the serial port (driver `sps30_uart`). [2, 3]
Address: 0x69 and no other, so one on a bus, and none beside an SEN5x. [6]
Supply: 4.5 to 5.5 V. [2]
Current: 55 mA measuring, 80 mA while the fan starts, 0.33 mA idle, 0.04 mA asleep (from firmware
2.0 on; older ones idle). [2]
Pull-ups: the Pi has 1.8 kΩ; nothing to add.
Place: no wind into the slots, and no direct sun; it is not tight against rain.

How it is read: woken, started, given `warm_up_s` (it needs 8 to 30 s, most in clean air [1.1]),
asked for five measurements a second apart; their mean without the smallest and the largest counts.
Then it sleeps until the next reading, if `interval_s` leaves room for it: with the defaults it runs
36 s of 150 and takes 13 mA instead of 55. Closing the driver stops the fan too.
Cleaning: by itself it blows its fan clean once a week of measuring without a break [4.2], which one
that rests never does; so it is told to every `clean_days`, after a reading, for 10 s.
Pitfalls: above 70 % humidity it counts droplets. Values above 1000 µg/m³ are flagged BAD "range"
[1.1]. When it says itself that its fan or laser failed, all are BAD "status"; when the fan's speed
is off, SUSPECT "status" [4.4]. Ten zeros at once are no measurement: BAD "raw-sentinel".
Package: sensirion-i2c-sps30, unchanged, over our bus (`_sensirion_bus`).
Source: Sensirion, "Datasheet SPS30" 1.0 (March 2020); sections in square brackets.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

from sensirion_i2c_sps30 import Sps30Device
from sensirion_i2c_sps30.commands import OutputFormat

from kiezbox.errors import SensorGarbled, SensorTimeout
from kiezbox.hardware import I2C, SensorHardware
from kiezbox.model import Flag, Measurement, Quantity
from kiezbox.sensors._border import translated
from kiezbox.sensors._duty import FAREWELL_S, Cleaning, clean_days_setting, pause
from kiezbox.sensors._i2c import address_setting, wiring_hint
from kiezbox.sensors._line import RestingSettings, trimmed, warm_up_setting
from kiezbox.sensors._sensirion import NO_ACKNOWLEDGE, introduced
from kiezbox.sensors._sensirion_bus import channel
from kiezbox.settings import setting

__all__ = ["QUANTITIES", "Settings", "Sps30", "open"]

QUANTITIES = (
    Quantity.PM1_UG_M3,
    Quantity.PM2_5_UG_M3,
    Quantity.PM4_UG_M3,
    Quantity.PM10_UG_M3,
)

#: What fan and laser draw while it works, in A.
DRAWS_A = 0.055

#: What it answers to "who are you" [6.3.7].
PRODUCT = "00080000"
#: Firmware from which on it can sleep [6.3, "Sleep"].
SLEEPS_SINCE = (2, 0)
#: Status register [4.4].
FAN, LASER, SPEED = 1 << 4, 1 << 5, 1 << 21
#: The end of the measuring range [1.1].
MOST_UG_M3 = 1000.0

SAMPLES = 5
#: It measures once a second; the first measurement comes after one second.
LOOK_S, PATIENCE_S = 0.1, 4.0
#: The longest that it is busy with one word, a reset [6.3].
BUSY_S = 0.1

HINT = wiring_hint("5 V (plug pin 1), SEL (plug pin 4) tied to GND before it gets its supply")
STRANGER = 'An SEN5x has the same address: driver = "sen5x".'


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(RestingSettings):
    """``[sensors.NAME]`` with ``driver = "sps30"``."""

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
    clean_days: float = clean_days_setting()


class Sps30:
    """An open SPS30."""

    def __init__(self, settings: Settings, hardware: SensorHardware) -> None:
        self._settings = settings
        self._deadline = hardware.deadline
        self._part = f"the SPS30 at 0x{settings.address:02x}"
        self._chip = Sps30Device(channel(hardware, settings.address))
        self._is_measuring = False
        self._cleaning = Cleaning(settings.clean_days, self._deadline, self._part)
        with translated(self._part, HINT):
            product = self._product(hardware.i2c())
            if not product.startswith(PRODUCT):
                raise SensorGarbled(
                    f"what answers at 0x{settings.address:02x} is no SPS30 (it says {product!r})",
                    hint=STRANGER,
                )
            self._can_sleep = tuple(self._chip.read_firmware_version()) >= SLEEPS_SINCE

    def read(self) -> Sequence[Measurement]:
        with translated(self._part, HINT):
            if not self._is_measuring:
                self._start()
            samples = [self._sample() for _ in range(SAMPLES)]
            flag, reason = self._status()
            if self._settings.rests:
                self._cleaning.if_due(self._chip.start_fan_cleaning)
                self._stop()
        if not any(map(any, samples)):
            flag, reason = Flag.BAD, "raw-sentinel"
        return [
            _measurement(quantity, trimmed(values), flag, reason)
            for quantity, values in zip(QUANTITIES, zip(*samples, strict=True), strict=False)
        ]

    def close(self) -> None:
        """Stop fan and laser, if it can still be told. Idempotent."""
        if self._is_measuring:
            self._is_measuring = False
            self._deadline.start(FAREWELL_S)
            try:
                self._stop()
            except OSError:
                pass  # gone; without its supply the fan stands still as well

    def _product(self, bus: I2C) -> str:
        """Who it is. It may sleep, and it may be busy with an older word: both say nothing."""
        until = time.monotonic() + BUSY_S
        while True:
            self._chip.wake_up_sequence()
            try:
                return str(self._chip.read_product_type())
            except OSError as error:
                if error.errno not in NO_ACKNOWLEDGE:
                    raise
            if time.monotonic() > until:
                with introduced(bus, self._settings.address, "SPS30", STRANGER):
                    return str(self._chip.read_product_type())
            pause(BUSY_S / 10, self._deadline)

    def _start(self) -> None:
        self._chip.wake_up_sequence()
        # One that measures already, left behind by a box that lost its power, is begun anew.
        self._chip.stop_measurement()
        self._chip.start_measurement(OutputFormat.OUTPUT_FORMAT_FLOAT)
        self._is_measuring = True
        pause(self._settings.warm_up_s, self._deadline)

    def _stop(self) -> None:
        self._chip.stop_measurement()
        if self._can_sleep:
            self._chip.sleep()
        self._is_measuring = False

    def _sample(self) -> tuple[float, ...]:
        """The next measurement: ten values, of which the first four are masses."""
        until = time.monotonic() + PATIENCE_S
        while self._chip.read_data_ready_flag() != 1:
            if time.monotonic() > until:
                raise SensorTimeout(
                    f"{self._part} has nothing to say for {PATIENCE_S:g} s",
                    hint="Is its fan to be heard? It wants 5 V, not 3.3 V.",
                )
            pause(LOOK_S, self._deadline)
        values = tuple(map(float, self._chip.read_measurement_values_float()))
        if not all(math.isfinite(value) and value >= 0 for value in values):
            raise SensorGarbled(
                f"{self._part} answers nonsense: {values}",
                hint="Cut its supply once; if it stays so, exchange it.",
            )
        return values

    def _status(self) -> tuple[Flag, str]:
        register = self._chip.read_device_status_register()
        if register:
            # Its bits stay set until they are cleared; what was wrong then is not wrong for ever.
            self._chip.clear_device_status_register()
        if register & (FAN | LASER):
            return Flag.BAD, "status"
        return (Flag.SUSPECT, "status") if register & SPEED else (Flag.GOOD, "")


def _measurement(quantity: Quantity, value: float, flag: Flag, reason: str) -> Measurement:
    if flag is Flag.GOOD and value > MOST_UG_M3:
        flag, reason = Flag.BAD, "range"
    return Measurement(quantity, round(value, 2), None, flag, reason)


def open(settings: Settings, hardware: SensorHardware) -> Sps30:
    """The sensor, awake and idle; the first read starts its fan.

    Raises:
        SensorMissing: nobody answers at the address.
        SensorGarbled: another chip.
    """
    return Sps30(settings, hardware)
