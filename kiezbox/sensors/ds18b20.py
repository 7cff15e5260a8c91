"""DS18B20: temperature at the end of a cable. 1-Wire, family code 0x28, up to 10 on one line.

Wiring (Raspberry Pi header): red (VDD) to 3.3 V (pin 1), black (GND) to pin 6, yellow (DQ) to GPIO4
(pin 7), and one resistor of 4.7 kΩ between DQ and 3.3 V for all of them together. Then
`dtoverlay=w1-gpio` into /boot/firmware/config.txt (another pin: `dtoverlay=w1-gpio,gpiopin=…`), and
start the box anew.
Each has an id, burnt in, such as 28-00000a1b2c3d: `ls /sys/bus/w1/devices` shows who is there, and
so does `kiezbox read` while `id` is empty. With two, warm one between your fingers to learn which
is which, and write the id on its cable. For damp: one in the air of the room, one on the coldest
wall (an outer corner, behind the cupboard), pressed on with tape and a bit of foam over it.
Of the latter say `wall = true` and `room = …`: `kiezbox advice` then tells of mould.
Supply: 3.0 to 5.5 V; on a Pi 3.3 V, because DQ follows it. Three wires, not two: parasite power
fails when it gets warm.
Current: 1.5 mA while it converts (0.75 s), a microampere else.
Pull-ups: the one of 4.7 kΩ; for 20 m of cable 2.2 kΩ.

Pitfalls: 85.0 °C is what it says when its supply failed during the conversion; it is flagged BAD
with the reason "raw-sentinel" (so this driver cannot measure exactly 85.0). A shorted line reads as
nine zeros, whose checksum is right and which would be 0.0 °C: refused, because the configuration
byte is never zero. −127 °C is no value of the chip, but of an Arduino library that found none; the
kernel says nothing instead, and that is a failed read. Counterfeits are common; most measure well.
DS18S20 (family 0x10) has other numbers and is refused.
How it is read: the kernel does the timing (`w1_therm`). `w1_slave` rather than `temperature`: it
has the nine bytes, so checksum, configuration and the value after power-up are looked at here; the
file `temperature` says 85000 and 0 like any other number.
Package: none; w1thermsensor would read the same file, and takes `t=` from it unlooked at but for
85 °C and the word YES.
Source: Linux, drivers/w1/slaves/w1_therm.c and its Documentation; Maxim Integrated
19-7487 (DS18B20) and application note 27 (checksum), as quoted: the sheets were not at hand.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from kiezbox.errors import SensorGarbled, SensorMissing
from kiezbox.hardware import SensorHardware
from kiezbox.model import Flag, Measurement, Quantity
from kiezbox.sensors._border import translated
from kiezbox.settings import SensorSettings, setting

__all__ = ["QUANTITIES", "Ds18b20", "Settings", "crc", "open"]

QUANTITIES = (Quantity.TEMPERATURE_C,)

#: Families whose scratchpad is the DS18B20's: itself, and the DS1822, its cheaper sister.
FAMILIES = ("28", "22")
IDENTITY = re.compile(r"[0-9a-f]{2}-[0-9a-f]{12}")

#: The first line of ``w1_slave``: nine bytes, the kernel's checksum, its verdict.
LINE = re.compile(rb"((?:[0-9a-f]{2} ){9}): crc=[0-9a-f]{2} (?:YES|NO)\n")

#: Byte 4 is 0 R1 R0 1 1111 (figure 10); R1 and R0 are 9 to 12 bits.
CONFIGURATION, CONFIGURATION_MASK, FIXED_BITS = 4, 0x9F, 0x1F
#: Steps of 1/16 degree; what a coarser resolution leaves undefined is not looked at (table 2).
STEP_C = 0.0625
AFTER_POWER_UP_C = 85.0
RANGE_C = (-55.0, 125.0)

HINT = (
    "Look at red (3.3 V), black (GND), yellow (GPIO4, pin 7) and the resistor of 4.7 kΩ;"
    " `ls /sys/bus/w1/devices` shows who is there. The box tries again by itself."
)


def _check_identity(value: str) -> str:
    if not value:
        return ""
    if not IDENTITY.fullmatch(value):
        return 'must look like "28-00000a1b2c3d"'
    return "" if value[:2] in FAMILIES else f"is of family {value[:2]}; a DS18B20 begins with 28"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(SensorSettings):
    """``[sensors.NAME]`` with ``driver = "ds18b20"``."""

    id: str = setting(
        "",
        help="Which one: `ls /sys/bus/w1/devices`. Must be said, also where there is only one:\n"
        "the day a second one hangs there, air and wall must not change places.",
        check=_check_identity,
        example="28-00000a1b2c3d",
    )


class Ds18b20:
    """A DS18B20 on the kernel's bus."""

    def __init__(self, settings: Settings, hardware: SensorHardware) -> None:
        self._bus = hardware.onewire()
        self._identity = settings.id
        self._part = f"the DS18B20 {settings.id}"
        if not settings.id:
            raise SensorMissing("it is not said which DS18B20 is meant", hint=self._who())

    def read(self) -> Sequence[Measurement]:
        with translated(self._part, HINT):
            try:
                text = self._bus.read(self._identity)
            except FileNotFoundError as error:
                raise SensorMissing(f"{self._part} is not there", hint=self._who()) from error
            return (_measurement(self._scratchpad(text)),)

    def close(self) -> None:
        """Nothing to give back: the bus is the kernel's."""

    def _scratchpad(self, text: bytes) -> bytes:
        if not text:
            raise SensorMissing(f"{self._part} does not answer the kernel", hint=HINT)
        line = LINE.match(text)
        if line is None:
            raise SensorGarbled(f"{self._part}: the kernel says {text[:40]!r}", hint=HINT)
        nine = bytes.fromhex(line[1].decode("ascii"))
        if crc(nine[:8]) != nine[8]:
            raise SensorGarbled(
                f"{self._part} sent a wrong checksum",
                hint="A long or thin cable, or a weak pull-up: 2.2 kΩ instead of 4.7 kΩ helps.",
            )
        if nine[CONFIGURATION] & CONFIGURATION_MASK != FIXED_BITS:
            raise SensorGarbled(f"{self._part} sent only zeros, or is no DS18B20", hint=HINT)
        return nine

    def _who(self) -> str:
        """A hint: the ids that there are, or that there are none."""
        found = [one for one in self._bus.scan() if one[:2] in FAMILIES]
        if not found:
            return f"No DS18B20 answers. {HINT}"
        return "There are: " + ", ".join(f'id = "{one}"' for one in found) + "."


def _measurement(nine: bytes) -> Measurement:
    undefined = 3 - (nine[CONFIGURATION] >> 5 & 3)
    code = int.from_bytes(nine[0:2], "little", signed=True) >> undefined << undefined
    celsius = code * STEP_C
    reason = ""
    if celsius == AFTER_POWER_UP_C:
        reason = "raw-sentinel"
    elif not RANGE_C[0] <= celsius <= RANGE_C[1]:
        reason = "range"
    flag = Flag.BAD if reason else Flag.GOOD
    return Measurement(Quantity.TEMPERATURE_C, celsius, None, flag, reason)


#: Checksums of the sixteen low and the sixteen high half-bytes (application note 27).
_LOW = (0x00, 0x5E, 0xBC, 0xE2, 0x61, 0x3F, 0xDD, 0x83,
        0xC2, 0x9C, 0x7E, 0x20, 0xA3, 0xFD, 0x1F, 0x41)  # fmt: skip
_HIGH = (0x00, 0x9D, 0x23, 0xBE, 0x46, 0xDB, 0x65, 0xF8,
         0x8C, 0x11, 0xAF, 0x32, 0xCA, 0x57, 0xE9, 0x74)  # fmt: skip


def crc(data: bytes) -> int:
    """Dallas/Maxim's checksum.

    >>> hex(crc(bytes.fromhex("021cb801000000")))
    '0xa2'
    """
    rest = 0
    for byte in data:
        mixed = rest ^ byte
        rest = _LOW[mixed & 0xF] ^ _HIGH[mixed >> 4]
    return rest


def open(settings: Settings, hardware: SensorHardware) -> Ds18b20:
    """The sensor; whether it is there shows the first read.

    Raises:
        SensorMissing: it is not said which one; the hint names those that there are.
    """
    return Ds18b20(settings, hardware)
