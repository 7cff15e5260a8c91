"""What hangs on the box: buses, pins, grid, battery, a button; and the demo's time."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kiezbox.settings.declaring import setting

#: What a name of a UPS and of a host may hold (ups.conf(5), RFC 1123), so that nothing of it is a
#: second command in upsd's protocol.
UPS = re.compile(
    r"([A-Za-z0-9._-]{1,64})@([A-Za-z0-9.-]{1,253}|\[[0-9a-fA-F:]+\])(?::([0-9]{1,5}))?"
)


def _check_ups(value: str) -> str:
    return "" if UPS.fullmatch(value) else 'must look like "ups@localhost"'


@dataclass(frozen=True, slots=True, kw_only=True)
class HardwareSettings:
    i2c: str = setting(
        "/dev/i2c-1",
        help="The I²C bus the sensors are on. sim:PATH is a simulated bench (kiezbox demo).",
    )
    gpio: str = setting(
        "/dev/gpiochip0",
        help="The GPIO chip (Raspberry Pi 5 on older kernels: /dev/gpiochip4), or sim:PATH.",
    )
    onewire: str = setting(
        "/sys/bus/w1/devices",
        help="Where the kernel shows 1-Wire sensors (dtoverlay=w1-gpio), or sim:PATH.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class GridSourceSettings:
    """One ``[power.grid.NAME]``: something that knows whether the grid is there."""

    driver: str = setting(
        help="pin: a GPIO line. voltage: a sensor's voltage_v, above or below a threshold.\n"
        "nut: a UPS that Network UPS Tools looks after (upsd).",
        choices=("pin", "voltage", "nut"),
    )
    pin: int = setting(17, help="driver pin: BCM number of the line.", least=0, most=53)
    active_high: bool = setting(
        True,
        help="driver pin: true if the line is high while the grid is there. UPS boards differ:\n"
        "pull the plug once while `kiezbox check` runs.",
    )
    pull: str = setting(
        "down",
        help="driver pin: the built-in resistor, so that a broken wire reads as 'no grid' and not\n"
        "as noise.",
        choices=("up", "down", "none"),
    )
    sensor: str = setting("", help="driver voltage: the name of the sensor to look at.")
    least_v: float = setting(
        4.5,
        help="driver voltage: the grid is there from this voltage up.",
        unit="V",
        least=0,
        most=60,
    )
    ups: str = setting(
        "ups@localhost",
        help="driver nut: NAME@HOST or NAME@HOST:PORT, as `upsc` writes it.",
        check=_check_ups,
        example="ups@localhost:3493",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class BatterySettings:
    sensor: str = setting("", help="The sensor that measures the battery (an ina219). Empty: none.")
    capacity_ah: float = setting(
        12.0, help="What the battery holds when new.", unit="Ah", least=0.1, most=2000
    )
    chemistry: str = setting(
        "lifepo4",
        help="Decides which voltages mean full and empty.",
        choices=("lifepo4", "liion", "lead"),
    )
    cells: int = setting(4, help="Cells in series.", least=1, most=16)
    charge_is_positive: bool = setting(
        True,
        help="Whether current into the battery counts positive: which way the shunt sits.",
    )
    low_percent: float = setting(30.0, help="At or below: mode saving.", unit="%", least=2, most=90)
    critical_percent: float = setting(
        10.0, help="At or below: mode dark.", unit="%", least=1, most=50
    )
    hysteresis_percent: float = setting(
        5.0, help="So much more before a stage is left upwards.", unit="%", least=1, most=30
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ButtonSettings:
    pin: int = setting(
        -1,
        help="BCM number of the line; the button connects it to GND. -1: there is none.",
        least=-1,
        most=53,
    )
    hold_s: float = setting(
        5.0,
        help="Held so long, it begins an exercise, or ends one. Shorter does nothing.",
        unit="s",
        least=2,
        most=30,
    )
    exercise_h: float = setting(
        2.0,
        help="So long an exercise goes on that the button began.",
        unit="h",
        least=0.1,
        most=24,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockSettings:
    speed: float = setting(
        1.0, help="How fast time runs. Only for the demo and for drills.", least=0.1, most=3600
    )
    wall_anchor: float = setting(
        0.0, help="Unix seconds at which fast and real time agree.", unit="s", least=0
    )
