"""SGP40: volatile organic compounds (VOC) as an index of this place. I²C address 0x59.

Wiring (Raspberry Pi header): VIN to 3.3 V (pin 1), GND to pin 6, SDA to pin 3, SCL to pin 5.
There is one address.
Supply: 1.7 to 3.6 V for the bare chip, 5 V kills it; boards with a regulator take 5 V. [2.1]
Current: 2.6 mA at 3.3 V, all the time: its plate stays hot. [2.1]
Pull-ups: the Pi has 1.8 kΩ on pins 3 and 5; nothing to add.
Place: free air, -10 to 50 °C, never wet: above 90 % humidity it is outside what it is made for
[2.3]. Silicone and its vapours spoil it for good.

What the index says: 100 is the average of this place's last day, 400 a much worse air, 20 a much
better one. It knows neither substances nor limits, and the 100 of two places are not the same:
good for "something is in the air that was not there an hour ago", no measure of health.
Pitfalls: the index needs the sensor every second. So a reading takes as long as its interval, in
which the sensor is asked once a second, and the index at its end is the reading. A question lost
on a bad contact is left out; three in a row end the reading.
Warm-up: for its first three minutes the index climbs from 1 to 100 whatever the air is, and is
flagged ("warm-up"); it is at its best after a day. It is learned anew when the node starts; after
a fault of up to ten minutes it goes on where it was.
Humidity: the raw signal depends on it. Name a neighbour (`climate_from`, such as an SHT4x beside
it) and the chip corrects for it; without one it takes 25 °C and 50 %, and a shower looks like a
smell.
A word of only zeros or ones is no measurement ("raw-sentinel"). An SGP41 has the same address and
an SGP30 another one; this driver says so. Every word has a checksum.
Package: adafruit-circuitpython-sgp40, unchanged: its driver, and Sensirion's algorithm in its
translation, which says what Sensirion's own (sensirion-gas-index-algorithm 3.2.2) says to within 1.
Source: Sensirion, data sheet SGP40, versions 1.0 (July 2020) and 1.1; sections in square brackets.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any
from weakref import WeakKeyDictionary

from adafruit_sgp40 import SGP40
from adafruit_sgp40.voc_algorithm import VOCAlgorithm

from kiezbox.errors import SensorError, SensorTimeout, SettingsError
from kiezbox.hardware import SensorHardware
from kiezbox.model import Flag, Measurement, Quantity
from kiezbox.sensors._border import translated
from kiezbox.sensors._i2c import address_setting, locked, wiring_hint
from kiezbox.sensors._sensirion import introduced, neighbour_setting
from kiezbox.settings import SensorSettings, setting

__all__ = ["LEARNED", "QUANTITIES", "Learned", "Settings", "Sgp40", "open"]

QUANTITIES = (Quantity.VOC_INDEX,)

#: What the gas plate draws while it works, in A.
DRAWS_A = 0.0026

#: "Turn heater off"; the Adafruit driver has it not.
HEATER_OFF = b"\x36\x15"

#: The algorithm's sampling interval (``voc_algorithm._VOCALGORITHM_SAMPLING_INTERVAL``).
SAMPLE_S = 1.0
#: For so many samples Sensirion's own algorithm, fed with one and the same signal, says less than
#: 100: 45 of nothing, then 1, 86 after the 90th, 97 after the 120th, 100 from the 154th on.
WARM_UP = 180
#: So many samples in a row may be lost.
MOST_LOST = 2
#: What was learned is still true after a break of at most so long (Sensirion's algorithm,
#: ``set_states``: "after interruptions of not more than 10 minutes").
REMEMBERED_S = 600.0

#: The algorithm takes raw signals between these for true, and leaves out others without a word.
TRUE_RAW = range(1, 65_000)
#: What the chip takes without a neighbour [table 9].
DEFAULT_C, DEFAULT_PERCENT = 25.0, 50.0
#: What it can be told [table 10].
TOLD_C, TOLD_PERCENT = (-45.0, 130.0), (0.0, 100.0)

HINT = wiring_hint("VIN (3.3 V)") + " Is it an SGP40? An SGP41 and an SGP30 look the same."
STRANGER_HINT = "An SGP41 has the same address. Or SDA (pin 3) or SCL (pin 5) has a bad contact."


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(SensorSettings):
    """``[sensors.NAME]`` with ``driver = "sgp40"``."""

    interval_s: float = setting(
        60.0,
        help="It is the time between two readings; the sensor is asked every second in between.",
        unit="s",
        least=1,
        most=100,
    )
    deadline_s: float = setting(
        90.0,
        help="A read that takes longer has failed; must leave 10 s beside interval_s.",
        unit="s",
        least=0.5,
        most=120,
    )
    saving_interval_s: float = setting(
        0.0,
        help="The same in mode saving; 0: it is not read then, for after ten minutes its index\n"
        "begins anew.",
        unit="s",
        least=0,
        most=86400,
    )
    address: int = address_setting(0x59, range(0x59, 0x5A))
    climate_from: str = neighbour_setting(
        "The sensor of this box that measures temperature and humidity beside it; empty: none."
    )

    def __post_init__(self) -> None:
        if self.deadline_s < self.interval_s + 10:
            raise SettingsError(
                f"deadline_s = {self.deadline_s:g} leaves no time for a reading, which takes"
                f" interval_s = {self.interval_s:g}",
                hint=f"Make deadline_s at least {self.interval_s + 10:g}, or interval_s shorter.",
            )


def _algorithm() -> Any:
    algorithm = VOCAlgorithm()
    algorithm.vocalgorithm_init()
    return algorithm


@dataclass(slots=True)
class Learned:
    """What the algorithm knows of this place."""

    algorithm: Any = field(default_factory=_algorithm)
    samples: int = 0
    last_at: float = 0.0


#: By the sensor's hardware, which stays when it is closed and opened anew after a fault: a plug
#: pulled for a minute must not cost what a day has taught.
LEARNED: WeakKeyDictionary[SensorHardware, Learned] = WeakKeyDictionary()


class Sgp40:
    """An open SGP40."""

    def __init__(self, settings: Settings, hardware: SensorHardware) -> None:
        self._settings = settings
        self._hardware = hardware
        self._part = f"the SGP40 at 0x{settings.address:02x}"
        self._raw = 0
        bus = self._bus = hardware.i2c()
        with (
            translated(self._part, HINT),
            introduced(bus, settings.address, "SGP40", STRANGER_HINT),
        ):
            # Asks who it is, and lets it test its plate (0.5 s).
            self._chip = SGP40(bus, settings.address)

    def read(self) -> Sequence[Measurement]:
        learned = _learned(self._hardware)
        index, lost, began = 0, 0, -inf
        for _ in range(max(1, round(self._settings.interval_s / SAMPLE_S))):
            time.sleep(max(0.0, began + SAMPLE_S - time.monotonic()))
            began = time.monotonic()
            try:
                index = self._sample(learned)
                lost = 0
            except SensorTimeout:
                raise
            except SensorError:
                lost += 1
                if lost > MOST_LOST:
                    raise
        if lost:
            index = self._sample(learned)  # a reading ends with a sample, or with an error
        return [_measurement(index, self._raw, learned.samples)]

    def rest(self) -> None:
        """Let the plate cool until the next read."""
        with translated(self._part, HINT), locked(self._bus):
            self._bus.writeto(self._settings.address, HEATER_OFF)

    def close(self) -> None:
        """Nothing to give back: the bus is shared, and the plate stays hot for the next reading."""

    def _sample(self, learned: Learned) -> int:
        celsius, percent = self._climate()
        with translated(self._part, HINT):
            self._raw = self._chip.measure_raw(celsius, percent)
        index = int(learned.algorithm.vocalgorithm_process(self._raw))
        learned.samples += 1
        learned.last_at = time.monotonic()
        return index

    def _climate(self) -> tuple[float, float]:
        """What the neighbour measures, or else what the chip assumes."""
        name = self._settings.climate_from
        if name:
            celsius = self._hardware.neighbour(f"{name}/{Quantity.TEMPERATURE_C.value}")
            percent = self._hardware.neighbour(f"{name}/{Quantity.HUMIDITY_PERCENT.value}")
            if celsius is not None and percent is not None:
                return _within(celsius, TOLD_C), _within(percent, TOLD_PERCENT)
        return DEFAULT_C, DEFAULT_PERCENT


def _learned(hardware: SensorHardware) -> Learned:
    learned = LEARNED.get(hardware)
    if learned is None or time.monotonic() - learned.last_at > REMEMBERED_S:
        learned = LEARNED[hardware] = Learned()
    return learned


def _within(value: float, limits: tuple[float, float]) -> float:
    return max(limits[0], min(limits[1], value))


def _measurement(index: int, raw: int, samples: int) -> Measurement:
    if raw not in TRUE_RAW:
        reason = "raw-sentinel"
    else:
        reason = "warm-up" if samples < WARM_UP else ""
    return Measurement(
        Quantity.VOC_INDEX, float(index), None, Flag.BAD if reason else Flag.GOOD, reason
    )


def open(settings: Settings, hardware: SensorHardware) -> Sgp40:
    """The sensor, its plate tested.

    Raises:
        SensorMissing: nobody answers at the address.
        SensorGarbled: another chip, or one whose plate is broken.
    """
    return Sgp40(settings, hardware)
