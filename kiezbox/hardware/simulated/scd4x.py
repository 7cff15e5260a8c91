"""A simulated SCD40, SCD41 or SCD43 (CO₂, temperature, humidity), command by command.

Modelled: idle, both periodic modes and single shots with their times, data ready, a buffer that
reading empties, what may be said while it measures, temperature offset against its own heat,
altitude, pressure, self-calibration switch, what a power cycle forgets, sleep, checksums.
Not modelled: what pressure does to the value (it is kept and can be looked at), calibration itself
(no drift), self-test, EEPROM, noise. The air is that of the moment in which somebody asks.
Source: Sensirion, data sheet SCD4x, version 1.3; sections are named where they are used. Variant:
sensirion-i2c-scd4x 1.1.0.
"""

from __future__ import annotations

from kiezbox.hardware.simulated._climate import heated, humidity_word, temperature_word
from kiezbox.hardware.simulated._sensirion import FAULTS, RAW_FAULTS, Done, SensirionChip, nack

__all__ = ["SimulatedScd4x"]

START, START_LOW_POWER, STOP = 0x21B1, 0x21AC, 0x3F86
READ, DATA_READY = 0xEC05, 0xE4B8
SINGLE_SHOT, POWER_DOWN, WAKE_UP = 0x219D, 0x36E0, 0x36F6
SERIAL, VARIANT, PRESSURE = 0x3682, 0x202F, 0xE000

#: Command -> (attribute, is it set): settings of one word, in idle only (table 9).
WORDS = {
    0x241D: ("offset_word", True),
    0x2318: ("offset_word", False),
    0x2427: ("altitude_m", True),
    0x2322: ("altitude_m", False),
    0x2416: ("self_calibration", True),
    0x2313: ("self_calibration", False),
}
#: What may be said while it measures (table 9, last column).
WHILE_MEASURING = (READ, DATA_READY, STOP, PRESSURE)
#: Seconds between two measurements (3.5.1, 3.8.1).
PERIODS = {START: 5.0, START_LOW_POWER: 30.0}
VARIANTS = {"SCD40": 0x0440, "SCD41": 0x1440, "SCD43": 0x5441}


class SimulatedScd4x(SensirionChip):
    """The chip on its bus. ``set()`` is the air around it."""

    FAULTS = {
        **FAULTS,
        **RAW_FAULTS,
        "wrong_id": "something else has this address: it takes none of these commands",
        "never_ready": "no measurement ever is",
        "no_co2": "its CO₂ part is dead: 0 ppm, temperature and humidity are right",
        "brown_out": "the supply breaks down at each measurement: the chip starts anew, in idle",
    }

    air = (600.0, 20.0, 50.0)
    serial_number = (0xF896, 0x9F07, 0x3BBE)  # the sheet's example (3.9.2)
    variant = "SCD41"
    #: How much warmer its own heat makes it than the air is.
    heat_k = 4.0

    def start(self) -> None:
        # Power-on (3.6 and 3.7): 4 °C, 0 m, self-calibration on.
        self.offset_word = round(4.0 / 175 * 65535)
        self.altitude_m = 0
        self.self_calibration = 1
        self.pressure_hpa: int | None = None
        self.is_asleep = False
        self._idle()

    def _idle(self) -> None:
        self._period_s = 0.0
        self._due_at = float("inf")
        self._is_ready = False

    @property
    def conversions(self) -> int:
        """How many single shots were asked for."""
        return self.commands.count(SINGLE_SHOT)

    @property
    def is_measuring(self) -> bool:
        """Whether a periodic mode is on."""
        return self._period_s > 0

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
        if self.is_asleep:
            self.is_asleep = command != WAKE_UP
            raise nack()  # also waking up is not acknowledged (3.10.4)
        if self.is_measuring and command not in WHILE_MEASURING:
            raise nack()
        if command in WORDS:
            return self._word(*WORDS[command], arguments)
        if command == PRESSURE:
            return self._pressure(arguments)
        if arguments:
            raise nack()
        if command in PERIODS:
            self._period_s = PERIODS[command]
            self._due_at = self.clock() + self._period_s
            return Done()
        if command == STOP:
            self._idle()
            return Done(0.5)
        if command == SINGLE_SHOT:
            self._due_at = self.clock() + 5.0
            return Done(5.0)
        if command == DATA_READY:
            # "If the least significant 11 bits are 0: not ready" (3.8.2), and its example.
            return Done(0.001, (0x8006 if self._is_ready else 0x8000,))
        if command == READ:
            return self._read()
        if command == POWER_DOWN:
            self._idle()
            self.is_asleep = True
            return Done(0.001)
        if command == SERIAL:
            return Done(0.001, self.serial_number)
        if command == VARIANT:
            return Done(0.001, (VARIANTS[self.variant],))
        raise nack()

    def _word(self, name: str, is_set: bool, arguments: list[int]) -> Done:
        if len(arguments) != is_set:
            raise nack()
        if is_set:
            setattr(self, name, arguments[0])
            return Done(0.001)
        return Done(0.001, (getattr(self, name),))

    def _pressure(self, arguments: list[int]) -> Done:
        if not arguments:
            return Done(0.001, (self.pressure_hpa or 1013,))
        self.pressure_hpa = arguments[0]
        return Done(0.001)

    def _read(self) -> Done:
        """The buffer, which is empty then (3.5.2)."""
        if not self._is_ready:
            raise nack()
        self._is_ready = False
        ppm, celsius, percent = self.air
        warmer_k = self.heat_k - self.offset_word * 175 / 65535
        celsius, percent = heated(celsius, percent, warmer_k)
        co2_word = 0 if self.fault == "no_co2" else round(ppm)
        return Done(0.001, (co2_word, temperature_word(celsius), humidity_word(percent)))

    def _measure_if_due(self) -> None:
        if self.clock() < self._due_at:
            return
        if self.fault == "brown_out":
            self.start()
            return
        self._is_ready = self.fault != "never_ready"
        if self.is_measuring:
            missed = int((self.clock() - self._due_at) / self._period_s)
            self._due_at += (missed + 1) * self._period_s
        else:
            self._due_at = float("inf")
