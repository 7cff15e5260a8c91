"""LAEQ: how loud it is, as one number for the time between two readings, from a DNMS (Digital Noise
Measurement Sensor, of sensor.community). I²C address 0x55.

Never a sound: microphone and A-filter are on the DNMS, which has no storage for sound and no way to
hand one over. It is asked for the energy mean of the A-weighted level (LAeq) since the last
reading, and that one number is all that is kept. Its minimum and maximum are looked at to check it,
and dropped; thirds (spectra) are never asked for. Nobody can tell a word, or whose, from one number
in ten seconds or more, so `interval_s` cannot be shorter.

Wiring (Raspberry Pi header): DNMS board 5 V to pin 2, GND to pin 6, SDA to pin 3, SCL to pin 5. The
Teensy's pins are 3.3 V.
Address: 0x55 and no other, so one on a bus.
Supply: 5 V.
Current: about 100 mA (Teensy 4.0 and microphone), all the time; not for a box that must save.
Pull-ups: the Pi has 1.8 kΩ; nothing to add.
Place: microphone downwards, in a tube or under a roof, a foam ball around it, 2 m from walls that
throw sound back, away from the particulate sensor's fan.

Pitfalls: wind and rain are noise as well. After it got its supply it wants ten seconds. The first
reading after a start listens for `listen_s` only, later ones for the whole time between two. Which
`microphone` is soldered in must be said to firmware 5 and later, once, or it keeps its last one; a
wrong one is a few decibels off. Values outside 20 to 130 dB are flagged BAD "range", a mean that is
not between its minimum and its maximum BAD "cross", 0 dB BAD "raw-sentinel".
Package: sensirion-i2c-driver, over our bus (`_sensirion_bus`): the DNMS speaks words with CRC-8
just as Sensirion's chips do.
Source: Helmut Bitter's firmware and drivers, github.com/hbitter/DNMS: README.md and dnms_i2c.cpp
(commands, words, checksum), the reader for the senseBox (ten seconds after start, ready within half
a second, microphones). The current is an estimate.
"""

from __future__ import annotations

import math
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass

from sensirion_i2c_driver import CrcCalculator, SensirionI2cCommand

from kiezbox.errors import SensorGarbled, SensorTimeout
from kiezbox.hardware import SensorHardware
from kiezbox.model import Flag, Measurement, Quantity
from kiezbox.sensors._border import translated
from kiezbox.sensors._duty import pause
from kiezbox.sensors._i2c import address_setting, wiring_hint
from kiezbox.sensors._sensirion import introduced
from kiezbox.sensors._sensirion_bus import connection
from kiezbox.settings import SensorSettings, setting

__all__ = ["QUANTITIES", "Laeq", "Settings", "open"]

QUANTITIES = (Quantity.LAEQ_DB,)

#: What its computer and microphone draw, all the time, in A.
DRAWS_A = 0.1

VERSION, CALCULATE, READY, READ = 0x0002, 0x0003, 0x0004, 0x0005
MICROPHONES = {"": None, "ICS-43434": 0x001B, "IM72D128": 0x001C}
#: What its version begins with.
NAME = b"DNMS"
#: It computes within milliseconds; its other readers wait for half a second.
THINKS_S, LOOK_S, PATIENCE_S = 0.002, 0.01, 0.5

#: Below is no city, above the microphones end.
LEAST_DB, MOST_DB = 20.0, 130.0
#: Means are computed in single precision.
ROUNDING_DB = 0.05

HINT = wiring_hint("5 V (the Teensy's light blinks)")
STRANGER = "Another chip at this address, or SDA is loose."


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(SensorSettings):
    """``[sensors.NAME]`` with ``driver = "laeq"``."""

    interval_s: float = setting(
        60.0,
        help="It is the time between two readings, and that of which each is the mean. Not\n"
        "shorter, so that nothing of what is said can be guessed.",
        unit="s",
        least=10,
        most=86400,
    )
    address: int = address_setting(0x55, range(0x55, 0x56))
    listen_s: float = setting(
        5.0,
        help="How long the first reading after a start listens; less than deadline_s.",
        unit="s",
        least=0,
        most=60,
    )
    microphone: str = setting(
        "",
        help="Which one is soldered in, for firmware that must be told; empty: it knows.",
        choices=tuple(MICROPHONES),
    )
    correction_db: float = setting(
        0.0,
        help="What is added, from a comparison with a sound level meter. The raw value is kept.",
        unit="dB",
        least=-20,
        most=20,
    )


class Laeq:
    """An open DNMS."""

    def __init__(self, settings: Settings, hardware: SensorHardware) -> None:
        self._settings = settings
        self._deadline = hardware.deadline
        self._part = f"the DNMS at 0x{settings.address:02x}"
        self._connection = connection(hardware)
        with translated(self._part, HINT):
            with introduced(hardware.i2c(), settings.address, "DNMS", STRANGER):
                name = self._ask(VERSION, len(NAME))
            if name != NAME:
                raise SensorGarbled(
                    f"what answers at 0x{settings.address:02x} is no DNMS", hint=STRANGER
                )
            microphone = MICROPHONES[settings.microphone]
            if microphone is not None:
                self._say(microphone)
            # From now on: what it has heard before is of a time that nobody knows.
            self._say(CALCULATE)
        self._listens_until = time.monotonic() + settings.listen_s

    def read(self) -> Sequence[Measurement]:
        with translated(self._part, HINT):
            pause(max(0.0, self._listens_until - time.monotonic()), self._deadline)
            self._say(CALCULATE)
            self._await_result()
            mean, least, most = struct.unpack(">3f", self._ask(READ, 12))
            if not all(map(math.isfinite, (mean, least, most))):
                raise SensorGarbled(
                    f"{self._part} hears nothing", hint="Is the microphone's plug in its place?"
                )
        return (self._judged(mean, least, most),)

    def close(self) -> None:
        """Nothing to give back; it listens on, and what it hears then is dropped."""

    def _judged(self, mean: float, least: float, most: float) -> Measurement:
        value = mean + self._settings.correction_db
        if mean == 0.0:
            reason = "raw-sentinel"
        elif not least - ROUNDING_DB <= mean <= most + ROUNDING_DB:
            reason = "cross"
        else:
            reason = "" if LEAST_DB <= value <= MOST_DB else "range"
        return Measurement(
            Quantity.LAEQ_DB,
            round(value, 2),
            round(mean, 2) if self._settings.correction_db else None,
            Flag.BAD if reason else Flag.GOOD,
            reason,
        )

    def _await_result(self) -> None:
        until = time.monotonic() + PATIENCE_S
        while self._ask(READY, 2) != b"\x00\x01":
            if time.monotonic() > until:
                raise SensorTimeout(
                    f"{self._part} does not finish its sum",
                    hint="Cut its supply once; if it stays so, put its firmware on it anew.",
                )
            pause(LOOK_S, self._deadline)

    def _say(self, command: int) -> None:
        self._connection.execute(
            self._settings.address, SensirionI2cCommand(command, None, None, 0, 0, None)
        )

    def _ask(self, command: int, count: int) -> bytes:
        """So many bytes of the answer, their checksums checked and taken out."""
        question = SensirionI2cCommand(
            command, None, count // 2 * 3, THINKS_S, 0, CrcCalculator(8, 0x31, 0xFF, 0x00)
        )
        return bytes(self._connection.execute(self._settings.address, question))


def open(settings: Settings, hardware: SensorHardware) -> Laeq:
    """The sensor, listening.

    Raises:
        SensorMissing: nobody answers at the address.
        SensorGarbled: another chip.
    """
    return Laeq(settings, hardware)
