"""A simulated SCD30 (CO₂, temperature, humidity), command by command.

Modelled: continuous measurement that a power cycle does not end, its interval, data ready, a
buffer that reading empties and a newer measurement overwrites, the settings it keeps for ever and
those it forgets, time to start, a first measurement of 0 ppm, soft reset, firmware, checksums.
Not modelled: what pressure and altitude do to the value (they are kept and can be looked at),
calibration itself (no drift), clock stretching, Modbus, noise. The air is that of the moment in
which somebody asks.
Source: Sensirion, "Interface Description SCD30", version 1.0; sections are named where they are
used. The zero: github.com/adafruit/Adafruit_CircuitPython_SCD30 issue 6.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from kiezbox.hardware.simulated._climate import heated
from kiezbox.hardware.simulated._sensirion import FAULTS, RAW_FAULTS, Done, SensirionChip, nack

__all__ = ["SimulatedScd30"]

START, STOP, DATA_READY, READ = 0x0010, 0x0104, 0x0202, 0x0300
FIRMWARE, SOFT_RESET = 0xD100, 0xD304

#: Command -> (attribute, lowest, highest): registers of one word, kept without supply.
KEPT = {
    0x4600: ("interval_s", 2, 1800),
    0x5306: ("self_calibration", 0, 1),
    0x5403: ("offset_centikelvin", 0, 0xFFFF),
    0x5102: ("altitude_m", 0, 0xFFFF),
}
#: At least 3 ms between a command and its answer.
ASKED_S = 0.003
#: "The boot-up time is < 2 s" (1.1).
BOOT_S = 2.0


class SimulatedScd30(SensirionChip):
    """The chip on its bus. ``set()`` is the air around it."""

    FAULTS = {
        **FAULTS,
        **RAW_FAULTS,
        "wrong_id": "something else has this address: it takes none of these commands",
        "never_ready": "no measurement ever is",
        "no_co2": "its lamp is dead: 0 ppm, temperature and humidity are right",
        "not_a_number": "all three values are NaN",
    }

    air = (600.0, 20.0, 50.0)
    #: What it was made with, and keeps.
    interval_s = 2
    self_calibration = 0
    offset_centikelvin = 0
    altitude_m = 0
    is_measuring = False
    #: How often its lasting memory was written.
    writes = 0
    #: How much warmer its own heat makes it than the air is.
    heat_k = 0.0
    _has_booted = False

    def __init__(self, *, clock: Callable[[], float], seed: int = 1) -> None:
        super().__init__(clock=clock, seed=seed)

    def start(self) -> None:
        self.pressure_hpa = 0
        self._is_ready = False
        self._is_first = True
        self._due_at = self.clock() + BOOT_S + self.interval_s
        if self._has_booted:
            self._free_at = self.clock() + BOOT_S
        self._has_booted = True

    def set(
        self,
        co2_ppm: float | None,
        temperature_c: float | None,
        humidity_percent: float | None,
    ) -> None:
        """Air from now on, in ppm, °C, %RH; None (a gap in a recording): unplugged."""
        if co2_ppm is None or temperature_c is None or humidity_percent is None:
            self.is_away = True
        else:
            self.is_away = False
            self.air = (co2_ppm, temperature_c, humidity_percent)

    # --- inside -------------------------------------------------------------------------------

    def carry_out(self, command: int, arguments: list[int]) -> Done:
        self._measure_if_due()
        if self.fault == "wrong_id":
            raise nack()
        if command in KEPT:
            return self._kept(*KEPT[command], arguments)
        if command == START:
            return self._start(arguments)
        if arguments:
            raise nack()
        if command == STOP:
            self.is_measuring = False
            return Done(ASKED_S)
        if command == DATA_READY:
            return Done(ASKED_S, (int(self._is_ready),))
        if command == READ:
            return self._read()
        if command == FIRMWARE:
            return Done(ASKED_S, (0x0342,))  # the sheet's example, "3.66"
        if command == SOFT_RESET:
            self.start()
            return Done(BOOT_S)
        raise nack()

    def _kept(self, name: str, least: int, most: int, arguments: list[int]) -> Done:
        if not arguments:
            return Done(ASKED_S, (getattr(self, name),))
        if not least <= arguments[0] <= most:
            raise nack()
        self.writes += 1
        setattr(self, name, arguments[0])
        if name == "interval_s":
            self._due_at = min(self._due_at, self.clock() + self.interval_s)
        return Done(ASKED_S)

    def _start(self, arguments: list[int]) -> Done:
        """Measure, with this pressure; asked without one, it says which it has."""
        if not arguments:
            return Done(ASKED_S, (self.pressure_hpa,))
        if arguments[0] and not 700 <= arguments[0] <= 1400:
            raise nack()
        self.pressure_hpa = arguments[0]
        if not self.is_measuring:
            self.is_measuring = True
            self._due_at = self.clock() + self.interval_s
        return Done(ASKED_S)

    def _read(self) -> Done:
        if not self._is_ready:
            raise nack()
        self._is_ready = False
        ppm, celsius, percent = self.air
        celsius, percent = heated(celsius, percent, self.heat_k - self.offset_centikelvin / 100)
        if self._is_first or self.fault == "no_co2":
            ppm = 0.0
        self._is_first = False
        values = (ppm, celsius, percent)
        if self.fault == "not_a_number":
            values = (float("nan"),) * 3
        # Big endian (1.5): the upper word first.
        return Done(ASKED_S, struct.unpack(">6H", struct.pack(">3f", *values)))

    def _measure_if_due(self) -> None:
        if not self.is_measuring or self.clock() < self._due_at:
            return
        missed = int((self.clock() - self._due_at) / self.interval_s)
        if missed:
            self._is_first = False  # that one was overwritten
        self._due_at += (missed + 1) * self.interval_s
        self._is_ready = self.fault != "never_ready"
